# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A pytest plugin: the fixture ``attach_verdict`` runs cells, and a test that fails shows their
reports.

    def test_my_scheduler(attach_verdict):
        assert attach_verdict("./my_scheduler", topology="2n4l4c2t")
"""

import os

import pytest

_REPORTS = pytest.StashKey()


def pytest_addoption(parser):
    group = parser.getgroup("attachverdict")
    group.addoption("--attachverdict-kernel", metavar="IMAGE",
                    help="kernel for cells that name none [$ATTACHVERDICT_KERNEL]")
    group.addoption("--attachverdict-machine", metavar="WORD", choices=("auto", "qemu", "kvm"),
                    help="machine for cells that name none [auto]")


@pytest.fixture
def attach_verdict(request):
    """Calls ``attachverdict.run()`` with the command line's defaults; keeps the reports."""
    import attachverdict  # late: loading the library must not break other tests' sessions
    config = request.config
    defaults = {
        "kernel": config.getoption("--attachverdict-kernel")
        or os.environ.get("ATTACHVERDICT_KERNEL") or None,
        "machine": config.getoption("--attachverdict-machine"),
    }

    def run(scheduler, **options):
        verdict = attachverdict.run(scheduler, **{**defaults, **options})
        request.node.stash.setdefault(_REPORTS, []).append(verdict.report_text)
        return verdict

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The evidence belongs to a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        for number, text in enumerate(item.stash.get(_REPORTS, []), 1):
            report.sections.append((f"attachverdict report {number}", text))
