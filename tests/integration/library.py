# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that uses libmemnotifyfs, in a process of its own: tests/clients/drive-client.c."""

import errno
import os
import select
import subprocess
import time
from collections import namedtuple

from clients import TIMEOUT_S

DRIVER = os.path.abspath(os.environ.get("DRIVE_CLIENT", "build/tests/clients/drive-client"))

Event = namedtuple("Event", "kind meter value limit count time_us")


def parse(line):
    """A result as the library has it, with errors by their names: "ok", "EINVAL", "nothing", an Event, a number."""
    words = line.split()
    if len(words) == len(Event._fields) and words[-1].isdigit():
        return Event(words[0], words[1], *map(int, words[2:]))
    if len(words) == 1 and words[0].lstrip("-").isdigit():
        return int(words[0]) if int(words[0]) >= 0 else errno.errorcode[-int(words[0])]
    return line


class Client:
    """client("limits", "used 80%"): makes the call, and returns what came of it."""

    def __init__(self, place=None, environment=None):
        self.process = subprocess.Popen([DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env={**os.environ, **(environment or {})})
        if place is not None:
            assert self("open", place) == "ok"

    @property
    def pid(self):
        return self.process.pid

    def begin(self, name, argument=""):
        self.process.stdin.write(f"{name} {argument}\n".encode())

    def end(self):
        end = time.monotonic() + TIMEOUT_S
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0], "no answer"
            more = os.read(self.process.stdout.fileno(), 4096)
            assert more, "it has ended"
            line += more
        return parse(line.decode().rstrip("\n"))

    def __call__(self, name, argument=""):
        self.begin(name, argument)
        return self.end()

    def wait(self):
        """The next event as (kind, meter)."""
        event = self("wait")
        assert isinstance(event, Event), event
        return event.kind, event.meter

    def rest(self):
        """All events that are there, as (kind, meter)."""
        events = []
        while (event := self("next")) != "nothing":
            events.append((event.kind, event.meter))
        return events

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self):
        """It must have left no descriptor open, nor lost memory where a sanitizer looks."""
        self.process.stdin.close()
        try:
            assert self.process.wait(TIMEOUT_S) == 0
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
