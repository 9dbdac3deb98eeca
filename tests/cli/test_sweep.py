#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""`sweep`, `merge` and `compare` before any machine is started: plans, terminals, directories."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import kit

CLEAR_LINE = "\r\x1b[K"


class Plans(kit.Isolated):
    def setUp(self):
        super().setUp()
        self.kernel = self.script("k")

    def plan(self, text):
        path = self.folder / "plan"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def refuse(self, args, *words):
        with self.subTest(args=args):
            self.assert_one_line_error(self.attachverdict("sweep", "--list", *args), kit.USAGE, *words)

    def test_file_that_can_not_be_read(self):
        self.refuse([self.folder / "none"], "the plan's file", "/none", "No such file")
        self.refuse([self.folder], "the plan's file", "directory")

    def test_file_that_is_no_plan(self):
        self.refuse([self.plan("")], "no scheduler", "--scheduler", "schedulers = ")
        self.refuse([self.plan(b"\xef\xbb")], "plan:1", "no text")
        self.refuse([self.plan("schedulers = [")], "plan:1", "syntax")

    def test_rules_without_a_cell(self):
        one = ["-s", "./a", "-k", self.kernel]
        for option, kind in (("--only", "include"), ("--skip", "exclude")):
            self.refuse([*one, option, "scheduler=b"], kind, "scheduler=b", "without it", "--list")
        self.refuse([*one, "--expect", "scheduler=b:DIED"], "expect", "scheduler=b")
        self.refuse([*one, "--skip", "id=*"], "leave no cell")

    def test_list_of_a_part(self):
        for part in (["--shard", "1/2"], ["--cells", "0-0"], ["--cells", "none"]):
            self.refuse(["-s", "./a", "-k", self.kernel, *part], "whole plan", "--shard", "--cells")

    def test_values_twice(self):
        for axis in (["-s", "./a", "-s", "./a"], ["-s", "./a", "-k", self.kernel, "-k", self.kernel],
                     ["-s", "./a", "--topology", "2", "--topology", "2"]):
            self.refuse(axis, "there are two values")

    def test_list_of_one(self):
        done = self.attachverdict("sweep", "--list", "-s", "./a", "-k", self.kernel, "--topology", "1")
        self.assertEqual((done.returncode, done.stdout), (kit.PASSED, "0 k/a/1 1 CPU, expects passed\n"))


class Directories(kit.Isolated):
    """Of results; the cells can't be tried, because their kernel is no kernel."""

    def sweep(self, out, *args, **how):
        kernel = self.script("kernel")
        return self.attachverdict("sweep", "-o", self.folder / out, "-k", kernel, *args, env=self.env,
                                  **how)

    def test_untried(self):
        done = self.sweep("a", "-s", self.script("x"))
        self.assertEqual((done.returncode, done.stderr), (kit.NOT_TRIED, ""), done.stdout)
        self.assertTrue(done.stdout.endswith(
            "\n1 cell: 0 as expected, 0 not, 1 without a result; 0 were there before\n"), done.stdout)

    def test_command_that_can_be_pasted(self):
        """Whatever is in the names; a real shell takes it apart."""
        program = self.script("it's \"a\" $b\n\\c \u00fc")
        words = ["", "a b", "it's", "\\", "$(id)", "two\nlines\t'\\", "\x01", "~", "*", "-x=y"]
        text = " ".join("'" + word.replace("'", "'\\''") + "'" for word in [str(program), *words])
        done = self.sweep("p", "-s", text)
        self.assertEqual(done.returncode, kit.NOT_TRIED, done.stderr)
        command = done.stdout.splitlines()[2]
        self.assertNotRegex(command, "[\x00-\x1f]")
        taken = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True,
                               encoding="utf-8", timeout=kit.TIMEOUT, check=True)
        got = taken.stdout.split("\0")[:-1]
        self.assertEqual(got[-len(words) - 3:], ["--scheduler", str(program), "--", *words])

    def test_compare_of_other_plans(self):
        for name in ("x", "y"):
            self.sweep(name, "-s", self.script(f"scheduler-{name}"))
        same = self.attachverdict("compare", self.folder / "x", self.folder / "x")
        self.assertEqual((same.returncode, same.stderr), (kit.PASSED, ""))
        done = self.attachverdict("compare", self.folder / "x", self.folder / "y")
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("nothing was compared", done.stderr)
        self.assertIn("1 new, 1 gone\n", done.stdout)

    def test_names_that_are_empty(self):
        for args in (["show", ""], ["compare", "", "x"], ["merge", "-o", "", "x"]):
            self.assert_one_line_error(self.attachverdict(*args), kit.USAGE, args[0])

    def test_mark_leaves_nothing_in_a_directory_of_something_else(self):
        other = self.folder / "other"
        other.mkdir()
        self.assert_one_line_error(self.attachverdict("mark", other, "--reason", "gone"),
                                   kit.NOT_TRIED, "no results", "index.cbor")
        self.assertEqual(list(other.iterdir()), [])

    def test_parent_that_is_not_there(self):
        self.assert_one_line_error(self.sweep("none/x", "-s", self.script("x")), kit.NOT_TRIED,
                                   "none/x", "can't be made")

    def test_line_that_fits_the_terminal(self):
        """A line that wraps can't be cleared again."""
        columns = 30
        for no_color in (None, "1"):
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            env = {**self.env, **({"NO_COLOR": no_color} if no_color else {})}
            with subprocess.Popen(
                    [kit.EXE, "sweep", "-o", self.folder / "t", "-k", self.script("kernel"), "-s",
                     self.script("x"), "-j1", "--rerun-failed"], stdin=subprocess.DEVNULL, env=env,
                    stdout=subprocess.DEVNULL, stderr=slave) as process:
                os.close(slave)
                data = b""
                try:
                    while chunk := os.read(master, 65536):
                        data += chunk
                except OSError:  # EIO: the other side is closed
                    pass
            os.close(master)
            self.assertEqual(process.returncode, kit.NOT_TRIED)
            lines = data.decode("ascii").split(CLEAR_LINE)
            drawn = [line for line in lines if line.startswith("0 of 1 done")]
            self.assertTrue(drawn, data)
            self.assertLess(max(map(len, lines)), columns, data)
            self.assertFalse([line for line in lines if re.search("[\r\n]", line)], data)


if __name__ == "__main__":
    kit.main()
