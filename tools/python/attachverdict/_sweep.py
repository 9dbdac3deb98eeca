# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Many cells: a plan, its run, its results."""

import ctypes
import shlex
from ctypes import byref, c_void_p
from typing import Callable, Iterator, List, Optional

from . import _ffi
from ._cell import _on_log
from ._ffi import lib
from ._values import CellResult, check

_INCLUDE, _EXCLUDE, _EXPECT = 1, 2, 3
_FAIL_FAST, _RERUN_FAILED = 1, 2


class Sweep:
    """A plan of cells and how it is run.

    >>> sweep = Sweep()
    >>> sweep.kernel("7.3").scheduler("./good").scheduler("./bad", name="bad", expect="DIED")
    >>> results = sweep.run("results")
    """

    def __init__(self, plan_file=None):
        self._handle = None
        handle = c_void_p()
        check(lib.avd_plan_new(byref(handle)), b"out of memory")
        self._handle = handle
        self._finished = False
        if plan_file is not None:
            self._check(lib.avd_plan_load(handle, _ffi.path_bytes(plan_file)))

    def _check(self, code):
        return check(code, lib.avd_plan_error(self._handle))

    def kernel(self, kernel, name: Optional[str] = None) -> "Sweep":
        self._check(lib.avd_plan_add_kernel(self._handle, _ffi.path_bytes(name),
                                            _ffi.path_bytes(kernel)))
        return self

    def scheduler(self, argv, name: Optional[str] = None,
                  expect: Optional[str] = None) -> "Sweep":
        """An argv, or a line as a shell splits it."""
        array, count = _ffi.words(shlex.split(argv) if isinstance(argv, str) else argv)
        if expect is not None and name is None:
            raise ValueError("a scheduler with an expectation needs a name")
        self._check(lib.avd_plan_add_scheduler(self._handle, _ffi.path_bytes(name), array,
                                               count))
        if expect is not None:
            self.expect(f"scheduler={name}", expect)
        return self

    def topology(self, topology) -> "Sweep":
        self._check(lib.avd_plan_add_topology(self._handle, str(topology).encode()))
        return self

    def payload(self, argv, name: Optional[str] = None) -> "Sweep":
        array, count = _ffi.words(shlex.split(argv) if isinstance(argv, str) else argv)
        self._check(lib.avd_plan_add_payload(self._handle, _ffi.path_bytes(name), array, count))
        return self

    def only(self, match: str) -> "Sweep":
        self._check(lib.avd_plan_add_rule(self._handle, _INCLUDE, match.encode(), None))
        return self

    def skip(self, match: str) -> "Sweep":
        self._check(lib.avd_plan_add_rule(self._handle, _EXCLUDE, match.encode(), None))
        return self

    def expect(self, match: str, what: str) -> "Sweep":
        self._check(lib.avd_plan_add_rule(self._handle, _EXPECT, match.encode(), what.encode()))
        return self

    def set(self, name: str, value: str) -> "Sweep":
        """An option of ``attachverdict run``, by its name without dashes."""
        self._check(lib.avd_plan_set(self._handle, name.encode(), _ffi.path_bytes(value)))
        return self

    def _finish(self):
        if not self._finished:
            self._check(lib.avd_plan_finish(self._handle))
            self._finished = True

    @property
    def ids(self) -> List[str]:
        """The ids of the plan's cells; nothing can be added any more."""
        self._finish()
        cell, found = _ffi.PlanCell(), []
        for index in range(lib.avd_plan_count(self._handle)):
            lib.avd_plan_get(self._handle, index, byref(cell))
            found.append(_ffi.text(cell.id))
        return found

    def run(self, directory, jobs: int = 0, fail_fast: bool = False, rerun_failed: bool = False,
            shard: int = 0, shards: int = 0,
            on_result: Optional[Callable[[CellResult], None]] = None) -> "Results":
        """Runs what has no result in `directory` yet. Blocks; other threads run meanwhile."""
        self._finish()
        failed = []

        @_ffi.OnCellFn
        def on_cell(_userdata, _index, result):
            if result and on_result and not failed:
                try:
                    on_result(CellResult._of(result.contents))
                except BaseException as error:  # pylint: disable=broad-except
                    failed.append(error)  # to be raised where Python can see it
                    lib.avd_sweep_cancel(handle)

        raw = _ffi.SweepOptions(
            size=ctypes.sizeof(_ffi.SweepOptions), dir=_ffi.path_bytes(directory), jobs=jobs,
            flags=(_FAIL_FAST if fail_fast else 0) | (_RERUN_FAILED if rerun_failed else 0),
            shard=shard, shards=shards, on_cell=on_cell, log=_on_log)
        handle, error = c_void_p(), ctypes.create_string_buffer(_ffi.TEXT_MAX)
        check(lib.avd_sweep_new(self._handle, byref(raw), byref(handle), error, len(error)),
              error.value)
        try:
            check(lib.avd_sweep_run(handle), lib.avd_sweep_error(handle))
        finally:
            lib.avd_sweep_free(handle)
        if failed:
            raise failed[0]
        return Results(directory)

    def close(self) -> None:
        if self._handle is not None:
            lib.avd_plan_free(self._handle)
            self._handle = None

    def __enter__(self) -> "Sweep":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self):
        self.close()


class Results:
    """What a sweep left in a directory. Its truth value is whether all is as expected."""

    def __init__(self, directory):
        self._cells: List[CellResult] = []
        handle, error = c_void_p(), ctypes.create_string_buffer(_ffi.TEXT_MAX)
        check(lib.avd_results_open(_ffi.path_bytes(directory), byref(handle), error,
                                   len(error)), error.value)
        try:
            counts = _ffi.ResultsCounts(size=ctypes.sizeof(_ffi.ResultsCounts))
            lib.avd_results_count(handle, byref(counts))
            raw = _ffi.CellResult()
            for index in range(counts.cells):
                lib.avd_results_get(handle, index, byref(raw))
                self._cells.append(CellResult._of(raw))
        finally:
            lib.avd_results_free(handle)

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[CellResult]:
        return iter(self._cells)

    def __getitem__(self, key) -> CellResult:
        """By number or by id."""
        if isinstance(key, str):
            for cell in self._cells:
                if cell.id == key:
                    return cell
            raise KeyError(key)
        return self._cells[key]

    def __bool__(self) -> bool:
        return all(self._cells)
