#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""`replay`: the report and the exit status of each sample recording."""
import json
import os
import pty
import re
import shutil
import subprocess

import kit

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Replay(kit.Case):
    def test_same_report_each_way(self):
        for name, path in self.samples().items():
            with self.subTest(sample=name):
                want = path.with_suffix(".json").read_text(encoding="utf-8")
                code = kit.PASSED if json.loads(want)["result"] == "passed" else kit.FAILED
                done = self.attachverdict("replay", path, "--format", "json")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (code, want, ""))
                with open(path, "rb") as stream:
                    done = self.attachverdict("replay", "-", "-f", "json", stdin=stream)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (code, want, ""))
                text = self.attachverdict("replay", path)
                self.assertEqual((text.returncode, text.stderr), (code, ""))
                self.assertTrue(text.stdout.startswith(json.loads(want)["outcome"]))
                verbose = self.attachverdict("replay", "-v", path)
                self.assertEqual(verbose.returncode, code)

    def test_both_results_occur(self):
        codes = {self.attachverdict("replay", path).returncode
                 for path in self.samples().values()}
        self.assertEqual(codes, {kit.PASSED, kit.FAILED})

    def test_through_a_pipe_in_pieces(self):
        path = self.samples()["passed"]
        with subprocess.Popen([kit.EXE, "replay", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as child:
            for byte in path.read_bytes():
                child.stdin.write(bytes([byte]))
                child.stdin.flush()
            out, _ = child.communicate(timeout=kit.TIMEOUT)
        self.assertEqual(child.returncode, kit.PASSED)
        self.assertTrue(out.startswith(b"ATTACHED: "))

    def test_cut_anywhere_never_passes(self):
        path = self.samples()["passed"]
        data = path.read_bytes()
        cut = self.folder / "cut"
        for size in range(0, len(data), 37):
            cut.write_bytes(data[:size])
            self.assertIn(self.attachverdict("replay", cut).returncode,
                          (kit.FAILED, kit.NOT_TRIED), size)

    def test_a_name_that_looks_like_an_option(self):
        shutil.copy(self.samples()["passed"], self.folder / "-v")
        done = self.attachverdict("replay", "--", "-v", cwd=self.folder)
        self.assertEqual(done.returncode, kit.PASSED)


class NoRecording(kit.Case):
    def refuse(self, path, *words, **how):
        self.assert_one_line_error(self.attachverdict("replay", path, **how), kit.NOT_TRIED,
                                   *words)

    def test_refused(self):
        path = self.folder / "x"
        self.refuse(path, str(path), "No such file")
        self.refuse(self.folder, "directory")
        path.write_bytes(b"")
        self.refuse(path, str(path), "empty")
        path.write_text("just text\n", encoding="ascii")
        self.refuse(path, str(path), "no recording", "run --record")
        self.refuse("/dev/null", "no recording")
        os.mkfifo(self.folder / "fifo")
        self.refuse(self.folder / "fifo", "not a regular file", "`attachverdict replay -`")
        self.refuse("-", "standard input is no recording")
        with open("/dev/zero", "rb") as zero:
            self.refuse("-", "standard input is no recording", stdin=zero)

    def test_hostile_name(self):
        done = self.attachverdict("replay", self.folder / "\033[31mx\n")
        self.assert_one_line_error(done, kit.NOT_TRIED, "\\x1b[31mx\\n")


class Colors(kit.Case):
    def on_terminal(self, path, **env):
        """What the program prints when its output is a terminal."""
        master, slave = pty.openpty()
        try:
            subprocess.run([kit.EXE, "replay", str(path)], stdin=subprocess.DEVNULL,
                           stdout=slave, env=kit.clean_environment(**env), check=False,
                           timeout=kit.TIMEOUT)
            os.close(slave)
            slave = -1
            data = b""
            try:
                while chunk := os.read(master, 65536):
                    data += chunk
            except OSError:  # EIO: all has been read and the other side is closed
                pass
        finally:
            os.close(master)
            if slave >= 0:
                os.close(slave)
        return data.decode("utf-8").replace("\r\n", "\n")

    def test_only_on_a_terminal(self):
        path = self.samples()["panic"]
        plain = self.attachverdict("replay", path).stdout
        self.assertNotIn("\x1b", plain)
        colored = self.on_terminal(path)
        self.assertIn("\x1b[", colored)
        self.assertEqual(ESCAPES.sub("", colored), plain)

    def test_switched_off(self):
        path = self.samples()["panic"]
        plain = self.attachverdict("replay", path).stdout
        self.assertEqual(self.on_terminal(path, NO_COLOR="1"), plain)
        self.assertEqual(self.on_terminal(path, TERM="dumb"), plain)
        self.assertEqual(self.on_terminal(path, TERM=None), plain)
        self.assertIn("\x1b[", self.on_terminal(path, NO_COLOR=""))

    def test_hostile_bytes_stay_harmless(self):
        colored = self.on_terminal(self.samples()["hostile"])
        rest = ESCAPES.sub("", colored)
        self.assertFalse([c for c in rest if (ord(c) < 0x20 and c != "\n") or
                          0x7f <= ord(c) < 0xa0], rest)


class Output(kit.Case):
    def test_full(self):
        path = self.samples()["passed"]
        with open("/dev/full", "w", encoding="ascii") as full:
            done = self.attachverdict("replay", path, stdout=full)
        self.assertEqual(done.returncode, kit.NOT_TRIED)
        self.assertIn("No space left", done.stderr)


if __name__ == "__main__":
    kit.main()
