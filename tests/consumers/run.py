#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The examples with a real kernel, built against the installed library: shared, with its archive,
and fully static.

usage: run.py SOURCE BUILD

Exit status: 0, 1, or 77: skipped, with the reason (no kernel).
"""

import os
import random
import re
import signal
import subprocess
import sys

import cbor2

import kit
from frame_feed import PASSED, feed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from cell import find_kernel  # noqa: E402

CELL_NONCE = 3 # key of the cell frame's message (lib/codec/messages.cddl)


def check_suite(here, kernel, schedulers):
    program = here.build_by_line("check_suite")
    here.env["KERNEL"] = kernel
    out = here.run(program, schedulers / "fifo", schedulers / "dies_early", "exited")
    assert "100%: Checks: 2, Failures: 0, Errors: 0" in out, out
    # The evidence of a test that fails, in a process of its own: the other one goes on.
    out = here.run(program, schedulers / "dies_early", schedulers / "dies_early", "exited", status=1)
    assert "50%: Checks: 2, Failures: 1, Errors: 0" in out, out
    assert re.search(r"F:verdicts:good_one_passes:0: expected ATTACHED, passed \(none\), but: "
                     r"DIED \(exited\): ", out), out
    assert "stderr      | cannot read the configuration" in out, out
    # What can't be tried is told as such.
    here.env["KERNEL"] = "/nonexistent/vmlinuz"
    out = here.run(program, schedulers / "fifo", schedulers / "fifo", "exited", status=1)
    assert out.count("/nonexistent/vmlinuz") == 2, out


def sweep_run(here, kernel, schedulers):
    """Returns the recordings: of a cell that passed, and of one that died."""
    program = here.build_by_line("sweep_run")
    folder = here.top / "results"
    words = [program, folder, kernel, schedulers / "fifo", f"{schedulers}/dies_early=DIED/exited"]
    out = here.run(*words)
    assert out.count(": ATTACHED\n") == 1 and out.count(": DIED\n") == 1, out
    assert "2 cells: 2 as expected, 0 not, 0 without a result" in out, out
    # Once more: all is there, nothing runs.
    again = here.run(*words)
    assert again == out[out.index(" " * 10):], again
    interrupted(here, program, kernel, schedulers)
    (passed,) = folder.glob("cells/*scheduler-1*.avd")
    (died,) = folder.glob("cells/*scheduler-2*.avd")
    return passed, died


def interrupted(here, program, kernel, schedulers):
    """The cell that ended keeps its result; the other one would take minutes."""
    words = [program, here.top / "interrupted", kernel, f"{schedulers}/dies_early=DIED/exited",
             schedulers / "never_attaches"]
    with subprocess.Popen(words, env=here.env, stdout=subprocess.PIPE, text=True) as child:
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=kit.TIMEOUT)
    print(first + out, end="")
    assert child.returncode == 3 and first.endswith(": DIED\n"), (child.returncode, first)
    assert "2 cells: 1 as expected, 0 not, 1 without a result" in out, out


def frames(data):
    """[(offset, message)]: a CBOR sequence, as a CBOR library sees it."""
    found, at = [], 0
    while at < len(data):
        size = 19 + int.from_bytes(data[at + 15:at + 19], "big")
        found.append((at, cbor2.loads(cbor2.loads(data[at:at + size])[2])))
        at += size
    return found


def frame_feed(here, passed, died):
    """Real recordings; and the guest's bytes of one alone, with the nonce that its cell frame has
    and the end that the host saw."""
    program = here.build_by_line("frame_feed")
    rng = random.Random(5)
    for path, line in ((passed, PASSED), (died, "DIED (exited): ")):
        data = path.read_bytes()
        messages = frames(data)
        nonce = messages[0][1][CELL_NONCE].hex()
        guest = data[messages[1][0]:messages[-1][0]]
        for arguments, content in ((["recording"], data), ([nonce], guest),
                                   ([nonce, "guest-shutdown"], guest)):
            status, lines = feed(program, arguments, content, rng.randint(1, 100), env=here.env)
            assert lines[-1].startswith(line), lines[-1]
            assert status == (0 if line == PASSED else 1), status
            told = [text for text in lines if re.match(r"\d+\.\d{3} [a-z-]+$", text)]
            assert len(told) == len(messages) - (0 if content is data else 2), (len(told), lines)
    print(f"{passed.name}, {died.name}: the same verdict from a recording and from the channel")


def static(here, kernel, schedulers):
    program = here.top / "static"
    here.run("cc", *kit.WARNINGS, *here.flags("--cflags"), here.example("embed_run"), "-o", program,
             here.libdir / "libattachverdict.a",
             *(word for word in here.flags("--libs", "--static") if word != "-lattachverdict"))
    assert not [name for name in here.needed(program) if "attachverdict" in name]
    assert here.run(program, kernel, schedulers / "fifo") == PASSED + "\n"


def without_archive(here, words):
    """The libraries that the system has as shared ones only."""
    lacks = []
    for word in words:
        found = subprocess.run(["cc", f"-print-file-name=lib{word[2:]}.a"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.strip()
        if word.startswith("-l") and not os.path.isabs(found) and word != "-lattachverdict":
            lacks.append(word[2:])
    return lacks


def fully_static(here, kernel, schedulers):
    """Debian has no archive of libcbor: the part of it that the guest's init is linked with is
    what the library needs, too."""
    words = here.flags("--libs", "--static")
    lacks = without_archive(here, words)
    print(f"without an archive: {' '.join(lacks) or 'none'}")
    cbor = here.build / "subprojects" / "libcbor" / "libcbor-streaming.a"
    if "cbor" in lacks and cbor.exists():
        words = [str(cbor) if word == "-lcbor" else word for word in words]
        lacks.remove("cbor")
    if lacks:
        print("no fully static program here")
        return
    program = here.top / "fully-static"
    here.run("cc", "-static", *kit.WARNINGS, *here.flags("--cflags"), here.example("embed_run"),
             "-o", program, *words)
    assert not here.needed(program)
    assert here.run(program, kernel, schedulers / "fifo") == PASSED + "\n"


def main():
    kernel = find_kernel("7.3")
    with kit.installed(*sys.argv[1:]) as here:
        schedulers = here.build / "examples" / "schedulers"
        check_suite(here, kernel, schedulers)
        frame_feed(here, *sweep_run(here, kernel, schedulers))
        static(here, kernel, schedulers)
        fully_static(here, kernel, schedulers)


if __name__ == "__main__":
    main()
