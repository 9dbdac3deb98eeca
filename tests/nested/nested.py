#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The KVM machine with real kernels: cells of tests/e2e/cases.py inside an outer machine.

usage: nested.py CLI BUILD_DIR INIT PART

What must come out is what the same cases of the e2e suite must give in QEMU, so both
machines agree on each of these cells. Exit status: 0, 1, or 77: skipped, with the reason.
"""

import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import outer  # noqa: E402
from cases import BY_NAME  # noqa: E402
from cell import SKIP, check, find_kernel  # noqa: E402

# The outer kernel: the one whose KVM works in an emulated SVM. TCG does not save the next RIP, so
# KVM reads an instruction from guest memory to step over it. 6.13 to 6.17.2 (CVE-2025-40038) do
# that on the fast path of HLT, too, where the guest's CR3 that they look through is still the one
# of the last slow exit: if that process has ended meanwhile, the walk finds garbage, and the cell
# ends in KVM's internal error 1 at the idle loop's hlt or at a wrmsr. The case fifo-churn makes it
# happen: 3 of 3 cells on 6.16.12, 0 of 6 on 6.12.117, 0 of 33 on 7.3.4. But on 7.3.4 the inner
# kernel died early in 2 of 89 boots, of a double fault with garbage in RFLAGS, on 6.12.117 in 0 of
# 110; TCG or KVM, it is not known. Real SVM saves the next RIP: real hosts are not affected.
OUTER_SERIES = "6.12"
BROKEN = ["reject-object", "init-fail", "eject", "stall", "dies-early", "never-attaches", "absent"]
ENDS = ["panic-before-attach", "reset-before-attach", "panic-after-attach", "init-killed",
        "early-panic"]
# (series, case, more options); a part is one outer machine, and they run side by side.
PARTS = {
    "7.3": [("7.3", name, []) for name in ["fifo-object", "fifo-1cpu", "fifo-4cpus", "fifo-churn",
                                           "fifo-no-sandbox",
                                           *BROKEN, *ENDS]],
    "others": [("7.2", name, []) for name in ["fifo-object", *BROKEN]]
    + [("6.16", name, []) for name in ["fifo-object", "fifo-4cpus", *BROKEN]]
    + [("6.12", "no-sched-ext", []), ("7.3-packed", "fifo-object", [])],
    # What the guest itself sees of its CPUs. The last cell has 25 of them so that one has the APIC
    # id 256, which takes an interrupt controller and tables of another kind.
    "topologies": [("7.3", name, []) for name in ["fifo-numa-smt", "fifo-uneven-llc",
                                                  "fifo-cpu-missing"]]
    + [("6.16", "fifo-2llc", []),
       ("7.3", "fifo-object", ["--topology", "1n9l17+1+1+1+1+1+1+1+1c1t",
                               "--boot-timeout", "500s"])],  # however busy the host
}
# Seconds; a hang is a failure, speed is not judged. A cell takes five or so.
TIMEOUT = 3000


def packed_oddly(kernel, scratch):
    """The same kernel with a payload that we can't unpack, because the header, which the kernel
    itself has no need of, points one byte too far: it has to unpack itself."""
    with open(kernel, "rb") as file:
        image = bytearray(file.read())
    at = 0x248  # payload_offset; Documentation/arch/x86/boot.rst
    struct.pack_into("<I", image, at, struct.unpack_from("<I", image, at)[0] + 1)
    path = os.path.join(scratch, "vmlinuz-packed")
    with open(path, "wb") as file:
        file.write(image)
    return path


def libraries(program):
    """What the dynamic linker loads for a program, at the places where it looks."""
    text = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {os.path.normpath(path) for path in re.findall(r"(/\S+) \(0x", text)}


def objects_only(case, build):
    """The case's scheduler as something that needs no library of its own."""
    path = case.scheduler[0]
    return path + ".bpf.o" if os.path.exists(f"{build}/{path}.bpf.o") and "e2e" not in path else path


def make_plan(part, cli, build, scratch):
    """The outer machine's files, its plan, and the case of each of the plan's lines."""
    files = {cli: os.path.normpath(cli)}
    files.update({path: path for path in libraries(cli)})
    plan, cases = [], {}

    def bring(path):
        if path.startswith("guest:"):
            return path
        path = os.path.normpath(os.path.join(build, path))
        files[path] = path
        files.update({library: library for library in
                      (libraries(path) if not path.endswith(".o") and "hostile" not in path
                       else ())})
        return path

    for number, (series, name, options) in enumerate(part):
        case = BY_NAME[name]
        kernel = find_kernel(series.split("-", maxsplit=1)[0])
        if series.endswith("-packed"):
            kernel = packed_oddly(kernel, scratch)
        files[kernel] = f"/kernels/{series}"
        words = [os.path.normpath(cli), "run", "--machine", "kvm", "--kernel",
                 f"/kernels/{series}", "--memory", "512M", "--format", "json"]
        for option in [*case.options, *options]:
            words.append(option.replace(" ", "\x1f"))
        if case.payload:
            words += ["--payload", "\x1f".join([bring(case.payload[0]), *case.payload[1:]])]
        words += ["--scheduler", bring(objects_only(case, build))]
        if case.scheduler[1:]:
            words += ["--", *case.scheduler[1:]]
        label = f"{number}-{series}-{name}" + "".join(options)
        plan.append((label, words))
        cases[label] = case
    return files, plan, cases


def judge(label, case, done):
    try:
        report = json.loads(done.out)
    except ValueError:
        return [f"exit status {done.status}, no JSON: {done.out[-1000:]!r} {done.err[-1000:]}"]
    wrong = check(case, done.status, report)
    machine = report["machine"]
    if machine["kind"] != "kvm" or machine["carrier"] != "window":
        wrong.append(f"not in the KVM machine through the window: {machine}")
    if wrong:
        wrong.append(json.dumps(report, indent=1)[:8000])
    print(f"{'not ok' if wrong else 'ok'} {label}: {report['outcome']} "
          f"{report['reason_code']} {report['result_code']}", flush=True)
    return wrong


def find_outer():
    """The outer machine's kernel, and the folder with its modules."""
    kernel = find_kernel(OUTER_SERIES)
    modules = os.path.join(os.path.dirname(kernel), "modules")
    if not glob.glob(os.path.join(glob.escape(modules), "**", "kvm-amd.ko*"), recursive=True):
        print(f"skipped: no kvm-amd.ko below {modules}; fetch it: tools/fetch-kernel --series "
              f"{OUTER_SERIES} --modules")
        sys.exit(SKIP)
    return kernel, modules


def main():
    cli, build, init, part = sys.argv[1:5]
    cli = os.path.abspath(cli)
    kernel, modules = find_outer()
    with tempfile.TemporaryDirectory(prefix="avd-nested-") as scratch:
        files, plan, cases = make_plan(PARTS[part], cli, build, scratch)
        try:
            done = outer.run(kernel, modules, init, list(files.items()), plan,
                             cpus=1, memory_mib=3072, timeout=TIMEOUT)
        except outer.OuterError as error:
            sys.exit(f"the outer machine: {error}")
    wrong = []
    for label, case in cases.items():
        lines = judge(label, case, done[label]) if label in done else ["no result"]
        wrong += [f"{label}: {line}" for line in lines]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
