#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Files stay near 400 lines and functions near 60: names those above, fails far above."""

import pathlib
import re
import sys

FILE_NEAR, FILE_MAX = 400, 500
FUNCTION_NEAR, FUNCTION_MAX = 60, 90
# By the style, a function's body opens and closes in the first column.
NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\(")


def functions(lines):
    """(name, first line, length) of each function."""
    start, name = None, None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield name, start, number - start + 1
            start = None
        elif start is None and line and not line[0].isspace():
            found = NAME.search(line)
            name = found[1] if found else name


def main(top):
    faults = count = 0
    for folder in ("include", "lib", "guest", "tools", "examples", "tests"):
        for path in sorted((top / folder).rglob("*.*")):
            if path.suffix not in (".c", ".h", ".js", ".css", ".html"):
                continue
            count += 1
            lines = path.read_text().splitlines()
            where = path.relative_to(top)
            if len(lines) > FILE_NEAR:
                print(f"{where}: {len(lines)} lines")
                faults += len(lines) > FILE_MAX
            for name, first, length in functions(lines):
                if length > FUNCTION_NEAR:
                    print(f"{where}:{first}: {name}() has {length} lines")
                    faults += length > FUNCTION_MAX
    print(f"{count} files looked at, {faults} above {FILE_MAX} lines a file, {FUNCTION_MAX} a function")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
