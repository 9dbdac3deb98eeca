#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Cells on a host whose kernel corrected the rate of its TSC after KVM had been loaded.

usage: tsc.py CLI BUILD_DIR INIT TSC

KVM then makes vCPUs at the old rate, and where the CPU can't scale its TSC their timers come ever
later, so that the guest seems to hang; a busy host under emulation comes to that by chance, when
its first calibration fails. Here the first rate is given, and wrong by 0.1 %: more than the
250 ppm that KVM takes for the same (kvm.tsc_tolerance_ppm), less than the 1 % above which the
kernel keeps the old rate (arch/x86/kernel/tsc.c, tsc_refine_calibration_work()).

Exit status: 0, 1, or 77: skipped, with the reason.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import outer  # noqa: E402
from cell import SKIP  # noqa: E402
from nested import TIMEOUT, find_outer, judge, make_plan  # noqa: E402

PART = [("7.3", "fifo-object", []), ("7.3", "fifo-1cpu", [])]
# What kvm.ko says of a vCPU that it makes at a rate below the host's.
BELOW = "user requested TSC rate below hardware speed"
# The correction comes a second after the clock was set up, which on a busy host may be before
# the modules are loaded. Then nothing was tried, and the outer machine is started again.
BOOTS = 5


def main():
    cli, build, init, tsc = sys.argv[1:5]
    kernel, modules = find_outer()
    khz = int(subprocess.run([tsc], check=True, stdout=subprocess.PIPE).stdout)
    with tempfile.TemporaryDirectory(prefix="avd-nested-") as scratch:
        files, plan, cases = make_plan(PART, os.path.abspath(cli), build, scratch)
        for _ in range(BOOTS):
            console = []
            try:
                done = outer.run(kernel, modules, init, list(files.items()), plan,
                                 memory_mib=3072, timeout=TIMEOUT, console=console,
                                 kernel_args=f"loglevel=5 tsc_early_khz={khz * 999 // 1000}")
            except outer.OuterError as error:
                sys.exit(f"the outer machine: {error}")
            wrong = [f"{label}: {line}" for label, case in cases.items()
                     for line in (judge(label, case, done[label]) if label in done
                                  else ["no result"])]
            if wrong:
                sys.exit("\n".join(wrong))
            if any(BELOW in line for line in console):
                return
            print("the outer kernel corrected its TSC before KVM was loaded; once more")
    print(f"skipped: in {BOOTS} boots the outer kernel always corrected its TSC before KVM was "
          "loaded; run it on a machine that is less busy")
    sys.exit(SKIP)


if __name__ == "__main__":
    main()
