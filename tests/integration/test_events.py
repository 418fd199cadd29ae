# SPDX-License-Identifier: LGPL-2.1-or-later
"""events: a stream of the crossings of named thresholds."""

import errno
import os
import re
import select
import signal
import time

import pytest

from clients import (TIMEOUT_S, Child, has_open, is_ready, opened, read_text, running, wait_ready, wait_until,
                     write_text)
from machine import PAGE_KIB

NOBODY = 65534
LINE = re.compile(rb"(\d+\.\d{6}) (\S+) (\S+) (\S+) (\d+)(?: (\d+))?\n")


@pytest.fixture
def events(daemon):
    """Nobody has crossed used 2000 yet."""
    daemon.simulate("used 1 active 1")
    write_text(daemon / "thresholds" / "low", "used 2000")
    return daemon / "events"


def read_error(fd, size=4096):
    with pytest.raises(OSError) as caught:
        os.read(fd, size)
    return caught.value.errno


def words(text):
    """The lines without their times, and that all of it is whole lines."""
    assert LINE.sub(b"", text) == b"", text
    return [b" ".join(filter(None, match.groups()[1:])).decode() for match in LINE.finditer(text)]


def test_a_line_for_each_crossing_with_the_value_that_caused_it(daemon, events):
    write_text(daemon / "thresholds" / "both", "used 1500 active <1")
    with opened(events, os.O_RDONLY) as fd:
        begun = time.monotonic()
        daemon.simulate("used 1700")
        daemon.simulate("used 2100 active 0")
        daemon.simulate("used 7")
        text = os.read(fd, 4096)
        ended = time.monotonic()
    assert sorted(words(text)) == sorted([
        "both used reached 1700 1500", "both active reached 0 1", "low used reached 2100 2000",
        "low used left 7 2000", "both used left 7 1500"])
    times = [float(match[1]) for match in LINE.finditer(text)]
    assert times == sorted(times)
    assert begun - 1e-6 <= times[0] and times[-1] <= ended  # CLOCK_MONOTONIC, cut to microseconds


@pytest.mark.parametrize("size", [100, 191, 1000, 4096])
def test_a_read_ends_with_a_line(daemon, events, size):
    """Where its buffer has room for one."""
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        for _ in range(100):
            daemon.simulate("used 2000")
            daemon.simulate("used 1")
        lines = []
        while len(lines) < 200:
            lines += words(os.read(fd, size))
        assert read_error(fd) == errno.EAGAIN
    assert lines == ["low used reached 2000 2000", "low used left 1 2000"] * 100


def test_a_stream_begins_at_its_open(daemon, events):
    with opened(events, os.O_RDONLY):
        daemon.simulate("used 2000")
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        assert read_error(fd) == errno.EAGAIN
        daemon.simulate("used 1")
        assert words(os.read(fd, 4096)) == ["low used left 1 2000"]


def test_a_sleeping_reader_gets_the_line_at_once(daemon, events):
    def client(say):
        with open(events, "rb", buffering=0) as file:
            say("reading")
            for _ in range(3):
                say(file.read(4096).decode())

    with Child(client) as child:
        assert child.hear() == "reading"
        for used, state in ((2000, "reached"), (1, "left"), (2002, "reached")):
            child.wait_reading()
            daemon.simulate(f"used {used}")
            assert child.hear().endswith(f" low used {state} {used} 2000\n")
        assert child.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("command", [["cat"], ["busybox", "cat"], ["tail", "-f"], ["head", "-n", "1"]])
def test_ctrl_c_ends_a_blocked_reader(daemon, events, command, number):
    with running(*command, events) as reader:
        wait_until(lambda: has_open(reader.pid, events), "the reader to have it open")
        reader.send_signal(number)
        assert reader.wait(TIMEOUT_S) == -number
        assert reader.stdout.read() == b""
    daemon.simulate("used 2000")  # nobody there


def test_head_ends_with_its_line(daemon, events):
    with running("head", "-n", "1", events) as head:
        wait_until(lambda: has_open(head.pid, events), "head to have it open")
        daemon.simulate("used 2000")
        assert words(head.communicate(timeout=TIMEOUT_S)[0]) == ["low used reached 2000 2000"]
        assert head.returncode == 0


def test_a_shell_loop_gets_line_by_line(daemon, events):
    script = 'while read -r _ name meter state value limit; do echo "$name $state $value"; done <"$1"'
    with running("bash", "-c", script, "bash", events) as shell:
        wait_until(lambda: has_open(shell.pid, events), "bash to have it open")
        for used, state in ((2000, b"reached"), (3, b"left")):
            daemon.simulate(f"used {used}")
            assert shell.stdout.readline() == b"low %s %d\n" % (state, used)


def test_what_crosses_together_is_told_together(daemon, events):
    """A waiting reader is not woken for the first of fifty lines, but when all of them are there."""
    for i in range(50):
        write_text(daemon / "thresholds" / f"t{i}", "used 2000")

    def client(say):
        with open(events, "rb", buffering=0) as file:
            say("reading")
            say(file.read(4096).decode())

    with Child(client) as child:
        assert child.hear() == "reading"
        child.wait_reading()
        daemon.simulate("used 2000")
        assert len(words(child.hear().encode())) == 51


def test_non_blocking_reads_and_poll(daemon, events):
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd, select.epoll() as epoll:
        epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        assert read_error(fd) == errno.EAGAIN
        assert not is_ready(fd) and epoll.poll(0) == []
        daemon.simulate("used 2000")
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        assert is_ready(fd)
        assert words(os.read(fd, 4096)) == ["low used reached 2000 2000"]
        assert read_error(fd) == errno.EAGAIN
        assert not is_ready(fd)
        daemon.simulate("used 1")
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]


def test_o_nonblock_may_be_set_after_open(events):
    with opened(events, os.O_RDONLY) as fd:
        os.set_blocking(fd, False)
        assert read_error(fd) == errno.EAGAIN


def test_a_poller_is_woken(daemon, events):
    def client(say):
        fd = os.open(events, os.O_RDONLY)
        say("polling")
        say(wait_ready(fd))
        say(os.read(fd, 4096).decode())

    with Child(client) as child:
        assert child.hear() == "polling"
        child.wait_polling()
        daemon.simulate("used 2000")
        assert child.hear() == select.POLLIN
        assert child.hear().endswith("low used reached 2000 2000\n")


def test_two_streams_are_two_subscriptions(daemon, events):
    with opened(events, os.O_RDONLY) as one, opened(events, os.O_RDONLY) as other:
        daemon.simulate("used 2000")
        text = os.read(one, 4096)
        daemon.simulate("used 1")
        assert os.read(other, 4096).startswith(text)
        assert words(os.read(one, 4096)) == ["low used left 1 2000"]


def test_a_stream_is_read_byte_by_byte_and_cannot_be_sought(daemon, events):
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        daemon.simulate("used 2000")
        daemon.simulate("used 1")
        text = b"".join(os.read(fd, 1) for _ in range(2 * len("1.000000 low used left 1 2000")))
        while is_ready(fd):
            text += os.read(fd, 1)
        assert words(text) == ["low used reached 2000 2000", "low used left 1 2000"]
        with pytest.raises(OSError) as caught:
            os.lseek(fd, 0, os.SEEK_SET)
        assert caught.value.errno == errno.ESPIPE


@pytest.mark.parametrize("begun", [0, 1, 10])
def test_a_slow_reader_is_told_what_it_lost_and_never_gets_half_a_line(daemon, events, begun):
    crossings = 3000
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        daemon.simulate("used 2000")
        text = os.read(fd, begun) if begun else b""
        for number in range(1, crossings):
            daemon.simulate(f"used {1 if number % 2 else 2000}")
        while is_ready(fd):
            text += os.read(fd, 777)

    lines = words(text)
    if begun:
        assert lines.pop(0) == "low used reached 2000 2000"
    mark, _, lost, number = lines.pop(0).split()
    assert (mark, lost) == ("-", "lost")
    assert int(number) + len(lines) == crossings - bool(begun)
    assert len(lines) >= 256
    assert lines[-2:] == ["low used reached 2000 2000", "low used left 1 2000"]


METERS = ("used", "active", "anon", "file", "shmem", "mlocked", "dirty", "swap_used")
MANY = 256


def make_thresholds(daemon):
    for number in range(MANY):
        write_text(daemon / "thresholds" / f"flood{number}", " ".join(f"{meter} 3000" for meter in METERS))


def simulate_all(daemon, pages):
    daemon.simulate(" ".join(f"{meter} {pages}" for meter in METERS))


def test_a_flood_of_one_user_costs_nobody_else_a_line(daemon, events):
    """As many lines at once as one user can cause; root's is somewhere among them."""
    rounds, each = 6, MANY * len(METERS) + 1
    simulate_all(daemon, 1)
    with Child(lambda _say: make_thresholds(daemon), uid=NOBODY) as child:
        assert child.wait() == 0

    def wait_for_each(say):
        fd = os.open(events, os.O_RDONLY)
        say("reading")
        for _ in range(rounds):
            text = b""
            while text.count(b"\n") < each and b" lost " not in text:
                text += os.read(fd, 65536)
            say([text.count(b"\n")] + [line for line in words(text) if not line.startswith("flood")])

    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as slow, Child(wait_for_each) as waiting:
        assert waiting.hear() == "reading"
        waiting.wait_reading()
        expected = []
        for number in range(rounds):
            pages = 1 if number % 2 else 3000
            simulate_all(daemon, pages)
            expected.append(f"low used {'left' if number % 2 else 'reached'} {pages} 2000")
            assert waiting.hear() == [each, expected[-1]]
        text = b""
        while is_ready(slow):
            text += os.read(slow, 65536)

    lines = words(text)
    assert [line for line in lines if line.startswith("low")] == expected
    lost = sum(int(line.split()[-1]) for line in lines if line.startswith("- - lost"))
    assert len([line for line in lines if not line.startswith("-")]) + lost == rounds * each


def test_many_blocked_readers_are_all_served(daemon, events):
    def client(say):
        fd = os.open(events, os.O_RDONLY)
        say("reading")
        say(os.read(fd, 4096).decode())

    children = [Child(client) for _ in range(20)]
    try:
        for child in children:
            assert child.hear() == "reading"
            child.wait_reading()
        daemon.simulate("used 2000")
        for child in children:
            assert child.hear().endswith("low used reached 2000 2000\n")
    finally:
        for child in children:
            child.__exit__()


def blocked_reader(events):
    def client(say):
        fd = os.open(events, os.O_RDONLY)
        say("reading")
        try:
            say(len(os.read(fd, 4096)))
        except OSError as error:
            say(errno.errorcode[error.errno])

    child = Child(client)
    assert child.hear() == "reading"
    child.wait_reading()
    return child


def test_the_end_of_the_daemon_ends_blocked_readers(daemon, events):
    with blocked_reader(events) as child:
        daemon.stop()
        assert child.hear() == 0  # the end of the file


def test_blocked_readers_get_an_error_when_the_daemon_is_killed(daemon, events):
    with blocked_reader(events) as child:
        daemon.kill()
        assert child.hear() in ("ECONNABORTED", "ENOTCONN")


def test_a_threshold_removed_while_somebody_listens(daemon, events):
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        daemon.simulate("used 2000")
        os.unlink(daemon / "thresholds" / "low")
        daemon.simulate("used 1")
        assert words(os.read(fd, 4096)) == ["low used reached 2000 2000"]
        write_text(daemon / "thresholds" / "later", "used 3000")
        daemon.simulate("used 3000")
        assert words(os.read(fd, 4096)) == ["later used reached 3000 3000"]


def set_total(machine, pages):
    machine.replace("meminfo", machine.with_number("meminfo", "MemTotal", pages * PAGE_KIB))


def test_that_there_is_more_memory_or_less_is_told(serve, make_machine):
    """To all who listen."""
    machine = make_machine("debian-6.1")
    daemon = serve("-o", "max_update_period=50", machine=machine)
    write_text(daemon / "thresholds" / "some", "used 1")
    before = machine.meters()["total"]
    with opened(daemon / "events", os.O_RDONLY) as one, opened(daemon / "events", os.O_RDONLY) as two:
        set_total(machine, before + 25600)
        assert words(os.read(one, 4096)) == [f"- total changed {before + 25600} {before}"]
        set_total(machine, before - 1)
        assert words(os.read(one, 4096)) == [f"- total changed {before - 1} {before + 25600}"]
        assert words(os.read(two, 4096)) == [f"- total changed {before + 25600} {before}",
                                             f"- total changed {before - 1} {before + 25600}"]


def test_that_there_is_more_memory_is_told_by_who_looks(serve, make_machine):
    """Without a limit nobody else does."""
    machine = make_machine("debian-6.1")
    daemon = serve(machine=machine)
    before = machine.meters()["total"]
    with opened(daemon / "events", os.O_RDONLY) as fd:
        set_total(machine, before + 1)
        wait_until(lambda: read_text(daemon / "meters" / "total") == f"{before + 1}\n", "the new total")
        assert words(os.read(fd, 4096)) == [f"- total changed {before + 1} {before}"]


def test_a_total_that_is_simulated_is_told_at_once(daemon, events):
    before = int(read_text(daemon / "meters" / "total"))
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        daemon.simulate("total 5000")
        assert words(os.read(fd, 4096)) == [f"- total changed 5000 {before}"]
        daemon.simulate("used 7")
        assert read_error(fd) == errno.EAGAIN
        daemon.simulate("total -")
        assert words(os.read(fd, 4096)) == [f"- total changed {before} 5000"]


def test_what_a_total_was_before_somebody_listened_is_no_event(daemon, events):
    daemon.simulate("total 5000")
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        assert read_error(fd) == errno.EAGAIN
    daemon.simulate("total 6000")
    with opened(events, os.O_RDONLY | os.O_NONBLOCK) as fd:
        assert read_error(fd) == errno.EAGAIN
        assert read_text(daemon / "meters" / "total") == "6000\n"
        assert read_error(fd) == errno.EAGAIN
