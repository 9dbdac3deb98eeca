# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What the tests of consumers share: the library as `meson install` puts it down, and the ways
in which somebody else builds against it."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
# Seconds; catches a hang, judges nothing.
TIMEOUT = 1800
EXAMPLES = ("check_suite", "embed_poll", "embed_run", "frame_feed", "sweep_run")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
# "cc NAME.c $(pkg-config ...) -o NAME", as an example's first comment has it.
LINE = re.compile(r"^ \* +(cc (\w+)\.c .*)$", re.M)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed (tools/setup --checks installs it)")


def run(*words, status=0, **how):
    """Runs it, shows what it printed, and returns that."""
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("cwd", "/")
    print("+", *words, flush=True)
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False, **how)
    out = done.stdout.decode(errors="backslashreplace")
    print(out, end="", flush=True)
    assert done.returncode == status, f"{words[0]}: exit status {done.returncode}, not {status}"
    return out


class Installed:
    """The library below a directory of its own, found by pkg-config alone."""

    def __init__(self, source, build, top):
        self.source, self.build, self.top = map(pathlib.Path, (source, build, top))
        self.root = self.top / "root"
        run("meson", "install", "-C", self.build, "--no-rebuild", "--quiet", "--destdir", self.root)
        (pc,) = self.root.rglob("libattachverdict.pc")
        self.libdir = pc.parent.parent
        self.prefix = pathlib.Path(re.search(r"^prefix=(.*)$", pc.read_text(), re.M)[1])
        # The prefix only: the libraries below it are the system's.
        pc.write_text(re.sub(r"^prefix=.*", f"prefix={self.root}{self.prefix}", pc.read_text(),
                             flags=re.M))
        self.env = dict(os.environ, LC_ALL="C", LD_LIBRARY_PATH=str(self.libdir))
        path = os.environ.get("PKG_CONFIG_PATH")
        self.env["PKG_CONFIG_PATH"] = f"{pc.parent}:{path}" if path else str(pc.parent)

    def under_prefix(self, *parts):
        return pathlib.Path(f"{self.root}{self.prefix}", *parts)

    def run(self, *words, **how):
        return run(*words, env=self.env, **how)

    def flags(self, *words, packages=("libattachverdict",)):
        done = subprocess.run(["pkg-config", *words, *packages], env=self.env, check=True,
                              stdout=subprocess.PIPE, text=True)
        return done.stdout.split()

    def example(self, name):
        return self.source / "examples" / f"{name}.c"

    def build_by_line(self, name):
        """Builds an example by the line of its own first comment; returns the program."""
        line, stem = LINE.search(self.example(name).read_text()).groups()
        assert stem == name and line.endswith(f" -o {name}"), line
        folder = self.top / "line"
        folder.mkdir(exist_ok=True)
        shutil.copy(self.example(name), folder)
        self.run("sh", "-ec", line.replace("cc ", f"cc {' '.join(WARNINGS)} ", 1), cwd=folder)
        return folder / name

    def needed(self, program):
        """DT_NEEDED of a program or library."""
        out = subprocess.run(["readelf", "--dynamic", "--wide", program], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        return re.findall(r"\(NEEDED\).*\[(.+)\]", out)

    def starts(self, program):
        """It starts, and says how it is used."""
        assert self.run(program, status=2).startswith("usage: ")


@contextlib.contextmanager
def installed(source, build):
    with tempfile.TemporaryDirectory(prefix="avd-consumer-") as top:
        yield Installed(source, build, top)
