#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""clang-tidy has no warnings. What was looked at without a fault is remembered by content."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys


def preprocessed(entry):
    """What clang-tidy's findings depend on, but for itself: None if it does not compile."""
    command = shlex.split(entry["command"])
    out = command.index("-o")
    command = command[:out] + command[out + 2 :]
    command[command.index("-c")] = "-E"
    for option in ("-MD", "-MMD"):
        if option in command:
            command.remove(option)
    for option in ("-MQ", "-MF"):
        if option in command:
            at = command.index(option)
            del command[at : at + 2]
    run = subprocess.run(command + ["-CC"], cwd=entry["directory"], capture_output=True)
    return run.stdout if run.returncode == 0 else None


def look(entry, database, seed, cache):
    """The faults in one file, as text; empty if there are none."""
    text = preprocessed(entry)
    if text is None:
        return f"{entry['file']} does not compile: build first\n"
    seen = cache / hashlib.sha256(seed + text).hexdigest()
    if seen.exists():
        return ""
    path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
    run = subprocess.run(
        ["clang-tidy", "-p", database, "--quiet", path], capture_output=True, text=True
    )
    if run.returncode == 0:
        seen.touch()
        return ""
    return run.stdout or run.stderr


def main(top, build):
    if not shutil.which("clang-tidy"):
        print("skipped: clang-tidy is not installed (tools/setup --checks installs it)")
        return 77
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    configs = sorted(top.glob("[!b]*/**/.clang-tidy")) + [top / ".clang-tidy"]
    seed = version + b"".join(config.read_bytes() for config in configs)
    cache = pathlib.Path(build) / "lint-cache"
    cache.mkdir(exist_ok=True)
    database = json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
    entries = {}
    for entry in database:
        path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        own = path.startswith(f"{top}/") and not path.startswith((f"{top}/subprojects", build))
        if path.endswith(".c") and own:
            entries.setdefault(path, entry)
    # A file that is built twice would be looked at twice in one run of clang-tidy 14, which
    # then takes every va_list for uninitialized: give it one entry a file.
    once = cache / "database"
    once.mkdir(exist_ok=True)
    (once / "compile_commands.json").write_text(json.dumps(list(entries.values())))
    faults = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(look, e, str(once), seed, cache) for e in entries.values()]
        for job in concurrent.futures.as_completed(jobs):
            if job.result():
                faults += 1
                print(job.result().rstrip())
    print(f"{len(entries)} files looked at, {faults} with faults")
    return 1 if faults or not entries else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), os.path.realpath(sys.argv[2])))
