#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Adds up what the stages of tools/check left: one JSON object a line, Meson's own test log
(a test a line) or a stage's {"name", "result", "log"}. Tells each failure with the end of its
output and each skipped test with its reason; the last line is the count."""

import json
import pathlib
import sys

TAIL = 40  # lines of a failure that are shown; the rest is in the log
PASSED = {"OK", "EXPECTEDFAIL"}


def output(entry):
    return "\n".join(entry.get(key) or "" for key in ("stdout", "stderr")).strip()


def reason(entry):
    """Why a test skipped: its last line that is not empty."""
    lines = [line.strip() for line in output(entry).splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"


def main(logs):
    passed, failed, skipped = 0, [], []
    for log in map(pathlib.Path, logs):
        if not log.exists():
            continue
        for line in log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # Meson was killed as it wrote
                entry = {"name": "a torn line", "result": "TORN", "stdout": line}
            entry["run"] = log.stem
            if entry["result"] in PASSED:
                passed += 1
            elif entry["result"] == "SKIP":
                skipped.append(entry)
            else:
                failed.append(entry)
    if skipped:
        print("\nSkipped:")
        for entry in skipped:
            print(f"  {entry['name']} ({entry['run']}): {reason(entry)}")
    for entry in failed:
        print(f"\nFailed: {entry['name']} ({entry['run']}, {entry['result'].lower()})")
        for line in output(entry).splitlines()[-TAIL:]:
            print(f"  {line}")
    print(f"\n{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
