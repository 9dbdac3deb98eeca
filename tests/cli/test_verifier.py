#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""attachverdict verifier: tables, logs, differences, on logs of real kernels."""
import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess

import kit

LOGS = kit.SOURCE / "tests" / "unit" / "verifier_logs"
# What each version of veristat reads (0.4 of trixie refuses its own newer columns).
COLUMNS = ["file_name", "prog_name", "verdict", "duration", "total_insns", "total_states",
           "peak_states", "max_states_per_insn", "max_mark_read_len"]
LOG = """libbpf: prog '{name}': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
0: (95) exit
{words}verification time {time} usec
stack depth 8+0
processed {insns} insns (limit 1000000) max_states_per_insn 1 total_states {states} peak_states 2 mark_read 0
-- END PROG LOAD LOG --
"""


def log(name, insns=100, states=10, time=50, words=""):
    return LOG.format(name=name, insns=insns, states=states, time=time, words=words)


class Verifier(kit.Case):
    def verifier(self, *args, code=kit.PASSED, **how):
        done = self.attachverdict("verifier", *args, **how)
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        return done.stdout

    def file(self, name, *logs):
        path = self.folder / name
        path.write_text("".join(logs), encoding="utf-8")
        return path

    def test_table(self):
        text = self.verifier(LOGS / "bounds-7.3.log")
        lines = text.splitlines()
        self.assertRegex(lines[0], r"^load  program +type +verdict +verified +processed ")
        self.assertRegex(lines[1], r"^ +-  sample_enqueue +- +success +- +295 l +10 l ")
        self.assertRegex(lines[2], r"^ +-  sample_running +- +failure ")
        self.assertIn("insn 31: invalid access to map value", text)
        self.assertIn("; cell[p->pid & 15] += table[0]; @ sample.bpf.c:48", text)

    def test_json(self):
        told = json.loads(self.verifier("--format", "json", LOGS / "sample-level6-7.3.log"))
        self.assertEqual([p["name"] for p in told["programs"]],
                         ["sample_enqueue", "sample_running"])
        figures = told["programs"][0]["figures"]
        self.assertEqual(figures["time_ns"], {"value": 201710000, "source": "log"})
        self.assertIsNone(figures["xlated_bytes"])
        self.assertEqual(told["programs"][1]["failing"]["insn"], 31)
        self.assertEqual(told["programs"][1]["errno"], 13)

    def test_csv(self):
        rows = list(csv.reader(io.StringIO(
            self.verifier("-f", "csv", LOGS / "sample-level6-7.3.log"))))
        self.assertEqual(rows[0], COLUMNS)
        self.assertEqual(rows[1], ["log", "sample_enqueue", "success", "201710", "295", "10",
                                   "10", "1", "0"])
        self.assertEqual(rows[2][:3], ["log", "sample_running", "failure"])

    def test_veristat_reads_it(self):
        """By veristat itself: $AVD_VERISTAT (words of a command), or the one in $PATH."""
        veristat = shlex.split(os.environ.get("AVD_VERISTAT", "")) or [shutil.which("veristat")]
        if not veristat[0]:
            self.skipTest("veristat is not installed (Debian has it since trixie)")
        paths = []
        for name, insns in (("a", 100), ("b", 110)):
            paths.append(self.folder / f"{name}.csv")
            paths[-1].write_text(self.verifier(
                "-f", "csv", self.file(f"{name}.log", log("x", insns), log("y,z"))))
        done = subprocess.run([*veristat, "-C", *paths, "-o", "csv"], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(done.stderr, "")
        theirs = list(csv.DictReader(io.StringIO(done.stdout)))
        ours = list(csv.DictReader(io.StringIO(self.verifier(
            "diff", "-f", "csv", self.folder / "a.log", self.folder / "b.log"))))
        self.assertEqual(len(theirs), 2)
        self.assertEqual(theirs[0]["total_insns_diff"], "+10 (+10.00%)")
        for row, other in zip(ours, theirs):
            for column, value in row.items():
                self.assertEqual(value, other[column], column)

    def test_log(self):
        text = self.verifier("--log", LOGS / "sample-level6-7.3.log")
        self.assertLess(text.count("\n"), 700)
        self.assertRegex(text, r"(?m)^program sample_enqueue: success, 1672 lines, shown as \d+$")
        self.assertRegex(text, r"(?m)^\| / 3 times, 37 lines each:$")
        self.assertIn("\ninvalid unbounded variable-offset read from stack R2\n", text)

    def test_names_stay_in_their_place_of_the_csv(self):
        """A quote would swallow the rows behind it, and a spreadsheet runs what starts so."""
        names = ('"refused', "=cmd|'/c calc'!A1", "+1+1", "-2", "@SUM(1)", "a,b", "plain")
        path = self.file("names.log", *map(log, names))
        other = self.file("other.log", log("other"))
        for files, count in (([path], len(names)), (["diff", other, path], len(names) + 1)):
            rows = list(csv.reader(io.StringIO(self.verifier("-f", "csv", *files))))
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})
            found = [row[1] for row in rows[1:]]
            self.assertLessEqual({"'refused", "'=cmd|'/c calc'!A1", "'+1+1", "'-2", "'@SUM(1)",
                                  "a;b", "plain"}, set(found))
            self.assertEqual(len(found), count)

    def test_raw(self):
        path = LOGS / "reject-7.3.log"
        original = path.read_text(encoding="utf-8")
        start, end = original.index("libbpf: prog 'reject_enqueue': -- BEGIN"), \
            original.index("-- END PROG LOAD LOG --\n") + len("-- END PROG LOAD LOG --\n")
        self.assertEqual(self.verifier("--raw", path), original[start:end])

    def test_terminals_are_safe(self):
        path = self.folder / "hostile.log"
        path.write_bytes(log("\x1b]0;x\x07", words="\x1b[2J no\n").encode() + bytes(range(256)))
        for how in (["--raw"], ["--log"], ["-f", "json"], ["-f", "csv"], []):
            text = self.verifier(*how, path)
            self.assertFalse(re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), how)
            self.assertIn("x1b]0;x", text)

    def test_standard_input(self):
        text = (LOGS / "reject-7.2.log").read_text(encoding="utf-8")
        done = subprocess.run([kit.EXE, "verifier", "-"], input=text, check=True,
                              stdout=subprocess.PIPE, encoding="utf-8", timeout=kit.TIMEOUT)
        self.assertIn("reject_enqueue", done.stdout)

    def test_recordings(self):
        """Figures of frames, with their source; the log fills in the rest."""
        seen = set()
        for name, path in self.samples().items():
            told = json.loads(self.verifier("-f", "json", path))
            for program in told["programs"]:
                for figure in program["figures"].values():
                    seen.add(figure and figure["source"])
            self.assertTrue(told["origin"], name)
            self.verifier(path)
        self.assertLessEqual({"probe", "prog-info", None}, seen)

    def test_diff(self):
        a = self.file("a.log", log("gone"), log("same"), log("grew"), log("broke"))
        b = self.file("b.log", log("same"), log("grew", 103, 9),
                      log("broke", words="R1 !read_ok\n"), log("new"))
        text = self.verifier("diff", a, b)
        for words in ("gone: only in A\n", "new: only in B\n", "+3 (+3.00%)", "-1 (-10.00%)",
                      "success -> failure", "1 of 5 programs are the same\n"):
            self.assertIn(words, text)
        self.assertNotIn("!", text)
        back = self.verifier("diff", b, a)
        for words in ("gone: only in B\n", "new: only in A\n", "-3 (-2.91%)", "+1 (+11.11%)"):
            self.assertIn(words, back)
        told = json.loads(self.verifier("diff", "-f", "json", a, b))
        self.assertEqual({p["name"]: p["status"] for p in told["programs"]},
                         {"gone": "only-a", "same": "same", "grew": "changed",
                          "broke": "changed", "new": "only-b"})
        rows = list(csv.reader(io.StringIO(self.verifier("diff", "-f", "csv", a, b))))
        self.assertEqual([len(row) for row in rows], [5 + 3 * 6] * 6)

    def test_nothing_measured_keeps_no_threshold(self):
        """The scheduler ended before it loaded anything: no figure grew, and no gate is passed."""
        a = self.file("a.log", log("x"), log("y"))
        b = self.samples()["exec-failed"]
        self.assertEqual(json.loads(self.verifier("-f", "json", b))["programs"], [])
        self.assertIn("x: only in A\n", self.verifier("diff", a, b))
        text = self.verifier("diff", "--threshold", "time=900%", a, b, code=1)
        self.assertEqual(text.count("  !\n"), 2)
        self.assertIn("0 of 2 programs are the same; 2 changes (!) are over the threshold", text)
        told = json.loads(self.verifier("diff", "-f", "json", "--threshold", "5%", a, b, code=1))
        self.assertEqual([told["exceeded"], [p["lost"] for p in told["programs"]]],
                         [2, [True, True]])
        self.verifier("diff", "--threshold", "5%", b, a)

    def test_thresholds(self):
        a = self.file("a.log", log("x", 1000, 100, 50))
        b = self.file("b.log", log("x", 1020, 99, 100))
        for threshold, code in (("5%", 0), ("2%", 0), ("1.99%", 1), ("0%", 1),
                                ("processed-insns=1%", 1), ("total-states=0%", 0),
                                ("time=50%", 1), ("time=100%", 0)):
            text = self.verifier("diff", "--threshold", threshold, a, b, code=code)
            self.assertEqual("  !\n" in text, code == 1, threshold)
        self.verifier("diff", "--threshold", "5%", "--threshold", "time=10%", a, b, code=1)
        self.verifier("diff", "--threshold", "0%", b, self.file("c.log", log("x", 1020, 99, 9)))
        # A program that is refused now is over any threshold, one that is gone is not.
        broken = self.file("d.log", log("x", 1000, 100, 50, "R1 !read_ok\n"))
        self.verifier("diff", a, broken)
        self.verifier("diff", "--threshold", "500%", a, broken, code=1)
        self.verifier("diff", "--threshold", "500%", broken, a)
        self.verifier("diff", "--threshold", "0%", a, self.file("e.log", log("other")))

    def test_same_names(self):
        a = self.file("a.log", log("x", 1), log("x", 2))
        b = self.file("b.log", log("x", 1), log("x", 5), log("x", 7))
        told = json.loads(self.verifier("diff", "-f", "json", a, b))
        self.assertEqual([p["status"] for p in told["programs"]], ["same", "changed", "only-b"])

    def test_errors(self):
        for path, words in ((self.folder / "absent", "No such file"), (self.folder, "directory")):
            done = self.attachverdict("verifier", path)
            self.assert_one_line_error(done, kit.NOT_TRIED, words)
            self.assert_one_line_error(
                self.attachverdict("verifier", "diff", LOGS / "reject-7.3.log", path),
                kit.NOT_TRIED, words)
        self.assert_one_line_error(self.attachverdict("verifier", "diff", "-", "-"), kit.USAGE,
                                   "standard input", "one of the two")
        empty = self.file("empty")
        self.assertIn("no program", self.verifier(empty))
        self.assert_one_line_error(self.attachverdict("verifier", "--log", empty),
                                   kit.NOT_TRIED, "no verifier's log", "kernel_log_level")


if __name__ == "__main__":
    kit.main()
