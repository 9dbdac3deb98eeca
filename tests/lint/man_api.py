#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The pages of section 3 and the public headers say the same: each public function stands in the
SYNOPSIS of exactly one page, with the header's prototype, below the header's name; and the
examples in the pages compile.

usage: man_api.py SOURCE [--print FUNCTION...]

--print: what a page's SYNOPSIS must say of these functions.
"""

import collections
import pathlib
import re
import subprocess
import sys

SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUES", "EXAMPLES", "ERRORS", "SEE ALSO")
# Below DESCRIPTION: who frees what, and who may call from where.
SUBSECTION = "Ownership and threads"
COMPILE = ("cc", "-c", "-o", "/dev/null", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror",
           "-x", "c", "-")

# Words of .Va and .Vt that are not of the headers.
NOT_C = {"errno", "struct", "enum", "Ns", "th"}

# Enums of which a caller chooses a value; and members that nobody sets.
CHOICE = re.compile(r"_(flags|format|mode|machine_kind|rule_kind|verifier_log|carrier)$")
UNSET = {"reserved"}

Function = collections.namedtuple("Function", "header type arguments")


def plain(text):
    """C with the fewest blanks, so that line ends and alignment make no difference."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ?([*(),]) ?", r"\1", text)


def declared(header):
    """name -> Function"""
    text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
    text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M) # a macro's body is no declaration
    found = re.findall(r"\bAVD_API\b([^;(]*?)\b(avd_\w+)\s*\(([^;]*)\)\s*;", text)
    return {name: Function(header.name, plain(kind), plain(arguments))
            for kind, name, arguments in found}


def sections(page):
    """name -> lines, of an mdoc page"""
    found, name = {}, None
    for line in page.read_text().splitlines():
        if line.startswith(".Sh "):
            name = line[4:]
            found[name] = []
        elif name:
            found[name].append(line)
    return found


def synopsis(lines):
    """[(name, Function)]"""
    found, header, kind = [], None, None
    for line in lines:
        macro, _, rest = line.partition(" ")
        if macro == ".In":
            header = rest.rpartition("/")[2]
        elif macro == ".Ft":
            kind = rest.strip('"')
        elif macro == ".Fn":
            name, _, arguments = rest.partition(" ")
            arguments = re.findall(r'"([^"]*)"|(\S+)', arguments)
            arguments = ",".join(plain(a or b) for a, b in arguments)
            found.append((name, Function(header, plain(kind or ""), arguments)))
    return found


def mdoc(name, function):
    """The lines of a SYNOPSIS, with the blanks that mdoc shows."""
    blank = lambda text: re.sub(r"\s*(\*+)", r" \1", re.sub(r"\*const\b", "*const ", text))
    arguments = "".join(f' "{blank(a).strip()}"' for a in function.arguments.split(","))
    return f".Ft {blank(function.type).strip()}\n.Fn {name}{arguments}"


def choices(text):
    """What a caller may ask for: the members of options, and the values of the enums in them."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    for body in re.findall(r"\bstruct avd_\w+_options \{(.*?)\n\};", text, re.S):
        for member in body.split(";"):
            pointer = re.search(r"\(\*(\w+)\)\(", member)
            yield from [pointer[1]] if pointer else re.findall(r"(\w+)(?:\[\w+\])?\s*(?:,|$)", member)
    for name, body in re.findall(r"\benum (avd_\w+) \{(.*?)\};", text, re.S):
        if re.search(CHOICE, name):
            yield from re.findall(r"\b(AVD_\w+)\s*=", body)


def names(page):
    """What a page calls by the names of C: (constants, types and members, other pages)."""
    text = re.sub(r"^\.Dt .*$", "", page.read_text(), flags=re.M)
    words = lambda macro: [word for rest in re.findall(rf"^\.{macro} (.*)$", text, re.M)
                           for word in re.findall(r"[A-Za-z_]\w*", rest)]
    return (re.findall(r"\bAVD_[A-Z0-9_]+\b", text),
            [word for word in words("Vt") + words("It Va") + words("Va") if word not in NOT_C],
            re.findall(r"^\.Xr (avd_\w+) 3", text, re.M))


def check_names(page, known, pages):
    """Nothing is called by a name that the headers do not have."""
    constants, words, links = names(page)
    return [f"no public header has {word}" for word in sorted({*constants, *words} - known)] + \
        [f"there is no page {link}(3)" for link in sorted(set(links) - pages)]


def examples(lines):
    """The C text of each literal display."""
    found, inside = [], None
    for line in lines:
        if line.startswith(".Bd -literal"):
            inside = []
        elif line == ".Ed":
            found.append("\n".join(inside) + "\n")
            inside = None
        elif inside is not None:
            inside.append(re.sub(r"^\\&", "", line).replace("\\e", "\\"))
    return found


def check_page(page, functions, seen):
    """What is wrong with it."""
    found = sections(page)
    faults = [f"no section {name}" for name in SECTIONS if name not in found]
    if faults:
        return faults
    names = re.findall(r"^\.Nm (avd_\w+)", "\n".join(found["NAME"]), re.M)
    listed = synopsis(found["SYNOPSIS"])
    if names != [name for name, _ in listed]:
        faults.append("NAME and SYNOPSIS do not have the same functions in the same order")
    if f".Ss {SUBSECTION}" not in found["DESCRIPTION"]:
        faults.append(f"DESCRIPTION has no subsection '{SUBSECTION}'")
    for name, function in listed:
        if name in seen:
            faults.append(f"{name}() stands in {seen[name]}, too")
        seen[name] = page.name
        if name not in functions:
            faults.append(f"{name}() is in no public header")
        elif function != functions[name]:
            faults.append(f"{name}(): in {functions[name].header} it is\n"
                          + mdoc(name, functions[name]))
    return faults


def check_examples(page, include):
    """(count, what is wrong)"""
    texts = examples(sections(page).get("EXAMPLES", []))
    faults = [] if texts else ["no example"]
    for text in texts:
        done = subprocess.run([*COMPILE, f"-I{include}"], input=text, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            faults.append(f"an example does not compile:\n{done.stdout}")
    return len(texts), faults


def main(source, *words):
    top = pathlib.Path(source)
    functions = {}
    for header in sorted((top / "include" / "attachverdict").glob("*.h")):
        functions.update(declared(header))
    if words:
        print(*(mdoc(name, functions[name]) for name in words[1:]), sep="\n")
        return 0
    seen, faults, count = {}, [], 0
    pages = sorted((top / "man").glob("*.3"))
    headers = "".join(path.read_text() for path in (top / "include" / "attachverdict").glob("*.h"))
    known = set(re.findall(r"\w+", headers))
    told = set(re.findall(r"\w+", "".join(page.read_text() for page in pages))) | UNSET
    faults += [f"{name}, which callers choose or set, is told of in no page of man/*.3"
               for name in sorted(set(choices(headers)) - told)]
    for page in pages:
        compiled, wrong = check_examples(page, top / "include")
        count += compiled
        wrong += check_page(page, functions, seen)
        wrong += check_names(page, known, {*functions, *(other.stem for other in pages)})
        faults += [f"{page.name}: {fault}" for fault in wrong]
    faults += [f"{name}() stands in no page of man/*.3; put into the one that it belongs to, in "
               f"NAME and SYNOPSIS:\n{mdoc(name, function)}"
               for name, function in functions.items() if name not in seen]
    print(*faults, sep="\n")
    print(f"{len(functions)} functions, {len(pages)} pages, {count} examples, {len(faults)} faults")
    return 1 if faults or not functions or not count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
