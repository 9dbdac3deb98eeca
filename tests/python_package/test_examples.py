# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The examples, and the plugin with them, on real kernels: as a user runs them."""
import glob
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

import attachverdict

EXAMPLES = pathlib.Path(os.environ["AVD_SOURCE"]) / "examples/python"
SCHEDULERS = os.environ["AVD_SCHEDULERS"]


def kernel(series):
    found = sorted(glob.glob(os.environ["AVD_TEST_KERNELS"] + f"/{series}.*/vmlinuz"))
    if not found:
        pytest.skip(f"no kernel {series}; tools/fetch-kernel --series {series}")
    return found[-1]


def run(*command, **env):
    done = subprocess.run([sys.executable, "-W", "error", *map(str, command)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          env={**os.environ, **env}, timeout=1200)
    print(done.stdout, done.stderr)
    return done


def run_pytest(tmp_path, scheduler, *arguments):
    """Two cells at a time where there is pytest-xdist."""
    both = ["-n", "2"] if importlib.util.find_spec("xdist") else []
    return run("-m", "pytest", "-p", "attachverdict.pytest_plugin", "-p", "no:cacheprovider",
               "--strict-markers", f"--attachverdict-kernel={kernel('7.3')}",
               f"--attachverdict-record={tmp_path}", *both, *arguments,
               EXAMPLES / "test_scheduler.py", SCHEDULER=f"{SCHEDULERS}/{scheduler}")


def test_a_good_scheduler_under_pytest(tmp_path):
    done = run_pytest(tmp_path, "fifo")
    assert done.returncode == 0 and "2 passed" in done.stdout
    verdicts = {path.name: attachverdict.replay(path) for path in tmp_path.glob("*.avd")}
    assert len(verdicts) == 2 and all(verdicts.values())
    seen = [verdict.report["topology"]["seen"] for name, verdict in verdicts.items()
            if "numa" in name]
    assert [(shape["nodes"], shape["threads_per_core"]) for shape in seen] == [(2, 2)]


def test_a_bad_scheduler_under_pytest(tmp_path):
    """Its evidence is in the failure, from a worker of pytest-xdist, too."""
    done = run_pytest(tmp_path, "init_fail", "-k", "sane_cost")
    assert done.returncode == 1
    assert "attachverdict report 1" in done.stdout
    assert "\nNOT_ATTACHED (init-failed): " in done.stdout


def test_which_kernels_there_are(monkeypatch):
    """An image can be in /boot and in /usr/lib/modules, and the same have been fetched."""
    monkeypatch.syspath_prepend(EXAMPLES)
    example = importlib.import_module("which_kernels")
    there = [attachverdict.Kernel(path, "installed", release, able, "bzImage")
             for path, release, able in (("/boot/vmlinuz-7.3", "7.3", True), ("/b", "6.1", False),
                                         ("/lib/modules/7.3/vmlinuz", "7.3", True),
                                         ("/c", "7.2", None))]
    monkeypatch.setattr(attachverdict, "kernels", lambda: there)
    assert [kernel.path for kernel in example.choose(None)] == ["/boot/vmlinuz-7.3", "/c"]


def test_which_kernels(tmp_path):
    """A good scheduler and one that does not exist; and again, with nothing left to run."""
    command = [EXAMPLES / "which_kernels.py", "--out", tmp_path / "out", "--topology", "1",
               "--kernel", kernel("7.3"), f"{SCHEDULERS}/fifo", "guest:/none --fast"]
    done = run(*command)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok   7.3") and lines[0].endswith("/fifo/1")
    assert lines[1].startswith("FAIL 7.3") and lines[2].startswith("     DIED: ")
    assert lines[-1].startswith("     $ attachverdict run ")
    again = run(*command)
    assert (again.returncode, again.stdout) == (1, done.stdout)
    assert "2 of 2 done, 0 running" in again.stderr and "1 running" not in again.stderr
    # Another image of the same release.
    done = run(EXAMPLES / "which_kernels.py", "--out", tmp_path / "two", "--topology", "1",
               "--kernel", kernel("7.3"), "--kernel", kernel("7.3"), "guest:/none")
    assert done.returncode == 1 and done.stdout.count("FAIL 7.3") == 2
    done = run(EXAMPLES / "which_kernels.py", "--out", tmp_path / "x", "--kernel", "/none", "x")
    assert done.returncode == 3 and "which_kernels: kernel /none: no such" in done.stderr
