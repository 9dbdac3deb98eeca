#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The KVM machine's ACPI tables, read by ACPICA's disassembler: the code that Linux's own ACPI
interpreter is made from.

usage: acpi_iasl.py ACPI_WRITE

Exit status: 0, 1, or 77: skipped, iasl (package acpica-tools) is not installed.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BASE = 0xE0000
SKIP = 77
# (topology, its CPUs' (APIC id, node), MiB, nodes' memory as (node, base, length))
MACHINES = [
    ("2n4l1+2+3+4c1t",
     [(0, 0), (4, 0), (5, 0), (8, 1), (9, 1), (10, 1), (12, 1), (13, 1), (14, 1), (15, 1)],
     4096, [(0, 0, 0x80000000), (1, 0x80000000, 0x40000000), (1, 0x100000000, 0x40000000)]),
    ("1n2l2c1t", [(0, 0), (1, 0), (2, 0), (3, 0)], 512, []),
    # ids above 254: entries of the other kind
    ("2n18l17" + "+1" * 17 + "c1t",
     [(i, 0) for i in range(17)] + [(32 * i, 0) for i in range(1, 9)]
     + [(512 + 32 * i, 1) for i in range(9)],
     512, [(0, 0, 0x10000000), (1, 0x10000000, 0x10000000)]),
]


def tables(memory):
    """{signature: bytes} by way of RSDP, XSDT and FADT."""
    def at(address):
        start = address - BASE
        size, = struct.unpack_from("<I", memory, start + 4)
        return memory[start:start + size]

    xsdt = at(struct.unpack_from("<Q", memory, 24)[0])
    found = [at(a) for a, in struct.iter_unpack("<Q", xsdt[36:])]
    named = {t[:4].decode(): t for t in found}
    named["DSDT"] = at(struct.unpack_from("<Q", named["FACP"], 140)[0])
    return named


def disassemble(folder, name, table):
    """The table in the words of iasl; fails on any error and warning of its."""
    path = os.path.join(folder, name)
    with open(path + ".dat", "wb") as file:
        file.write(table)
    done = subprocess.run(["iasl", "-d", path + ".dat"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode or re.search(r"\b(error|warning|invalid|unknown)\b", done.stdout, re.I):
        sys.exit(f"{name}: iasl -d: {done.returncode}\n{done.stdout}")
    with open(path + ".dsl") as file:
        text = file.read()
    if re.search(r"\b(error|warning|invalid|incorrect|unknown)\b", text, re.I):
        sys.exit(f"{name}: {text}")
    return text


def entries(text):
    """The subtables: a dictionary of numbers each, by the names that iasl has for fields."""
    found = []
    for name, value in re.findall(r"^\[[^\]]*\]\s+(.+?) : ([0-9A-F]+)\b", text, re.M):
        if name == "Subtable Type":
            found.append({})
        if found:
            found[-1][name] = int(value, 16)
    return found


def expect(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got}, not {want}")


# By table (SRAT, else MADT) and whether the id is above 254: type and names of the fields.
NAMES = {
    (False, False): (0, "Local Apic ID", None),
    (False, True): (9, "Processor x2Apic ID", None),
    (True, False): (0, "Apic ID", "Proximity Domain Low(8)"),
    (True, True): (2, "Apic ID", "Proximity Domain"),
}


def check_cpus(shape, cpus, found, srat):
    for (apic_id, node), fields in zip(cpus, found):
        kind, name, domain = NAMES[srat, apic_id > 254]
        expect(f"{shape}: type of {apic_id}", fields["Subtable Type"], kind)
        expect(f"{shape}: id of {apic_id}", fields[name], apic_id)
        if srat:
            expect(f"{shape}: node of {apic_id}", fields[domain], node)


def check_machine(folder, writer, shape, cpus, mib, memory):
    blob = subprocess.run([writer, shape, str(mib)], check=True, stdout=subprocess.PIPE).stdout
    found = tables(blob)
    text = {name: disassemble(folder, name, table) for name, table in found.items()}
    madt = entries(text["APIC"])
    expect(f"{shape}: entries of the MADT", len(madt), len(cpus) + 1)
    check_cpus(shape, cpus, madt, False)
    expect(f"{shape}: IO-APIC", [madt[-1][name] for name in ("Subtable Type", "Address",
                                                            "Interrupt")], [1, 0xFEC00000, 4])
    expect(f"{shape}: SRAT and SLIT", ("SRAT" in found, "SLIT" in found),
           (bool(memory), bool(memory)))
    if memory:
        srat = entries(text["SRAT"])
        check_cpus(shape, cpus, srat, True)
        expect(f"{shape}: memory",
               [(e["Proximity Domain"], e["Base Address"], e["Address Length"])
                for e in srat[len(cpus):]], memory)
    return text["DSDT"]


def check_dsdt(folder, text):
    for part in ('Name (_S5, Package (0x04)', "Device (COM1)", 'EisaId ("PNP0501")',
                 "0x03F8,             // Range Minimum", "IRQNoFlags ()", "{4}"):
        if part not in text:
            sys.exit(f"the DSDT lacks {part!r}: {text}")
    # What was disassembled compiles to the same again.
    done = subprocess.run(["iasl", "-oa", "-p", os.path.join(folder, "again"),
                           os.path.join(folder, "DSDT.dsl")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"iasl: {done.stdout}")
    with open(os.path.join(folder, "again.aml"), "rb") as one, \
            open(os.path.join(folder, "DSDT.dat"), "rb") as other:
        expect("the DSDT's code", one.read()[36:], other.read()[36:])


def main():
    if not shutil.which("iasl"):
        print("skipped: no iasl; install acpica-tools")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory(prefix="avd-acpi-") as folder:
        for shape, cpus, mib, memory in MACHINES:
            dsdt = check_machine(folder, sys.argv[1], shape, cpus, mib, memory)
        check_dsdt(folder, dsdt)


if __name__ == "__main__":
    main()
