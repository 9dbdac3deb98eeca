# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package with real kernels."""
import glob
import json
import logging
import os
import signal
import subprocess
import sys
import threading

import pytest

import attachverdict
from attachverdict import Outcome

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import orphans  # pylint: disable=wrong-import-position

SCHEDULERS = os.environ["AVD_SCHEDULERS"]


@pytest.fixture(scope="session")
def kernel():
    found = sorted(glob.glob(os.environ["AVD_TEST_KERNELS"] + "/7.*/vmlinuz"))
    if not found:
        pytest.skip("no kernel 7.x; tools/fetch-kernel")
    return found[-1]


def test_a_good_scheduler_while_another_thread_runs(kernel, tmp_path, caplog):
    """The GIL is free while a cell runs; the report and the recording say the same."""
    caplog.set_level(logging.DEBUG, logger="attachverdict")
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.01):
            ticks.append(1)

    ticker = threading.Thread(target=tick)
    ticker.start()
    console = bytearray()
    with attachverdict.Cell(f"{SCHEDULERS}/fifo", kernel=kernel, memory_bytes=512 << 20,
                            record_path=tmp_path / "r", on_console=console.extend) as cell:
        verdict = cell.run()
    done.set()
    ticker.join()
    assert verdict and verdict.outcome is Outcome.ATTACHED, verdict.report_text
    assert len(ticks) > 20
    assert attachverdict.replay(tmp_path / "r") == verdict
    assert caplog.records


def test_a_cell_can_be_cancelled_from_another_thread(kernel):
    with attachverdict.Cell(f"{SCHEDULERS}/fifo", kernel=kernel) as cell:
        cell.start()
        threading.Timer(0.2, cell.cancel).start()
        assert cell.run().end_cause == "host-stop"


def test_what_a_callback_raises_ends_the_cell(kernel):
    """It comes out of run(), and no machine is left."""
    class Told(Exception):
        pass

    def tell(*_):
        raise Told

    before = sorted(os.listdir("/proc/self/fd"))
    for name in ("on_console", "on_event"):
        with pytest.raises(Told):
            attachverdict.run(f"{SCHEDULERS}/fifo", kernel=kernel, **{name: tell})
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert orphans.none_left()


INTERRUPTED = """
import sys, attachverdict
kernel, schedulers, out = sys.argv[1:]

def say(progress):
    print("progress", progress.done, progress.running, flush=True)

def event(event):
    if event.kind == "phase":
        print("phase", event.message["phase"], flush=True)

if not out:
    attachverdict.run(schedulers + "/never_attaches", kernel=kernel, on_event=event)
with attachverdict.Sweep() as sweep:
    sweep.kernel(kernel, name="k").scheduler("guest:/absent", name="absent", expect="DIED")
    sweep.scheduler([schedulers + "/never_attaches"], name="never").set("memory", "512M")
    sweep.run(out, jobs=1, on_progress=say)
"""


@pytest.mark.parametrize("what", ["cell", "sweep"])
def test_ctrl_c(kernel, tmp_path, what):
    """A real SIGINT: KeyboardInterrupt, no process left, and what is done is kept."""
    orphans.adopt()
    out = tmp_path / "out" if what == "sweep" else ""
    moment = "progress 1 1" if what == "sweep" else "phase gate"
    with subprocess.Popen([sys.executable, "-W", "error", "-c", INTERRUPTED, kernel, SCHEDULERS,
                           str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8") as child:
        lines = []
        while not lines or not lines[-1].startswith(moment):
            lines.append(child.stdout.readline())
            assert lines[-1], (lines, child.stderr.read())
        child.send_signal(signal.SIGINT)
        _, words = child.communicate(timeout=900)
    assert child.returncode == -signal.SIGINT
    assert words.rstrip().endswith("KeyboardInterrupt") and "Exception ignored" not in words
    orphans.wait_until_none()
    if what == "sweep":
        results = attachverdict.Results(out)
        assert [(cell.scheduler, cell.ran, cell.met) for cell in results] == [
            ("absent", True, True), ("never", False, False)]


def test_a_sweep(kernel, tmp_path):
    seen = []
    with attachverdict.Sweep() as sweep:
        sweep.kernel(kernel, name="k").scheduler(["guest:/absent"], name="absent",
                                                 expect="DIED/exec-failed")
        sweep.scheduler([f"{SCHEDULERS}/init_fail"], name="fails").set("memory", "512M")
        results = sweep.run(tmp_path / "out", on_result=seen.append)
    assert sorted(cell.id for cell in seen) == ["k/absent/2", "k/fails/2"]
    assert results["k/absent/2"] and not results["k/fails/2"] and not results
    assert results[1].result_code == "init-failed"
    assert "init-failed" in results.format("text") and results.format("tap").startswith("TAP")
    assert json.loads(results.format("json"))["cells"][0]["id"] == results[0].id
    with pytest.raises(ValueError, match="junit"):
        results.format("paper")
    for cell in results:
        verdict = results.verdict(cell)
        assert (verdict.outcome, verdict.reason) == (cell.outcome, cell.reason)
        with results.stream(cell.id) as stream:
            assert stream.verdict == verdict
    programs = [each for each in results.verdict(1).programs if not each.is_trial]
    assert programs and not any(each.error for each in programs)
    assert all(each.verified_insns for each in programs)
    merged = attachverdict.merge([tmp_path / "out"], tmp_path / "merged")
    assert list(merged) == list(results) and attachverdict.compare(results, merged)
    assert merged.met == 1 and merged.unmet == 1
