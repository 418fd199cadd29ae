# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-exporter as a process of a test's own, and clients of it."""

import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager

from clients import TIMEOUT_S, open_files, wait_until

EXPORTER = os.path.abspath(os.environ.get("EXPORTER", "build/clients/bridges/exporter/memnotify-exporter"))
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
PROMETHEUS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


MESSAGES_MAX = 500  # in which something has to happen


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self.path)


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name not in ("MEMNOTIFYFS", "XDG_RUNTIME_DIR")}
    return {"ASAN_OPTIONS": "quarantine_size_mb=1", **kept, **changes}


def exporter(*words, **settings):
    """One that is to end by itself."""
    return subprocess.run([EXPORTER, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT_S, env=environment(), check=False, **settings)


class Exporter:
    """One that serves. Words are those of its command line."""

    def __init__(self, *words, wrapper=(), env=None, **settings):
        self.messages = tempfile.NamedTemporaryFile(prefix="memnotify-exporter.")
        self.process = subprocess.Popen([*wrapper, EXPORTER, *map(str, words)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.messages, text=True,
                                        env=env or environment(), **settings)
        self.places = [self.read_place()]
        self.first_files = Counter(self.files())

    def read_place(self):
        """Where it listens, as it says."""
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening at (.*)\n", line)
        assert match, line + self.read_messages()
        return match.group(1)

    def read_messages(self):
        with open(self.messages.name, encoding="utf-8") as messages:
            return messages.read()

    @property
    def pid(self):
        return self.process.pid

    def files(self):
        """What it has open, without the numbers of sockets and pipes."""
        return [re.sub(r"\[\d+\]", "", path) for path in open_files(self.pid)]

    @property
    def address(self):
        """(host, port) of the first place."""
        match = re.fullmatch(r"http://\[?([^]/]*)\]?:(\d+)/", self.places[0])
        return match.group(1), int(match.group(2))

    def connect(self):
        client = socket.create_connection(self.address, timeout=TIMEOUT_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def ask(self, path, method="GET", place=None, body=None, **headers):
        """(the answer, its body)"""
        place = place or self.places[0]
        connection = UnixConnection(place) if place.startswith("/") else http.client.HTTPConnection(
            place.removeprefix("http://").rstrip("/"), timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def get(self, path="/metrics", **headers):
        answer, text = self.ask(path, **headers)
        assert answer.status == 200, text
        return text

    def send(self, request):
        """What comes back until the connection is closed."""
        with self.connect() as client:
            client.sendall(request)
            return read_to_end(client)

    def stop(self, number=signal.SIGTERM):
        """All who have come have gone, and nothing of theirs is left."""
        wait_until(lambda: not Counter(self.files()) - self.first_files, f"{self.files()} to be as at first")
        self.end(number)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(TIMEOUT_S)
        assert (status, self.read_messages()) == (0, "")

    def close(self):
        try:
            if self.process.returncode is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.messages.close()


def reset_at_the_end(client):
    """The server sees at once that he has gone, and does not wait for the rest."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_to_end(client):
    text = b""
    while True:
        try:
            more = client.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return text
        text += more


class Viewer:
    """Somebody who looks at /events."""

    def __init__(self, exporter):
        self.socket = exporter.connect()
        self.socket.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()

    def read(self):
        """The next message."""
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            if line.startswith("data: "):
                return json.loads(line[6:])

    def read_until(self, condition):
        """The first message of which it is true."""
        for _ in range(MESSAGES_MAX):
            message = self.read()
            if condition(message):
                return message
        raise AssertionError(message)

    def close(self):
        reset_at_the_end(self.socket)
        self.answer.close()
        self.socket.close()


@contextmanager
def viewing(exporter):
    viewer = Viewer(exporter)
    try:
        yield viewer
    finally:
        viewer.close()
