#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""On which of the kernels that I have does my scheduler work, and what breaks on the others?

    examples/python/which_kernels.py --out results ./scx_mine './scx_mine --other-mode'

Started again into the same directory, it goes on where it was. The exit status is 0 if all passed,
1 if not, 3 if it could not be tried.
"""
import argparse
import collections
import sys

import attachverdict


def choose(named):
    """Those named, or all that can run a sched_ext scheduler."""
    if named:
        return [attachverdict.Kernel.describe(path) for path in named]
    found = {}
    for kernel in attachverdict.kernels():
        if kernel.sched_ext is not False:
            # One image may be in /boot and in /usr/lib/modules.
            found.setdefault(kernel.release or kernel.path, kernel)
    return list(found.values()) or [attachverdict.Kernel.describe(attachverdict.default_kernel())]


def show(progress):
    print(f"{progress.done} of {progress.cells} done, {progress.running} running",
          file=sys.stderr)


def sweep(kernels, schedulers, topology, out):
    with attachverdict.Sweep() as plan:
        seen = collections.Counter()
        for kernel in kernels:
            seen[kernel.release] += 1
            again = f"-{seen[kernel.release]}" if seen[kernel.release] > 1 else ""
            plan.kernel(kernel.path, name=(kernel.release or "kernel") + again)
        for scheduler in schedulers:
            plan.scheduler(scheduler)
        return plan.topology(topology).run(out, on_progress=show)


def tell(results):
    """One line a cell; for one that did not pass why, the last words of the scheduler, what to
    do, and how to run it alone."""
    for cell in results:
        print(f"{'ok  ' if cell else 'FAIL'} {cell.id}")
        if cell:
            continue
        print(f"     {cell.outcome.name}: {cell.result_reason}")
        if cell.recording:
            verdict = results.verdict(cell)
            for line in verdict.scheduler_stderr[-3:]:
                print(f"     | {line}")
            print(f"     {verdict.hint}")
        print(f"     $ {cell.command}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("schedulers", metavar="SCHEDULER", nargs="+",
                        help="a program with its arguments, as one word to the shell")
    parser.add_argument("--kernel", metavar="IMAGE", action="append",
                        help="a kernel; several times [all that were fetched or installed]")
    parser.add_argument("--topology", default="2", help="the CPUs [2]")
    parser.add_argument("--out", metavar="DIR", required=True, help="where the results go")
    given = parser.parse_args()
    try:
        results = sweep(choose(given.kernel), given.schedulers, given.topology, given.out)
        tell(results)
    except attachverdict.AttachVerdictError as error:
        print(f"which_kernels: {error}", file=sys.stderr)
        return 3
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
