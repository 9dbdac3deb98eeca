#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A sweep of real kernels and schedulers, killed twice half-way and started again; the same in
shards, one of which is lost.

usage: test_sweep.py CLI SCHEDULERS [full]

By default two kernels, by four schedulers; `full` is three kernels, eight schedulers, two
topologies. Exit status: 0, 1, or 77: skipped, with the reason.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import real_plan

CLI, SCHEDULERS = (os.path.abspath(path) for path in sys.argv[1:3])
FULL = sys.argv[3:] == ["full"]
CELLS = 48 if FULL else 8


def start(plan, out, *options):
    return subprocess.Popen([CLI, "sweep", plan, "--out", out, "--jobs", "2", *options],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8")


def run_until(plan, out, count):
    """Kills the sweep, as the out-of-memory killer would, after `count` cells have ended."""
    child = start(plan, out)
    ended = []
    with child:
        for line in child.stdout:
            if line.startswith(("ok ", "not ok")):
                ended.append(line.split()[-4 if "(" in line else -3].rstrip(":"))
                if len(ended) == count:
                    break
        child.send_signal(signal.SIGKILL)
    return len(ended)


def recordings(out):
    return {path.name: path.stat().st_mtime_ns for path in pathlib.Path(out, "cells").iterdir()
            if path.suffix == ".avd"}


def results(out):
    done = subprocess.run([CLI, "show", "--format", "json", out], check=False,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def facts(report):
    return {cell["id"]: (cell["outcome"], cell["result_code"], cell["met"])
            for cell in report["cells"]}


def killed_twice(plan, scratch):
    out = os.path.join(scratch, "whole")
    before = 0
    seen = {}
    for count in (1, 2):
        before += run_until(plan, out, count)
        for name, mtime in recordings(out).items():
            assert seen.setdefault(name, mtime) == mtime, f"{name} was run twice"
    child = start(plan, out)
    text, _ = child.communicate()
    print(text)
    assert child.returncode == 0, f"exit status {child.returncode}"
    final = recordings(out)
    assert len(final) == CELLS, final
    for name, mtime in seen.items():
        assert final[name] == mtime, f"{name} was run again"
    kept = int(text.splitlines()[-1].split(";")[1].split()[0])
    assert before <= kept == len(seen), (before, kept, len(seen))
    report = results(out)
    assert (report["cell_count"], report["met_count"]) == (CELLS, CELLS), report
    return report


def shards_merged(plan, scratch, whole):
    """One shard of four is never run; its cells are not confirmed, the others' equal."""
    parts = []
    for shard in (1, 2, 4):
        parts.append(os.path.join(scratch, f"shard{shard}"))
        child = start(plan, parts[-1], "--shard", f"{shard}/4")
        child.communicate()
        assert child.returncode == 0, f"shard {shard}: exit status {child.returncode}"
    out = os.path.join(scratch, "merged")
    done = subprocess.run([CLI, "merge", "--out", out, *parts], check=False)
    assert done.returncode == 3, done.returncode
    want = facts(whole)
    for number, (cell, fact) in enumerate(facts(results(out)).items()):
        if number % 4 == 2:
            assert fact == ("UNCONFIRMED", "not-run", False), (cell, fact)
        else:
            assert fact == want[cell], (cell, fact, want[cell])
    # What is missing can be run into the merged directory, and then it is whole.
    child = start(plan, out)
    child.communicate()
    assert child.returncode == 0
    assert facts(results(out)) == want


def main():
    with tempfile.TemporaryDirectory(prefix="avd-sweep-") as scratch:
        plan = os.path.join(scratch, "plan.cfg")
        with open(plan, "w", encoding="utf-8") as file:
            file.write(real_plan.text(SCHEDULERS, FULL))
        whole = killed_twice(plan, scratch)
        shards_merged(plan, scratch, whole)


if __name__ == "__main__":
    main()
