# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The parts of a report that callers look at most, typed. The whole is in ``Verdict.report``.

Times are in seconds; None stands for what is not known.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Type, TypeVar

_T = TypeVar("_T")
_TRIALS = ("", "libbpf_nametest", "det_arg_ctx")  # as the text report has them


@dataclass(frozen=True)
class Attach:
    """The proof that the scheduler was on."""

    ops: str
    """Name of the ops, as sysfs had it."""
    enable_seq_before: int
    enable_seq: int
    wall_seconds: float
    """From the scheduler's start to the first proof, guest time."""
    cpu_seconds: float
    """CPU time of the scheduler until then."""
    switch_all: bool
    """It takes all tasks, not only those of SCHED_EXT."""


@dataclass(frozen=True)
class Dispatch:
    """Whether tasks ran after the attach."""

    ok: bool
    cpus_online: int
    cpus_ok: Tuple[int, ...]
    """CPUs that ran tasks."""
    tasks: int
    tasks_ok: int
    rounds: int
    """Times that a task gave its CPU away and got it back."""
    wall_seconds: float
    mode: Optional[str]
    reason: Optional[str]

    @property
    def cpus_starved(self) -> Tuple[int, ...]:
        """CPUs that did not run tasks, where the online ones are numbered from 0 on."""
        return tuple(sorted(set(range(self.cpus_online)) - set(self.cpus_ok)))


@dataclass(frozen=True)
class Ejection:
    """How the kernel threw the scheduler out."""

    kind: int
    """The kernel's ``enum scx_exit_kind``."""
    kind_name: Optional[str]
    exit_code: Optional[int]
    code: str
    phase: str
    reason: Optional[str]
    message: Optional[str]
    backtrace: Tuple[str, ...]


@dataclass(frozen=True)
class Payload:
    """How the payload ended."""

    argv: Tuple[str, ...]
    ended: bool
    exit_status: Optional[int]
    signal: Optional[int]
    wall_seconds: Optional[float]
    ended_by: str
    reason: Optional[str]


@dataclass(frozen=True)
class Phase:
    """When the guest began with something."""

    phase: str
    """"boot", "start", "gate", "dispatch", "payload", "teardown"."""
    time_seconds: float
    """After power-on, by the guest's clock."""


@dataclass(frozen=True)
class Program:
    """What the verifier made of a BPF program of the scheduler. Information, never evidence."""

    order: int
    """Of the load, from 0."""
    name: Optional[str]
    type: Optional[int]
    type_name: Optional[str]
    id: Optional[int]
    error: Optional[int]
    """errno of the load; 0: it was accepted."""
    verified_insns: Optional[int]
    processed_insns: Optional[int]
    total_states: Optional[int]
    peak_states: Optional[int]
    max_states_per_insn: Optional[int]
    stack_depth: Optional[int]
    xlated_bytes: Optional[int]
    jited_bytes: Optional[int]
    verification_seconds: Optional[float]
    source: Mapping[str, Optional[str]]
    """Where each figure comes from: "probe" (seen as it was loaded), "info" (asked later)."""

    @property
    def is_trial(self) -> bool:
        """Probably not the scheduler's own: libbpf tries out what the kernel can do with tiny
        programs, in the scheduler's process. A guess, from the name."""
        return self.name in _TRIALS

    def __hash__(self) -> int:  # `source` is a dict
        return hash((self.order, self.name, self.id))


def _value(members: Dict[str, Any], name: str, kind: Any) -> Any:
    if name.endswith("_seconds"):
        found = members.get(name[:-len("seconds")] + "ns")
        return None if found is None else int(found) / 1e9
    found = members.get(name)
    if isinstance(found, list):
        return tuple(found)
    # Beyond 2^53-1 JSON has a number as the string of its digits.
    return int(found) if isinstance(found, str) and kind in (int, Optional[int]) else found


def make(kind: Type[_T], members: Optional[Dict[str, Any]]) -> Optional[_T]:
    """One of the classes above of an object of the report; None of null."""
    if members is None:
        return None
    fields = dataclasses.fields(kind)
    return kind(**{each.name: _value(members, each.name, each.type) for each in fields})


def make_all(kind: Type[_T], found: Optional[Iterable[Dict[str, Any]]]) -> Tuple[_T, ...]:
    """The same of an array."""
    made = (make(kind, members) for members in found or ())
    return tuple(one for one in made if one is not None)
