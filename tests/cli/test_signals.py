#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A run that is stopped, at any moment: no process and no file is left."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import kit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import orphans  # pylint: disable=wrong-import-position



class Stopped(kit.Isolated):
    """Processes that lose their parent become this one's children, so that none can hide."""

    @classmethod
    def setUpClass(cls):
        orphans.adopt()

    def setUp(self):
        super().setUp()
        self.record = self.folder / "out" / "r"
        self.command = [kit.EXE, "run", "-v", "--format", "json", "--kernel",
                        str(kit.kernel()), "--record", str(self.record), "-s",
                        os.path.join(os.environ["AVD_SCHEDULERS"], "fifo"),
                        *kit.ENDLESS]

    def start(self, moment):
        """Runs until a line on stderr starts with `moment`."""
        child = subprocess.Popen(self.command, env=self.env, cwd=self.folder / "work",
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        lines = []
        while moment:
            line = child.stderr.readline()
            lines.append(line)
            if not line:
                self.fail(f"it ended before '{moment}': {lines} {child.stdout.read()}")
            if re.match(rf"\[ *[0-9.]+\] {moment}", line):
                break
        return child

    def assert_no_file(self):
        """But for the cache's complete kernel: what was stopped leaves no recording either."""
        left = [name for name in self.files()
                if not re.fullmatch(r"cache/attachverdict(/vmlinux(/[0-9a-f]{64})?)?", name)]
        self.assertEqual(left, [])

    def stop(self, moment, number):
        child = self.start(moment)
        child.send_signal(number)
        out, err = child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(child.returncode, -number, err)
        self.assertTrue(orphans.none_left())
        self.assert_no_file()
        return json.loads(out) if out else None

    def test_at_each_moment(self):
        for moment in ("preparing", "QEMU", "booting", "boot:", "start:", "gate:"):
            with self.subTest(moment=moment):
                report = self.stop(moment, signal.SIGINT)
                if moment in ("preparing", "QEMU") and report is None:
                    continue  # there was no machine yet
                self.assertEqual((report["outcome"], report["end_cause"]),
                                 ("UNCONFIRMED", "host-stop"))

    def test_after_the_attach(self):
        """It was proved, and the cell did not pass all the same."""
        report = self.stop("dispatch:", signal.SIGTERM)
        self.assertEqual((report["outcome"], report["result"]), ("ATTACHED", "failed"))

    def test_an_older_recording_stays(self):
        self.record.write_text("older", encoding="ascii")
        child = self.start("boot:")
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(self.record.read_text(encoding="ascii"), "older")

    def test_at_once(self):
        """Before or after the program has its handlers: whatever it does, nothing stays."""
        child = self.start(None)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(child.returncode, -signal.SIGINT)
        self.assertTrue(orphans.none_left())
        self.assert_no_file()

    def test_twice(self):
        child = self.start("boot:")
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=kit.TIMEOUT)
        self.assertIn(child.returncode, (-signal.SIGINT, -signal.SIGTERM))
        orphans.wait_until_none()
        self.assert_no_file()

    def test_killed(self):
        for moment in ("preparing", "booting", "gate:"):
            with self.subTest(moment=moment):
                child = self.start(moment)
                child.kill()
                child.communicate(timeout=kit.TIMEOUT)
                self.assertEqual(child.returncode, -signal.SIGKILL)
                orphans.wait_until_none()
                self.assert_no_file()

    def test_sweep(self):
        """What had ended keeps its result; the command that is given again runs the rest."""
        schedulers = os.environ["AVD_SCHEDULERS"]
        self.command = [kit.EXE, "sweep", "--out", str(self.folder / "out" / "s"), "-j1",
                        "-k", str(kit.kernel()), "-s", f"{schedulers}/dies_early",
                        "-s", f"{schedulers}/never_attaches", "--expect", "id=*:DIED/exited"]
        child = self.start(None)
        first = child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(child.returncode, -signal.SIGTERM, err)
        self.assertRegex(first, "^ok .*/dies_early/")
        self.assertIn("same command runs what is left", out + err)
        self.assertIn("1 as expected, 0 not, 1 without a result", out)
        self.assertTrue(orphans.none_left())
        self.assertEqual(len(list((self.folder / "out" / "s" / "cells").iterdir())), 1)

    def test_sweep_and_its_machine(self):
        """A batch system signals each process of a job; that says nothing of the cell."""
        qemu = self.folder / "qemu"
        qemu.write_text('#!/bin/sh\ncase " $* " in *" -kernel "*) kill -INT $$; esac\n'
                        f'exec {shutil.which("qemu-system-x86_64")} "$@"\n', encoding="ascii")
        qemu.chmod(0o755)
        results = self.folder / "out" / "s"
        self.command = [kit.EXE, "sweep", "--out", str(results), "-k", str(kit.kernel()),
                        "--machine", "qemu", "--set", f"qemu={qemu}",
                        "-s", os.path.join(os.environ["AVD_SCHEDULERS"], "fifo")]
        self.env["LD_PRELOAD"] = os.environ["AVD_SIGNAL_MODULE"]
        for moment, code, words in (("never", kit.FAILED, "0 as expected, 1 not, 0 without"),
                                    ("join", -signal.SIGINT, "0 as expected, 0 not, 1 without")):
            shutil.rmtree(results, ignore_errors=True)
            self.env["AVD_SIGNAL_AT"] = moment
            child = self.start(None)
            out, err = child.communicate(timeout=kit.TIMEOUT)
            self.assertEqual(child.returncode, code, out + err)
            self.assertIn(words, out)
        # The next sweep would take what lies there for the cell's end.
        self.assertEqual(list((results / "cells").iterdir()), [])

    def test_ignored_stays_ignored(self):
        """nohup, and a shell's background jobs."""
        self.command = ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh",
                        *self.command[:-len(kit.ENDLESS)]]
        child = self.start("boot:")
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGHUP)
        out, err = child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(child.returncode, kit.PASSED, err)
        self.assertEqual(json.loads(out)["result"], "passed")


if __name__ == "__main__":
    kit.main()
