# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What calls return: plain values, and the one exception."""

import enum
from dataclasses import dataclass, field
from typing import Any, Optional

from . import _ffi
from ._ffi import lib, text


class AttachVerdictError(OSError):
    """Something could not be tried: a file is missing, an option is wrong. A verdict, however
    bad, is never an exception."""


class Outcome(enum.IntEnum):
    UNCONFIRMED = 0
    ATTACHED = 1
    DIED = 2
    NOT_ATTACHED = 3


def code_name(code: int) -> Optional[str]:
    """The name of a reason code, None for none."""
    return text(lib.avd_reason_code_name(code)) if code else None


@dataclass(frozen=True)
class Verdict:
    """What a cell came to. Its truth value is whether it passed."""

    outcome: Outcome
    reason_code: Optional[str]
    reason: str
    passed: bool
    result_code: Optional[str]
    result_reason: str
    hint: str
    end_cause: str
    report: dict = field(default_factory=dict, compare=False, repr=False)
    report_text: str = field(default="", compare=False, repr=False)

    def __bool__(self) -> bool:
        return self.passed

    @classmethod
    def _of(cls, raw: "_ffi.Verdict", **more: Any) -> "Verdict":
        return cls(outcome=Outcome(raw.outcome), reason_code=code_name(raw.reason_code),
                   reason=text(raw.reason), passed=raw.result == 1,
                   result_code=code_name(raw.result_code), result_reason=text(raw.result_reason),
                   hint=text(lib.avd_reason_code_hint(raw.result_code)),
                   end_cause=text(lib.avd_end_cause_name(raw.end_cause)), **more)


@dataclass(frozen=True)
class CellResult:
    """One cell of a sweep. Its truth value is whether it came to what was expected."""

    id: str
    kernel: str
    scheduler: str
    topology: str
    payload: str
    command: str
    expected: str
    met: bool
    ran: bool
    outcome: Outcome
    reason_code: Optional[str]
    reason: str
    passed: bool
    result_code: Optional[str]
    result_reason: str
    recording: str
    wall_seconds: float

    def __bool__(self) -> bool:
        return self.met

    @classmethod
    def _of(cls, raw: "_ffi.CellResult") -> "CellResult":
        return cls(**{name: text(getattr(raw, name)) for name in
                      ("id", "kernel", "scheduler", "topology", "payload", "command", "reason",
                       "result_reason", "recording")},
                   expected=expectation_text(raw.expect), met=bool(raw.met), ran=bool(raw.ran),
                   outcome=Outcome(raw.outcome), reason_code=code_name(raw.reason_code),
                   passed=raw.result == 1, result_code=code_name(raw.result_code),
                   wall_seconds=raw.wall_ns / 1e9)


def expectation_text(raw: "_ffi.Expectation") -> str:
    buffer = _ffi.ctypes.create_string_buffer(128)
    lib.avd_expectation_print(raw, buffer, len(buffer))
    return text(buffer.value)


def check(code: int, message: bytes) -> int:
    """A count, or the error that a negative errno and its message mean."""
    if code < 0:
        raise AttachVerdictError(-code, text(message))
    return code
