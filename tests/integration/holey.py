# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that know nothing of memnotifyfs, whose heaps are full of holes, with libmemnotify-trim in them."""

import os
import re

from clients import read_text, wait_until
from machine import PAGE_KIB
from program import Program

LIBRARY = os.environ["TRIM"]
PYTHON = "/usr/bin/python3"
TOTAL_PAGES = (8 << 20) // PAGE_KIB
PLENTY, SHORT = f"available {TOTAL_PAGES // 2}", f"available {TOTAL_PAGES // 20}"

# 60 MB of blocks of which each twentieth is kept, so that no part of the heap is free as a whole.
HEAP = """
import os, signal, sys
def fill():
    return [bytearray(2000) for _ in range(30000)][::20]
def rest():
    print("ready", flush=True)
    while True:
        signal.pause()
def on(number, action):
    signal.signal(number, lambda *_: action())
kept = fill()
"""
HOLES_MIB = 50

TOLD = re.compile(r"memnotify-trim: \S+\[(\d+)\]: resident ([\d.]+)M before, ([\d.]+)M after \(glibc\), \d+ ms; "
                  r"available reached 409.6M, limit 819.2M")


def told(text):
    """[(pid, MiB that were given back)] of the lines, all of which have to be of that kind."""
    matches = [TOLD.fullmatch(line) for line in text.splitlines()]
    assert all(matches), text
    return [(int(match.group(1)), float(match.group(2)) - float(match.group(3))) for match in matches]


def resident_mib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", read_text(f"/proc/{pid}/status"), re.MULTILINE).group(1)) / 1024


def serve_plenty(serve):
    """A daemon with a socket that shows as much memory as there is of PLENTY."""
    daemon = serve("--socket", simulate=True)
    daemon.simulate(f"total {TOTAL_PAGES} {PLENTY}")
    return daemon


def n_waiting(daemon):
    """Limits that are waited for."""
    names, *lines = [line.split() for line in read_text(daemon / "users").splitlines()]
    return sum(int(line[names.index("limits")]) for line in lines)


def helper_of(pid):
    """The directory in /proc of the library's thread; None if there is none."""
    tasks = (f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task"))
    return next((task for task in tasks if read_text(f"{task}/comm") == "memnotify-trim\n"), None)


class HoleyProgram(Program):
    """Runs `text` when its heap is full of holes; it is to print "ready" in the end."""

    def __init__(self, directory, daemon, text, **environment):
        self.daemon, self.others = daemon, n_waiting(daemon)
        environment = {"LD_PRELOAD": LIBRARY, "MEMNOTIFYFS": str(daemon.mountpoint), **environment}
        super().__init__(directory, [PYTHON, "-c", HEAP + text], env={**os.environ, **environment})

    def wait_ready(self, number=1):
        """Until so many, of it and of what it has forked, wait at the daemon."""
        wait_until(lambda: "ready\n" in self.output() or self.process.poll(), "ready")
        assert "ready\n" in self.output(), self.messages()
        wait_until(lambda: n_waiting(self.daemon) == self.others + number, f"{number} that wait")

    def told(self, number):
        """What the first so many lines have told."""
        wait_until(lambda: len(self.messages().splitlines()) >= number, f"{number} lines")
        return told(self.messages())
