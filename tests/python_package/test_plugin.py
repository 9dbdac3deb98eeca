# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The pytest plugin without a machine: pytest runs inside pytest, and a run() that only says what
it was asked."""
import xml.etree.ElementTree

import pytest

pytest_plugins = ["pytester"]
PLUGIN = ("-p", "attachverdict.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers")

CONFTEST = """
import attachverdict

def run(scheduler, **options):
    print("asked", scheduler, sorted(options.items()))
    passed = scheduler != "bad"
    return attachverdict.Verdict(
        attachverdict.Outcome.ATTACHED if passed else attachverdict.Outcome.DIED, None, "",
        passed, None, "", "", "", report_text=f"the report of {scheduler}\\nmore")

attachverdict.run = run
"""


@pytest.fixture
def inner(pytester, monkeypatch):
    monkeypatch.delenv("ATTACHVERDICT_KERNEL", raising=False)
    pytester.makeconftest(CONFTEST)

    def run(text, *arguments):
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess(*PLUGIN, *arguments)
    return run


def test_the_evidence_belongs_to_a_failure(inner, pytester):
    done = inner("""
        def test_bad(attach_verdict):
            assert attach_verdict("good")
            assert attach_verdict("bad")

        def test_good(attach_verdict):
            assert attach_verdict("good")
    """, "--junit-xml=junit.xml")
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*attachverdict report 1*", "the report of good", "more",
                               "*attachverdict report 2*", "the report of bad"])
    assert done.stdout.str().count("the report of good\nmore") == 1
    junit = xml.etree.ElementTree.parse(pytester.path / "junit.xml")
    assert [each.get("value") for each in junit.iter("property")
            if each.get("name") == "attachverdict"] == [
                "the report of good", "the report of bad", "the report of good"]


def test_where_options_come_from(inner):
    """Command line, then markers from the module to the test, then the call."""
    done = inner("""
        import pytest
        pytestmark = pytest.mark.attachverdict(topology="1", settle_ms=5, kernel="module")

        @pytest.mark.attachverdict(topology="2")
        def test_it(attach_verdict):
            attach_verdict("good", settle_ms=6)
    """, "-s", "--attachverdict-machine=qemu", "--attachverdict-kernel=/k")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*asked good [[]('kernel', 'module'), ('machine', 'qemu'), "
                               "('settle_ms', 6), ('topology', '2')]"])


def test_a_marker_with_values_alone_is_refused(inner):
    done = inner("""
        import pytest

        @pytest.mark.attachverdict("7.3")
        def test_it(attach_verdict):
            pass
    """)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*by their names*"])


def test_several_kernels(inner, monkeypatch):
    text = """
        def test_it(attach_verdict):
            attach_verdict("good")

        def test_without():
            pass
    """
    done = inner(text, "-s", "-v", "--attachverdict-kernel=/x/7.3.4/vmlinuz",
                 "--attachverdict-kernel=/x/my-kernel")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(["*test_it?7.3.4?*('kernel', '/x/7.3.4/vmlinuz')*",
                               "*test_it?my-kernel?*('kernel', '/x/my-kernel')*"])
    monkeypatch.setenv("ATTACHVERDICT_KERNEL", "/from/environment")
    inner(text, "-s").stdout.fnmatch_lines(["*('kernel', '/from/environment')*"])


def test_a_kernel_by_its_release(inner, pytester):
    name = str(pytester.path / "kernels/9.8.7/vmlinuz")
    done = inner("""
        def test_it(attach_verdict):
            attach_verdict("good")
    """, "--attachverdict-kernel=99.9")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*99.9: neither a file nor a kernel*"])
    pytester.makeconftest(CONFTEST + f"""
attachverdict.kernels = lambda: [attachverdict.Kernel({name!r}, "fetched", "9.8.7", True, "")]
""")
    for given in ("9.8", "9", "9.8.7"):
        done = pytester.runpytest_subprocess(*PLUGIN, "-s", f"--attachverdict-kernel={given}")
        done.stdout.fnmatch_lines([f"*('kernel', '{name}')*"])
    pytester.runpytest_subprocess(*PLUGIN, "--attachverdict-kernel=9.80").assert_outcomes(errors=1)


def test_recordings_are_kept(inner, pytester):
    done = inner("""
        import pytest

        @pytest.mark.parametrize("what", ["a/b"])
        def test_it(attach_verdict, what):
            attach_verdict("good")
            attach_verdict("good", record_path="mine")
            attach_verdict("good")
    """, "-s", "--attachverdict-record=kept/here")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*('record_path', 'kept/here/*test_it-a-b--1.avd')*",
                               "*('record_path', 'mine')*",
                               "*('record_path', 'kept/here/*test_it-a-b--3.avd')*"])
    assert (pytester.path / "kept/here").is_dir()


def test_without_the_library(inner, pytester, monkeypatch):
    """Collecting needs none, nor do tests without cells; one with says what is missing."""
    monkeypatch.setenv("ATTACHVERDICT_LIBRARY", "/nowhere/libattachverdict.so.0")
    (pytester.path / "conftest.py").unlink()
    text = """
        import attachverdict

        def test_it(attach_verdict):
            attach_verdict("good")

        def test_without():
            assert attachverdict.Outcome.DIED
    """
    done = inner(text, "--collect-only", "-q")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*::test_it", "*::test_without"])
    done = pytester.runpytest_subprocess(*PLUGIN)
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*ATTACHVERDICT_LIBRARY names it*"])
