#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The examples for CI: each step's shell is sound, and run as such a system would run it, in a
checkout of a scheduler, all but the installation do what they say, with real kernels."""
import os
import pathlib
import re
import shutil
import string
import subprocess
import unittest
import xml.etree.ElementTree

import kit

try:
    import yaml
except ImportError:
    yaml = None

FOLDER = kit.SOURCE / "examples" / "ci"
INSTALL = "Install attachverdict"
# As each of the two starts a script.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]


def load(name):
    if not yaml:
        raise unittest.SkipTest("python3-yaml is not installed")
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


class Step:
    def __init__(self, name, text):
        self.name, self.text = name, text


def github_steps():
    steps = load("github-actions.yml")["jobs"]["attach"]["steps"]
    return [Step(one["name"], one["run"]) for one in steps if "run" in one]


def gitlab_steps():
    job = load("gitlab-ci.yml")["attach"]
    return [Step(INSTALL, "\n".join(job["before_script"])),
            Step("script", "\n".join(job["script"])),
            Step("after_script", "\n".join(job["after_script"]))]


class Text(kit.Case):
    def test_steps_are_sound_shell(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        steps = github_steps() + gitlab_steps()
        self.assertEqual(len(steps), 8)
        for step in steps:
            # What is put into a script by the CI system can be anything, a branch's name too.
            self.assertNotIn("${{", step.text)
            done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=step.text, check=False,
                                  stdout=subprocess.PIPE, encoding="utf-8")
            self.assertEqual(done.stdout, "", step.name)

    def test_the_job_has_no_token(self):
        """It builds and runs what was pushed: what that could read is a token lost."""
        job = load("github-actions.yml")
        self.assertEqual(job["permissions"], {"contents": "read"})
        checkouts = [one for one in job["jobs"]["attach"]["steps"]
                     if one.get("uses", "").startswith("actions/checkout@")]
        self.assertEqual(len(checkouts), 2)
        for one in checkouts:
            self.assertIs(one["with"]["persist-credentials"], False)
        for name in ("github-actions.yml", "gitlab-ci.yml"):
            self.assertNotRegex((FOLDER / name).read_text("utf-8"), r"(?i)secrets\.|_token")

    def test_kernels_are_those_of_the_plan(self):
        plan = (FOLDER / "attachverdict.cfg").read_text("utf-8")
        series = re.findall(r'"([\d.]+)"', re.search(r"^kernels = (.*);$", plan, re.MULTILINE)[1])
        self.assertGreaterEqual(len(series), 2)
        for steps in (github_steps(), gitlab_steps()):
            text = "\n".join(step.text for step in steps)
            self.assertEqual(re.findall(r"attachverdict-fetch-kernel --series ([\d.]+)", text),
                             series)

    def test_the_jobs_keep_what_they_make(self):
        steps = load("github-actions.yml")["jobs"]["attach"]["steps"]
        kept = [one["with"] for one in steps if "upload-artifact" in one.get("uses", "")]
        self.assertEqual(kept[0]["path"].split(), ["report.html", "junit.xml", "results"])
        artifacts = load("gitlab-ci.yml")["attach"]["artifacts"]
        self.assertEqual((artifacts["when"], artifacts["reports"]), ("always",
                                                                     {"junit": "junit.xml"}))
        self.assertEqual(artifacts["paths"], ["report.html", "results/"])


class Job(kit.Case):
    """A checkout with a scheduler, on a machine where attachverdict is installed."""

    def setUp(self):
        super().setUp()
        self.checkout = self.checkout_of_schedulers()
        shutil.copy(FOLDER / "attachverdict.cfg", self.checkout)
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "attachverdict").symlink_to(kit.EXE)
        (tools / "attachverdict-fetch-kernel").symlink_to(kit.SOURCE / "tools" / "fetch-kernel")
        self.env = kit.clean_environment(PATH=f"{tools}:{os.environ['PATH']}",
                                         HOME=str(self.folder))
        self.restore_cache()

    def restore_cache(self):
        """What the job's cache has from an earlier run."""
        source = pathlib.Path(os.environ["AVD_TEST_KERNELS"])
        kernels = self.checkout / ".cache" / "attachverdict" / "kernels"
        kernels.mkdir(parents=True)
        for series in ("7.3", "7.2"):
            if not list(source.glob(f"{series}.*/vmlinuz")) or \
                    not (source / f".newest-{series}").exists():
                self.skipTest(f"no {series} kernel in {source}: run tools/fetch-kernel "
                              f"--series {series}")
            shutil.copy2(source / f".newest-{series}", kernels)
            for folder in source.glob(f"{series}.*"):
                (kernels / folder.name).symlink_to(folder)

    def scheduler(self, name):
        program = pathlib.Path(os.environ["AVD_SCHEDULERS"]) / name
        (self.checkout / "Makefile").write_text(f"scheduler:\n\tcp '{program}' $@\n", "utf-8")

    def run_step(self, step):
        done = subprocess.run([*BASH, "-c", step.text], cwd=self.checkout, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False,
                              timeout=kit.TIMEOUT)
        print(f"--- {step.name}: {done.returncode}\n{done.stdout}")
        return done.returncode

    def check_reports(self, cells, failures):
        suites = xml.etree.ElementTree.parse(self.checkout / "junit.xml").getroot()
        self.assertEqual(len(suites.findall(".//testcase")), cells)
        self.assertEqual(len(suites.findall(".//failure")), failures)
        page = (self.checkout / "report.html").read_text("utf-8")
        self.assertTrue(page.startswith("<!"), page[:99])
        self.assertIn("7.3/mine/2", page)
        self.assertEqual(len(list((self.checkout / "results" / "cells").iterdir())), cells)

    def test_github(self):
        self.scheduler("fifo")
        summary, variables = self.folder / "summary", self.folder / "env"
        self.env.update(GITHUB_STEP_SUMMARY=str(summary), GITHUB_ENV=str(variables))
        for step in github_steps():
            if step.name == INSTALL:
                continue
            self.assertEqual(self.run_step(step), 0, step.name)
            if variables.exists():
                self.env.update(re.findall(r"^(\w+)=(.*)$", variables.read_text("utf-8"),
                                           re.MULTILINE))
        self.assertRegex(summary.read_text("utf-8"), r"(?m)^\|.*mine.*\|")
        self.check_reports(2, 0)

    def test_gitlab_with_a_scheduler_that_fails(self):
        self.scheduler("dies_early")
        job = load("gitlab-ci.yml")["attach"]
        for name, value in job["variables"].items():
            self.env[name] = string.Template(value).safe_substitute(
                CI_PROJECT_DIR=self.checkout, CI_SERVER_URL="")
        _, script, after = gitlab_steps()
        self.assertEqual(self.run_step(script), kit.FAILED)
        self.assertEqual(self.run_step(after), 0)
        self.check_reports(2, 2)


if __name__ == "__main__":
    kit.main()
