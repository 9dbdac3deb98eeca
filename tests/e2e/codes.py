#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Every reason code is covered by a test that makes it happen.

usage: codes.py CLI SOURCE_DIR

Prints which is covered where. Fails for a code without a test, and for one that no case of
cases.py and none of the tests named here expects without an alternative.
"""
import pathlib
import re
import subprocess
import sys

from cases import CASES

# What no cell brings about: the file, and what it must hold.
ELSEWHERE = {
    "machine-error": ("tests/cli/test_ends.py", '"machine-error"'),
    "truncated": ("tests/cli/test_ends.py", '"truncated"'),
    "channel-corrupt": ("tests/cli/test_ends.py", '"channel-corrupt"'),
    "host-stop": ("tests/cli/test_signals.py", '"host-stop"'),
    "not-run": ("tests/sweep/test_matrix.py", '"not-run"'),
    "lost": ("tests/sweep/test_mark.py", '"lost"'),
    # Nothing in a stock kernel makes it oops on demand and go on: lines of real oopses are fed.
    "oops": ("tests/unit/test_cell_console.c", "Oops: "),
}


def expected(case):
    """The codes that the case expects and nothing else in their place."""
    for alternatives in (case.code, case.result_code or case.code):
        if "|" not in alternatives and alternatives != "none":
            yield alternatives


def main(cli, source):
    out = subprocess.run([cli, "explain"], check=True, stdout=subprocess.PIPE).stdout.decode()
    codes = re.findall(r"(?m)^([a-z][a-z-]*) ", out)
    assert len(codes) >= 28 and len(set(codes)) == len(codes), codes
    bare = []
    for code in codes:
        where = sorted({f"e2e:{case.name}" for case in CASES if code in expected(case)})
        if code in ELSEWHERE:
            path, word = ELSEWHERE[code]
            if word in (pathlib.Path(source) / path).read_text():
                where.append(path)
        print(f"{code:19} {', '.join(where) or 'NO TEST'}")
        if not where:
            bare.append(code)
    unknown = {code for case in CASES for code in expected(case)} - set(codes)
    if bare or unknown:
        sys.exit(f"without a test: {bare}; expected and no code: {sorted(unknown)}")


main(*sys.argv[1:])
