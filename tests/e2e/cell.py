#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Runs one case of cases.py on a real kernel and checks what comes out.

usage: cell.py CLI BUILD_DIR SERIES CASE

Exit status: 0 as expected, 1 not, 77 skipped (no kernel of the series). The kernel is
found in $AVD_TEST_KERNELS/<release>/vmlinuz.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from cases import BY_NAME

SKIP = 77


def find_kernel(series):
    top = os.environ.get("AVD_TEST_KERNELS", "")
    if not top:
        print("skipped: AVD_TEST_KERNELS is not set; run tools/check, or set it to a folder of "
              "<release>/vmlinuz")
        sys.exit(SKIP)
    found = sorted(r for r in (os.listdir(top) if os.path.isdir(top) else [])
                   if r.startswith(series + ".") and os.path.exists(f"{top}/{r}/vmlinuz"))
    if not found:
        print(f"skipped: no kernel {series} in {top}; fetch one: tools/fetch-kernel --series "
              f"{series}")
        sys.exit(SKIP)
    return f"{top}/{found[-1]}/vmlinuz"


def run(arguments, timeout):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout)
    return done.returncode, done.stdout, done.stderr.decode(errors="backslashreplace")


def one_of(value, alternatives):
    return (value or "none") in alternatives.split("|")


def check(case, status, report):
    """What is wrong with the report, as a list of lines."""
    wrong = []

    def expect(condition, text):
        if not condition:
            wrong.append(text)

    result_code = case.result_code or case.code
    expect(one_of(report["outcome"], case.outcome), f"outcome: expected {case.outcome}")
    expect(one_of(report["reason_code"], case.code), f"reason_code: expected {case.code}")
    expect(report["result"] == case.result, f"result: expected {case.result}")
    expect(one_of(report["result_code"], result_code), f"result_code: expected {result_code}")
    # A code is null where there is nothing to give a reason for.
    expect((report["reason"] is None) == (report["outcome"] == "ATTACHED"),
           "reason is null exactly when ATTACHED")
    expect(re.search(case.reason, report["reason"] or ""), f"reason: expected /{case.reason}/")
    expect(re.search(case.result_reason, report["result_reason"] or ""),
           f"result_reason: expected /{case.result_reason}/")
    expect(case.end_cause in (None, report["end_cause"]), f"end_cause: expected {case.end_cause}")
    # The guest's own view of its CPUs is there, and the verdict knows of a difference.
    seen = report["topology"]
    expect(seen["seen"] or report["outcome"] == "UNCONFIRMED", "topology: the guest told nothing")
    expect(report["result_code"] != "topology-mismatch" or seen["same"] is False,
           "topology: a mismatch without a difference")
    expect(case.result != "passed" or seen["same"], f"topology: {seen['difference']}")
    for name, pattern in case.evidence.items():
        value = report["evidence"]
        for part in name.split("."):
            value = value and value.get(part)
        expect(re.search(pattern, str(value)), f"evidence.{name}: expected /{pattern}/")
    # The KVM machine has none in a build with sanitizers, which QEMU is not.
    without = report["machine"]["kind"] == "kvm" and "AVD_SANITIZED" in os.environ
    sandbox = "none" if without or "--no-sandbox" in case.options else "seccomp"
    expect(report["machine"]["sandbox"] == sandbox, f"sandbox: expected {sandbox}")
    want = case.exit if case.exit is not None else (0 if case.result == "passed" else 1)
    expect(status == want, f"exit status: expected {want}, got {status}")
    return wrong


def main():
    cli, build, series, name = sys.argv[1:5]
    case = BY_NAME[name]
    kernel = find_kernel(series)
    path = lambda p: p if p.startswith("guest:") else os.path.join(build, p)

    arguments = [cli, "run", "--kernel", kernel, "--format", "json", *case.options]
    for include in case.include:
        arguments += ["--include", path(include)]
    if case.payload:
        arguments += ["--payload", " ".join([path(case.payload[0]), *case.payload[1:]])]
    arguments += ["--scheduler", path(case.scheduler[0])]
    # Further arguments that name a program of the build directory stand at its path in the guest.
    more = [path(a) if os.path.exists(path(a)) else a for a in case.scheduler[1:]]

    for turn in range(case.repeat):
        with tempfile.TemporaryDirectory(prefix="avd-e2e-") as scratch:
            recording = f"{scratch}/cell.avd"
            command = [*arguments, "--record", recording, *(["--", *more] if more else [])]
            print("+", " ".join(command), flush=True)
            status, out, err = run(command, case.timeout)
            sys.stdout.write(err)
            try:
                report = json.loads(out)
            except ValueError:
                sys.exit(f"exit status {status}, and no JSON on standard output: {out[:2000]!r}")
            summary = {k: v for k, v in report.items() if k != "evidence"}
            print(json.dumps(summary, indent=1))
            wrong = check(case, status, report)
            replay_status, replayed, err = run([cli, "replay", "--format", "json", recording],
                                              case.timeout)
            if replayed != out or replay_status != status:
                wrong.append(f"replay differs: exit {replay_status}, {replayed[:2000]!r} {err}")
            if wrong:
                print(json.dumps(report.get("evidence"), indent=1)[:20000])
                sys.exit("turn %d: %s" % (turn + 1, "; ".join(wrong)))


if __name__ == "__main__":
    main()
