# SPDX-License-Identifier: LGPL-2.1-or-later
"""How it ends when others end it, and what it takes along into the background."""

import contextlib
import fcntl
import os
import re
import subprocess

import pytest

from clients import Child, opened
from daemon import PROGRAM, environment, is_mounted
from hostile import LIMIT_S, Connection


def abort(daemon):
    daemon.connection.abort()


def unmount_by_force(daemon):
    subprocess.run(["umount", "-f", daemon.mountpoint], capture_output=True, timeout=LIMIT_S, check=False)


def hold_open(daemon, say):
    with opened(daemon / "memnotify") as fd, opened(daemon / "events", os.O_RDONLY) as events:
        os.read(fd, 100)
        say("open")
        with contextlib.suppress(OSError):
            os.read(events, 100)


@pytest.mark.parametrize("end", [abort, unmount_by_force])
def test_a_connection_that_is_aborted_is_a_failure(daemon, end):
    """Or no service manager would start it again. It leaves no dead mount, which would be in the way of that."""
    with Child(lambda say: hold_open(daemon, say)) as client:
        assert client.hear() == "open"
        end(daemon)
        assert daemon.process.wait(LIMIT_S) == 1
    (line,), _ = daemon.unexpected_messages()
    assert re.fullmatch(r"memnotifyfs: the connection of '.*' was aborted, .*", line)
    assert not is_mounted(daemon.mountpoint)


def run(*arguments, **settings):
    return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, env=environment(),
                          timeout=LIMIT_S, check=False, **settings)


def test_a_lock_of_the_caller_is_not_taken_into_the_background(tmp_path):
    mountpoint = tmp_path / "mount"
    mountpoint.mkdir()
    with open(tmp_path / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(mountpoint, pass_fds=[lock.fileno()]).returncode == 0
    connection = Connection(mountpoint)
    try:
        with open(tmp_path / "lock", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        subprocess.run(["umount", mountpoint], timeout=LIMIT_S, check=True)
    finally:
        connection.abort()
        subprocess.run(["umount", "-l", mountpoint], capture_output=True, check=False)


@pytest.mark.parametrize("option", ["-h", "--help", "-V", "--version"])
def test_what_cannot_be_printed_is_an_error(option):
    with open("/dev/full", "w", encoding="ascii") as full:
        assert run(option, stdout=full, stderr=subprocess.DEVNULL).returncode == 1
