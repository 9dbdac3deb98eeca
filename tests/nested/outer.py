# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The outer machine: a QEMU that emulates AMD SVM, in it a stock kernel with kvm-amd, in that
whatever the plan says. This is how a KVM machine is tested on a host without hardware
virtualization.

As a program: outer.py --kernel VMLINUZ --modules DIR --init INIT [--file HOST:GUEST]...
-- COMMAND WORDS... runs one command and prints what it prints.
"""

import argparse
import collections
import gzip
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tempfile

MODULES = ("irqbypass.ko", "kvm.ko", "kvm-amd.ko")  # in the order in which they load

Done = collections.namedtuple("Done", "status out err")


class OuterError(Exception):
    """The outer machine itself broke down."""


def newc(entries):
    """A newc cpio archive of (guest path, mode, bytes)."""
    out = bytearray()
    made = set()

    def add(path, mode, data):
        name = path.encode() + b"\0"
        fields = (len(made) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out.extend(b"070701" + b"".join(b"%08X" % f for f in fields) + name)
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    for path, mode, data in entries:
        path = path.strip("/")
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in made:
                made.add(parent)
                add(parent, stat.S_IFDIR | 0o755, b"")
        if path not in made:
            made.add(path)
            add(path, mode, data)
    add("TRAILER!!!", 0, b"")
    return bytes(out)


def read_module(folder, name):
    """A module's ELF file from a tree of modules, unpacked: the kernel may lack the decompressor."""
    for at, _, files in os.walk(folder):
        for suffix, unpack in ((".xz", lzma.decompress), (".gz", gzip.decompress), ("", bytes)):
            if name + suffix in files:
                with open(os.path.join(at, name + suffix), "rb") as file:
                    return unpack(file.read())
    raise OuterError(f"{name} is not below {folder}; fetch it: tools/fetch-kernel --modules")


def qemu_command(qemu, kernel, initramfs, console, results, cpus, memory_mib, kernel_args):
    version = subprocess.run([qemu, "--version"], check=True, stdout=subprocess.PIPE).stdout
    major = int(version.split(b"version ")[1].split(b".")[0])
    # tb-size: a large translation cache slows successive inner boots (2.4 s to 5 s).
    # -erms: else the kernel clears and copies pages by rep movsb, which TCG does byte by byte.
    # thread=multi crashes guests with two CPUs below QEMU 10.
    thread = "multi" if major >= 10 or cpus == 1 else "single"
    arguments = ("console=ttyS0 panic=-1 mitigations=off no5lvl quiet tsc=reliable "
                 "cryptomgr.notests=1 nokaslr random.trust_cpu=on 8250.nr_uarts=2")
    if major < 10:
        arguments += " noxsave"  # else the inner kernel: "XSAVE consistency problem"
    return [qemu, "-M", "q35", "-accel", f"tcg,thread={thread},tb-size=32", "-cpu", "max,-erms",
            "-smp", str(cpus), "-m", str(memory_mib), "-display", "none", "-no-reboot",
            "-nodefaults", "-serial", f"file:{console}", "-serial", f"file:{results}",
            "-kernel", kernel, "-initrd", initramfs, "-append", f"{arguments} {kernel_args}".strip()]


def parse(text):
    """{name: Done} of what init.c wrote, and whether it came to its end."""
    done, name, out, err, finished = {}, None, [], [], False
    for line in text.split("\n"):
        word, _, rest = line.rstrip("\r").partition(" ")
        if word == "begin":
            name, out, err = rest, [], []
        elif word == "out":
            out.append(rest)
        elif word == "err":
            err.append(rest)
        elif word == "end" and name is not None:
            done[name] = Done(int(rest.rsplit(" ", 1)[1]), "\n".join(out), "\n".join(err))
            name = None
        elif word == "finished":
            finished = True
    return done, finished


def run(kernel, modules, init, files, plan, cpus=1, memory_mib=2048, timeout=600,
        qemu="qemu-system-x86_64", watch=None, kernel_args="", console=None):
    """Runs plan, a list of (name, words), in one outer machine. files: (host, guest) pairs.
    Returns {name: Done}. Raises OuterError with the console's end. watch, if any, is called with
    QEMU's pid and the path of the results when the machine has been started. kernel_args: more
    words for the outer kernel; console, a list, gets the lines of its console."""
    if not shutil.which(qemu):
        raise OuterError(f"{qemu} is not installed")
    entries = [("plan", stat.S_IFREG | 0o644,
                "".join(f"{n}\t{' '.join(w)}\n" for n, w in plan).encode())]
    for number, module in enumerate(MODULES):
        entries.append((f"modules/{number}-{module}", stat.S_IFREG | 0o644,
                        read_module(modules, module)))
    for host, guest in [(init, "init"), *files]:
        with open(host, "rb") as file:
            mode = stat.S_IFREG | (os.stat(host).st_mode & 0o777)
            entries.append((guest, mode, file.read()))
    with tempfile.TemporaryDirectory(prefix="avd-nested-") as scratch:
        paths = [os.path.join(scratch, n) for n in ("initramfs", "console", "results")]
        with open(paths[0], "wb") as file:
            file.write(newc(entries))
        with subprocess.Popen(qemu_command(qemu, kernel, *paths, cpus, memory_mib, kernel_args),
                              stdin=subprocess.DEVNULL) as machine:
            if watch:
                watch(machine.pid, paths[2])
            try:
                machine.wait(timeout)
            except subprocess.TimeoutExpired:
                machine.kill()
        texts = []
        for path in paths[1:]:
            with open(path, errors="backslashreplace") as file:
                texts.append(file.read())
    if console is not None:
        console[:] = texts[0].splitlines()
    done, finished = parse(texts[1])
    if not finished:
        raise OuterError(f"the outer machine did not finish within {timeout} s or broke down; "
                         f"results so far: {texts[1][-3000:]}\nconsole: {texts[0][-3000:]}")
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--modules", required=True, help="folder below which kvm.ko stands")
    parser.add_argument("--init", required=True, help="tests/nested/nested-init of the build")
    parser.add_argument("--file", action="append", default=[], metavar="HOST:GUEST")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    files = [tuple(f.split(":", 1)) for f in given.file]
    done = run(given.kernel, given.modules, given.init, files, [("command", given.command)],
               cpus=given.cpus, timeout=given.timeout)["command"]
    print(done.out)
    print(done.err, file=sys.stderr)
    sys.exit(done.status)


if __name__ == "__main__":
    try:
        main()
    except OuterError as error:
        sys.exit(f"outer.py: {error}")
