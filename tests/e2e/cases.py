# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The cells of the e2e suite: what is run, and what must come out.

Each case is a Case; `series` says on which kernels it runs. Paths are relative to the
build directory. `python3 cases.py` lists `name<TAB>timeout` for the build.
"""

from dataclasses import dataclass, field

EX = "examples/schedulers/"
HOSTILE = "tests/e2e/schedulers/"
ALL = ("6.16", "7.2", "7.3")
ONE = ("7.3",)
WITHOUT = ("6.12",)


@dataclass
class Case:
    name: str
    scheduler: list
    outcome: str
    code: str = "none"             # reason_code; several: separated by |
    result: str = "failed"
    result_code: str = None        # None: as the reason code
    series: tuple = ALL
    options: list = field(default_factory=list)
    include: list = field(default_factory=list)  # host files, at their own paths
    payload: list = field(default_factory=list)
    reason: str = ""               # a regular expression that the reason must match
    result_reason: str = ""
    end_cause: str = None
    evidence: dict = field(default_factory=dict)  # dotted name: a regular expression
    repeat: int = 1
    exit: int = None               # None: 0 if passed, else 1
    timeout: int = 900             # of each cell, seconds: catches hangs, judges nothing


def good(name, scheduler, **more):
    return Case(name, scheduler, "ATTACHED", "none", "passed", **more)


FIFO = EX + "fifo"
# For what never attaches: the gate's patience, which grows threefold under emulation. Nothing has
# to be done in that time; what each of them does as it starts takes some milliseconds.
BRIEF = ["--budget-wall", "2s"]

CASES = [
    good("fifo", [FIFO], end_cause="guest-shutdown"),
    good("fifo-object", [FIFO + ".bpf.o"]),
    good("fifo-payload", [FIFO], payload=[HOSTILE + "hostile", "sleep"], series=ONE),
    good("fifo-serial", [FIFO], options=["--carrier", "serial"]),
    good("fifo-no-sandbox", [FIFO + ".bpf.o"], options=["--no-sandbox"], series=ONE),
    good("fifo-4cpus", [FIFO], options=["--topology", "4"], series=ONE),
    good("fifo-1cpu", [FIFO], options=["--topology", "1"], series=ONE),
    good("fifo-full", [FIFO], options=["--dispatch", "full", "--topology", "4"], series=ONE),
    good("partial", [HOSTILE + "partial.bpf.o"], options=["--dispatch", "full"], series=ONE),
    good("optional", [HOSTILE + "optional.bpf.o"], series=ONE),
    good("fifo-churn", [FIFO], payload=[HOSTILE + "hostile", "churn"], series=ONE),
    good("fifo-numa-smt", [FIFO], options=["--topology", "2n2l2c2t"], series=ONE),
    good("fifo-2llc", [FIFO], options=["--topology", "1n2l2c1t"], series=("6.16",)),
    good("fifo-uneven-llc", [FIFO], options=["--topology", "2n4l2+1+1+1c1t"], series=ONE),
    Case("fifo-cpu-missing", [FIFO], "ATTACHED", "none", series=ONE,
         options=["--kernel-args", "maxcpus=1"], result_code="topology-mismatch",
         result_reason="asked for 2 CPUs, the guest has 1 online"),
    good("fifo-20-times", [FIFO], repeat=20, series=ONE, timeout=1200),
    Case("reject", [EX + "reject"], "DIED", "verifier-rejected", reason="reject"),
    Case("reject-object", [EX + "reject.bpf.o"], "DIED", "verifier-rejected", series=ONE),
    Case("missing-kfunc", [EX + "missing_kfunc"], "DIED", "missing-kfunc",
         reason="scx_bpf_no_such_kfunc"),
    Case("missing-member", [EX + "missing_member"], "DIED", "missing-member",
         reason="no_such_member"),
    Case("init-fail", [EX + "init_fail"], "NOT_ATTACHED", "init-failed", reason="-95"),
    Case("eject", [EX + "eject"], "NOT_ATTACHED", "ejected-at-attach",
         reason="0xdead",
         evidence={"scheduler_exit.phase": "gate", "scheduler_exit.code": "ejected-at-attach",
                   "scheduler_exit.kind": "1024", "scheduler_exit.message": "0xdead"}),
    # On a slow host the kernel's watchdog may find the stall while the gate still settles.
    Case("stall", [EX + "stall"], "ATTACHED|NOT_ATTACHED", "none|ejected-at-attach",
         result_code="ejected|no-dispatch|ejected-at-attach", result_reason="stall|CPU"),
    # It is ejected three seconds after it was enabled, which a busy host's dispatch may last.
    Case("eject-later", [EX + "eject_later"], "ATTACHED", "none", result_code="ejected",
         payload=[HOSTILE + "hostile", "sleep"], options=["--dispatch", "off"],
         result_reason=r"in phase payload, \d+\.\d+ s after it began: .*0xdead.*kind 1024, code 0",
         evidence={"scheduler_exit.phase": "payload", "scheduler_exit.source": "probe",
                   "scheduler_exit.exit_code": "^0$", "scheduler_exit.message": "0xdead",
                   "scheduler_exit.backtrace": r"\+0x", "payload.ended_by": "scheduler-gone",
                   "scheduler_exit.dump.lines": "triggered exit kind 1024"}),
    # An exit code that is not 0: the kernel wants the scheduler to be started again.
    Case("unplug", [FIFO], "ATTACHED", "none", result_code="ejected",
         payload=[HOSTILE + "hostile", "unplug"],
         result_reason=r"exit kind 66, code 281479271677952",
         evidence={"scheduler_exit.phase": "payload"}),
    good("imitated-ejection", [FIFO], payload=[HOSTILE + "hostile", "kmsg"], series=ONE,
         evidence={"scheduler_exit": "None"}),
    # Attached, and one CPU's tasks wait for ever: told before the kernel's watchdog does.
    Case("starve-cpu", [EX + "starve_cpu"], "ATTACHED", "none", result_code="no-dispatch",
         options=["--dispatch-timeout", "5s"],
         result_reason=r"^CPU 1 made no progress in \d+ ms$"),
    Case("starve-cpu-full", [EX + "starve_cpu"], "ATTACHED", "none", result_code="no-dispatch",
         options=["--dispatch", "full", "--dispatch-timeout", "5s", "--topology", "3"],
         series=ONE, result_reason="CPU 1 made no progress in .*tasks that change their CPU"),
    # By default the kernel's watchdog may come first; the CPU is named all the same.
    Case("starve-cpu-long", [EX + "starve_cpu"], "ATTACHED", "none", series=ONE,
         result_code="no-dispatch|ejected",
         result_reason=r"CPU 1 made no progress in \d+ ms(, until the scheduler was gone)?$"),
    Case("disallow", [HOSTILE + "disallow.bpf.o"], "ATTACHED", "none", series=ONE,
         result_code="no-dispatch", result_reason="ran, but not as tasks of sched_ext"),
    Case("busy", [HOSTILE + "busy.bpf.o"], "DIED", "busy",
         reason="busy_second: Device or resource busy"),
    Case("big-timeout", [HOSTILE + "big_timeout.bpf.o"], "DIED", "exited",
         reason="Argument list too long", series=ONE),
    # The logs that were asked for are of programs that the verifier accepted.
    Case("big-timeout-log", [HOSTILE + "big_timeout.bpf.o"], "DIED", "exited",
         options=["--verifier-log", "1"], reason="Argument list too long", series=ONE),
    Case("never-attaches", [EX + "never_attaches"], "NOT_ATTACHED", "timeout",
         options=BRIEF, reason="state=disabled ops=missing"),
    Case("dies-early", [EX + "dies_early"], "DIED", "exited", reason="3"),
    Case("dies-with-success", [EX + "dies_early", "success"], "DIED", "exited", reason="0",
         series=ONE),
    Case("dies-by-signal", [EX + "dies_early", "signal"], "DIED", "killed-by-signal",
         reason="9|SIGKILL", series=ONE),
    Case("absent", ["guest:/no/such/scheduler"], "DIED", "exec-failed",
         reason="/no/such/scheduler"),
    Case("no-sched-ext", [FIFO], "NOT_ATTACHED", "no-sched-ext", series=WITHOUT),
    # The guest vanishes.
    Case("panic-before-attach", [HOSTILE + "hostile", "panic"], "UNCONFIRMED", "panic",
         reason="sysrq"),
    Case("reset-before-attach", [HOSTILE + "hostile", "reset"], "UNCONFIRMED", "guest-reset"),
    Case("poweroff-before-attach", [HOSTILE + "hostile", "poweroff"], "UNCONFIRMED",
         "guest-shutdown", series=ONE),
    Case("triple-fault", [HOSTILE + "hostile", "reset"], "UNCONFIRMED", "triple-fault",
         options=["--kernel-args", "reboot=t"], series=ONE),
    Case("panic-after-attach", [FIFO], "ATTACHED", "none", payload=[HOSTILE + "hostile", "panic"],
         result_code="panic", result_reason="(?i)panic"),
    Case("reset-after-attach", [FIFO], "ATTACHED", "none", payload=[HOSTILE + "hostile", "reset"],
         result_code="no-clean-end", series=ONE),
    Case("init-killed", [HOSTILE + "kill_init"], "UNCONFIRMED", "guest-init-failed",
         reason="SIGSEGV|signal|kill init"),
    Case("early-hang", [FIFO], "UNCONFIRMED", "watchdog", series=ONE,
         options=["--kernel-args", "rdinit=/none root=/dev/none rootwait",
                  "--idle-timeout", "8s"], reason="idle"),
    Case("early-panic", [FIFO], "UNCONFIRMED", "panic", series=ONE,
         options=["--kernel-args", "rdinit=/none root=/dev/none"], reason="(?i)unable to mount"),
    # The scheduler misbehaves.
    good("noise", [HOSTILE + "noise", FIFO], include=[FIFO], series=ONE),
    Case("noise-never", [HOSTILE + "noise", EX + "never_attaches"], "NOT_ATTACHED", "timeout",
         include=[EX + "never_attaches"], options=["--budget-wall", "10s"], series=ONE),
    # It kills the processes that would have looked for progress: told, not overlooked.
    Case("kill", [HOSTILE + "hostile", "kill", FIFO], "ATTACHED", "none", include=[FIFO],
         result_code="no-dispatch", result_reason="killed by signal 9", series=ONE),
    good("wrap", [HOSTILE + "hostile", "wrap", FIFO], include=[FIFO], series=ONE),
    good("fork", [HOSTILE + "hostile", "fork", FIFO], include=[FIFO], series=ONE),
    good("channel", [HOSTILE + "hostile", "channel", FIFO], include=[FIFO], series=ONE),
    Case("daemonize", [HOSTILE + "hostile", "daemonize", FIFO], "DIED", "exited",
         include=[FIFO], series=ONE, reason="(?i)foreground"),
    Case("brief", [HOSTILE + "hostile", "brief", FIFO], "ATTACHED", "none", include=[FIFO],
         payload=[HOSTILE + "hostile", "sleep"], options=["--dispatch", "off"],
         result_code="scheduler-exited", series=ONE),
    Case("stop", [HOSTILE + "hostile", "stop"], "NOT_ATTACHED", "timeout", series=ONE,
         options=BRIEF),
    Case("impostor", [HOSTILE + "hostile", "impostor"], "NOT_ATTACHED", "timeout", series=ONE,
         options=BRIEF, reason="state=disabled"),
    Case("channel-never", [HOSTILE + "hostile", "channel"], "NOT_ATTACHED", "timeout", series=ONE,
         options=BRIEF),
    Case("reboot", [HOSTILE + "hostile", "reboot"], "UNCONFIRMED|NOT_ATTACHED",
         "guest-reset|timeout", series=ONE, options=BRIEF),
    # The payload.
    Case("payload-fails", [FIFO], "ATTACHED", "none", payload=[HOSTILE + "hostile", "exit7"],
         result_code="payload-failed", result_reason="7", series=ONE),
    Case("payload-signal", [FIFO], "ATTACHED", "none", payload=[HOSTILE + "hostile", "segv"],
         result_code="payload-failed", result_reason="killed by signal 11", series=ONE,
         evidence={"payload.signal": "^11$", "payload.ended_by": "itself"}),
    Case("payload-absent", [FIFO], "ATTACHED", "none", payload=["guest:/no/such/payload"],
         result_code="payload-failed", series=ONE,
         result_reason='could not be started: .*"/no/such/payload": No such file'),
    Case("payload-stubborn", [FIFO], "ATTACHED", "none",
         payload=[HOSTILE + "hostile", "stubborn"], options=["--payload-timeout", "2s"],
         result_code="payload-failed", result_reason="its time limit of 2.000 s", series=ONE,
         evidence={"payload.ended_by": "time-limit", "payload.signal": "^9$"}),
    good("payload-children", [FIFO], payload=[HOSTILE + "hostile", "children"], series=ONE,
         evidence={"payload.left_some": "True"}),
    good("payload-stdin", [FIFO], payload=[HOSTILE + "hostile", "stdin"], series=ONE,
         evidence={"payload.stdout.lines": "0 bytes of input", "payload.left_some": "False"}),
    good("payload-flood", [FIFO], payload=[HOSTILE + "hostile", "flood"], series=ONE,
         options=["--log-limit", "64K"],
         evidence={"payload.stdout.lines": "the last line", "payload.stdout.dropped": r"\d{6}"}),
]

BY_NAME = {case.name: case for case in CASES}

if __name__ == "__main__":
    for case in CASES:
        for series in case.series:
            print(f"{series}\t{case.name}\t{case.timeout}")
