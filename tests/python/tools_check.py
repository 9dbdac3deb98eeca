#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""tools/check says what happened, whatever happens: in a tree of its own, where meson and ninja
are stand-ins that do what a test asks for."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
LIMIT = 120  # seconds until a hang is one

# Each stand-in notes its process and its child's, which would outlive it.
MESON = r"""#!/bin/bash
while [ "$1" != test ]; do
	[ "$1" != setup ] || exec mkdir -p "$2"
	shift
done
cd "$3" || exit 9
mkdir -p meson-logs
counts() { printf '%s\n' 'Ok: 1' "Fail: $1" 'Skipped: 0' 'Timeout: 0'; }
passed() { echo '{"name": "one", "result": "OK"}' >>meson-logs/check.json; }
case $ACT in
pass) passed; counts 0 ;;
fail) passed; echo '{"name": "two", "result": "FAIL", "stdout": "why"}' >>meson-logs/check.json
	counts 1; exit 1 ;;
die) passed; kill -KILL $$ ;;
tear) passed; printf '{"name": "tw' >>meson-logs/check.json; kill -KILL $$ ;;
report) passed; path=${ASAN_OPTIONS#log_path=\'}; [ -z "$path" ] || echo overflow >"${path%\'}.1"
	counts 0 ;;
nothing) echo "No suitable tests defined." ;;
hang) sleep 1000 & echo "$$ $!" >"$NOTE"; wait ;;
deaf) trap '' TERM; sleep 1000 & echo "$$ $!" >"$NOTE"; wait ;;
esac
"""
NINJA = """#!/bin/bash
[ "$ACT" != no-build ] || { echo "it does not compile"; exit 1; }
"""


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tools-check-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = self.folder / "a tree"
        shutil.copytree(TOOLS / "sh", self.tree / "tools" / "sh")
        shutil.copy(TOOLS / "check", self.tree / "tools" / "check")
        self.write(self.tree / "tools" / "setup", "#!/bin/sh\n")
        self.write(self.tree / "tools" / "fetch-kernel", "#!/bin/sh\n")
        self.write(self.folder / "bin" / "meson", MESON)
        self.write(self.folder / "bin" / "ninja", NINJA)
        self.note = self.folder / "note"
        os.mkfifo(self.note)

    def write(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)

    def start(self, act, *args):
        # A run with sanitizers must not find what is reported here among its own reports.
        env = {name: value for name, value in os.environ.items()
               if not name.endswith("SAN_OPTIONS")}
        env |= {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "ACT": act,
                "NOTE": str(self.note)}
        return subprocess.Popen([self.tree / "tools" / "check", *args], env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                # Whoever runs the tests may ignore it.
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def run_to_end(self, act, *args):
        run = self.start(act, *args)
        out = run.communicate(timeout=LIMIT)[0]
        return run.returncode, out.splitlines()

    def test_all_pass(self):
        # Setup and build of each compiler, the tests, valgrind's; then fetched kernels, clang's.
        for args, passed in ((["--quick"], 3), ([], 9), (["--full"], 13)):
            status, lines = self.run_to_end("pass", *args)
            self.assertEqual((status, lines[-1]), (0, f"{passed} passed, 0 failed, 0 skipped"),
                             "\n".join(lines))

    def test_a_failing_test(self):
        status, lines = self.run_to_end("fail", "--quick")
        self.assertEqual((status, lines[-1]), (1, "3 passed, 1 failed, 0 skipped"))
        self.assertIn("Failed: two (unit-tests-gcc, fail)", lines)
        self.assertIn("  why", lines)

    def test_a_build_that_fails(self):
        status, lines = self.run_to_end("no-build", "--quick")
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("  it does not compile", lines)

    def test_a_report_that_no_test_minds(self):
        status, lines = self.run_to_end("report")
        self.assertEqual((status, lines[-1]), (1, "8 passed, 1 failed, 0 skipped"))
        self.assertIn("  overflow", lines)

    def test_meson_comes_to_no_end(self):
        """What it had written until then holds passed tests only."""
        for act, count in (("die", "3 passed, 1 failed"), ("tear", "3 passed, 2 failed"),
                           ("nothing", "2 passed, 1 failed")):
            status, lines = self.run_to_end(act, "--quick")
            self.assertEqual((status, lines[-1]), (1, f"{count}, 0 skipped"))
            self.assertIn("Failed: unit tests (gcc) (stages, fail)", lines)

    def interrupt(self, act, number):
        run = self.start(act)
        with open(self.note, encoding="ascii") as note:
            pids = [int(pid) for pid in note.read().split()]
        run.send_signal(number)
        out = run.communicate(timeout=LIMIT)[0]
        self.assertEqual(run.returncode, -number, out)
        self.assertEqual(out.splitlines()[-1], f"check: ended by {number.name} before all stages "
                         "were through: no result")
        for pid in pids:
            self.assertFalse(self.alive(pid), f"{pid} is left")
        # Nothing of it holds the lock.
        with open(self.tree / "build" / "check" / "lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def alive(self, pid):
        """A zombie is not: who inherits it may take a while to notice."""
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] not in "ZX"

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.interrupt("hang", number)

    def test_interrupted_and_a_stage_is_deaf(self):
        self.interrupt("deaf", signal.SIGTERM)

    def test_two_at_once(self):
        """The second one waits, and can be ended as it waits."""
        lock = self.tree / "build" / "check" / "lock"
        lock.parent.mkdir(parents=True)
        waits = f"waiting for another run that holds {lock}\n"
        with open(lock, "ab") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            second = self.start("pass", "--quick")
            self.assertEqual(second.stdout.readline(), waits)
            third = self.start("pass", "--quick")
            self.assertEqual(third.stdout.readline(), waits)
            third.send_signal(signal.SIGTERM)
            self.assertIn("ended by SIGTERM", third.communicate(timeout=LIMIT)[0])
            self.assertEqual(third.returncode, -signal.SIGTERM)
            self.assertIsNone(second.poll())
        out = second.communicate(timeout=LIMIT)[0]
        self.assertEqual(second.returncode, 0)
        self.assertEqual(out.splitlines()[-1], "3 passed, 0 failed, 0 skipped")

    def test_wrong_usage(self):
        status, lines = self.run_to_end("pass", "--fast")
        self.assertEqual((status, lines), (2, ["check: unknown argument '--fast' (see --help)"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
