# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page: what it says, for how long, and what it says of the end of the server."""

import os
import signal
import subprocess
import time

import pytest

from clients import TIMEOUT_S, Child, read_text, wait_until
from daemon import PROGRAM, daemons_of, environment
from memcg_client import MIB, removed_at_end, v1_group
from page import GONE, GROUP, Page
from socket_client import SocketClient, path_of, serve_with_socket


@pytest.fixture
def daemon(serve, make_machine):
    """A machine that stands still, every meter of which can be moved."""
    return serve_with_socket(serve, "-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)


@pytest.fixture
def get_page(daemon):
    """get_page(): (a client, his page)"""
    things = []

    def get(server=daemon):
        client = SocketClient(path_of(server))
        things.append(client)
        things.append(Page(client.ask_fd("page")))
        return things[-2:]

    yield get
    for thing in things:
        thing.close()


def meters_of(daemon):
    return {name: int(read_text(daemon / "meters" / name)) for name in os.listdir(daemon / "meters")}


def test_it_says_what_the_files_say(daemon, get_page):
    _, page = get_page()
    version, n_bytes, page_bytes, period_ms, n_meters, server, *_ = page.header()
    assert (version, n_bytes, page_bytes, period_ms) == (1, len(page.memory), os.sysconf("SC_PAGE_SIZE"), 100)
    assert (n_meters, server) == (14, daemon.pid)
    assert page.values() == meters_of(daemon)
    for used in 5, 2**64 - 1, 0:
        daemon.simulate(f"used {used} swap_used {used}")
        assert (page.values()["used"], page.values()["swap_used"]) == (used, used)
    daemon.simulate("reset")
    assert page.values() == meters_of(daemon)


def test_meters_that_this_kernel_lacks_are_not_in_it(serve, make_machine, get_page):
    daemon = serve_with_socket(serve, machine=make_machine("ancient-2.6.32"))
    _, page = get_page(daemon)
    assert "available" not in page.names
    assert page.values() == meters_of(daemon)


def test_it_is_refreshed_without_anybody_asking(daemon, get_page):
    """What is measured, too; and its time is that of the machine."""
    _, page = get_page()
    before_us = time.monotonic_ns() // 1000
    wait_until(lambda: page.time_us() > before_us, "the next moment")
    assert page.time_us() <= time.monotonic_ns() // 1000
    daemon.machine.replace("meminfo", daemon.machine.with_number("meminfo", "MemFree", 4 * 12345))
    wait_until(lambda: page.values()["free"] == 12345, "what the kernel says now")


def test_it_is_one_for_all_while_somebody_has_it(daemon, get_page):
    (one, first), (two, second) = get_page(), get_page()
    three = SocketClient(path_of(daemon))
    assert os.path.sameopenfile(*(client.ask_fd("page") for client in (three, one)))
    three.close()
    one.close()
    daemon.simulate("used 5")
    assert first.values()["used"] == second.values()["used"] == 5
    two.send("quit\n")
    assert two.rest() == ""
    daemon.simulate("used 6")
    assert second.values()["used"] == 5, "nobody has it any more"
    assert not second.has_ended()
    _, third = get_page()
    assert first.values()["used"] == third.values()["used"] == 6


def test_a_forked_child_uses_it(daemon, get_page):
    _, page = get_page()

    def look(say):
        say(page.values()["used"])
        wait_until(lambda: page.values()["used"] == 7, "another value")
        say("seen")
        wait_until(page.has_ended, "the end")
        say("ended")

    daemon.simulate("used 5")
    with Child(look, 54321) as child:
        assert child.hear() == 5
        daemon.simulate("used 7")
        assert child.hear() == "seen"
        daemon.process.send_signal(signal.SIGTERM)
        assert child.hear() == "ended"
        assert child.wait() == 0
    daemon.demand_clean_end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_its_end_is_seen_in_it(serve, make_machine, get_page, number):
    """Whatever the end. The values are the last ones."""
    daemon = serve_with_socket(serve, machine=make_machine("debian-6.1"), simulate=True)
    client, page = get_page(daemon)
    daemon.simulate("used 5")
    assert not page.has_ended()
    daemon.process.send_signal(number)
    assert client.rest() == ""
    wait_until(page.has_ended, "the kernel to say it")
    assert page.values()["used"] == 5
    daemon.wait()


def test_the_end_of_one_in_the_background(directory):
    """It is the process that serves whose end is told, not that of the one who has started it."""
    subprocess.run([PROGRAM, "--socket", directory], env=environment(), timeout=TIMEOUT_S, check=True)
    (pid,) = daemons_of(directory)
    with SocketClient(f"{directory}.sock") as client:
        page = Page(client.ask_fd("page"))
        assert page.header()[5] == pid and not page.has_ended()
        os.kill(pid, signal.SIGKILL)
        wait_until(page.has_ended, "the end")
    page.close()


def test_one_that_is_stopped_has_not_ended(daemon, get_page):
    _, page = get_page()
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: page.time_us() < time.monotonic_ns() // 1000 - 300000, "it to be old")
        assert not page.has_ended()
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    wait_until(lambda: page.time_us() > time.monotonic_ns() // 1000 - 200000, "it to be fresh again")


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        (path / "memory.limit_in_bytes").write_text(str(64 * MIB))
        yield path


def test_a_group_that_goes_and_comes_back(group, serve, get_page):
    daemon = serve_with_socket(serve, "-o", "update_period=1", f"--source=cgroup={group}")
    daemon.expected += [".*was removed; .*", ".* is there again"]
    _, page = get_page(daemon)
    assert (page.values()["total"], page.state()) == (64 * MIB // os.sysconf("SC_PAGE_SIZE"), GROUP)
    group.rmdir()
    wait_until(lambda: page.state() == GONE | GROUP, "its end to be seen")
    assert page.values()["total"] == 64 * MIB // os.sysconf("SC_PAGE_SIZE"), "the values of before"
    group.mkdir()
    wait_until(lambda: page.state() == GROUP, "the new one")
