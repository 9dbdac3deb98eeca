# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package without a machine: structs, recordings, errors."""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import attachverdict
from attachverdict import _ffi

SOURCE = pathlib.Path(os.environ["AVD_SOURCE"])
REPORT_WRITE = os.environ["AVD_REPORT_WRITE"]


def test_structs_are_those_of_the_headers(tmp_path):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    lines = []
    for name, struct in _ffi.STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for member, _ in struct._fields_:
            lines.append(f'printf("{name}.{member} %zu\\n", offsetof(struct {name}, {member}));')
    code = ("#include <attachverdict/attachverdict.h>\n#include <stdio.h>\n#include <stddef.h>\n"
            "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n")
    (tmp_path / "offsets.c").write_text(code, encoding="utf-8")
    subprocess.run([compiler, "-I", SOURCE / "include", "-o", tmp_path / "offsets",
                    tmp_path / "offsets.c"], check=True)
    want = subprocess.run([tmp_path / "offsets"], check=True, stdout=subprocess.PIPE,
                          encoding="utf-8").stdout.split("\n")
    found = []
    for name, struct in _ffi.STRUCTS.items():
        found.append(f"{name} {ctypes.sizeof(struct)}")
        found += [f"{name}.{member} {getattr(struct, member).offset}"
                  for member, _ in struct._fields_]
    assert found == want[:-1]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([REPORT_WRITE, folder], check=True)
    found = sorted(folder.glob("*.avd"))
    assert len(found) > 5
    return found


def test_replay_and_stream_agree(samples):
    for path in samples:
        verdict = attachverdict.replay(path)
        with attachverdict.Stream() as stream:
            data = path.read_bytes()
            for at in range(0, len(data), 1000):
                stream.feed(data[at:at + 1000])
            stream.finish()
            assert stream.verdict == verdict
        assert verdict.report == json.loads(path.with_suffix(".json").read_bytes())
        assert verdict.report["outcome"] == verdict.outcome.name
        assert bool(verdict) == (verdict.report["result"] == "passed")
        attached = verdict.outcome is attachverdict.Outcome.ATTACHED
        assert (verdict.reason_code is None) == attached
        assert verdict.outcome.name in verdict.report_text.splitlines()[0]


def test_what_can_not_be_tried_is_an_exception(tmp_path):
    with pytest.raises(attachverdict.AttachVerdictError, match="nowhere") as info:
        attachverdict.replay(tmp_path / "nowhere")
    assert info.value.errno == 2
    with pytest.raises(attachverdict.AttachVerdictError, match="topology"):
        attachverdict.run("./x", topology="nonsense")
    with pytest.raises(attachverdict.AttachVerdictError, match="no-such-kernel"):
        attachverdict.run("./x", kernel="/no-such-kernel")
    with pytest.raises(TypeError, match="colour"):
        attachverdict.run("./x", colour="red")
    with pytest.raises(ValueError, match="qemu"):
        attachverdict.run("./x", machine="mill")


def test_closed_handles_say_so():
    cell = attachverdict.Cell("./x")
    with pytest.raises(ValueError, match="not started"):
        cell.verdict
    cell.close()
    cell.close()
    with pytest.raises(ValueError, match="closed"):
        cell.start()
    stream = attachverdict.Stream(nonce=bytes(16))
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.feed(b"")


def test_a_plan(tmp_path):
    kernel = tmp_path / "k"
    kernel.write_bytes(b"kernel")
    with attachverdict.Sweep() as sweep:
        sweep.kernel(kernel, name="7.3").scheduler(["/bin/true", "-x"])
        sweep.scheduler("/bin/false --y", name="bad", expect="DIED").topology(1)
        sweep.topology("2n4l4c2t").skip("scheduler=bad,topology=2n*").set("memory", "512M")
        assert sweep.ids == ["7.3/true+x/1", "7.3/true+x/2n4l4c2t", "7.3/bad/1"]
        with pytest.raises(attachverdict.AttachVerdictError, match="finished"):
            sweep.topology(2)
    with pytest.raises(attachverdict.AttachVerdictError, match="expect"):
        attachverdict.Sweep().expect("id=*", "GREAT")


def test_results_that_are_not_there(tmp_path):
    with pytest.raises(attachverdict.AttachVerdictError):
        attachverdict.Results(tmp_path)
