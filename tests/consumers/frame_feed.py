#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""examples/frame_feed with the sample recordings and the test vectors, over transports that cut
them anywhere: what it prints at the end is the verdict, however the bytes come.

usage: frame_feed.py FRAME_FEED REPORT_WRITE STREAMS
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

TIMEOUT = 600 # seconds; catches a hang
NONCE = "1032547698badcfed9d9f7831a005aff" # of the vectors: tests/unit/verdict_kit.c
PASSED = "ATTACHED (passed)"


def feed(program, arguments, data, piece, *, blocking=True, env=None):
    """(exit status, lines), for `data` sent in pieces over a socket."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(blocking)
    with subprocess.Popen([program, *arguments], stdin=theirs, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env) as child:
        theirs.close()

        def send():
            with ours:
                for at in range(0, len(data), piece):
                    ours.sendall(data[at:at + piece])

        sender = threading.Thread(target=send)
        sender.start()
        out, _ = child.communicate(timeout=TIMEOUT)
        sender.join()
    return child.returncode, out.decode().splitlines()


def verdict(outcome, reason, result, result_code):
    """How a verdict's line starts."""
    if outcome != "ATTACHED":
        return f"{outcome} ({reason}): "
    return PASSED if result == "passed" else f"ATTACHED (failed, {result_code}): "


def check(name, got, line, passed):
    status, lines = got
    assert status == (0 if passed else 1), f"{name}: exit status {status}: {lines}"
    assert lines[-1].startswith(line), f"{name}: {lines[-1]!r}, expected {line!r}"
    known = [text for text in lines if text.startswith("known now: ")]
    outcome = line.split(" ")[0]
    if outcome != "UNCONFIRMED":
        assert known and known[-1].startswith(f"known now: {outcome}"), f"{name}: {lines}"


def recordings(program, writer):
    """The samples of the reports, against their JSON."""
    count = 0
    with tempfile.TemporaryDirectory(prefix="avd-feed-") as folder:
        subprocess.run([writer, folder], check=True, stdout=subprocess.DEVNULL)
        for path in sorted(pathlib.Path(folder).glob("*.avd")):
            report = json.loads(path.with_suffix(".json").read_bytes())
            line = verdict(report["outcome"], report["reason_code"], report["result"],
                           report["result_code"])
            data = path.read_bytes()
            for piece in (1 if len(data) < 20000 else 61, 4096, len(data)):
                got = feed(program, ["recording"], data, piece, blocking=piece != 4096)
                check(path.name, got, line, report["result"] == "passed")
            with path.open("rb") as file: # and from a file
                done = subprocess.run([program, "recording"], stdin=file, timeout=TIMEOUT,
                                      stdout=subprocess.PIPE, text=True, check=False)
            check(path.name, (done.returncode, done.stdout.splitlines()), line,
                  report["result"] == "passed")
            count += 1
    assert count >= 10, count
    return count


def vectors(program, streams):
    count = 0
    for text in pathlib.Path(streams).read_text(encoding="ascii").splitlines():
        if text.startswith("#"):
            continue
        name, expected, data = text.split(" ")
        line = verdict(*expected.split("/"))
        arguments = ["recording"] if name.startswith("recording") else [NONCE]
        got = feed(program, arguments, bytes.fromhex(data), 7)
        check(name, got, line, line == PASSED)
        count += 1
        if name == "guest-passed":
            ends(program, bytes.fromhex(data))
    assert count >= 10, count
    return count


def ends(program, data):
    """How the machine ended, which the guest's bytes can't tell."""
    for cause in ("guest-shutdown", "guest-reset"):
        check(cause, feed(program, [NONCE, cause], data, 100), PASSED, True)
    check("machine-killed", feed(program, [NONCE, "machine-killed"], data, 100),
          "ATTACHED (failed, machine-error): ", False)
    # The first frame is the hello; after it this guest is not heard of again.
    hello = data[:19 + int.from_bytes(data[15:19], "big")]
    check("triple-fault", feed(program, [NONCE, "triple-fault"], hello, 5),
          "UNCONFIRMED (triple-fault): ", False)
    check("no end", feed(program, [NONCE], hello, 5), "UNCONFIRMED (truncated): ", False)
    check("other nonce", feed(program, ["0" * 32], data, 100),
          "UNCONFIRMED (channel-corrupt): ", False)


def usage(program):
    for arguments in ([], ["recording", "guest-reset"], ["12"], [NONCE, "no-such-cause"],
                      [NONCE[:-1] + "x"], [NONCE, "guest-reset", "more"]):
        status, lines = feed(program, arguments, b"", 1)
        assert status == 2 and lines[0].startswith("usage: "), (arguments, status, lines)
    # What can't be read is no verdict.
    folder = os.open("/", os.O_RDONLY)
    done = subprocess.run([program, "recording"], stdin=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT, text=True, check=False)
    os.close(folder)
    assert done.returncode == 3 and "directory" in done.stdout, done


def main():
    program, writer, streams = sys.argv[1:]
    usage(program)
    print(f"{recordings(program, writer)} recordings, {vectors(program, streams)} vectors")


if __name__ == "__main__":
    main()
