# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A plan of real kernels and schedulers, for the tests that run one."""

import glob
import os
import sys

SKIP = 77
TWO_TOPOLOGIES = ["2", "1n2l1c2t"]
# What each comes to; for those that never end by themselves the gate's patience is set below.
EXPECT = {
    "fifo": "passed",
    "reject": "DIED/verifier-rejected",
    "init_fail": "NOT_ATTACHED/init-failed",
    "absent": "DIED/exec-failed",
}
MORE = {"fifo.bpf.o": "passed", "eject": "failed", "dies_early": "DIED",
        "missing_kfunc": "DIED/missing-kfunc"}


def kernels_of(full):
    return ["7.3", "6.16", "7.2"] if full else ["7.3", "6.16"]


def find(series):
    top = os.environ["AVD_TEST_KERNELS"]
    found = sorted(glob.glob(f"{top}/{series}.*/vmlinuz"))
    if not found:
        print(f"skipped: no kernel {series} below {top}; tools/fetch-kernel --series {series}")
        sys.exit(SKIP)
    return found[-1]


def need_kernels(full):
    """Skips, with the reason, if one is missing."""
    for series in kernels_of(full):
        find(series)


def text(schedulers, full, kernels=None, topologies=None, schedulers_only=None, **settings):
    """The plan's file: two kernels by four schedulers; `full` is three kernels, eight schedulers
    and two topologies."""
    kernels = kernels or kernels_of(full)
    topologies = topologies or (TWO_TOPOLOGIES if full else ["2"])
    lines = ["kernels = ("]
    lines += [f'  {{ name = "{k}"; kernel = "{find(k)}"; }},' for k in kernels]
    lines[-1] = lines[-1].rstrip(",") + " );"
    lines.append("schedulers = (")
    for name, expect in (EXPECT | MORE if full else EXPECT).items():
        if schedulers_only and name not in schedulers_only:
            continue
        path = "guest:/absent" if name == "absent" else f"{schedulers}/{name}"
        lines.append(f'  {{ name = "{name}"; run = "{path}"; '
                     f'expect = "{expect}"; }},')
    lines[-1] = lines[-1].rstrip(",") + " );"
    lines.append("topologies = [" + ", ".join(f'"{t}"' for t in topologies) + "];")
    settings = {"memory": "512M", "budget-wall": "60s", **settings}
    lines.append("settings = { " + " ".join(f'{k} = "{v}";' for k, v in settings.items()) + " };")
    return "\n".join(lines) + "\n"
