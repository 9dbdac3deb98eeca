#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What the library exports is what the public headers declare, and each comment says since when."""

import pathlib
import re
import subprocess
import sys

COMMENT_OR_CODE = re.compile(r"/\*.*?\*/|[^/]+|/", re.DOTALL)
DECLARED = re.compile(r"AVD_API\b[^;]*?\b(avd_[a-z0-9_]+)\s*\(")
SINCE = re.compile(r"\bSince[\s*]+\d+\.\d+\b")  # the line may break


def exported(library):
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", library],
        capture_output=True, text=True, check=True,
    ).stdout
    names = (line.split()[0] for line in listing.splitlines())
    # A version node of the map is a symbol, too.
    return {name.partition("@")[0] for name in names if not name.startswith("ATTACHVERDICT_")}


def declared(header):
    """name -> the comment before its declaration."""
    found, comment = {}, ""
    # A macro's own body is no declaration.
    text = re.sub(r"^#(?:.*\\\n)*.*$", "", header.read_text(), flags=re.MULTILINE)
    for piece in COMMENT_OR_CODE.findall(text):
        if piece.startswith("/*"):
            comment = piece
            continue
        for statement in re.findall(r"[^;]*;", piece):
            name = DECLARED.search(statement)
            if name:
                found[name[1]] = comment
    return found


def main(library, include):
    documented = {}
    for header in sorted(pathlib.Path(include).glob("*.h")):
        documented.update(declared(header))
    symbols = exported(library)
    faults = [f"{name} is exported, but no public header declares it"
              for name in sorted(symbols - documented.keys())]
    faults += [f"{name} is declared, but not exported (lib/libattachverdict.map)"
               for name in sorted(documented.keys() - symbols)]
    faults += [f"{name}: the comment before it does not say 'Since X.Y'"
               for name, comment in sorted(documented.items()) if not SINCE.search(comment)]
    for fault in faults:
        print(fault)
    print(f"{len(symbols)} exported, {len(documented)} declared, {len(faults)} faults")
    return 1 if faults or not symbols else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
