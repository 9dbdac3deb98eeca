#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""--help and the man pages tell of the same options."""
import json
import re
import shutil
import subprocess

import kit

COMMANDS = ("run", "sweep", "show", "merge", "mark", "compare", "replay", "verifier", "doctor",
            "kernel", "explain")


class Docs(kit.Case):
    def options_of(self, command):
        """Names in the option lines and in the list of limits of --help."""
        text = self.attachverdict(command, "--help").stdout
        body = text.split("\n\n", 1)[1]
        return set(re.findall(r"--([a-z][a-z-]*)", body))

    def man_source(self, command):
        return (kit.SOURCE / "man" / f"attachverdict-{command}.1").read_text(encoding="utf-8")

    def test_man_pages_tell_each_option(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                items = re.findall(r"^\.It (.*Fl .*)$", self.man_source(command), re.MULTILINE)
                told = {name for item in items for name in re.findall(r"Fl -([a-z-]+)", item)}
                self.assertEqual(told, self.options_of(command))

    def test_man_pages_tell_short_forms(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                text = self.attachverdict(command, "--help").stdout
                pairs = set(re.findall(r"^  -(\w), --([a-z-]+)", text, re.MULTILINE))
                told = set(re.findall(r"^\.It Fl (\w) , Fl -([a-z-]+)",
                                      self.man_source(command), re.MULTILINE))
                self.assertEqual(told, pairs)

    def test_man_tells_defaults_of_the_limits(self):
        text = self.attachverdict("run", "--help").stdout
        defaults = re.findall(r"--([a-z-]+)\s+\[(\d+\w+)\]", text[text.index("More:"):])
        self.assertGreaterEqual(len(defaults), 9)
        source = self.man_source("run")
        for name, value in defaults:
            item = source[source.index(f".It Fl -{name} "):].split(".It ")[1]
            self.assertIn(f"The default is {value}.", item.replace("\n", " "), name)

    def test_settings(self):
        """What --set takes are options of `run`, but one that has another name."""
        done = self.attachverdict("sweep", "--list", "-s", "x", "--set", "no-such=1")
        self.assert_one_line_error(done, kit.USAGE, 'no setting "no-such"')
        names = set(re.findall("[a-z-]+", done.stderr.split("one of ")[1])) - {"or"}
        self.assertEqual(names - self.options_of("run"), {"sandbox"})
        page = self.man_source("sweep")
        self.assertIn(".Cm sandbox Ns = Ns Cm off", page)
        limits = set(re.findall("Fl -([a-z-]+)", self.man_source("run").split(".Ss Limits")[1]
                                .split(".Sh ")[0]))
        self.assertLessEqual(names - limits, set(re.findall("[a-z][a-z-]+", page)))
        for name in names:
            done = self.attachverdict("sweep", "--list", "-s", "x", "--set", f"{name}=")
            self.assertNotIn("no setting", done.stderr)

    def test_topologies(self):
        for command in ("run", "sweep"):
            done = self.attachverdict(command, "--topology", "help")
            self.assertEqual((done.returncode, done.stderr), (kit.PASSED, ""))
            lines = done.stdout.splitlines()
            self.assertLessEqual(max(map(len, lines)), 80)
            self.assertGreaterEqual(len(lines), 24)

    def test_main_page_tells_each_command(self):
        source = (kit.SOURCE / "man" / "attachverdict.1").read_text(encoding="utf-8")
        text = self.attachverdict("--help").stdout
        for name in re.findall(r"^  ([a-z]+) ", text, re.MULTILINE):
            self.assertRegex(source, rf"(?m)^\.It Cm {name}\b")

    def test_pages_are_sound(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        for page in sorted((kit.SOURCE / "man").glob("*.[0-9]")):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", page], check=False,
                                  stdout=subprocess.PIPE, encoding="utf-8")
            # Neighbours that are not installed can't be found.
            lines = [line for line in done.stdout.splitlines()
                     if "referenced manual not found" not in line]
            self.assertEqual(lines, [], page)

    def test_run_page_names_the_json_members(self):
        schema = json.loads((kit.SOURCE / "lib/report/report.schema.json").read_text(
            encoding="utf-8"))
        told = set(re.findall(r"\b[a-z_]+\b", self.man_source("run")))
        for part in (schema, schema["properties"]["machine"], schema["properties"]["kernel"],
                     schema["$defs"]["evidence"]):
            self.assertLessEqual(set(part["required"]), told)


if __name__ == "__main__":
    kit.main()
