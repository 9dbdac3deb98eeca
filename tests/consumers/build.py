#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The examples, built against the installed library as somebody else would, start.

usage: build.py SOURCE BUILD WAY

Exit status: 0, 1, or 77: skipped, with the reason.
"""

import os
import re
import shutil
import subprocess
import sys

import kit
from kit import EXAMPLES, WARNINGS, need

SHARED = "libattachverdict.so.0"


def all_start(here, folder, *, shared):
    for name in EXAMPLES:
        here.starts(folder / name)
        assert (SHARED in here.needed(folder / name)) == shared, name
        if shared:
            found = subprocess.run(["ldd", folder / name], env=here.env, check=True, text=True,
                                   stdout=subprocess.PIPE).stdout
            assert f"{SHARED} => {here.libdir}/" in found, found


def by_line(here):
    """Each by the line that its comment has, which is the one of the README."""
    readme = (here.source / "examples" / "README.md").read_text()
    for name in EXAMPLES:
        program = here.build_by_line(name)
        line = kit.LINE.search(here.example(name).read_text())[1]
        assert line in readme, f"examples/README.md lacks: {line}"
    all_start(here, program.parent, shared=True)


def by_make(here):
    need("make")
    makefile = here.source / "examples" / "consumers" / "Makefile"
    for way in ([], ["STATIC=1"]):
        folder = here.top / f"make{len(way)}"
        folder.mkdir()
        here.run("make", "-f", makefile, f"CFLAGS={' '.join(WARNINGS)}", *way, cwd=folder)
        all_start(here, folder, shared=not way)
        here.run("make", "-f", makefile, "clean", cwd=folder)
        assert not list(folder.iterdir())


def by_cmake(here):
    need("cmake", "make")
    folder = here.top / "cmake"
    here.run("cmake", "-S", here.source / "examples" / "consumers", "-B", folder,
             f"-DCMAKE_C_FLAGS={' '.join(WARNINGS)}")
    here.run("cmake", "--build", folder)
    all_start(here, folder, shared=True)


def by_meson(here):
    folder = here.top / "meson"
    here.run("meson", "setup", folder, here.source / "examples" / "consumers", "-Dwerror=true")
    here.run("ninja", "-C", folder)
    all_start(here, folder, shared=True)


def native(here):
    """Where tools/setup put what the distribution lacks."""
    path = here.build / "deps" / "native.ini"
    return ["--native-file", path] if path.exists() else []


def without_installed(here):
    here.env["PKG_CONFIG_PATH"] = os.environ.get("PKG_CONFIG_PATH", "")


def by_kinds(here):
    """Packagers ask for one kind of library only: that can be configured, tests included."""
    without_installed(here)
    for kind in ("shared", "static"):
        out = here.run("meson", "setup", here.top / kind, here.source,
                       f"-Ddefault_library={kind}", *native(here))
        assert f"default_library: {kind}" in out.replace(" " * 2, ""), out


def by_subproject(here):
    """Nothing is installed: a checkout in subprojects/ is built along, as an archive."""
    project = here.top / "project"
    shutil.copytree(here.source / "examples", project)
    checkout = project / "consumers" / "subprojects" / "attachverdict"
    checkout.mkdir(parents=True)
    # A checkout, with the source of libcbor that tools/setup put into this one; a subproject looks
    # at neither tests nor examples.
    for origin in here.source.iterdir():
        if origin.is_dir() and not re.match(r"build|\.|tests|examples|debian", origin.name):
            shutil.copytree(origin, checkout / origin.name)
        elif origin.suffix in (".build", ".txt"):
            shutil.copy(origin, checkout)
    folder = here.top / "subproject"
    without_installed(here)
    here.run("meson", "setup", folder, project / "consumers", "-Dwerror=true", "-Dbuildtype=plain",
             "-Dattachverdict:default_library=static", *native(here))
    here.run("ninja", "-C", folder, "-j2", *EXAMPLES) # other tests run beside it
    all_start(here, folder, shared=False)


def by_cxx(here):
    """The headers in C++, with what it warns of by default and more; also inside of somebody's
    own extern "C"."""
    source = here.top / "one.cc"
    source.write_text("""
extern "C" {
#include <attachverdict/attachverdict.h>
}
#include <attachverdict/attachverdict.h>
#include <cstdio>

int main()
{
	avd_cell_options cell = AVD_OPTIONS_INIT(avd_cell_options);
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	avd_verdict verdict{};
	avd_cell *none = nullptr;
	char error[256] = "";

	// Without a scheduler there is no cell, and the reason is told.
	if (cell.size != sizeof(cell) || stats.size != sizeof(stats) || cell.kernel != nullptr)
		return 1;
	if (avd_cell_new(&cell, &none, error, sizeof(error)) >= 0 || none != nullptr)
		return 1;
	std::puts(error);
	return error[0] == 0 || avd_verdict_failure_reason(&verdict) == nullptr;
}
""")
    for compiler in ("g++", "clang++"):
        if compiler == "clang++" and not shutil.which(compiler):
            continue
        for standard in ("c++11", "c++17"):
            here.run(compiler, f"-std={standard}", "-Wpedantic", "-Wconversion", "-Wshadow",
                     *WARNINGS, *here.flags("--cflags"), source, "-o", here.top / "cxx",
                     *here.flags("--libs"))
            here.run(here.top / "cxx")


def by_archive(here):
    """An installation without the shared library: pkg-config --static names all that it needs."""
    for path in here.libdir.glob("libattachverdict.so*"):
        path.unlink()
    for name in EXAMPLES:
        packages = ("libattachverdict", "check") if name == "check_suite" else ("libattachverdict",)
        here.run("cc", *WARNINGS, *here.flags("--cflags"), here.example(name), "-o",
                 here.top / name, *here.flags("--libs", "--static", packages=packages))
    all_start(here, here.top, shared=False)


def by_autopkgtest(here):
    """What Debian's archive runs against the installed package; here against ours."""
    here.run("bash", here.source / "debian" / "tests" / "compile")


WAYS = {"line": by_line, "make": by_make, "cmake": by_cmake, "meson": by_meson,
        "subproject": by_subproject, "cxx": by_cxx, "archive": by_archive, "kinds": by_kinds,
        "autopkgtest": by_autopkgtest}


def main():
    source, build, way = sys.argv[1:]
    with kit.installed(source, build) as here:
        WAYS[way](here)


if __name__ == "__main__":
    main()
