#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The verifier's statistics of a scheduler's programs, on a real kernel.

usage: programs.py CLI BUILD_DIR SERIES PART

Parts: equal (to what the kernel keeps by id, and to a load of the same object at log level 4,
both looked at by a payload in the guest), reject, forge, off, log. Exit status as of cell.py.
"""

import json
import os
import re
import sys

from cell import find_kernel, run

TIMEOUT = 900  # seconds; catches a hang, judges nothing
FIGURES = {"verified_insns", "processed_insns", "total_states", "peak_states",
           "max_states_per_insn", "verification_ns", "stack_depth"}


def cell(*arguments, status=0):
    command = [CLI, "run", "--kernel", KERNEL, "--format", "json", *arguments]
    print("+", " ".join(command), flush=True)
    code, out, err = run(command, TIMEOUT)
    report = json.loads(out)
    summary = {k: report[k] for k in ("outcome", "reason", "result", "result_reason")}
    print(err, json.dumps(summary), flush=True)
    print(json.dumps(report["evidence"]["programs"]), flush=True)
    assert code == status, code
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", out), "control characters in the report"
    return report


def lines_of(report, who, stream):
    return report["evidence"][who][stream]["lines"]


def check_equal(scheduler, obj, names, *options):
    report = cell("--scheduler", scheduler, "--include", obj,
                  "--payload", f"{TOOLS}/prog_view {obj}", *options)
    assert (report["outcome"], report["result"]) == ("ATTACHED", "passed"), report["result_reason"]
    programs = {p["name"]: p for p in report["evidence"]["programs"]}
    views = [line.split() for line in lines_of(report, "payload", "stdout")]
    by_id = {int(v[1]): v[2:] for v in views if v[0] == "id"}
    by_load = {v[1]: [int(n) for n in v[2:]] for v in views if v[0] == "load"}
    assert set(names) <= set(programs) and set(by_load) == set(names), (programs, by_load)
    for name in names:
        mine = programs[name]
        assert set(mine["source"].values()) == {"probe"}, mine
        assert mine["error"] == 0 and mine["type_name"] == "struct_ops", mine
        assert by_id[mine["id"]] == [name[:15], str(mine["type"]), str(mine["verified_insns"]),
                                     str(mine["xlated_bytes"]), str(mine["jited_bytes"])], \
            (mine, by_id)
        assert by_load[name] == [0, mine["processed_insns"], mine["max_states_per_insn"],
                                 mine["total_states"], mine["peak_states"],
                                 mine["stack_depth"]], (mine, by_load[name])
        assert mine["verification_ns"] > 0
    orders = [p["order"] for p in report["evidence"]["programs"]]
    assert orders == list(range(len(orders))), orders
    return report


def part_equal():
    check_equal(f"{EXAMPLES}/fifo", f"{EXAMPLES}/fifo.bpf.o", ["fifo_enqueue"])
    names = ["stats_enqueue", "stats_running"]
    report = check_equal(f"{TOOLS}/stats.bpf.o", f"{TOOLS}/stats.bpf.o", names,
                         "--verifier-log", "4")
    programs = {p["name"]: p for p in report["evidence"]["programs"]}
    assert programs["stats_running"]["total_states"] > 10, "too simple to tell anything"
    # The log that was asked for: of each program, with its name, complete.
    log = lines_of(report, "scheduler", "stderr")
    starts = [line for line in log if "-- BEGIN PROG LOAD LOG --" in line]
    assert [s.split("'")[1] for s in starts] == names, log
    told = [int(line.split()[1]) for line in log if line.startswith("processed ")]
    assert told == [programs[n]["processed_insns"] for n in names], log
    assert len([line for line in log if line == "-- END PROG LOAD LOG --"]) == 2, log


def part_reject():
    report = cell("--scheduler", f"{EXAMPLES}/reject.bpf.o", status=1)
    assert report["outcome"] == "DIED" and report["reason_code"] == "verifier-rejected"
    programs = [p for p in report["evidence"]["programs"] if p["name"] == "reject_enqueue"]
    assert len(programs) == 2, "libbpf loads it again, to get the log"
    for program in programs:
        assert program["error"] == 13 and program["id"] is None, program
        assert program["processed_insns"] > 0 and program["verification_ns"] > 0, program
        assert program["jited_bytes"] is None and program["source"]["jited_bytes"] is None
        assert all(program["source"][f] == "probe" for f in FIGURES), program
    log = lines_of(report, "scheduler", "stderr")
    assert f"processed {programs[1]['processed_insns']} insns" in " ".join(log), log


def part_forge():
    """Root in the guest can write into the ring: read as data, and nothing else changes."""
    report = cell("--scheduler", f"{TOOLS}/forge_programs", "--include", f"{EXAMPLES}/fifo",
                  "--", f"{EXAMPLES}/fifo")
    assert (report["outcome"], report["result"]) == ("ATTACHED", "passed"), report["result_reason"]
    out = lines_of(report, "scheduler", "stdout")
    for line in ("name 0: loaded", "name 1: Invalid argument", "name 2: loaded",
                 "ring: found", "ring: 3 records of 80 bytes: written",
                 "ring: 150 records of 80 bytes: written"):
        assert line in out, out
    names = [p["name"] for p in report["evidence"]["programs"]]
    assert "fifteen_letters" in names and "forged" not in names, names
    assert names.count("\\xff" * 15) == 4 and names.count("\\x1b" * 15) == 1, names
    assert report["evidence"]["channel"]["faults"] == 0
    # What came after the forgeries is there, too, and what was none of ours is counted.
    assert "fifo_enqueue" in names, names
    assert "were not" in " ".join(lines_of(report, "guest", "init_log"))


def part_off():
    report = cell("--scheduler", f"{EXAMPLES}/fifo.bpf.o", "--verifier-stats", "off")
    assert report["outcome"] == "ATTACHED" and report["result"] == "passed"
    assert report["evidence"]["programs"] == [] and report["evidence"]["programs_total"] == 0
    assert not any("statistics" in line for line in lines_of(report, "guest", "init_log"))


def part_log():
    """More than 16 MiB, libbpf's first buffer: complete, and the gate does not starve."""
    report = cell("--scheduler", f"{TOOLS}/stats_long.bpf.o", "--verifier-log", "2",
                  "--log-limit", "128M", "--budget-cpu", "300s", "--budget-wall", "300s")
    assert (report["outcome"], report["result"]) == ("ATTACHED", "passed"), report["result_reason"]
    err = report["evidence"]["scheduler"]["stderr"]
    assert err["bytes"] > 16 << 20 and err["dropped"] == 0, (err["bytes"], err["dropped"])
    assert err["lines"][-1] == "-- END PROG LOAD LOG --", err["lines"][-3:]
    programs = [p for p in report["evidence"]["programs"] if p["name"] == "stats_running"]
    # ENOSPC as long as the log did not fit, then accepted: libbpf doubles its buffer.
    assert [p["error"] for p in programs] == [28] * (len(programs) - 1) + [0], programs
    assert len(programs) > 1, programs
    assert f"processed {programs[-1]['processed_insns']} insns" in err["lines"][-2], err["lines"][-3:]


if __name__ == "__main__":
    CLI, BUILD, SERIES, PART = sys.argv[1:5]
    KERNEL = find_kernel(SERIES)
    EXAMPLES = os.path.join(BUILD, "examples/schedulers")
    TOOLS = os.path.join(BUILD, "tests/e2e/schedulers")
    {"equal": part_equal, "reject": part_reject, "forge": part_forge, "off": part_off,
     "log": part_log}[PART]()
