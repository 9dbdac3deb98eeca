# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The fetched kernels, as lib/image describes and unpacks them, against what others say: readelf,
the distribution's configuration file, and the compression's own program.

  real_kernels.py KERNEL_PEER       the kernels are $AVD_TEST_KERNELS/RELEASE/vmlinuz
"""

import concurrent.futures
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

PEER = sys.argv[1]
KERNELS = sorted(glob.glob(os.path.join(os.environ.get("AVD_TEST_KERNELS", ""), "*", "vmlinuz")))
UNPACKERS = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zX": ["xz", "-dc"],
             b"\x1f\x8b\x08": ["gzip", "-dc"], b"\x02\x21\x4c\x18": ["lz4", "-dc"]}
RACERS = 8


def peer(*args):
    run = subprocess.run([PEER, *args], stdout=subprocess.PIPE, text=True)
    return run.returncode, run.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def payload(image):
    """The compressed kernel in a bzImage (Documentation/arch/x86/boot.rst), and its size unpacked."""
    start = (image[0x1F1] + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
    packed = image[start:start + struct.unpack_from("<I", image, 0x24C)[0]]
    return packed, struct.unpack("<I", packed[-4:])[0]


class KernelTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="real-kernels-", dir=os.getcwd())
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def unpack_elsewhere(self, image):
        packed, size = payload(image)
        for magic, command in UNPACKERS.items():
            if packed.startswith(magic):
                if not shutil.which(command[0]):
                    self.skipTest("no program %s" % command[0])
                # The size behind the payload is no part of it: these complain, after the content.
                run = subprocess.run(command, input=packed, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
                self.assertEqual(len(run.stdout), size)
                return run.stdout
        self.fail("unknown compression %s" % packed[:4].hex())

    def describe(self, path):
        status, out = peer("describe", path)
        self.assertEqual(status, 0, out)
        return dict(line.split("=", 1) for line in out.splitlines())

    def test_described_as_it_is(self):
        for path in KERNELS:
            with self.subTest(kernel=path):
                image = read(path)
                facts = self.describe(path)
                vmlinux = self.path("vmlinux")
                with open(vmlinux, "wb") as file:
                    file.write(self.unpack_elsewhere(image))
                self.assertEqual(facts["format"], "bzimage")
                self.assertEqual(facts["release"], os.path.basename(os.path.dirname(path)))
                self.assertEqual(int(facts["image_bytes"]), len(image))
                self.assertEqual(int(facts["vmlinux_bytes"]), os.path.getsize(vmlinux))
                if shutil.which("readelf"):
                    sections = subprocess.run(["readelf", "-WS", vmlinux], stdout=subprocess.PIPE,
                                              text=True).stdout
                    notes = subprocess.run(["readelf", "-Wn", vmlinux], stdout=subprocess.PIPE,
                                           stderr=subprocess.DEVNULL, text=True).stdout
                    self.assertEqual(facts["btf"], "yes" if " .BTF " in sections else "no")
                    pvh = re.search(r"^\s*Xen\s.*0x0*12\b", notes, re.M)
                    self.assertEqual(facts["pvh"], "yes" if pvh else "no")
                self.check_sched_ext(path, facts)

    def check_sched_ext(self, path, facts):
        """By the configuration beside the image, and by BTF where there is none."""
        config = os.path.join(os.path.dirname(path), "config-" + facts["release"])
        alone = self.path("vmlinuz")
        shutil.copy(path, alone)
        by_btf = self.describe(alone)
        self.assertEqual(by_btf["config_source"], "btf")
        self.assertEqual(by_btf["sched_ext"], facts["sched_ext"])
        if os.path.exists(config):
            self.assertEqual(facts["config_source"], "config")
            self.assertEqual(facts["sched_ext"] == "yes",
                             b"\nCONFIG_SCHED_CLASS_EXT=y\n" in read(config))

    def test_unpacked_right_by_racers(self):
        """Eight processes at once on a cold cache; then a warm one, then a torn one."""
        path = KERNELS[-1]
        want = self.unpack_elsewhere(read(path))
        cache = self.path("cache")
        outs = [self.path("out%d" % i) for i in range(RACERS)]
        with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
            runs = list(pool.map(lambda out: peer("vmlinux", path, cache, out), outs))
        self.assertEqual(runs, [(0, "")] * RACERS)
        for out in outs:
            self.assertEqual(read(out)[:len(want)], want)
            os.unlink(out)
        entry, = os.listdir(os.path.join(cache, "vmlinux"))
        b2sum = shutil.which("b2sum")
        if b2sum:
            digest = subprocess.run([b2sum, "-l", "256", path], stdout=subprocess.PIPE, text=True)
            self.assertEqual(digest.stdout.split()[0], entry)
        entry = os.path.join(cache, "vmlinux", entry)
        inode = os.stat(entry).st_ino
        for tear in (None, lambda: os.truncate(entry, 1 << 20)):
            if tear:
                tear()
            self.assertEqual(peer("vmlinux", path, cache, outs[0]), (0, ""))
            self.assertEqual(read(outs[0])[:len(want)], want)
            self.assertEqual(os.stat(entry).st_ino == inode, tear is None)
        self.assertEqual(len(os.listdir(os.path.dirname(entry))), 1)

    def test_truncated(self):
        image = read(KERNELS[-1])
        # The last 0.01 % may be a signature, which is no part of the kernel.
        for part in (0.9998, 0.9, 0.5, 0.01, 0.0001):
            cut = self.path("vmlinuz")
            with open(cut, "wb") as file:
                file.write(image[:int(len(image) * part)])
            for args in (["describe", cut], ["vmlinux", cut, self.path("cache"), self.path("out")]):
                status, out = peer(*args)
                self.assertEqual(status, 1)
                self.assertRegex(out, "^error 74 kernel %s: is truncated .*copy it again\n$"
                                 % re.escape(cut))
        self.assertFalse(os.path.exists(self.path("cache")))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_damaged(self):
        image = bytearray(read(KERNELS[-1]))
        for at in range(200000, len(image), len(image) // 5):
            image[at] ^= 0x20
            with open(self.path("vmlinuz"), "wb") as file:
                file.write(image)
            status, out = peer("vmlinux", self.path("vmlinuz"), self.path("cache"), self.path("out"))
            self.assertEqual(status, 1)
            self.assertRegex(out, "^error 74 .*damaged; copy it again\n$")
            image[at] ^= 0x20


if __name__ == "__main__":
    if not KERNELS:
        print("SKIP: no kernel in AVD_TEST_KERNELS=%s; run tools/fetch-kernel"
              % os.environ.get("AVD_TEST_KERNELS"))
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
