# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signals that oom_notify, oom_notify_critical and mem_notify send to who asks for them."""

import errno
import os
import select
import signal
import sys
import threading
import time

import pytest

from clients import Child, opened, wait_ready, wait_until
from daemon import helpers_of
from devices import Zone, grow

NOBODY = 65534
INTERVAL_S = 0.25  # longer than mem_notify's; still longer does no harm


@pytest.fixture
def machine(make_machine):
    machine = make_machine("debian-6.1-zram")
    Zone(machine).set(free=20000)
    return machine


@pytest.fixture
def devices(serve, machine):
    return serve(machine=machine)


def make_low(machine):
    Zone(machine).set(free=1)


def press(machine):
    """One notification of mem_notify."""
    zone = Zone(machine)
    zone.set(free=2 * zone.number("high"))
    time.sleep(INTERVAL_S)
    grow(machine, pgscan_anon=1)


def take_signal(numbers):
    """Waits for one of these, which are blocked."""
    return signal.sigwait(numbers)


def asking(path, request, number):
    """A child that asks for a signal, and says which has come."""
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        with opened(path) as fd:
            os.write(fd, request)
            say("asked")
            say(take_signal([number]))

    child = Child(ask)
    assert child.hear() == "asked"
    return child


@pytest.mark.parametrize("request_text, number", [
    (b"signal\n", signal.SIGIO), (b"signal SIGUSR1\n", signal.SIGUSR1), (b"signal usr2", signal.SIGUSR2),
    (b"signal 12\0", signal.SIGUSR2), (b"signal RTMIN+3\n", signal.SIGRTMIN + 3), (b"signal 64\n", signal.SIGRTMAX)])
def test_the_signal_asked_for_comes(devices, machine, request_text, number):
    with asking(devices / "oom_notify", request_text, number) as child:
        make_low(machine)
        assert child.hear() == number
        assert child.wait() == 0


@pytest.mark.parametrize("device", ["oom_notify", "oom_notify_critical", "mem_notify"])
def test_all_devices_signal(devices, machine, device):
    with asking(devices / device, b"signal USR1", signal.SIGUSR1) as child:
        if device == "mem_notify":
            press(machine)
        else:
            make_low(machine)
        assert child.hear() == signal.SIGUSR1


def test_who_sends_it_is_there_beforehand(devices):
    """When memory is short there may be no room for a process. One that is killed is replaced at once."""
    assert helpers_of(devices.pid) == []
    with asking(devices / "oom_notify", b"signal USR1", signal.SIGUSR1):
        helpers = helpers_of(devices.pid)
        assert len(helpers) == 2
        devices.expected.append(f"the helper process {helpers[1]} was ended by somebody; .*")
        os.kill(int(helpers[1]), signal.SIGKILL)
        wait_until(lambda: len(set(helpers_of(devices.pid)) - {helpers[1]}) == 2, "another in its place")


def test_a_handler_runs(devices, machine):
    def ask(say):
        came = []
        signal.signal(signal.SIGIO, lambda number, frame: came.append(number))
        with opened(devices / "oom_notify") as fd:
            os.write(fd, b"signal")
            say("asked")
            wait_until(lambda: came, "the handler")
            say(came[0])

    with Child(ask) as child:
        assert child.hear() == "asked"
        make_low(machine)
        assert child.hear() == signal.SIGIO


def test_an_ordinary_user_is_signalled(devices, machine):
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with opened(devices / "oom_notify") as fd:
            os.write(fd, b"signal USR1")
            say("asked")
            say(take_signal([signal.SIGUSR1]))

    with Child(ask, uid=NOBODY) as child:
        assert child.hear() == "asked"
        make_low(machine)
        assert child.hear() == signal.SIGUSR1


def test_the_process_of_a_thread_that_asks_is_signalled(devices, machine):
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with opened(devices / "oom_notify") as fd:
            thread = threading.Thread(target=os.write, args=(fd, b"signal USR1"))
            thread.start()
            thread.join()
            say("asked")
            say(take_signal([signal.SIGUSR1]))

    with Child(ask) as child:
        assert child.hear() == "asked"
        make_low(machine)
        assert child.hear() == signal.SIGUSR1


def test_off_and_another_signal(devices, machine):
    """Unblocked, either of the first two would end the child."""
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
        with opened(devices / "oom_notify") as off, opened(devices / "oom_notify") as changed:
            os.write(off, b"signal off")  # changes nothing
            os.write(off, b"signal USR1")
            os.write(off, b"signal off")
            os.write(changed, b"signal USR2")
            os.write(changed, b"signal RTMIN")
            say("asked")
            say(take_signal([signal.SIGRTMIN]))

    with Child(ask) as child:
        assert child.hear() == "asked"
        make_low(machine)
        assert child.hear() == signal.SIGRTMIN
        assert child.wait() == 0


def test_a_bad_request_keeps_the_signal(devices, machine):
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with opened(devices / "oom_notify") as fd:
            os.write(fd, b"signal USR1")
            try:
                os.write(fd, b"signal NONSENSE")
            except OSError as error:
                say(error.errno)
            say(take_signal([signal.SIGUSR1]))

    with Child(ask) as child:
        assert child.hear() == errno.EINVAL
        make_low(machine)
        assert child.hear() == signal.SIGUSR1


def test_only_the_process_that_asked_is_signalled(devices, machine):
    """Its child, which has the same open file, would be ended by the signal."""
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with opened(devices / "oom_notify") as fd:
            os.write(fd, b"signal USR1")

            def inherit(say_too):
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
                say_too("there")
                wait_ready(fd)
                say_too("told")

            with Child(inherit) as heir:
                assert heir.hear() == "there"
                say("asked")
                say(take_signal([signal.SIGUSR1]))
                assert heir.hear() == "told"
                say(heir.wait())

    with Child(ask) as child:
        assert child.hear() == "asked"
        make_low(machine)
        assert child.hear() == signal.SIGUSR1
        assert child.hear() == 0


def test_another_user_cannot_make_the_opener_or_himself_a_target(devices):
    with opened(devices / "oom_notify") as fd:
        def ask(say):
            try:
                os.write(fd, b"signal USR1")
            except OSError as error:
                say(error.errno)

        with Child(ask, uid=NOBODY) as child:
            assert child.hear() == errno.EPERM


def exec_program(say, path, program):
    fd = os.open(path, os.O_RDWR)
    os.set_inheritable(fd, True)
    os.write(fd, b"signal USR1")
    say(fd)
    os.execv(program[0], program)


# Says that it runs, and lives until it is told to end.
WAITER = [sys.executable, "-c", "import sys; sys.stdout.write('1\\n'); sys.stdout.flush(); sys.stdin.read()"]


@pytest.mark.parametrize("device", ["oom_notify", "mem_notify"])
def test_a_program_that_executes_another_loses_the_signal(devices, machine, device):
    """The new program, here the same one again, would be ended by it."""
    reader, writer = os.pipe()
    out_reader, out_writer = os.pipe()

    def run(say):
        os.dup2(reader, 0)
        os.dup2(out_writer, 1)
        os.close(writer)
        exec_program(say, devices / device, WAITER)

    with Child(run) as child:
        child.hear()
        assert os.read(out_reader, 2) == b"1\n"
        kept = len(devices.fds())
        with asking(devices / device, b"signal USR1", signal.SIGUSR1) as other:
            if device == "mem_notify":
                press(machine)  # goes to the one of the two that waits longest, unless that one is gone
            else:
                make_low(machine)
            assert other.hear() == signal.SIGUSR1
            assert other.wait() == 0
        assert child.status_field("State") == "S"
        wait_until(lambda: len(devices.fds()) == kept - 2, "the daemon to forget it")
        os.close(writer)
        assert child.wait() == 0
    for fd in (reader, out_reader, out_writer):
        os.close(fd)


def test_a_process_that_ends_is_forgotten(devices, machine):
    """Its open file lives on in ours."""
    with opened(devices / "oom_notify") as fd:
        before = len(devices.fds())

        def ask(say):
            os.write(fd, b"signal USR1")
            say("asked")

        with Child(ask) as child:
            assert child.hear() == "asked"
            assert child.wait() == 0
        assert len(devices.fds()) == before + 2
        make_low(machine)
        wait_ready(fd)
        wait_until(lambda: len(devices.fds()) == before, "the daemon to forget it")


def test_signals_go_round(devices, machine):
    """Of four watchers one is told at a time, the one that waits longest; no silence follows."""
    numbers = [signal.SIGRTMIN + i for i in range(4)]

    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        fds = [os.open(devices / "mem_notify", os.O_RDWR) for _ in numbers]
        for fd, number in zip(fds, numbers):
            os.write(fd, b"signal %d" % number)
        os.write(fds[0], b"signal %d" % numbers[0])  # asking again does not change its place
        say("asked")
        while True:
            say(take_signal(numbers) - signal.SIGRTMIN)

    with Child(ask) as child:
        assert child.hear() == "asked"
        for expected in (0, 1, 2, 3, 0, 1):
            press(machine)
            assert child.hear() == expected
            assert child.is_silent()


def test_signals_and_sleepers_share(devices, machine):
    """Two watchers, one of each kind: both are told at each notification, the sleeper unless it is silent."""
    def ask(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        with opened(devices / "mem_notify") as fd:
            os.write(fd, b"signal USR1")
            say("asked")
            while True:
                say(take_signal([signal.SIGUSR1]))

    with Child(ask) as child, opened(devices / "mem_notify") as fd, select.epoll() as epoll:
        assert child.hear() == "asked"
        epoll.register(fd, select.EPOLLIN)
        press(machine)
        assert child.hear() == signal.SIGUSR1
        assert epoll.poll(30) == [(fd, select.EPOLLIN)]
        press(machine)
        assert child.hear() == signal.SIGUSR1


def test_a_mount_that_ends_forgets_all(devices, machine):
    fds = [os.open(devices / name, os.O_RDWR) for name in ("oom_notify", "oom_notify_critical", "mem_notify")]
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for fd in fds:
        os.write(fd, b"signal USR1")
    devices.process.send_signal(signal.SIGTERM)
    devices.demand_clean_end()
    for fd in fds:
        os.close(fd)
