#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What `meson install` puts down, as a library: its names, what it needs, what it brings.

usage: installed.py SOURCE BUILD
"""

import os
import re
import subprocess
import sys

import kit

# Every name of ours starts so, that no two libraries of a static program clash.
OURS = re.compile(r"^avd_")


def output(*words, **how):
    return subprocess.run([str(word) for word in words], check=True, text=True,
                          stdout=subprocess.PIPE, **how).stdout


def check_names(here, version):
    major = "libattachverdict.so.0"
    assert os.readlink(here.libdir / "libattachverdict.so") == major
    assert os.readlink(here.libdir / major) == f"libattachverdict.so.{version}"
    soname = re.search(r"\(SONAME\).*\[(.+)\]", output("readelf", "-dW", here.libdir / major))[1]
    assert soname == major, soname


def check_needs(here):
    """Exactly the libraries of Requires.private, and libc's own; each of them is used."""
    library = here.libdir / "libattachverdict.so.0"
    dynamic = output("readelf", "-dW", library)
    assert not re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", dynamic), dynamic
    # One entry of eight bytes is the compiler's own; a second one would be a constructor.
    assert re.search(r"\(INIT_ARRAYSZ\) +8 \(bytes\)", dynamic), dynamic
    modules = re.findall(r"[\w.+-]+", output("pkg-config", "--print-requires-private",
                                             "libattachverdict", env=here.env))
    packages = {m for m in modules if not re.match(r"^[\d.]+$", m)}
    named = set()
    for package in packages:
        libs = output("pkg-config", "--libs-only-l", package, env=here.env).split()
        named |= {word[2:] for word in libs}
    needed = {re.match(r"lib(.+?)\.so", name)[1] for name in here.needed(library)}
    assert needed - {"c", "pthread"} == named, (needed, named)
    # -u: direct dependencies that nothing is taken from (it then exits 1); -r: what is missing.
    unused = subprocess.run(["ldd", "-u", library], env=here.env, check=False, text=True,
                            stdout=subprocess.PIPE).stdout
    assert ".so" not in unused, unused
    missing = subprocess.run(["ldd", "-r", library], env=here.env, check=True, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    assert "undefined symbol" not in missing and "not found" not in missing, missing
    print(f"needs {' '.join(sorted(needed))}")


def check_archive(here):
    """Defined names are ours alone; what is undefined is the system's, or it would not link."""
    archive = here.libdir / "libattachverdict.a"
    defined = {line.split()[0] for line in output("nm", "-g", "--defined-only", "--format=posix",
                                                  archive).splitlines() if " " in line}
    foreign = sorted(name for name in defined if not OURS.match(name))
    assert defined and not foreign, foreign
    wanted = {line.split()[0] for line in output("nm", "-g", "--undefined-only", "--format=posix",
                                                 archive).splitlines() if " " in line}
    lost = sorted(name for name in wanted - defined if OURS.match(name))
    assert not lost, f"used, but not in the archive: {lost}"
    print(f"{len(defined)} names in the archive, all of them avd_")


def check_programs(here, version):
    programs = here.under_prefix("bin")
    out = here.run(programs / "attachverdict", "version")
    assert version in out, out
    assert here.run(programs / "attachverdict-fetch-kernel", "--help").startswith("Usage: ")


def main():
    with kit.installed(*sys.argv[1:]) as here:
        version = output("pkg-config", "--modversion", "libattachverdict", env=here.env).strip()
        check_names(here, version)
        check_needs(here)
        check_archive(here)
        check_programs(here, version)


if __name__ == "__main__":
    main()
