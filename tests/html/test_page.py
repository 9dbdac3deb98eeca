#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The HTML report in a real browser: shown, filtered, walked through by mouse and by keys.

usage: test_page.py CLI MAKE_RESULTS REPORT_WRITE GOLDEN_DIR SCREENSHOT_DIR
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

import browser
import pages

CLI, MAKE, REPORT_WRITE, GOLDEN, SHOTS = sys.argv[1:6]
HERE = pathlib.Path(__file__).parent
CONTRAST = (HERE / "contrast.js").read_text(encoding="utf-8")
CELL = "[role=gridcell][data-cell]"
# What is drawn for the largest page, with room: a screen of cells has some 600, at 8 nodes each.
MOST_NODES = 8000
PASSED = [index for index, cell in enumerate(pages.small()["cells"]) if cell["met"] and cell["result"] == "passed"]
UNMET = next(index for index, cell in enumerate(pages.small()["cells"]) if cell["ran"] and not cell["met"])
LOST = next(index for index, cell in enumerate(pages.small()["cells"]) if not cell["ran"])


def golden(name):
    return json.loads((pathlib.Path(GOLDEN) / f"report-{name}.json").read_text(encoding="utf-8"))


def setUpModule():
    """One browser and one folder for all."""
    Case.scratch = tempfile.TemporaryDirectory(prefix="avd-html-")
    unittest.addModuleCleanup(Case.scratch.cleanup)
    Case.browser = browser.Browser()
    unittest.addModuleCleanup(Case.browser.close)
    Case.pages = pages.Pages(CLI, MAKE, Case.scratch.name)
    ejected = golden("ejected")
    ejected["evidence"]["programs"] = golden("passed")["evidence"]["programs"]
    Case.small = Case.pages.write("small", pages.small(), pages.details_of(
        [(0, golden("passed")), (3, ejected), (5, golden("verifier-rejected"))], left_out=3,
        why="the limit of 32 MiB"))
    Case.doubted = Case.pages.write("doubted", pages.small(), pages.details_of([(PASSED[0], golden("init-failed"))]), pages.doubts_of(
        {PASSED[0]: "r/cells/0.avd: the index says ATTACHED, the recording proves <b>", PASSED[1]: None}, {UNMET: "offset 17: not a frame"}))
    pathlib.Path(SHOTS).mkdir(parents=True, exist_ok=True)


class Case(unittest.TestCase):
    def setUp(self):
        self.page = self.browser.page()
        self.addCleanup(self.page.close)

    def tearDown(self):
        self.assertEqual(self.page.complaints(), [])

    def open(self, path=None, **fragment):
        self.page.open(path or self.small, urllib.parse.urlencode(fragment, doseq=True))

    def open_cell(self, index, path=None, data=None):
        cells = (data or pages.small())["cells"]
        self.open(path, cell=cells[index]["id"])
        self.wait_report()

    def wait_report(self):
        self.page.until("document.querySelector('#report')?.getAttribute('aria-busy') === 'false'")

    def text(self, selector):
        return self.page.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def number(self, selector):
        return self.page.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def fragment(self):
        return urllib.parse.parse_qs(self.page.run("location.hash.slice(1)"))

    def focused(self):
        return self.page.run("document.activeElement.dataset.cell ?? document.activeElement.id")

    def shown(self):
        return sorted(map(int, self.page.run(f"[...document.querySelectorAll('{CELL}')].map((node) => node.dataset.cell)")))

    def choice(self, facet, number):
        return f"[data-facet={facet}] input[value='{number}']"

    def shot(self, name):
        self.page.screenshot(f"{SHOTS}/{name}.png")


class Shown(Case):
    def test_head(self):
        self.open()
        data = pages.small()
        self.assertEqual(self.text("#headline"), f"{data['unmet_count']} not as expected, {data['not_run_count']} not run of 22 cells")
        self.assertEqual(self.page.run("[...document.querySelectorAll('.legend b')].map((node) => node.textContent)"),
                         [str(data[key]) for key in ("met_count", "unmet_count", "not_run_count")])
        self.assertIn("0123456789abcdef", self.text(".made"))
        self.page.until("document.querySelector('#note p')")
        self.assertIn("3 cells are not in this page: the limit of 32 MiB", self.text("#note"))
        self.assertEqual(self.number("a[href], link, img, iframe, [style*=url]"), 0)
        self.shot("light-grid")

    def test_grid(self):
        """Each cell is where it belongs, and says in words what its colour says."""
        self.open()
        self.assertEqual(self.shown(), list(range(22)))
        for index, cell in enumerate(pages.small()["cells"]):
            node = f"[data-cell='{index}']"
            told = self.page.run(f"document.querySelector(\"{node}\").getAttribute('aria-label')")
            self.assertIn(cell["outcome"], told)
            self.assertIn("not run" if not cell["ran"] else "as expected" if cell["met"] else "not as expected", told)
            self.assertEqual("not as expected" in told, cell["ran"] and not cell["met"])
            row, column = self.page.run(f"""(() => {{ const node = document.querySelector("{node}");
                return [node.closest('[role=row]').querySelector('[role=rowheader]').innerText,
                        document.querySelector(`.kernel[aria-colindex="${{node.getAttribute('aria-colindex')}}"]`).innerText]; }})()""")
            self.assertIn(cell["scheduler"], row)
            self.assertIn(cell["topology"], row)
            self.assertEqual(column, cell["kernel"])
        # Without colours: a shape for each kind.
        shapes = self.page.run("Object.fromEntries([...document.querySelectorAll('.cell[data-cell]')]"
                               ".map((node) => [node.className.split(' ')[1], node.querySelector('path').getAttribute('d')]))")
        self.assertEqual((len(shapes), len(set(shapes.values()))), (6, 6))
        # Not in the plan: there, but nothing to open.
        self.assertEqual(self.number(".cell.none[aria-label='not in the plan']"), 2)

    def test_command(self):
        """The page as the command writes it, with the details of recordings."""
        samples = pathlib.Path(self.scratch.name) / "samples"
        samples.mkdir()
        subprocess.run([REPORT_WRITE, samples], check=True, stdout=subprocess.DEVNULL)
        names = ("passed", "init-failed", "hostile", "panic", "corrupt")
        self.open(self.pages.real("command", 12, 0, 10, *(samples / f"{name}.avd" for name in names)))
        self.assertEqual(self.shown(), list(range(12)))
        self.page.click(CELL)
        for name in names:
            self.wait_report()
            report = golden(name)
            self.assertIn(report["evidence"]["end"]["cause"] if report["evidence"]["end"] else "cut off", self.text("#report"))
            self.page.key("n")

    def test_reports(self):
        """Every kind of report is shown, and the keys go from one to the next."""
        path = self.pages.write("golden", pages.grid_of(2, 6, lambda number: "died"), pages.details_of(
            list(enumerate(map(golden, ("passed", "ejected", "panic", "corrupt", "truncated", "watchdog", "hostile",
                                        "exec-failed", "init-failed", "payload-failed", "verifier-rejected"))))))
        self.page.open(path)
        self.page.click(CELL)
        for _ in range(11):
            self.wait_report()
            self.assertNotIn("can't be shown", self.text("#report"))
            self.assertGreater(self.number("#report section"), 4)
            self.page.key("n")
        self.wait_report()
        self.assertIn("12 of 12", self.text(".place"))


class Doubts(Case):
    """What a recording does not prove is not shown as what the results claim."""

    def look(self, index):
        """Sign, words and name of a cell in the grid."""
        return self.page.run(f"""(() => {{ const node = document.querySelector("[data-cell='{index}']");
            return [node.className, node.innerText, node.getAttribute('aria-label'), node.querySelector('path').getAttribute('d')]; }})()""")

    def test_grid(self):
        self.open(self.doubted)
        cells = pages.small()["cells"]
        claim = f"{cells[UNMET]['outcome']}{'/' + cells[UNMET]['result_code'] if cells[UNMET]['result_code'] else ''}"
        for index, kind, told, came in ((PASSED[0], "contradicted", "its recording contradicts these results", "passed"),
                                        (PASSED[1], "contradicted", "its recording contradicts these results", "passed"),
                                        (UNMET, "unreadable", "its recording can\u2019t be read", claim if cells[UNMET]["result"] != "passed" else "passed")):
            with self.subTest(index=index):
                name, words, label, _ = self.look(index)
                self.assertEqual(name, f"cell k-{kind} doubted")
                self.assertEqual(words.split("\n"), [kind, f"results: {came}"])
                self.assertEqual(label, f"{told}, the results say {came}, not proved")
        shapes = {self.look(index)[0].split()[1]: self.look(index)[3] for index in self.shown()}
        self.assertEqual((len(shapes), len(set(shapes.values()))), (8, 8))  # no need of colours
        self.assertEqual(self.look(PASSED[2])[0], "cell k-passed met")
        self.page.until("document.querySelector('#note p')")
        self.assertIn(f"of 2 cells don\u2019t fit these results: {cells[PASSED[0]]['id']}, {cells[PASSED[1]]['id']}. Run", self.text("#note"))
        self.assertIn(f"of 1 cell can\u2019t be read: {cells[UNMET]['id']}.", self.text("#note"))
        self.shot("doubts-grid")
        self.page.key("v")
        self.assertEqual(self.look(PASSED[0])[1], "")
        self.assertEqual(self.look(PASSED[0])[3], shapes["k-contradicted"])
        self.shot("doubts-compact")

    def test_counts(self):
        self.open(self.doubted)
        data = pages.small()
        self.assertEqual(self.text("#headline"), f"{data['unmet_count'] - 1} not as expected, 3 not proved, {data['not_run_count']} not run of 22 cells")
        self.assertEqual(self.page.run("[...document.querySelectorAll('.legend b')].map((node) => Number(node.textContent))"),
                         [data["met_count"] - 2, data["unmet_count"] - 1, 3, data["not_run_count"]])
        self.page.click(".legend [data-state=doubted]")
        self.assertEqual(self.shown(), sorted([*PASSED[:2], UNMET]))
        self.assertEqual(self.fragment(), {"is": ["doubted"]})
        for wanted, cells in (({"is": "met"}, None), ({"outcome": "contradicted"}, PASSED[:2]), ({"outcome": "unreadable"}, [UNMET]),
                              ({"q": "contradicted"}, PASSED[:2])):
            with self.subTest(wanted=wanted):
                self.open(self.doubted, **wanted)
                if cells is None:
                    self.assertEqual(len(self.shown()), data["met_count"] - 2)
                    self.assertFalse({PASSED[0], PASSED[1], UNMET} & set(self.shown()))
                else:
                    self.assertEqual(self.shown(), cells)

    def test_none_without_doubts(self):
        """Where all is proved nothing speaks of doubts."""
        self.open()
        self.assertEqual(self.number("[data-state=doubted], .doubted, .signs .k-contradicted, .choice .k-unreadable"), 0)
        self.assertNotIn("not proved", self.text("body"))

    def test_panel(self):
        """What the recording says is shown, with the word that it is not what the results say."""
        self.open_cell(PASSED[0], self.doubted)
        self.assertIn("contradicted", self.text(".badge"))
        self.assertEqual(self.text(".state"), "not proved")
        self.assertIn("Not proved: its recording contradicts these results.", self.text(".doubt"))
        self.assertIn("does not fit the results above: r/cells/0.avd: the index says ATTACHED, the recording proves <b>", self.text("#report"))
        self.assertEqual(self.number(".timeline .span"), 1 + len(golden("init-failed")["evidence"]["phases"]))
        self.assertTrue(self.page.run("document.getElementById('hint').hidden"))
        self.shot("doubts-panel")
        self.open_cell(PASSED[1], self.doubted)
        self.assertIn("show --verify tells it", self.text("#report"))
        self.open_cell(UNMET, self.doubted)
        self.assertIn("can't be read: offset 17: not a frame", self.text("#report"))

    def test_print(self):
        self.open(self.doubted)
        self.page.run("dispatchEvent(new Event('beforeprint'))")
        printed = self.page.run("document.getElementById('print').textContent")
        self.assertEqual(printed.count("its recording contradicts these results"), 2)
        self.assertIn("Not as expected, not proved, or not run", printed)

    def test_command(self):
        """Results of the command: three recordings of one passed sample, one of them changed and one gone."""
        samples = pathlib.Path(self.scratch.name) / "doubts-samples"
        samples.mkdir()
        subprocess.run([REPORT_WRITE, samples], check=True, stdout=subprocess.DEVNULL)
        path = self.pages.real("doubts", 3, 0, 3, samples / "passed.avd")
        self.open(path)
        self.assertEqual([self.look(index)[0] for index in range(3)], ["cell k-passed met"] * 3)
        recordings = sorted((path.with_suffix("") / "cells").iterdir())
        recordings[1].unlink()
        recordings[1].write_bytes((samples / "init-failed.avd").read_bytes())
        recordings[2].unlink()
        self.open(self.pages.show("doubts"))
        self.assertEqual([self.look(index)[0] for index in range(3)],
                         ["cell k-passed met", "cell k-contradicted doubted", "cell k-unreadable doubted"])
        self.open(self.pages.real("unproved", 5, 0, 4))  # results without any recording
        self.assertEqual([self.look(index)[0] for index in range(5)],
                         ["cell k-unreadable doubted"] * 4 + ["cell k-notrun notrun"])
        self.open(self.pages.show("doubts", "--details-limit", "0"))
        self.assertEqual(self.number(".doubted"), 0)
        self.page.until("document.querySelector('#note p')")
        self.assertIn("The recordings of 3 cells were not looked at", self.text("#note"))


class Filtered(Case):
    def count(self, **wanted):
        return [index for index, cell in enumerate(pages.small()["cells"]) if all(cell[key] in values for key, values in wanted.items())]

    def test_facets(self):
        """Within a facet either will do, between facets both must."""
        self.open()
        self.page.click(self.choice("kernel", 1))
        self.assertEqual(self.shown(), self.count(kernel=["7.2.13"]))
        self.page.click(self.choice("kernel", 2))
        self.assertEqual(self.shown(), self.count(kernel=["7.2.13", "7.3.4"]))
        self.page.click(self.choice("outcome", 2))
        self.assertEqual(self.shown(), self.count(kernel=["7.2.13", "7.3.4"], outcome=["DIED"]))
        self.page.click(self.choice("scheduler", 0))
        found = self.count(kernel=["7.2.13", "7.3.4"], outcome=["DIED"], scheduler=["fifo"])
        self.assertEqual(self.shown(), found)
        self.assertEqual(self.text("#count"), f"{len(found)} of 22 cells")
        self.assertEqual(self.fragment(), {"kernel": ["7.2.13", "7.3.4"], "outcome": ["DIED"], "scheduler": ["fifo"]})
        # A facet counts what a choice in it would bring.
        counts = self.page.run("[...document.querySelectorAll('[data-facet=scheduler] .count')].map((node) => Number(node.textContent))")
        self.assertEqual(counts, [len(self.count(kernel=["7.2.13", "7.3.4"], outcome=["DIED"], scheduler=[name]))
                                  for name in ("fifo", "lavd", "rusty", "bpfland")])
        self.page.click("#clear")
        self.assertEqual((self.shown(), self.fragment()), (list(range(22)), {}))

    def test_states(self):
        data = pages.small()
        for state, wanted in (("met", lambda cell: cell["met"]), ("unmet", lambda cell: cell["ran"] and not cell["met"]),
                              ("notrun", lambda cell: not cell["ran"])):
            self.open()
            self.page.click(f".legend [data-state={state}]")
            self.assertEqual(self.shown(), [index for index, cell in enumerate(data["cells"]) if wanted(cell)])
            self.assertEqual(self.fragment(), {"is": [state]})

    def test_search(self):
        """In ids, reasons and commands; every word must be there; capitals don't matter."""
        self.open()
        self.page.key("/")
        self.page.type("VERIFIER rusty")
        self.assertEqual(self.shown(), self.count(result_code=["verifier-rejected"], scheduler=["rusty"]))
        self.assertEqual(self.fragment(), {"q": ["VERIFIER rusty"]})
        self.page.type(" nowhere")
        self.assertEqual((self.shown(), self.text("#nothing p")), ([], "No cell matches."))
        self.assertIn("No cell matches", self.text("#live"))
        self.page.click("#nothing button")
        self.assertEqual((self.shown(), self.page.run("document.getElementById('search').value")), (list(range(22)), ""))
        self.page.type("./bpfland --fast")
        self.assertEqual(self.shown(), self.count(scheduler=["bpfland"]))

    def test_link(self):
        """What the fragment says is what is shown; what it can't mean is left out."""
        self.open(q="fast", kernel=["7.3.4", "9.9"], outcome=["DIED", "__proto__"], view="compact", nonsense="1")
        self.assertEqual(self.shown(), self.count(kernel=["7.3.4"], outcome=["DIED"]))
        self.assertEqual(self.number("#grid.compact"), 1)
        self.open(cell="no/such")
        self.assertIn("No cell of this plan is called \u201cno/such\u201d", self.text("#note"))
        self.open(q="%", view="constructor", cell="")
        self.assertEqual(self.shown(), [])
        # Changed while the page is open, as by a link in a mail.
        self.page.run("location.hash = '#is=notrun'")
        self.page.frame()
        self.assertEqual(self.shown(), self.count(ran=[False]))


class Opened(Case):
    def test_reason_first(self):
        self.open_cell(3)
        self.assertEqual(self.page.run("document.querySelector('#cell').open"), True)
        body = self.text("#cell")
        at = [body.index(part) for part in ("ATTACHED, failed", "what the ejected came to", "\nexpected", "Run it again", "Timeline",
                                            "CPUs and dispatch", "Thrown out by the kernel", "Verifier", "Logs", "Machine")]
        self.assertEqual(at, sorted(at))
        self.assertIn("./fifo --fast", body)
        self.assertIn("cells/11.avd", body)
        self.assertEqual(self.number(".timeline .span"), 1 + len(golden("ejected")["evidence"]["phases"]))
        self.shot("cell")

    def test_figures(self):
        """Beyond 2^53 no digit is lost; bars are in proportion."""
        report = golden("passed")
        program = report["evidence"]["programs"][0]
        report["evidence"]["programs"] = [dict(program, order=order, name=name, processed_insns=number, error=error)
                                          for order, (name, number, error) in enumerate((("small", 250, 0), ("large", 1000, 22)))]
        report["evidence"]["channel"]["frames"] = "18446744073709551615"
        path = self.pages.write("figures", pages.grid_of(1, 1), pages.details_of([(0, report)]))
        self.open_cell(0, path, pages.grid_of(1, 1))
        self.assertIn("18,446,744,073,709,551,615", self.text("#report"))
        self.assertIn("refused: errno 22", self.text(".programs"))
        widths = self.page.run("[...document.querySelectorAll('.programs tbody tr')].map((row) => row.cells[3].querySelector('.bar').style.width)")
        self.assertEqual(widths, ["25%", "100%"])
        self.page.click(".programs thead th:nth-child(4) button")
        self.assertEqual(self.page.run("document.querySelector('.programs tbody .name').textContent"), "large")

    def test_without(self):
        """Where the page has no details it says why."""
        for index, why in ((4, "not in this page: the limit of 32 MiB"),
                           (LOST, "has no result")):
            with self.subTest(index=index):
                self.open_cell(index)
                self.assertIn(why, self.text("#report"))
        path = self.pages.write("damaged", pages.small(), {"left_out": 0, "why": None, "cells": {"0": "H4sI", "1": "%%"}})
        for index in (0, 1):
            self.open_cell(index, path)
            self.assertIn("are damaged", self.text("#report"))
        path = self.pages.write("foreign", pages.small(), pages.details_of([(0, {"schema_version": 99}), (1, None), (2, [])]))
        for index in range(3):
            self.open_cell(index, path)
            self.assertIn("can't be shown", self.text("#report"))
        self.page.send("Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.DecompressionStream")
        self.open_cell(0)
        self.assertIn("no DecompressionStream", self.text("#report"))

    def test_logs(self):
        self.open_cell(5)
        tabs = self.page.run("[...document.querySelectorAll('.tabs button')].map((node) => node.textContent)")
        self.assertTrue(any(name.startswith("verifier") for name in tabs), tabs)
        self.page.run("document.querySelector('.log-tools input[type=search]').focus()")
        self.page.type("r1")
        hits = self.number(".log .hit")
        self.assertGreater(hits, 0)
        self.assertEqual(self.page.run("[...document.querySelectorAll('.log mark')].every((node) => node.textContent.toLowerCase() === 'r1')"), True)
        self.page.key("Enter")
        self.assertEqual((self.number(".log .now"), self.text(".log-tools .place")), (1, f"1 of {hits} line{'s' * (hits != 1)}"))
        self.page.click(".log-tools input[type=checkbox]")
        self.assertEqual(self.number(".log.wrap"), 0)

    def test_copy(self):
        self.open_cell(2)
        self.page.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }; 1")
        self.page.click(".command .copy")
        self.page.until("window.copied")
        self.assertEqual(self.page.run("copied"), pages.small()["cells"][2]["command"])
        # Where there is no such interface (a page over plain HTTP).
        self.page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined});"
                      "document.addEventListener('copy', () => { window.selected = getSelection().toString() || document.activeElement.value; }); 1")
        self.page.click(".command .copy")
        self.page.until("window.selected")
        self.assertEqual(self.page.run("selected"), pages.small()["cells"][2]["command"])

    def test_print(self):
        self.open(kernel="7.3.4")
        self.page.send("Page.printToPDF")
        self.assertEqual(self.number("#print > *"), 0)
        self.page.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual((self.number("#print tbody tr"), self.number("#print td svg")), (6, 6))
        self.page.run("dispatchEvent(new Event('afterprint'))")
        self.open_cell(3)
        whole = self.text("#cell")
        self.page.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.text("#cell"), "")
        self.page.run("dispatchEvent(new Event('afterprint'))")
        self.assertEqual(self.text("#cell"), whole)


class Keys(Case):
    def test_walk(self):
        """From the head of the page to a cell and back without a mouse."""
        self.open()
        self.page.key("/")
        self.assertEqual(self.focused(), "search")
        self.page.key("Escape")
        self.assertEqual(self.focused(), "0")
        for key, modifiers, cell in (("ArrowRight", 0, "2"), ("ArrowDown", 0, "3"), ("ArrowLeft", 0, "1"), ("ArrowLeft", 0, "1"),
                                     ("End", 0, "5"), ("Home", 0, "1"), ("End", browser.CTRL, "grid-end"), ("Home", browser.CTRL, "0"),
                                     ("ArrowUp", 0, "0"), ("PageDown", 0, "19"), ("PageUp", 0, "0")):
            self.page.key(key, modifiers)
            if cell == "grid-end":  # a place that is not in the plan has the focus, too
                self.assertEqual(self.page.run("document.activeElement.getAttribute('aria-label')"), "not in the plan")
                self.page.key("Enter")
                self.assertEqual(self.page.run("document.getElementById('cell').open"), False)
            else:
                self.assertEqual(self.focused(), cell, key)
            self.assertEqual(self.number("[role=gridcell][tabindex='0']"), 1)
        self.page.key("ArrowRight")
        self.page.key("Enter")
        self.assertEqual(self.fragment()["cell"], ["7.2.13/fifo/2"])
        self.assertEqual(self.focused(), "cell-title")
        self.page.key("n")
        self.page.key("n")
        self.page.key("p")
        self.assertEqual(self.fragment()["cell"], ["7.3.4/fifo/2"])
        self.page.key("Escape")
        self.assertEqual((self.focused(), self.fragment()), ("4", {}))

    def test_back(self):
        """A cell that was opened is closed by the browser's way back."""
        self.open()
        self.page.click("[data-cell='2']")
        self.assertEqual(self.page.run("document.getElementById('cell').open"), True)
        self.page.send("Input.dispatchMouseEvent", type="mousePressed", x=40, y=400, button="left", clickCount=1)
        self.page.send("Input.dispatchMouseEvent", type="mouseReleased", x=40, y=400, button="left", clickCount=1)
        self.page.until("document.activeElement.dataset.cell === '2'")  # beside the panel
        self.page.key("Enter")
        self.assertEqual(self.page.run("document.getElementById('cell').open"), True)
        self.page.run("history.back()")
        self.page.until("document.activeElement.dataset.cell === '2'")
        self.assertEqual((self.fragment(), self.page.run("document.getElementById('cell').open")), ({}, False))

    def test_help(self):
        self.open()
        self.page.key("?")
        self.assertEqual(self.page.run("document.getElementById('keys').open"), True)
        self.assertIn("next and previous cell", self.text("#keys"))
        self.page.key("Escape")
        self.assertEqual(self.page.run("document.getElementById('keys').open"), False)
        self.page.key("v")
        self.assertEqual((self.number("#grid.compact"), self.fragment()), (1, {"view": ["compact"]}))

    def test_names(self):
        """Whatever takes the focus has a name and a role that a reader of screens can tell."""
        for index in (None, 3):
            if index is None:
                self.open()
            else:
                self.open_cell(index)
            self.page.send("Accessibility.enable")
            nodes = self.page.send("Accessibility.getFullAXTree")["nodes"]
            named = 0
            for node in nodes:
                traits = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
                role = node.get("role", {}).get("value")
                if node["ignored"] or not traits.get("focusable") or role in ("RootWebArea", "dialog", "scrollable"):
                    continue
                self.assertTrue(node["name"]["value"].strip(), (role, node))
                self.assertNotIn(role, ("generic", "none"), node)
                named += 1
            self.assertGreater(named, 10)
        grid = "document.getElementById('grid')"
        self.assertEqual(self.page.run(f"[{grid}.getAttribute('aria-rowcount'), {grid}.getAttribute('aria-colcount')]"), ["9", "4"])


class Looks(Case):
    def test_contrast(self):
        for scheme in ("light", "dark"):
            self.page.media(prefers_color_scheme=scheme)
            for name, fragment in (("grid", {}), ("compact", {"view": "compact"}), ("chosen", {"q": "nowhere"}), ("cell", {"cell": "7.2.13/fifo/2n4l4c1t/stress"}),
                                   ("reject", {"cell": "7.3.4/fifo/2n4l4c1t/stress"}),
                                   ("doubts", {"path": self.doubted}), ("doubted-cell", {"path": self.doubted, "cell": pages.small()["cells"][PASSED[0]]["id"]})):
                with self.subTest(scheme=scheme, name=name):
                    self.open(**fragment)
                    if "cell" in fragment:
                        self.wait_report()
                    found = self.page.run(CONTRAST)
                    self.assertEqual(found["bad"], [])
                    self.assertGreater(found["looked"], 20)
                    self.shot(f"{scheme}-{name}")

    def test_theme(self):
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        self.open()
        seen = {}
        for scheme in ("light", "dark"):
            self.page.media(prefers_color_scheme=scheme)
            seen[scheme] = self.page.run(ground)
        self.assertEqual(len(set(seen.values())), 2)
        self.page.click("#theme")
        self.assertEqual((self.text("#theme"), self.page.run(ground)), ("theme: light", seen["light"]))
        self.page.click("#theme")
        self.page.media(prefers_color_scheme="light")
        self.assertEqual((self.text("#theme"), self.page.run(ground)), ("theme: dark", seen["dark"]))
        self.open()  # remembered
        self.assertEqual(self.page.run(ground), seen["dark"])
        self.page.click("#theme")
        self.assertEqual((self.text("#theme"), self.page.run(ground)), ("theme: system", seen["light"]))

    def test_narrow(self):
        """On a phone nothing reaches beyond the screen but the grid, which scrolls in itself."""
        for width in (320, 390):
            self.page.size(width, 780)
            for fragment in ({}, {"cell": "7.2.13/fifo/2n4l4c1t/stress"}):
                self.open(**fragment)
                if fragment:
                    self.wait_report()
                self.assertEqual(self.page.run("[document.documentElement.scrollWidth, document.querySelector('#cell').scrollWidth <= innerWidth]"),
                                 [width, True])
                self.shot(f"phone-{'cell' if fragment else 'grid'}")

    def test_motion(self):
        moves = "getComputedStyle(document.getElementById('cell')).animationName"
        self.open_cell(2)
        self.assertEqual(self.page.run(moves), "slide")
        self.page.media(prefers_reduced_motion="reduce")
        self.assertEqual(self.page.run(moves), "none")


HOSTILE = {
    "markup": "</script><script>canary()</script><img src=x onerror=canary()><svg onload=canary()>"
              "\"' onmouseover=canary() autofocus onfocus=canary() x='javascript:canary()//{{canary()}}${canary()}"
              "}</style><style>*{display:none}</style>url(x) @import 'x'; --x: expression(canary())",
    "direction": "a\u202egnp.evil\u2066\u200f\ufeff\0\x07\x1b[31m\U000e0041 \U0001f427 \ud800" + "Z" + "\u0301\u0327\u035c" * 500,
    "name": "__proto__",
    "long": "x" * (1 << 16),
}


def poisoned(value, poison):
    """The same document with each string of it replaced; figures are left as they are."""
    if isinstance(value, dict):
        return {key: poisoned(one, poison) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, poison) for one in value]
    return poison if isinstance(value, str) else value


class Hostile(Case):
    def test_strings(self):
        """Whatever a guest or a user calls things, it is shown as text, and what is shown fits."""
        self.page.send("Page.addScriptToEvaluateOnNewDocument", source="""
            window.ran = 0; window.canary = () => { window.ran++; }; window.broken = [];
            document.addEventListener("securitypolicyviolation", (event) => broken.push(event.violatedDirective));""")
        report = golden("hostile")
        for name in ("ejected", "passed", "payload-failed"):  # together they have every member
            other = golden(name)
            for key, value in other["evidence"].items():
                report["evidence"][key] = report["evidence"][key] or value
        for name, poison in HOSTILE.items():
            with self.subTest(name=name):
                data = pages.results_of(pages.small()["cells"][:4])
                for number, cell in enumerate(data["cells"]):
                    data["cells"][number] = dict(poisoned(cell, poison), outcome=cell["outcome"], result=cell["result"])
                data["cells"][0]["scheduler"] = "__proto__"
                if name == "long":
                    data["cells"][1] = poisoned(data["cells"][1], "y" * (1 << 20))
                    report["evidence"]["scheduler"]["stderr"]["lines"] = ["z" * (1 << 20)] * 2
                path = self.pages.write("hostile", dict(data, version=poison, plan=poison), pages.details_of(
                    [(index, report if name == "long" and index == 2 else poisoned(report, poison)) for index in range(3)], left_out=5, why=poison),
                    pages.doubts_of({"2": poison}, {"3": poison}))
                self.page.open(path)
                self.page.until("document.querySelector('#note p')")
                self.assertTrue(self.shown())
                for index in (0, 2, 3):
                    self.page.run(f"document.querySelector(\"{CELL}[data-cell='{index}']\").click()")
                    self.wait_report()
                    self.assertNotIn("They can't be shown", self.text("#report"))
                    self.assertEqual(self.page.run("document.querySelector('#cell').scrollWidth <= document.querySelector('#cell').clientWidth"), True)
                    for _ in range(self.number(".tabs button")):
                        self.page.run("document.querySelector('.tabs [aria-pressed=true] + button, .tabs button').click()")
                    if name == "markup" and index == 0:
                        self.assertIn(poison, self.text("#report"))
                        self.shot("hostile-cell")
                    if name == "direction":
                        self.assertIn("a\\u202egnp.evil\\u2066\\u200f\\ufeff", self.text("#cell"))
                        self.assertNotRegex(self.text("#cell"), "[\u202e\u2066\u200f\ufeff]")
                    self.page.run("document.querySelector('#cell').close()")
                self.page.run("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
                self.assertEqual(self.page.run("[window.ran, window.broken, Object.prototype.polluted, document.documentElement.scrollWidth]"), [0, [], None, 1280])
                self.assertEqual(self.page.run("performance.getEntriesByType('resource').length"), 0)
                self.assertEqual(self.page.complaints(), [])
                self.shot(f"hostile-{name}")

    def test_policy(self):
        """The policy bites: markup that came in somehow would not run."""
        self.open()
        self.page.run("window.ran = 0; document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"ran++\"><p style=\"color: red\" id=made></p>'); 1")
        self.page.frame()
        found = " ".join(str(one) for one in self.page.complaints())
        self.assertIn("Content Security Policy", found)
        self.assertEqual(self.page.run("[ran, document.getElementById('made').style.color]"), [0, ""])


class Sizes(Case):
    def test_none_and_one(self):
        self.open(self.pages.write("none", pages.results_of([])))
        self.assertEqual((self.text("#headline"), self.text("#nothing")), ("nothing was planned", "The plan has no cells."))
        self.open(self.pages.write("one", pages.grid_of(1, 1)))
        self.assertEqual((self.text("#headline"), self.shown()), ("all as expected of 1 cell", [0]))
        self.page.key("/")
        self.page.key("Escape")
        self.page.key("Enter")
        self.assertIn("1 of 1", self.text(".place"))

    def test_many(self):
        for rows, columns in ((500, 20), (10000, 1)):
            with self.subTest(rows=rows):
                data = pages.grid_of(rows, columns)
                self.open(self.pages.write("many", data))
                nodes = lambda: self.page.run("document.querySelectorAll('*').length")
                self.assertLess(nodes(), MOST_NODES)
                self.shot(f"many-{rows}")
                self.page.key("/")
                self.page.key("Escape")
                self.assertEqual(self.focused(), "0")
                # The focus stays where it is while the wheel goes elsewhere.
                self.page.run("document.getElementById('grid').scrollTop = 1e9")
                self.page.frame()
                self.assertEqual((self.focused(), self.number(f"[data-cell='{len(data['cells']) - 1}']")), ("0", 1))
                self.page.key("End", browser.CTRL)
                self.assertEqual(self.focused(), str(len(data["cells"]) - 1))
                self.assertLess(nodes(), MOST_NODES)
                self.page.key("/")
                self.page.type(f"scheduler-{rows - 1} ")
                self.assertEqual(self.shown(), list(range((rows - 1) * columns, rows * columns)))

    def test_wide(self):
        """Many kernels: columns are made as they are needed."""
        self.open(self.pages.write("wide", pages.grid_of(3, 2000)), view="full")
        self.assertLess(self.page.run("document.querySelectorAll('*').length"), MOST_NODES)
        self.page.key("/")
        self.page.key("Escape")
        self.page.key("End")
        self.assertEqual(self.focused(), "1999")
        self.assertEqual(self.text(".kernel[aria-colindex='2001']"), "6.1999.0")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
