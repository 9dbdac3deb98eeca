#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Reason codes that no guest brings about: of a machine that is killed, of a recording that was
damaged. With a real machine and a real recording."""
import json
import os
import pathlib
import re
import signal
import subprocess

import kit


class Ends(kit.Isolated):
    def setUp(self):
        super().setUp()
        self.record = self.folder / "out" / "r"
        self.command = [kit.EXE, "run", "-v", "--machine", "qemu", "--format", "json",
                        "--kernel", str(kit.kernel()), "--record", str(self.record), "-s",
                        os.path.join(os.environ["AVD_SCHEDULERS"], "fifo")]

    def children(self, pid):
        """Of a process, its threads' included."""
        return [int(word) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
                for word in path.read_text().split()]

    def test_machine_that_is_killed_is_a_machine_error(self):
        child = subprocess.Popen([*self.command, *kit.ENDLESS], env=self.env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        for line in child.stderr:
            if re.match(r"\[ *[0-9.]+\] boot: ", line):
                break
        machines = self.children(child.pid)
        self.assertEqual(len(machines), 1)
        os.kill(machines[0], signal.SIGKILL)
        out, _ = child.communicate(timeout=kit.TIMEOUT)
        report = json.loads(out)
        self.assertEqual(child.returncode, kit.FAILED)
        self.assertEqual((report["outcome"], report["reason_code"], report["end_cause"]),
                         ("UNCONFIRMED", "machine-error", "machine-killed"), out)
        self.assertIn("signal 9", report["reason"])

    def replay(self, recording):
        path = self.folder / "damaged"
        path.write_bytes(recording)
        done = self.attachverdict("replay", "--format", "json", path)
        self.assertEqual(done.returncode, kit.FAILED, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["outcome"], "UNCONFIRMED")
        return report

    def test_recording_that_is_cut_or_damaged(self):
        done = subprocess.run(self.command, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=kit.TIMEOUT)
        self.assertEqual(done.returncode, kit.PASSED, done.stderr)
        whole = self.record.read_bytes()
        frames = [found.start() for found in re.finditer(rb"\xd9\xd9\xf7\x83\x1a", whole)]
        self.assertGreater(len(frames), 8)
        # The cell frame, hello and one more; then the same without anything but the first.
        for count in (3, 1):
            self.assertEqual(self.replay(whole[:frames[count]])["reason_code"], "truncated")
        # A byte of the third frame's payload.
        damaged = bytearray(whole)
        damaged[frames[2] + 19] ^= 1
        report = self.replay(bytes(damaged))
        self.assertEqual(report["reason_code"], "channel-corrupt")
        self.assertIn("checksum", report["reason"])


if __name__ == "__main__":
    kit.main()
