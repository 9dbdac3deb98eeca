# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A pytest plugin: the fixture ``attach_verdict`` runs cells, and a test that fails shows their
reports.

    def test_my_scheduler(attach_verdict):
        assert attach_verdict("./my_scheduler", topology="2n4l4c2t")

``@pytest.mark.attachverdict(topology="4", memory_bytes=2 << 30)`` sets options of all cells of a
test, class or module. ``--attachverdict-kernel``, given several times, runs each test that uses
the fixture once a kernel; ``--attachverdict-record DIR`` keeps the recordings. It is installed
with the package; ``-p no:attachverdict`` turns it off. With pytest-xdist, ``-n 2`` runs two cells
at a time.
"""

# Types are for type checkers: a pytest before 7 has no names for them, and this plugin is loaded in
# the sessions of all projects.
from __future__ import annotations

import os
import pathlib
import re
import weakref
import zlib
from typing import Any, Callable, Dict, Generator, List, Optional

import pytest

# Of a test: the reports of its cells. (There is no Stash before pytest 7.)
_TEXTS: weakref.WeakKeyDictionary[Any, List[str]] = weakref.WeakKeyDictionary()
# Of the name of a recording, as much as fits into 255 bytes with a checksum and a number.
_NAME_MAX = 200
_IMAGES = ("bzImage", "vmlinux", "vmlinuz")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("attachverdict")
    group.addoption("--attachverdict-kernel", metavar="KERNEL", action="append", default=[],
                    help="kernel for cells that name none: an image, or a release or its "
                    "beginning (7.3) of those fetched; several: each test runs with each "
                    "[$ATTACHVERDICT_KERNEL]")
    group.addoption("--attachverdict-machine", metavar="WORD", choices=("auto", "qemu", "kvm"),
                    help="machine for cells that name none: auto, qemu or kvm [auto]")
    group.addoption("--attachverdict-record", metavar="DIR",
                    help="keep a recording of each cell there; attachverdict replay reads it")


def pytest_configure(config: pytest.Config) -> None:
    """So that --strict-markers knows it."""
    config.addinivalue_line("markers", "attachverdict(**options): options of the cells that "
                            "attach_verdict runs, such as kernel= and topology=")


def _id(kernel: str) -> str:
    """An image is mostly RELEASE/vmlinuz."""
    path = pathlib.Path(kernel)
    return path.parent.name if path.name in _IMAGES and path.parent.name else path.name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Several kernels: a test for each."""
    kernels = metafunc.config.getoption("--attachverdict-kernel")
    if len(kernels) > 1 and "attachverdict_kernel" in metafunc.fixturenames:
        metafunc.parametrize("attachverdict_kernel", kernels, ids=map(_id, kernels),
                             indirect=True)


@pytest.fixture
def attachverdict_kernel(request: pytest.FixtureRequest) -> Optional[str]:
    """The kernel of the command line, as a path; None: the library's choice."""
    given = request.config.getoption("--attachverdict-kernel")
    named = getattr(request, "param", None) or (given[0] if given else None) \
        or os.environ.get("ATTACHVERDICT_KERNEL")
    if not named or os.sep in named or os.path.exists(named):
        return named
    import attachverdict  # late: a session without such tests needs no library
    for kernel in attachverdict.kernels():
        if kernel.release == named or re.match(re.escape(named) + r"[.+-]", kernel.release):
            return kernel.path
    raise pytest.UsageError(f"--attachverdict-kernel {named}: neither a file nor a kernel that "
                            "was fetched; attachverdict-fetch-kernel fetches one")


def _options(request: pytest.FixtureRequest, kernel: Optional[str]) -> Dict[str, Any]:
    """Of the command line, then of markers, the nearest last."""
    options: Dict[str, Any] = {
        "kernel": kernel, "machine": request.config.getoption("--attachverdict-machine")}
    for marker in reversed(list(request.node.iter_markers("attachverdict"))):
        if marker.args:
            raise pytest.UsageError(f"{request.node.nodeid}: the marker attachverdict takes "
                                    "options by their names only")
        options.update(marker.kwargs)
    return options


def _recording_name(test: str) -> str:
    """Another one for each test: with a checksum where parameters may have lost what they differ
    in."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", test)
    if "[" not in test and len(name) <= _NAME_MAX:
        return name
    return f"{name[:_NAME_MAX].rstrip('-')}-{zlib.crc32(test.encode('utf-8', 'replace')):08x}"


@pytest.fixture
def attach_verdict(request: pytest.FixtureRequest,
                   attachverdict_kernel: Optional[str]) -> Callable[..., Any]:
    """Calls ``attachverdict.run()`` with the defaults of command line and markers, and gives its
    ``Verdict``. The reports of all calls are shown if the test fails."""
    import attachverdict
    options = _options(request, attachverdict_kernel)
    texts = _TEXTS.setdefault(request.node, [])
    record = request.config.getoption("--attachverdict-record")
    if record:  # a test may go to another directory
        record = os.path.join(request.config.invocation_params.dir, record)

    def run(scheduler: Any, **more: Any) -> attachverdict.Verdict:
        asked = {**options, **more}
        if record and not asked.get("record_path"):
            os.makedirs(record, exist_ok=True)
            name = _recording_name(request.node.nodeid)
            asked["record_path"] = os.path.join(record, f"{name}-{len(texts) + 1}.avd")
        verdict = attachverdict.run(scheduler, **asked)
        texts.append(verdict.report_text)
        request.node.user_properties.append(("attachverdict", str(verdict)))  # for JUnit XML
        return verdict

    return run


@pytest.hookimpl(hookwrapper=True)  # type: ignore[misc]  # untyped in pytest 7
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """The evidence belongs to a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for number, text in enumerate(_TEXTS.get(item, ()), 1):
            report.sections.append((f"attachverdict report {number}", text))
