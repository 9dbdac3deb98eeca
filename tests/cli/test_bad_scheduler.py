#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What can't be tried though the kernel is fine: the other files, the disk. Boots nothing."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import kit


class Refused(kit.Isolated):
    @classmethod
    def setUpClass(cls):
        """One cache for all: unpacking the kernel each time would be most of the work."""
        cls.cache = tempfile.TemporaryDirectory(prefix="attachverdict-cli-cache-")
        cls.addClassCleanup(cls.cache.cleanup)

    def setUp(self):
        super().setUp()
        self.kernel = kit.kernel()
        self.env["XDG_CACHE_HOME"] = self.cache.name

    def refuse(self, args, *words, env=None):
        before = self.files()
        done = self.run_isolated("--kernel", self.kernel, "--record", self.folder / "out" / "r",
                                 *args, env=env or self.env)
        self.assert_one_line_error(done, kit.NOT_TRIED, *words)
        self.assert_nothing_left(*before)
        # Nothing but whole kernels, by their content's key, and what KVM was found to do.
        cached = [path.name for path in pathlib.Path(self.cache.name).rglob("*")
                  if path.is_file()]
        self.assertEqual([name for name in cached if not re.fullmatch("[0-9a-f]{64}|kvm-answer", name)], [])


class Programs(Refused):
    """A scheduler and a payload are looked at alike."""

    def refuse_program(self, path, *words):
        self.refuse(["--scheduler", path], str(path), *words)
        good = self.script("good")
        self.refuse(["--scheduler", good, "--payload", f"'{path}' x"], str(path), *words)

    def test_missing(self):
        self.refuse_program(self.folder / "none", "no such file")

    def test_directory(self):
        self.refuse_program(self.folder / "work", "directory")

    def test_not_executable(self):
        self.refuse_program(self.script("plain", mode=0o644), "not executable", "chmod +x")

    def test_neither_elf_nor_script(self):
        self.refuse_program(self.script("text", text="hello\n"))

    def test_script_without_its_interpreter(self):
        self.refuse_program(self.script("script", text="#!/nonexistent/sh\n"),
                            "/nonexistent/sh")

    def test_other_architecture(self):
        with open(kit.EXE, "rb") as program:
            image = bytearray(program.read())
        image[18:20] = (183).to_bytes(2, "little")  # e_machine: EM_AARCH64
        path = self.folder / "arm64"
        path.write_bytes(image)
        path.chmod(0o755)
        self.refuse_program(path, "aarch64", "x86_64")

    def test_missing_library(self):
        cc = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not cc:
            self.skipTest("no C compiler")
        for name, source, options in (
                ("libavdabsent.so", "int f(void) { return 0; }", ["-shared", "-fPIC"]),
                ("needy", "int f(void); int main(void) { return f(); }",
                 ["-L", self.folder, "-lavdabsent"])):
            subprocess.run([cc, "-xc", "-", "-xnone", "-o", self.folder / name, *options],
                           input=source, encoding="ascii", check=True)
        (self.folder / "libavdabsent.so").unlink()
        self.refuse_program(self.folder / "needy", "libavdabsent.so")

    def test_name_that_is_nowhere(self):
        self.refuse(["--scheduler", "avd-no-such-program"], "avd-no-such-program")


class Files(Refused):
    def setUp(self):
        super().setUp()
        self.good = ["--scheduler", self.script("good")]

    def test_include(self):
        self.refuse([*self.good, "--include", "/nonexistent/x"], "/nonexistent/x")

    def test_keep(self):
        self.refuse([*self.good, "--keep", "/nonexistent/x"], "/nonexistent/x")
        self.refuse([*self.good, "--keep", self.good[1]], "irectory")

    def test_truncated_kernel(self):
        path = self.folder / "cut"
        with open(self.kernel, "rb") as whole:
            data = whole.read()
        for size in (600, len(data) // 4, len(data) * 3 // 4):
            path.write_bytes(data[:size])
            self.refuse([*self.good, "--kernel", path], str(path))

    def test_cache_is_a_file(self):
        path = self.folder / "file"
        path.touch()
        self.refuse([*self.good, "--cache-dir", path / "x"], str(path))

    def test_no_home(self):
        env = {name: value for name, value in self.env.items()
               if name not in ("HOME", "XDG_CACHE_HOME")}
        self.refuse(self.good, "HOME", "XDG_CACHE_HOME", env=env)

    def test_no_room_for_the_cache(self):
        small = self.folder / "small"
        small.mkdir()
        script = 'mount -t tmpfs -o size=1m none "$1" && shift && "$@"'
        command = ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c"]
        if subprocess.run([*command, script, "sh", small, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        before = self.files()
        done = subprocess.run(
            [*command, script + '; status=$?; find "$CACHE" -type f ! -name kvm-answer; exit '
             '$status', "sh", small, kit.EXE, "run", "--kernel", self.kernel, *self.good, "--cache-dir", small],
            env=dict(self.env, CACHE=str(small)), check=False, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", timeout=kit.TIMEOUT)
        self.assert_one_line_error(done, kit.NOT_TRIED, str(small), "--cache-dir")
        self.assert_nothing_left(*before)


if __name__ == "__main__":
    os.umask(0o022)
    kit.main()
