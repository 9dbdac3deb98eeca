#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The bisection of attachverdict-run(1), word for word, finds the commit that broke a scheduler."""
import os
import re
import shutil
import subprocess

import kit

FIFO = kit.SOURCE / "examples" / "schedulers" / "fifo.bpf.c"
GOOD = "SCX_DSQ_GLOBAL"
# The kernel ejects a scheduler that uses a queue which does not exist.
BAD = "0xdead"


class Bisect(kit.Case):
    def setUp(self):
        super().setUp()
        if not shutil.which("git") or not shutil.which("make"):
            self.skipTest("git or make is not installed")
        self.repository = self.folder / "repository"
        self.repository.mkdir()
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "attachverdict").symlink_to(kit.EXE)
        kernel = kit.kernel()
        name = {f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}
        self.env = kit.clean_environment(
            PATH=f"{tools}:{os.environ['PATH']}", HOME=str(self.folder), GIT_CONFIG_NOSYSTEM="1",
            XDG_CACHE_HOME=str(kernel.parents[3]), **name)

    def git(self, *args):
        done = subprocess.run(["git", *args], cwd=self.repository, env=self.env, check=True,
                              stdout=subprocess.PIPE, encoding="utf-8", timeout=kit.TIMEOUT)
        return done.stdout.strip()

    def commit(self, subject, old="", new=""):
        """A commit that changes the scheduler's source."""
        path = self.repository / "scx_fifo.bpf.c"
        text = path.read_text("utf-8")
        self.assertIn(old, text)
        path.write_text(f"{text.replace(old, new)}/* {subject} */\n", "utf-8")
        self.git("add", ".")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def history(self):
        """The first bad commit; a few before it that are good, or don't build."""
        shutil.copy(FIFO, self.repository / "scx_fifo.bpf.c")
        (self.repository / "Makefile").write_text(
            f"scx_fifo: scx_fifo.bpf.c\n\t{os.environ['AVD_BPF_COMPILE']} -I'{FIFO.parent}' "
            "-c $< -o $@\n", "utf-8")
        (self.repository / ".gitignore").write_text("scx_fifo\n", "utf-8")
        self.git("init", "-q")
        self.commit("first release")
        self.git("tag", "v1.0")
        self.commit("does not build", GOOD, f"{GOOD} +")
        self.git("tag", "unbuildable")
        self.commit("builds again", f"{GOOD} +", GOOD)
        culprit = self.commit("the one", GOOD, BAD)
        self.commit("something else")
        return culprit

    def example(self):
        """The commands of the man page."""
        source = (kit.SOURCE / "man" / "attachverdict-run.1").read_text("utf-8")
        return re.search(r"^git bisect start HEAD v1\.0\n(?:.*\n)*?(?=\.Ed)", source,
                         re.MULTILINE)[0].replace("\\e", "\\")

    def test_it_finds_the_commit(self):
        culprit = self.history()
        done = subprocess.run(["sh", "-ec", self.example()], cwd=self.repository, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, encoding="utf-8", timeout=kit.TIMEOUT)
        print(done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"{culprit} is the first bad commit", done.stdout)
        self.assertEqual(self.git("rev-parse", "refs/bisect/bad"), culprit)
        # What does not build, or can't be tried, is neither good nor bad.
        script = re.search(r"sh -c '([^']*)'", self.example())[1]
        self.git("checkout", "-q", "unbuildable")
        self.assertEqual(self.status(script, self.env), 125)
        self.git("checkout", "-q", "v1.0")
        nowhere = {**self.env, "XDG_CACHE_HOME": str(self.folder / "empty")}
        self.assertEqual(self.status(f"{script} --kernel /nonexistent", nowhere), 125)

    def status(self, script, env):
        return subprocess.run(["sh", "-c", script], cwd=self.repository, env=env, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=kit.TIMEOUT).returncode


if __name__ == "__main__":
    kit.main()
