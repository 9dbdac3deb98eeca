#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A room includes its own headers and those that the README's table of rooms grants it."""

import pathlib
import re
import sys

ROW = re.compile(r"^\| \[`([^`]+)/`\]\([^)]*\) \|[^|]*\|([^|]*)\|$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z]+)/[^"]+"')


def table(readme):
    """folder -> set of rooms that it may use, or None for any."""
    rooms = {}
    for line in readme.read_text().splitlines():
        row = ROW.match(line)
        if row:
            may = row[2].strip()
            rooms[row[1]] = None if may == "all" else set(re.findall(r"`([a-z]+)`", may))
    return rooms


def main(top):
    rooms = table(top / "README.md")
    if not rooms:
        sys.exit("README.md has no table of rooms")
    faults = []
    count = 0
    for folder in sorted(p for p in (top / "lib").iterdir() if (p / "meson.build").is_file()):
        name = f"lib/{folder.name}"
        # lib/library only puts the rooms together.
        if name not in rooms and any(folder.glob("*.[ch]")):
            faults.append(f"{name} is not in the README's table of rooms")
    for folder, may in rooms.items():
        if not (top / folder).is_dir():
            faults.append(f"{folder} of the README's table does not exist")
            continue
        for path in sorted((top / folder).rglob("*.[ch]")):
            count += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                if not include or may is None or include[1] == folder.rpartition("/")[2]:
                    continue
                if (top / "lib" / include[1]).is_dir() and include[1] not in may:
                    where = path.relative_to(top)
                    faults.append(f"{where}:{number}: {folder} may not use {include[1]}")
    print(*faults, sep="\n")
    print(f"{count} files of {len(rooms)} folders looked at, {len(faults)} faults")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
