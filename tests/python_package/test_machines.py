# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package with real kernels."""
import glob
import logging
import os
import threading

import pytest

import attachverdict
from attachverdict import Outcome

pytest_plugins = ["pytester"]
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


def test_the_plugin_shows_the_evidence(kernel, pytester):
    pytester.makepyfile(f"""
        def test_it(attach_verdict):
            assert attach_verdict("{SCHEDULERS}/init_fail", memory_bytes=512 << 20)
    """)
    done = pytester.runpytest_subprocess("-p", "attachverdict.pytest_plugin",
                                         "--attachverdict-kernel", kernel)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*attachverdict report 1*", "NOT_ATTACHED*init-failed*"])
