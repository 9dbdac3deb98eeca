#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What can't be tried is told in one line with its remedy; nothing is left behind.

Here: what is noticed without a real kernel.
"""
import os
import shutil

import kit

QEMU = "qemu-system-x86_64"


class Refused(kit.Isolated):
    def setUp(self):
        super().setUp()
        self.scheduler = self.script("scheduler")
        self.before = self.files()

    def refuse(self, args, code, *words):
        with self.subTest(args=args):
            done = self.run_isolated("--scheduler", self.scheduler, "--record",
                                     self.folder / "out" / "r", *args)
            self.assert_one_line_error(done, code, *words)
            self.assert_nothing_left(*self.before)


class ExitStyle(Refused):
    def test_statuses_of_what_was_not_tried(self):
        wanted = {"default": (2, 3), "tap": (255, 255), "bisect": (128, 125), "kselftest": (1, 4)}
        for style, (usage, not_tried) in wanted.items():
            for option in ([f"--exit-style={style}"], ["--exit-style", style]):
                self.refuse([*option, "--no-such-option"], usage, "no-such-option")
                self.refuse([*option, "--kernel", "/nowhere/x"], not_tried, "/nowhere/x")
        self.refuse(["-s", "x", "--exit-style", "wild"], 2, "wild")
        # What stands behind the dashes is the scheduler's.
        self.refuse(["--kernel", "/nowhere/x", "--", "--exit-style=bisect"], 3, "/nowhere/x")


    def test_statuses_of_what_was_not_written(self):
        """That is no bad commit, and no passed test."""
        wanted = {"default": 3, "tap": 255, "bisect": 125, "kselftest": 4}
        for style, status in wanted.items():
            with open("/dev/full", "w", encoding="ascii") as full:
                done = self.attachverdict("run", "--help", "--exit-style", style, stdout=full)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (status, 1))


class Kernel(Refused):
    def setUp(self):
        super().setUp()
        if not shutil.which(QEMU):
            self.skipTest(f"{QEMU} is not installed")

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        self.before = self.files()
        return path

    def refuse_kernel(self, path, *words):
        self.refuse(["--kernel", path], kit.NOT_TRIED, str(path), *words)
        self.assert_one_line_error(self.attachverdict("kernel", "describe", path),
                                   kit.NOT_TRIED, str(path), *words)

    def test_missing(self):
        self.refuse_kernel(self.folder / "none", "no such file")

    def test_text(self):
        self.refuse_kernel(self.write("text", b"not a kernel\n" * 100), "text file")

    def test_empty(self):
        self.refuse_kernel(self.write("empty", b""))

    def test_random(self):
        self.refuse_kernel(self.write("random", bytes(range(1, 256)) * 100))

    def test_directory(self):
        self.refuse_kernel(self.folder / "work", "directory")

    def test_fifo(self):
        path = self.folder / "fifo"
        os.mkfifo(path)
        self.before = self.files()
        self.refuse_kernel(path)

    def test_aarch64(self):
        # The header of Documentation/arch/arm64/booting.rst: a magic number at 56.
        image = bytearray(4096)
        image[0:2] = b"MZ"
        image[56:60] = b"ARM\x64"
        self.refuse_kernel(self.write("arm64", bytes(image)), "aarch64", "x86_64")

    def test_no_kernel_at_all(self):
        self.refuse([], kit.NOT_TRIED, "fetch-kernel", "--kernel", self.env["XDG_CACHE_HOME"])

    def test_kernels_that_are_out_of_reach(self):
        """That is not to say that none was fetched."""
        cache = self.script("file")
        self.before = self.files()
        self.refuse(["--cache-dir", cache], kit.NOT_TRIED, f"{cache}/kernels can't be read")
        listed = self.attachverdict("kernel", "list", "--cache-dir", cache)
        if not listed.stdout:
            self.assert_one_line_error(listed, kit.NOT_TRIED, f"{cache}/kernels can't be read")
        for name in ("HOME", "XDG_CACHE_HOME"):
            self.env.pop(name, None)
        self.refuse([], kit.NOT_TRIED, "no cache is known", "HOME")


class Machine(Refused):
    def test_missing_qemu(self):
        self.refuse(["--qemu", "/nonexistent/qemu"], kit.NOT_TRIED, "/nonexistent/qemu")
        self.env["PATH"] = str(self.folder / "work")
        self.refuse([], kit.NOT_TRIED, QEMU, "install")

    def test_not_a_qemu(self):
        self.refuse(["--qemu", shutil.which("true")], kit.NOT_TRIED, "not a QEMU")

    def test_doctor_says_so_too(self):
        self.env["PATH"] = str(self.folder / "work")
        done = self.attachverdict("doctor", env=self.env)
        self.assertEqual((done.returncode, done.stderr), (kit.NOT_TRIED, ""))
        self.assertRegex(done.stdout, rf"(?m)^(warn|missing) +qemu +{QEMU}.*install")
        self.assertRegex(done.stdout, r"(?m)^missing +kernel .*fetch-kernel")
        self.assertIn("No cell can run here", done.stdout)
        self.assert_nothing_left(*self.before)
        # Of a /dev/kvm that could be tried, the answer is kept, and doctor says where.
        answer = self.folder / "cache" / "attachverdict" / "kvm-answer"
        self.assertEqual(f"remembered for this boot in {answer}\n" in done.stdout,
                         answer.exists())
        if answer.exists():
            self.assertEqual(answer.stat().st_mode & 0o777, 0o600)
            kept = answer.read_text(encoding="utf-8")
            answer.write_text(kept[:-9], encoding="utf-8")  # torn: it is made anew
            self.attachverdict("doctor", env=self.env)
            self.assertEqual(answer.read_text(encoding="utf-8"), kept)


class Values(Refused):
    """What getopt lets pass and the library refuses is wrong usage, too."""

    def test_out_of_range(self):
        for args, words in ((["--topology", "0"], ["topology", "1 to"]),
                            (["--topology", "two"], ["topology"]),
                            (["--topology", "100000"], ["topology"]),
                            (["--memory", "1M"], ["memory", "1M", "256M"]),
                            (["--memory", "1000000G"], ["memory"]),
                            (["--timeout", "9999999h"], ["timeout"]),
                            (["--settle", "1h"], ["settle", "3600s", "60s"]),
                            (["--channel-limit", "1K"], ["channel_limit=1K", "at least 64K\n"]),
                            (["--kernel-args", "a\nb"], ["kernel_args"]),
                            (["--include", ":/x"], ["include"])):
            self.refuse(args, kit.USAGE, *words)

    def test_outputs(self):
        work = self.folder / "work"
        for args, words in ((["--record", work], ["directory"]),
                            (["--record", "/nonexistent/r"], ["/nonexistent/r"]),
                            (["--record", "/dev/full/r"], ["/dev/full/r"])):
            self.refuse(args, kit.NOT_TRIED, *words)


if __name__ == "__main__":
    kit.main()
