# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The pytest plugin without a machine: pytest runs inside pytest, and a run() that only says what
it was asked."""
import importlib.util
import os
import re
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
    done.stdout.fnmatch_lines([f"*('record_path', '{pytester.path}/kept/here/*test_it-a-b-*-1.avd')*",
                               "*('record_path', 'mine')*",
                               "*('record_path', '*/kept/here/*test_it-a-b-*-3.avd')*"])
    assert (pytester.path / "kept/here").is_dir()


def test_each_recording_has_a_file_of_its_own(inner, pytester):
    """Whatever the parameters of the test are called, and wherever it goes."""
    done = inner("""
        import pytest

        @pytest.mark.parametrize("what", ["a/b", "a b", "a-b", "x" * 300 + "1", "x" * 300 + "2"])
        def test_it(attach_verdict, what, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            attach_verdict("good")
    """, "-s", "--attachverdict-record=kept")
    done.assert_outcomes(passed=5)
    names = re.findall(r"'record_path', '([^']*)'", done.stdout.str())
    assert len(set(names)) == 5, names
    assert {os.path.dirname(name) for name in names} == {str(pytester.path / "kept")}
    assert max(len(os.path.basename(name)) for name in names) <= 255  # NAME_MAX


def test_an_older_pytest(pytester):
    """The plugin is loaded in each session of pytest, of whatever project; that of an older
    pytest, which lacks what it would like, must go on."""
    (pytester.path / "pytest.py").write_text("""
def fixture(function): return function
def hookimpl(**_): return lambda function: function
class UsageError(Exception): pass
""")
    pytester.makeconftest("")
    done = pytester.runpython_c("import attachverdict.pytest_plugin")
    assert done.ret == 0


@pytest.mark.skipif(not importlib.util.find_spec("xdist"), reason="no python3-pytest-xdist")
def test_in_processes_of_xdist(inner, pytester):
    """Reports come back to the terminal, recordings do not meet."""
    done = inner("""
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(attach_verdict, number):
            assert attach_verdict("bad" if number == 2 else "good")
    """, "-p", "xdist", "-n", "2", "--attachverdict-record=kept", "-rP")
    done.assert_outcomes(failed=1, passed=3)
    names = re.findall(r"'record_path', '([^']*)'", done.stdout.str())
    assert len(set(names)) == 4, names
    assert {os.path.dirname(name) for name in names} == {str(pytester.path / "kept")}
    assert done.stdout.str().count("the report of bad\nmore") == 1


def test_errors_skips_and_expected_failures(inner):
    """A test that fails as it is set up has its evidence too; who does not fail has none."""
    done = inner("""
        import pytest

        @pytest.fixture
        def attached(attach_verdict):
            assert attach_verdict("bad")

        def test_error(attached):
            pass

        def test_skip(attach_verdict):
            attach_verdict("bad")
            pytest.skip("not here")

        @pytest.mark.xfail
        def test_xfail(attach_verdict):
            assert attach_verdict("bad")

        @pytest.fixture
        def after(attach_verdict):
            yield
            assert attach_verdict("bad")

        def test_after(after):
            pass
    """)
    done.assert_outcomes(errors=2, skipped=1, xfailed=1, passed=1)
    assert done.stdout.str().count("the report of bad\nmore") == 2


def test_turned_off(pytester):
    pytester.makepyfile("def test_it(request):\n"
                        "    assert not request.config.pluginmanager.has_plugin('attachverdict')")
    pytester.runpytest_subprocess("-p", "no:attachverdict").assert_outcomes(passed=1)


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
