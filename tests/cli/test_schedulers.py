#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The example schedulers as programs: what a command line that they don't know comes to.

Started outside of a machine, so none of them gets as far as to load anything.
"""
import os
import pathlib
import subprocess

import kit

FOLDER = pathlib.Path(os.environ["AVD_SCHEDULERS"])
SOURCES = kit.SOURCE / "examples" / "schedulers"
LOADERS = sorted(path.name.removesuffix(".bpf.c") for path in SOURCES.glob("*.bpf.c"))


class Arguments(kit.Case):
    def start(self, name, *arguments):
        return subprocess.run([FOLDER / name, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="ascii", timeout=kit.TIMEOUT,
                              check=False)

    def test_help(self):
        self.assertGreaterEqual(len(LOADERS), 11)
        for name in LOADERS:
            for option in ("--help", "-h"):
                done = self.start(name, option)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"Usage: {name}\n"), done.stdout)

    def test_unknown(self):
        for name in LOADERS:
            for argument, words in (("--bogus", "unknown option '--bogus'"), ("-x", "option '-x'"),
                                    ("slow", "unexpected argument 'slow'"), ("", "argument ''")):
                done = self.start(name, argument)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertIn(f"'{name} --help'", done.stderr)

    def test_those_without_a_bpf_object(self):
        for name, *arguments in (("never_attaches", "x"), ("dies_early", "x"),
                                 ("dies_early", "success", "x")):
            done = self.start(name, *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(f"usage: {name}", done.stderr)
        self.assertEqual(self.start("dies_early").returncode, 3)
        self.assertEqual(self.start("dies_early", "success").returncode, 0)


if __name__ == "__main__":
    kit.main()
