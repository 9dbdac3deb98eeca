# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What calls return: plain values, which can be compared, kept and pickled."""

import ctypes
import enum
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

from . import _report, _structs
from ._ffi import lib, text


class Outcome(enum.IntEnum):
    """Whether the scheduler attached; the values are those of C."""

    UNCONFIRMED = 0
    """Nobody knows: the guest vanished, or the stream is broken."""
    ATTACHED = 1
    """Positively confirmed."""
    DIED = 2
    """The scheduler's process could not start, or ended while it attached."""
    NOT_ATTACHED = 3
    """It stayed alive, but the kernel never came to a sustained ``enabled``."""


class ReasonCode(str, enum.Enum):
    """Why a cell is not ATTACHED, or did not pass. A member equals its name as a string:
    ``verdict.reason_code == "init-failed"``. Their order is that of the numbers in C, from 1."""

    EXEC_FAILED = "exec-failed"
    EXITED = "exited"
    KILLED_BY_SIGNAL = "killed-by-signal"
    VERIFIER_REJECTED = "verifier-rejected"
    MISSING_KFUNC = "missing-kfunc"
    MISSING_MEMBER = "missing-member"
    NO_SCHED_EXT = "no-sched-ext"
    BUSY = "busy"
    INIT_FAILED = "init-failed"
    EJECTED_AT_ATTACH = "ejected-at-attach"
    TIMEOUT = "timeout"
    PANIC = "panic"
    OOPS = "oops"
    GUEST_RESET = "guest-reset"
    TRIPLE_FAULT = "triple-fault"
    WATCHDOG = "watchdog"
    CHANNEL_CORRUPT = "channel-corrupt"
    MACHINE_ERROR = "machine-error"
    GUEST_SHUTDOWN = "guest-shutdown"
    GUEST_INIT_FAILED = "guest-init-failed"
    HOST_STOP = "host-stop"
    TRUNCATED = "truncated"
    EJECTED = "ejected"
    NO_DISPATCH = "no-dispatch"
    PAYLOAD_FAILED = "payload-failed"
    NO_CLEAN_END = "no-clean-end"
    SCHEDULER_EXITED = "scheduler-exited"
    TOPOLOGY_MISMATCH = "topology-mismatch"
    NOT_RUN = "not-run"
    LOST = "lost"

    @classmethod
    def _missing_(cls, value: object) -> "Optional[ReasonCode]":
        """A newer library may have more codes than this package."""
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value.upper().replace("-", "_")
        member._value_ = value
        return member

    def __str__(self) -> str:
        return str(self.value)

    def __reduce_ex__(self, _protocol: Any) -> Tuple[Any, Tuple[str]]:
        """By the value: Python 3.11 pickles and copies by a member's name, and a code of a newer
        library is no attribute of this class."""
        return type(self), (str(self.value),)

    @property
    def number(self) -> int:
        """The number in C, 0 if this package does not know it."""
        members = list(type(self))
        return members.index(self) + 1 if self in members else 0

    @property
    def explanation(self) -> str:
        """One line: what it means."""
        return text(lib.avd_reason_code_explain(self.number))

    @property
    def hint(self) -> str:
        """One line: what to do about it."""
        return text(lib.avd_reason_code_hint(self.number))

    @classmethod
    def _of(cls, number: int) -> "Optional[ReasonCode]":
        return cls(text(lib.avd_reason_code_name(number))) if number else None


@dataclass(frozen=True)
class Verdict:
    """What a cell came to. Its truth value is whether it passed.

    Two verdicts are equal when they say the same; the evidence is not compared.
    """

    outcome: Outcome
    reason_code: Optional[ReasonCode]
    """None exactly when ATTACHED."""
    reason: str
    """One line; "" exactly when ATTACHED."""
    passed: bool
    """ATTACHED, and all CPUs ran tasks, and it was still enabled at a clean end."""
    result_code: Optional[ReasonCode]
    """Why it did not pass; None exactly when it did."""
    result_reason: str
    hint: str
    """What to do about ``result_code``, one line."""
    end_cause: str
    """How the machine ended: "guest-shutdown", ..."""
    report: Dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All evidence, as ``attachverdict run --format json`` prints it (report.schema.json)."""
    report_text: str = field(default="", compare=False, repr=False)
    """The same for people."""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.report_text.split("\n", 1)[0] or self.outcome.name

    @property
    def _evidence(self) -> Dict[str, Any]:
        found: Dict[str, Any] = self.report.get("evidence", {})
        return found

    @property
    def kernel_release(self) -> Optional[str]:
        """``uname -r`` of the guest."""
        found: Optional[str] = self.report.get("kernel", {}).get("release")
        return found

    @property
    def attach(self) -> "Optional[_report.Attach]":
        """The proof; None if there was none."""
        return _report.make(_report.Attach, self._evidence.get("attach"))

    @property
    def dispatch(self) -> "Optional[_report.Dispatch]":
        """Which CPUs ran tasks; None if it did not come to that."""
        return _report.make(_report.Dispatch, self._evidence.get("dispatch"))

    @property
    def ejection(self) -> "Optional[_report.Ejection]":
        """How the kernel threw the scheduler out; None if it did not."""
        return _report.make(_report.Ejection, self._evidence.get("scheduler_exit"))

    @property
    def payload(self) -> "Optional[_report.Payload]":
        """How the payload ended; None if none was asked for."""
        return _report.make(_report.Payload, self._evidence.get("payload"))

    @property
    def programs(self) -> "Tuple[_report.Program, ...]":
        """What the verifier made of each BPF program, in the order of their loads."""
        return _report.make_all(_report.Program, self._evidence.get("programs"))

    @property
    def phases(self) -> "Tuple[_report.Phase, ...]":
        """What the guest did when."""
        return _report.make_all(_report.Phase, self._evidence.get("phases"))

    @property
    def scheduler_stderr(self) -> Tuple[str, ...]:
        """The last lines that the scheduler wrote to its standard error."""
        return tuple(self._evidence.get("scheduler", {}).get("stderr", {}).get("lines", ()))

    @property
    def kernel_log(self) -> Tuple[str, ...]:
        """The kernel's lines about sched_ext, panics and the like."""
        lines = self._evidence.get("kernel_log", {}).get("lines", ())
        return tuple(line["text"] for line in lines)

    @classmethod
    def _of(cls, raw: _structs.Verdict, **more: Any) -> "Verdict":
        return cls(outcome=Outcome(raw.outcome), reason_code=ReasonCode._of(raw.reason_code),
                   reason=text(raw.reason), passed=raw.result == 1,
                   result_code=ReasonCode._of(raw.result_code),
                   result_reason=text(raw.result_reason),
                   hint=text(lib.avd_reason_code_hint(raw.result_code)),
                   end_cause=text(lib.avd_end_cause_name(raw.end_cause)), **more)


@dataclass(frozen=True)
class CellResult:
    """One cell of a sweep. Its truth value is whether it came to what was expected."""

    id: str
    """``KERNEL/SCHEDULER/TOPOLOGY[/PAYLOAD]``, of the names on the axes."""
    kernel: str
    scheduler: str
    topology: str
    payload: str
    command: str
    """Runs this cell alone, in a shell."""
    expected: str
    """"passed", "DIED/verifier-rejected", ..."""
    met: bool
    """It came to that."""
    ran: bool
    """False: there is no result, and the cell counts as UNCONFIRMED."""
    outcome: Outcome
    reason_code: Optional[ReasonCode]
    reason: str
    passed: bool
    result_code: Optional[ReasonCode]
    result_reason: str
    end_cause: str
    cpus: int
    recording: str
    """Path below the directory of the results; "" if there is none."""
    wall_seconds: float
    """From the start of the machine to its end."""

    def __bool__(self) -> bool:
        return self.met

    @classmethod
    def _of(cls, raw: _structs.CellResult) -> "CellResult":
        return cls(id=text(raw.id), kernel=text(raw.kernel), scheduler=text(raw.scheduler),
                   topology=text(raw.topology), payload=text(raw.payload),
                   command=text(raw.command), expected=_expectation(raw.expect),
                   met=bool(raw.met), ran=bool(raw.ran), outcome=Outcome(raw.outcome),
                   reason_code=ReasonCode._of(raw.reason_code), reason=text(raw.reason),
                   passed=raw.result == 1, result_code=ReasonCode._of(raw.result_code),
                   result_reason=text(raw.result_reason),
                   end_cause=text(lib.avd_end_cause_name(raw.end_cause)), cpus=raw.cpus,
                   recording=text(raw.recording), wall_seconds=raw.wall_ns / 1e9)


def _expectation(raw: _structs.Expectation) -> str:
    buffer = ctypes.create_string_buffer(128)
    lib.avd_expectation_print(raw, buffer, len(buffer))
    return text(buffer.value)
