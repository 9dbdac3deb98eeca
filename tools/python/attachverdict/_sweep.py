# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Many cells: a plan and its run."""

import ctypes
import os
import select
import shlex
import weakref
from ctypes import byref
from dataclasses import dataclass
from typing import Any, Callable, Iterable, List, Optional, Tuple, TypeVar, Union

from . import _ffi, _structs
from ._ffi import PathLike, check, lib
from ._handle import Handle
from ._results import Results, cell_range
from ._stream import interruptible
from ._values import CellResult

_INCLUDE, _EXCLUDE, _EXPECT = 1, 2, 3
_FAIL_FAST, _RERUN_FAILED, _NO_CELLS = 1, 2, 4
_S = TypeVar("_S", bound="Sweep")
OnResult = Callable[[CellResult], Any]
OnProgress = Callable[["Progress"], Any]


@dataclass(frozen=True)
class Progress:
    """How far a sweep is, in cells."""

    cells: int
    """That this run is to do, done ones included."""
    done: int
    running: int
    met: int
    """Of the done ones: as expected."""
    unmet: int
    """Of the done ones: not. The rest could not be tried."""
    kept: int
    """Of the done ones: their results were there before."""


class Sweep(Handle):
    """A plan of cells: the product of its axes, filtered by rules.

    >>> with Sweep() as sweep:
    ...     sweep.kernel("7.3").kernel("6.16").scheduler("./good --fast")
    ...     sweep.scheduler("./bad", name="bad", expect="DIED").topology("2n4l4c2t")
    ...     results = sweep.run("out", on_progress=print)
    >>> for cell in results.failed():
    ...     print(cell.id, cell.result_reason, cell.command)

    `plan_file` is a file of attachverdict-sweep(5); what is added comes to what it says. Methods
    that add return the sweep. A plan is finished by ``ids`` or a run: nothing can be added then.
    """

    _what = "sweep"
    _free = "avd_plan_free"

    def __init__(self, plan_file: Optional[PathLike] = None) -> None:
        super().__init__()
        self._finished = False
        self._runs: "weakref.WeakSet[SweepRun]" = weakref.WeakSet()
        check(lib.avd_plan_new(byref(self._raw)), b"out of memory")
        if plan_file is not None:
            self._add("avd_plan_load", _ffi.path_bytes(plan_file))

    def _add(self: _S, function: str, *arguments: Any) -> _S:
        with self._using() as plan:
            check(getattr(lib, function)(plan, *arguments), lib.avd_plan_error(plan))
        return self

    def kernel(self: _S, kernel: PathLike, name: Optional[str] = None) -> _S:
        """A path; or a release or its beginning ("7.3"), for the newest such kernel that was
        fetched or installed; or "default". `name` stands in the cells' ids."""
        return self._add("avd_plan_add_kernel", _ffi.path_bytes(name), _ffi.path_bytes(kernel))

    def scheduler(self: _S, argv: Union[str, Iterable[PathLike]], name: Optional[str] = None,
                  expect: Optional[str] = None) -> _S:
        """An argv, or a line as a shell splits it. `expect`: as in ``expect()``, for the cells of
        this scheduler, which needs a name then."""
        if expect is not None and name is None:
            raise ValueError("a scheduler with an expectation needs a name")
        array, count = _argv(argv)
        self._add("avd_plan_add_scheduler", _ffi.path_bytes(name), array, count)
        return self if expect is None else self.expect(f"scheduler={name}", expect)

    def topology(self: _S, topology: Any) -> _S:
        """A number, a text ("2n4l4c2t", a preset's name) or a ``Topology``."""
        return self._add("avd_plan_add_topology", _ffi.text_bytes(str(topology)))

    def payload(self: _S, argv: Union[str, Iterable[PathLike]],
                name: Optional[str] = None) -> _S:
        """A command to run in the guest after the attach, as in ``scheduler()``."""
        array, count = _argv(argv)
        return self._add("avd_plan_add_payload", _ffi.path_bytes(name), array, count)

    def only(self: _S, match: str) -> _S:
        """Keeps the cells that match one of these: AXIS=PATTERN, several joined by commas, all of
        which must match. AXIS is kernel, scheduler, topology, payload or id; PATTERN is for the
        name, as in a shell: ``only("kernel=7.*,scheduler=scx_*")``."""
        return self._add("avd_plan_add_rule", _INCLUDE, _ffi.text_bytes(match), None)

    def skip(self: _S, match: str) -> _S:
        """Drops the cells that match, as in ``only()``."""
        return self._add("avd_plan_add_rule", _EXCLUDE, _ffi.text_bytes(match), None)

    def expect(self: _S, match: str, what: str) -> _S:
        """What the cells that match must come to; the last one that matches a cell counts.
        `what`: "passed" (as without a rule), "failed" (a verdict other than UNCONFIRMED), an
        outcome ("DIED"), or an outcome and a reason code ("DIED/verifier-rejected",
        "ATTACHED/ejected")."""
        return self._add("avd_plan_add_rule", _EXPECT, _ffi.text_bytes(match),
                         _ffi.text_bytes(what))

    def set(self: _S, name: str, value: Union[str, PathLike]) -> _S:
        """A setting of all cells: an option of ``attachverdict run`` by its name without dashes
        and in its form: ``set("memory", "512M").set("timeout", "90s")``."""
        return self._add("avd_plan_set", _ffi.text_bytes(name), _ffi.path_bytes(value))

    def _finish(self) -> None:
        if not self._finished:
            interruptible(lambda: self._add("avd_plan_finish"))  # reads kernels and programs
            self._finished = True

    @property
    def ids(self) -> List[str]:
        """The ids of the plan's cells, in their order."""
        self._finish()
        plan, cell = self._live(), _structs.PlanCell()
        found = []
        for index in range(lib.avd_plan_count(plan)):
            check(lib.avd_plan_get(plan, index, byref(cell)), b"no such cell")
            found.append(_ffi.text(cell.id))
        return found

    def close(self) -> None:
        """Closes its runs, too."""
        for running in list(self._runs):
            running.close()
        super().close()

    def start(self, directory: PathLike, *, jobs: int = 0, fail_fast: bool = False,
              rerun_failed: bool = False, cells: Optional[range] = None, shard: int = 0,
              shards: int = 0, on_result: Optional[OnResult] = None,
              on_progress: Optional[OnProgress] = None) -> "SweepRun":
        """A run for a loop of one's own; arguments as for ``run()``."""
        self._finish()
        return SweepRun(self, directory, jobs, _flags(fail_fast, rerun_failed), cells,
                        (shard, shards), on_result, on_progress)

    def prepare(self, directory: PathLike) -> Results:
        """Makes the directory, with the plan in it, and runs nothing: what ``mark()`` needs, and
        ``merge()`` for cells that nobody ran."""
        self._finish()
        with SweepRun(self, directory, 0, _NO_CELLS, None, (0, 0), None, None) as running:
            running.wait()
        return Results(directory)

    def run(self, directory: PathLike, **options: Any) -> Results:
        """Runs the cells that have no result in `directory` yet, and blocks; other threads run
        meanwhile. What has ended is on the disk: a sweep that was interrupted goes on where it
        was when it is run again. Ctrl-C ends the machines, keeps what is done, and is raised.

        `jobs`: most cells at a time [as many as CPUs and memory allow]; `fail_fast`: after a cell
        that is not as expected start none more; `rerun_failed`: run again what is there but not
        as expected; `cells`: a range of places in the plan; `shard`, `shards`: of these every
        `shards`-th, from number `shard` on (1 to `shards`). `on_result` is called with each
        ``CellResult`` that comes, `on_progress` with a ``Progress`` whenever it changes; what
        they raise ends the sweep like Ctrl-C.
        """
        with self.start(directory, **options) as running:
            running.wait()
        return Results(directory)


class SweepRun(Handle):
    """A run of a sweep: ``fileno()`` polls readable when ``step()`` has work. Made by
    ``Sweep.start()``, of whose plan it holds on."""

    _what = "run of the sweep"
    _free = "avd_sweep_free"
    _cancel = "avd_sweep_cancel"

    def __init__(self, sweep: Sweep, directory: PathLike, jobs: int, flags: int,
                 cells: Optional[range], shard: Tuple[int, int],
                 on_result: Optional[OnResult], on_progress: Optional[OnProgress]) -> None:
        super().__init__()
        self.directory = os.fspath(directory)
        self._on_result = on_result
        self._on_progress = on_progress
        self._told: Optional[Progress] = None
        first, count = cell_range(cells)
        results: List[CellResult] = []
        self._results = results

        def on_cell(_user: Any, _index: int, result: Any) -> None:
            if result and on_result:
                results.append(CellResult._of(result.contents))

        raw = _structs.SweepOptions(
            size=ctypes.sizeof(_structs.SweepOptions), dir=_ffi.path_bytes(directory),
            jobs=_ffi.number("jobs", jobs), flags=flags, first=first, count=count,
            shard=_ffi.number("shard", shard[0]), shards=_ffi.number("shards", shard[1]),
            on_cell=self._callbacks.wrap(_structs.OnCellFn, on_cell),
            log=self._callbacks.logger())
        error = _ffi.error_buffer()
        with sweep._using() as plan:
            check(lib.avd_sweep_new(plan, byref(raw), byref(self._raw), error, len(error)),
                  error.value)
        self._sweep = sweep  # whose plan must outlive this
        sweep._runs.add(self)

    def fileno(self) -> int:
        """Polls readable when ``step()`` has work; for select, poll and selectors."""
        return int(lib.avd_sweep_fd(self._live()))

    def step(self) -> bool:
        """Starts cells and takes the results of those that have ended, and calls back. Whether
        any still run."""
        with self._using() as sweep:
            code: int = self._callbacks.call(lib.avd_sweep_step, sweep)
            check(code, lib.avd_sweep_error(sweep))
        while self._results:
            result = self._results.pop(0)
            if self._on_result:
                self._on_result(result)
        now = self.progress
        if self._on_progress and now != self._told:
            self._told = now
            self._on_progress(now)
        return code > 0

    def wait(self) -> None:
        """Steps until the end. Whatever is raised meanwhile, by Ctrl-C or by a callback, first
        ends the machines and closes this run; what is done is kept."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        try:
            while self.step():
                poll.poll()  # where Python handles signals
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        """Cancelled, it still writes its index."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        self._on_result = self._on_progress = None
        try:
            self.cancel()
            while self.step():
                poll.poll()
        finally:
            self.close()

    def cancel(self) -> None:
        """Ends it: running cells are stopped, without results. From any thread, a signal's
        handler or a callback."""
        self._do_cancel()

    @property
    def progress(self) -> Progress:
        """As of the last step."""
        raw = _structs.Progress(size=ctypes.sizeof(_structs.Progress))
        check(lib.avd_sweep_progress(self._live(), byref(raw)), b"no progress")
        return Progress(cells=raw.cells, done=raw.done, running=raw.running, met=raw.met,
                        unmet=raw.unmet, kept=raw.kept)


def _flags(fail_fast: bool, rerun_failed: bool) -> int:
    return (_FAIL_FAST if fail_fast else 0) | (_RERUN_FAILED if rerun_failed else 0)


def _argv(argv: Union[str, Iterable[PathLike]]) -> Tuple[Any, int]:
    return _ffi.words(shlex.split(argv) if isinstance(argv, str) else argv)
