# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A headless Chromium, driven through its DevTools pipe: no port, no other package.

The protocol (https://chromedevtools.github.io/devtools-protocol/) is JSON messages that end with a
NUL, written to the browser's descriptor 3 and read from 4.
"""

import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

# Nothing of a browser that a test page does not need. Its sandbox is not to be had by root, nor in
# most containers; the pages are our own.
FLAGS = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--force-device-scale-factor=1", "--no-sandbox", "--remote-debugging-pipe"]
# A browser that says nothing for so long hangs; on a busy machine it answers within seconds.
ANSWER_S = 600
KEYS = {"Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37,
        "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
CTRL = 2


def chromium():
    """Its path, or ends the test as skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path and not path.startswith("/snap"):
            return path
    print("skipped: chromium is not installed (tools/setup --checks installs it)")
    sys.exit(77)


def pipe():
    """Both ends out of the way of the numbers that the browser wants."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends


class Browser:
    """One process; pages are opened in it one after another, or side by side."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="avd-chromium-", ignore_cleanup_errors=True)
        to_read, self.write = pipe()
        self.read, to_write = pipe()
        command = [chromium(), *FLAGS, "--user-data-dir=" + self.profile.name]
        # All other descriptors are closed on exec.
        self.process = subprocess.Popen(
            [*command, "about:blank"], close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: (os.dup2(to_read, 3), os.dup2(to_write, 4)))
        os.close(to_read)
        os.close(to_write)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.read, selectors.EVENT_READ)
        self.rest, self.number, self.answers, self.pages = b"", 0, {}, {}

    def close(self):
        os.close(self.write)  # which ends the browser
        self.process.wait()
        os.close(self.read)
        self.profile.cleanup()

    def receive(self):
        """One message, kept for whom it is for."""
        while b"\0" not in self.rest:
            if not self.selector.select(ANSWER_S):
                raise TimeoutError(f"chromium said nothing for {ANSWER_S} s")
            chunk = os.read(self.read, 1 << 20)
            if not chunk:
                raise ConnectionError(f"chromium is gone: {self.process.poll()}")
            self.rest += chunk
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        if "id" in message:
            self.answers[message["id"]] = message
        elif message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].events.append(message)

    def send(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        while self.number not in self.answers:
            self.receive()
        answer = self.answers.pop(self.number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, width=1280, height=800):
        return Page(self, width, height)


class Page:
    def __init__(self, browser, width, height):
        self.browser, self.events = browser, []
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.size(width, height)

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, media="", **features):
        self.send("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def open(self, path, fragment=""):
        """Opens a file anew and waits until its script has run."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=f"file://{path}" + (f"#{fragment}" if fragment else ""))
        self.until("location.protocol === 'file:' && document.readyState === 'complete'")

    def run(self, script):
        """The value of an expression, a promise's too."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "?") + " in " + script[:300])
        return answer["result"].get("value")

    def until(self, script):
        """Waits for an expression to become true: it is looked at anew for each frame."""
        end = time.monotonic() + ANSWER_S
        while True:
            try:
                if self.run(f"new Promise((done) => {{ const look = (left) => ({script}) ? done(true) : left ?"
                            " setTimeout(look, 16, left - 1) : done(false); look(60); })"):
                    return
            except RuntimeError:  # the page is being left
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"{script}: {self.complaints()}")

    def frame(self):
        """Until what was asked is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def key(self, key, modifiers=0):
        event = {"key": key, "modifiers": modifiers, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper()))}
        if len(key) == 1 and not modifiers:
            event["text"] = key
        elif key == "Enter":
            event["text"] = "\r"
        self.send("Input.dispatchKeyEvent", type="keyDown", **event)
        event.pop("text", None)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)
        self.frame()

    def type(self, text):
        self.send("Input.insertText", text=text)
        self.frame()

    def click(self, selector):
        """A real click of the mouse in the middle of what the selector finds, seen or scrolled to, once it no longer moves."""
        where = self.run(f"""(async () => {{
            const node = document.querySelector({json.dumps(selector)});
            node.scrollIntoView({{block: "nearest", inline: "nearest"}});
            await Promise.allSettled(document.getAnimations().map((one) => one.finished));
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)
        self.frame()

    def screenshot(self, path):
        self.frame()
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """What the console, the page's policy and the network log had to say since the last time."""
        self.frame()
        found = []
        for event in self.events:
            method, params = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            elif method == "Runtime.consoleAPICalled":
                found.append(params["args"])
            elif method == "Log.entryAdded":
                found.append(params["entry"])
            elif method == "Network.requestWillBeSent" and params["type"] != "Document":
                found.append(params["request"]["url"])
            elif method == "Network.requestWillBeSent" and not params["documentURL"].startswith(("file:", "about:")):
                found.append(params["request"]["url"])
            elif method == "Page.javascriptDialogOpening":
                found.append(params)
        self.events.clear()
        return found
