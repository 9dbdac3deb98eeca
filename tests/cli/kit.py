# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What the tests of the CLI share. The program is named by $AVD_EXE."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

EXE = os.environ["AVD_EXE"]
SOURCE = pathlib.Path(os.environ["AVD_SOURCE"])
# Exit status, documented in attachverdict(1).
PASSED, FAILED, USAGE, NOT_TRIED = 0, 1, 2, 3
SKIP = 77
# More words for a cell that does not end by itself: what happens to it never comes too late.
ENDLESS = ("--payload", "sleep infinity")
# A hang is a failure; far beyond what any command takes, a whole cell on a busy host included.
TIMEOUT = 900


def clean_environment(**more):
    """The environment without what changes how the program looks or where it looks."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("NO_COLOR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")}
    env.update({"TERM": "xterm"})
    env.update({name: value for name, value in more.items() if value is not None})
    for name, value in more.items():
        if value is None:
            env.pop(name, None)
    return env


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="attachverdict-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def attachverdict(self, *args, env=None, **how):
        """Runs the program and returns what it did, as text."""
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([EXE, *map(str, args)], env=env or clean_environment(),
                              timeout=TIMEOUT, encoding="utf-8", errors="surrogateescape",
                              check=False, **how)

    def assert_one_line_error(self, done, code, *words):
        """Nothing on stdout, one line on stderr that has all the words, this exit status."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("attachverdict: "), done.stderr)
        self.assertTrue(done.stderr.endswith("\n"), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def checkout_of_schedulers(self):
        """An empty directory, to which the example schedulers can be copied: they look for their
        libbpf, if it is not the system's, as many directories above themselves as tools/setup put
        it: of tools/check's builds with sanitizers one more than of its first."""
        parents = pathlib.Path(os.environ["AVD_SCHEDULERS"]).parents
        fetched = [parent / "deps" / "libbpf" for parent in parents]
        above = next((n for n, path in enumerate(fetched) if path.exists()), None)
        path = self.folder.joinpath(*["work"] * (above or 1), "checkout")
        path.mkdir(parents=True)
        if above is not None:
            (self.folder / "deps").symlink_to(fetched[above].parent)
        return path

    def samples(self):
        """The sample recordings with their JSON: a dictionary of paths."""
        folder = self.folder / "samples"
        folder.mkdir()
        subprocess.run([os.environ["AVD_REPORT_WRITE"], folder], check=True,
                       stdout=subprocess.DEVNULL)
        found = {path.stem: path for path in folder.glob("*.avd")}
        self.assertGreaterEqual(len(found), 10)
        return found


class Isolated(Case):
    """With directories of its own: what is left behind can be seen."""

    def setUp(self):
        super().setUp()
        for name in ("cache", "tmp", "work", "out"):
            (self.folder / name).mkdir()
        self.env = clean_environment(XDG_CACHE_HOME=str(self.folder / "cache"),
                                     TMPDIR=str(self.folder / "tmp"), HOME="/nonexistent")

    def run_isolated(self, *args, **how):
        how.setdefault("env", self.env)
        return self.attachverdict("run", *args, cwd=self.folder / "work", **how)

    def files(self):
        """All files below the folder, and the directories that it did not start with."""
        # What /dev/kvm can do is remembered, also when nothing comes of the rest.
        known = {"cache", "tmp", "work", "out", "cache/attachverdict",
                 "cache/attachverdict/kvm-answer"}
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*")
                      if str(path.relative_to(self.folder)) not in known)

    def script(self, name, text="#!/bin/sh\n", mode=0o755):
        path = self.folder / name
        path.write_text(text, encoding="ascii")
        path.chmod(mode)
        return path

    def assert_nothing_left(self, *expected):
        self.assertEqual([name for name in self.files() if name not in expected], [])


def kernels():
    """The fetched kernels, newest first: (path, what `kernel describe` says)."""
    folder = pathlib.Path(os.environ.get("AVD_TEST_KERNELS", "/nonexistent"))
    found = []
    for path in folder.glob("*/vmlinuz"):
        done = subprocess.run([EXE, "kernel", "describe", "--format", "json", path],
                              stdout=subprocess.PIPE, check=True, timeout=TIMEOUT)
        found.append((path, json.loads(done.stdout)))
    found.sort(key=lambda item: [int(part) for part in
                                 re.findall(r"\d+", item[1]["release"] or "")], reverse=True)
    return found


def kernel(sched_ext=True):
    """The newest one with, or without, sched_ext; skips the test if there is none."""
    for path, info in kernels():
        if info["sched_ext"] is sched_ext:
            return path
    raise unittest.SkipTest(
        f"no kernel {'with' if sched_ext else 'without'} sched_ext in "
        f"{os.environ.get('AVD_TEST_KERNELS')}: run tools/fetch-kernel")


def main():
    """Runs the tests of the calling script; 77 if nothing ran, with the reasons."""
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    for case, reason in result.skipped:
        print(f"skipped: {case.id()}: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped and len(result.skipped) == result.testsRun:
        sys.exit(SKIP)
