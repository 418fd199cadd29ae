# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real server, with simulated memory and a socket beside its mount. After each test it has to end with 0, without a
word, and with no more descriptors than at first; the test itself has to leave none open either."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path[:0] = [str(SOURCE), str(ROOT / "tests" / "integration"), str(ROOT / "tests")]
pytest.register_assert_rewrite("clients", "daemon")

from clients import open_files  # noqa: E402
from daemon import Daemon  # noqa: E402
from pytest_count import pytest_configure  # noqa: E402, F401

ENOUGH, SCARCE = "used 10% available 60%", "used 90% available 2%"


class Server(Daemon):
    def __init__(self):
        super().__init__("-o", "update_space=4", simulate=True)
        self.socket = f"{self.mountpoint}.sock"
        self.arguments.insert(-1, f"--socket={self.socket}")

    def start(self):
        super().start()
        self.simulate(ENOUGH)
        return self

    def end(self):
        """As by a crash."""
        self.kill()
        subprocess.run(["umount", "-l", self.mountpoint], check=True)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv("MEMNOTIFYFS", raising=False)  # that of the tests names the program
    before = open_files(os.getpid())
    server = Server()
    try:
        server.start()
        yield server
        assert len(open_files(os.getpid())) == len(before) + 1, "one for what the server says"
    finally:
        server.close()
        Path(server.socket).unlink(missing_ok=True)
