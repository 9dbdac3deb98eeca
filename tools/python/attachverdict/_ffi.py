# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The library, loaded when it is first needed: importing the package works without it.

Calls into the library release the GIL; callbacks from it take it again.
"""

import ctypes
import errno
import glob
import os
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Iterable, List, Optional, Tuple, Union

from . import _structs as s

SONAME = "libattachverdict.so.0"
VARIABLE = "ATTACHVERDICT_LIBRARY"
PathLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

_OUT = POINTER(c_void_p)
_TEXT_OUT = (POINTER(c_void_p), POINTER(c_size_t))
_ERROR = (c_char_p, c_size_t)
_FUNCTIONS = {  # name: (result, arguments)
    "avd_version": (c_char_p, ()),
    "avd_free": (None, (c_void_p,)),
    "avd_reason_code_name": (c_char_p, (c_uint32,)),
    "avd_reason_code_explain": (c_char_p, (c_uint32,)),
    "avd_reason_code_hint": (c_char_p, (c_uint32,)),
    "avd_end_cause_name": (c_char_p, (c_uint32,)),
    "avd_message_kind_name": (c_char_p, (c_uint32,)),
    "avd_phase_name": (c_char_p, (c_uint32,)),
    "avd_log_stream_name": (c_char_p, (c_uint32,)),
    "avd_strv_next": (c_int, (c_void_p, c_void_p)),
    "avd_cell_new": (c_int, (POINTER(s.CellOptions), _OUT, *_ERROR)),
    "avd_cell_free": (None, (c_void_p,)),
    "avd_cell_start": (c_int, (c_void_p,)),
    "avd_cell_fd": (c_int, (c_void_p,)),
    "avd_cell_step": (c_int, (c_void_p,)),
    "avd_cell_cancel": (None, (c_void_p,)),
    "avd_cell_state": (c_uint32, (c_void_p,)),
    "avd_cell_error": (c_char_p, (c_void_p,)),
    "avd_cell_stream": (c_void_p, (c_void_p,)),
    "avd_stream_new": (c_int, (POINTER(s.StreamOptions), _OUT)),
    "avd_stream_free": (None, (c_void_p,)),
    "avd_stream_feed": (c_int, (c_void_p, c_char_p, c_size_t)),
    "avd_stream_finish": (c_int, (c_void_p,)),
    "avd_stream_end": (c_int, (c_void_p, c_void_p)),
    "avd_stream_verdict": (c_int, (c_void_p, POINTER(s.Verdict))),
    "avd_report_text": (c_int, (c_void_p, c_uint32, *_TEXT_OUT)),
    "avd_report_json": (c_int, (c_void_p, c_uint32, *_TEXT_OUT)),
    "avd_recording_read": (c_int, (c_char_p, _OUT, *_ERROR)),
    "avd_plan_new": (c_int, (_OUT,)),
    "avd_plan_free": (None, (c_void_p,)),
    "avd_plan_error": (c_char_p, (c_void_p,)),
    "avd_plan_load": (c_int, (c_void_p, c_char_p)),
    "avd_plan_add_kernel": (c_int, (c_void_p, c_char_p, c_char_p)),
    "avd_plan_add_scheduler": (c_int, (c_void_p, c_char_p, POINTER(c_char_p), c_size_t)),
    "avd_plan_add_topology": (c_int, (c_void_p, c_char_p)),
    "avd_plan_add_payload": (c_int, (c_void_p, c_char_p, POINTER(c_char_p), c_size_t)),
    "avd_plan_add_rule": (c_int, (c_void_p, c_uint32, c_char_p, c_char_p)),
    "avd_plan_set": (c_int, (c_void_p, c_char_p, c_char_p)),
    "avd_plan_finish": (c_int, (c_void_p,)),
    "avd_plan_count": (c_size_t, (c_void_p,)),
    "avd_plan_get": (c_int, (c_void_p, c_size_t, POINTER(s.PlanCell))),
    "avd_plan_digest": (c_uint64, (c_void_p,)),
    "avd_expectation_print": (c_int, (POINTER(s.Expectation), c_char_p, c_size_t)),
    "avd_results_open": (c_int, (c_char_p, _OUT, *_ERROR)),
    "avd_results_free": (None, (c_void_p,)),
    "avd_results_count": (c_int, (c_void_p, POINTER(s.ResultsCounts))),
    "avd_results_get": (c_int, (c_void_p, c_size_t, POINTER(s.CellResult))),
    "avd_results_find": (c_int, (c_void_p, c_char_p, POINTER(c_size_t))),
    "avd_results_print": (c_int, (c_void_p, c_uint32, POINTER(s.PrintOptions), *_TEXT_OUT)),
    "avd_results_write": (c_int, (c_void_p, c_uint32, POINTER(s.PrintOptions), c_char_p,
                                  *_ERROR)),
    "avd_results_recording": (c_int, (c_void_p, c_size_t, _OUT, *_ERROR)),
    "avd_results_mark": (c_int, (c_char_p, POINTER(s.MarkOptions), POINTER(c_size_t), *_ERROR)),
    "avd_results_merge": (c_int, (POINTER(c_char_p), c_size_t, c_char_p, c_uint32, *_ERROR)),
    "avd_sweep_new": (c_int, (c_void_p, POINTER(s.SweepOptions), _OUT, *_ERROR)),
    "avd_sweep_free": (None, (c_void_p,)),
    "avd_sweep_fd": (c_int, (c_void_p,)),
    "avd_sweep_step": (c_int, (c_void_p,)),
    "avd_sweep_cancel": (None, (c_void_p,)),
    "avd_sweep_error": (c_char_p, (c_void_p,)),
    "avd_sweep_progress": (c_int, (c_void_p, POINTER(s.Progress))),
    "avd_topology_describe": (c_int, (c_char_p, POINTER(s.TopologyInfo), *_ERROR)),
    "avd_topology_preset": (c_char_p, (c_size_t, POINTER(c_char_p))),
    "avd_machine_kind_name": (c_char_p, (c_uint32,)),
    "avd_machine_probe": (c_int, (c_uint32, c_char_p, POINTER(s.MachineInfo), *_ERROR)),
    "avd_kernel_describe": (c_int, (c_char_p, POINTER(s.KernelInfo), *_ERROR)),
    "avd_kernel_list": (c_int, (c_char_p, s.KernelFn, c_void_p)),
    "avd_kernel_default": (c_int, (c_char_p, _OUT, *_ERROR)),
}


class AttachVerdictError(OSError):
    """Something could not be tried: a file is missing, an option is wrong, the library can't be
    loaded. ``errno`` and a message of one line say what, where, and what to do next. A verdict,
    however bad, is never an exception."""

    __module__ = "attachverdict"  # as tracebacks name it

    def __str__(self) -> str:
        return str(self.strerror) if self.strerror else super().__str__()


def _beside() -> List[str]:
    """Libraries under the prefix that this package is installed under."""
    here = os.path.dirname(os.path.abspath(__file__))
    found: List[str] = []
    for _ in range(5):  # PREFIX/lib/python3/dist-packages/attachverdict, or one deeper
        here = os.path.dirname(here)
        for folder in ("lib", "lib64", "lib/*-linux-gnu"):
            found += glob.glob(os.path.join(glob.escape(here), folder, SONAME))
    return found


def _remedy() -> str:
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return f"${VARIABLE} names it: correct or unset it"
    beside = _beside()
    if beside:
        return f"it stands where the dynamic linker does not look: set {VARIABLE}={beside[0]}"
    return (f"install libattachverdict, or, if it stands outside of the dynamic linker's path, "
            f"set {VARIABLE} to the path of {SONAME} (or LD_LIBRARY_PATH to its directory)")


def _load() -> ctypes.CDLL:
    """$ATTACHVERDICT_LIBRARY, or what the dynamic linker finds."""
    name = os.environ.get(VARIABLE) or SONAME
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise AttachVerdictError(
            errno.ELIBACC, f"the library can't be loaded: {error}; {_remedy()}") from error
    for function, (result, arguments) in _FUNCTIONS.items():
        try:
            found = getattr(library, function)
        except AttributeError as error:
            raise AttachVerdictError(
                errno.ELIBBAD, f"{name} does not fit this package: it has no {function}(); "
                f"install the same version of both, or set {VARIABLE}") from error
        found.restype = result
        found.argtypes = arguments
    return library


class _Lazy:
    """Loads at the first look at a function; that may be in several threads at once."""

    def __getattr__(self, name: str) -> Any:
        if name not in _FUNCTIONS:
            raise AttributeError(name)
        library = _load()
        for function in _FUNCTIONS:
            setattr(self, function, getattr(library, function))
        return getattr(library, name)


lib: Any = _Lazy()


def path_bytes(value: Optional[PathLike]) -> Optional[bytes]:
    """A str, bytes or path as the C library wants it; None stays."""
    if value is None:
        return None
    raw = os.fsencode(value)
    if b"\0" in raw:
        raise ValueError(f"{value!r} has a null character in it")
    return raw


def text_bytes(value: str) -> bytes:
    """A str as the C library wants it."""
    raw = value.encode()
    if b"\0" in raw:
        raise ValueError(f"{value!r} has a null character in it")
    return raw


def number(name: str, value: int, bits: int = 32) -> int:
    """An unsigned number that C has room for; ctypes would cut it."""
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name}={value} is {'negative' if value < 0 else 'too large'}")
    return value


def words(values: Iterable[PathLike]) -> Tuple[Any, int]:
    """An array of strings and NULL behind them, which must be kept alive; their number."""
    raw = [path_bytes(value) for value in values]
    return (c_char_p * (len(raw) + 1))(*raw, None), len(raw)


def text(raw: Optional[bytes]) -> str:
    """What the library says, as a str."""
    return raw.decode("utf-8", "backslashreplace") if raw else ""


def check(code: int, message: Optional[bytes]) -> int:
    """A count, or the error that a negative errno and its message mean."""
    if code < 0:
        raise AttachVerdictError(-code, text(message) or os.strerror(-code))
    return code


def error_buffer() -> Any:
    """Room for the one line of a function that has no handle to keep it."""
    return ctypes.create_string_buffer(s.TEXT_MAX)


def take_text(function: Callable[..., int], *arguments: Any) -> str:
    """Text that the library allocates."""
    out, size = c_void_p(), c_size_t()
    check(function(*arguments, ctypes.byref(out), ctypes.byref(size)), None)
    try:
        return ctypes.string_at(out, size.value).decode("utf-8")
    finally:
        lib.avd_free(out)
