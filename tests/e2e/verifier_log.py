#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A verifier log of more than 16 MiB comes whole through the channel and is readable.

usage: verifier_log.py CLI BUILD_DIR SERIES

Exit status: 0 as expected, 1 not, 77 skipped (no kernel of the series).
"""
import json
import os
import re
import subprocess
import sys
import tempfile

from cell import find_kernel

# Two verifications (libbpf's first buffer has 16 MiB, which is too small) of some seconds each.
TIMEOUT = 900


def main(cli, build, series):
    kernel = find_kernel(series)
    scheduler = os.path.join(build, "examples", "schedulers", "heavy_reject.bpf.o")
    with tempfile.TemporaryDirectory(prefix="attachverdict-e2e-") as folder:
        recording = os.path.join(folder, "recording")
        done = subprocess.run(
            [cli, "run", "--kernel", kernel, "--scheduler", scheduler, "--verifier-log", "2",
             "--log-limit", "128M", "--channel-limit", "256M", "--budget-cpu", "600s",
             "--budget-wall", "1200s", "--record", recording],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT, encoding="utf-8",
            check=False)
        print(done.stdout)

        def verifier(*how):
            return subprocess.run([cli, "verifier", *how, recording], check=True, timeout=TIMEOUT,
                                  stdout=subprocess.PIPE, encoding="utf-8").stdout

        told = json.loads(verifier("--format", "json"))
        raw = verifier("--raw")
        collapsed = verifier("--log")
    wrong = []

    def expect(condition, text):
        if not condition:
            wrong.append(text)

    programs = [p for p in told["programs"] if p["name"] == "heavy_enqueue"]
    expect(len(programs) == 1, f"one heavy_enqueue, not {len(programs)}")
    program = programs[0]
    log, failing = program["log"], program["failing"]
    first = done.stdout.splitlines()[0]
    expect(done.returncode == 1, f"exit status {done.returncode}")
    expect(first == "DIED (verifier-rejected): program 'heavy_enqueue' insn "
           f"{failing['insn']}: {failing['message']}", f"first line: {first}")
    # The log is whole: from the first instruction to the last line, nothing dropped.
    expect(log["bytes"] > 16 << 20, f"only {log['bytes']} bytes of log")
    expect(not any(log[name] for name in ("head_missing", "tail_missing", "unfinished",
                                          "elided")), f"the log is not whole: {log}")
    processed = re.findall(r"^processed (\d+) insns", raw, re.MULTILINE)
    expect(len(processed) == 1, f"last lines of the verifier: {processed}")
    expect(len(re.findall(r"(?m)^\d+: \([0-9a-f]{2}\)", raw)) >= int(processed[0]),
           "instructions are missing")
    # The figures of the probe are those of the log.
    figure = program["figures"]["processed_insns"]
    expect(figure["value"] == int(processed[0]), f"processed: {figure}, log: {processed}")
    expect(figure["value"] > 10000, "too small an example")
    # Readable: few lines, the loops with their counts, the failing path as it is.
    lines = collapsed.splitlines()
    expect(len(lines) < 200, f"{len(lines)} lines are left")
    expect(re.search(r"(?m)^/ \d\d times:$", collapsed), "no loop of 31 iterations")
    expect(re.search(r"(?m)^\| / 9\d( to 9\d)? times", collapsed), "no loop in the loop")
    steps = [line for line in raw.splitlines()
             if re.match(r"\d+: |from |; |func|caller|callee|to caller|returning| R", line)]
    end = max(i for i, line in enumerate(steps) if line.startswith(f"{failing['insn']}: ("))
    for line in steps[end - 20:end + 1]:
        expect(line in lines, f"a step of the failing path is missing: {line}")
    expect(failing["message"] in lines, "the verifier's words are missing")
    print(f"{log['bytes']} bytes, {log['lines']} lines, shown as {len(lines)}")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
