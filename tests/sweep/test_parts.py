#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What a killed part of a sweep had finished is merged; exit statuses as others want them.

usage: test_parts.py CLI MAKE_RESULTS REPORT_WRITE
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CLI, MAKE, REPORT_WRITE = sys.argv[1:4]
CELLS = 6


class Parts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="avd-parts-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.dir = self.scratch / "results"

    def make(self, folder, *arguments):
        subprocess.run([MAKE, folder, *map(str, arguments)], check=True)
        return folder

    def recording(self, name):
        samples = self.scratch / "samples"
        if not samples.exists():
            samples.mkdir()
            subprocess.run([REPORT_WRITE, samples], check=True, stdout=subprocess.DEVNULL)
        return samples / f"{name}.avd"

    def cli(self, *args):
        return subprocess.run([CLI, *map(str, args)], check=False, encoding="utf-8",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def cells(self, folder):
        return json.loads(self.cli("show", "-f", "json", folder).stdout)["cells"]

    def status(self, folder, style, *more):
        """Of show, which prints the same whatever its status."""
        done = self.cli("show", folder, "--exit-style", style, *more)
        self.assertEqual(done.stdout, self.cli("show", folder).stdout)
        return done.returncode

    def statuses(self, folder):
        return [self.status(folder, style) for style in ("default", "tap", "bisect", "kselftest")]

    def test_results_of_another_plan(self):
        """They don't vanish without a word; here the cells can't be tried, for want of a kernel."""
        self.make(self.dir, CELLS, 0, CELLS)
        for name in ("kernel", "scheduler"):
            (self.scratch / name).touch()
        sweep = ["sweep", "-o", self.dir, "-k", self.scratch / "kernel", "-s",
                 self.scratch / "scheduler", "--machine", "qemu"]
        done = self.cli(*sweep)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in (f"{self.dir} had {CELLS} results of cells that this plan does not have",
                     f"{self.dir}/cells", "--out"):
            self.assertIn(word, done.stderr)
        self.assertEqual(self.cli(*sweep).stderr, "")

    def test_a_recording_without_an_entry_is_merged(self):
        """The sweep was killed between the two."""
        whole = self.make(self.dir, CELLS, 0, 2, self.recording("passed"))
        killed = self.make(self.scratch / "killed", CELLS, 0, 0)
        for path in (whole / "cells").iterdir():
            shutil.copy(path, killed / "cells")
        self.assertEqual({cell["ran"] for cell in self.cells(killed)}, {False})
        merged = self.scratch / "merged"
        done = self.cli("merge", "--out", merged, killed)
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertEqual(self.cells(merged), self.cells(whole))
        self.assertEqual(self.cli("show", "--verify", merged).returncode, 3)

    def test_a_part_without_its_empty_directory_is_merged(self):
        part = self.make(self.dir, CELLS, 0, 0)
        (part / "cells").rmdir()
        done = self.cli("merge", "--out", self.scratch / "merged", part)
        self.assertEqual((done.returncode, done.stderr), (3, ""))

    def test_exit_styles(self):
        passed, panic = self.recording("passed"), self.recording("panic")
        self.assertEqual(self.statuses(self.make(self.scratch / "good", CELLS, 0, CELLS, passed)),
                         [0, 0, 0, 0])
        self.assertEqual(self.statuses(self.make(self.scratch / "bad", CELLS)), [1, 1, 1, 1])
        self.assertEqual(self.statuses(self.make(self.scratch / "none", CELLS, 0, 0)),
                         [3, 255, 125, 4])
        # Some lost: no skip of the kernel's tests, which would pass.
        self.assertEqual(self.statuses(self.make(self.scratch / "part", CELLS, 0, 2, passed)),
                         [3, 255, 125, 1])
        # Of what could not be written all the same: what is known to be bad is so.
        for name, wanted in (("bad", [3, 255, 1, 1]), ("good", [3, 255, 125, 1])):
            with open("/dev/full", "w", encoding="ascii") as full:
                self.assertEqual([subprocess.run([CLI, "show", self.scratch / name, "--exit-style",
                                                  style], stdout=full, check=False,
                                                 stderr=subprocess.DEVNULL).returncode
                                  for style in ("default", "tap", "bisect", "kselftest")], wanted)
        unknown = self.make(self.scratch / "unknown", CELLS, 0, CELLS, passed, panic)
        self.assertEqual({cell["outcome"] for cell in self.cells(unknown)},
                         {"ATTACHED", "UNCONFIRMED"})
        self.assertEqual(self.statuses(unknown), [1, 1, 125, 1])
        for path in (unknown / "cells").iterdir():
            path.unlink()
            break
        self.assertEqual(self.status(unknown, "bisect", "--verify"), 1)  # that is no unknown

    def test_exit_styles_of_what_can_not_be_shown(self):
        wanted = {"default": (2, 3), "tap": (255, 255), "bisect": (128, 125), "kselftest": (1, 4)}
        for style, (usage, missing) in wanted.items():
            for command in (["show"], ["sweep", "--out", self.dir]):
                # getopt_long(3) takes the beginning of a name for the whole.
                for option in (["--exit-style", style], ["--exit", style], [f"--exit-s={style}"]):
                    done = self.cli(*command, *option, "--no-such-option")
                    self.assertEqual((done.returncode, done.stdout), (usage, ""), command + option)
            done = self.cli("show", "--exit-style", style, self.scratch / "nothing")
            self.assertEqual((done.returncode, done.stdout), (missing, ""))

    def test_the_last_word_on_cells_counts(self):
        """A sweep that runs nothing is a pass."""
        kernel, scheduler = self.scratch / "kernel", self.scratch / "scheduler"
        for path in (kernel, scheduler):
            path.write_text("neither can be run")
        sweep = ["sweep", "--kernel", kernel, "--scheduler", scheduler, "--out", self.dir]
        done = self.cli(*sweep, "--cells", "none", "--cells", "0-0")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("1 without a result", done.stdout)
        done = self.cli(*sweep, "--cells", "0-0", "--cells", "none")
        self.assertEqual(done.returncode, 0, done)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
