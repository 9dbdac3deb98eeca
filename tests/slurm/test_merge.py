#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The merge of examples/slurm: what it makes of what scontrol and sacct say. No cluster: their
lines are those of Slurm 22.05 with slurmdbd, cut short, as a real array job had them.

usage: test_merge.py CLI MAKE_RESULTS EXAMPLE
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CLI, MAKE, EXAMPLE = (os.path.abspath(path) for path in sys.argv[1:4])
TASKS = 10
# What ended more than MinJobAge seconds ago is in the accounting alone, and task 9 nowhere.
SCONTROL = """\
JobId=9 ArrayJobId=7 ArrayTaskId=7-8%2 JobName=task JobState=CANCELLED Reason=Resources \
ExitCode=0:0 TimeLimit=UNLIMITED NodeList= NumNodes=1 StdOut=/x/o.7
JobId=8 ArrayJobId=7 ArrayTaskId=3 JobName=task JobState=NODE_FAIL Reason=NodeDown \
ExitCode=0:0 ReqNodeList=(null) ExcNodeList=(null) NodeList=c3 BatchHost=c3 StdOut=/x/o.3
JobId=7 ArrayJobId=7 ArrayTaskId=10 JobName=task JobState=BOOT_FAIL Reason=None ExitCode=0:0 \
NodeList=(null) StdOut=/x/o.10
"""
SACCT = """\
7_1|COMPLETED|0:0|c1
7_2|FAILED|3:0|c2
7_3|RUNNING|0:0|c3
7_4|CANCELLED by 1000|0:15|c4
7_5|OUT_OF_MEMORY|0:125|c1
7_6|TIMEOUT|0:0|c2
7_[7-8]|CANCELLED by 1000|0:0|None assigned
9|COMPLETED|0:0|c1
"""
WANT = {
    2: "Slurm: FAILED (job 7_2 on node c2, exit code 3:0)",
    3: "Slurm: NODE_FAIL (job 7_3 on node c3)",
    4: "Slurm: CANCELLED (job 7_4 on node c4, exit code 0:15)",
    5: "Slurm: OUT_OF_MEMORY (job 7_5 on node c1, exit code 0:125)",
    6: "Slurm: TIMEOUT (job 7_6 on node c2)",
    7: "Slurm: CANCELLED (job 7_7)",
    8: "Slurm: CANCELLED (job 7_8)",
    9: "Slurm: no longer knows of job 7_9: without accounting it forgets after MinJobAge",
    10: "Slurm: BOOT_FAIL (job 7_10)",
}


class Merge(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="avd-slurm-merge-")
        self.addCleanup(scratch.cleanup)
        self.top = pathlib.Path(scratch.name)
        self.dir = self.top / "a dir"
        (self.top / "bin").mkdir()
        (self.dir / "parts").mkdir(parents=True)
        (self.dir / "logs").mkdir()
        self.env = {**os.environ, "ATTACHVERDICT": CLI,
                    "PATH": f"{self.top}/bin:{os.environ['PATH']}"}

    def tool(self, name, output, code=0):
        path = self.top / "bin" / name
        path.write_text(f"#!/bin/sh\ncat <<'TEXT'\n{output}TEXT\nexit {code}\n", encoding="utf-8")
        path.chmod(0o755)

    def part(self, name, first, end):
        subprocess.run([MAKE, self.dir / "parts" / name, str(TASKS * 2), str(first), str(end)],
                       check=True)

    def merge(self, **slurm):
        done = subprocess.run([f"{EXAMPLE}/merge", self.dir, "7", str(TASKS)], check=False,
                              env={**self.env, **slurm}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8")
        shown = subprocess.run([CLI, "show", "--format", "json", self.dir / "results"],
                               check=False, stdout=subprocess.PIPE)
        return done.returncode, json.loads(shown.stdout)["cells"]

    def test_states(self):
        self.tool("scontrol", SCONTROL)
        self.tool("sacct", SACCT)
        self.part("none", 0, 0)
        self.part("1", 0, 3)  # make-results has no shards: its cells 1 and 2 are tasks 2's and 3's
        code, cells = self.merge()
        self.assertEqual(code, 3)
        for number, cell in enumerate(cells):
            task = number % TASKS + 1
            if number < 3:
                self.assertTrue(cell["met"], cell)
            elif task == 1:  # it completed: nothing is known of why it left nothing
                self.assertEqual(cell["result_code"], "not-run")
            else:
                self.assertEqual(cell["result_code"], "lost", cell)
                self.assertEqual(cell["result_reason"].split(", see ")[0], WANT[task])

    def test_no_accounting(self):
        """What nobody knows is lost all the same. A requeued merge begins anew."""
        self.tool("scontrol", "", 1)
        self.tool("sacct", "", 1)
        self.part("none", 0, 0)
        (self.dir / "results.8" / "cells").mkdir(parents=True)
        for slurm in ({"SLURM_JOB_ID": "8", "SLURM_RESTART_COUNT": "1"}, {"SLURM_JOB_ID": "9"}):
            code, cells = self.merge(**slurm)
            self.assertEqual(code, 3)
            self.assertEqual({cell["result_code"] for cell in cells}, {"lost"})
        self.assertEqual(os.readlink(self.dir / "results"), "results.9")

    def test_nothing_to_merge(self):
        """The results before stay."""
        self.tool("scontrol", SCONTROL)
        self.tool("sacct", SACCT)
        self.part("none", 0, 0)
        self.merge(SLURM_JOB_ID="8")
        (self.dir / "parts" / "none" / "index.cbor").unlink()
        for job, want in (("8", 2), ("9", 1)):  # that name is taken; the part is broken
            code, cells = self.merge(SLURM_JOB_ID=job)
            self.assertEqual(code, want)
            self.assertEqual(len(cells), TASKS * 2)
        self.assertEqual(os.readlink(self.dir / "results"), "results.8")

    def test_a_part_without_an_index(self):
        """A node can die between the making of a part's directory and that of its index."""
        self.tool("scontrol", SCONTROL)
        self.tool("sacct", SACCT)
        self.part("none", 0, 0)
        self.part("1", 0, 3)
        (self.dir / "parts" / "2").mkdir()
        code, cells = self.merge()
        self.assertEqual(code, 3)
        self.assertEqual([cell["met"] for cell in cells[:4]], [True, True, True, False])

    def test_another_number_of_tasks(self):
        (self.dir / "tasks").write_text("4\n", encoding="utf-8")
        (self.top / "plan.cfg").touch()
        done = subprocess.run([f"{EXAMPLE}/submit", self.top / "plan.cfg", self.dir, "5"],
                              check=False, env=self.env, stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(done.returncode, 2)
        self.assertIn("begun with 4 tasks", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
