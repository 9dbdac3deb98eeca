# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The C interface, as ctypes sees it. A test holds the structs to the headers.

Calls into the library release the GIL; callbacks from it take it again.
"""

import ctypes
import ctypes.util
import os
from ctypes import (CFUNCTYPE, POINTER, c_char, c_char_p, c_int, c_size_t, c_uint32, c_uint64,
                    c_void_p)

SONAME = "libattachverdict.so.0"
TEXT_MAX = 1024  # AVD_VERDICT_REASON_MAX, and room for any one-line error


class Verdict(ctypes.Structure):
    _fields_ = [("outcome", c_uint32), ("reason_code", c_uint32), ("result", c_uint32),
                ("result_code", c_uint32), ("end_cause", c_uint32), ("reserved", c_uint32 * 11),
                ("reason", c_char * TEXT_MAX), ("result_reason", c_char * TEXT_MAX)]


EventFn = CFUNCTYPE(None, c_void_p, c_void_p)
LogFn = CFUNCTYPE(None, c_void_p, c_int, c_char_p)
ConsoleFn = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)


class CellOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t), ("kernel", c_char_p), ("scheduler", POINTER(c_char_p)),
        ("scheduler_count", c_size_t), ("payload", POINTER(c_char_p)),
        ("payload_count", c_size_t), ("includes", POINTER(c_char_p)),
        ("include_count", c_size_t), ("topology", c_char_p), ("cache_dir", c_char_p),
        ("record_path", c_char_p), ("keep_dir", c_char_p), ("qemu", c_char_p),
        ("kernel_args", c_char_p), ("memory_bytes", c_uint64), ("timeout_ms", c_uint64),
        ("boot_timeout_ms", c_uint64), ("silence_timeout_ms", c_uint64),
        ("idle_timeout_ms", c_uint64), ("settle_ms", c_uint64), ("budget_cpu_ms", c_uint64),
        ("budget_wall_ms", c_uint64), ("payload_timeout_ms", c_uint64), ("log_limit", c_uint64),
        ("channel_limit", c_uint64), ("machine", c_uint32), ("dispatch", c_uint32),
        ("carrier", c_uint32), ("sandbox", c_uint32), ("on_event", EventFn), ("log", LogFn),
        ("userdata", c_void_p), ("on_console", ConsoleFn), ("dispatch_timeout_ms", c_uint64),
        ("no_verifier_stats", c_uint32), ("verifier_log", c_uint32)]


class StreamOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("reserved", c_uint32),
                ("nonce", c_void_p), ("nonce_size", c_size_t), ("on_event", EventFn),
                ("userdata", c_void_p), ("log", LogFn)]


class Expectation(ctypes.Structure):
    _fields_ = [("any_outcome", c_uint32), ("outcome", c_uint32), ("result", c_uint32),
                ("code", c_uint32)]


class PlanCell(ctypes.Structure):
    _fields_ = [("id", c_char_p), ("kernel_name", c_char_p), ("scheduler_name", c_char_p),
                ("topology", c_char_p), ("payload_name", c_char_p), ("kernel", c_char_p),
                ("scheduler", POINTER(c_char_p)), ("scheduler_count", c_size_t),
                ("payload", POINTER(c_char_p)), ("payload_count", c_size_t),
                ("expect", Expectation), ("cpus", c_uint32), ("reserved", c_uint32),
                ("memory_bytes", c_uint64), ("digest", c_uint64)]


class CellResult(ctypes.Structure):
    _fields_ = [("id", c_char_p), ("kernel", c_char_p), ("scheduler", c_char_p),
                ("topology", c_char_p), ("payload", c_char_p), ("command", c_char_p),
                ("expect", Expectation), ("met", c_uint32), ("ran", c_uint32),
                ("outcome", c_uint32), ("reason_code", c_uint32), ("result", c_uint32),
                ("result_code", c_uint32), ("end_cause", c_uint32), ("cpus", c_uint32),
                ("reason", c_char_p), ("result_reason", c_char_p), ("recording", c_char_p),
                ("recording_bytes", c_uint64), ("wall_ns", c_uint64),
                ("machine_cpu_ns", c_uint64), ("ended_unix_ns", c_uint64), ("digest", c_uint64)]


class ResultsCounts(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("cells", c_size_t), ("ran", c_size_t), ("met", c_size_t),
                ("unmet", c_size_t), ("plan_digest", c_uint64), ("torn_bytes", c_uint64),
                ("lost", c_size_t)]


OnCellFn = CFUNCTYPE(None, c_void_p, c_size_t, POINTER(CellResult))


class SweepOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("dir", c_char_p), ("flags", c_uint32), ("jobs", c_uint32),
                ("first", c_size_t), ("count", c_size_t), ("shard", c_uint32),
                ("shards", c_uint32), ("on_cell", OnCellFn), ("log", LogFn),
                ("userdata", c_void_p)]


# The struct of the header that each class stands for; for the test that compares them.
STRUCTS = {"avd_verdict": Verdict, "avd_cell_options": CellOptions,
           "avd_stream_options": StreamOptions, "avd_expectation": Expectation,
           "avd_plan_cell": PlanCell, "avd_cell_result": CellResult,
           "avd_results_counts": ResultsCounts, "avd_sweep_options": SweepOptions}

_TEXT_OUT = (POINTER(c_void_p), POINTER(c_size_t))
_ERROR = (c_char_p, c_size_t)
_FUNCTIONS = {  # name: (result, arguments)
    "avd_version": (c_char_p, ()),
    "avd_free": (None, (c_void_p,)),
    "avd_reason_code_name": (c_char_p, (c_uint32,)),
    "avd_reason_code_hint": (c_char_p, (c_uint32,)),
    "avd_end_cause_name": (c_char_p, (c_uint32,)),
    "avd_cell_new": (c_int, (POINTER(CellOptions), POINTER(c_void_p), *_ERROR)),
    "avd_cell_free": (None, (c_void_p,)),
    "avd_cell_start": (c_int, (c_void_p,)),
    "avd_cell_fd": (c_int, (c_void_p,)),
    "avd_cell_step": (c_int, (c_void_p,)),
    "avd_cell_run": (c_int, (c_void_p,)),
    "avd_cell_cancel": (None, (c_void_p,)),
    "avd_cell_state": (c_uint32, (c_void_p,)),
    "avd_cell_error": (c_char_p, (c_void_p,)),
    "avd_cell_stream": (c_void_p, (c_void_p,)),
    "avd_stream_new": (c_int, (POINTER(StreamOptions), POINTER(c_void_p))),
    "avd_stream_free": (None, (c_void_p,)),
    "avd_stream_feed": (c_int, (c_void_p, c_char_p, c_size_t)),
    "avd_stream_finish": (c_int, (c_void_p,)),
    "avd_stream_verdict": (c_int, (c_void_p, POINTER(Verdict))),
    "avd_report_text": (c_int, (c_void_p, c_uint32, *_TEXT_OUT)),
    "avd_report_json": (c_int, (c_void_p, c_uint32, *_TEXT_OUT)),
    "avd_recording_read": (c_int, (c_char_p, POINTER(c_void_p), *_ERROR)),
    "avd_plan_new": (c_int, (POINTER(c_void_p),)),
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
    "avd_plan_get": (c_int, (c_void_p, c_size_t, POINTER(PlanCell))),
    "avd_expectation_print": (c_int, (POINTER(Expectation), c_char_p, c_size_t)),
    "avd_results_open": (c_int, (c_char_p, POINTER(c_void_p), *_ERROR)),
    "avd_results_free": (None, (c_void_p,)),
    "avd_results_count": (c_int, (c_void_p, POINTER(ResultsCounts))),
    "avd_results_get": (c_int, (c_void_p, c_size_t, POINTER(CellResult))),
    "avd_sweep_new": (c_int, (c_void_p, POINTER(SweepOptions), POINTER(c_void_p), *_ERROR)),
    "avd_sweep_free": (None, (c_void_p,)),
    "avd_sweep_run": (c_int, (c_void_p,)),
    "avd_sweep_cancel": (None, (c_void_p,)),
    "avd_sweep_error": (c_char_p, (c_void_p,)),
}


def _load():
    """$ATTACHVERDICT_LIBRARY, or what the dynamic linker finds."""
    name = os.environ.get("ATTACHVERDICT_LIBRARY") or SONAME
    try:
        library = ctypes.CDLL(name, use_errno=False)
    except OSError as error:
        raise ImportError(f"{error}; install libattachverdict, or name it in "
                          "$ATTACHVERDICT_LIBRARY") from error
    for function, (result, arguments) in _FUNCTIONS.items():
        try:
            found = getattr(library, function)
        except AttributeError as error:
            raise ImportError(f"{name} is older than this package: it has no {function}()"
                              ) from error
        found.restype = result
        found.argtypes = arguments
    return library


lib = _load()


def path_bytes(value):
    """A str, bytes or path as the C library wants it; None stays."""
    return None if value is None else os.fsencode(value)


def words(values):
    """An argv; the second value keeps it alive."""
    values = [os.fsencode(value) for value in values]
    return (c_char_p * (len(values) + 1))(*values, None), len(values)


def text(raw):
    return raw.decode("utf-8", "backslashreplace") if raw else ""


def take_text(function, handle, flags=0):
    """Text that the library allocates."""
    out, size = c_void_p(), c_size_t()
    code = function(handle, flags, ctypes.byref(out), ctypes.byref(size))
    if code < 0:
        raise MemoryError
    try:
        return ctypes.string_at(out, size.value).decode("utf-8")
    finally:
        lib.avd_free(out)
