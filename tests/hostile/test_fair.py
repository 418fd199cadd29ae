# SPDX-License-Identifier: LGPL-2.1-or-later
"""While one user takes all that he can get, another is served and refused nothing, and the daemon's memory does not
grow with his greed. When he has gone everything is as before."""

import os
import signal
import threading
import time

import pytest

from clients import Child, opened, wait_until
from hostile import ATTACK_S, ATTACKER, VICTIM, answer, holdings, register, subscribe, use
from test_shares import METERS

# How much each prepares: see attacks.c.
ATTACKS = {"zoneinfo": 4096, "signals": 1024, "ranking": 1, "thresholds": 1, "storm": 1, "readers": 1, "slow": 1000,
           "registrations": 256, "epoll": 15000, "inotify": 20000, "mounts": 3000, "oom": 1}
CROSSING = {"readers", "slow"}  # of limits that are crossed meanwhile
MEMORY_KIB = 16 * 1024  # private memory that one attacker may cost
PREPARE_S = 60
CROWD = 200  # threads
FEW = 20     # as many as are served singly, before it is seen that there are many


def list_processes(mount):
    with opened(mount / "oom_ranking", os.O_RDONLY) as fd:
        return len(os.read(fd, 4096)) > 0


def make_threshold(mount):
    path = mount / "thresholds" / "victim"
    with opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL) as fd:
        os.write(fd, b"used 99%")
    os.unlink(path)
    return 0


def follow_events(mount):
    with opened(mount / "events", os.O_RDONLY | os.O_NONBLOCK):
        return 0


def demand_service(daemon):
    """Nothing is refused to another user."""
    asked = [(use, True), (list_processes, True), (make_threshold, 0), (follow_events, 0), (register, 0),
             (subscribe, 0)]
    for ask, expected in asked:
        print(ask.__name__, end=" ", flush=True)  # which it was, if there is no answer
        assert answer(lambda: ask(daemon.mountpoint), VICTIM) == expected, ask.__name__


def cross(daemon, pages):
    daemon.simulate(" ".join(f"{meter} {pages}" for meter in METERS))


def endure(daemon, names):
    """How far its private memory grew while they attack."""
    before_kib, worst_kib = daemon.status_number("RssAnon"), 0
    end = time.monotonic() + ATTACK_S
    while time.monotonic() < end:
        demand_service(daemon)
        if CROSSING & set(names):
            for pages in (6000, 4000):
                assert answer(lambda: cross(daemon, pages), 0) is None
        worst_kib = max(worst_kib, daemon.status_number("RssAnon") - before_kib)
    return worst_kib


@pytest.fixture
def daemon(serve, make_machine):
    """A large machine, whose texts are long."""
    return serve("-o", "update_space=4", machine=make_machine("cpus64-6.1"), simulate=True)


@pytest.mark.parametrize("names", [[name] for name in ATTACKS] + [list(ATTACKS)],
                         ids=[*ATTACKS, "all together"])
def test_another_user_is_served(daemon, attack, names):
    demand_service(daemon)
    wait_until(lambda: daemon.fds() == daemon.first_fds, "the victim's own to be given back")
    before = daemon.belongings()

    attackers = [attack("attacks", name, daemon.mountpoint, ATTACKS[name]) for name in names]
    for attacker in attackers:
        assert attacker.hear(PREPARE_S) == "attacking"
    worst_kib = endure(daemon, names)
    for attacker in attackers:
        attacker.kill()
        attacker.wait()

    wait_until(lambda: daemon.belongings() == before, "everything to be given back")
    demand_service(daemon)
    assert worst_kib <= MEMORY_KIB


class Gate:
    """A child waits here until it is opened."""

    def __init__(self):
        self.inner, self.outer = os.pipe()

    def pass_through(self):
        os.read(self.inner, 1)

    def open(self):
        os.write(self.outer, b"x")


def test_a_crowd_is_not_served_first(daemon):
    """All requests of one user were there before that of another, whose answer says how many of them were served."""
    length = len((daemon / "zoneinfo").read_bytes())
    crowds_gate, readers_gate = Gate(), Gate()

    def crowd(say):
        fds = [os.open(daemon / "zoneinfo", os.O_RDONLY) for _ in range(CROWD)]
        say("ready")
        crowds_gate.pass_through()
        for fd in fds:
            threading.Thread(target=os.read, args=(fd, 1)).start()
        signal.pause()

    def read_users(say):
        with opened(daemon / "users", os.O_RDONLY) as fd:
            say("ready")
            readers_gate.pass_through()
            say(os.read(fd, 4096).decode())

    with Child(crowd, ATTACKER) as attacker, Child(read_users, 0) as reader:
        assert (attacker.hear(), reader.hear()) == ("ready", "ready")
        daemon.process.send_signal(signal.SIGSTOP)
        crowds_gate.open()
        wait_until(lambda: daemon.connection.waiting() == CROWD, "the crowd to wait")
        readers_gate.open()
        wait_until(lambda: daemon.connection.waiting() == CROWD + 1, "the other to wait")
        daemon.process.send_signal(signal.SIGCONT)
        held = holdings(reader.hear())[ATTACKER]
        assert held["bytes"] // length <= FEW
        assert held["requests"] >= CROWD - FEW
        wait_until(lambda: daemon.connection.waiting() == 0, "all to be served")
