# SPDX-License-Identifier: LGPL-2.1-or-later
"""simulate: words that make the machine look short of memory to everybody who waits for that."""

import errno
import os

import pytest

from clients import error_of, is_ready, opened, read_text, wait_ready, wait_until, write_text
from memcg_client import OOM, PRESSURE, Client

DEVICES = ["oom_notify", "oom_notify_critical", "mem_notify"]


@pytest.fixture(params=["debian-6.1", "debian-6.1-zram", "debian-5.10", "cpus64-6.1", "ancient-2.6.32"])
def daemon(request, serve, make_machine):
    """With and without swap; with many CPUs; without pgscan_anon."""
    return serve(machine=make_machine(request.param), simulate=True)


@pytest.mark.parametrize("name", DEVICES)
def test_nobody_is_short_at_first(daemon, name):
    with opened(daemon / name) as fd:
        assert not is_ready(fd)


@pytest.mark.parametrize("word, name, reason", [
    ("swapping", "mem_notify", r"pressure node="), ("swapping", "oom_notify", r"swapping pages="),
    ("low", "oom_notify", r"low node="), ("min", "oom_notify", r"low node="),
    ("min", "oom_notify_critical", r"min node=")])
def test_who_waits_is_told_and_may_read_why(daemon, word, name, reason):
    with opened(daemon / name) as fd:
        daemon.simulate(word)
        wait_ready(fd)
        assert os.read(fd, 200).decode().startswith(reason)


@pytest.mark.parametrize("word, name", [
    ("low", "oom_notify"), ("min", "oom_notify_critical"), ("swapping", "mem_notify")])
def test_it_lasts_and_ends(daemon, word, name):
    """Who comes later finds it, and who is told is told that it is over by what he reads."""
    daemon.simulate(word)
    assert read_text(daemon / "simulate") == f"{word}\n"
    with opened(daemon / name) as fd:
        wait_ready(fd)
    daemon.simulate(f"{word} -")
    assert read_text(daemon / "simulate") == ""
    wait_until(lambda: read_text(daemon / name) == "ok\n", "the end")


def test_low_is_not_critical(daemon):
    with opened(daemon / "oom_notify_critical") as fd:
        daemon.simulate("low")
        assert not is_ready(fd)


def test_swapping_walks_round_those_who_wait(daemon):
    """From moment to moment, as long as it lasts."""
    with opened(daemon / "mem_notify") as one, opened(daemon / "mem_notify") as two:
        daemon.simulate("swapping")
        wait_ready(one)
        wait_ready(two)


@pytest.mark.parametrize("level, told", [("low", [1, 0, 0]), ("medium", [1, 1, 0]), ("critical", [1, 1, 1])])
def test_reclaim_that_hard_is_told_once(daemon, level, told):
    with Client(daemon / "memcg") as low, Client(daemon / "memcg") as medium, Client(daemon / "memcg") as critical:
        clients = [low, medium, critical]
        for client, wanted in zip(clients, ["low", "medium", "critical"]):
            assert client.register(PRESSURE, wanted) == 0
        daemon.simulate(f"pressure {level}")
        assert [client.events() for client in clients] == told
        daemon.simulate("used 5")
        assert [client.events() for client in clients] == [0, 0, 0]
        daemon.simulate(f"pressure {level}")
        assert [client.events() for client in clients] == told


def test_reclaim_of_before_is_no_event(daemon):
    daemon.simulate("pressure critical oom")
    with Client(daemon / "memcg") as client:
        assert client.register(PRESSURE, "low") == client.register(OOM) == 0
        daemon.simulate("swapping")
        assert client.events() == 0


def test_memory_runs_out_once_for_each_word(daemon):
    with Client(daemon / "memcg") as client:
        assert client.register(OOM) == 0
        for _ in range(3):
            daemon.simulate("oom")
            assert client.events() == 1


def test_used_available_and_free_move_together(daemon):
    before = {name: daemon.meter(name) for name in os.listdir(daemon / "meters")}
    total = before["total"]
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 90%")
        daemon.simulate("memory 90%")
        assert is_ready(fd)
    more = -(-total * 9 // 10) - before["used"]
    after = {name: daemon.meter(name) for name in before}
    moved = {name: max(before[name] - more, 0) for name in ("available", "free") if name in before}
    assert after == {**before, "used": before["used"] + more, **moved}

    daemon.simulate("memory 0")
    assert daemon.meter("used") == 0
    assert daemon.meter("free") == min(before["free"] + before["used"], total)
    daemon.simulate("memory -")
    assert {name: daemon.meter(name) for name in before} == before
    assert read_text(daemon / "simulate") == ""


def test_reset_ends_all(daemon):
    daemon.simulate("low min swapping memory 50% stall_some 5%")
    assert read_text(daemon / "simulate").split()[-3:] == ["swapping", "low", "min"]
    daemon.simulate("reset")
    assert read_text(daemon / "simulate") == ""
    wait_until(lambda: {read_text(daemon / name) for name in DEVICES} == {"ok\n"}, "the end")


@pytest.mark.parametrize("text, column", [
    ("pressure", 8), ("pressure much", 9), ("pressure low5", 9), ("pressure low pressure low", 13), ("oom oom", 4),
    ("oom5", 3), ("low low", 4), ("low--", 4), ("low5", 3), ("swapping -5", 10), ("memory", 6), ("memory 5 used 5", 9),
    ("free 5 memory 5", 7), ("memory 101%", 7), ("mini", 0)])
def test_what_is_not_understood_changes_nothing(daemon, text, column):
    assert error_of(write_text, daemon / "simulate", f"anon 7 {text}") == errno.EINVAL
    assert read_text(daemon / "simulate") == ""
    caret = read_text(daemon / "errors").splitlines()[-1]
    assert caret == " " * (4 + len("anon 7 ") + column) + "^"
