# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""One cell: one kernel, one scheduler, one verdict."""

import ctypes
import select
from ctypes import byref
from typing import Any, Callable, Dict, Iterable, Optional, Union

from . import _ffi, _structs
from ._ffi import AttachVerdictError, PathLike, check, lib
from ._handle import Handle
from ._messages import Event, event_callback
from ._stream import stream_verdict
from ._values import Verdict

Argv = Union[PathLike, Iterable[PathLike]]

_WORDS: Dict[str, Dict[str, int]] = {
    "machine": {"auto": 0, "qemu": 1, "kvm": 2},
    "dispatch": {"quick": 0, "off": 1, "full": 2},
    "carrier": {"auto": 0, "serial": 1, "window": 2},
    "sandbox": {"auto": 0, "off": 1},
    "verifier_log": {"failure": 0, "branches": 1, "all": 2, "stats": 4},
}
_COUNTS = {"scheduler": "scheduler_count", "payload": "payload_count",
           "includes": "include_count"}


def word(name: str, value: str) -> int:
    """The number of an option's word."""
    try:
        return _WORDS[name][value]
    except KeyError:
        raise ValueError(f"{name}={value!r} is none of {', '.join(_WORDS[name])}") from None


class Cell(Handle):
    """A cell whose loop the caller may own: ``fileno()`` polls readable when ``step()`` has work.

    `scheduler` is a path or an argv; a program, a ``.bpf.o``, or ``guest:/PATH``. Options are
    those of ``struct avd_cell_options`` (attachverdict/cell.h), by their names there; None or 0
    is the default: `kernel` is the newest that was fetched, `topology` "2", `memory_bytes` 1 GiB.
    `topology` may be a number, a text ("2n4l4c2t") or a ``Topology``. `machine` is "auto",
    "qemu" or "kvm"; `dispatch` "quick", "full" or "off"; `carrier` "auto", "serial" or "window";
    `sandbox` "auto" or "off"; `verifier_log` "failure", "branches", "all" or "stats".

    `on_console` is called with bytes, `on_event` with an ``Event``, both in the thread that runs
    or steps the cell. What they raise ends the cell and comes out of that call. They may cancel
    the cell and look at its verdict, but not step or close it.

    Wrong options raise ``TypeError`` or ``ValueError``, what can't be tried
    ``AttachVerdictError``. One thread at a time may use a cell; ``cancel()`` is for any.
    """

    _what = "cell"
    _free = "avd_cell_free"
    _cancel = "avd_cell_cancel"

    def __init__(self, scheduler: Argv, *, kernel: Optional[PathLike] = None,
                 payload: Optional[Argv] = None, includes: Optional[Argv] = None,
                 topology: Any = None, cache_dir: Optional[PathLike] = None,
                 record_path: Optional[PathLike] = None, keep_dir: Optional[PathLike] = None,
                 qemu: Optional[PathLike] = None, kernel_args: Optional[str] = None,
                 memory_bytes: Optional[int] = None, timeout_ms: Optional[int] = None,
                 boot_timeout_ms: Optional[int] = None, silence_timeout_ms: Optional[int] = None,
                 idle_timeout_ms: Optional[int] = None, settle_ms: Optional[int] = None,
                 budget_cpu_ms: Optional[int] = None, budget_wall_ms: Optional[int] = None,
                 payload_timeout_ms: Optional[int] = None, log_limit: Optional[int] = None,
                 channel_limit: Optional[int] = None, dispatch_timeout_ms: Optional[int] = None,
                 machine: Optional[str] = None, dispatch: Optional[str] = None,
                 carrier: Optional[str] = None, sandbox: Optional[str] = None,
                 no_verifier_stats: bool = False, verifier_log: Optional[str] = None,
                 on_console: Optional[Callable[[bytes], Any]] = None,
                 on_event: Optional[Callable[[Event], Any]] = None) -> None:
        options = {name: value for name, value in locals().items()
                   if name not in ("self", "__class__", "on_console", "on_event")}
        super().__init__()
        raw = _structs.CellOptions(size=ctypes.sizeof(_structs.CellOptions),
                                   log=self._callbacks.logger())
        kept = [_set(raw, name, value) for name, value in options.items() if value is not None]
        if on_console:
            take = on_console  # not None, for the type checker
            raw.on_console = self._callbacks.wrap(
                _structs.ConsoleFn,
                lambda _user, data, size: take(ctypes.string_at(data, size)))
        if on_event:
            raw.on_event = self._callbacks.wrap(_structs.EventFn, event_callback(on_event))
        error = _ffi.error_buffer()
        check(lib.avd_cell_new(byref(raw), byref(self._raw), error, len(error)), error.value)
        del kept  # the library has copied what they point to

    def _call(self, function: str) -> int:
        """A cell that ended has its verdict even if its recording could not be written."""
        with self._using() as cell:
            code: int = self._callbacks.call(getattr(lib, function), cell)
            return check(code, lib.avd_cell_error(cell) if code < 0 else None)

    def start(self) -> None:
        """Reads the kernel, builds the initramfs, starts the machine: below a second or two."""
        self._call("avd_cell_start")

    def fileno(self) -> int:
        """Polls readable when ``step()`` has work; for select, poll and selectors."""
        found: int = lib.avd_cell_fd(self._live())
        if found < 0:
            raise ValueError("the cell was not started")
        return found

    def step(self) -> bool:
        """Does what can be done without blocking. Whether it still runs."""
        return self._call("avd_cell_step") > 0

    def run(self) -> Verdict:
        """Starts, if need be, and blocks until the end; other threads run meanwhile. Ctrl-C, or
        whatever else is raised, ends the machine and closes the cell."""
        try:
            with self._using() as cell:
                state = lib.avd_cell_state(cell)
            if state == 0:  # AVD_CELL_NEW
                self.start()
            poll = select.poll()
            poll.register(self.fileno(), select.POLLIN)
            while self.step():
                poll.poll()  # where Python handles signals
            return self.verdict
        except AttachVerdictError:
            raise  # it has ended, perhaps with a verdict
        except BaseException:
            self.close()
            raise

    def cancel(self) -> None:
        """Asks the cell to end, with the end cause "host-stop". From any thread, a signal's
        handler or a callback."""
        self._do_cancel()

    @property
    def verdict(self) -> Verdict:
        """As of now; of a cell that runs it never passes."""
        stream = lib.avd_cell_stream(self._live())
        if not stream:
            raise ValueError("the cell was not started")
        return stream_verdict(stream)


def _set(raw: _structs.CellOptions, name: str, value: Any) -> Any:
    """Returns what must be kept as long as `raw`."""
    if name in _COUNTS:
        one = isinstance(value, (str, bytes)) or hasattr(value, "__fspath__")
        array, count = _ffi.words([value] if one else value)
        setattr(raw, name, array)
        setattr(raw, _COUNTS[name], count)
        return array
    if name in _WORDS:
        value = word(name, value)
    elif name == "topology":
        value = _ffi.text_bytes(str(value))
    elif isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        value = _ffi.path_bytes(value)
    elif isinstance(value, int):
        _ffi.number(name, value, 8 * getattr(_structs.CellOptions, name).size)
    try:
        setattr(raw, name, value)
    except TypeError as error:
        raise TypeError(f"{name}={value!r}: {error}") from None
    return value


def run(scheduler: Argv, **options: Any) -> Verdict:
    """Boots a kernel, starts the scheduler in it, gives the verdict.

    `scheduler` is a path or an argv; options are those of ``Cell``. Ctrl-C ends the machine at
    once. What can't be tried raises ``AttachVerdictError``; a verdict, however bad, is returned.
    """
    with Cell(scheduler, **options) as cell:
        return cell.run()
