# SPDX-License-Identifier: LGPL-2.1-or-later
"""memcg/: who waits for an eventfd is woken when the daemon ends, also when it is killed. Its guard does that."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import open_files, wait_until
from daemon import helpers_of, name_of
from memcg_client import OOM, USAGE, Client

FULL = 2**64 - 2


def guards_of(daemon):
    return [pid for pid in map(int, helpers_of(daemon.pid)) if name_of(pid) == "mn-guard"]


def guard_of(daemon):
    """The one that has become so: for a moment it is still called as the daemon."""
    wait_until(lambda: guards_of(daemon), "the guard")
    (pid,) = guards_of(daemon)
    return pid


def is_gone(pid):
    """Whoever is to wait for it now may not do so."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def n_guarded(pid):
    return sum("[eventfd]" in path for path in open_files(pid))


def wait_guarded(pid, number):
    wait_until(lambda: n_guarded(pid) == number, f"{n_guarded(pid)} eventfds to become {number}")


@pytest.fixture
def client(still):
    with Client(still / "memcg") as made:
        yield made


def test_nobody_is_there_before_there_is_something_to_guard(still, client):
    assert guards_of(still) == []
    assert client.register(USAGE, "1100M") == 0
    wait_guarded(guard_of(still), 1)


def test_a_daemon_that_is_killed(still, client):
    """Each eventfd gets one, however many registrations there are. What signals a service does not reach the guard."""
    assert client.register(USAGE, "1100M") == client.register(OOM) == 0
    guard = guard_of(still)
    wait_guarded(guard, 1)
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        os.kill(guard, number)
    still.kill()
    assert client.wait_events() == 1
    wait_until(lambda: is_gone(guard), "the guard to end")
    assert client.events() == 0


def test_an_eventfd_that_is_full_keeps_nobody_from_being_told(still, client):
    with Client(still / "memcg", eventfd=os.eventfd(FULL & 0xffffffff, os.EFD_CLOEXEC)) as full:
        os.eventfd_write(full.eventfd, FULL - (FULL & 0xffffffff))
        assert full.register(USAGE, "1100M") == client.register(USAGE, "1100M") == 0
        guard = guard_of(still)
        wait_guarded(guard, 2)
        still.kill()
        assert client.wait_events() == 1
        wait_until(lambda: is_gone(guard), "the guard to end")


def test_a_daemon_that_is_stopped(still, client):
    """The registrations are told, and nothing is said twice."""
    assert client.register(USAGE, "1100M") == client.register(OOM) == 0
    guard = guard_of(still)
    wait_guarded(guard, 1)
    still.process.send_signal(signal.SIGTERM)
    still.demand_clean_end()
    assert is_gone(guard)
    assert client.events() == 2


def test_what_is_closed_is_dropped(still, client):
    with Client(still / "memcg") as other:
        assert client.register(USAGE, "1100M") == other.register(USAGE, "1100M") == 0
        wait_guarded(guard_of(still), 2)
    wait_guarded(guard_of(still), 1)


def test_a_guard_that_is_killed(still, client):
    still.expected = [r"the guard process \d+ was ended by somebody; another is started"]
    assert client.register(USAGE, "1100M") == 0
    first = guard_of(still)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: guards_of(still) not in ([], [first]), "another guard")
    wait_guarded(guard_of(still), 1)
    still.kill()
    assert client.wait_events() == 1


def test_it_has_nothing_of_the_daemons(still, client):
    assert client.register(USAGE, "1100M") == 0
    guard = guard_of(still)
    wait_guarded(guard, 1)
    (socket,) = [path for path in open_files(guard) if path.startswith("socket:")]
    assert set(open_files(guard)) == {"/dev/null", still.messages.name, "anon_inode:[eventfd]", socket}


def test_nobody_waits_for_the_guard(still):
    """More than its socket has room for, while it does not listen; it is told in the end."""
    def register_all(number):
        clients = [stack.enter_context(Client(still / "memcg")) for _ in range(number)]
        return [client.register(USAGE, "1100M") for client in clients]

    with ExitStack() as stack:
        assert register_all(1) == [0]
        guard = guard_of(still)
        os.kill(guard, signal.SIGSTOP)
        assert register_all(400) == [0] * 400
        os.kill(guard, signal.SIGCONT)
        wait_guarded(guard, 401)
        os.kill(guard, signal.SIGSTOP)
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")
    os.kill(guard, signal.SIGCONT)
    wait_guarded(guard, 0)
