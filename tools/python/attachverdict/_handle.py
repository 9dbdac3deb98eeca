# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What all handles of the library share: who owns them, who may call, what callbacks raise."""

import contextlib
import logging
import os
import sys
import threading
import weakref
from ctypes import c_void_p
from typing import Any, Callable, Iterator, List, Optional, Type, TypeVar

from . import _ffi
from ._structs import LogFn

log = logging.getLogger("attachverdict")
_LEVELS = {0: logging.ERROR, 1: logging.WARNING, 2: logging.INFO, 3: logging.DEBUG}
_T = TypeVar("_T")
_H = TypeVar("_H", bound="Handle")


class Callbacks:
    """The callables that C calls. What one of them raises is kept, the work is cancelled, and the
    call into the library that it happened in raises it when it returns."""

    def __init__(self) -> None:
        self.cancel: Callable[[], Any] = lambda: None
        self._error: Optional[BaseException] = None
        self._kept: List[Any] = []  # ctypes needs them alive as long as C may call them

    def wrap(self, kind: Any, function: Callable[..., Any]) -> Any:
        """`function` as C can call it."""
        def call(*arguments: Any) -> int:
            try:
                if self._error is None:
                    function(*arguments)
            except BaseException as error:  # pylint: disable=broad-except
                self._fail(error)
            return 0  # go on, where C asks for that

        self._kept.append(kind(call))
        return self._kept[-1]

    def logger(self) -> Any:
        """The library's own words go to the logger."""
        return self.wrap(LogFn, lambda _user, level, line: log.log(
            _LEVELS.get(level, logging.DEBUG), "%s", _ffi.text(line)))

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
            self.cancel()

    def call(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Calls into the library."""
        with self._signals_too():
            found = function(*arguments)
        error, self._error = self._error, None
        if error is not None:
            raise error
        return found

    @contextlib.contextmanager
    def _signals_too(self) -> Iterator[None]:
        """A signal's handler runs in the main thread, as soon as Python code does. If that is the
        beginning of a callback, before its `try`, ctypes hands what the handler raises (such as
        KeyboardInterrupt) to sys.unraisablehook, where it would be lost."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = sys.unraisablehook

        def hook(args: Any) -> None:
            if (threading.current_thread() is threading.main_thread() and args.exc_value
                    and "ctypes callback" in (args.err_msg or "")):
                self._fail(args.exc_value)
            else:
                before(args)

        sys.unraisablehook = hook
        try:
            yield
        finally:
            if sys.unraisablehook is hook:
                sys.unraisablehook = before


class Raw(c_void_p):
    """What the library calls a handle."""

    user: Optional[int] = None
    """The thread that is in a call with it."""


def _release(free: str, cancel: str, raw: Raw, owner: int) -> None:
    """Not in a child process that inherited the handle: the machines are its parent's. If the
    interpreter ends while a daemon thread is in a call, the process takes the rest with it."""
    if not raw or os.getpid() != owner:
        return
    if raw.user not in (None, threading.get_ident()):
        if cancel:
            getattr(_ffi.lib, cancel)(raw)
        return
    value, raw.value = raw.value, None
    getattr(_ffi.lib, free)(c_void_p(value))


class Handle:
    """A handle of the library: freed by close(), at the end of a ``with``, when nobody refers to
    it any more, or when the interpreter ends."""

    _what = "handle"
    _free = ""  # names of functions
    _cancel = ""

    def __init__(self) -> None:
        raw = self._raw = Raw()
        self._callbacks = Callbacks()
        if self._cancel:  # without a reference to this object, which would hold itself
            name = self._cancel
            self._callbacks.cancel = lambda: raw and getattr(_ffi.lib, name)(raw)
        self._guard = threading.RLock()  # a signal's handler may cancel, too
        # Before there is something to free, so that nothing can come between.
        self._finalizer = weakref.finalize(self, _release, self._free, self._cancel, raw,
                                           os.getpid())

    def _live(self) -> Raw:
        if not self._raw:
            raise ValueError(f"the {self._what} is closed")
        if self._raw.user not in (None, threading.get_ident()):
            raise RuntimeError(f"the {self._what} is in use by another thread")
        return self._raw

    @contextlib.contextmanager
    def _using(self) -> Iterator[Raw]:
        """One call at a time: neither from two threads nor from a callback."""
        mine = False
        try:
            with self._guard:
                raw = self._live()
                if raw.user is not None:
                    raise RuntimeError(f"the {self._what} can't be used from its own callback")
                mine = True
                raw.user = threading.get_ident()
            yield raw
        finally:
            if mine:
                raw.user = None

    def _do_cancel(self) -> None:
        with self._guard:  # so that nobody frees it meanwhile
            if not self._raw:
                raise ValueError(f"the {self._what} is closed")
            self._callbacks.cancel()

    def close(self) -> None:
        """Stops what runs and releases everything. More often than once is no error."""
        with self._guard:
            if not self._raw:
                return
            self._live()
            if self._raw.user is not None:
                raise RuntimeError(f"the {self._what} can't be closed from its own callback")
            self._raw = Raw()  # the finalizer has the one that counts
        self._callbacks.call(self._finalizer)

    def __enter__(self: _H) -> _H:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:  # else what is under way says more
                raise
