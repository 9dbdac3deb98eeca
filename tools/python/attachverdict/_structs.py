# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The structs of the C interface, as ctypes sees them. A test holds them to the headers."""

import ctypes
from ctypes import (CFUNCTYPE, POINTER, c_char, c_char_p, c_int, c_size_t, c_uint32, c_uint64,
                    c_void_p)

TEXT_MAX = 1024  # AVD_VERDICT_REASON_MAX, and room for any one-line error


class Verdict(ctypes.Structure):
    _fields_ = [("outcome", c_uint32), ("reason_code", c_uint32), ("result", c_uint32),
                ("result_code", c_uint32), ("end_cause", c_uint32), ("reserved", c_uint32 * 11),
                ("reason", c_char * TEXT_MAX), ("result_reason", c_char * TEXT_MAX)]


EventFn = CFUNCTYPE(None, c_void_p, c_void_p)
LogFn = CFUNCTYPE(None, c_void_p, c_int, c_char_p)
ConsoleFn = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)
KernelFn = CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p)


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
                ("lost", c_size_t), ("unconfirmed", c_size_t)]


class MarkOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("reason", c_char_p), ("first", c_size_t),
                ("count", c_size_t), ("shard", c_uint32), ("shards", c_uint32)]


class PrintOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("reserved", c_uint32),
                ("details_limit", c_uint64), ("log", LogFn), ("userdata", c_void_p)]


OnCellFn = CFUNCTYPE(None, c_void_p, c_size_t, POINTER(CellResult))


class SweepOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("dir", c_char_p), ("flags", c_uint32), ("jobs", c_uint32),
                ("first", c_size_t), ("count", c_size_t), ("shard", c_uint32),
                ("shards", c_uint32), ("on_cell", OnCellFn), ("log", LogFn),
                ("userdata", c_void_p)]


class Progress(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("cells", c_size_t), ("done", c_size_t),
                ("running", c_size_t), ("met", c_size_t), ("unmet", c_size_t),
                ("kept", c_size_t), ("unconfirmed", c_size_t), ("strangers", c_size_t)]


class TopologyInfo(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("cpus", c_uint32), ("nodes", c_uint32), ("llcs", c_uint32),
                ("cores", c_uint32), ("threads_per_core", c_uint32), ("even", c_uint32)]


class MachineInfo(ctypes.Structure):
    _fields_ = [("kind", c_uint32), ("version", c_uint32 * 3), ("accel", c_char * 16),
                ("program", c_char * 256), ("note", c_char * 256), ("sandbox", c_char * 16),
                ("reserved", c_uint64 * 6)]


class KernelInfo(ctypes.Structure):
    _fields_ = [("format", c_uint32), ("sched_ext", c_uint32), ("btf", c_uint32),
                ("pvh", c_uint32), ("image_bytes", c_uint64), ("vmlinux_bytes", c_uint64),
                ("release", c_char * 128), ("compression", c_char * 16),
                ("config_source", c_char * 16), ("reserved", c_uint64 * 8)]


# The struct of the header that each class stands for; for the test that compares them.
STRUCTS = {"avd_verdict": Verdict, "avd_cell_options": CellOptions,
           "avd_stream_options": StreamOptions, "avd_expectation": Expectation,
           "avd_plan_cell": PlanCell, "avd_cell_result": CellResult,
           "avd_results_counts": ResultsCounts, "avd_mark_options": MarkOptions,
           "avd_print_options": PrintOptions, "avd_sweep_options": SweepOptions,
           "avd_progress": Progress, "avd_topology_info": TopologyInfo,
           "avd_machine_info": MachineInfo, "avd_kernel_info": KernelInfo}
