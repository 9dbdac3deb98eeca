# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Pages for the tests: what `show --format html` writes, also with other data in its places.

A page with data of our own has the real page's style, script and policy, byte for byte.
"""

import base64
import gzip
import json
import pathlib
import re
import subprocess

DATA = r'(<script type="application/json" id="{}">).*?(</script>)'
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
# outcome, result_code, expected, met, ran
CAME = {
    "passed": ("ATTACHED", None, "passed", True, True),
    "surprise": ("ATTACHED", None, "DIED", False, True),
    "ejected": ("ATTACHED", "ejected", "passed", False, True),
    "died": ("DIED", "verifier-rejected", "passed", False, True),
    "known": ("DIED", "verifier-rejected", "DIED/verifier-rejected", True, True),
    "missing": ("NOT_ATTACHED", "no-sched-ext", "passed", False, True),
    "unsure": ("UNCONFIRMED", "guest-reset", "passed", False, True),
    "lost": ("UNCONFIRMED", "lost", "passed", False, False),
}


def cell(scheduler, kernel, topology, payload, came, number=0):
    outcome, code, expected, met, ran = CAME[came]
    ident = "/".join(filter(None, (kernel, scheduler, topology, payload)))
    return {"id": ident, "scheduler": scheduler, "kernel": kernel, "topology": topology, "payload": payload,
            "expected": expected, "met": met, "ran": ran, "outcome": outcome,
            "reason_code": None if outcome == "ATTACHED" else code,
            "result": "failed" if code else "passed", "result_code": code,
            "result_reason": code and f"what the {came} came to", "end_cause": "guest-shutdown" if ran else None,
            "recording": f"cells/{number}.avd" if ran else None, "wall_ns": 3000000000 + number,
            "machine_cpu_ns": 2500000000, "digest": f"{number:016x}",
            "command": f"attachverdict run --kernel {kernel} --scheduler './{scheduler} --fast'"}


def results_of(cells):
    return {"schema_version": 1, "version": "0.1.0", "plan": "0123456789abcdef", "cell_count": len(cells),
            "met_count": sum(one["met"] for one in cells),
            "unmet_count": sum(one["ran"] and not one["met"] for one in cells),
            "not_run_count": sum(not one["ran"] for one in cells), "cells": cells}


def grid_of(rows, columns, came=lambda number: "died" if number % 7 == 3 else "lost" if number % 11 == 5 else "passed"):
    """rows x columns cells."""
    return results_of([cell(f"scheduler-{row}", f"6.{column}.0", "2", None, came(row * columns + column), row * columns + column)
                       for row in range(rows) for column in range(columns)])


def small():
    """24 cells, 22 of them in the plan's grid, of every kind."""
    came = list(CAME)
    cells = [cell(scheduler, kernel, topology, payload, came[(3 * s + k + t) % len(came)], 100 * s + 10 * k + t)
             for s, scheduler in enumerate(("fifo", "lavd", "rusty", "bpfland"))
             for k, kernel in enumerate(("6.16.12", "7.2.13", "7.3.4"))
             for t, (topology, payload) in enumerate((("2", None), ("2n4l4c1t", "stress")))]
    return results_of(cells[:-2])


def pack(report):
    return base64.b64encode(gzip.compress(json.dumps(report).encode())).decode()


def details_of(reports=(), left_out=0, why=None):
    """`reports`: (index, report) each."""
    return {"left_out": left_out, "why": why, "cells": {str(index): pack(report) for index, report in reports}}


def doubts_of(contradicted=None, unreadable=None, unchecked=0):
    """`contradicted` and `unreadable`: why, by the cell's index."""
    return {"contradicted": contradicted or {}, "unreadable": unreadable or {}, "unchecked": unchecked}


class Pages:
    def __init__(self, cli, make_results, folder):
        self.cli, self.make_results, self.folder = cli, make_results, pathlib.Path(folder)
        self.template = self.real("template", 1).read_text(encoding="utf-8")

    def real(self, name, *arguments):
        """The page of what make-results makes of the arguments."""
        subprocess.run([self.make_results, self.folder / name, *map(str, arguments)], check=True)
        return self.show(name)

    def show(self, name, *options):
        """The page of the directory of that name."""
        directory, path = self.folder / name, self.folder / f"{name}.html"
        with open(path, "wb") as file:
            done = subprocess.run([self.cli, "show", "--format", "html", *options, directory], stdout=file, check=False)
        assert done.returncode in (0, 1), done.returncode
        return path

    def write(self, name, results, details=None, doubts=None):
        text = self.template
        for place, data in (("results", results), ("details", details or details_of()),
                            ("doubts", doubts or doubts_of())):
            data = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False).translate(ESCAPES)
            text, times = re.subn(DATA.format(place), lambda found, data=data: found[1] + data + found[2], text, count=1, flags=re.S)
            assert times == 1, place
        path = self.folder / f"{name}.html"
        # A string may hold what is no character at all, as half of a pair.
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return path
