#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Each format of `show` is read by a parser of somebody else's, texts of a forged index included.

usage: test_formats.py CLI MAKE_RESULTS SCHEMA XSD
"""

import csv
import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

CLI, MAKE, SCHEMA, XSD = sys.argv[1:5]
CELLS, FROM, TO = 40, 0, 33  # the last seven have no result
UNMET = [i for i in range(FROM, TO) if i % 7 == 3]
BAD = UNMET + list(range(TO, CELLS))
# Of make_results.c: what was no text, as it may be shown. The second one is some 400 KiB long.
BROKEN = 10
LONG = 17
SHOWN = r"\x01\x08\x0b\x0c\x1b[2J\x7f \xff\xfe \xc0\xaf \xed\xa0\x80 \xc2\x9b \xe2\x80\xae\xef\xbf\xbe"
KERNELS = 10


def run(command, **kinds):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          **kinds)


def program(name, package):
    if not shutil.which(name):
        raise unittest.SkipTest(f"{package} is not installed")
    return name


def module(name, package):
    try:
        return importlib.import_module(name)
    except ImportError:
        raise unittest.SkipTest(f"{package} is not installed") from None


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
        return self.print(self.dir, form)

    def forged(self):
        """Results with hostile ids and names, and their cells."""
        folder = self.dir.with_name("forged")
        if not folder.exists():
            subprocess.run([MAKE, "--hostile", folder], check=True)
        return folder, json.loads(self.print(folder, "json"))["cells"]

    def print(self, folder, form):
        done = run([CLI, "show", "--format", form, folder])
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        text = done.stdout.decode("utf-8")  # strictly
        self.assertEqual([c for c in set(text) if c < " " and c != "\n" or "\x7f" <= c < "\xa0"],
                         [], "control characters")
        return text

    def test_json(self):
        found = json.loads(self.show("json"))
        with open(SCHEMA, encoding="utf-8") as file:
            module("jsonschema", "python3-jsonschema").validate(found, json.load(file))
        self.assertEqual((found["cell_count"], found["unmet_count"], found["not_run_count"]),
                         (CELLS, len(UNMET), CELLS - TO))
        self.assertEqual([i for i, cell in enumerate(found["cells"]) if not cell["met"]], BAD)
        lost = found["cells"][-1]
        self.assertEqual((lost["outcome"], lost["result_code"]), ("UNCONFIRMED", "not-run"))
        self.assertIn(SHOWN, found["cells"][BROKEN]["result_reason"])
        self.assertGreater(len(found["cells"][LONG]["result_reason"]), 400 << 10)

    def test_junit(self):
        text = self.show("junit")
        root = ET.fromstring(text)
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("errors")),
                         (str(CELLS), "0", str(len(BAD))))
        cases = root.findall("testsuite/testcase")
        self.assertEqual(len(cases), CELLS)
        self.assertEqual([i for i, case in enumerate(cases) if len(case)], BAD)
        self.assertIn("<script>alert(1)</script>", cases[3][0].get("message"))
        self.assertIn("]]> " + SHOWN, cases[BROKEN][0].get("message"))
        suites = module("junitparser", "python3-junitparser").JUnitXml.fromstring(text)
        self.assertEqual(sum(len(suite) for suite in suites), CELLS)

    def validate(self, text):
        xmllint = program("xmllint", "libxml2-utils")
        return run([xmllint, "--nonet", "--noout", "--schema", XSD, "-"], input=text.encode())

    def test_junit_schema(self):
        text = self.show("junit")
        done = self.validate(text)
        self.assertEqual(done.returncode, 0, done.stderr.decode()[:2000])
        for bad in (text.replace(' tests="', ' test="', 1),
                    text.replace("<error type", "<errors type").replace("</error>", "</errors>"),
                    text.replace('time="', 'time="-', 1),
                    text.replace(' message="', ' message="\x01', 1),
                    text.replace("7.1/sched-00000/2", "7.0/sched-00000/2", 1)):
            self.assertNotEqual(bad, text)
            self.assertNotEqual(self.validate(bad).returncode, 0)

    def tap_parser(self, text):
        """TAP::Parser, which comes with perl: tests run, passed, failed, errors and so on."""
        script = ("use TAP::Parser; local $/; my $p = TAP::Parser->new({tap => <STDIN>}); $p->run;"
                  "print join(',', $p->tests_run, scalar($p->passed), scalar($p->failed),"
                  "scalar($p->todo), scalar($p->skipped), scalar($p->parse_errors));")
        done = run([program("perl", "perl"), "-e", script], input=text.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def test_tap(self):
        """TAP::Parser knows version 13 of what we write as 14."""
        text = self.show("tap")
        self.assertTrue(text.startswith("TAP version 14\n1..40\n"))
        self.assertEqual(self.tap_parser(text.replace("version 14", "version 13")),
                         f"{CELLS},{CELLS - len(BAD)},{len(BAD)},0,0,0")

    def test_tap_yaml(self):
        module("yaml", "python3-yaml")
        module("more_itertools", "python3-more-itertools")
        lines = list(module("tap.parser", "python3-tap").Parser().parse_text(self.show("tap")))
        self.assertEqual({line.category for line in lines}, {"version", "plan", "test"})
        self.assertEqual(lines[0].version, 14)
        self.assertEqual(lines[1].expected_tests, CELLS)
        tests = lines[2:]
        self.assertEqual([test.number for test in tests], list(range(1, CELLS + 1)))
        self.assertEqual([i for i, test in enumerate(tests) if not test.ok], BAD)
        self.assertFalse([test for test in tests if test.skip or test.todo])
        for i, test in enumerate(tests):
            self.assertEqual(test.yaml_block["result"], "failed" if i in BAD else "passed")
        self.assertIn("<script>alert(1)</script> & \"quoted\"", tests[3].yaml_block["message"])
        self.assertIn(SHOWN, tests[BROKEN].yaml_block["message"])
        self.assertTrue(tests[LONG].yaml_block["message"].endswith(" [cut]"))

    def test_ktap(self):
        """Results of KTAP are those of TAP, under another first line, without diagnostics in
        YAML; by hand its own parser, the kernel's kunit.py, was seen to read it."""
        text = self.show("ktap")
        lines = text.splitlines()
        self.assertEqual(lines[:2], ["KTAP version 1", "1..40"])
        results = [line for line in lines[2:] if not line.startswith("# ")]
        self.assertEqual(results, [f"{'not ok' if i in BAD else 'ok'} {i + 1} "
                                   f"7.{i % KERNELS}/sched-{i // KERNELS:05}/2"
                                   for i in range(CELLS)])
        self.assertEqual(self.tap_parser("\n".join(lines[1:]) + "\n"),
                         f"{CELLS},{CELLS - len(BAD)},{len(BAD)},0,0,0")

    def test_tap_of_a_forged_index(self):
        """No id makes a reader skip what is not ok."""
        forged, cells = self.forged()
        ids = [cell["id"] for cell in cells]
        self.assertIn("a # SKIP by/11", ids)
        for form, backslash in (("tap", "\\\\"), ("ktap", "\\")):
            text = self.print(forged, form)
            found = [line for line in text.splitlines() if line.startswith("not ok ")]
            names = [id.replace("\\", backslash).replace("#", backslash + "x23") for id in ids]
            dash = "- " if form == "tap" else ""
            self.assertEqual(found, [f"not ok {i} {dash}{name}"
                                     for i, name in enumerate(names, 1)])
            self.assertNotIn("\n# Subtest", text)
            text = "TAP version 13\n" + text.partition("\n")[2]
            self.assertEqual(self.tap_parser(text), f"{len(ids)},0,{len(ids)},0,0,0")
            # The result lines as kunit.py looks for them.
            for line in found:
                self.assertRegex(line, r"^\s*(ok|not ok) ([0-9]+) ?(- )?([^#]*)( # .*)?$")
                self.assertNotRegex(line, r"^\s*(ok|not ok) ([0-9]+) ?(- )?(.*) # SKIP ?(.*)$")
        module("yaml", "python3-yaml")
        module("more_itertools", "python3-more-itertools")
        parser = module("tap.parser", "python3-tap").Parser()
        lines = list(parser.parse_text(self.print(forged, "tap")))[2:]
        self.assertEqual([(line.ok, line.skip, line.todo) for line in lines],
                         [(False, False, False)] * len(ids))

    def markdown(self, text):
        """As GitHub reads it: one table, a list of what is not as expected, nothing of HTML. The
        table's rows and the list's items, as text; what others wrote is code in them."""
        done = run([program("cmark-gfm", "cmark-gfm"), "--unsafe", "-e", "table", "-e",
                    "strikethrough", "-e", "autolink", "--to", "xml"], input=text.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        space = "{http://commonmark.org/xml/1.0}"
        root = ET.fromstring(done.stdout)
        self.assertEqual([child.tag for child in root],
                         [space + tag for tag in ("paragraph", "table", "list")])
        self.assertEqual({node.tag[len(space):] for node in root.iter()} -
                         {"document", "paragraph", "table", "table_header", "table_row",
                          "table_cell", "list", "item", "text", "code"}, set())
        # What becomes a link only behind the parser: @mentions, #1, GH-1, addresses.
        outside = "".join(node.text or "" for node in root.iter(space + "text"))
        self.assertEqual(re.findall("@|#|://|www|GH-", outside), [])

        def words(node):  # the rest is the layout of the XML
            return "".join(text.text or "" for text in node.iter()
                           if text.tag in (space + "text", space + "code"))
        return [[words(cell) for cell in row] for row in root[1]], [words(i) for i in root[2]]

    def test_markdown(self):
        table, notes = self.markdown(self.show("markdown"))
        self.assertEqual(table[0], [""] + [f"7.{i}" for i in range(KERNELS)])
        self.assertEqual([row[0] for row in table[1:]],
                         [f"sched-{i:05}/2" for i in range(CELLS // KERNELS)])
        for i in range(CELLS):
            place = table[1 + i // KERNELS][1 + i % KERNELS]
            self.assertEqual("passed" not in place, i in BAD, place)
        self.assertEqual(len(notes), len(BAD))
        self.assertIn("<script>alert(1)</script> & \"quoted\" 'single' \\x1b[31m # TODO | `code`",
                      notes[0])
        self.assertIn(SHOWN, notes[BAD.index(BROKEN)])

    def test_markdown_of_a_forged_index(self):
        forged, cells = self.forged()
        table, notes = self.markdown(self.print(forged, "markdown"))
        kernels = [cell["kernel"] for cell in cells]
        self.assertEqual(table[0], [""] + kernels)
        self.assertEqual([row[0] for row in table[1:]], [f"{k}/{k}/{k}" for k in kernels])
        self.assertEqual(notes, [f"{cell['id']}: DIED (exited), expected passed: "
                                 f"{cell['result_reason']}" for cell in cells])

    def test_text(self):
        text = self.show("text")
        lines = text.splitlines()
        self.assertEqual(lines[0].split(), [f"7.{i}" for i in range(KERNELS)])
        self.assertEqual([line.split()[0] for line in lines[1:5]],
                         [f"sched-{i:05}/2" for i in range(4)])
        self.assertIn("40 cells: 28 as expected, 5 not, 7 without a result", text)
        self.assertIn("NOT RUN", text)

    def test_veristat(self):
        """None of these cells has a recording, and that is said; of real ones test_matrix.py."""
        done = run([CLI, "show", "--format", "veristat", self.dir])
        self.assertEqual(done.returncode, 1)
        rows = list(csv.reader(done.stdout.decode().splitlines()))
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0][:3], ["file_name", "prog_name", "verdict"])
        self.assertIn(b"40 of 40 cells left out", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
