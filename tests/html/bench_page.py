#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What the HTML report costs in Chromium, by its performance trace: pages of 100 cells beside pages of 10,000.

usage: bench_page.py CLI MAKE_RESULTS
"""

import statistics
import sys
import tempfile
import time

import browser
import pages

CLI, MAKE = sys.argv[1:3]
SHAPES = ((10, 10), (500, 20), (10000, 1))
TYPED = "scheduler-42"
WHEELS = 60


def trace(page, act):
    """The events of the trace while `act` runs."""
    page.events.clear()
    page.send("Tracing.start", transferMode="ReportEvents", traceConfig={
        "includedCategories": ["devtools.timeline", "disabled-by-default-devtools.timeline", "loading", "blink.user_timing", "toplevel"]})
    act()
    page.send("Tracing.end")
    found = []
    while True:
        for event in page.events:
            if event["method"] == "Tracing.dataCollected":
                found += event["params"]["value"]
            elif event["method"] == "Tracing.tracingComplete":
                page.events.clear()
                return found
        page.events.clear()
        page.browser.receive()


def named(events, *names):
    return sorted((event for event in events if event.get("name") in names), key=lambda event: event["ts"])


def first_paint(page, path):
    """From the start of the navigation to the first text on the screen; what of it was our script."""
    seen = "performance.getEntriesByName('first-contentful-paint')"
    events = trace(page, lambda: (page.open(path), page.until(seen + ".length")))
    script = named(events, "v8.evaluateModule")[-1]["dur"] / 1000
    return page.run(seen + "[0].startTime"), script


def tasks(page, act):
    """CPU times of the main thread's tasks meanwhile, in ms: what others do on the machine is not in them."""
    events = trace(page, act)
    threads = {(event["pid"], event["tid"]) for event in named(events, "FireAnimationFrame")}
    return [event["tdur"] / 1000 for event in named(events, "RunTask")
            if "tdur" in event and (event["pid"], event["tid"]) in threads]


def keystrokes(page):
    """A search that is typed: the cost of a key, and the longest task of all (with the first, that reads the texts)."""
    page.key("/")
    took = tasks(page, lambda: [page.key(key) for key in TYPED])
    return sum(took) / len(TYPED), max(took)


def scrolling(page):
    """A scroll by 800 pixels a frame, so that each frame is a new screen of cells."""
    def act():
        for _ in range(WHEELS):
            page.send("Input.dispatchMouseEvent", type="mouseWheel", x=700, y=500, deltaX=0, deltaY=800)
            page.frame()
    took = tasks(page, act)
    return sum(took) / WHEELS, max(took)


def main():
    window = browser.Browser()
    with tempfile.TemporaryDirectory(prefix="avd-html-") as scratch:
        made = pages.Pages(CLI, MAKE, scratch)
        print("cells           page     first paint  script  | CPU of the main thread, ms a key, longest | a screen, longest | nodes")
        for rows, columns in SHAPES:
            path = made.write("bench", pages.grid_of(rows, columns))
            page = window.page()
            page.open(path)  # once, so that the file is in memory
            runs = [first_paint(page, path) for _ in range(5)]
            paint, script = (statistics.median(values) for values in zip(*runs))
            nodes = page.run("document.querySelectorAll('*').length")
            scrolled = scrolling(page)
            page.open(path)
            figures = (*keystrokes(page), *scrolled)
            print(f"{rows:5} x {columns:2} {path.stat().st_size / 1e6:8.2f} MB {paint:9.0f} ms {script:6.0f} ms |"
                  " {:26.1f} {:8.1f} | {:8.1f} {:8.1f} |".format(*figures) + f" {nodes:5}", flush=True)
            page.close()
    window.close()


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"{time.monotonic() - start:.0f} s in all")
