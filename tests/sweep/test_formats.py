#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Each format of `show` is read by a parser of somebody else's.

usage: test_formats.py CLI MAKE_RESULTS SCHEMA
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

CLI, MAKE, SCHEMA = sys.argv[1:4]
CELLS, FROM, TO = 40, 0, 33  # the last seven have no result
UNMET = [i for i in range(FROM, TO) if i % 7 == 3]


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="avd-formats-")
        cls.dir = pathlib.Path(cls.scratch.name) / "results"
        subprocess.run([MAKE, cls.dir, str(CELLS), str(FROM), str(TO)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def show(self, form):
        done = subprocess.run([CLI, "show", "--format", form, self.dir], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        return done.stdout.decode("utf-8")

    def test_json(self):
        found = json.loads(self.show("json"))
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        with open(SCHEMA, encoding="utf-8") as file:
            jsonschema.validate(found, json.load(file))
        self.assertEqual((found["cell_count"], found["unmet_count"], found["not_run_count"]),
                         (CELLS, len(UNMET), CELLS - TO))
        self.assertEqual([i for i, cell in enumerate(found["cells"]) if not cell["met"]],
                         UNMET + list(range(TO, CELLS)))
        lost = found["cells"][-1]
        self.assertEqual((lost["outcome"], lost["result_code"]), ("UNCONFIRMED", "not-run"))

    def test_junit(self):
        text = self.show("junit")
        root = ET.fromstring(text)
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("errors")),
                         (str(CELLS), "0", str(len(UNMET) + CELLS - TO)))
        cases = root.findall("testsuite/testcase")
        self.assertEqual(len(cases), CELLS)
        bad = [i for i, case in enumerate(cases) if len(case)]
        self.assertEqual(bad, UNMET + list(range(TO, CELLS)))
        self.assertIn("<script>alert(1)</script>", cases[3][0].get("message"))
        try:
            import junitparser
        except ImportError:
            self.skipTest("python3-junitparser is not installed")
        suites = junitparser.JUnitXml.fromstring(text)
        self.assertEqual(sum(len(suite) for suite in suites), CELLS)

    def test_tap(self):
        """TAP::Parser, which comes with perl, knows version 13 of what we write as 14."""
        text = self.show("tap")
        self.assertTrue(text.startswith("TAP version 14\n1..40\n"))
        if not shutil.which("perl"):
            self.skipTest("perl is not installed")
        script = ("use TAP::Parser; local $/; my $p = TAP::Parser->new({tap => <STDIN>}); $p->run;"
                  "print join(',', $p->tests_run, scalar($p->passed), scalar($p->failed),"
                  "scalar($p->todo), scalar($p->skipped), scalar($p->parse_errors));")
        done = subprocess.run(["perl", "-e", script], check=True, stdout=subprocess.PIPE,
                              input=text.replace("version 14", "version 13").encode())
        passed = TO - FROM - len(UNMET)
        self.assertEqual(done.stdout.decode(), f"{CELLS},{passed},{CELLS - passed},0,0,0")

    def test_ktap(self):
        lines = self.show("ktap").splitlines()
        self.assertEqual(lines[:2], ["KTAP version 1", "1..40"])
        results = [line for line in lines[2:] if not line.startswith("#")]
        self.assertEqual(len(results), CELLS)
        for number, line in enumerate(results):
            bad = number in UNMET or number >= TO
            self.assertTrue(line.startswith(f"{'not ok' if bad else 'ok'} {number + 1} "), line)

    def test_markdown(self):
        lines = self.show("markdown").splitlines()
        table = [line for line in lines if line.startswith("|")]
        self.assertEqual({line.count("|") - line.count("\\|") for line in table}, {12})
        self.assertNotIn("<script>", "\n".join(lines))

    def test_text(self):
        text = self.show("text")
        self.assertIn("40 cells: 28 as expected, 5 not, 7 without a result", text)
        self.assertIn("NOT RUN", text)
        self.assertNotIn("\x1b", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
