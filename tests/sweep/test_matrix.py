#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A sweep of three real kernels, eight schedulers and two topologies, killed twice half-way and
started again; what its recordings prove; a few cells in shards, one of which is lost.

usage: test_matrix.py CLI SCHEDULERS

Exit status: 0, 1, or 77: skipped, with the reason.
"""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import real_plan

CLI, SCHEDULERS = (os.path.abspath(path) for path in sys.argv[1:3])
KERNELS, TOPOLOGIES = real_plan.kernels_of(True), real_plan.TWO_TOPOLOGIES
CELLS = len(KERNELS) * len(real_plan.EXPECT | real_plan.MORE) * len(TOPOLOGIES)
KILLED_AFTER = (CELLS // 4, CELLS // 4)  # ended cells, in the first and in the second run


def write_plan(path, full, **parts):
    settings = {"budget-wall": "120s"}  # patience for a busy machine
    path.write_text(real_plan.text(SCHEDULERS, full, **parts, **settings), encoding="utf-8")
    return path


def start(plan, out, *options):
    return subprocess.Popen([CLI, "sweep", plan, "--out", out, "--jobs", "2", *options],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8")


def run_until(plan, out, count):
    """Kills the sweep, as the out-of-memory killer would, after `count` cells have ended (never:
    None). Exit status, and the cells that it told of."""
    told = []
    with start(plan, out) as child:
        for line in child.stdout:
            print(line, end="")
            if line.startswith(("ok ", "not ok ")):
                told.append(line.removeprefix("not ").split()[1].rstrip(":"))
            if len(told) == count:
                child.send_signal(signal.SIGKILL)
    return child.returncode, told


def recordings(out):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in pathlib.Path(out, "cells").iterdir() if path.suffix == ".avd"}


def show(out, *options, encoding="utf-8"):
    return subprocess.run([CLI, "show", *options, out], check=False, encoding=encoding,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def results(out):
    return json.loads(show(out, "--format", "json").stdout)


def facts(report):
    return {cell["id"]: (cell["outcome"], cell["result_code"], cell["met"])
            for cell in report["cells"]}


def killed_twice(plan, out):
    """Nothing is lost, nothing is run twice."""
    seen, told = {}, []
    for count in (*KILLED_AFTER, None):
        code, ended = run_until(plan, out, count)
        assert code == (-signal.SIGKILL if count else 0), code
        assert not set(told) & set(ended), f"run twice: {set(told) & set(ended)}"
        told += ended
        now = recordings(out)
        changed = [name for name, mark in seen.items() if now.get(name) != mark]
        assert not changed, f"lost or made again: {changed}"
        seen = now
    assert len(seen) == CELLS, sorted(seen)
    report = results(out)
    assert (report["cell_count"], report["met_count"]) == (CELLS, CELLS), show(out).stdout
    # A killed sweep may have ended a cell that it could not tell of any more.
    assert set(told) <= set(facts(report)) and len(told) >= CELLS - 2 * len(KILLED_AFTER), told
    return report


def check_veristat(out, scratch):
    """The programs of all cells, as veristat has them."""
    done = show(out, "--format", "veristat")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    verdicts = {}
    for row in rows:
        verdicts.setdefault(row["file_name"].split("/")[1], set()).add(row["verdict"])
        assert int(row["total_insns"]) > 0, row
    assert verdicts["fifo"] == {"success"} and verdicts["fifo.bpf.o"] == {"success"}, verdicts
    assert "failure" in verdicts["reject"] and "absent" not in verdicts, verdicts
    files = {row["file_name"] for row in rows}
    assert len({name for name in files if "/fifo/" in name}) == len(KERNELS) * len(TOPOLOGIES)
    assert f"{CELLS - len(files)} of {CELLS} cells left out" in done.stderr, done.stderr
    if not shutil.which("veristat"):
        print("(no veristat here; Python's csv has read the table)")
        return
    table = scratch / "sweep.csv"
    table.write_text(done.stdout, encoding="utf-8")
    subprocess.run(["veristat", "-C", table, table], check=True, stdout=subprocess.DEVNULL)


def check_proof(plan, out):
    """What the recordings prove; one that is gone is made again, and no other."""
    done = show(out, "--verify")
    assert (done.returncode, done.stderr) == \
        (0, f"{CELLS} results proved by their recordings, 0 not\n"), done.stderr
    paths = sorted(pathlib.Path(out, "cells").iterdir())
    kept = recordings(out)
    original = paths[1].read_bytes()
    paths[1].write_bytes(original[:-1])
    done = show(out, "--verify")
    assert done.returncode == 1 and "1 not\n" in done.stderr, done.stderr
    paths[1].write_bytes(original)
    paths[0].unlink()
    code, told = run_until(plan, out, None)
    assert (code, len(told)) == (0, 1), told
    now = recordings(out)
    assert set(now) == set(kept)
    assert {path.name for path in paths if now[path.name] != kept[path.name]} == \
        {paths[0].name, paths[1].name}
    assert show(out, "--verify").returncode == 0


def shards_merged(scratch):
    """One shard of four is never run; its cell is not confirmed, the others are as in a whole."""
    plan = write_plan(scratch / "shards.cfg", False, kernels=KERNELS[:1])
    parts = []
    for shard in (1, 2, 4):
        parts.append(scratch / f"shard{shard}")
        child = start(plan, parts[-1], "--shard", f"{shard}/4")
        child.communicate()
        assert child.returncode == 0, f"shard {shard}: exit status {child.returncode}"
    out = scratch / "merged"
    done = subprocess.run([CLI, "merge", "--out", out, *parts], check=False)
    assert done.returncode == 3, done.returncode
    for number, fact in enumerate(facts(results(out)).values()):
        assert (fact == ("UNCONFIRMED", "not-run", False)) == (number == 2), (number, fact)
    # What is missing can be run into the merged directory, and then it is whole.
    code, told = run_until(plan, out, None)
    assert (code, len(told)) == (0, 1), (code, told)
    report = results(out)
    assert report["met_count"] == report["cell_count"] == 4, report
    assert show(out, "--verify").returncode == 0


def main():
    with tempfile.TemporaryDirectory(prefix="avd-matrix-") as name:
        scratch = pathlib.Path(name)
        plan = write_plan(scratch / "plan.cfg", True)
        out = scratch / "whole"
        began = time.monotonic()
        killed_twice(plan, out)
        print(f"{CELLS} cells, killed twice: {time.monotonic() - began:.0f} s")
        check_veristat(out, scratch)
        check_proof(plan, out)
        shards_merged(scratch)


if __name__ == "__main__":
    main()
