#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""`run --repeat`: one cell many times, with real kernels."""
import json
import os
import signal
import subprocess
import sys

import kit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import orphans  # pylint: disable=wrong-import-position

ABSENT = "guest:/no/such/scheduler"  # the quickest cell that there is


def fifo():
    return os.path.join(os.environ["AVD_SCHEDULERS"], "fifo")


# A QEMU that is killed as soon as it is a machine, or is the last one that can be started, as the
# next word of the file beside it says.
QEMU = """#!/bin/sh
case "$*" in *-kernel*) ;; *) exec qemu-system-x86_64 "$@" ;; esac
read -r word rest < "$0.does"
echo "$rest" > "$0.does"
case $word in
killed) kill -KILL $$ ;;
last) chmod -x "$0" ;;
esac
exec qemu-system-x86_64 "$@"
"""


class Series(kit.Isolated):
    def setUp(self):
        super().setUp()
        self.kernel = kit.kernel()

    def series(self, *args, **how):
        return self.run_isolated("--kernel", self.kernel, *args, **how)

    def check(self, document):
        """By both schemas, the report's included."""
        try:
            import jsonschema
        except ImportError:
            return
        schemas = {name: json.loads((kit.SOURCE / f"lib/report/{name}.schema.json").read_text())
                   for name in ("report", "series")}
        run = schemas["series"]["properties"]["runs"]["items"]["properties"]
        # Not every version of the module follows a reference to another document.
        self.assertEqual(run["report"], {"$ref": schemas["report"]["$id"]})
        run["report"] = {}
        jsonschema.Draft202012Validator(schemas["series"]).validate(document)
        for item in document["runs"]:
            jsonschema.Draft202012Validator(schemas["report"]).validate(item["report"])
        self.assertEqual(document["done"], len(document["runs"]))
        self.assertEqual(document["done"], document["passed"] + document["failed"])
        self.assertEqual(sum(document["outcomes"].values()), document["done"])
        self.assertEqual(sum(document["result_codes"].values()), document["failed"])

    def test_all_pass(self):
        record, keep = self.folder / "out" / "r", self.folder / "out" / "keep"
        keep.mkdir()
        done = self.series("--scheduler", fifo(), "--repeat", 2, "--format", "json",
                           "--record", record, "--keep", keep)
        self.assertEqual((done.returncode, done.stderr), (kit.PASSED, ""), done.stdout)
        document = json.loads(done.stdout)
        self.check(document)
        self.assertEqual((document["asked"], document["passed"]), (2, 2))
        self.assertEqual((document["outcomes"], document["result_codes"]), ({"ATTACHED": 2}, {}))
        self.assertEqual(sorted(path.name for path in record.parent.iterdir()),
                         ["keep", "r.1", "r.2"])
        self.assertEqual(sorted(path.name for path in keep.iterdir()), ["1", "2"])
        for number, run in enumerate(document["runs"], 1):
            self.assertEqual((run["run"], run["recording"]), (number, f"{record}.{number}"))
            replay = self.attachverdict("replay", "--format", "json", run["recording"])
            self.assertEqual(json.loads(replay.stdout), run["report"])
        # Two boots, not one told twice.
        started = {run["report"]["started"] for run in document["runs"]}
        self.assertEqual(len(started), 2)

    def test_text_tells_each_run_and_sums_up(self):
        done = self.series("--scheduler", ABSENT, "--repeat", 2)
        self.assertEqual((done.returncode, done.stderr), (kit.FAILED, ""), done.stdout)
        lines = done.stdout.splitlines()
        for run in (1, 2):
            told = [line for line in lines if line.startswith(f"run {run} of 2, ")]
            self.assertEqual(len(told), 1, done.stdout)
            self.assertIn(" s: DIED (exec-failed): ", told[0])
        # The report of the first of a kind, not of each.
        self.assertEqual(sum(line.startswith("hint: ") for line in lines), 1)
        self.assertEqual(lines[-5], "2 runs: 0 passed, 2 failed, the first one was run 1")
        self.assertEqual(lines[-3].split(), ["reason", "codes", "exec-failed", "2"])

    def test_a_run_that_cannot_be_tried_ends_it(self):
        done = self.run_isolated("--kernel", self.folder / "no-kernel", "--scheduler", ABSENT,
                                 "--repeat", 3)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(done.stdout, "0 of 3 runs: 0 passed, 0 failed\n")

    def status(self, style, *does, repeat):
        """Of such a series; and what its runs came to."""
        qemu = self.script("qemu", QEMU)
        (self.folder / "qemu.does").write_text(" ".join(does), encoding="ascii")
        done = self.series("--machine", "qemu", "--qemu", qemu, "--scheduler", ABSENT,
                           "--repeat", repeat, "--format", "json", "--exit-style", style)
        document = json.loads(done.stdout)
        self.check(document)
        return done.returncode, document["outcomes"]

    def test_bisect_of_runs_that_differ(self):
        """What was seen to fail decides over what nobody saw, whichever comes first."""
        mixed = {"DIED": 1, "UNCONFIRMED": 1}
        self.assertEqual(self.status("bisect", "killed", "runs", repeat=2), (1, mixed))
        self.assertEqual(self.status("bisect", "runs", "killed", repeat=2), (1, mixed))
        self.assertEqual(self.status("bisect", "killed", "killed", repeat=2),
                         (125, {"UNCONFIRMED": 2}))

    def test_exit_styles_of_a_series_that_is_cut_short(self):
        """By a run that can't be tried, after one that was seen to fail."""
        for style in ("default", "tap", "bisect", "kselftest"):
            self.assertEqual(self.status(style, "last", repeat=3), (1, {"DIED": 1}), style)

    def test_a_signal_ends_it_with_what_there_is(self):
        child = subprocess.Popen(
            [kit.EXE, "run", "--kernel", str(self.kernel), "--scheduler", ABSENT,
             "--repeat", "1000", "--format", "json"], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8")
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        text = ""
        while '"run": 1,' not in text:
            line = child.stdout.readline()
            if not line:
                self.fail(child.stderr.read())
            text += line
        child.send_signal(signal.SIGINT)
        text += child.stdout.read()
        self.assertEqual(child.wait(timeout=kit.TIMEOUT), -signal.SIGINT)
        document = json.loads(text)
        self.check(document)
        self.assertEqual(document["asked"], 1000)
        self.assertGreaterEqual(document["done"], 1)
        self.assertLess(document["done"], 1000)
        # The one that was stopped is none of them.
        self.assertEqual(document["outcomes"], {"DIED": document["done"]})

    def test_a_signal_between_two_runs(self):
        """There is no cell to stop, and none is run any more."""
        orphans.adopt()
        record = self.folder / "out" / "r"
        for moment in ("before", "behind"):
            env = {**self.env, "LD_PRELOAD": os.environ["AVD_SIGNAL_MODULE"],
                   "AVD_SIGNAL_AT": moment, "ASAN_OPTIONS": "verify_asan_link_order=0"}
            done = self.series("--scheduler", ABSENT, "--repeat", 3, "--format", "json",
                               "--record", record, env=env)
            self.assertEqual(done.returncode, -signal.SIGINT, done.stderr)
            document = json.loads(done.stdout)
            self.check(document)
            self.assertEqual((document["done"], document["outcomes"]), (1, {"DIED": 1}))
            self.assertEqual([path.name for path in record.parent.iterdir()], ["r.1"], moment)
            self.assertTrue(orphans.none_left())


if __name__ == "__main__":
    kit.main()
