#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""How the HTML report grows: pages of 1,000 and 10,000 cells with a recording each, beside the
same results as JSON. The aims: linear, 10,000 below 256 MiB of memory.

usage: bench_html.py CLI MAKE_RESULTS REPORT_WRITE
"""

import glob
import os
import subprocess
import sys
import tempfile

CLI, MAKE, REPORT_WRITE = sys.argv[1:4]


def show(form, results, path):
    """CPU seconds and MiB that it took, and MiB of the file."""
    child = subprocess.Popen([CLI, "show", "--format", form, "--output", path, results])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in (0, 1), child.returncode
    return (usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024,
            os.path.getsize(path) / (1 << 20))


def main():
    with tempfile.TemporaryDirectory(prefix="avd-bench-html-") as scratch:
        samples = os.path.join(scratch, "samples")
        os.mkdir(samples)
        subprocess.run([REPORT_WRITE, samples], check=True, stdout=subprocess.DEVNULL)
        recordings = sorted(glob.glob(f"{samples}/*.avd"))
        first = None
        for cells in (1000, 10000):
            results = os.path.join(scratch, str(cells))
            subprocess.run([MAKE, results, str(cells), "0", str(cells), *recordings], check=True)
            page = show("html", results, f"{results}.html")
            json = show("json", results, f"{results}.json")
            first = first or page[0] / cells
            print(f"{cells:6} cells: page {page[0]:.2f} s of CPU, {page[1]:.0f} MiB, file of "
                  f"{page[2]:.1f} MiB; JSON {json[0]:.2f} s, {json[1]:.0f} MiB; a cell costs "
                  f"{page[0] / cells / first:.2f} of one of the first row", flush=True)


if __name__ == "__main__":
    main()
