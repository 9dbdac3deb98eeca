#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Wrong usage: one line, a pointer to the help, exit status 2, nothing done."""
import os
import re
import subprocess

import kit

COMMANDS = ("run", "sweep", "show", "merge", "mark", "compare", "replay", "verifier", "doctor", "kernel",
            "explain", "version")
SCREEN_LINES, SCREEN_COLUMNS = 24, 80


class Help(kit.Case):
    def test_fits_a_screen(self):
        for args in (["--help"], *([name, "--help"] for name in COMMANDS)):
            with self.subTest(args=args):
                done = self.attachverdict(*args)
                self.assertEqual((done.returncode, done.stderr), (kit.PASSED, ""))
                lines = done.stdout.splitlines()
                self.assertLessEqual(len(lines), SCREEN_LINES)
                self.assertLessEqual(max(map(len, lines)), SCREEN_COLUMNS)
                self.assertTrue(lines[0].startswith("Usage: attachverdict"))

    def test_names_each_command(self):
        text = self.attachverdict("--help").stdout
        self.assertEqual(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE), list(COMMANDS))

    def test_spellings(self):
        for name in COMMANDS:
            want = self.attachverdict(name, "--help").stdout
            for args in ([name, "-h"], ["help", name], ["--help", name], [name, "help"]):
                done = self.attachverdict(*args, cwd=self.folder)
                self.assertEqual((done.returncode, done.stdout), (kit.PASSED, want))
        for args in (["-h"], ["help"], ["help", "help"], ["help", "--help"]):
            self.assertEqual(self.attachverdict(*args).stdout,
                             self.attachverdict("--help").stdout)

    def test_a_file_named_help(self):
        (self.folder / "help").touch()
        done = self.attachverdict("replay", "help", cwd=self.folder)
        self.assert_one_line_error(done, kit.NOT_TRIED, "help")

    def test_wins_over_what_stands_before(self):
        self.assertEqual(self.attachverdict("run", "-s", "x", "--help").returncode, kit.PASSED)

    def test_version(self):
        done = self.attachverdict("version")
        self.assertEqual(done.returncode, kit.PASSED)
        self.assertRegex(done.stdout,
                         r"^attachverdict \d+\.\d+\.\d+, library \d+\.\d+\.\d+, protocol \d+, "
                         r"compiled by .+\nfeatures: machines kvm qemu; .*; init with libbpf "
                         r"\d+\.\d+\.\d+\n$")
        for option in ("--version", "-V"):
            self.assertEqual(self.attachverdict(option).stdout, done.stdout)


class Terminal(kit.Case):
    """A file's name can hold what a terminal would take for commands."""

    def test_words_are_quoted_for_a_terminal(self):
        word = b"\x1b[31m\n\x7f\xff\xc2\x9b\xe2\x82" + "\u00fc\u20ac\U0001f427".encode()
        shown = "\\x1b[31m\\x0a\\x7f\\xff\\xc2\\x9b\\xe2\\x82\u00fc\u20ac\U0001f427"
        for args in ([word], ["explain", word], ["run", word], ["run", b"--" + word],
                     ["doctor", word], ["sweep", b"--jobs=" + word], ["replay", "x", b"--" + word]):
            done = subprocess.run([kit.EXE, *args], stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=kit.TIMEOUT, check=False)
            self.assertEqual((done.returncode, done.stdout), (kit.USAGE, b""))
            self.assertIn(shown.encode(), done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)


class Usage(kit.Case):
    def refuse(self, args, *words):
        with self.subTest(args=args):
            self.assert_one_line_error(self.attachverdict(*args), kit.USAGE, "--help'", *words)

    def test_commands(self):
        self.refuse([], "no command")
        self.refuse(["rum"], "unknown command 'rum'")
        self.refuse(["--rum"], "unknown option '--rum'")
        self.refuse(["help", "rum"], "unknown command 'rum'")

    def test_unknown_options(self):
        for name in COMMANDS:
            self.refuse([name, "--bogus"], name, "'--bogus'")
            self.refuse([name, "-Z"], name, "'-Z'")
            self.refuse([name, "--help=yes"], name, "takes no value")

    def test_surplus_arguments(self):
        for args in (["run", "-s", "x", "y"], ["replay", "a", "b"], ["replay", "a", "--", "b"],
                     ["doctor", "x"], ["kernel", "describe", "a", "b"], ["kernel", "list", "x"],
                     ["explain", "a", "b"], ["verifier", "a", "b"],
                     ["verifier", "diff", "a", "b", "c"], ["version", "x"], ["version", "--", "x"]):
            self.refuse(args, args[0])

    def test_missing(self):
        self.refuse(["run"], "--scheduler")
        self.refuse(["run", "--", "x"], "--scheduler")
        self.refuse(["replay"], "no recording")
        self.refuse(["verifier"], "no recording")
        self.refuse(["verifier", "diff"], "two files")
        self.refuse(["verifier", "diff", "a"], "two files")
        self.refuse(["kernel"], "list", "describe")
        self.refuse(["kernel", "describe"], "describe IMAGE")
        self.refuse(["kernel", "bogus"], "unknown subcommand 'bogus'")

    def test_values(self):
        run = ["run", "--scheduler", "x"]
        for option in ("timeout", "boot-timeout", "silence-timeout", "idle-timeout", "settle",
                       "budget-cpu", "budget-wall", "payload-timeout"):
            for value in ("60", "", "s", "-5s", "+5s", "0s", "1.5s", " 5s", "5 s", "5x", "0x5s",
                          "99999999999999999999s", "18446744073709551615h"):
                self.refuse([*run, f"--{option}", value], f"--{option}", "500ms")
            self.refuse([*run, f"--{option}"], f"--{option}", "needs a value")
        for option in ("memory", "log-limit", "channel-limit"):
            for value in ("512", "", "G", "-1G", "0M", "1T", "1.5G", "1GB", "1g",
                          "99999999999999999999G", "17179869184G"):
                self.refuse([*run, f"--{option}", value], f"--{option}", "512M")
        for option, words in (("machine", "auto, qemu or kvm"), ("dispatch", "quick, off or full"),
                              ("format", "text or json")):
            for value in ("", "bogus", "Quick"):
                self.refuse([*run, f"--{option}", value], f"--{option}", words)
        for option in ("scheduler", "kernel", "topology", "qemu", "kernel-args", "cache-dir",
                       "record", "keep", "include"):
            self.refuse([*run, f"--{option}", ""], f"--{option}", "empty")

    def test_verifier(self):
        for value in ("", "5", "%", "-5%", "5%%", "5.%x", "1.234%", "x=5%", "time", "time=",
                      "99999999999999999999%", "5 %"):
            self.refuse(["verifier", "diff", "a", "b", "--threshold", value], "--threshold")
        self.refuse(["verifier", "a", "--threshold", "5%"], "--threshold")
        self.refuse(["verifier", "a", "--format", "xml"], "--format", "text, json or csv")
        for pair in (("--raw", "--log"), ("--raw", "--format=json"), ("--log", "--format=csv")):
            self.refuse(["verifier", "a", *pair], "exclude")
        self.refuse(["verifier", "diff", "a", "b", "--raw"], "--raw")

    def test_payload_words(self):
        run = ["run", "--scheduler", "x", "--payload"]
        for value in ("'a", '"a', "a \\", "a 'b", 'a "b\\"'):
            self.refuse([*run, value], "--payload", "quote")
        for value in ("", "  \t"):
            self.refuse([*run, value], "--payload", "no program")

    def test_explain_unknown_code(self):
        self.assert_one_line_error(self.attachverdict("explain", "bogus"), kit.USAGE, "'bogus'")
        for word in ("none", "unknown", ""):
            self.assertEqual(self.attachverdict("explain", word).returncode, kit.USAGE)


class Explain(kit.Case):
    def test_each_code(self):
        codes = [line.split()[0] for line in
                 self.attachverdict("explain").stdout.splitlines()]
        self.assertGreaterEqual(len(codes), 27)
        self.assertEqual(len(set(codes)), len(codes))
        for code in codes:
            done = self.attachverdict("explain", code)
            self.assertEqual(done.returncode, kit.PASSED)
            first, second = done.stdout.splitlines()
            self.assertRegex(first, f"^{code}: .{{10,}}")
            self.assertRegex(second, "^hint: .{10,}")

    def test_hints_name_what_is_there(self):
        """A command in backquotes can be given as it stands; options are those of `run`."""
        listed = self.attachverdict("explain").stdout.splitlines()
        said = "".join(self.attachverdict("explain", line.split()[0]).stdout for line in listed)
        commands = re.findall("`attachverdict ([^`]+)`", said)
        self.assertTrue(commands)
        for command in commands:
            done = self.attachverdict(*command.split())
            self.assertNotEqual(done.returncode, kit.USAGE, done.stderr)
        for option in set(re.findall("(?<!`)--[a-z-]+", said)):
            self.refuse_only_the_value(option)

    def refuse_only_the_value(self, option):
        done = self.attachverdict("run", option)
        self.assert_one_line_error(done, kit.USAGE, option, "needs a value")


class Streams(kit.Case):
    """What is written has to arrive, or the exit status says that it did not."""

    def test_full_output(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            for args in (["--help"], ["explain"], ["version"]):
                done = self.attachverdict(*args, stdout=full)
                self.assertEqual(done.returncode, kit.NOT_TRIED)
                self.assertIn("No space left", done.stderr)

    def test_broken_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = self.attachverdict("--help", stdout=writer)
        finally:
            os.close(writer)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("Broken pipe", done.stderr)

    def test_closed_output(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" --help >&-', kit.EXE], check=False,
                              stderr=subprocess.PIPE, encoding="utf-8", timeout=kit.TIMEOUT)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("Bad file descriptor", done.stderr)


if __name__ == "__main__":
    kit.main()
