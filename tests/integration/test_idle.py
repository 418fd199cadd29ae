# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nobody waits: no timer, no wake-up, no system call at all."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from clients import TIMEOUT_S, opened, sleeps_in, wait_until, write_text
from socket_client import SocketClient, metric, path_of

WATCHED_S = 2  # the time in which nothing may happen, far longer than any period that is set here


@pytest.fixture
def daemon(serve):
    """This machine; whatever ran by itself would run a hundred times a second."""
    return serve("-o", "update_period=10,max_update_period=10")


def wake_ups(daemon):
    """How often it went to sleep. It has one thread."""
    assert os.listdir(f"/proc/{daemon.pid}/task") == [str(daemon.pid)]
    return daemon.status_number("voluntary_ctxt_switches") + daemon.status_number("nonvoluntary_ctxt_switches")


def wake_ups_meanwhile(daemon):
    wait_until(lambda: sleeps_in(daemon.pid, "do_poll", "do_sys_poll", "poll_schedule"), "the daemon to sleep in poll")
    before = wake_ups(daemon)
    time.sleep(WATCHED_S)
    return wake_ups(daemon) - before


def test_nothing_is_open(daemon):
    assert wake_ups_meanwhile(daemon) == 0


def test_after_clients_have_come_and_gone(daemon):
    write_text(daemon / "thresholds" / "low", "used 5")
    with opened(daemon / "memnotify") as fd, opened(daemon / "meters" / "used") as other, \
            opened(daemon / "events", os.O_RDONLY):
        os.write(fd, b"used 5")
        os.write(other, b"5")
        assert wake_ups_meanwhile(daemon) > 50, "the test would see it"
    assert wake_ups_meanwhile(daemon) == 0


def test_files_open_without_limits(daemon):
    with opened(daemon / "memnotify") as fd, opened(daemon / "meters" / "used"), opened(daemon / "events", os.O_RDONLY):
        os.write(fd, b"used 5")
        os.write(fd, b"used 0")
        os.read(fd, 100)
        assert wake_ups_meanwhile(daemon) == 0


def test_stalls_are_looked_at_while_there_is_a_trigger(daemon):
    if not (daemon / "pressure").exists():
        pytest.skip("this kernel does not tell of stalls")
    with opened(daemon / "pressure") as fd:
        assert wake_ups_meanwhile(daemon) == 0
        os.write(fd, b"some 10000 50000")
        assert wake_ups_meanwhile(daemon) > 50, "the test would see it"
    with opened(daemon / "pressure"):
        assert wake_ups_meanwhile(daemon) == 0


def test_connections_that_wait_for_nothing(serve):
    """New ones, those that have asked, half a line, who reads nothing, who sends no more, and who was sent away."""
    daemon = serve("--socket", "-o", "update_period=10,max_update_period=10")
    clients = [SocketClient(path_of(daemon)) for _ in range(10)]
    for client, text in zip(clients, ("", "read\n", "watch used", "watch used 5\nwatch\n", "some 150000",
                                      "read\n" * 1000, "nonsense\n", "quit\n", "read\nwatch used 5\nnonsense\n")):
        client.send(text)
    clients[9].socket.shutdown(socket.SHUT_WR)
    clients[8].rest()
    with SocketClient(path_of(daemon)) as other:
        os.close(other.ask_fd("page"))
        os.close(other.ask_fd("eventfd used 5"))
        assert wake_ups_meanwhile(daemon) > 5, "the test would see it"
    wait_until(lambda: metric(daemon, "connections") == len(clients), "the other to go")
    assert wake_ups_meanwhile(daemon) == 0
    for client in clients:
        client.close()
    wait_until(lambda: metric(daemon, "connections") == 0, "all to go")
    daemon.first_fds = daemon.fds()
    assert wake_ups_meanwhile(daemon) == 0


def test_it_sleeps_for_long_while_memory_is_far_from_all_limits(serve):
    daemon = serve("-o", "fill_rate=1", simulate=True)
    daemon.simulate("used 1")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 100%")
        assert wake_ups_meanwhile(daemon) <= 1


def test_no_system_call(daemon, tmp_path):
    """The same as strace sees it."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    with opened(daemon / "memnotify"):
        command = ["strace", "-p", str(daemon.pid), "-o", tmp_path / "calls"]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
            try:
                line = strace.stderr.readline()
                if b"attached" not in line:
                    pytest.skip(f"strace cannot attach: {line}")
                # Attaching interrupts the poll it sleeps in, which goes on.
                time.sleep(WATCHED_S)
            finally:
                strace.send_signal(signal.SIGINT)
                strace.wait(TIMEOUT_S)
    calls = (tmp_path / "calls").read_text()
    assert len(re.findall(r"^\w+\(", calls, re.MULTILINE)) <= 1, calls
    assert re.match(r"(restart_syscall|p?poll)\(", calls), calls
