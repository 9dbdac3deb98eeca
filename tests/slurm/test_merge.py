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

    def tool(self, name, output, code=0, quote="'TEXT'"):
        path = self.top / "bin" / name
        path.write_text(f"#!/bin/sh\ncat <<{quote}\n{output}TEXT\nexit {code}\n", encoding="utf-8")
        path.chmod(0o755)

    def part(self, name, first, end):
        subprocess.run([MAKE, self.dir / "parts" / name, str(TASKS * 2), str(first), str(end)],
                       check=True)

    def merge(self, array="7", **slurm):
        done = subprocess.run([f"{EXAMPLE}/merge", self.dir, array, str(TASKS)], check=False,
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

    def reasons(self, cells):
        return {number % TASKS + 1: cell["result_reason"].split(", see ")[0]
                for number, cell in enumerate(cells) if cell["result_code"] == "lost"}

    def test_each_word(self):
        """Slurm has the words; whichever it is, it is told as it is. One that has not ended by
        the accounting, which lags, gives way to what a task saw."""
        words = ["PREEMPTED", "DEADLINE", "OUT_OF_MEMORY", "BOOT_FAIL", "REVOKED", "NODE_FAIL",
                 "TIMEOUT", "CANCELLED", "FAILED", "STOPPED"]
        self.tool("scontrol", "".join(
            f"JobId=8 ArrayJobId=7 ArrayTaskId={task} JobState={word} ExitCode=0:9 NodeList=c1\n"
            for task, word in enumerate(words[:3], 1)))
        self.tool("sacct", "".join(f"7_{task}|{word}|0:9|c1\n"
                                   for task, word in enumerate(words[3:6], 4)) +
                  "7_7|RUNNING|0:0|c1\n7_8|REQUEUED|0:0|c1\n")
        (self.dir / "states").write_text(
            "".join(f"JobId=8 ArrayJobId={array} ArrayTaskId={task} JobName=a JobState={word} "
                    "ExitCode=0:9 NodeList=c1 BatchHost=c1\n"
                    for array, task, word in [(7, 7, "NODE_FAIL"), (6, 7, "DEADLINE"),
                                              (7, 7, words[6]), (7, 8, words[7]),
                                              (7, 9, words[8]), (7, 10, words[9]),
                                              (7, 1, "TIMEOUT"), (17, 8, "TIMEOUT")]),
            encoding="utf-8")
        self.part("none", 0, 0)
        self.assertEqual(self.reasons(self.merge()[1]),
                         {task: f"Slurm: {word} (job 7_{task} on node c1, exit code 0:9)"
                          for task, word in enumerate(words, 1)})

    def test_tasks_that_never_began(self):
        """Slurm writes them as a list, with steps, and cut short unless it is told not to."""
        self.tool("scontrol", """JobId=7 ArrayJobId=7 ArrayTaskId=1-5:2,8,$(
[ "$SLURM_BITSTR_LEN" = 0 ] && echo 9 || echo ...) JobState=CANCELLED ExitCode=0:0 NodeList=\n""",
                  quote="TEXT")
        self.tool("sacct", "", 1)
        self.part("none", 0, 0)
        found = self.reasons(self.merge()[1])
        self.assertEqual([task for task, text in found.items() if "CANCELLED" in text],
                         [1, 3, 5, 8, 9])

    def test_submitted_again_for_some_tasks(self):
        """What Slurm said of the others holds still."""
        self.tool("scontrol", SCONTROL)
        self.tool("sacct", SACCT)
        self.part("none", 0, 0)
        before = self.reasons(self.merge(SLURM_JOB_ID="8")[1])
        self.tool("scontrol", SCONTROL.replace("JobId=7", "JobId=20").replace("_FAIL", "_GONE")
                  .splitlines(True)[1])
        self.tool("sacct", "", 1)
        after = self.reasons(self.merge("20", SLURM_JOB_ID="21")[1])
        self.assertEqual(after.pop(3), "Slurm: NODE_GONE (job 20_3 on node c3)")
        for task in (1, 9):  # completed, and nobody knew
            self.assertIn(f"no longer knows of job 20_{task}", after.pop(task))
        del before[3], before[9]
        self.assertEqual(after, before)

    def test_tasks_keep_what_slurm_says(self):
        """slurmctld forgets jobs. What it says of those that were lost is kept by the tasks as
        they begin and end, and meanwhile by one of them."""
        self.tool("scontrol", SCONTROL + "JobId=7 ArrayJobId=7 ArrayTaskId=1 JobName=x "
                  "JobState=RUNNING ExitCode=0:0 NodeList=c1\n")
        sweep = self.top / "attachverdict"  # ends as soon as somebody else has kept something
        sweep.write_text('#!/bin/sh\nuntil [ "$(grep -c ArrayTaskId=3 "$DIR/states")" -ge 3 ]; '
                         'do sleep 0.01; done\nexit 1\n', encoding="utf-8")
        sweep.chmod(0o755)
        subprocess.run([f"{EXAMPLE}/task", "plan", self.dir, "10"], check=True, timeout=300,
                       env={**self.env, "DIR": str(self.dir), "ATTACHVERDICT": str(sweep), "ASK_SLURM_SECONDS": "0.01",
                            "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"})
        kept = (self.dir / "states").read_text("utf-8")
        self.assertGreaterEqual(kept.count("NODE_FAIL"), 4)
        self.assertNotIn("RUNNING", kept)
        self.tool("scontrol", "", 1)
        self.tool("sacct", "", 1)
        self.part("none", 0, 0)
        found = self.reasons(self.merge()[1])
        for task in (3, 7, 8, 10):
            self.assertEqual(found[task], WANT[task])

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

    def submit(self, directory, *options):
        """With an sbatch that keeps its arguments in $TOP/arguments."""
        path = self.top / "bin" / "sbatch"
        path.write_text("""#!/bin/sh
for word; do printf '%s\\0' "$word"; done >>"$TOP/arguments"
printf '\\0' >>"$TOP/arguments"
case "$*" in *"$REFUSE"*) echo "sbatch: error: Invalid job array specification" >&2; exit 1 ;; esac
echo "44;cluster"
""", encoding="utf-8")
        path.chmod(0o755)
        true = self.top / "true"
        true.write_text("#!/bin/sh\n", encoding="utf-8")
        true.chmod(0o755)
        (self.top / "plan.cfg").touch()
        done = subprocess.run(
            [f"{EXAMPLE}/submit", self.top / "plan.cfg", directory, *options], check=False,
            env={"REFUSE": "no such word", **self.env, "TOP": str(self.top),
                 "ATTACHVERDICT": str(true)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        said = (self.top / "arguments").read_text("utf-8").split("\0\0")[:-1]
        return done, [call.split("\0") for call in said]

    def test_names_that_mean_something_elsewhere(self):
        """Spaces, commas, newlines; and %, which sbatch replaces in the name of an output."""
        directory = self.top / "50%a, a\nb"
        done, (array, merge) = self.submit(directory, "3", "--mem=1G", "--comment=a b, c")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        logs = str(directory / "logs").replace("%", "%%")
        self.assertIn("--array=1-3", array)
        self.assertIn(f"--output={logs}/%A_%a.out", array)
        self.assertEqual(array[-6:], ["--mem=1G", "--comment=a b, c", f"{EXAMPLE}/task",
                                      str(self.top / "plan.cfg"), str(directory), "3"])
        self.assertIn("--dependency=afterany:44", merge)
        self.assertIn(f"--output={logs}/merge.%j.out", merge)
        self.assertEqual(merge[-4:], [f"{EXAMPLE}/merge", str(directory), "44", "3"])

    def test_what_sbatch_refuses(self):
        """More tasks than MaxArraySize: fewer can be asked for then."""
        self.env["REFUSE"] = "1-200000"
        self.assertEqual(self.submit(self.dir, "200000")[0].returncode, 1)
        self.assertEqual(self.submit(self.dir, "20")[0].returncode, 0)
        self.env["REFUSE"] = "afterany"
        done, _ = self.submit(self.dir, "20")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"merge {self.dir} 44 20".replace(" dir", "\\ dir"), done.stderr)

    def test_another_number_of_tasks(self):
        (self.dir / "tasks").write_text("4\n", encoding="utf-8")
        (self.top / "plan.cfg").touch()
        done = subprocess.run([f"{EXAMPLE}/submit", self.top / "plan.cfg", self.dir, "5"],
                              check=False, env=self.env, stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(done.returncode, 2)
        self.assertIn("begun with 4 tasks", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
