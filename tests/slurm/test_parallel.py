#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""examples/parallel with real cells: one shard is killed, and run later.

usage: test_parallel.py CLI SCHEDULERS EXAMPLE
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sweep"))
import real_plan  # pylint: disable=wrong-import-position

CLI, SCHEDULERS, EXAMPLE = (os.path.abspath(path) for path in sys.argv[1:4])
# Stands where the program is: as if somebody had killed the second shard's.
DOOMED = """\
#!/bin/sh
case "$* " in
"sweep "*" --shard 2/2 "*) [ ! -e "{top}/doomed" ] || kill -KILL $$ ;;
esac
exec "{cli}" "$@"
"""


def sweep(top, env, *arguments):
    done = subprocess.run([f"{EXAMPLE}/sweep", top / "plan.cfg", top / "a dir",
                           *(arguments or ["2", "--jobs", "2"])],
                          check=False, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          encoding="utf-8")
    print(done.stdout)
    shown = subprocess.run([CLI, "show", "--format", "json", top / "a dir" / "results"],
                           check=False, stdout=subprocess.PIPE)
    return done.returncode, json.loads(shown.stdout)["cells"]


def what_runs_nothing(top, env):
    """What was merged before stays."""
    kept = sorted((top / "a dir").glob("results*"))
    for arguments in (["x"], ["3"], ["2", "--no-such-option"]):
        code, cells = sweep(top, env, *arguments)
        assert code == 2 and all(cell["met"] for cell in cells), (arguments, code, cells)
    assert sorted((top / "a dir").glob("results*")) == kept


def main():
    if not shutil.which("parallel"):
        print("skipped: no parallel; install the package parallel")
        sys.exit(real_plan.SKIP)
    with tempfile.TemporaryDirectory(prefix="avd-parallel-") as scratch:
        top = pathlib.Path(scratch)
        script = top / "attachverdict"
        script.write_text(DOOMED.format(top=top, cli=CLI), encoding="utf-8")
        script.chmod(0o755)
        (top / "plan.cfg").write_text(
            real_plan.text(SCHEDULERS, False, kernels=["7.3"], schedulers_only=["fifo", "absent"]),
            encoding="utf-8")
        # parallel keeps files of its own in the home.
        env = {**os.environ, "ATTACHVERDICT": str(script), "PARALLEL_HOME": scratch}
        (top / "doomed").touch()
        code, cells = sweep(top, env)
        assert code == 3, code
        assert [cell["result_code"] for cell in cells] == [None, "lost"], cells
        reason = cells[1]["result_reason"]
        assert reason.startswith("GNU parallel: exit status "), reason
        assert "(shard 2 on host " in reason and ("137" in reason or "signal 9" in reason), reason
        kept = cells[0]
        # As if it had been killed between the making of its directory and that of its index.
        shutil.rmtree(top / "a dir" / "parts" / "2", ignore_errors=True)
        (top / "a dir" / "parts" / "2").mkdir()
        code, cells = sweep(top, env)
        assert code == 3 and cells[1]["result_code"] == "lost", (code, cells)
        (top / "doomed").unlink()
        code, cells = sweep(top, env)
        assert code == 0, code
        assert cells[0] == kept, "the shard that was whole was run again"
        assert cells[1]["outcome"] == "DIED" and cells[1]["met"], cells[1]
        what_runs_nothing(top, env)


if __name__ == "__main__":
    main()
