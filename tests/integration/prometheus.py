# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prometheus, its node_exporter and its Alertmanager as processes of a test's own, and their tools: on loopback, on
ports that are free, in directories that go with the test. They are looked for in PATH and where ./quickstart test has
unpacked them."""

import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clients import TIMEOUT_S, wait_until

NAMES = {  # Debian's first
    "prometheus": ["prometheus"],
    "promtool": ["promtool"],
    "amtool": ["amtool"],
    "alertmanager": ["prometheus-alertmanager", "alertmanager"],
    "node_exporter": ["prometheus-node-exporter", "node_exporter"],
}
UNPACKED = os.environ.get("UNPACKED", "")
PLACES = os.pathsep.join([os.environ["PATH"], UNPACKED + "/usr/bin"])


def find(program):
    """Where it is; skips the test if it is nowhere."""
    paths = [path for name in NAMES[program] if (path := shutil.which(name, path=PLACES))]
    if not paths:
        pytest.skip(f"{program} is not there ({NAMES[program][0]})")
    return paths[0]


def run_tool(program, *arguments, text=None):
    """promtool or amtool to its end."""
    return subprocess.run([find(program), *map(str, arguments)], input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)


# For a program that was only unpacked: its data are where they would be if it were installed.
AS_INSTALLED = 'mount -t overlay -o "lowerdir=$0/usr/share:/usr/share" none /usr/share && exec "$@"'


def command_of(program):
    path = find(program)
    if UNPACKED and path.startswith(UNPACKED):
        return ["unshare", "--mount", "sh", "-c", AS_INSTALLED, UNPACKED, path]
    return [path]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A program that serves HTTP at its `address`, with what it says in a file of the directory."""

    def __init__(self, program, directory, *options):
        self.address = f"127.0.0.1:{free_port()}"
        self.messages = directory / f"{program}.log"
        with open(self.messages, "wb") as messages:
            self.process = subprocess.Popen([*command_of(program), f"--web.listen-address={self.address}", *options],
                                            cwd=directory, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)

    def wait_ready(self, path):
        wait_until(lambda: self.answers(path) or self.process.poll() is not None, f"{self.process.args[0]} to serve")
        assert self.process.poll() is None, self.messages.read_text()
        return self

    def answers(self, path):
        try:
            return self.get(path) is not None
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=TIMEOUT_S) as answer:
            return answer.read().decode()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()


class Prometheus(Service):
    def ask(self, path, **query):
        return json.loads(self.get(f"/api/v1/{path}?{urllib.parse.urlencode(query)}"))["data"]

    def query(self, expression):
        """[(labels, value)] of the present moment."""
        return [(sample["metric"], float(sample["value"][1]))
                for sample in self.ask("query", query=expression)["result"]]


class Answers:
    """An HTTP server of the test's own: answer(handler, body) returns (content type, bytes)."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                kind, text = answer(self, body)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = serve

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
