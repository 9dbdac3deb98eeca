# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Programs with their libraries in an initramfs: built here in many ways, packed by lib/image, unpacked
by a reader of our own, and run in a chroot of what was unpacked.

  image_programs.py IMAGE_PEER CC
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import newc

PEER, CC = sys.argv[1], sys.argv[2:]
ENOENT, EACCES, EISDIR, EINVAL, ENOEXEC = 2, 13, 21, 22, 8
ELF, SCRIPT, BPF = "1", "2", "3"


def enter_root():
    """How a command is run in another root with a /proc of its own (by which ld.so knows $ORIGIN),
    or None where that is not permitted."""
    spaces = ["--mount", "--pid", "--fork"]
    for how in (["unshare", *spaces], ["unshare", "--user", "--map-root-user", *spaces]):
        run = subprocess.run([*how, "--mount-proc", "chroot", "/", "/bin/true"],
                             stderr=subprocess.DEVNULL)
        if run.returncode == 0:
            return how
    return None


def musl_compiler():
    return shutil.which("musl-gcc")


class ProgramTest(unittest.TestCase):
    def setUp(self):
        # /tmp may be mounted noexec; the build directory is not. But the path of an interpreter
        # ends at a space.
        here = os.getcwd()
        self.dir = tempfile.mkdtemp(prefix="image-programs-", dir=None if " " in here else here)
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, *names):
        path = os.path.join(self.dir, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text, mode=0o755):
        path = self.path(name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def compile(self, name, source, *args, cc=None):
        path = self.path(name)
        code = self.write(name + ".c", source, 0o644)
        subprocess.run([*(cc or CC), "-o", path, code, *args], check=True)
        return path

    def library(self, name, function, value, *args, cc=None):
        """A library whose function returns a value, or what another one returns plus it."""
        call = value if isinstance(value, str) else "%d" % value
        names = sorted(set(re.findall(r"(\w+)\(", call)))
        source = "".join("int %s(void);\n" % name for name in names)
        source += "int %s(void) { return %s; }\n" % (function, call)
        return self.compile(name, source, "-shared", "-fPIC",
                            "-Wl,-soname," + os.path.basename(name), *args, cc=cc)

    def main(self, name, function, *args, cc=None):
        return self.compile(name, '#include <stdio.h>\nint %s(void);\n'
                            'int main(void) { printf("says %%d\\n", %s()); return 0; }\n'
                            % (function, function), *args, cc=cc)

    def pack(self, *words):
        """The archive's entries; raises AssertionError with the message if it is refused."""
        out = self.path("out.cpio")
        run = subprocess.run([PEER, out, *words], stdout=subprocess.PIPE, text=True)
        self.words = run.stdout.rstrip("\n").split(" ", 2)
        if run.returncode != 0:
            self.assertFalse(os.path.exists(out), "a partial archive")
            self.error = run.stdout.rstrip("\n")
            raise AssertionError(self.error)
        with open(out, "rb") as file:
            data = file.read()
        os.unlink(out)
        return newc.read(data)

    def refused(self, errno, *words):
        with self.assertRaises(AssertionError):
            self.pack(*words)
        message = self.error.split(" ", 2)
        self.assertEqual(message[:2], ["error", "%d" % errno], self.error)
        self.assertNotIn("\n", message[2])
        return message[2]

    def run_inside(self, entries, *command):
        how = enter_root()
        if not how:
            self.skipTest("a mount namespace is not permitted here")
        root = tempfile.mkdtemp(prefix="root-", dir=self.dir)
        newc.unpack(entries, root)
        proc = os.path.join(root, "proc")
        os.makedirs(proc, exist_ok=True)
        run = subprocess.run([*how, "--mount-proc=" + proc, "chroot", root, *command],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.returncode, run.stdout

    def check_says(self, entries, program, value):
        self.assertEqual(self.run_inside(entries, program), (0, "says %d\n" % value))

    # --- dynamically linked programs ---

    def test_system_programs(self):
        """Whatever this machine has, in the same state: same output inside as outside."""
        for program, *args in (["/bin/ls", "--version"], ["/bin/sh", "-c", "echo hello $0"],
                               ["/usr/bin/env", "--version"], [sys.executable, "--version"]):
            entries = self.pack("program", program)
            self.assertEqual(self.words, ["program", ELF, program])
            outside = subprocess.run([program, *args], stdout=subprocess.PIPE, text=True)
            self.assertEqual(self.run_inside(entries, program, *args), (0, outside.stdout))

    def test_static(self):
        program = self.compile("static", "int main(void) { return 42; }\n", "-static")
        entries = self.pack("program", program)
        files = [e for e in entries.values() if not stat.S_ISDIR(e.mode)]
        self.assertEqual(len(files), 1, entries.keys())
        self.assertEqual(self.run_inside(entries, program), (42, ""))
        program = self.compile("static-pie", "int main(void) { return 43; }\n", "-static-pie")
        self.assertEqual(self.run_inside(self.pack("program", program), program), (43, ""))

    def test_runpath_is_not_inherited(self):
        deep = self.library("deep/libdeep.so", "deep", 1)
        mid = self.library("mid/libmid.so", "mid", "deep() + 10", deep)
        program = self.main("prog", "mid", mid, "-Wl,--allow-shlib-undefined",
                            "-Wl,--enable-new-dtags,-rpath,$ORIGIN/mid:$ORIGIN/deep")
        message = self.refused(ENOENT, "program", program)
        self.assertIn("libmid.so: needs the library libdeep.so", message)
        self.assertIn("install it", message)
        # ld.so agrees
        self.assertNotEqual(subprocess.run([program], stderr=subprocess.DEVNULL).returncode, 0)

    def test_rpath_is_inherited(self):
        deep = self.library("deep/libdeep.so", "deep", 1)
        mid = self.library("mid/libmid.so", "mid", "deep() + 10", deep)
        program = self.main("bin/prog", "mid", mid, "-Wl,--allow-shlib-undefined",
                            "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../mid:${ORIGIN}/../deep")
        self.check_says(self.pack("program", program), program, 11)

    def test_runpath_of_each(self):
        deep = self.library("lib/deep/libdeep.so", "deep", 2)
        mid = self.library("lib/libmid.so", "mid", "deep() + 10", deep,
                           "-Wl,--enable-new-dtags,-rpath,$ORIGIN/deep")
        program = self.main("bin/prog", "mid", mid, "-Wl,--allow-shlib-undefined",
                            "-Wl,--enable-new-dtags,-rpath,/nowhere:$ORIGIN/../lib/")
        self.check_says(self.pack("program", program), program, 12)

    def test_runpath_voids_rpath_of_loaders(self):
        """A library with a RUNPATH does not look in the program's RPATH."""
        deep = self.library("deep/libdeep.so", "deep", 2)
        mid = self.library("mid/libmid.so", "mid", "deep() + 10", deep,
                           "-Wl,--enable-new-dtags,-rpath,/nowhere")
        program = self.main("prog", "mid", mid, "-Wl,--allow-shlib-undefined",
                            "-Wl,--disable-new-dtags,-rpath,$ORIGIN/mid:$ORIGIN/deep")
        self.assertIn("libdeep.so", self.refused(ENOENT, "program", program))
        self.assertNotEqual(subprocess.run([program], stderr=subprocess.DEVNULL).returncode, 0)

    def test_symlinked_library(self):
        real = self.library("store/libmid.so.1.2.3", "mid", 5, "-Wl,-soname,libmid.so.1")
        os.makedirs(self.path("lib", "x"))
        os.symlink("../store/libmid.so.1.2.3", self.path("lib/libmid.so.1"))
        program = self.main("prog", "mid", real, "-Wl,-rpath,$ORIGIN/lib")
        entries = self.pack("program", program)
        link = entries[self.path("lib/libmid.so.1").lstrip("/")]
        self.assertTrue(stat.S_ISLNK(link.mode))
        self.check_says(entries, program, 5)

    def test_symlinked_directories(self):
        self.library("store/lib/libmid.so", "mid", 6)
        os.symlink("store/lib", self.path("lib"))
        os.makedirs(self.path("real", "bin", "x"))
        os.symlink("real/bin", self.path("bin"))
        self.main("real/bin/prog", "mid", self.path("store/lib/libmid.so"),
                  "-Wl,-rpath,$ORIGIN/../../lib")
        program = self.path("bin/prog")
        entries = self.pack("program", program)
        self.assertEqual(self.words, ["program", ELF, program])
        # $ORIGIN is the physical directory: /proc/self/exe has no symlinks.
        self.check_says(entries, program, 6)

    def test_directory_in_place_of_a_symlink(self):
        """The archive has /lib and /lib64 as directories where this machine may have symlinks."""
        program = self.main("prog", "mid", self.library("libmid.so", "mid", 7),
                            "-Wl,-rpath,$ORIGIN")
        entries = self.pack("dir", "/lib/x86_64-linux-gnu", "dir", "/lib64", "program", program)
        self.assertTrue(stat.S_ISDIR(entries["lib64"].mode))
        self.check_says(entries, program, 7)

    def test_diamond_and_soname(self):
        """One library by two names is loaded once, by its soname."""
        base = self.library("libbase.so.1", "base", 1)
        left = self.library("libleft.so", "left", "base() + 1", base)
        right = self.library("libright.so", "right", "left() + base()", base, left)
        program = self.main("prog", "right", right, left, base, "-Wl,-rpath,$ORIGIN",
                            "-Wl,--disable-new-dtags")
        entries = self.pack("program", program, "program", program)
        self.check_says(entries, program, 3)

    def test_absolute_needed(self):
        library = self.compile("libabs.so", "int mid(void) { return 8; }\n", "-shared", "-fPIC")
        program = self.main("prog", "mid", library)
        self.check_says(self.pack("program", program), program, 8)

    def test_hwcaps_variants_come_along(self):
        plain = self.library("lib/libmid.so", "mid", 9, "-Wl,-soname,libmid.so")
        for level in ("x86-64-v2", "x86-64-v3"):
            self.library("lib/glibc-hwcaps/%s/libmid.so" % level, "mid", 9)
        program = self.main("prog", "mid", plain, "-Wl,-rpath,$ORIGIN/lib")
        entries = self.pack("program", program)
        for level in ("x86-64-v2", "x86-64-v3"):
            self.assertIn(self.path("lib/glibc-hwcaps/%s/libmid.so" % level).lstrip("/"), entries)
        self.check_says(entries, program, 9)

    def test_wrong_libraries_are_passed_over(self):
        """As ld.so does: a file of that name that is no library for this machine."""
        good = self.library("good/libmid.so", "mid", 4)
        self.write("text/libmid.so", "INPUT(libmid.so)\n")
        with open(good, "rb") as file:
            arm = bytearray(file.read())
        arm[18:20] = (183).to_bytes(2, "little")
        with open(self.path("arm/libmid.so"), "wb") as file:
            file.write(arm)
        os.makedirs(self.path("dir/libmid.so"))
        program = self.main("prog", "mid", good, "-Wl,-rpath,%s" % ":".join(
            "$ORIGIN/" + d for d in ("arm", "dir", "good")))
        self.check_says(self.pack("program", program), program, 4)

    def test_threads_that_end_early(self):
        """glibc loads libgcc_s for pthread_exit() without a DT_NEEDED."""
        program = self.compile("prog", "#include <pthread.h>\n#include <stdio.h>\n"
                               "static void *run(void *p) { pthread_exit(p); }\n"
                               "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0);\n"
                               "return pthread_join(t, 0) || puts(\"joined\") < 0; }\n",
                               "-pthread")
        self.assertEqual(self.run_inside(self.pack("program", program), program),
                         (0, "joined\n"))

    def test_musl(self):
        cc = musl_compiler()
        if not cc:
            self.skipTest("no musl-gcc (Debian: musl-tools)")
        mid = self.library("lib/libmid.so", "mid", 3, cc=[cc])
        program = self.main("prog", "mid", mid, "-Wl,-rpath,$ORIGIN/lib", cc=[cc])
        entries = self.pack("program", program)
        self.assertFalse([n for n in entries if "ld.so.cache" in n or "libc.so.6" in n])
        self.check_says(entries, program, 3)

    def test_relative_path(self):
        program = self.main("prog", "mid", self.library("libmid.so", "mid", 1),
                            "-Wl,-rpath,$ORIGIN")
        for spelling in (os.path.relpath(program),
                         "./" + os.path.relpath(program),
                         os.path.join(self.dir, "..", os.path.basename(self.dir), "prog")):
            entries = self.pack("program", spelling)
            self.assertEqual(self.words[2], program)
        self.check_says(entries, program, 1)

    # --- scripts ---

    def test_script(self):
        script = self.write("run.sh", "#!/bin/sh -u\necho from a script\n")
        entries = self.pack("program", script)
        self.assertEqual(self.words, ["program", SCRIPT, script])
        self.assertEqual(self.run_inside(entries, script), (0, "from a script\n"))

    def test_script_through_env(self):
        for line in ("#!/usr/bin/env sh", "#! /usr/bin/env -S sh -u", "#!/usr/bin/env -S A=b sh"):
            script = self.write("run", line + "\necho by env\n")
            entries = self.pack("program", script)
            self.assertEqual(self.run_inside(entries, script), (0, "by env\n"))

    def test_script_of_scripts(self):
        first = self.write("first", "#!/bin/sh\necho first $#\n")
        second = self.write("second", "#!%s with args\n" % first)
        if len(first) > 200:
            self.skipTest("the build directory's path is too long for a first line")
        entries = self.pack("program", second)
        self.assertEqual(self.run_inside(entries, second), (0, "first 2\n"))
        loop = self.path("loop")
        self.write("loop", "#!%s\n" % loop)
        self.assertIn("interpreters", self.refused(40, "program", loop))

    def test_bad_scripts(self):
        script = self.write("run", "#!/nowhere/interpreter -x\n")
        message = self.refused(ENOENT, "program", script)
        self.assertIn("%s: its interpreter /nowhere/interpreter is not installed" % script, message)
        script = self.write("run", "#!/usr/bin/env no-such-program-anywhere\n")
        self.assertIn("no-such-program-anywhere", self.refused(ENOENT, "program", script))
        script = self.write("run", "#!/usr/bin/env\n")
        self.assertIn("names no program", self.refused(ENOEXEC, "program", script))
        script = self.write("run", "#!sh\n")
        self.assertIn("absolute path", self.refused(ENOEXEC, "program", script))
        script = self.write("run", "#!/bin/sh\n", 0o644)
        self.assertIn("chmod +x", self.refused(EACCES, "program", script))

    # --- BPF objects ---

    def elf(self, name, machine, etype, bits=2):
        """Nothing but an ELF header."""
        head = bytearray(64)
        head[:7] = b"\x7fELF" + bytes([bits, 1, 1])
        head[16:18] = etype.to_bytes(2, "little")
        head[18:20] = machine.to_bytes(2, "little")
        head[20] = 1
        head[52] = 64
        with open(self.path(name), "wb") as file:
            file.write(head)
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def test_bpf_object(self):
        bpf = self.elf("sched.bpf.o", 247, 1)
        os.chmod(bpf, 0o644)  # need not be executable
        entries = self.pack("program", bpf)
        self.assertEqual(self.words, ["program", BPF, bpf])
        self.assertEqual(len(entries[bpf.lstrip("/")].data), 64)
        self.assertIn("relocatable", self.refused(ENOEXEC, "program", self.elf("x", 247, 2)))

    # --- what is refused ---

    def test_other_architectures(self):
        for machine, name in ((183, "aarch64"), (3, "32-bit x86"), (243, "riscv")):
            program = self.elf("prog", machine, 2)
            message = self.refused(ENOEXEC, "program", program)
            self.assertIn("program %s: is for %s; build it for x86_64" % (program, name), message)
        self.assertIn("x32", self.refused(ENOEXEC, "program", self.elf("prog", 62, 2, bits=1)))
        self.assertIn("object file", self.refused(ENOEXEC, "program", self.elf("prog", 62, 1)))

    def test_no_programs(self):
        self.assertIn("is a directory", self.refused(EISDIR, "program", self.dir))
        self.assertIn("no such file", self.refused(ENOENT, "program", self.path("none")))
        text = self.write("text", "just a text\n")
        self.assertIn("neither an ELF program", self.refused(ENOEXEC, "program", text))
        self.assertIn("is empty", self.refused(ENOEXEC, "program", self.write("empty", "")))
        os.mkfifo(self.path("fifo"))
        self.assertIn("FIFO", self.refused(EINVAL, "program", self.path("fifo")))
        program = self.main("prog", "mid", self.library("libmid.so", "mid", 1))
        message = self.refused(ENOENT, "program", program)
        self.assertIn("%s: needs the library libmid.so" % program, message)
        os.chmod(program, 0o644)
        self.assertIn("chmod +x", self.refused(EACCES, "program", program))
        library = self.library("libmid2.so", "mid", "getpid()")
        self.assertIn("shared library", self.refused(ENOEXEC, "program", library))

    def test_missing_interpreter(self):
        program = self.compile("prog", "int main(void) { return 0; }\n",
                               "-Wl,--dynamic-linker,/nowhere/ld.so")
        message = self.refused(ENOENT, "program", program)
        self.assertIn("%s: needs the interpreter /nowhere/ld.so" % program, message)

    def test_truncated_program(self):
        """Cut anywhere, a dynamic program is refused or, where only its end is gone, taken."""
        program = self.main("prog", "mid", self.library("libmid.so", "mid", 1), "-Wl,-rpath,$ORIGIN")
        with open(program, "rb") as file:
            data = file.read()
        for cut in list(range(0, 1200, 37)) + list(range(1200, len(data), 1009)):
            with open(program, "wb") as file:
                file.write(data[:cut])
            try:
                self.pack("program", program)
            except AssertionError as error:
                self.assertIn(program, str(error))

    # --- the archive as others read it ---

    def test_other_readers(self):
        out = self.path("all.cpio")
        subprocess.run([PEER, out, "program", "/bin/sh", "text", "/a/b", "text", "link", "/l", "a/b",
                        "dir", "/empty"], check=True, stdout=subprocess.DEVNULL)
        with open(out, "rb") as file:
            ours = list(newc.read(file.read()))
        readers = {"cpio": ["cpio", "-it", "--quiet"], "bsdtar": ["bsdtar", "-tf", "-"]}
        found = [r for r in readers if shutil.which(r)]
        if not found:
            self.skipTest("neither cpio nor bsdtar is installed")
        for reader in found:
            with open(out, "rb") as file:
                run = subprocess.run(readers[reader], stdin=file, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, check=True)
            self.assertEqual(run.stdout.split(), ours, reader)
            self.assertEqual(run.stderr, "", reader)


if __name__ == "__main__":
    if subprocess.run([*CC, "--version"], stdout=subprocess.DEVNULL).returncode != 0:
        print("SKIP: no C compiler")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
