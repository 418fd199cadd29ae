# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium without a window, driven by the DevTools protocol over two pipes."""

import base64
import fcntl
import json
import os
import re
import select
import shutil
import subprocess
import time

from clients import TIMEOUT_S

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


def open_pipe():
    """Both ends of a pipe, beyond the numbers that the browser wants."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return ends


def luminance(colour):
    """How light "rgb(…)" is, from 0 to 1, as WCAG has it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


class Browser:
    def __init__(self, directory):
        commands, self.commands = open_pipe()
        self.answers, answers = open_pipe()
        # As root it cannot use its sandbox. It finds the pipes at 3 and 4.
        line = f'exec "$@" 3<&{commands} 4>&{answers} {commands}<&- {answers}>&-'
        with open(directory / "browser.log", "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", line, "browser", PROGRAM, "--headless", "--no-sandbox", "--disable-gpu",
                 "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
                 f"--user-data-dir={directory}/profile",
                 "about:blank"], pass_fds=(commands, answers), stdout=log, stderr=log)
        os.close(commands)
        os.close(answers)
        self.number, self.events, self.rest, self.session = 0, [], b"", None

    def close(self):
        try:
            self.call("Browser.close")
        except (EOFError, OSError):
            pass
        try:
            self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.commands)
            os.close(self.answers)

    def read(self, deadline):
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser says nothing")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise EOFError("the browser has ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            answer = self.read(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def wait_event(self, method):
        deadline = time.monotonic() + TIMEOUT_S
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read(deadline))

    def open(self, place, width=1200, height=900, scripts=True, scheme="light", before=""):
        """A new page, which has loaded: a file, or what is at an http address. `before` runs before its scripts."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.set_scheme(scheme)
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.events.clear()
        self.call("Page.navigate", url=place if str(place).startswith("http") else f"file://{place}")
        self.wait_event("Page.loadEventFired")

    def leave(self):
        """The page is closed, as by who has seen enough."""
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self.wait_event("Page.loadEventFired")

    def set_scheme(self, scheme, media=""):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def count(self, selector):
        """Elements of the page, also where its scripts are disabled."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        return len(self.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def key(self, key, **more):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **more)

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def print(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def complaints(self):
        """What went wrong since the page was opened."""
        bad = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [event for event in self.events if event.get("method") in bad]

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
