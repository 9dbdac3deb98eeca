#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What the probe of the verifier's statistics costs, as ratios of cells with and without it.

usage: bench_probe.py CLI LOAD_MANY OBJECT

Cells with --verifier-stats on and off take turns on one kernel. The figures are the least of all
turns: whatever else the host does only adds to them.
"""

import json
import os
import subprocess
import sys

TURNS = 3


def kernels():
    top = os.environ.get("AVD_TEST_KERNELS", "")
    found = sorted(os.listdir(top)) if os.path.isdir(top) else []
    return [f"{top}/{name}/vmlinuz" for name in found if not name.startswith("6.12")]


def cell(kernel, stats):
    done = subprocess.run([CLI, "run", "--kernel", kernel, "--format", "json", "--verifier-stats",
                           stats, "--include", OBJECT, "--scheduler", LOAD_MANY, "--", OBJECT],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=600)
    evidence = json.loads(done.stdout)["evidence"]
    lines = dict(line.split() for line in evidence["scheduler"]["stdout"]["lines"])
    phases = {p["phase"]: p["time_ns"] for p in evidence["phases"]}
    assert bool(evidence["programs"]) == (stats == "on")
    return {"load of 2 instructions": int(lines["small"]),
            "load of 1000 instructions": int(lines["large"]),
            "load of an object": int(lines["object"]),
            "preparing the start": phases["gate"] - phases["start"]}


def main():
    found = kernels()
    if not found:
        print("skipped: no kernel in $AVD_TEST_KERNELS; tools/check fetches some")
        sys.exit(77)
    least = {"on": {}, "off": {}}
    for turn in range(TURNS):
        for stats in ("on", "off") if turn % 2 else ("off", "on"):
            for name, ns in cell(found[-1], stats).items():
                least[stats][name] = min(ns, least[stats].get(name, ns))
    print(f"the probe's cost, guest time, least of {TURNS} cells each, {found[-1]}")
    print(f"{'':26}{'without':>12}{'with':>12}{'ratio':>8}")
    for name, off in least["off"].items():
        on = least["on"][name]
        print(f"{name:26}{off / 1e6:9.2f} ms{on / 1e6:9.2f} ms{on / off:8.2f}")


if __name__ == "__main__":
    CLI, LOAD_MANY, OBJECT = sys.argv[1:4]
    main()
