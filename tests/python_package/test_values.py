# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package without a machine: structs, recordings, errors."""
import ctypes
import inspect
import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Optional

import pytest

import attachverdict
from attachverdict import ReasonCode, _messages, _report, _structs

STRUCTS = {**_structs.STRUCTS, **_messages.STRUCTS}
SOURCE = pathlib.Path(os.environ["AVD_SOURCE"])
REPORT_WRITE = os.environ["AVD_REPORT_WRITE"]


def test_structs_are_those_of_the_headers(tmp_path):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    lines = []
    for name, struct in STRUCTS.items():
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
    for name, struct in STRUCTS.items():
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


def test_the_version_is_the_librarys():
    assert attachverdict.__version__ == attachverdict.library_version()


def test_reason_codes_are_those_of_the_header():
    text = (SOURCE / "include/attachverdict/verdict.h").read_text(encoding="utf-8")
    found = {name.lower().replace("_", "-"): int(number) for name, number in
             re.findall(r"AVD_REASON_(\w+) = (\d+),", text) if name != "NONE"}
    assert {str(code): code.number for code in ReasonCode} == found
    for code in ReasonCode:
        assert code.explanation and code.hint and code == str(code)
        assert ReasonCode._of(code.number) is code and ReasonCode(code.value) is code
    newer = ReasonCode("from-the-future")
    assert newer == "from-the-future" and newer.number == 0 and newer.hint == ""


def test_results_formats_are_those_of_the_header():
    text = (SOURCE / "include/attachverdict/report.h").read_text(encoding="utf-8")
    found = {name.lower(): int(number)
             for name, number in re.findall(r"AVD_FORMAT_(\w+) = (\d+)", text)}
    assert attachverdict.FORMATS == found


def test_typed_parts_are_those_of_the_report(samples):
    """Whatever the report has, and nothing where it has nothing."""
    programs = 0
    for path in samples:
        verdict = attachverdict.replay(path)
        evidence = verdict.report["evidence"]
        for name, part in (("attach", verdict.attach), ("dispatch", verdict.dispatch),
                           ("scheduler_exit", verdict.ejection), ("payload", verdict.payload)):
            assert (part is None) == (evidence[name] is None), name
        if verdict.attach:
            assert verdict.attach.ops == evidence["attach"]["ops"]
            assert verdict.attach.wall_seconds == int(evidence["attach"]["wall_ns"]) / 1e9
        if verdict.dispatch:
            assert list(verdict.dispatch.cpus_ok) == evidence["dispatch"]["cpus_ok"]
            assert bool(verdict.dispatch.cpus_starved) != verdict.dispatch.ok
        for program, raw in zip(verdict.programs, evidence["programs"]):
            programs += 1
            assert program.name == raw["name"] and program.source == raw["source"]
            assert program.verified_insns in (raw["verified_insns"], int(raw["verified_insns"] or 0))
        assert len(verdict.phases) == len(evidence["phases"])
        assert list(verdict.scheduler_stderr) == evidence["scheduler"]["stderr"]["lines"]
        assert len(verdict.kernel_log) == len(evidence["kernel_log"]["lines"])
        assert str(verdict) == verdict.report_text.splitlines()[0]
    assert programs > 1
    assert attachverdict.Verdict(attachverdict.Outcome.DIED, None, "", False, None, "", "",
                                 "").programs == ()


def test_trials_are_those_of_the_text(samples):
    text = (SOURCE / "lib/report/programs.c").read_text(encoding="utf-8")
    names = re.search(r"names\[\] = \{(.*?)\};", text, re.DOTALL)[1]
    assert _report._TRIALS == tuple(re.findall(r'"([^"]*)"', names))
    programs = attachverdict.replay(samples[0].parent / "passed.avd").programs
    assert [program.is_trial for program in programs] == [
        program.name in _report._TRIALS for program in programs]


def test_numbers_that_json_writes_as_text():
    assert _report._value({"id": "18446744073709551615"}, "id", Optional[int]) == 2 ** 64 - 1
    assert _report._value({"wall_ns": "9007199254740993"}, "wall_seconds", float) > 9e6


def test_topologies():
    shape = attachverdict.Topology.parse("2n4l4c2t")
    assert (shape.cpus, shape.nodes, shape.llcs, shape.cores, shape.threads_per_core,
            shape.even) == (32, 2, 4, 16, 2, True)
    assert attachverdict.Topology.parse(3).cpus == 3
    assert not attachverdict.Topology.parse("1n3l4+2+1c1t").even
    presets = attachverdict.Topology.presets()
    for name, text in presets.items():
        same = attachverdict.Topology.parse(text)
        found = attachverdict.Topology.parse(name)
        assert str(found) == name and (found.cpus, found.llcs) == (same.cpus, same.llcs)
    assert len(presets) > 10
    with pytest.raises(attachverdict.AttachVerdictError, match="nonsense"):
        attachverdict.Topology.parse("nonsense")
    attachverdict.Cell("x", topology=shape).close()


def test_what_this_host_has(tmp_path):
    with pytest.raises(ValueError, match="mill"):
        attachverdict.probe("mill")
    with pytest.raises(attachverdict.AttachVerdictError, match="no-such-qemu"):
        attachverdict.probe("qemu", qemu="/no-such-qemu")
    for kernel in attachverdict.kernels(tmp_path):
        assert kernel.origin in ("running", "installed") and os.path.isabs(kernel.path)
    with pytest.raises(attachverdict.AttachVerdictError) as info:
        attachverdict.Kernel.describe(tmp_path)
    assert info.value.errno and str(tmp_path) in str(info.value)


def test_comparing_results():
    def cell(name, met=True, code=None):
        return attachverdict.CellResult(
            id=name, kernel="", scheduler="", topology="", payload="", command="",
            expected="passed", met=met, ran=True, outcome=attachverdict.Outcome.ATTACHED,
            reason_code=None, reason="", passed=met, result_code=code, result_reason="",
            end_cause="", cpus=1, recording="", wall_seconds=1.0)

    before = [cell("same"), cell("worse"), cell("better", met=False), cell("gone"),
              cell("other", met=False, code=ReasonCode.EJECTED)]
    after = [cell("new"), cell("same"), cell("worse", met=False), cell("better"),
             cell("other", met=False, code=ReasonCode.NO_DISPATCH)]
    found = attachverdict.compare(before, after)
    assert not found
    for name in ("worse", "better", "other", "new", "gone"):
        assert [change.id for change in getattr(found, name)] == [name]
    assert found.new[0].before is None and found.gone[0].after is None
    assert attachverdict.compare(before, before)


def public_members(kind):
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "__func__", function)
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


def test_what_is_public_is_described():
    for name in attachverdict.__all__:
        thing = getattr(attachverdict, name)
        if not inspect.isfunction(thing) and not inspect.isclass(thing):
            continue
        assert thing.__doc__ and not thing.__doc__.startswith(name + "("), name
        if inspect.isclass(thing):
            for member, function in public_members(thing):
                assert function.__doc__, f"{name}.{member}"
