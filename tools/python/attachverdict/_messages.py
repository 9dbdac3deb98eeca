# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Frames as they come: events of a stream, and the messages in them."""

import ctypes
from ctypes import (POINTER, Structure, Union, byref, c_char_p, c_int32, c_int64, c_size_t,
                    c_uint8, c_uint32, c_uint64, c_void_p)
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional

from ._ffi import lib, text
from ._values import ReasonCode


class Str(Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class Bytes(Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class Strv(Structure):
    _fields_ = [("cbor", Bytes), ("count", c_uint32)]


def _message(*fields: Any) -> Any:
    """A struct of fields; several of one type are written as "a b c"."""
    flat = [(name, kind) for names, kind in fields for name in names.split()]
    return type("Message", (Structure,), {"_fields_": flat})


_MEMBERS = {  # of the union in struct avd_message
    "hello": _message(("protocol", c_uint32), ("nonce", Bytes), ("release", Str),
                      ("cpus_online slowness_permille", c_uint32), ("carrier", Str)),
    "phase": _message(("phase", c_uint32)),
    "started": _message(("pid", c_uint32), ("enable_seq", c_uint64)),
    "attached": _message(("ops", Str), ("enable_seq_before enable_seq wall_ns cpu_ns", c_uint64),
                         ("switch_all", c_uint32)),
    "failure": _message(("code", c_uint32), ("reason", Str), ("exit_status", c_int32),
                        ("signal error", c_uint32)),
    "dispatch": _message(("ok cpus_online", c_uint32), ("cpus_ok", Bytes),
                         ("wall_ns", c_uint64), ("reason", Str),
                         ("mode tasks tasks_ok", c_uint32), ("rounds", c_uint64)),
    "scheduler_exit": _message(("exit_kind", c_uint64), ("exit_code", c_int64),
                               ("code phase", c_uint32), ("reason message", Str),
                               ("source", c_uint32), ("backtrace", Str),
                               ("phase_ns", c_uint64)),
    "payload_exit": _message(("exit_status", c_int32), ("signal error", c_uint32),
                             ("wall_ns", c_uint64), ("ended_by left_some", c_uint32),
                             ("reason", Str)),
    "program": _message(("name", Bytes), ("order from_probe from_info type prog_id error "
                                          "verified_insns processed_insns total_states "
                                          "peak_states max_states_per_insn stack_depth "
                                          "xlated_bytes jited_bytes", c_uint32),
                        ("verification_ns", c_uint64)),
    "log": _message(("stream", c_uint32), ("bytes", Bytes), ("dropped", c_uint64)),
    "kernel_log": _message(("level", c_uint32), ("log_seq log_time_us", c_uint64),
                           ("bytes", Bytes)),
    "done": _message(("enabled_at_end", c_uint32)),
    "topology": _message(("cpus_possible nodes", c_uint32), ("cpus", Bytes)),
    "init_failed": _message(("signal", c_uint32), ("reason", Str)),
    "cell": _message(("protocol", c_uint32), ("nonce", Bytes), ("version kernel release", Str),
                     ("scheduler payload", Strv),
                     ("machine machine_reason accel carrier topology", Str),
                     ("cpus", c_uint32), ("memory_bytes settle_ms budget_cpu_ms budget_wall_ms "
                                          "payload_ms log_limit", c_uint64),
                     ("dispatch", c_uint32), ("started_unix_ns dispatch_ms", c_uint64),
                     ("verifier_stats verifier_log", c_uint32), ("id", Str), ("digest", c_uint64)),
    "end_cause": _message(("cause code", c_uint32), ("detail", Str), ("console_tail", Bytes),
                          ("console_bytes wall_ns machine_cpu_ns", c_uint64),
                          ("stats_valid", c_uint32),
                          ("exits exits_io exits_mmio exits_hlt exits_shutdown exits_intr "
                           "exits_other first_instruction_ns start_cpu_ns init_ns verdict_ns "
                           "ram_resident_bytes overhead_bytes", c_uint64), ("sandbox", Str)),
}
_OF_KIND = {  # enum avd_message_kind
    1: "hello", 2: "phase", 3: "started", 4: "attached", 5: "failure", 6: "failure",
    8: "dispatch", 9: "scheduler_exit", 10: "payload_exit", 11: "program", 12: "log",
    13: "kernel_log", 14: "done", 15: "topology", 17: "init_failed", 128: "cell",
    129: "end_cause"}
_END_CAUSE = 129


class Members(Union):
    _fields_ = [*_MEMBERS.items(), ("reserved", c_uint8 * 512)]


class Message(Structure):
    _fields_ = [("kind", c_uint32), ("time_ns", c_uint64), ("u", Members)]


class RawEvent(Structure):
    _fields_ = [("type", c_uint32), ("seq", c_uint32), ("offset", c_uint64),
                ("skipped", c_uint64), ("detail", c_char_p), ("message", POINTER(Message))]


# As in _structs.
STRUCTS: Dict[str, Any] = {
    "avd_message": Message, "avd_event": RawEvent, "avd_str": Str, "avd_bytes": Bytes,
    "avd_strv": Strv, **{"avd_msg_" + name: kind for name, kind in _MEMBERS.items()}}

_TYPES = {1: "frame", 2: "gap", 3: "fault"}
_NAMED: Dict[str, Callable[[int], Any]] = {  # numbers that have names
    "code": ReasonCode._of,
    "phase": lambda number: text(lib.avd_phase_name(number)),
    "stream": lambda number: text(lib.avd_log_stream_name(number)),
    "cause": lambda number: text(lib.avd_end_cause_name(number)),
}


@dataclass(frozen=True)
class Event:
    """One frame of a stream, or what is wrong at this place of it."""

    type: str
    """"frame", a sound one in its place; "gap", bytes that are no frame; "fault", a frame that
    breaks the sequence or the protocol."""
    seq: int
    offset: int
    """In the stream, bytes."""
    skipped: int
    """Bytes of a gap."""
    detail: str
    """What is wrong; "" for a sound frame."""
    kind: Optional[str]
    """Of the message: "phase", "scheduler-attached", "log", ...; None without one."""
    time_seconds: float
    """By the clock of who sent it."""
    message: Mapping[str, Any]
    """Its members, by their names in attachverdict/message.h: str for text, bytes for what the
    guest wrote, a tuple for a list."""

    @classmethod
    def _of(cls, raw: RawEvent) -> "Event":
        found = raw.message.contents if raw.message else None
        return cls(type=_TYPES.get(raw.type, "unknown"), seq=raw.seq, offset=raw.offset,
                   skipped=raw.skipped, detail=text(raw.detail),
                   kind=text(lib.avd_message_kind_name(found.kind)) if found else None,
                   time_seconds=found.time_ns / 1e9 if found else 0.0,
                   message=_members(found) if found else {})


def _view(raw: Any) -> bytes:
    return ctypes.string_at(raw.data, raw.len) if raw.len else b""


def _member(name: str, value: Any) -> Any:
    if isinstance(value, Str):
        return text(_view(value))
    if isinstance(value, Bytes):
        return _view(value)
    if isinstance(value, Strv):
        found, item, rest = [], Str(), Strv.from_buffer_copy(value)
        while lib.avd_strv_next(byref(rest), byref(item)) > 0:
            found.append(text(_view(item)))
        return tuple(found)
    return _NAMED[name](value) if name in _NAMED else value


def _members(message: Message) -> Dict[str, Any]:
    member = _OF_KIND.get(message.kind)
    if member is None:
        return {}
    found = getattr(message.u, member)
    return {name: _member(name, getattr(found, name)) for name, *_ in found._fields_}


def event_callback(on_event: Callable[[Event], None]) -> Callable[[Any, int], None]:
    """What C calls with a struct avd_event, for what Python wants to know."""
    def call(_user: Any, raw: int) -> None:
        on_event(Event._of(RawEvent.from_address(raw)))
    return call


def end_message(cause: str) -> Message:
    """An end-cause message of the cause that has this name."""
    number = 1
    while text(lib.avd_end_cause_name(number)) not in (cause, "unknown"):
        number += 1
    if text(lib.avd_end_cause_name(number)) != cause:
        raise ValueError(f"{cause!r} is no end cause")
    message = Message(kind=_END_CAUSE)
    message.u.end_cause.cause = number
    return message
