# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Bytes in, verdict out; recordings."""

import ctypes
import functools
import json
import os
import threading
from ctypes import byref, c_void_p
from typing import Any, BinaryIO, Callable, List, Optional, TypeVar, Union

from . import _ffi, _structs
from ._ffi import check, lib
from ._handle import Handle
from ._messages import Event, end_message, event_callback
from ._values import Verdict

NONCE_SIZE = 16  # AVD_NONCE_SIZE
_RECORDING = 1  # AVD_STREAM_RECORDING
# Fed at a time: long enough to be quick, short enough for signals to be handled between.
_SLICE = 256 * 1024

_T = TypeVar("_T")


def stream_verdict(stream: Any) -> Verdict:
    """Verdict and report of an avd_stream."""
    raw = _structs.Verdict()
    check(lib.avd_stream_verdict(stream, byref(raw)), b"no verdict")
    return Verdict._of(raw, report=json.loads(_ffi.take_text(lib.avd_report_json, stream, 0)),
                       report_text=_ffi.take_text(lib.avd_report_text, stream, 0))


class Stream(Handle):
    """Bytes of a channel or a recording in, verdict out.

    With the `nonce` (16 bytes) that a guest was given it takes what that guest wrote; without,
    a recording. `on_event` is called with an ``Event`` for each frame as it is fed; what it
    raises comes out of ``feed()`` or ``finish()``, and the bytes of that call are then judged in
    part, so nothing but closing the stream is of use.

    >>> with Stream() as stream:
    ...     stream.read_from(open("recording.avd", "rb"))
    ...     stream.finish()
    ...     print(stream.verdict)
    """

    _what = "stream"
    _free = "avd_stream_free"

    def __init__(self, nonce: Optional[bytes] = None,
                 on_event: Optional[Callable[[Event], None]] = None) -> None:
        super().__init__()
        raw = _structs.StreamOptions(size=ctypes.sizeof(_structs.StreamOptions),
                                     log=self._callbacks.logger())
        if nonce is None:
            raw.flags = _RECORDING
        elif len(nonce) != NONCE_SIZE:
            raise ValueError(f"a nonce has {NONCE_SIZE} bytes, not {len(nonce)}")
        else:
            kept = ctypes.create_string_buffer(nonce, len(nonce))
            raw.nonce = ctypes.cast(kept, c_void_p)
            raw.nonce_size = len(nonce)
        if on_event:
            raw.on_event = self._callbacks.wrap(_structs.EventFn, event_callback(on_event))
        check(lib.avd_stream_new(byref(raw), byref(self._raw)), b"bad options for a stream")

    def feed(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Takes all bytes. Bad content is never an error: it is what the verdict judges."""
        view = memoryview(data).cast("B")
        for at in range(0, len(view), _SLICE):
            self._feed(bytes(view[at:at + _SLICE]))
        if not view:
            self._feed(b"")

    def _feed(self, data: bytes) -> None:
        with self._using() as stream:
            check(self._callbacks.call(lib.avd_stream_feed, stream, data, len(data)),
                  b"the stream takes no more: it was finished, or memory ran out")

    def read_from(self, source: Union[int, BinaryIO, Any]) -> int:
        """Feeds all that comes from `source` until its end: a file descriptor, a file opened for
        reading bytes, or a socket. Returns how many bytes came. It does not close the source,
        and does not ``finish()``."""
        if isinstance(source, int):
            read: Any = functools.partial(os.read, source)
        elif hasattr(source, "recv"):
            read = source.recv
        else:
            read = getattr(source, "read1", source.read)
        total = 0
        while True:
            data = read(_SLICE)
            if isinstance(data, str):
                raise TypeError("the file is open for text; a stream takes bytes")
            if data is None:
                raise BlockingIOError("the source is not blocking, and has no bytes now")
            if not data:
                return total
            self.feed(data)
            total += len(data)

    def finish(self) -> None:
        """The stream has ended; that can be said more than once."""
        with self._using() as stream:
            self._callbacks.call(lib.avd_stream_finish, stream)

    def end(self, cause: str) -> None:
        """Finishes a guest's bytes by who ran the machine and knows how it ended: "guest-reset",
        "guest-shutdown", "triple-fault", "watchdog", "vcpu-error", "host-stop", "spawn-error",
        "machine-killed". It explains a missing verdict; only after the first two can it pass."""
        message = end_message(cause)
        with self._using() as stream:
            code = self._callbacks.call(lib.avd_stream_end, stream, byref(message))
            check(code, b"only a guest's bytes that were not finished take an end cause; "
                        b"a recording has its own")

    @property
    def verdict(self) -> Verdict:
        """As of now: before ``finish()`` it never passes."""
        return stream_verdict(self._live())

    @classmethod
    def _read(cls, opened: Callable[[c_void_p], None]) -> "Stream":
        """A finished stream that `opened` puts into the place it is given."""
        stream = cls.__new__(cls)
        Handle.__init__(stream)
        interruptible(lambda: opened(stream._raw))
        return stream


def interruptible(work: Callable[[], _T]) -> _T:
    """Runs what blocks in C in a thread, so that this one answers to signals meanwhile. What was
    begun goes on to its end then; the interpreter waits for it."""
    if threading.current_thread() is not threading.main_thread():
        return work()  # signals don't come here
    found: List[_T] = []
    failed: List[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:  # pylint: disable=broad-except
            failed.append(error)

    thread = threading.Thread(target=run, name="attachverdict")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def open_recording(path: _ffi.PathLike) -> Stream:
    """The recording at `path` as a finished stream; close it, or use ``with``."""
    def opened(out: c_void_p) -> None:
        error = _ffi.error_buffer()
        check(lib.avd_recording_read(_ffi.path_bytes(path), byref(out), error, len(error)),
              error.value)
    return Stream._read(opened)


def replay(path: _ffi.PathLike) -> Verdict:
    """The verdict of a recording, from the file alone."""
    with open_recording(path) as stream:
        return stream.verdict
