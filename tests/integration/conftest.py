# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real program on a real mount. After each test it has to end with 0 on SIGTERM, to have said nothing
unexpected, to have as many descriptors open as before its clients came, and to leave no mount."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
pytest.register_assert_rewrite("bus", "clients", "command", "daemon", "exporter", "exposition", "fleet",
                              "holey", "machine", "memcg_client", "program", "prometheus", "socket_client", "terminal")

from browser import PROGRAM, Browser  # noqa: E402
from daemon import Daemon  # noqa: E402
from exporter import Exporter  # noqa: E402
from fixtures import close_all, directory, make_machine  # noqa: E402, F401
from memcg_client import MIB, set_usage  # noqa: E402
from pytest_count import pytest_configure  # noqa: E402, F401


@pytest.fixture
def serve():
    """serve("-o", "ack=poll", machine=…, simulate=True): a running Daemon."""
    running = []

    def start(*options, **settings):
        daemon = Daemon(*options, **settings)
        running.append(daemon)
        return daemon.start()

    yield start
    close_all(running)


@pytest.fixture
def start():
    """start(thing) is closed in the end, the last first."""
    running = []

    def add(thing):
        running.append(thing)
        return thing

    yield add
    close_all(running)


@pytest.fixture
def browser(tmp_path):
    if not PROGRAM:
        pytest.skip("chromium is not installed")
    opened = Browser(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def daemon(serve, make_machine):
    """A machine that stands still, every meter of which can be moved; limits are left at once."""
    return serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)


@pytest.fixture
def still(daemon):
    """A machine whose usage is 1000 MiB, until it is simulated otherwise."""
    set_usage(daemon, 1000 * MIB)
    return daemon


@pytest.fixture
def export(start):
    """export("--listen=0", "--at", …): a running memnotify-exporter."""
    return lambda *words, **settings: start(Exporter(*words, **settings))


@pytest.fixture
def served(export, daemon):
    return export("--listen=0", "--at", daemon.mountpoint)
