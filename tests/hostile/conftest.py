# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each test has a daemon on a real mount, which has to end as in tests/integration after the attack, and attackers, who
are ended before it."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration"), str(HERE.parent)]
pytest.register_assert_rewrite("clients", "daemon", "hostile", "socket_client")

from fixtures import close_all, directory, make_machine  # noqa: E402, F401
from hostile import Attack, Besieged, Stubborn  # noqa: E402
from pytest_count import pytest_configure  # noqa: E402, F401


@pytest.fixture
def serve():
    """serve("-o", "oom=adj", machine=…, simulate=True): a running daemon."""
    daemons = []

    def start(*options, **settings):
        daemons.append(Besieged(*options, **settings))
        return daemons[-1].start()

    yield start
    close_all(daemons)


@pytest.fixture
def daemon(serve, make_machine):
    """A machine that stands still, every meter of which can be moved."""
    return serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)


@pytest.fixture
def attack(serve):
    """attack("reader", "read", path): a running attacker."""
    attacks = []

    def start(*arguments, **settings):
        attacks.append(Attack(*arguments, **settings))
        return attacks[-1]

    yield start
    close_all(attacks)


@pytest.fixture
def stubborn(attack):
    """A FUSE server that does not answer. It ends before the others, who wait for it."""
    server = Stubborn()
    yield server
    server.close()
