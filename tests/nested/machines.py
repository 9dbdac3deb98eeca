#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""KVM machines without a scheduler: examples/embed_poll with two of them in one loop, and what
is remembered of /dev/kvm, in an outer machine whose KVM is sound.

usage: machines.py CLI EMBED_POLL PORT_INIT INIT

Exit status: 0, 1, or 77: skipped, with the reason.
"""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import outer  # noqa: E402
from cell import SKIP, find_kernel  # noqa: E402
from nested import OUTER_SERIES, TIMEOUT, libraries  # noqa: E402

# Two exits each, and here one takes a tenth of a millisecond and more.
BYTES = 1000
ENDS = re.compile(r"^([01]): kvm \(kvm\), ended by guest-shutdown$", re.M)
COSTS = re.compile(r"^([01]): %d bytes on the channel, .*first instruction after \d+ ms, "
                   r"first byte after \d+ ms, (\d+) exits, (\d+) KiB beyond guest RAM$" % BYTES, re.M)


def main():
    cli, example, port_init, init = map(os.path.abspath, sys.argv[1:5])
    modules = os.path.join(os.path.dirname(find_kernel(OUTER_SERIES)), "modules")
    if not glob.glob(os.path.join(modules, "**", "kvm-amd.ko*"), recursive=True):
        print(f"skipped: no kvm-amd.ko below {modules}; fetch it: tools/fetch-kernel --series "
              f"{OUTER_SERIES} --modules")
        sys.exit(SKIP)
    files = {path: path for program in (cli, example) for path in (program, *libraries(program))}
    files.update({port_init: port_init, find_kernel("7.3"): "/kernels/7.3"})
    plan = [("doctor", [cli, "doctor"]),
            ("embed-poll", [example, str(TIMEOUT), "/kernels/7.3", port_init, "act=off",
                            f"bytes={BYTES}"])]
    try:
        done = outer.run(find_kernel(OUTER_SERIES), modules, init, list(files.items()), plan,
                         cpus=1, memory_mib=3072, timeout=TIMEOUT)
    except outer.OuterError as error:
        sys.exit(f"the outer machine: {error}")
    out = done["doctor"].out
    print(out)
    assert "/dev/kvm runs what a stock kernel needs" in out, out
    assert "remembered for this boot in /tmp/.cache/attachverdict/kvm-answer" in out, out
    out = done["embed-poll"].out
    print(out)
    assert done["embed-poll"].status == 0, done["embed-poll"]
    assert sorted(ENDS.findall(out)) == ["0", "1"], out
    costs = {number: (int(exits), int(kib)) for number, exits, kib in COSTS.findall(out)}
    assert sorted(costs) == ["0", "1"], out
    for exits, kib in costs.values():
        # Each byte on the channel is a port written, and its line status read before that.
        assert 2 * BYTES < exits < 2 * BYTES + 2000, out
        assert 0 < kib < 64 * 1024, out


if __name__ == "__main__":
    main()
