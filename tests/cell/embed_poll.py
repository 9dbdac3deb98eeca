#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""examples/embed_poll with real kernels: two machines, one loop.

usage: embed_poll.py EMBED_POLL PORT_INIT
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from cell import find_kernel  # noqa: E402

# Seconds; catches a hang, judges nothing.
TIMEOUT = 600
LAST = re.compile(r"^([01]): (?:qemu|kvm) \(\w+\), ended by guest-shutdown$", re.M)
CHANNEL = re.compile(r"^([01]): 300000 bytes on the channel, .*first instruction after \d+ ms, "
                     r"first byte after \d+ ms, .*KiB beyond guest RAM$", re.M)
STOPPED = re.compile(r"^([01]): .*ended by host-stop: the caller stopped the machine$", re.M)


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)
    print(done.stdout, flush=True)
    return done.returncode, done.stdout


def main():
    example, init = sys.argv[1:]
    kernel = find_kernel("7.3")
    status, out = run(example, str(TIMEOUT), kernel, init, "act=off")
    assert status == 0, status
    assert sorted(LAST.findall(out)) == ["0", "1"], out
    assert sorted(CHANNEL.findall(out)) == ["0", "1"], out
    for number in "01":
        assert f"{number}| ttyS0 0x3F8\n" in out, out
    # A deadline that nothing meets: this init waits for a port that is not there for ever.
    status, out = run(example, "1", kernel, "/bin/sleep", "--", "1000")
    assert status == 1, status
    assert sorted(STOPPED.findall(out)) == ["0", "1"], out
    # What can't be started says so, once.
    status, out = run(example, "1", "/nonexistent/vmlinuz", init)
    assert status == 3 and out.count("\n") == 1 and "/nonexistent/vmlinuz" in out, out


if __name__ == "__main__":
    main()
