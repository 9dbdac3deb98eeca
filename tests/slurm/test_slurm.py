#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""examples/slurm on a real cluster: a sweep in four tasks, some of which Slurm loses.

usage: test_slurm.py CLI SCHEDULERS EXAMPLE [full]

By default one kernel, four schedulers, two topologies; one task's node dies, one runs out of time,
one is cancelled. `full` is three kernels, eight schedulers, two topologies, and one node dies.
Exit status: 0, 1, or 77: skipped, with the reason.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import cluster

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sweep"))
import real_plan  # pylint: disable=wrong-import-position

CLI, SCHEDULERS, EXAMPLE = (os.path.abspath(path) for path in sys.argv[1:4])
FULL = sys.argv[4:] == ["full"]
TASKS = 4
# What becomes of a task, by its number, and how many of its cells end before that.
FATES = {4: "NODE_FAIL"} if FULL else {2: "TIMEOUT", 3: "CANCELLED", 4: "NODE_FAIL"}
ENDED_BEFORE = 3 if FULL else 1

# Stands where QEMU is: before the next cell of a doomed task it stops the sweep, so that the task
# hangs with just as many cells done as the test wants, however slow the machine.
QEMU = """\
#!/bin/sh
task=${{SLURM_ARRAY_TASK_ID-none}}
case " $* " in
*" -kernel "*)
    set -- "$@"
    if [ -e "{top}/doomed.$task" ] &&
       [ "$(ls "{dir}/parts/$task/cells" | grep -c 'avd$')" -ge {before} ]; then
        kill -STOP $PPID
        : >"{top}/hangs.$task"
        exec sleep infinity
    fi
esac
exec {qemu} "$@"
"""


def facts(results):
    """What counts of each cell, by its id."""
    done = subprocess.run([CLI, "show", "--format", "json", results], check=False,
                          stdout=subprocess.PIPE)
    return {cell["id"]: (cell["outcome"], cell["reason_code"], cell["result_code"], cell["met"],
                         cell["result_reason"] if cell["result_code"] == "lost" else None)
            for cell in json.loads(done.stdout)["cells"]}


class Scene:
    def __init__(self, top, slurm):
        self.top, self.slurm = pathlib.Path(top), slurm
        self.dir = self.top / "shared"
        self.plan = self.top / "plan.cfg"
        self.env = {**slurm.env, "ATTACHVERDICT": CLI}
        qemu = self.top / "qemu"
        qemu.write_text(QEMU.format(top=top, dir=self.dir, before=ENDED_BEFORE,
                                    qemu=shutil.which("qemu-system-x86_64")), encoding="utf-8")
        qemu.chmod(0o755)
        self.plan.write_text(real_plan.text(SCHEDULERS, FULL, qemu=str(qemu),
                                            kernels=None if FULL else ["7.3"],
                                            topologies=real_plan.TWO_TOPOLOGIES),
                             encoding="utf-8")

    def submit(self, *options):
        """Submits and waits for the merged results in the background."""
        return subprocess.Popen([f"{EXAMPLE}/submit", "-w", "-j", "1", self.plan, self.dir,
                                 str(TASKS), *options], env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, encoding="utf-8")

    def sweep(self, out, *options):
        return subprocess.Popen([CLI, "sweep", self.plan, "--out", out, *options], env=self.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                encoding="utf-8")

    def job(self, array, task):
        words = self.slurm.scontrol("-o", "show", "job", f"{array}_{task}").split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def strike(self, array, task):
        """Lets a task that hangs meet its fate; returns the node that it was on."""
        node = self.job(array, task)["BatchHost"]
        if FATES[task] == "NODE_FAIL":
            self.slurm.kill_node(node)
        elif FATES[task] == "CANCELLED":
            self.slurm.run("scancel", f"{array}_{task}")
        else:  # a limit is in minutes; an end may be set to the second
            self.slurm.scontrol("update", f"JobId={array}_{task}", "EndTime=now+1seconds")
        return node


def finish(process):
    output, _ = process.communicate()
    print(output)
    return process.returncode


def lose_some(scene):
    """The sweep through Slurm; (the array job's number, nodes by task, the local results)."""
    for task in FATES:
        (scene.top / f"doomed.{task}").touch()
    submission = scene.submit()
    array = submission.stdout.readline().split()[2].rstrip(":")
    nodes = {}
    for task in FATES:
        cluster.wait_until(f"task {task}", (scene.top / f"hangs.{task}").exists)
    for task in FATES:
        nodes[task] = scene.strike(array, task)
    # Slurm takes its time to notice; the machine has nothing better to do.
    local = scene.top / "local"
    code = finish(scene.sweep(local))
    assert code == 0, f"the local sweep: exit status {code}"
    code = finish(submission)
    assert code == 3, f"the merge job: exit status {code}"
    return array, nodes, facts(local)


def check_lost(scene, array, nodes, want):
    """All as in the local sweep but for what the doomed tasks had not done."""
    got = facts(scene.dir / "results")
    assert list(got) == list(want)
    lost = {}
    for number, (cell, fact) in enumerate(got.items()):
        task = number % TASKS + 1
        if task not in FATES or number // TASKS < ENDED_BEFORE:
            assert fact == want[cell], (cell, fact, want[cell])
            continue
        assert fact[:4] == ("UNCONFIRMED", "lost", "lost", False), (cell, fact)
        words = f"Slurm: {FATES[task]} (job {array}_{task} on node {nodes[task]}"
        assert fact[4].startswith(words), (words, fact)
        lost[cell] = task
    assert set(lost.values()) == set(FATES), lost
    return lost


def again(scene, lost, want):
    """What was lost is run: by Slurm for one part, here for the rest."""
    for task in FATES:
        (scene.top / f"doomed.{task}").unlink()
    if not FULL:
        code = finish(scene.submit("--array=4"))
        assert code == 3, f"the second submission: exit status {code}"
        got = facts(scene.dir / "results")
        for cell, task in lost.items():
            assert (got[cell] == want[cell]) == (task == 4), (cell, got[cell])
    code = finish(scene.sweep(scene.dir / "results", "--rerun-failed"))
    assert code == 0, f"--rerun-failed: exit status {code}"
    assert facts(scene.dir / "results") == want


def main():
    real_plan.need_kernels(FULL)
    cluster.enter_namespaces()
    with tempfile.TemporaryDirectory(prefix="avd-slurm-") as top:
        with cluster.Cluster(top, TASKS) as slurm:
            began = time.monotonic()
            try:
                scene = Scene(top, slurm)
                array, nodes, want = lose_some(scene)
                lost = check_lost(scene, array, nodes, want)
                print(f"{len(want)} cells, {len(lost)} lost, merged after "
                      f"{time.monotonic() - began:.0f} s")
                again(scene, lost, want)
                print(f"equal after {time.monotonic() - began:.0f} s")
            except BaseException:
                slurm.tell()
                for log in sorted((pathlib.Path(top) / "shared" / "logs").glob("*")):
                    print(f"--- {log.name}", log.read_text(errors="replace"), sep="\n")
                raise


if __name__ == "__main__":
    main()
