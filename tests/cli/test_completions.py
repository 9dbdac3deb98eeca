#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What bash, fish and zsh offer is what the program takes: each shell is asked, and so is it."""
import json
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import time
import unittest

import kit

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = kit.SOURCE / "completions"
# What to offer for a value, by its name in --help; words of a fixed list the program tells itself.
FILES = {"PROGRAM", "PATH", "FILE", "IMAGE", "IMAGE|7.3", "'CMD ARG...'", "HOST[:GUEST]"}
DIRECTORIES = {"DIR"}
TOPOLOGIES = {"SHAPE"}
NOTHING = {"SIZE", "DURATION", "N", "STRING", "MATCH", "MATCH:WHAT", "NAME=VALUE", "M/N", "A-B",
           "[FIGURE=]N%", "TEXT"}
PARTLY = {"A-B|none": {"none"}}
# The same for arguments: (words before it, kind, words besides).
ARGUMENTS = [("sweep", "files", ""), ("show", "directories", ""), ("merge", "directories", ""),
             ("mark", "directories", ""), ("compare", "directories", ""), ("replay", "files", ""),
             ("verifier", "files", "diff"), ("verifier diff", "files", ""),
             ("kernel", "", "list describe"), ("kernel describe", "files", ""),
             ("doctor", "", ""), ("version", "", ""), ("run -s x --", "files", ""),
             ("run -s x -- --format", "files", "")]


class Bash:
    name = "bash"
    setup = ["PS1=READY; bind 'set enable-bracketed-paste off'",
             f". {shlex.quote(str(FOLDER / 'attachverdict'))}"]
    argv = ["bash", "--norc", "--noprofile", "-i"]

    # Outside of readline there is no compopt; what it would be asked for is noted in its place.
    script = '''
        . "$1"
        compopt() { asked=$2; }
        while IFS= read -r line; do
            COMPREPLY=() asked=
            read -ra COMP_WORDS <<<"${line//=/ = }"
            [[ $line != *' ' ]] || COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _attachverdict
            if [ "${#COMPREPLY[@]}" = 0 ] && [ "$asked" = default ]; then
                COMPREPLY=($(compgen -f -- "${COMP_WORDS[-1]}"))
            elif [ "${#COMPREPLY[@]}" = 0 ] && [ "$asked" = dirnames ]; then
                COMPREPLY=($(compgen -d -- "${COMP_WORDS[-1]}"))
            fi
            printf '%s\\n' "${COMPREPLY[@]}" /end
        done
    '''

    def ask(self, lines):
        return ["bash", "--norc", "-c", self.script, "bash", FOLDER / "attachverdict"], \
            "\n".join(lines) + "\n"


class Fish:
    name = "fish"
    setup = ["function fish_prompt; echo -n READY; end; set fish_greeting",
             f"source {shlex.quote(str(FOLDER / 'attachverdict.fish'))}"]
    argv = ["fish", "--no-config", "-i"]
    script = '''
        source $argv[1]
        while read -l line
            complete -C $line | string replace -r '\\t.*' ''
            echo /end
        end
    '''

    def ask(self, lines):
        return ["fish", "--no-config", "-c", self.script, FOLDER / "attachverdict.fish"], \
            "\n".join(lines) + "\n"


class Zsh:
    name = "zsh"
    setup = ["PS1=READY; unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit",
             f"fpath=({shlex.quote(str(FOLDER))} $fpath); compinit -u -D"]
    argv = ["zsh", "-f", "-i"]

    def ask(self, lines):
        return ["zsh", "-f", HERE / "complete.zsh", FOLDER, *lines], ""


class Completion(kit.Case):
    shell = None
    said = {} # by the program, once for all shells

    @classmethod
    def setUpClass(cls):
        if not cls.shell:
            raise unittest.SkipTest("what the shells have in common")
        if not shutil.which(cls.shell.name):
            raise unittest.SkipTest(f"{cls.shell.name} is not installed")

    def setUp(self):
        super().setUp()
        # Under its own name, and in a folder that has a bit of everything.
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "attachverdict").symlink_to(kit.EXE)
        self.here = self.folder / "here"
        (self.here / "directory").mkdir(parents=True)
        (self.here / "file").touch()
        cache = self.folder / "cache" / "attachverdict" / "kernels" / "9.9-none"
        cache.mkdir(parents=True)
        self.env = kit.clean_environment(
            PATH=f"{self.folder / 'bin'}:{os.environ['PATH']}", HOME=str(self.folder),
            XDG_CACHE_HOME=str(self.folder / "cache"), XDG_CONFIG_HOME=str(self.folder / "config"),
            XDG_DATA_HOME=str(self.folder / "data"), LC_ALL="C.UTF-8")

    def offers(self, lines):
        """What the shell offers at the end of each line."""
        argv, stdin = self.shell.ask(lines)
        done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, env=self.env, check=True,
                              cwd=self.here, encoding="utf-8", timeout=kit.TIMEOUT)
        found = re.split(r"^/end\n", done.stdout, flags=re.MULTILINE)
        self.assertEqual(found.pop(), "", done.stdout)
        self.assertEqual(len(found), len(lines), done.stdout)
        # zsh shows a path in pieces and without the slash; what is quoted is tested below.
        return [{re.sub(r"(?<=.)/$", "", word) for word in text.splitlines() if word}
                for text in found]

    def check(self, wanted):
        """`wanted`: a line and what is to be offered at its end, for each."""
        self.assertTrue(wanted)
        for (line, want), got in zip(wanted, self.offers([line for line, _ in wanted])):
            with self.subTest(line=line):
                self.assertEqual(got, want)

    # What the program says of itself.

    def told(self, *args):
        if args not in self.said:
            self.said[args] = self.attachverdict(*args)
        return self.said[args]

    def commands(self):
        return re.findall(r"^  ([a-z]+) ", self.told("--help").stdout, re.MULTILINE)

    def options(self, command):
        body = self.told(command, "--help").stdout.split("\n\n", 1)[1]
        return sorted(set(re.findall(r"--[a-z][a-z-]*", body)))

    def value_of(self, command, option):
        """The name of the option's value, None for one that takes none."""
        named = re.search(rf"{option} needs a value: (.*); try ", self.told(command, option).stderr)
        return named[1] if named else None

    def words_of(self, command, option):
        """What the program would take in place of a value that it knows not."""
        told = self.told(command, option, "no such value").stderr
        listed = re.search(r"no such value[\"'] is (?:not|none of:?) (.*?)(?:; try .*)?$", told,
                           re.MULTILINE)
        words = re.split(r", | or ", listed[1]) if listed else []
        return set(words) if len(words) > 1 and all(map(str.isalnum, words)) else set()

    def presets(self):
        lines = self.told("run", "--topology", "help").stdout.splitlines()
        names = {line.split()[0] for line in lines[lines.index("") + 2:]}
        self.assertGreaterEqual(len(names), 24)
        return names

    def value_offers(self, command, option, name):
        words = self.words_of(command, option)
        if words:
            return words
        if name in TOPOLOGIES:
            return self.presets() | {"help"}
        if name in FILES:
            return {"file", "directory"}
        if name in DIRECTORIES:
            return {"directory"}
        if name in PARTLY:
            return PARTLY[name]
        self.assertIn(name, NOTHING, f"{command} {option}: say in this test what to offer for it")
        return set()

    # The tests.

    def test_commands(self):
        names = set(self.commands())
        self.check([("attachverdict ", names | {"help"}), ("attachverdict re", {"replay"}),
                    ("attachverdict --", {"--help", "--version"}),
                    ("attachverdict help ", names)])

    def test_options(self):
        self.check([(f"attachverdict {command} --", set(self.options(command)))
                    for command in self.commands()])

    def test_values(self):
        wanted = []
        for command in self.commands():
            for option in self.options(command):
                name = self.value_of(command, option)
                if not name:
                    continue
                offers = self.value_offers(command, option, name)
                short = re.search(rf"^  (-\w), {option} ", self.told(command, "--help").stdout,
                                  re.MULTILINE)
                for spelling in {option, short[1] if short else option}:
                    wanted.append((f"attachverdict {command} {spelling} ", offers))
        self.assertGreater(len(wanted), 50)
        self.check(wanted)

    def test_values_behind_an_equals_sign(self):
        wanted = [("attachverdict run --format=", {"text", "json"}),
                  ("attachverdict run --dispatch=q", {"quick"})]
        got = self.offers([line for line, _ in wanted])
        for (line, want), words in zip(wanted, got):
            self.assertEqual({word.rpartition("=")[2] for word in words}, want, line)

    def test_arguments(self):
        kinds = {"files": {"file", "directory"}, "directories": {"directory"}, "": set()}
        lines = [f"attachverdict {words} " for words, _, _ in ARGUMENTS]
        for (words, kind, more), got in zip(ARGUMENTS, self.offers(lines)):
            with self.subTest(words=words):
                # Where there is nothing else, bash and zsh offer the options.
                self.assertEqual({word for word in got if not word.startswith("-")},
                                 kinds[kind] | set(more.split()))

    def test_codes(self):
        codes = {line.split()[0] for line in self.attachverdict("explain").stdout.splitlines()}
        self.assertGreaterEqual(len(codes), 27)
        self.check([("attachverdict explain ", codes),
                    ("attachverdict explain init-f", {"init-failed"})])

    def test_kernels(self):
        folder = pathlib.Path(os.environ["AVD_TEST_KERNELS"]).parent
        told = self.told("kernel", "list", "--format", "json", "--cache-dir", folder).stdout
        found = json.loads(told or "[]")
        if not found:
            self.skipTest(f"no kernel below {folder}: run tools/fetch-kernel")
        self.env.update(XDG_CACHE_HOME=str(folder.parent))
        (self.here / "7").touch()
        run, sweep = self.offers(["attachverdict run --kernel ", "attachverdict sweep -k 7"])
        self.assertLessEqual({"file", "directory", *(one["path"] for one in found)}, run)
        self.assertEqual(sweep, {"7", *(one["release"] for one in found
                                        if one["release"].startswith("7"))})

    # File names that a shell must quote: what arrives is what the program's arguments are.

    def type(self, lines):
        """Types each line into an interactive shell; the program there notes its arguments."""
        self.note = self.folder / "note"
        program = self.folder / "bin" / "attachverdict"
        program.unlink()
        program.write_text('#!/bin/sh\nprintf "%s\\0" "$#" "$@" >>"$NOTE"\necho NOTED\n',
                           encoding="ascii")
        program.chmod(0o755)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.here)
            os.execvpe(self.shell.argv[0], self.shell.argv,
                       {**self.env, "NOTE": str(self.note), "PS1": "READY", "TERM": "dumb"})
        try:
            for line in [*self.shell.setup, "attachverdict"]:
                os.write(terminal, line.encode() + b"\r")
            # Typed ahead, a tab would be taken by the terminal and not by the shell's editor.
            seen = self.expect(terminal, b"", b"NOTED", b"READY")
            for line in lines:
                os.write(terminal, line.encode() + b"\t\r")
                seen = self.expect(terminal, seen, b"NOTED", b"READY")
            os.write(terminal, b"exit\r")
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)
        words = self.note.read_bytes().decode().split("\0")[:-1]
        found = []
        while words:
            count = int(words.pop(0))
            found.append(words[:count])
            words = words[count:]
        return found[1:]

    def expect(self, terminal, seen, *marks):
        """Reads until all marks came, one after the other; what came behind them."""
        limit = time.monotonic() + kit.TIMEOUT
        for mark in marks:
            while mark not in seen:
                if not select.select([terminal], [], [], max(0, limit - time.monotonic()))[0]:
                    self.fail(f"{self.shell.name} did not say {mark}: {seen}")
                try:
                    seen += os.read(terminal, 65536)
                except OSError:
                    self.fail(f"{self.shell.name} ended: {seen}")
            seen = seen[seen.index(mark) + len(mark):]
        return seen

    def test_odd_names(self):
        odd = ["1 two  words", "2'quote", '3"double', "4$(touch run)`touch run`", "5;&|<>", "6*?[x]",
               "7\\back", "8\nline", "9~#!"]
        (self.here / "plain").mkdir()
        for name in odd:
            (self.here / name).touch()
            (self.here / "plain" / f"d{name}").mkdir()
        lines = [f"attachverdict replay {name[0]}" for name in odd]
        lines += [f"attachverdict show plain/d{name[0]}" for name in odd]
        lines += [f"attachverdict run -s {name[0]}" for name in odd[:3]]
        want = [["replay", name] for name in odd]
        # fish's own list of directories leaves out what stands in two lines.
        missing = "\n" if self.shell.name == "fish" else "\0"
        want += [["show", f"plain/d{name[0] if missing in name else name}"] for name in odd]
        want += [["run", "-s", name] for name in odd[:3]]
        # The slash behind a directory is the shell's to add.
        got = [[word.rstrip("/") for word in words] for words in self.type(lines)]
        self.assertEqual(got, want)
        self.assertFalse((self.here / "run").exists())


class InBash(Completion):
    shell = Bash()


class InFish(Completion):
    shell = Fish()


class InZsh(Completion):
    shell = Zsh()


del Completion

if __name__ == "__main__":
    kit.main()
