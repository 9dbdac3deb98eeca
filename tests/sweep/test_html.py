#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What is in the HTML report, read by Python's parsers: HTML, JSON, gzip.

usage: test_html.py CLI MAKE_RESULTS REPORT_WRITE
"""

import base64
import gzip
import hashlib
import html.parser
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

CLI, MAKE, REPORT_WRITE = sys.argv[1:4]
CELLS, RUN = 12, 10  # the last two have no result
SAMPLES = ("passed", "init-failed", "hostile", "panic", "corrupt")


class Page(html.parser.HTMLParser):
    """The elements of a page; the text of each script and style."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.policy, self.texts, self._inside = [], None, [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))
        attrs = dict(attrs)
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag in ("script", "style"):
            self._inside = [tag, attrs.get("id"), ""]
            self.texts.append(self._inside)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data):
        if self._inside:
            self._inside[2] += data

    def handle_comment(self, data):
        self.tags.append(("<!--", data))

    def text(self, tag, name=None):
        found = [text for kind, ident, text in self.texts if (kind, ident) == (tag, name)]
        assert len(found) == 1, (tag, name, len(found))
        return found[0]

    def json(self, name):
        return json.loads(self.text("script", name))


def unpack(packed):
    return gzip.decompress(base64.b64decode(packed, validate=True))


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="avd-html-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.dir = self.scratch / "results"

    def make(self, *arguments):
        subprocess.run([MAKE, *map(str, arguments)], check=True)

    def make_recorded(self):
        """Cells with the recordings of SAMPLES, in turn."""
        samples = self.scratch / "samples"
        samples.mkdir()
        subprocess.run([REPORT_WRITE, samples], check=True, stdout=subprocess.DEVNULL)
        self.make(self.dir, CELLS, 0, RUN, *(samples / f"{name}.avd" for name in SAMPLES))

    def run_cli(self, *arguments, code=1):
        done = subprocess.run([CLI, *arguments], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (code, b""))
        return done.stdout

    def page(self, *options):
        self.raw = self.run_cli("show", "--format", "html", *options, self.dir)
        return Page(self.raw.decode("utf-8"))

    def results(self):
        return json.loads(self.run_cli("show", "--format", "json", self.dir))

    def recording(self, index):
        return self.dir / self.results()["cells"][index]["recording"]


class Data(Case):
    """The documents say what the other commands say."""

    def check_frame(self, page):
        """The page's own elements and nothing else; text that no browser takes for markup."""
        self.make(self.scratch / "empty", 0)
        empty = Page(self.run_cli("show", "--format", "html", self.scratch / "empty",
                                  code=0).decode("utf-8"))
        self.assertEqual(page.tags, empty.tags)
        for name in ("results", "details", "doubts"):
            text = page.text("script", name)
            for markup in "<>&\u2028\u2029\0\r":
                self.assertNotIn(markup, text)
        for kind, source in (("style", "style-src"), ("script", "script-src")):
            digest = hashlib.sha256(page.text(kind).encode()).digest()
            self.assertIn(f"{source} 'sha256-{base64.b64encode(digest).decode()}';", page.policy)
        self.assertTrue(page.policy.startswith("default-src 'none'; "), page.policy)
        self.assertNotIn("unsafe", page.policy)

    def check_html5lib(self):
        try:
            import html5lib
        except ImportError:
            self.skipTest("python3-html5lib is not installed")
        tree = html5lib.parse(self.raw, transport_encoding="utf-8", namespaceHTMLElements=False)
        scripts = {script.get("id"): script.text for script in tree.iter("script")}
        self.assertEqual(len(list(tree.iter("script"))), 4)
        self.assertEqual(list(tree.iter("img")), [])
        page = Page(self.raw.decode("utf-8"))
        for name in ("results", "details", "doubts"):
            self.assertEqual(scripts[name], page.text("script", name))

    def test_same_as_show_and_replay(self):
        self.make_recorded()
        page = self.page()
        self.check_frame(page)
        results = page.json("results")
        self.assertEqual(results, self.results())
        details = page.json("details")
        self.assertEqual(set(details), {"cells", "left_out", "why"})
        self.assertEqual((details["left_out"], details["why"]), (0, None))
        self.assertEqual(page.json("doubts"),
                         {"contradicted": {}, "unreadable": {}, "unchecked": 0})
        self.assertEqual(set(details["cells"]), {str(index) for index in range(RUN)})
        for index, packed in details["cells"].items():
            cell = results["cells"][int(index)]
            code = 0 if cell["result"] == "passed" else 1
            self.assertEqual(unpack(packed), self.run_cli("replay", "--format", "json",
                                                          self.dir / cell["recording"], code=code))
        self.check_html5lib()

    def test_hostile_texts_stay_texts(self):
        self.make("--hostile", self.dir)
        page = self.page()
        self.check_frame(page)
        results = page.json("results")
        self.assertEqual(results, self.results())
        texts = [cell["kernel"] for cell in results["cells"]]
        self.assertEqual(texts[0], "</script><script>document.title='owned'</script>")
        self.assertEqual(texts[5], "a\\xe2\\x80\\xa8z\\xe2\\x80\\xa9y\\xe2\\x80\\xaa\\xe2\\x80\\xae")
        self.assertEqual(texts[7], "\\x0d\\n\\t\\x08\\x1b[2J\\x7f\\xc2\\x9b\\xef\\xbb\\xbf")
        self.assertEqual(texts[9], "&lt;&#60;&amp;lt; @RESULTS@ @DETAILS@")
        # None of their recordings is there: the messages have the names.
        unreadable = page.json("doubts")["unreadable"]
        self.assertEqual(len(unreadable), len(texts))
        self.assertIn("/cells/x<!--<script>: No such file", unreadable["1"])
        self.check_html5lib()

    def test_same_results_same_page(self):
        self.make_recorded()
        self.page()
        first = self.raw
        self.page()
        self.assertEqual(self.raw, first)

    def test_the_limit_keeps_what_is_not_as_expected(self):
        self.make_recorded()
        met = [cell["met"] for cell in self.results()["cells"]]
        bad = [index for index in range(RUN) if not met[index]]
        good = [index for index in range(RUN) if met[index]]
        whole = self.page().json("details")["cells"].values()
        limit = (sum(map(len, whole)) - 1) >> 10  # one too many
        details = self.page("--details-limit", f"{limit}K").json("details")
        kept = sorted(map(int, details["cells"]))
        self.assertTrue(len(bad) < len(kept) < RUN, kept)
        self.assertEqual(kept, sorted((bad + good)[:len(kept)]))
        self.assertLessEqual(sum(map(len, details["cells"].values())), limit << 10)
        self.assertEqual(details["left_out"], RUN - len(kept))
        self.assertIn("--details-limit", details["why"])

    def test_no_details(self):
        self.make_recorded()
        shutil.rmtree(self.dir / "cells")  # nothing of it is looked at
        page = self.page("--details-limit", "0")
        details = page.json("details")
        self.assertEqual((details["cells"], details["left_out"]), ({}, RUN))
        self.assertIn("not asked for", details["why"])
        self.assertEqual(page.json("doubts"),
                         {"contradicted": {}, "unreadable": {}, "unchecked": RUN})

    def test_each_is_looked_at_beyond_the_limit(self):
        self.make_recorded()
        met = [cell["met"] for cell in self.results()["cells"]]
        last = max(index for index in range(RUN) if met[index])
        path = self.recording(last)
        path.unlink()
        page = self.page("--details-limit", "1K")
        self.assertEqual((page.json("details")["cells"], page.json("details")["left_out"]),
                         ({}, RUN - 1))
        self.assertEqual(list(page.json("doubts")["unreadable"]), [str(last)])
        shutil.copy(self.recording(0 if last else 1), path)
        with open(path, "ab") as file:
            file.write(b"more")
        page = self.page("--details-limit", "1K")
        self.assertEqual(list(page.json("doubts")["contradicted"]), [str(last)])
        self.assertEqual(page.json("details")["left_out"], RUN)


class Unreadable(Case):
    """What is wrong with one recording is told at its cell and harms no other."""

    def setUp(self):
        super().setUp()
        self.make_recorded()

    def check(self, index, words, shown):
        page = self.page()
        details, doubts = page.json("details"), page.json("doubts")
        told = doubts.pop("contradicted" if shown else "unreadable")
        self.assertEqual(list(told), [str(index)])
        self.assertIn(words, told[str(index)])
        self.assertFalse(any(doubts.values()), doubts)
        self.assertEqual(str(index) in details["cells"], shown)
        self.assertEqual(len(details["cells"]), RUN if shown else RUN - 1)

    def test_missing(self):
        self.recording(2).unlink()
        self.check(2, "No such file", shown=False)

    def test_link(self):
        path = self.recording(2)
        path.rename(self.scratch / "elsewhere")
        path.symlink_to(self.scratch / "elsewhere")
        self.check(2, "symbolic link", shown=False)

    def test_pipe(self):
        path = self.recording(2)
        path.unlink()
        os.mkfifo(path)
        self.check(2, "not a regular file", shown=False)

    def test_something_else(self):
        path = self.recording(2)
        path.unlink()
        path.write_text("root:x:0:0:\n")
        self.check(2, "is no recording", shown=False)

    def test_torn(self):
        """Its recording says less now than the index."""
        path = self.recording(0)
        data = path.read_bytes()
        path.unlink()  # not the sample that others are linked to
        path.write_bytes(data[:-20])
        self.check(0, "index", shown=True)

    def test_of_another_cell(self):
        path, other = self.recording(0), self.recording(1)
        path.unlink()
        shutil.copy(other, path)
        self.check(0, "the index says ATTACHED, the recording proves NOT_ATTACHED (init-failed)",
                   shown=True)


class Output(Case):
    def test_is_what_is_printed(self):
        self.make_recorded()
        self.page()
        path = self.scratch / "report.html"
        path.write_text("an older one")
        self.assertEqual(self.run_cli("show", "-f", "html", "-o", path, self.dir), b"")
        self.assertEqual(path.read_bytes(), self.raw)
        self.run_cli("show", "-f", "json", "--output", path, self.dir)
        self.assertEqual(json.loads(path.read_bytes()), self.results())

    def refuse(self, path, words, **more):
        done = subprocess.run([CLI, "show", "-f", "html", "-o", path, self.dir], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.assertEqual((done.returncode, done.stdout), (3, b""))
        message = done.stderr.decode()
        self.assertEqual(message.count("\n"), 1, message)
        self.assertIn(str(path), message)
        self.assertIn(words, message)

    def test_where_it_can_not_be(self):
        self.make_recorded()
        self.refuse(self.scratch / "nowhere" / "report.html", "No such file or directory")
        self.refuse(self.dir, "a directory")
        self.refuse("/dev/full", "not a regular file")
        self.refuse("/proc/report.html", "")
        self.assertFalse((self.scratch / "nowhere").exists())

    def limited(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def check_nothing_is_left(self, path):
        self.assertEqual(path.read_text(), "an older one")
        self.assertEqual(sorted(entry.name for entry in path.parent.iterdir()), [path.name])

    def test_no_room(self):
        self.make_recorded()
        path = self.scratch / "out" / "report.html"
        path.parent.mkdir()
        path.write_text("an older one")
        # Python leaves the signal ignored: the write fails, in the midst of the page.
        self.refuse(path, "File too large", preexec_fn=self.limited, restore_signals=False)
        self.check_nothing_is_left(path)

    def test_killed(self):
        self.make_recorded()
        path = self.scratch / "out" / "report.html"
        path.parent.mkdir()
        path.write_text("an older one")
        done = subprocess.run([CLI, "show", "-f", "html", "-o", path, self.dir], check=False,
                              preexec_fn=self.limited)
        self.assertEqual(done.returncode, -signal.SIGXFSZ)  # in that write, too
        self.check_nothing_is_left(path)

    def test_full_standard_output(self):
        self.make_recorded()
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CLI, "show", "-f", "html", self.dir], check=False, stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
