# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Seeds for fuzz-image in the directory DIR, made here but for a program of this machine, and a
bounded run of the fuzzer from them.

  image_seeds.py FUZZER RUNS
"""

import gzip
import lzma
import os
import struct
import subprocess
import sys
import tempfile


def bzimage():
    image = bytearray(2048 + 512)
    payload = b"\x28\xb5\x2f\xfd" + bytes(60) + struct.pack("<I", 5000)
    image += payload + bytes(-len(payload) % 16)
    image[0x1F1] = 3
    struct.pack_into("<I", image, 0x1F4, (len(image) - 2048) // 16)
    struct.pack_into("<H", image, 0x1FE, 0xAA55)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x020F)
    struct.pack_into("<H", image, 0x20E, 0x200)
    image[0x211] = 1
    struct.pack_into("<H", image, 0x236, 0x7F)
    struct.pack_into("<II", image, 0x248, 512, len(payload))
    image[0x400:0x410] = b"6.16.12 (fuzzed)"
    return bytes(image)


def vmlinux():
    """Sections .rodata with a banner and IKCONFIG, .BTF; a segment of notes with PVH."""
    names = b"\0.rodata\0.BTF\0.shstrtab\0"
    rodata = b"Linux version 6.16.12 (x)\0IKCFG_ST" + gzip.compress(b"CONFIG_A=y\n") + b"IKCFG_ED"
    btf = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 16) + b"\0sched_ext_ops\0\0"
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x1000000)
    body, spans = b"", []
    start = 64 + 56
    for part in (rodata, btf, names, note):
        spans.append((start + len(body), len(part)))
        body += part
    sections = bytes(64)
    for name, (offset, size) in zip((1, 9, 14), spans):
        sections += struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 0, 0)
    ident = b"\x7fELF\2\1\1" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, start + len(body), 0, 64, 56, 1,
                                 64, 4, 3)
    segment = struct.pack("<IIQQQQQQ", 4, 0, spans[3][0], 0, 0, spans[3][1], 0, 0)
    return header + segment + body + sections


def ldcache():
    strings = b"libz.so.1\0/lib/libz.so.1\0"
    entry = struct.pack("<IIIIQ", 0x303, 72, 82, 0, 0)
    return b"glibc-ld.so.cache1.1" + struct.pack("<II4s4I", 1, len(strings), b"\2\0\0\0", 0, 0, 0,
                                                 0) + entry + strings


def main(fuzzer, runs):
    with tempfile.TemporaryDirectory(prefix="fuzz-image-") as work:
        seeds, corpus = os.path.join(work, "seeds"), os.path.join(work, "corpus")
        os.mkdir(seeds)
        os.mkdir(corpus)
        text = b"a kernel's payload " * 50
        with open("/bin/true", "rb") as file:
            program = file.read()
        for name, seed in (("bzimage", b"b" + bzimage()), ("vmlinux", b"v" + vmlinux()),
                           ("ldcache", b"l" + ldcache()), ("program", b"p" + program),
                           ("gzip", b"z" + gzip.compress(text)),
                           ("xz", b"z" + lzma.compress(text)),
                           ("lzma", b"z" + lzma.compress(text, lzma.FORMAT_ALONE))):
            with open(os.path.join(seeds, name), "wb") as file:
                file.write(seed)
        # The same seed each time, so that a failure comes again; its input is kept.
        sys.exit(subprocess.run([fuzzer, "-runs=" + runs, "-seed=1", "-max_len=65536",
                                 "-timeout=300", "-rss_limit_mb=2048", "-print_final_stats=1",
                                 corpus, seeds]).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
