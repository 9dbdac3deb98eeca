#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""`run` with real kernels and real schedulers: the report, the files, the exit status."""
import errno
import json
import os
import pty
import re
import signal
import subprocess
import threading

import kit

SCHEDULERS = os.environ["AVD_SCHEDULERS"]
PHASES = ["preparing", "booting", "boot", "start", "gate", "dispatch", "payload", "teardown"]


def scheduler(name):
    return os.path.join(SCHEDULERS, name)


class Run(kit.Isolated):
    def setUp(self):
        super().setUp()
        self.kernel = kit.kernel()

    def run_json(self, *args, code):
        done = self.run_isolated("--kernel", self.kernel, "--format", "json", *args)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        return done.stdout, json.loads(done.stdout)

    def test_passes_with_a_payload_and_replays_the_same(self):
        record = self.folder / "out" / "r"
        keep = self.folder / "out" / "keep"
        keep.mkdir()
        text, report = self.run_json(
            "--scheduler", scheduler("fifo"), "--record", record, "--keep", keep,
            "--payload", "/bin/echo 'a  b' c\\ d \"e\\\"f\" '' g", code=kit.PASSED)
        self.assertEqual(report["outcome"], "ATTACHED")
        self.assertEqual(report["result"], "passed")
        self.assertEqual(report["machine"]["cpus"], 2)
        self.assertEqual(report["kernel"]["path"], str(self.kernel))
        evidence = report["evidence"]
        self.assertEqual(evidence["attach"]["ops"], "fifo")
        self.assertGreater(evidence["attach"]["enable_seq"],
                           evidence["attach"]["enable_seq_before"])
        self.assertEqual(evidence["payload"]["argv"][1:], ["a  b", "c d", 'e"f', "", "g"])
        self.assertEqual(evidence["payload"]["stdout"]["lines"], ['a  b c d e"f  g'])
        self.assertEqual([item["phase"] for item in evidence["phases"]], PHASES[2:])
        done = self.attachverdict("replay", "--format", "json", record)
        self.assertEqual((done.returncode, done.stdout), (kit.PASSED, text))
        self.assertTrue(any(keep.iterdir()))

    def test_text_on_stdout_phases_on_stderr(self):
        done = self.run_isolated("--kernel", self.kernel, "-v", "-s", scheduler("init_fail"))
        self.assertEqual(done.returncode, kit.FAILED)
        self.assertTrue(done.stdout.startswith("NOT_ATTACHED (init-failed): "), done.stdout)
        self.assertIn("\nhint: ", done.stdout)
        told = re.findall(r"(?m)^\[ *\d+\.\d{3}\] ([a-z]+): ", done.stderr)
        self.assertEqual([phase for phase in told if phase in PHASES],
                         [phase for phase in PHASES if phase not in ("dispatch", "payload")])
        self.assertNotIn("\r", done.stderr)

    def test_arguments_behind_the_dashes_are_the_schedulers(self):
        _, report = self.run_json("--scheduler", "echo", "--", "--format", "a b", "-x", "--",
                                  code=kit.FAILED)
        self.assertEqual((report["outcome"], report["reason_code"]), ("DIED", "exited"))
        self.assertEqual(report["evidence"]["scheduler"]["stdout"]["lines"],
                         ["--format a b -x --"])
        self.assertEqual(report["evidence"]["failure"]["exit_status"], 0)

    def test_payload_that_fails(self):
        _, report = self.run_json("--scheduler", scheduler("fifo"), "--payload", "false",
                                  "--dispatch", "off", code=kit.FAILED)
        self.assertEqual((report["outcome"], report["result_code"], report["reason_code"]),
                         ("ATTACHED", "payload-failed", None))
        self.assertIsNone(report["evidence"]["dispatch"])

    def test_exit_style_of_bisect(self):
        """1 is for what was seen to fail; what nobody saw is skipped."""
        _, report = self.run_json("--exit-style", "bisect", "-s", scheduler("init_fail"), code=1)
        self.assertEqual(report["outcome"], "NOT_ATTACHED")
        _, report = self.run_json("--exit-style", "bisect", "-s", scheduler("fifo"),
                                  "--timeout", "10ms", code=125)
        self.assertEqual(report["outcome"], "UNCONFIRMED")

    def test_kernel_without_sched_ext(self):
        self.kernel = kit.kernel(sched_ext=False)
        _, report = self.run_json("--scheduler", scheduler("fifo"), code=kit.FAILED)
        self.assertEqual((report["outcome"], report["reason_code"]),
                         ("NOT_ATTACHED", "no-sched-ext"))

    def test_report_that_can_not_be_written(self):
        record = self.folder / "out" / "r"
        with open("/dev/full", "w", encoding="ascii") as full:
            done = self.run_isolated("--kernel", self.kernel, "-s", scheduler("dies_early"),
                                     "--record", record, stdout=full)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("No space left", done.stderr)
        self.assertEqual(self.attachverdict("replay", record).returncode, kit.FAILED)

    def test_two_at_once_on_a_cold_cache(self):
        def one(results):
            results.append(self.run_isolated("--kernel", self.kernel, "--format", "json", "-s",
                                             scheduler("dies_early")))
        results = []
        threads = [threading.Thread(target=one, args=(results,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 2)
        for done in results:
            self.assertEqual((done.returncode, done.stderr), (kit.FAILED, ""), done.stdout)
            self.assertEqual(json.loads(done.stdout)["outcome"], "DIED")
        left = [path for path in (self.folder / "cache").rglob("*") if path.is_file()]
        unpacked = [path for path in left if path.parent.name == "vmlinux"]
        self.assertEqual(len(unpacked), 1, left)
        self.assertRegex(unpacked[0].name, r"^[0-9a-f]+$")


class Terminal(kit.Isolated):
    def test_status_line_is_drawn_and_cleared(self):
        kernel = kit.kernel()
        master, slave = pty.openpty()
        with subprocess.Popen([kit.EXE, "run", "--kernel", kernel, "-s", scheduler("fifo"),
                               *kit.ENDLESS], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=slave) as child:
            os.close(slave)
            seen = b""
            try:
                while chunk := os.read(master, 65536):
                    # Drawn again while a phase goes on: only then it ends.
                    if seen.count(b"payload: ") < 3 <= (seen + chunk).count(b"payload: "):
                        child.send_signal(signal.SIGINT)
                    seen += chunk
            except OSError as error:  # the other side is closed
                self.assertEqual(error.errno, errno.EIO)
            out = child.stdout.read().decode("utf-8")
        os.close(master)
        self.assertEqual(child.returncode, -signal.SIGINT)
        self.assertTrue(out.startswith("ATTACHED: "), out)
        status = seen.decode("ascii")
        self.assertTrue(status.endswith("\r\x1b[K"), status[-80:])
        draws = [draw for draw in status.split("\r\x1b[K") if draw]
        for draw in draws:
            # What follows the signal is cut to the terminal's width.
            self.assertRegex(draw, r"^\w+: [^\r\n]+, \d+\.\d s \(\d+\.\d s in all\)(; .*)?$")
            self.assertLess(len(draw), 80)
        # And for the next phase.
        phases = [draw.split(":")[0] for draw in draws]
        self.assertEqual(list(dict.fromkeys(phases))[:2], ["preparing", "booting"])


if __name__ == "__main__":
    kit.main()
