# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of memnotify-exporter in Chromium: what it makes of the looks that a server sends."""

import json
import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import browser as browsers
from clients import wait_until

FILES = Path(__file__).parents[2] / "clients/bridges/exporter/page"
KINDS = {"/": "text/html; charset=utf-8", "/page.css": "text/css", "/page.js": "text/javascript"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
MIB, GIB = 1 << 20, 1 << 30
START_MS = 1796000000000  # 2026-11-30 00:53:20 UTC
HOSTILE = "<img src=x onerror=alert(1)>"
SHOTS = os.environ.get("EXPORTER_SHOTS")  # a directory, for who wants to see the page


class Exporter:
    """Stands in for the server of the page: it sends what it is told to send."""

    def __init__(self, *mounts):
        self.latest, self.streams, self.port, self.server = look(0, *mounts), [], 0, None
        self.start()

    def start(self):
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                exporter.serve(self)

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.address = f"http://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def serve(self, handler):
        known = handler.path in KINDS or handler.path == "/events"
        handler.send_response(200 if known else 404)
        handler.send_header("Content-Type", KINDS.get(handler.path, "text/event-stream"))
        handler.send_header("Content-Security-Policy", POLICY)
        handler.end_headers()
        if handler.path in KINDS:
            handler.wfile.write((FILES / (handler.path[1:] or "index.html")).read_bytes())
        elif known:
            self.stream(handler)

    def stream(self, handler):
        looks = queue.Queue()
        looks.put(self.latest)
        self.streams.append(looks)
        try:
            while (message := looks.get()) is not None:
                handler.wfile.write(f"data: {json.dumps(message)}\n\n".encode())
        except OSError:
            pass  # nobody looks any more

    def send(self, message):
        self.latest = message
        for looks in self.streams:
            looks.put(message)

    def stop(self):
        for looks in self.streams:
            looks.put(None)
        self.streams.clear()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# --- what is sent ---


def limit(threshold="low", meter="available", number=GIB, reached=False, crossings=0, op="<"):
    return {"threshold": threshold, "meter": meter, "op": op, "bytes": number, "reached": reached, "crossings": crossings}


def mount(available=3 * GIB, name="", limits=(), **more):
    meters = {"used": 5 * GIB, "active": 3 * GIB + 12 * MIB, "total": 10 * GIB, "free": 640 * MIB,
              "available": available, "swap_total": 2 * GIB, "swap_free": 1536 * MIB, "swap_used": 512 * MIB}
    parts = {"used": "all", "total": "all", "active": "memory", "free": "memory", "available": "memory",
             "swap_total": "swap", "swap_free": "swap", "swap_used": "swap"}
    return {"name": name, "place": f"/run/memnotify{name}", "lack": None, "group": False, "gone": False,
            "simulated": False, "meters": meters, "parts": parts,
            "stalls": {"some": [12.5, 1.25, 0.3], "full": [0.0, 0.0, 0.01]}, "limits": list(limits),
            "limits_left_out": 0, **more}


def lacking(name=""):
    return mount(name=name, lack="memnotifyfs has ended; looking for the next", meters={}, parts={}, stalls=None)


def event(second, word="reached", number=900 * MIB, threshold="low", meter="available", of=""):
    return {"mount": of, "time_ms": START_MS + 1000 * second, "threshold": threshold, "meter": meter, "word": word,
            "bytes": number, "limit_bytes": GIB}


def process(pid, name, rss, grown, swap=0):
    return {"pid": pid, "name": name, "rss": rss, "grown": grown, "swap": swap}


def look(second, *mounts, events=(), processes=None):
    return {"interval_ms": 2000, "time_ms": START_MS + 1000 * second, "mounts": list(mounts), "events": list(events),
            "processes": processes}


# --- what is shown ---


class View:
    """The page in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def text(self, selector):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def texts(self, selector):
        return self.browser.evaluate(f"Array.from(document.querySelectorAll({json.dumps(selector)}), e => e.textContent)")

    def rows(self, selector):
        """The texts of the children of each."""
        return self.browser.evaluate(f"Array.from(document.querySelectorAll({json.dumps(selector)}),"
                                     " row => Array.from(row.children, cell => cell.textContent))")

    def is_hidden(self, selector):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).offsetParent === null")

    def click(self, selector):
        self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector, value):
        self.browser.evaluate(f"(e => {{ e.value = {json.dumps(value)}; e.dispatchEvent(new Event('change')); }})"
                              f"(document.querySelector({json.dumps(selector)}))")

    def attribute(self, selector, name):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).getAttribute({json.dumps(name)})")

    def title(self):
        return self.browser.evaluate("document.title")

    def wait_text(self, selector, text):
        wait_until(lambda: text in self.text(selector), f"{text} in {selector}")

    def line(self):
        """The runs of the graph's line, as lists of (x, y)."""
        return [[tuple(map(float, point.split())) for point in run.split("L")]
                for run in self.attribute("#graph .line", "d").split("M")[1:]]

    def box(self):
        return self.browser.evaluate("document.getElementById('graph').getBoundingClientRect().toJSON()")

    def overflow(self):
        """By how much the page is wider than the window, and what sticks out."""
        return self.browser.evaluate(
            "[document.documentElement.scrollWidth - innerWidth, Array.from(document.querySelectorAll('body *'))"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('svg')).map(e => e.outerHTML)]")

    def shoot(self, name):
        if SHOTS:
            (Path(SHOTS) / f"{name}.png").write_bytes(self.browser.screenshot())


@pytest.fixture(name="browser")
def open_browser(tmp_path):
    if not browsers.PROGRAM:
        pytest.skip("chromium is not installed")
    browser = browsers.Browser(tmp_path)
    yield browser
    browser.close()


@pytest.fixture
def exporter():
    """exporter(mount(), …): a server that has seen these."""
    running = []

    def start(*mounts):
        running.append(Exporter(*mounts))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def view_of(browser):
    def show(exporter, before="", **settings):
        browser.open(exporter.address, before="Date.prototype.getTimezoneOffset;" + before, **settings)
        view = View(browser)
        view.wait_text("#state", "live")
        return view

    return show
