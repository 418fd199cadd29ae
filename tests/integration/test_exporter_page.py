# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of memnotify-exporter in Chromium: what it makes of the looks that a server sends."""

import json
import os
import queue
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from browser import luminance
from clients import wait_until, write_text
from machine import PAGE_KIB
from socket_client import metric

FILES = Path(__file__).parents[2] / "clients/bridges/exporter/page"
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
PREFIX = "/memory"  # as behind a proxy
ASSETS = {f"{PREFIX}/" if file.name == "index.html" else f"{PREFIX}/{file.name}": file
          for file in FILES.iterdir() if file.suffix in KINDS}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
MIB, GIB = 1 << 20, 1 << 30
START_MS = 1796000000000  # 2026-11-30 00:53:20 UTC
HOSTILE = "<img src=x onerror=alert(1)>"
SHOTS = os.environ.get("EXPORTER_SHOTS")  # a directory, for who wants to see the page


class StandIn:
    """In the place of the server of the page: it sends what it is told to send."""

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
        self.address = f"http://127.0.0.1:{self.port}{PREFIX}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def serve(self, handler):
        asset, is_stream = ASSETS.get(handler.path), handler.path == f"{PREFIX}/events"
        handler.send_response(200 if asset or is_stream else 404)
        handler.send_header("Content-Type", KINDS[asset.suffix] if asset else "text/event-stream")
        handler.send_header("Content-Security-Policy", POLICY)
        handler.end_headers()
        if asset:
            handler.wfile.write(asset.read_bytes())
        elif is_stream:
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
    return {"threshold": threshold, "meter": meter, "op": op, "limit": number, "reached": reached,
            "crossings": crossings}


def stall(*averages):
    return {**dict(zip(("avg10", "avg60", "avg300"), averages)), "total_us": 5}


def mount(available=3 * GIB, name="", limits=(), **more):
    meters = {"used": 5 * GIB, "active": 3 * GIB + 12 * MIB, "total": 10 * GIB, "free": 640 * MIB,
              "available": available, "swap_total": 2 * GIB, "swap_free": 1536 * MIB, "swap_used": 512 * MIB}
    parts = {"used": "all", "total": "all", "active": "memory", "free": "memory", "available": "memory",
             "swap_total": "swap", "swap_free": "swap", "swap_used": "swap"}
    return {"name": name, "place": f"/run/memnotify{name}", "lack": None, "group": False, "gone": False,
            "simulated": False, "meters": meters, "parts": parts,
            "limits": list(limits),
            "pressure": {"some": stall(12.5, 1.25, 0.3), "full": stall(0.0, 0.0, 0.01)},
            "limits_left_out": 0, **more}


def lacking(name=""):
    return mount(name=name, lack="memnotifyfs has ended; looking for the next", meters={}, parts={}, pressure=None)


def event(second, word="reached", number=900 * MIB, threshold="low", meter="available", of=""):
    return {"mount": of, "time_ms": START_MS + round(1000 * second), "threshold": threshold, "meter": meter,
            "word": word, "bytes": number, "limit_bytes": GIB}


def process(pid, name, rss, grown, swap=0):
    return {"pid": pid, "name": name, "rss": rss, "grown": grown, "swap": swap}


HELP = {"available": "Memory that can be had without swapping.", "used": "What is used.", "active": "What was used.",
        "total": "What there is.", "free": "What nobody uses.", "swap_total": "Swap.",
        "swap_free": "Swap that is free.", "swap_used": "Swap that is used."}


def look(second, *mounts, events=(), processes=None):
    return {"interval_ms": 2000, "time_ms": START_MS + 1000 * second, "help": HELP, "mounts": list(mounts),
            "events": list(events), "processes": processes}


# --- what is shown ---


class View:
    """The page in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def text(self, selector):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent")

    def texts(self, selector):
        return self.browser.evaluate(f"Array.from(document.querySelectorAll({json.dumps(selector)}),"
                                     " element => element.textContent)")

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
        wait_until(lambda: text in (self.text(selector) or ""), f"{text} in {selector}")

    def line(self):
        """The runs of the graph's line, as lists of (x, y)."""
        return [[tuple(map(float, point.split())) for point in run.split("L")]
                for run in self.attribute("#graph .line", "d").split("M")[1:]]

    def box(self):
        return self.browser.evaluate("document.getElementById('graph').getBoundingClientRect().toJSON()")

    def overflow(self):
        """By how much the page is wider than the window, and what sticks out."""
        return self.browser.evaluate(
            "(page => [page.scrollWidth - page.clientWidth, Array.from(document.querySelectorAll('body *'))"
            ".filter(e => e.getBoundingClientRect().right > page.clientWidth + 1 && !e.closest('svg, .tabs *'))"
            ".map(e => e.outerHTML)])(document.documentElement)")

    def shoot(self, name):
        if SHOTS:
            (Path(SHOTS) / f"{name}.png").write_bytes(self.browser.screenshot())


@pytest.fixture
def exporter():
    """exporter(mount(), …): a server that has seen these."""
    running = []

    def start(*mounts):
        running.append(StandIn(*mounts))
        return running[-1]

    yield start
    for one in running:
        one.stop()


# Says when it is hidden, and when ten seconds and a minute are over.
HIDING = """
(() => {
    const start = window.setTimeout, stop = window.clearTimeout, held = {60000: null, 10000: null};
    let isHidden = false;

    Object.defineProperty(document, "hidden", {get: () => isHidden});
    window.setTimeout = (task, ms) => ms in held ? (held[ms] = task, -ms) : start(task, ms);
    window.clearTimeout = id => id < 0 ? held[-id] = null : stop(id);
    window.setHidden = value => { isHidden = value; document.dispatchEvent(new Event("visibilitychange")); };
    window.pass = ms => { if (held[ms]) held[ms](); };
})();
"""


@pytest.fixture
def view_of(browser):
    def show(exporter, **settings):
        browser.open(exporter.address, **settings)
        browser.call("Emulation.setTimezoneOverride", timezoneId="UTC")
        view = View(browser)
        view.wait_text("#state", "live")
        return view

    return show


def falling(exporter, view, *limits, seconds=range(2, 22, 2)):
    """Available memory falls from 3G on, by 256M a look."""
    for second in seconds:
        exporter.send(look(second, mount(3 * GIB - second * 128 * MIB, limits=limits)))
    view.wait_text("#readout", f"at {clock(max(seconds))}")


def size(pages):
    """As the program prints it, from a megabyte on."""
    amount = pages * PAGE_KIB / 1024
    amount, unit = (amount, "M") if amount < 999.5 else (amount / 1024, "G")
    return f"{amount:.{2 if amount < 9.995 else 1 if amount < 99.95 else 0}f}{unit}"


def clock(second):
    return time.strftime("%H:%M:%S", time.gmtime(START_MS / 1000 + second))


# --- figures ---


def test_it_asks_nobody_else_and_complains_of_nothing(exporter, view_of, browser):
    server = exporter(mount(limits=[limit()]))
    view = view_of(server)
    falling(server, view, limit())
    box = view.box()
    browser.mouse("mouseMoved", box["left"] + 100, box["top"] + 100)
    asked = [server.address.removesuffix(f"{PREFIX}/") + path for path in (*ASSETS, f"{PREFIX}/events")]
    assert sorted(browser.requests()) == sorted(asked)
    assert browser.complaints() == []
    assert browser.count("img, iframe") == 0 and browser.count("body [style]") == browser.count(".bar div")


def test_figures_are_those_that_were_sent(exporter, view_of):
    sent = mount(limits=[limit(crossings=3), limit("full", "used", 9 * GIB, True, 1, ">=")], limits_left_out=2,
                 place="/run/memnotify")
    view = view_of(exporter(sent))
    assert view.text("#title") == "Memory of the machine, 10.0G, from /run/memnotify"
    assert [row[:3] for row in view.rows("#meters tbody tr")] == [
        ["available", "3.00G", "38%"], ["used", "5.00G", "50%"], ["swap_used", "512M", "25%"],
        ["active", "3.01G", "38%"], ["total", "10.0G", "100%"], ["free", "640M", "8%"],
        ["swap_total", "2.00G", "100%"], ["swap_free", "1.50G", "75%"]]
    widths = view.browser.evaluate("Array.from(document.querySelectorAll('.bar div'), bar => bar.style.width)")
    assert widths[:3] == ["37.5%", "50%", "25%"]
    assert view.rows("#limits li") == [["full", "! reached", "used >= 9.00G", "1 crossing"],
                                       ["low", "not reached", "available < 1.00G", "3 crossings"]]
    assert view.text("#limits-left-out") == "2 more are left out" and not view.is_hidden("#limits-left-out")
    assert view.rows("#stalls tbody tr") == [["some wait", "12.50%", "1.25%", "0.30%"],
                                             ["all wait", "0.00%", "0.00%", "0.01%"]]
    assert view.texts("#stalls .hot") == ["12.50%"] and view.texts("#stalls .warm") == ["1.25%"]
    assert view.is_hidden("#processes") and view.is_hidden("#tabs") and view.is_hidden("#events")


def test_a_group_simulated_values_and_what_is_not_told(exporter, view_of):
    server = exporter(mount(group=True, simulated=True, pressure=None))
    view = view_of(server)
    assert view.text("#title").startswith("Memory of the control group, 10.0G,")
    assert not view.is_hidden("#simulated") and view.is_hidden("#stalls") and not view.is_hidden("#no-stalls")
    server.send(look(2, mount(group=True, gone=True)))
    view.wait_text("#title", "control group, which has been removed, from")
    server.send(look(4))
    wait_until(lambda: not view.is_hidden("#nothing"), "it to say that there is none")
    assert view.is_hidden("#mount")


# --- the graph ---


def test_graph_shows_what_has_been_seen_with_limits(exporter, view_of, browser):
    server = exporter(mount(limits=[limit()]))
    view = view_of(server)
    limits = limit(reached=True), limit("high", "used", 9 * GIB, op=">=")
    falling(server, view, *limits)
    (run,) = view.line()
    assert len(run) == 11 + 1 and [y for _, y in run] == sorted(y for _, y in run)
    steps = [after[0] - before[0] for before, after in zip(run[:-1], run[1:-1])]
    assert max(steps) - min(steps) < 0.3
    assert view.texts("#graph .label") == ["! low < 1.00G"] and browser.count("#graph .limit.reached") == 1
    assert view.texts("#graph .values text") == ["2G", "4G", "6G", "8G"] and view.texts("#graph .times text")

    y = float(view.attribute("#graph .limit", "y1"))
    below = [point for point in run[:-1] if point[1] > y + 0.1]  # what has less than the limit
    assert len(below) == len([second for second in range(2, 22, 2) if 3 * GIB - second * 128 * MIB < GIB])

    view.choose("#meter", "used")
    assert view.texts("#graph .label") == ["high >= 9.00G"] and view.text("#meter-value") == "5.00G"
    assert view.texts("#meters [aria-pressed=true]") == ["used"]
    view.click("#meters tbody tr:first-child button")
    assert view.browser.evaluate("document.getElementById('meter').value") == "available"


def test_zoom_and_time(exporter, view_of):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, limit())
    before = view.line()
    view.click("#zoom")
    assert view.attribute("#zoom", "aria-pressed") == "true"
    assert view.texts("#graph .values text")[-1] == "4G" and view.line()[0][0][1] < before[0][0][1]
    view.click("#zoom")
    assert view.line() == before
    server.send(look(400, mount()))
    view.wait_text("#readout", clock(400))
    assert len(view.line()) == 1
    view.choose("#span", "900")
    assert [len(run) for run in view.line()] == [12, 2]  # moments alone are dots


def test_there_are_gaps_where_nothing_is_known(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, seconds=range(2, 8, 2))
    for second in range(8, 14, 2):
        server.send(look(second, lacking()))
    falling(server, view, seconds=range(14, 20, 2))
    falling(server, view, seconds=range(40, 46, 2))
    assert [len(run) for run in view.line()] == [5, 4, 4]
    (first, second, _), box = view.line(), view.box()
    browser.mouse("mouseMoved", box["left"] + (first[-1][0] + second[0][0]) / 2, box["top"] + 50)
    assert view.text("#readout").endswith("nothing is known")


def test_readout_by_pointer_and_by_keys(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, limit())
    assert view.text("#readout") == f"lowest 512M at {clock(20)}, highest 3.00G at {clock(0)}"
    run, box = view.line()[0], view.box()
    browser.mouse("mouseMoved", box["left"] + run[4][0], box["top"] + 50)
    assert view.text("#readout").split() == [clock(8), "available", "2.00G,", "25%"]
    assert browser.count("#graph .cursor") == browser.count("#graph .dot") == 1
    browser.mouse("mouseMoved", box["left"] + 100, box["top"] - 30)
    assert browser.count("#graph .cursor") == 0
    browser.evaluate("document.getElementById('graph').focus()")
    for key, second in (("Home", 0), ("ArrowRight", 2), ("ArrowRight", 4), ("ArrowLeft", 2), ("End", 20)):
        browser.key(key)
        assert view.attribute("#graph", "aria-valuetext").startswith(clock(second)), key
        assert view.attribute("#graph", "aria-valuenow") == str(second // 2)
    browser.key("Escape")
    assert browser.count("#graph .cursor") == 0


def test_a_finger_reads_what_it_touches(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server, width=320)
    falling(server, view, limit())
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    run, box = view.line()[0], view.box()
    for kind, moments in (("touchStart", [2]), ("touchMove", [5]), ("touchEnd", [])):
        points = [{"x": box["left"] + run[moment][0], "y": box["top"] + 50} for moment in moments]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    assert view.text("#readout").split() == [clock(10), "available", "1.75G,", "22%"]


# --- what happens ---


def test_a_limit_that_is_reached_stands_out(exporter, view_of, browser):
    server = exporter(mount(limits=[limit()]))
    view = view_of(server)
    assert view.title() == "memnotify" and view.text("#news") == ""
    server.send(look(2, mount(900 * MIB, limits=[limit(reached=True, crossings=1), limit("b", number=2 * GIB)])))
    wait_until(lambda: view.title() == "! low reached — memnotify", "the title to tell")
    assert view.text("#news") == "low reached: available < 1.00G" and browser.count("#limits .reached") == 1
    server.send(look(4, mount(900 * MIB, limits=[limit(reached=True), limit("b", number=2 * GIB, reached=True)])))
    wait_until(lambda: view.title() == "! low and 1 more reached — memnotify", "the title to tell of both")
    assert view.text("#news") == "b reached: available < 2.00G"
    server.send(look(6, mount(limits=[limit(crossings=2)])))
    wait_until(lambda: view.title() == "memnotify", "the title to tell that it is over")
    assert browser.count("#limits .reached") == 0 and view.text("#news") == ""


def test_events_come_newest_first_once_and_not_for_ever(exporter, view_of, browser):
    server = exporter(mount())
    server.latest["events"] = [event(-7200 * 24), event(-3, "left"), event(-5)]
    view = view_of(server)
    lost = {"mount": "", "time_ms": START_MS + 1000, "word": "lost"}
    server.send(look(2, mount(), events=[event(-2.995, "left"), event(1, "last_call"), lost,
                                         event(2, "changed", 2 * GIB)]))
    view.wait_text("#events", "changed")
    assert [[text for text in row if text] for row in view.rows("#events li")] == [
        [clock(2), "low", "available", "changed", "2.00G before 1.00G"],
        [clock(1), "lost"],
        [clock(1), "low", "available", "last call"],
        [clock(-3), "low", "available", "left", "900M limit 1.00G"],
        [clock(-5), "low", "available", "reached", "900M limit 1.00G"],
        ["2026-11-28 " + clock(0), "low", "available", "reached", "900M limit 1.00G"]]
    assert browser.count("#graph .mark") == 2
    server.send(look(20, mount(), events=[event(10 + number / 1000, threshold=f"n{number}") for number in range(150)]))
    view.wait_text("#events", "n149")
    assert browser.count("#events li") == 100 and "n149" in view.texts("#events li .name")[0]


def test_processes_can_be_sorted(exporter, view_of):
    server = exporter(mount())
    view = view_of(server)
    server.send(look(2, mount(), processes=[]))
    wait_until(lambda: not view.is_hidden("#no-processes"), "it to say that none has grown")
    server.send(look(4, mount(), processes=[process(1, "big", 2 * GIB, -3 * MIB),
                                            process(2, "leak", 64 * MIB, 60 * MIB),
                                            process(3, "idle", 8 * MIB, 0, 70 * MIB)]))
    view.wait_text("#processes", "leak")
    rows = "#processes tbody tr"
    assert view.rows(rows) == [["leak", "2", "64.0M", "+60.0M", "0"], ["idle", "3", "8.00M", "0", "70.0M"],
                               ["big", "1", "2.00G", "-3.00M", "0"]]
    view.click("[data-sort=rss]")
    assert [row[0] for row in view.rows(rows)] == ["big", "leak", "idle"]
    view.click("[data-sort=rss]")
    assert [row[0] for row in view.rows(rows)] == ["idle", "leak", "big"]
    assert view.browser.evaluate("document.querySelector('[aria-sort=ascending]').textContent") == "RSS"
    view.click("[data-sort=swap]")
    assert view.rows(rows)[0][0] == "idle"


def test_servers_are_tabs(exporter, view_of, browser):
    server = exporter(mount(name="web", place="/run/web"), mount(GIB, "db", [limit(reached=True)]), lacking("old"))
    view = view_of(server)
    assert view.rows("#tabs button") == [["", "web", ""], ["!", "db", " (limit reached)"], ["?", "old", " (away)"]]
    assert view.title() == "! low reached — memnotify" and view.text("#news").startswith("db: low reached")
    view.click("#tabs button:nth-child(2)")
    assert view.text("#meter-value") == "1.00G" and browser.count("#limits .reached") == 1
    assert view.texts("[aria-selected=true]") == ["!db (limit reached)"]
    browser.evaluate("document.querySelector('[aria-selected=true]').focus()")
    browser.key("ArrowRight")
    assert view.text("#lack") == "memnotifyfs has ended; looking for the next" and not view.is_hidden("#lack")
    assert view.text("#meter-value") == "unknown"
    browser.key("ArrowRight")
    assert view.text("#title").endswith("from /run/web") and view.is_hidden("#lack")
    assert browser.evaluate("document.activeElement.textContent") == "web"
    server.send(look(2, mount(name="web"), events=[event(1, of="db"), event(1, "left", of="web")]))
    wait_until(lambda: view.is_hidden("#tabs"), "the tabs to go")
    assert view.texts("#events .word") == ["left"]


def test_what_is_known_stays_while_its_server_is_away(exporter, view_of):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, limit())
    server.send(look(30, lacking()))
    wait_until(lambda: not view.is_hidden("#lack"), "it to say what it lacks")
    assert view.text("#lack").endswith(f"what is shown is of {clock(20)}")
    assert view.text("#meter-value") == "512M" and view.browser.count("#mount.stale") == 1


@pytest.mark.parametrize("width", [320, 1200])
def test_names_are_hostile(exporter, view_of, browser, width):
    name = HOSTILE + "\0\u202e\n" + "x" * 300
    shown = HOSTILE + "\\000\\342\\200\\256\\012" + "x" * 300
    bad = mount(name=name, place=name, limits=[limit(name, "__proto__", 0), limit(name, "constructor")], lack=name)
    bad["meters"] = {**bad["meters"], "constructor": GIB, name: 2 * GIB}
    server = exporter(bad, mount(name="__proto__"))
    view = view_of(server, width=width)
    server.send(look(2, bad, mount(name="__proto__"), events=[event(1, name, meter=name, threshold=name, of=name)],
                     processes=[process(1, name, 1, 1)]))
    view.wait_text("#processes tbody th", shown)
    assert view.texts("#limits .name") == [shown, shown] and view.text("#lack").startswith(shown)
    assert view.texts("#events .name") == [shown] and shown in view.texts("#meters button")
    view.choose("#meter", "constructor")
    assert view.text("#meter-value") == "1.00G" and browser.count("#graph .limit") == 1
    assert browser.count("img") == 0 and browser.complaints() == [] and view.overflow() == [0, []]


# --- the connection ---


def test_the_server_goes_away_and_comes_back(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, limit())
    server.stop()
    view.wait_text("#state", "reconnecting")
    view.wait_text("#state", f"server away: last seen 2026-11-30 {clock(20)}")
    assert view.title() == "server away — memnotify" and view.text("#meter-value") == "512M"
    server.latest = look(60, mount(2 * GIB))
    server.start()
    view.wait_text("#state", "live")
    assert view.text("#meter-value") == "2.00G" and view.title() == "memnotify"
    assert [len(run) for run in view.line()] == [12, 2]


def test_an_answer_that_is_no_look_is_no_server(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server)
    for looks in server.streams:
        looks.put("no look")
    wait_until(lambda: len(server.streams) == 2, "it to connect again")
    view.wait_text("#state", "live")
    assert browser.complaints() == []


def test_a_server_that_says_nothing_is_away(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server, before=HIDING)
    browser.evaluate("pass(10000)")
    assert view.text("#state") == "reconnecting"
    view.wait_text("#state", "live")
    assert len(server.streams) == 2 and browser.complaints() == []


def test_pause_lets_it_stand_still(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server)
    falling(server, view, limit())
    view.click("#pause")
    before = view.text("main"), view.line()
    assert view.text("#state") == "live, every 2 s; paused" and view.attribute("#pause", "aria-pressed") == "true"
    server.send(look(22, mount(GIB // 2, limits=[limit(reached=True)]), events=[event(21)], processes=[]))
    wait_until(lambda: view.title().startswith("!"), "the title, which tells all the same")
    assert (view.text("main"), view.line()) == before
    view.click("#pause")
    assert view.text("#events .word") == "reached" and len(view.line()[0]) == len(before[1][0]) + 1
    assert view.text("#state") == "live, every 2 s"


def test_it_sleeps_when_nobody_has_looked_for_a_minute(exporter, view_of, browser):
    server = exporter(mount())
    view = view_of(server, before=HIDING)
    for script in ("setHidden(true)", "setHidden(false)", "pass(60000)", "setHidden(true)"):
        browser.evaluate(script)
        assert view.text("#state") == "live, every 2 s"
    browser.evaluate("pass(60000)")
    assert view.text("#state") == "asleep"
    server.latest = look(100, mount(GIB))
    browser.evaluate("setHidden(false)")
    view.wait_text("#meter-value", "1.00G")
    assert len(server.streams) == 2 and browser.complaints() == []


# --- how it looks ---


def test_it_is_no_wider_than_a_phone(exporter, view_of, browser):
    server = exporter(mount(name="web", limits=[limit(crossings=100000), limit("a" * 60, reached=True)]),
                      mount(name="database"), lacking("third"))
    view = view_of(server, width=320, height=700)
    server.send(look(2, *server.latest["mounts"], events=[event(1, of="web", threshold="b" * 60)],
                     processes=[process(4194304, "VizCompositorTh", 100 * GIB, -99 * GIB, GIB)]))
    view.wait_text("#processes tbody", "Viz")
    view.shoot("phone")
    assert view.overflow() == [0, []]
    small = browser.evaluate("Array.from(document.querySelectorAll('button, select')).filter(e => e.offsetParent &&"
                             " e.getBoundingClientRect().height < 24).map(e => e.outerHTML)")
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_and_light_can_be_read(exporter, view_of, browser, scheme):
    view = view_of(exporter(mount(500 * MIB, limits=[limit(reached=True)])), scheme=scheme)
    view.shoot(scheme)
    paper = luminance(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert paper == 1 if scheme == "light" else paper < 0.02
    for selector, on in ((".word", ".word"), (".what", "#limits .reached"), ("td.hot", "body"),
                         ("#meter-value", "body"), ("thead th", "body"), ("#state", "body"), ("#pause", "#pause")):
        ink, ground = (luminance(browser.evaluate(f"getComputedStyle(document.querySelector('{place}')).{what}"))
                       for place, what in ((selector, "color"), (on, "backgroundColor")))
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, selector


def test_who_wants_no_motion_has_none(exporter, view_of, browser):
    view_of(exporter(mount()))
    moves = "getComputedStyle(document.querySelector('.bar div')).transitionDuration"
    assert browser.evaluate(moves) == "0.3s"
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    assert browser.evaluate(moves) == "0s"


# --- the program itself ---


def place_of(server):
    return types.SimpleNamespace(address=server.places[0])


def test_what_a_machine_shows_is_what_the_page_shows(export, daemon, view_of, browser):
    """From the memory over the tree and the exporter to the page, without a complaint."""
    daemon.simulate("total 1000000 swap_total 0 available 500000 used 300000")
    write_text(daemon / "thresholds" / "low", "available<10%")
    server = export("--listen=0", "--interval=200ms", "--at", daemon.mountpoint)
    view = view_of(place_of(server))
    view.wait_text("#meter-value", size(500000))
    assert str(daemon.mountpoint) in view.text("#title") and not view.is_hidden("#simulated")
    assert view.rows("#limits li") == [["low", "not reached", f"available < {size(100000)}", "0 crossings"]]
    assert view.attribute("[aria-pressed=true]", "title") == "Memory that can be had without swapping."

    daemon.simulate("available 50000")
    view.wait_text("#limits .reached .word", "reached")
    view.wait_text("#events .reached", "low")
    assert view.title() == "! low reached — memnotify"
    daemon.simulate("available 500000")
    view.wait_text("#limits li .word", "not reached")
    assert [row[1:] for row in view.rows("#events li")] == [
        ["low", "available", "left", f"{size(500000)} limit {size(100000)}"],
        ["low", "available", "reached", f"{size(50000)} limit {size(100000)}"]]
    assert browser.complaints() == []
    browser.leave()


def test_mounts_are_tabs_and_a_server_that_has_ended_is_said(export, serve, view_of, browser):
    daemons = [serve(simulate=True), serve(simulate=True)]
    for daemon, pages in zip(daemons, (100000, 200000)):
        daemon.simulate(f"total 1000000 swap_total 0 available {pages}")
    server = export("--listen=0", "--interval=200ms", *(f"--mount={name}={daemon.mountpoint}"
                                                        for name, daemon in zip(("one", "two"), daemons)))
    view = view_of(place_of(server))
    wait_until(lambda: len(view.rows("#tabs button")) == 2, "the tabs")
    view.wait_text("#meter-value", size(100000))
    view.click("#tab-1")
    view.wait_text("#meter-value", size(200000))
    daemons[1].stop()
    view.wait_text("#lack", "looking for the next")
    assert view.text("#meter-value") == size(200000)
    daemons[1].start()
    wait_until(lambda: view.is_hidden("#lack"), "the next server")
    browser.leave()


def test_who_has_left_the_page_is_not_looked_for(export, daemon, view_of, browser):
    server = export("--listen=0", "--interval=200ms", "--at", daemon.mountpoint)
    view_of(place_of(server))
    assert metric(daemon, 'open_files{file="events"}') == 1
    browser.leave()
    wait_until(lambda: metric(daemon, 'open_files{file="events"}') == 0, "nobody to read events")
