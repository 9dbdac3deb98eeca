# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""How a scheduler's own tests can look, under pytest:

    pip install tools/python
    SCHEDULER=./scx_mine pytest --attachverdict-kernel 7.3 --attachverdict-kernel 6.16 \
        examples/python/test_scheduler.py

runs each test on both kernels, with pytest-xdist (-n 2) two at a time. A test that fails shows
the report of each cell that it ran; --attachverdict-record DIR keeps the recordings.
"""
import os

import pytest

SCHEDULER = os.environ.get("SCHEDULER", "build/examples/schedulers/fifo")
# What the verifier may have to look at: a change that makes a program explode is seen here.
PROCESSED_INSNS_MAX = 100_000


def test_it_attaches_at_a_sane_cost(attach_verdict):
    verdict = attach_verdict(SCHEDULER)
    assert verdict.passed, verdict
    assert verdict.dispatch.cpus_starved == ()
    for program in verdict.programs:
        assert program.processed_insns <= PROCESSED_INSNS_MAX, program


@pytest.mark.attachverdict(topology="2n2l1c2t")  # NUMA nodes, LLCs in all, cores each, threads
def test_numa_and_smt(attach_verdict):
    assert attach_verdict(SCHEDULER)
