#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The shared library exports the functions of the public headers, and nothing else.

usage: symbols.py NM LIBRARY MAP HEADER...
"""

import pathlib
import re
import subprocess
import sys

NODE = "ATTACHVERDICT_0.1"


def declared(headers):
    text = "\n".join(re.sub(r"/\*.*?\*/", "", pathlib.Path(h).read_text(), flags=re.S)
                     for h in headers)
    return set(re.findall(r"AVD_API\b[^;(]*?\b(avd_[a-z0-9_]+)\s*\(", text))


def mapped(path):
    text = re.sub(r"/\*.*?\*/", "", pathlib.Path(path).read_text(), flags=re.S)
    return set(re.findall(r"\b(avd_[a-z0-9_]+);", text))


def exported(nm, library):
    """name@version of each defined dynamic symbol, the version nodes themselves left out"""
    out = subprocess.run([nm, "--dynamic", "--defined-only", "--with-symbol-versions", library],
                         check=True, capture_output=True, text=True).stdout
    return {line.split()[2] for line in out.splitlines() if line.split()[1] != "A"}


def main(nm, library, symbol_map, *headers):
    want = declared(headers)
    have = exported(nm, library)
    faults = [f"declared, but not in the map: {n}" for n in sorted(want - mapped(symbol_map))]
    faults += [f"in the map, but not declared: {n}" for n in sorted(mapped(symbol_map) - want)]
    faults += [f"exported without need: {s}" for s in sorted(have)
               if s not in {f"{n}@@{NODE}" for n in want}]
    faults += [f"declared, but not exported: {n}" for n in sorted(want)
               if f"{n}@@{NODE}" not in have]
    print(*faults, sep="\n")
    print(f"{len(want)} functions declared, {len(have)} symbols exported")
    return 1 if faults or not want else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
