# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What sweeps left in a directory."""

import ctypes
import os
from collections import abc
from ctypes import byref, c_size_t
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple, Union, overload

from . import _ffi, _structs
from ._ffi import PathLike, check, lib
from ._handle import Callbacks, Handle
from ._stream import Stream, interruptible
from ._values import CellResult, Verdict

FORMATS: Dict[str, int] = {"text": 0, "json": 1, "tap": 2, "ktap": 3, "junit": 4, "markdown": 5,
                           "html": 6, "veristat": 7}
"""What ``Results.format()`` takes: enum avd_results_format."""
_MERGE_WORST = 1
_NO_DETAILS = 1


class Results(Handle, abc.Sequence[CellResult]):
    """What a sweep left in a directory, as it is when this is made: a sequence of ``CellResult``,
    in the order of the plan. Its truth value is whether all came to what was expected.

    >>> results = Results("out")
    >>> results["7.3/fifo/2"].passed, len(results)
    (True, 12)
    >>> print(results.format("markdown"))
    """

    _what = "results"
    _free = "avd_results_free"

    def __init__(self, directory: PathLike) -> None:
        super().__init__()
        self.directory = os.fspath(directory)

        def opened() -> None:
            error = _ffi.error_buffer()
            check(lib.avd_results_open(_ffi.path_bytes(directory), byref(self._raw), error,
                                       len(error)), error.value)
        interruptible(opened)
        counts = _structs.ResultsCounts(size=ctypes.sizeof(_structs.ResultsCounts))
        check(lib.avd_results_count(self._raw, byref(counts)), b"no counts")
        self._count = int(counts.cells)
        self.ran = int(counts.ran)
        """Cells that have a result."""
        self.met = int(counts.met)
        """Cells that came to what was expected."""
        self.unmet = int(counts.unmet)
        """Cells that ran and came to something else."""
        self.lost = int(counts.lost)
        """Cells without a result that were marked as lost, with a reason."""

    def __len__(self) -> int:
        return self._count

    def __bool__(self) -> bool:
        return self.met == self._count

    def _at(self, index: int) -> CellResult:
        raw = _structs.CellResult()
        check(lib.avd_results_get(self._live(), index, byref(raw)), b"no such cell")
        return CellResult._of(raw)

    def _find(self, name: str) -> Optional[int]:
        if "\0" in name:
            return None  # C would take what stands before it
        found = c_size_t()
        code = lib.avd_results_find(self._live(), name.encode("utf-8", "replace"), byref(found))
        return None if code < 0 else found.value

    def index(self, value: Any, *_: Any) -> int:
        """The place of a cell, by its id or its ``CellResult``; ValueError."""
        name = str(value.id if isinstance(value, CellResult) else value)
        found = self._find(name)
        if found is None:
            raise ValueError(f"no cell of these results is {name}")
        return found

    @overload
    def __getitem__(self, key: Union[int, str]) -> CellResult: ...

    @overload
    def __getitem__(self, key: slice) -> Tuple[CellResult, ...]: ...

    def __getitem__(self, key: Any) -> Any:
        """By number, by id, or a slice."""
        if isinstance(key, slice):
            return tuple(self._at(at) for at in range(*key.indices(self._count)))
        if isinstance(key, str):
            place = self._find(key)
            if place is None:
                raise KeyError(key)
            return self._at(place)
        at = key + self._count if key < 0 else key
        if not 0 <= at < self._count:
            raise IndexError(f"there are {self._count} cells, {key} is none")
        return self._at(at)

    def __iter__(self) -> Iterator[CellResult]:
        return (self._at(at) for at in range(self._count))

    def __contains__(self, value: object) -> bool:
        if isinstance(value, str):
            return self._find(value) is not None
        place = self._find(value.id) if isinstance(value, CellResult) else None
        return place is not None and self._at(place) == value

    def failed(self) -> Tuple[CellResult, ...]:
        """Cells that did not come to what was expected, those without a result among them."""
        return tuple(cell for cell in self if not cell.met)

    def stream(self, cell: Union[int, str, CellResult]) -> Stream:
        """The recording of a cell as a finished stream; close it, or use ``with``. Its verdict is
        what the recording proves, whatever the index says. ENOENT: the cell has none."""
        place = cell if isinstance(cell, int) else self.index(cell)

        def opened(out: Any) -> None:
            error = _ffi.error_buffer()
            with self._using() as results:
                check(lib.avd_results_recording(results, place, byref(out), error, len(error)),
                      error.value)
        return Stream._read(opened)

    def verdict(self, cell: Union[int, str, CellResult]) -> Verdict:
        """What a cell came to, with all evidence, from its recording."""
        with self.stream(cell) as stream:
            return stream.verdict

    def format(self, name: str = "text", details: bool = True) -> str:
        """The whole as ``attachverdict show --format NAME`` prints it: one of FORMATS. Without
        `details` the formats that have some do not read recordings. Cells that "veristat" leaves
        out are counted in a warning of the logger."""
        callbacks = Callbacks()
        number, options = _format(name, details, callbacks)

        def printed() -> str:
            with self._using() as results:
                return callbacks.call(_ffi.take_text, lib.avd_results_print, results, number,
                                      byref(options))
        return interruptible(printed)

    def write(self, path: PathLike, name: str = "html", details: bool = True) -> None:
        """The same into a file, which appears whole under its name or not at all."""
        callbacks = Callbacks()
        number, options = _format(name, details, callbacks)

        def written() -> None:
            error = _ffi.error_buffer()
            with self._using() as results:
                check(callbacks.call(lib.avd_results_write, results, number, byref(options),
                                     _ffi.path_bytes(path), error, len(error)), error.value)
        interruptible(written)


def _format(name: str, details: bool, callbacks: Callbacks) -> Tuple[int, _structs.PrintOptions]:
    try:
        number = FORMATS[name]
    except KeyError:
        raise ValueError(f"format {name!r} is none of {', '.join(FORMATS)}") from None
    return number, _structs.PrintOptions(size=ctypes.sizeof(_structs.PrintOptions),
                                         flags=0 if details else _NO_DETAILS,
                                         log=callbacks.logger())


@dataclass(frozen=True)
class Change:
    """A cell that differs between two sweeps; None where it is not in the plan."""

    id: str
    before: Optional[CellResult]
    after: Optional[CellResult]


@dataclass(frozen=True)
class Comparison:
    """What changed from one sweep to another. Its truth value is whether nothing got worse."""

    worse: Tuple[Change, ...]
    """Was as expected, is not any more."""
    better: Tuple[Change, ...]
    other: Tuple[Change, ...]
    """Neither, but another outcome or reason code."""
    new: Tuple[Change, ...]
    gone: Tuple[Change, ...]

    def __bool__(self) -> bool:
        return not self.worse


def _change(before: CellResult, after: CellResult) -> Optional[str]:
    if before.met != after.met:
        return "better" if after.met else "worse"
    same = (before.ran, before.outcome, before.result_code) == \
        (after.ran, after.outcome, after.result_code)
    return None if same else "other"


def compare(before: Iterable[CellResult], after: Iterable[CellResult]) -> Comparison:
    """What got worse and what better, cell by cell, as ``attachverdict compare`` says it; of two
    ``Results``."""
    old = {cell.id: cell for cell in before}
    found: Dict[str, Any] = {name: [] for name in ("worse", "better", "other", "new", "gone")}
    for cell in after:
        was = old.pop(cell.id, None)
        kind = "new" if was is None else _change(was, cell)
        if kind:
            found[kind].append(Change(cell.id, was, cell))
    found["gone"] = [Change(cell.id, cell, None) for cell in old.values()]
    return Comparison(**{name: tuple(changes) for name, changes in found.items()})


def merge(directories: Iterable[PathLike], into: PathLike, worst: bool = False) -> Results:
    """Merges the results of one plan from many machines into a new directory.

    Two different results of one cell are an error (EEXIST), or, with `worst`, the worse one
    counts. After an error nothing is left of `into`; Ctrl-C lets it go on to its end.
    """
    array, count = _ffi.words(directories)

    def merged() -> None:
        error = _ffi.error_buffer()
        check(lib.avd_results_merge(array, count, _ffi.path_bytes(into),
                                    _MERGE_WORST if worst else 0, error, len(error)),
              error.value)
    interruptible(merged)
    return Results(into)


def mark(directory: PathLike, reason: str, *, cells: Optional[range] = None, shard: int = 0,
         shards: int = 0) -> int:
    """Marks cells as lost: those that have no result, nor a reason yet, come to UNCONFIRMED with
    the reason code ``lost`` and this `reason`. A sweep that goes on there runs them all the same,
    and in a merge a result beats a mark. `cells`, `shard` and `shards` as in ``Sweep.run()``.
    Returns how many were marked."""
    first, count = cell_range(cells)
    raw = _structs.MarkOptions(size=ctypes.sizeof(_structs.MarkOptions), first=first,
                               reason=_ffi.text_bytes(reason), count=count,
                               shard=_ffi.number("shard", shard),
                               shards=_ffi.number("shards", shards))
    marked, error = c_size_t(), _ffi.error_buffer()
    check(lib.avd_results_mark(_ffi.path_bytes(directory), byref(raw), byref(marked), error,
                               len(error)), error.value)
    return marked.value


def cell_range(cells: Optional[range]) -> Tuple[int, int]:
    """First and number, as C has it; there, 0 means all."""
    if cells is None:
        return 0, 0
    if cells.step != 1 or not cells or cells.start < 0:
        raise ValueError(f"{cells!r} is no range of cells: from 0 on, not empty, in steps of one")
    return cells.start, _ffi.number("cells", cells.stop, 63) - cells.start
