#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Puts the page of the HTML report together and writes it as C.

usage: embed.py page.html OUTPUT DEPFILE

Places in page.html, each there exactly once:
  @CSP@             the content security policy: nothing but the style and the script below, by
                    their hashes
  @STYLE FILE...@   the files' text, one behind the other
  @SCRIPT FILE...@  the same
  @RESULTS@, @DETAILS@, @DOUBTS@, in this order
                    where the library puts the data when it writes a report
"""

import base64
import hashlib
import pathlib
import re
import sys

# Would end the element, or make the parser look for another end (HTML, 13.2.5.17 and following);
# a carriage return or a NUL would be another character in the browser than in the hash.
REFUSED = {"STYLE": ("</style", "<!--", "\r", "\0"),
           "SCRIPT": ("</script", "<script", "<!--", "\r", "\0")}
FILES = re.compile(r"@(STYLE|SCRIPT)((?: [\w.-]+)+)@")


def once(text, place):
    """The text before and behind the place."""
    if text.count(place) != 1:
        sys.exit(f"page.html: {place} stands in it {text.count(place)} times, not once")
    return text.split(place)


def policy_source(text):
    """As a source expression of a policy (Content Security Policy Level 3, 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def fill(page, folder):
    """The page with its style, script and policy; the files that were read."""
    read, sources = [], {}

    def element(match):
        kind, text = match[1], ""
        if kind in sources:
            sys.exit(f"page.html: a second @{kind} ...@; the policy allows one")
        for name in match[2].split():
            path = folder / name
            read.append(path)
            text += path.read_bytes().decode("utf-8")
        for refused in REFUSED[kind]:
            if refused in text.lower():
                sys.exit(f"{match[0]}: {refused!r} can't stand in it")
        sources[kind] = policy_source(text)
        return text

    # The policy first, so that nothing in the files is taken for a place.
    before, behind = once(page, "@CSP@")
    behind = FILES.sub(element, behind)
    if set(sources) != set(REFUSED):
        sys.exit("page.html: needs @STYLE FILE...@ and @SCRIPT FILE...@")
    policy = (f"default-src 'none'; style-src {sources['STYLE']}; "
              f"script-src {sources['SCRIPT']}; base-uri 'none'; form-action 'none'")
    return before + policy + behind, read


def array(name, text):
    data = text.encode()
    lines = [", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
    return (f"const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "\n};\n"
            f"const size_t {name}_size = sizeof({name});\n")


def main():
    path, output, depfile = sys.argv[1:]
    page, read = fill(pathlib.Path(path).read_text(encoding="utf-8"), pathlib.Path(path).parent)
    before, rest = once(page, "@RESULTS@")
    between, rest = once(rest, "@DETAILS@")
    to_doubts, after = once(rest, "@DOUBTS@")
    with open(output, "w", encoding="ascii") as file:
        file.write("/* Made by embed.py. */\n#include \"report/html.h\"\n")
        for name, text in (("before", before), ("between", between), ("to_doubts", to_doubts),
                           ("after", after)):
            file.write(array(f"avd__html_{name}", text))
    with open(depfile, "w", encoding="utf-8") as file:
        file.write(f"{output}: {' '.join(str(path) for path in read)}\n")


if __name__ == "__main__":
    main()
