#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The KVM machine beside QEMU's microvm and q35 under KVM, in one outer machine (tests/nested).

usage: bench.py BOOT MEASURE GUEST OUTER_INIT

Prints the table of measure.c. Exit status: 0, 1, or 77: skipped, with the reason. No figure
fails it: machines are shared, and an emulated one is no hardware; the ratios are what counts.
"""

import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "nested"), os.path.join(HERE, "..", "..", "e2e")]

import nested  # noqa: E402
import outer  # noqa: E402
from cell import SKIP, find_kernel  # noqa: E402

SERIES = "7.3"
# What QEMU's two machines load: their firmware, and the option ROM that starts a PVH kernel.
FIRMWARE = ("bios-microvm.bin", "bios-256k.bin", "kvmvapic.bin", "pvh.bin", "linuxboot_dma.bin",
            "linuxboot.bin")
FIRMWARE_DIRS = ("/usr/share/qemu", "/usr/share/seabios")
PT_LOAD, PT_NOTE, XEN_ELFNOTE_PHYS32_ENTRY = 1, 4, 18
# mov dx, 0x3f8; mov al, BENCH_MARK; out dx, al; hlt; jmp to the hlt: the same bytes in 32-bit and
# in 64-bit mode.
STUB = bytes([0x66, 0xBA, 0xF8, 0x03, 0xB0, 0x02, 0xEE, 0xF4, 0xEB, 0xFD])
TIMEOUT = 1500
CARRIER_ROUNDS = 3
CARRIER_BYTES = {"window": "4194304", "serial": "1048576"}


def make_stub(vmlinux):
    """A vmlinux with STUB at its ELF entry point and at its PVH entry point."""
    data = bytearray(vmlinux)
    entry, phoff = struct.unpack_from("<QQ", data, 24)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize) for i in range(phnum)]
    entries = [entry]
    for kind, _, offset, _, _, filesz, _, _ in headers:
        at = offset
        while kind == PT_NOTE and at < offset + filesz:
            namesz, descsz, note = struct.unpack_from("<III", data, at)
            desc = at + 12 + (namesz + 3 & ~3)
            if note == XEN_ELFNOTE_PHYS32_ENTRY and data[at + 12:at + 16] == b"Xen\0":
                entries.append(int.from_bytes(data[desc:desc + descsz], "little"))
            at = desc + (descsz + 3 & ~3)
    if len(entries) != 2:
        sys.exit("the kernel has no PVH entry point")
    for address in entries:
        for kind, _, offset, _, paddr, filesz, _, _ in headers:
            if kind == PT_LOAD and paddr <= address < paddr + filesz:
                at = offset + address - paddr
                data[at:at + len(STUB)] = STUB
    return bytes(data)


def qemu_files(qemu):
    files = {path: path for path in [qemu, *nested.libraries(qemu)]}
    for name in FIRMWARE:
        for folder in FIRMWARE_DIRS:
            if os.path.exists(f"{folder}/{name}"):
                files[f"{folder}/{name}"] = f"/usr/share/qemu/{name}"
                break
    return files


class Clock(threading.Thread):
    """Reads the emulator's CPU clock at each line "out clock" of the results, as they grow."""

    def __init__(self, pid, path):
        super().__init__(daemon=True)
        self.clock = ~pid << 3 | 2  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
        self.path = path
        self.readings = []

    def run(self):
        while not os.path.exists(self.path):
            time.sleep(0.005)
        with open(self.path, "rb") as file:
            line = b""
            while True:
                line += file.readline()
                if not line.endswith(b"\n"):
                    time.sleep(0.005)
                    continue
                if line.split() == [b"out", b"clock"]:
                    try:
                        self.readings.append(time.clock_gettime_ns(self.clock))
                    except OSError:
                        return
                line = b""


def medians(text, readings):
    """{(peer, mark): medians of ms wall, ms CPU, exits to user space, exits, KiB, emulator's ms}."""
    samples = {}
    pairs = list(zip(readings[::2], readings[1::2]))
    for line in text.split("\n"):
        word, *rest = line.split() or [""]
        if word == "sample":
            start, end = pairs.pop(0)
            wall, cpu, user, kvm, kib = map(int, rest[2:])
            samples.setdefault(tuple(rest[:2]), []).append(
                (wall / 1e6, cpu / 1e6, user, kvm, kib, (end - start) / 1e6))
    return {key: [statistics.median(column) for column in zip(*rows)]
            for key, rows in samples.items()}


ROWS = (("first", "to the first instruction", 0, "ms", ""),
        ("first", "  host CPU", 1, "ms", "0.1 of microvm"),
        ("first", "  emulator's CPU, all of it", 5, "ms", ""),
        ("init", "to init", 0, "ms", "0.8 of microvm"),
        ("init", "  host CPU", 1, "ms", ""),
        ("init", "  emulator's CPU, all of it", 5, "ms", ""),
        ("init", "  exits to user space", 2, "", "below 500"),
        ("init", "  exits in all", 3, "", ""),
        ("init", "  memory beyond guest RAM", 4, "KiB", "below 3072"))
PEERS = ("kvm", "microvm", "q35")


def print_machines(table):
    print(f"{'':34} {'':>9} {'':>9} {'':>9}   ratio of kvm to")
    print(f"{'':34} {'kvm':>9} {'microvm':>9} {'q35':>9}   {'microvm':>8} {'q35':>8}   aim")
    for mark, name, column, unit, aim in ROWS:
        values = [table[peer, mark][column] for peer in PEERS]
        ratios = [f"{values[0] / value:8.3f}" if value else f"{'-':>8}" for value in values[1:]]
        title = f"{name}{', ' if unit else ''}{unit}"
        print(f"{title:34} {values[0]:9.0f} {values[1]:9.0f} {values[2]:9.0f}   {ratios[0]} "
              f"{ratios[1]}   {aim}")


def print_carriers(text):
    speeds = {}
    for line in text.split("\n"):
        if line.startswith("carrier "):
            _, machine, carrier, size, ns = line.split()
            speeds.setdefault((machine, carrier), []).append(int(size) * 1e3 / int(ns))
    print(f"\n{'carriers, MB/s':34} {'window':>9} {'serial':>9} {'ratio':>9}   aim: 50")
    for machine in ("kvm", "qemu"):
        window, serial = (statistics.median(speeds[machine, carrier])
                          for carrier in ("window", "serial"))
        print(f"{machine:34} {window:9.3f} {serial:9.4f} {window / serial:9.0f}")


def carry_in_qemu(boot, qemu, vmlinux, initramfs):
    """The carriers of the QEMU machine, emulated, on this host: in the outer machine, under KVM,
    its guests get a #GP at each IN and OUT of user space."""
    lines = []
    for _ in range(CARRIER_ROUNDS):
        for carrier, size in CARRIER_BYTES.items():
            ns = subprocess.run([boot, qemu, vmlinux, initramfs, "512", carrier, size],
                                check=True, stdout=subprocess.PIPE, text=True,
                                timeout=TIMEOUT).stdout
            lines.append(f"carrier qemu {carrier} {size} {ns.strip()}")
    return "\n".join(lines)


def main():
    boot, measure, guest, init = (os.path.abspath(path) for path in sys.argv[1:5])
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        print("skipped: qemu-system-x86_64 is not installed")
        sys.exit(SKIP)
    outer_kernel, modules = nested.find_outer()
    kernel = find_kernel(SERIES)
    with tempfile.TemporaryDirectory(prefix="avd-bench-") as scratch:
        vmlinux, stub, initramfs = (os.path.join(scratch, name)
                                    for name in ("vmlinux", "stub", "initramfs"))
        subprocess.run([boot, "unpack", kernel, vmlinux], check=True)
        with open(vmlinux, "rb") as file, open(stub, "wb") as out:
            out.write(make_stub(file.read()))
        with open(initramfs, "wb") as out, open(guest, "rb") as file:
            out.write(outer.newc([("init", 0o100755, file.read())]))
        files = {boot: "/boot", measure: "/measure", vmlinux: "/vmlinux", stub: "/stub",
                 initramfs: "/guest.cpio"}
        for program in (boot, measure):
            files.update({path: path for path in nested.libraries(program)})
        files.update(qemu_files(qemu))
        words = ["/measure", "/boot", qemu, "/vmlinux", "/stub", "/guest.cpio"]
        clocks = []

        def watch(pid, path):
            clocks.append(Clock(pid, path))
            clocks[0].start()

        try:
            done = outer.run(outer_kernel, modules, init, list(files.items()),
                             [("measure", words)], memory_mib=4096, timeout=TIMEOUT,
                             watch=watch)["measure"]
        except outer.OuterError as error:
            sys.exit(f"the outer machine: {error}")
        carried = carry_in_qemu(boot, qemu, vmlinux, initramfs)
    if done.status:
        sys.exit(f"{done.out}\n{done.err}\nmeasure: exit status {done.status}")
    print(f"kernel {os.path.basename(os.path.dirname(kernel))} in all; outer kernel "
          f"{os.path.basename(os.path.dirname(outer_kernel))}; medians")
    print_machines(medians(done.out, clocks[0].readings))
    print_carriers(f"{done.out}\n{carried}")


if __name__ == "__main__":
    main()
