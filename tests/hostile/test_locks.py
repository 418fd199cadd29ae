# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of the kernel that a client holds while the daemon looks at him."""

import errno
import os
import select
import signal
import time

import pytest

from clients import Child, opened, read_text, wait_until
from hostile import ATTACK_S, LIMIT_S, VICTIM, answer, register, subscribe, use

REFUSED = {errno.EINVAL, errno.EBUSY}


@pytest.fixture
def before(daemon):
    """What the daemon has open and running once it has looked at a client and was to signal one: both its helpers."""
    assert answer(lambda: register(daemon.mountpoint)) == 0
    assert answer(lambda: subscribe(daemon.mountpoint)) == 0
    wait_until(lambda: daemon.fds() == daemon.first_fds, "the first client to be forgotten")
    return daemon.belongings()


def demand_recovery(daemon, before):
    """As if there had been no attack: others register, and nothing is left of it."""
    wait_until(lambda: answer(lambda: register(daemon.mountpoint)) == 0, "registrations to succeed")
    wait_until(lambda: daemon.belongings() == before, f"{daemon.belongings()} to become {before}")


def test_an_epoll_set_with_one_of_our_files(daemon, before, attack):
    attacker = attack("epoll_set", daemon.mountpoint, ATTACK_S)
    assert attacker.hear() == "attacking"
    daemon.besiege()
    answers = {int(number) for number in attacker.hear().split()}
    assert answers and answers <= REFUSED
    demand_recovery(daemon, before)


def toggle(daemon):
    """Moves a meter over the limits of a client and back, 300 times a second."""
    with opened(daemon / "simulate", os.O_WRONLY) as fd:
        while True:
            os.write(fd, b"available 10%")
            time.sleep(0.003)
            os.write(fd, b"available 90%")
            time.sleep(0.003)


def test_a_correct_client_with_two_threads(daemon, before, attack):
    client = attack("event_loop", daemon.mountpoint, 5)
    assert client.hear() == "waiting"
    with Child(lambda _say: toggle(daemon)) as toggler:
        daemon.besiege(5)
        registered, refused = map(int, client.hear().split())
        toggler.signal(signal.SIGKILL)
    assert (registered > 0, refused) == (True, 0)
    demand_recovery(daemon, before)


def start_replace_poll(daemon, stubborn, attack):
    attacker = attack("replace", daemon.mountpoint, "poll", stubborn / "poll")
    assert stubborn.hear() == "holds poll"
    attacker.tell()
    return attacker


def start_replace_flush(daemon, stubborn, attack):
    attacker = attack("replace", daemon.mountpoint, "flush", stubborn / "flush")
    attacker.tell()
    return attacker


def start_exec_lock(daemon, stubborn, attack):
    return attack("exec_lock", daemon.mountpoint, stubborn / "flush")


def start_directory_lock(daemon, stubborn, attack):
    attacker = attack("directory_lock", daemon.mountpoint, stubborn / "read")
    assert stubborn.hear() == "holds read"
    attacker.tell()
    return attacker


HELD_FOR_GOOD = pytest.mark.parametrize("start", [start_replace_poll, start_replace_flush, start_exec_lock,
                                                  start_directory_lock])


@HELD_FOR_GOOD
def test_a_lock_that_is_held_for_good(daemon, before, stubborn, attack, start):
    """By a client whose own FUSE server does not answer."""
    attacker = start(daemon, stubborn, attack)
    assert attacker.hear() == "attacking"
    daemon.besiege()
    attacker.kill()
    assert daemon.is_used_well()
    stubborn.release()
    attacker.wait()
    demand_recovery(daemon, before)


def test_who_is_slow_delays_nobody_else(daemon, before, stubborn, attack):
    """Others are answered while he is not: he has a process of his own until he is given up."""
    attacker = start_directory_lock(daemon, stubborn, attack)
    assert attacker.hear() == "attacking"
    wait_until(lambda: answer(lambda: register(daemon.mountpoint)) == 0 and len(daemon.children()) > before[1],
               "the slow one to be set aside")
    for _ in range(5):
        assert answer(lambda: register(daemon.mountpoint)) == 0
    assert "given up" not in daemon.read_messages()
    attacker.kill()
    stubborn.release()
    attacker.wait()
    demand_recovery(daemon, before)


def test_a_ranking_while_a_directory_of_proc_is_locked(daemon, before, stubborn, attack):
    """Its reader may wait or be refused; nobody else does."""
    attacker = start_directory_lock(daemon, stubborn, attack)
    assert attacker.hear() == "attacking"
    with Child(lambda _say: read_text(daemon / "oom_ranking"), uid=VICTIM) as reader:
        daemon.besiege()
        attacker.kill()  # or it would register more, once it can
        stubborn.release()
        reader.wait()
    attacker.wait()
    demand_recovery(daemon, before)


@HELD_FOR_GOOD
def test_a_daemon_that_is_killed_meanwhile_is_gone(daemon, before, stubborn, attack, start):
    """No process that it has left behind keeps its connection, or its clients would wait for ever."""
    def wait_for_the_end(say):
        with opened(daemon / "memnotify") as fd:
            os.read(fd, 100)
            poll = select.poll()
            poll.register(fd, select.POLLPRI)
            say("waiting")
            say(poll.poll()[0][1])

    with Child(wait_for_the_end, uid=VICTIM) as client:
        assert client.hear() == "waiting"
        assert start(daemon, stubborn, attack).hear() == "attacking"
        daemon.besiege()
        daemon.process.kill()
        assert select.select([client.reader], [], [], LIMIT_S)[0], "its clients are not told"
        assert client.hear() & select.POLLERR
        assert answer(lambda: use(daemon.mountpoint)) == "ENOTCONN"
        daemon.wait()
