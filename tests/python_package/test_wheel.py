# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package as pip takes it: a wheel without a compiler and without a network, and its source
distribution; installed somewhere, it runs, and pytest finds its plugin."""
import email
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

SOURCE = pathlib.Path(os.environ["AVD_SOURCE"]) / "tools/python"
OFFLINE = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
           "CC": "/bin/false", "PIP_NO_CACHE_DIR": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def run(*command, **options):
    done = subprocess.run([sys.executable, *map(str, command)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False, timeout=900,
                          **{"env": OFFLINE, **options})
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy: setuptools writes into its source."""
    for module in ("pip", "setuptools", "wheel"):
        if not importlib.util.find_spec(module):
            pytest.skip(f"python3-{module} is not installed")
    folder = tmp_path_factory.mktemp("tree") / "python"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info",
                                                                  "build"))
    return folder


@pytest.fixture(scope="module")
def wheel(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    run("-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", out, tree)
    found = list(out.iterdir())
    assert [path.name for path in found] == [f"attachverdict-{version()}-py3-none-any.whl"]
    return found[0]


def version():
    """Without the library."""
    return run("-c", "import attachverdict; print(attachverdict.__version__)").strip()


def test_what_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"attachverdict-{version()}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        entries = archive.read(f"{info}/entry_points.txt").decode()
    want = {f"attachverdict/{path.name}" for path in (SOURCE / "attachverdict").iterdir()
            if path.suffix in (".py", ".typed")}
    assert {name for name in names if not name.startswith(info)} == want
    assert (metadata["Name"], metadata["Version"]) == ("attachverdict", version())
    assert metadata["License"] == "BSD-2-Clause OR LGPL-2.1-or-later"
    assert metadata["Requires-Python"].replace(" ", "") == ">=3.9"
    assert "Framework :: Pytest" in metadata.get_all("Classifier")
    assert "attachverdict.run(" in metadata.get_payload()  # the README
    assert entries.split() == "[pytest11] attachverdict = attachverdict.pytest_plugin".split()


def test_the_source_distribution(tree, tmp_path):
    """It builds by itself, from what it holds."""
    run("-c", "from setuptools import build_meta; import sys; build_meta.build_sdist(sys.argv[1])",
        tmp_path, cwd=tree)
    with tarfile.open(tmp_path / f"attachverdict-{version()}.tar.gz") as archive:
        archive.extractall(tmp_path)
    run("-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", tmp_path / "out",
        tmp_path / f"attachverdict-{version()}")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_installed_it_runs_and_pytest_finds_it(wheel, tmp_path):
    run("-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "site", wheel)
    env = {**OFFLINE, "PYTHONPATH": str(tmp_path / "site")}
    (tmp_path / "test_it.py").write_text(
        "import attachverdict\n"
        "def test_it(attach_verdict):\n"
        "    assert attachverdict.library_version() == attachverdict.__version__\n"
        f"    assert attachverdict.__file__.startswith({str(tmp_path)!r})\n", encoding="utf-8")
    said = run("-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py",
               cwd=tmp_path, env=env)
    assert "1 passed" in said
