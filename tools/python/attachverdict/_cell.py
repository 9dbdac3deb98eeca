# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""One cell: one kernel, one scheduler, one verdict."""

import ctypes
import json
import logging
from ctypes import byref, c_void_p
from typing import Optional

from . import _ffi
from ._ffi import lib, text
from ._values import AttachVerdictError, Verdict, check

log = logging.getLogger("attachverdict")
_LEVELS = {0: logging.ERROR, 1: logging.WARNING, 2: logging.INFO, 3: logging.DEBUG}
_WORDS = {
    "machine": ("auto", "qemu", "kvm"),
    "dispatch": ("quick", "off", "full"),
    "carrier": ("auto", "serial", "window"),
    "sandbox": ("auto", "off"),
}
_LISTS = {"scheduler": "scheduler_count", "payload": "payload_count",
          "includes": "include_count"}
_CALLER_SETS = frozenset(name for name, _ in _ffi.CellOptions._fields_) - {
    "size", "on_event", "log", "userdata", *_LISTS.values()}


@_ffi.LogFn
def _on_log(_userdata, level, line):
    log.log(_LEVELS.get(level, logging.DEBUG), "%s", text(line))


def _word(name, value):
    try:
        return _WORDS[name].index(value)
    except ValueError:
        raise ValueError(f"{name}={value!r} is none of {', '.join(_WORDS[name])}") from None


def _stream_verdict(stream) -> Verdict:
    raw = _ffi.Verdict()
    check(lib.avd_stream_verdict(stream, byref(raw)), b"")
    return Verdict._of(raw, report=json.loads(_ffi.take_text(lib.avd_report_json, stream)),
                       report_text=_ffi.take_text(lib.avd_report_text, stream))


class Cell:
    """A cell whose loop the caller may own: ``fileno()`` polls readable when ``step()`` has work.

    Options are those of ``struct avd_cell_options``, by their C names (``kernel``, ``topology``,
    ``payload``, ``includes``, ``memory_bytes``, ``timeout_ms``, ...); ``machine``, ``dispatch``,
    ``carrier`` and ``sandbox`` are words. ``on_console`` is called with bytes. Wrong ones raise
    ``TypeError`` or ``ValueError``, what can't be tried ``AttachVerdictError``.
    """

    def __init__(self, scheduler, **options):
        self._handle = None
        self._kept = []  # what the C struct points to
        raw = _ffi.CellOptions(size=ctypes.sizeof(_ffi.CellOptions), log=_on_log)
        for name, value in {"scheduler": scheduler, **options}.items():
            if name not in _CALLER_SETS:
                raise TypeError(f"a cell has no option {name!r}")
            if value is not None:
                self._set(raw, name, value)
        handle, error = c_void_p(), ctypes.create_string_buffer(_ffi.TEXT_MAX)
        check(lib.avd_cell_new(byref(raw), byref(handle), error, len(error)), error.value)
        self._handle = handle

    def _set(self, raw, name, value):
        if name in _LISTS:
            array, count = _ffi.words([value] if isinstance(value, (str, bytes)) else value)
            self._kept.append(array)
            setattr(raw, name, array)
            setattr(raw, _LISTS[name], count)
        elif name in _WORDS and isinstance(value, str):
            setattr(raw, name, _word(name, value))
        elif name == "on_console":
            call = _ffi.ConsoleFn(lambda _user, data, size: value(ctypes.string_at(data, size)))
            self._kept.append(call)
            raw.on_console = call
        elif dict(_ffi.CellOptions._fields_)[name] is ctypes.c_char_p:
            setattr(raw, name, _ffi.path_bytes(value))
        else:
            setattr(raw, name, value)

    def _live(self):
        if self._handle is None:
            raise ValueError("the cell is closed")
        return self._handle

    def _check(self, code):
        """A cell that ended has its verdict even if its recording could not be written."""
        return check(code, lib.avd_cell_error(self._live()) if code < 0 else b"")

    def start(self) -> None:
        self._check(lib.avd_cell_start(self._live()))

    def fileno(self) -> int:
        return lib.avd_cell_fd(self._live())

    def step(self) -> bool:
        """Whether it still runs."""
        return self._check(lib.avd_cell_step(self._live())) > 0

    def run(self) -> Verdict:
        """Blocks until the end; other threads run meanwhile."""
        self._check(lib.avd_cell_run(self._live()))
        return self.verdict

    def cancel(self) -> None:
        """From any thread."""
        lib.avd_cell_cancel(self._live())

    @property
    def verdict(self) -> Verdict:
        stream = lib.avd_cell_stream(self._live())
        if not stream:
            raise ValueError("the cell was not started")
        return _stream_verdict(stream)

    def close(self) -> None:
        if self._handle is not None:
            lib.avd_cell_free(self._handle)
            self._handle = None

    def __enter__(self) -> "Cell":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self):
        self.close()


class Stream:
    """Bytes of a channel or a recording in, verdict out.

    With a nonce of 16 bytes it takes what one guest wrote; without, a recording.
    """

    def __init__(self, nonce: Optional[bytes] = None):
        self._handle = None
        raw = _ffi.StreamOptions(size=ctypes.sizeof(_ffi.StreamOptions), log=_on_log)
        if nonce is None:
            raw.flags = 1  # AVD_STREAM_RECORDING
        else:
            kept = ctypes.create_string_buffer(nonce, len(nonce))
            raw.nonce = ctypes.cast(kept, c_void_p)
            raw.nonce_size = len(nonce)
        handle = c_void_p()
        check(lib.avd_stream_new(byref(raw), byref(handle)), b"bad options for a stream")
        self._handle = handle

    def _live(self):
        if self._handle is None:
            raise ValueError("the stream is closed")
        return self._handle

    def feed(self, data: bytes) -> None:
        check(lib.avd_stream_feed(self._live(), bytes(data), len(data)),
              b"the stream takes no more")

    def finish(self) -> None:
        lib.avd_stream_finish(self._live())

    @property
    def verdict(self) -> Verdict:
        return _stream_verdict(self._live())

    def close(self) -> None:
        if self._handle is not None:
            lib.avd_stream_free(self._handle)
            self._handle = None

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self):
        self.close()


def run(scheduler, **options) -> Verdict:
    """Boots a kernel, starts the scheduler in it, gives the verdict. ``scheduler`` is a path or
    an argv; options as in ``Cell``. Ctrl-C ends the cell, after its machine has stopped."""
    with Cell(scheduler, **options) as cell:
        return _run_interruptible(cell)


def _run_interruptible(cell: Cell) -> Verdict:
    """In steps, so that Python's signal handlers get their turn."""
    import select
    cell.start()
    poll = select.poll()
    poll.register(cell.fileno(), select.POLLIN)
    while cell.step():
        poll.poll()
    return cell.verdict


def replay(path) -> Verdict:
    """The verdict of a recording, from the file alone."""
    handle, error = c_void_p(), ctypes.create_string_buffer(_ffi.TEXT_MAX)
    check(lib.avd_recording_read(_ffi.path_bytes(path), byref(handle), error, len(error)),
          error.value)
    try:
        return _stream_verdict(handle)
    finally:
        lib.avd_stream_free(handle)


__all__ = ["AttachVerdictError", "Cell", "Stream", "replay", "run"]
