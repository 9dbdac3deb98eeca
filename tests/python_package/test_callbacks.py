# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Callbacks, signals, threads, ends: what must never be lost, crash or leak. No machine."""
import copy
import ctypes
import gc
import logging
import os
import pathlib
import pickle
import signal
import socket
import subprocess
import sys
import threading

import pytest

import attachverdict
from attachverdict import Outcome, ReasonCode, _structs
from attachverdict._stream import interruptible

REPORT_WRITE = os.environ["AVD_REPORT_WRITE"]


class Told(Exception):
    """What a callback of these tests raises."""


def tell(*_):
    raise Told("told")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([REPORT_WRITE, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def passed(samples):
    return (samples / "passed.avd").read_bytes()


def open_fds():
    gc.collect()
    return sorted(os.listdir("/proc/self/fd"))


def test_events_have_what_the_frames_say(passed):
    events = []
    with attachverdict.Stream(on_event=events.append) as stream:
        stream.feed(passed)
        stream.finish()
        verdict = stream.verdict
    assert verdict.passed
    assert {event.type for event in events} == {"frame"}
    kinds = [event.kind for event in events]
    assert kinds[0] == "cell" and kinds[-1] == "end-cause"
    of_kind = {event.kind: event.message for event in events}
    report = verdict.report
    assert of_kind["cell"]["scheduler"] == tuple(report["evidence"]["scheduler"]["argv"])
    assert of_kind["hello"]["release"] == verdict.kernel_release
    assert of_kind["scheduler-attached"]["ops"] == verdict.attach.ops
    assert of_kind["end-cause"]["cause"] == verdict.end_cause
    assert [event.message["phase"] for event in events if event.kind == "phase"] == [
        phase.phase for phase in verdict.phases]
    assert all(isinstance(event.message["bytes"], bytes) for event in events
               if event.kind == "log")


def test_gaps_and_faults_are_events(passed):
    events = []
    with attachverdict.Stream(on_event=events.append) as stream:
        stream.feed(passed[:300] + b"noise" + passed[300:])
        stream.finish()
        assert stream.verdict.outcome is Outcome.UNCONFIRMED
    assert "gap" in {event.type for event in events}
    assert all(event.detail for event in events if event.type != "frame")


def test_what_on_event_raises_comes_out(passed):
    with attachverdict.Stream(on_event=tell) as stream:
        with pytest.raises(Told):
            stream.feed(passed)
        assert not stream.verdict.passed


def test_what_a_logging_handler_raises_comes_out(passed, caplog):
    class Handler(logging.Handler):
        def emit(self, record):
            tell()

    caplog.set_level(logging.DEBUG, logger="attachverdict")
    handler = Handler()
    logging.getLogger("attachverdict").addHandler(handler)
    try:
        with attachverdict.Stream() as stream, pytest.raises(Told):
            stream.feed(passed)
    finally:
        logging.getLogger("attachverdict").removeHandler(handler)


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview"])
def test_kinds_of_bytes(passed, kind):
    with attachverdict.Stream() as stream:
        stream.feed({"bytes": bytes, "bytearray": bytearray, "memoryview": memoryview}[kind](
            passed))
        stream.finish()
        assert stream.verdict.passed


@pytest.mark.parametrize("kind", ["file", "raw", "fd", "socket", "pipe"])
def test_sources(samples, passed, kind):
    path = samples / "passed.avd"
    with attachverdict.Stream() as stream:
        if kind in ("file", "raw"):
            with open(path, "rb", buffering=-1 if kind == "file" else 0) as source:
                count = stream.read_from(source)
        elif kind == "fd":
            fd = os.open(path, os.O_RDONLY)
            count = stream.read_from(fd)
            os.close(fd)
        else:
            here, there = socket.socketpair() if kind == "socket" else os.pipe()
            def write():
                if kind == "socket":
                    there.sendall(passed)
                    there.close()
                else:
                    with open(there, "wb") as pipe:
                        pipe.write(passed)
            writer = threading.Thread(target=write)
            writer.start()
            count = stream.read_from(here)
            writer.join()
            here.close() if kind == "socket" else os.close(here)
        stream.finish()
        assert count == len(passed) and stream.verdict.passed


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "t").write_text("x", encoding="ascii")
    with attachverdict.Stream() as stream, open(tmp_path / "t", encoding="ascii") as source:
        with pytest.raises(TypeError, match="bytes"):
            stream.read_from(source)


def interrupted(work):
    """Runs `work` with the usual handler of SIGINT; whether KeyboardInterrupt came out."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # Python itself loses a KeyboardInterrupt in what its collector calls, such as WeakSet's.
    gc.disable()
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        gc.enable()
        signal.signal(signal.SIGINT, before)
    return False


def test_ctrl_c_in_a_callback_is_never_lost(passed):
    """It mostly comes while C has the word, so that its handler runs as a callback begins, before
    anything of the callback does."""
    main = threading.main_thread().ident
    for number in range(30):
        seen, go, sent = [], threading.Event(), threading.Event()

        def shoot(go=go, sent=sent):
            assert go.wait(600)
            signal.pthread_kill(main, signal.SIGINT)
            sent.set()

        def on_event(event, seen=seen, go=go, number=number):
            seen.append(event)
            if len(seen) > number:
                go.set()

        def work(sent=sent, on_event=on_event):
            with attachverdict.Stream(on_event=on_event) as stream:
                while not sent.is_set():
                    stream.feed(passed)

        gunner = threading.Thread(target=shoot)
        gunner.start()
        assert interrupted(work), number
        gunner.join()


def test_work_in_c_can_be_left():
    release = threading.Event()

    def work():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert release.wait(600)  # nothing but the interruption ends it

    assert interrupted(lambda: interruptible(work))
    release.set()
    with pytest.raises(Told):
        interruptible(tell)
    assert interruptible(lambda: 5) == 5


def every_method():
    """An open object of each class, and a call of each of its methods that need it open."""
    cell = attachverdict.Cell("./x")
    stream = attachverdict.Stream(nonce=bytes(16))
    sweep = attachverdict.Sweep()
    yield cell, [cell.start, cell.fileno, cell.step, cell.run, cell.cancel, lambda: cell.verdict]
    yield stream, [lambda: stream.feed(b""), stream.finish, lambda: stream.verdict,
                   lambda: stream.read_from(os.open(__file__, os.O_RDONLY | os.O_CLOEXEC))]
    yield sweep, [lambda: sweep.kernel("7"), lambda: sweep.scheduler("x"),
                  lambda: sweep.topology(1), lambda: sweep.payload("x"),
                  lambda: sweep.only("id=*"), lambda: sweep.skip("id=*"),
                  lambda: sweep.expect("id=*", "DIED"), lambda: sweep.set("memory", "1G"),
                  lambda: sweep.ids, lambda: sweep.run("/nowhere"),
                  lambda: sweep.start("/nowhere")]


def test_closed_is_a_value_error():
    for handle, calls in every_method():
        with handle:
            pass
        handle.close()
        for call in calls:
            with pytest.raises(ValueError, match="closed"):
                call()


def test_results_and_runs_that_are_closed(plan, tmp_path):
    run = plan.start(tmp_path / "out", cells=range(0, 1))
    plan.close()  # takes its runs along
    for call in (run.fileno, run.step, run.wait, run.cancel, lambda: run.progress):
        with pytest.raises(ValueError, match="closed"):
            call()
    results = attachverdict.Results(tmp_path / "out")
    assert len(results) == 3 and not results and results.ran == 0
    results.close()
    for call in (lambda: results[0], lambda: results["x"], results.format, results.failed):
        with pytest.raises(ValueError, match="closed"):
            call()


@pytest.fixture
def plan(tmp_path):
    kernel = tmp_path / "k"
    kernel.write_bytes(b"no kernel")
    with attachverdict.Sweep() as sweep:
        yield sweep.kernel(kernel, name="k").scheduler("/bin/true").scheduler(
            "/bin/false").scheduler("guest:/x")


def test_cells_that_can_not_be_tried(plan, tmp_path):
    """A sweep without a machine: each cell says why. Callbacks, progress, ranges, resuming."""
    told, progress = [], []
    results = plan.run(tmp_path / "out", cells=range(1, 3), jobs=1, on_result=told.append,
                       on_progress=progress.append)
    assert sorted(cell.id for cell in told) == ["k/false/2", "k/x/2"]  # both may run at once
    assert progress[-1] == attachverdict.Progress(cells=2, done=2, running=0, met=0, unmet=0,
                                                  kept=0)
    assert all("could not be tried" in cell.reason for cell in told)
    assert {cell.reason_code for cell in results} == {ReasonCode.NOT_RUN} and not results
    assert len(results.failed()) == 3 and results[0].reason != results[1].reason
    assert results[-1] == results["k/x/2"] and results[-1] in results and "k/x/2" in results
    assert "nonsense" not in results and results.index("k/x/2") == 2
    with pytest.raises(KeyError):
        results["nonsense"]
    with pytest.raises(IndexError):
        results[3]
    for wrong in (range(0), range(0, 4, 2), range(-1, 1)):
        with pytest.raises(ValueError, match="range"):
            plan.run(tmp_path / "out", cells=wrong)
    with pytest.raises(attachverdict.AttachVerdictError, match="shard"):
        plan.run(tmp_path / "out", shard=3, shards=2)


def test_what_on_result_raises_comes_out(plan, tmp_path):
    before = open_fds()
    for number, name in enumerate(("on_result", "on_progress")):
        with pytest.raises(Told):
            plan.run(tmp_path / str(number), **{name: tell})
        assert len(attachverdict.Results(tmp_path / str(number))) == 3
    assert open_fds() == before


def test_one_call_at_a_time(passed):
    """Neither from a callback nor from another thread; cancel() from any."""
    caught = []

    def on_event(_event):
        for call in (lambda: stream.feed(b""), stream.finish, stream.close):
            with pytest.raises(RuntimeError, match="callback"):
                call()
        stream.verdict  # that is allowed

        def other():
            for call in (lambda: stream.feed(b""), lambda: stream.verdict, stream.close):
                try:
                    call()
                except RuntimeError as error:
                    caught.append(str(error))

        if not caught:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    stream = attachverdict.Stream(on_event=on_event)
    stream.feed(passed)
    stream.close()
    assert len(caught) == 3 and all("another thread" in text for text in caught)


def test_a_package_that_is_newer_than_the_library(plan, tmp_path, monkeypatch):
    """An answer that has room for more than the library knows is filled as far as that goes."""
    for name in ("Progress", "ResultsCounts", "TopologyInfo"):
        known = getattr(_structs, name)
        monkeypatch.setattr(_structs, name, type(name, (known,), {
            "_fields_": [("of_a_newer_one", ctypes.c_uint64)]}))
    results = plan.prepare(tmp_path / "out")
    assert (len(results), results.ran, attachverdict.Topology.parse("4").cpus) == (3, 0, 4)
    with plan.start(tmp_path / "out", cells=range(0, 1)) as running:
        assert running.progress.cells == 1


@pytest.mark.parametrize("options", [
    {"timeout_ms": 1 << 64}, {"memory_bytes": (1 << 64) + (1 << 30)}, {"settle_ms": -1},
    {"topology": "2\0004"}, {"kernel_args": "a\0b"}, {"no_verifier_stats": 1 << 32}])
def test_what_c_would_read_as_something_else_is_refused(options):
    with pytest.raises(ValueError, match=list(options)[0] + "|null character"):
        attachverdict.Cell("/bin/true", kernel="/nonexistent", **options)


def test_what_c_would_read_as_something_else_in_a_sweep(plan, tmp_path):
    for wrong in ({"jobs": -1}, {"jobs": 1 << 32}, {"shard": -1, "shards": 2},
                  {"shard": 1, "shards": (1 << 32) + 2}, {"cells": range(0, 1 << 65)}):
        with pytest.raises(ValueError, match=list(wrong)[0]):
            plan.start(tmp_path / "out", **wrong)
    results = plan.prepare(tmp_path / "out")
    with pytest.raises(ValueError, match="shards"):
        attachverdict.mark(tmp_path / "out", "gone", shard=1, shards=(1 << 32) + 1)
    for call in (lambda: attachverdict.mark(tmp_path / "out", "a\0b"),
                 lambda: attachverdict.Topology.parse("2\0004"),
                 lambda: attachverdict.Sweep().topology("2\0004"),
                 lambda: attachverdict.Sweep().only("kernel=7\0"),
                 lambda: attachverdict.Sweep().expect("kernel=7", "DIED\0"),
                 lambda: attachverdict.Sweep().set("timeout\0", "1s")):
        with pytest.raises(ValueError, match="null character"):
            call()
    assert results[0].id + "\0junk" not in results


def test_a_cancelled_cell_does_not_start():
    with attachverdict.Cell("/bin/true") as cell:
        thread = threading.Thread(target=cell.cancel)
        thread.start()
        thread.join()
        with pytest.raises(attachverdict.AttachVerdictError) as info:
            cell.run()
        assert info.value.errno


def test_nothing_leaks_where_something_fails(plan, passed, tmp_path):
    def all_of_it():
        for call in (lambda: attachverdict.Cell("x", topology="nonsense"),
                     lambda: attachverdict.Cell("/bin/true", kernel=tmp_path / "k").run(),
                     lambda: attachverdict.Cell("x", memory_bytes=-1),
                     lambda: attachverdict.Cell("x", timeout_ms="soon"),
                     lambda: attachverdict.Cell("a\0b"),
                     lambda: attachverdict.Stream(nonce=b"short"),
                     lambda: attachverdict.Stream(on_event=tell).feed(passed),
                     lambda: attachverdict.Sweep("/nowhere"),
                     lambda: attachverdict.Sweep().expect("id=*", "GREAT"),
                     lambda: plan.run("/dev/null/x"),
                     lambda: plan.run(tmp_path / "out", shard=9),
                     lambda: attachverdict.Results(tmp_path),
                     lambda: attachverdict.replay(tmp_path / "k"),
                     lambda: attachverdict.merge([tmp_path], tmp_path / "merged")):
            with pytest.raises((OSError, ValueError, TypeError, Told)):
                call()

    all_of_it()
    before, threads = open_fds(), threading.active_count()
    for _ in range(5):
        all_of_it()
    assert open_fds() == before
    assert threading.active_count() == threads


def test_an_open_handle_is_freed_without_close(passed):
    before = open_fds()
    for _ in range(20):
        attachverdict.Cell("/bin/true")
        attachverdict.Stream(on_event=print).feed(b"")
        attachverdict.Sweep()
    assert open_fds() == before


def script(text, *arguments, status=0):
    """Runs it in a Python of its own, where warnings are errors; what it prints."""
    done = subprocess.run([sys.executable, "-W", "error", "-X", "dev", "-c", text, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          check=False, timeout=900)
    assert done.returncode == status, done.stderr
    return done


def test_the_end_of_the_interpreter_is_quiet(samples):
    done = script("""if True:
        import sys, attachverdict
        cell = attachverdict.Cell("/bin/true", on_console=print)
        sweep = attachverdict.Sweep().scheduler("x")
        stream = attachverdict.Stream(on_event=lambda event: stream.verdict)
        with open(sys.argv[1], "rb") as file:
            stream.feed(file.read(500))
        class Holder: pass
        holder = Holder(); holder.cell = attachverdict.Cell("x", on_event=lambda _: holder)
        holder.itself = holder
    """, str(samples / "passed.avd"))
    assert not done.stderr


def test_an_end_with_a_daemon_thread_in_a_call(samples):
    """The thread is not pulled the handle from under its feet."""
    script("""if True:
        import sys, threading, attachverdict
        with open(sys.argv[1], "rb") as file:
            data = file.read() * 100
        begun = threading.Event()
        stream = attachverdict.Stream(on_event=lambda _: begun.set())

        def feed():
            while True:
                stream.feed(data)

        threading.Thread(target=feed, daemon=True).start()
        begun.wait()
    """, str(samples / "passed.avd"))


def test_a_child_process_leaves_its_parents_handles_alone():
    script("""if True:
        import gc, os, attachverdict
        stream = attachverdict.Stream(nonce=bytes(16))
        child = os.fork()
        if not child:
            del stream
            gc.collect()
            raise SystemExit(0)
        assert os.waitpid(child, 0)[1] == 0
        stream.finish()
        assert stream.verdict.outcome.name == "UNCONFIRMED"
    """)


def test_without_the_library(tmp_path):
    """It can be imported, and the first call says what to do."""
    text = """if True:
        import os, sys
        os.environ.pop("ATTACHVERDICT_LIBRARY", None)
        os.environ.update(dict([sys.argv[1].split("=")] if sys.argv[1] else []))
        sys.path.insert(0, sys.argv[2])
        import attachverdict, attachverdict.pytest_plugin
        attachverdict._ffi.SONAME = "libnone.so.0"
        assert attachverdict.__file__.startswith(sys.argv[2])
        try:
            attachverdict.library_version()
        except attachverdict.AttachVerdictError as error:
            print(error)
    """
    package = pathlib.Path(attachverdict.__file__).parent
    prefix = tmp_path / "prefix"
    where = prefix / "lib/python3/dist-packages"
    where.mkdir(parents=True)
    (where / "attachverdict").symlink_to(package)
    assert "set ATTACHVERDICT_LIBRARY to the path" in script(text, "", str(where)).stdout
    library = prefix / "lib/x86_64-linux-gnu/libnone.so.0"
    library.parent.mkdir()
    library.write_bytes(b"")
    found = script(text, "", str(where)).stdout
    assert f"set ATTACHVERDICT_LIBRARY={library}" in found
    assert "correct or unset" in script(text, f"ATTACHVERDICT_LIBRARY={library}",
                                        str(where)).stdout
    old = script(text, "ATTACHVERDICT_LIBRARY=libc.so.6", str(where)).stdout
    assert "does not fit this package" in old


def test_values_can_be_kept(samples):
    verdict = attachverdict.replay(samples / "passed.avd")
    again = pickle.loads(pickle.dumps(verdict))
    assert again == verdict and hash(again) == hash(verdict) and again.report == verdict.report
    assert again.programs == verdict.programs and len(set(again.programs)) == len(again.programs)
    assert pickle.loads(pickle.dumps(ReasonCode.PANIC)) is ReasonCode.PANIC
    newer = ReasonCode("of-a-newer-library")
    for kept in (pickle.loads(pickle.dumps(newer)), copy.deepcopy(newer), copy.copy(newer)):
        assert (kept, hash(kept), kept.name) == (newer, hash(newer), "OF_A_NEWER_LIBRARY")


def test_the_end_of_a_machine_of_ones_own(passed):
    """The guest's bytes out of a recording, and an end cause beside them."""
    with attachverdict.Stream(on_event=lambda event: events.append(event)) as stream:
        events = []
        stream.feed(passed)
        stream.finish()
        with pytest.raises(attachverdict.AttachVerdictError, match="recording"):
            stream.end("guest-reset")
    guest = passed[events[1].offset:events[-1].offset]
    for cause, want in (("guest-shutdown", True), ("watchdog", False)):
        with attachverdict.Stream(nonce=events[0].message["nonce"]) as stream:
            stream.feed(guest)
            stream.end(cause)
            assert stream.verdict.passed == want and stream.verdict.end_cause == cause
    with attachverdict.Stream(nonce=bytes(16)) as stream, pytest.raises(ValueError, match="mud"):
        stream.end("stuck in the mud")


def test_lost_cells(plan, tmp_path):
    out = tmp_path / "out"
    assert len(plan.prepare(out)) == 3
    assert attachverdict.mark(out, "NODE_FAIL: the node went away", cells=range(1, 2)) == 1
    results = attachverdict.Results(out)
    assert [cell.reason_code for cell in results] == ["not-run", "lost", "not-run"]
    assert results.lost == 1 and "NODE_FAIL" in results[1].reason
    assert attachverdict.mark(out, "other", shard=1, shards=2) == 2
    with pytest.raises(attachverdict.AttachVerdictError):
        attachverdict.mark(tmp_path / "nowhere", "x")
    results.write(tmp_path / "page.html")
    results.format("html", details=False)
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE")
    with pytest.raises(attachverdict.AttachVerdictError, match="nowhere"):
        results.write(tmp_path / "nowhere/page.html")
    with pytest.raises(attachverdict.AttachVerdictError):
        results.verdict("k/x/2")
