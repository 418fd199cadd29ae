# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real program in the mounts and containers that people use. All of it happens in a mount namespace of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from podman import Podman  # noqa: E402
from process import Session, output_of  # noqa: E402
from pytest_count import pytest_configure  # noqa: E402, F401
from world import World, is_mounted, mount  # noqa: E402


@pytest.fixture(scope="session")
def world():
    made = World(os.environ["WORLD"])
    mount("--make-rshared", "/")  # so that what is mounted here arrives in containers
    return made


@pytest.fixture
def user(world):
    return world.users[0]


@pytest.fixture(scope="session")
def podman(world):
    """Rootless."""
    return Podman(world, world.users[0])


@pytest.fixture(scope="session")
def root_podman(world):
    return Podman(world, None)


@pytest.fixture
def start():
    """start(command): a Session, ended after the test."""
    sessions = []

    def begin(command, **settings):
        sessions.append(Session(command, **settings))
        return sessions[-1]

    yield begin
    for session in reversed(sessions):
        session.close()


@pytest.fixture
def place(world):
    """A directory to mount on, in one that every user can enter. Nothing is left mounted there."""
    path = Path(tempfile.mkdtemp(prefix="place.", dir=world.path))
    path.chmod(0o755)
    mountpoint = path / "memnotify"
    mountpoint.mkdir()
    yield mountpoint
    while is_mounted(mountpoint):
        subprocess.run(["umount", "-l", mountpoint], check=True)


@pytest.fixture
def host(world, place):
    """A simulating daemon of the machine's root, at `place`."""
    output_of([world.bin / "memnotifyfs", "--simulate", place])
    yield place
