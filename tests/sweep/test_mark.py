#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""`mark`: lost cells with a reason, in every format, until there is a result.

usage: test_mark.py CLI MAKE_RESULTS SCHEMA
"""

import fcntl
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

CLI, MAKE, SCHEMA = sys.argv[1:4]
CELLS, TO = 12, 5  # cells from TO on have no result
REASON = 'Slurm: NODE_FAIL (job 123_4 on node "c2") <&>'


class Mark(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="avd-mark-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name) / "results"
        subprocess.run([MAKE, self.dir, str(CELLS), "0", str(TO)], check=True)

    def cli(self, *args):
        return subprocess.run([CLI, *map(str, args)], check=False, encoding="utf-8",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def mark(self, *args, reason=REASON):
        done = self.cli("mark", self.dir, "--reason", reason, *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return int(done.stdout.split()[0])

    def cells(self):
        return json.loads(self.cli("show", "--format", "json", self.dir).stdout)["cells"]

    def codes(self):
        return [cell["result_code"] for cell in self.cells()]

    def test_parts(self):
        before = self.cells()
        self.assertEqual(self.mark("--shard", "2/4"), 2)  # 1 has a result; 5 and 9
        self.assertEqual(self.mark("--cells", "8-10", reason="other"), 2)
        after = self.cells()
        self.assertEqual(after[:TO], before[:TO])
        self.assertEqual(self.codes()[TO:], ["lost", "not-run", "not-run", "lost", "lost", "lost",
                                             "not-run"])
        self.assertEqual([cell["result_reason"] for cell in after[8:11]],
                         ["other", REASON, "other"])
        for cell in after[TO:]:
            self.assertEqual((cell["outcome"], cell["ran"], cell["met"], cell["recording"]),
                             ("UNCONFIRMED", False, False, None))

    def test_formats(self):
        self.mark("--cells", "6-6")
        text = self.cli("show", self.dir).stdout
        self.assertIn("7 without a result, 1 of them lost", text)
        self.assertIn(" LOST", text)
        escaped = {"text": REASON, "ktap": REASON, "tap": REASON.replace('"', '\\"'),
                   "json": REASON.replace('"', '\\"'),
                   "junit": "job 123_4 on node &quot;c2&quot;) &lt;&amp;&gt;",
                   "markdown": f"`{REASON}`"}
        for form, words in escaped.items():
            with self.subTest(form=form):
                found = self.cli("show", "--format", form, self.dir).stdout
                self.assertIn(words, found)
                self.assertIn("lost", found)

    def test_json_follows_the_schema(self):
        self.mark("--cells", "6-7")
        found = json.loads(self.cli("show", "--format", "json", self.dir).stdout)
        self.assertEqual((found["not_run_count"], found["lost_count"]), (7, 2))
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        with open(SCHEMA, encoding="utf-8") as file:
            jsonschema.validate(found, json.load(file))

    def test_merge_and_compare(self):
        """A result beats a mark, whichever comes first."""
        other = self.dir.parent / "other"
        subprocess.run([MAKE, other, str(CELLS), "6", "8"], check=True)
        self.mark()
        for into, dirs in (("m1", (self.dir, other)), ("m2", (other, self.dir))):
            out = self.dir.parent / into
            done = self.cli("merge", "--out", out, *dirs)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("5 without a result, 5 of them lost", done.stdout)
        done = self.cli("compare", other, self.dir)
        self.assertIn("passed -> lost", done.stdout)

    def test_refused(self):
        for args, code in ((["mark"], 2), (["mark", self.dir], 2),
                           (["mark", self.dir, "--reason", ""], 2),
                           (["mark", self.dir, "--reason", "x", "--cells", "none"], 2),
                           (["mark", self.dir, "--reason", "x", "--shard", "5/4"], 2),
                           (["mark", self.dir, self.dir, "--reason", "x"], 2),
                           (["mark", self.dir, "--reason", "x", "--cells", "99-99"], 3),
                           (["mark", self.dir.parent, "--reason", "x"], 3)):
            done = self.cli(*args)
            self.assertEqual((done.returncode, done.stdout), (code, ""), args)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertNotIn("lost", self.codes())

    def test_a_sweep_that_writes_there_keeps_its_directory(self):
        with open(self.dir / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.cli("mark", self.dir, "--reason", "x")
        self.assertEqual(done.returncode, 3)
        self.assertIn("another sweep writes there", done.stderr)

    def test_a_directory_without_cells(self):
        """As a script makes it before any machine has begun."""
        for name in ("kernel", "scheduler"):
            (self.dir.parent / name).write_text("#!/bin/sh\n", encoding="utf-8")
        out = self.dir.parent / "empty"
        axes = ["--kernel", self.dir.parent / "kernel", "--scheduler",
                self.dir.parent / "scheduler", "--topology", "1", "--topology", "2"]
        done = self.cli("sweep", "--out", out, *axes, "--cells", "none")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.dir = out
        self.assertEqual(self.codes(), ["not-run", "not-run"])
        self.assertEqual(self.mark("--shard", "2/2"), 1)
        self.assertEqual(self.codes(), ["not-run", "lost"])
        # Going on there without running anything leaves the mark.
        self.cli("sweep", "--out", out, *axes, "--cells", "none")
        self.assertEqual(self.codes(), ["not-run", "lost"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
