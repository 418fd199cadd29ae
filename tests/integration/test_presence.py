# SPDX-License-Identifier: LGPL-2.1-or-later
"""--source=cgroup=DIR while DIR is removed, and when it is made anew: who waits is told, and his limits hold."""

import errno
import mmap
import os
import re
import select
import time

import pytest

from clients import Child, opened, read_text, wait_until, write_text
from memcg_client import MIB, USAGE, Client, removed_at_end, v1_group

OFTEN = ("-o", "update_period=1,max_update_period=20")
REMOVED = "the control group '{}' was removed; who waits is told, and served again when it is made anew"
BACK = "the control group '{}' is there again"
LIMIT = "memory.limit_in_bytes"


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        (path / LIMIT).write_text(str(256 * MIB))
        yield path


@pytest.fixture
def daemon(group, serve):
    daemon = serve(*OFTEN, f"--source=cgroup={group}")
    daemon.group = group
    return daemon


def let_values_age():
    """What was read is shown again until it is as old as update_period."""
    time.sleep(0.002)


def remove(daemon):
    daemon.group.rmdir()
    let_values_age()
    daemon.expected.append(re.escape(REMOVED.format(daemon.group)))


def make(daemon, limit):
    daemon.group.mkdir()
    (daemon.group / LIMIT).write_text(str(limit))
    let_values_age()
    daemon.expected.append(re.escape(BACK.format(daemon.group)))


def demand_enodev(call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert caught.value.errno == errno.ENODEV


def waits_by_poll(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return poll.poll()[0][1]


def waits_by_epoll(fd, flags=select.EPOLLIN):
    with select.epoll() as epoll:
        epoll.register(fd, flags)
        return epoll.poll()[0][1]


def waits_by_edge(fd):
    return waits_by_epoll(fd, select.EPOLLIN | select.EPOLLET)


def waits_by_select(fd):
    return select.POLLERR | select.POLLHUP if select.select([fd], [], [])[0] else 0


WAYS = [waits_by_poll, waits_by_epoll, waits_by_edge, waits_by_select]
LIMITS = {"memnotify": b"used 200M", "meters/used": b"200M", "thresholds/low": None}


def waiter(daemon, name, way):
    def client(say):
        with opened(daemon / name) as fd:
            if LIMITS[name]:
                os.write(fd, LIMITS[name])
            os.read(fd, 4096)
            say("waiting")
            say(way(fd))
            try:
                os.read(fd, 4096)
            except OSError as error:
                say(errno.errorcode[error.errno])

    return Child(client)


@pytest.mark.parametrize("name", LIMITS)
def test_who_waits_is_told(daemon, name):
    write_text(daemon / "thresholds" / "low", "used 200M")
    children = [waiter(daemon, name, way) for way in WAYS]
    try:
        for child in children:
            assert child.hear() == "waiting"
            child.wait_polling()
        remove(daemon)
        for child in children:
            assert child.hear() & (select.POLLERR | select.POLLHUP) == select.POLLERR | select.POLLHUP
            assert child.hear() == "ENODEV"
            assert child.wait() == 0
    finally:
        for child in children:
            child.__exit__()
    make(daemon, 64 * MIB)
    assert daemon.meter("total") == 64 * MIB // mmap.PAGESIZE


def test_without_a_group_nothing_is_read_or_written(daemon):
    write_text(daemon / "thresholds" / "low", "used 50%")
    names = ["memnotify", "thresholds/low", *(f"meters/{name}" for name in os.listdir(daemon / "meters"))]
    with opened(daemon / "meters" / "total") as before:
        os.read(before, 100)
        remove(daemon)
        for name in names:
            demand_enodev(read_text, daemon / name)
            with opened(daemon / name) as fd:
                assert waits_by_poll(fd) == select.POLLERR | select.POLLHUP
                demand_enodev(os.write, fd, b"5" if name.startswith("meters") else b"used 5")
        demand_enodev(os.pread, before, 100, 0)
    make(daemon, 64 * MIB)
    for name in names:
        assert read_text(daemon / name)


def test_limits_hold_again_for_the_new_group(daemon):
    pages = MIB // mmap.PAGESIZE
    write_text(daemon / "thresholds" / "small", "total<100M used 50%")
    with opened(daemon / "memnotify") as fd, opened(daemon / "thresholds" / "small") as threshold, \
            opened(daemon / "events", os.O_RDONLY) as events:
        os.write(fd, b"total<100M")
        assert f"limit={128 * pages} " in os.read(threshold, 4096).decode()
        remove(daemon)
        assert re.fullmatch(rb"\d+\.\d{6} - - removed\n", os.read(events, 4096))
        make(daemon, 64 * MIB)
        lines = b""
        while b" small " not in lines:
            lines += os.read(events, 4096)
        returned, *changes, crossing = [line.split(b" ", 1)[1] for line in lines.splitlines()]
        assert (returned, crossing) == (b"- - returned", b"small total reached %d %d" % (64 * pages, 100 * pages))
        numbers = [256 * pages]  # it may be seen before its limit is written
        for change in changes:
            word, new, old = re.fullmatch(rb"- total (\w+) (\d+) (\d+)", change).groups()
            assert word == b"changed" and int(old) == numbers[-1] != int(new)
            numbers.append(int(new))
        assert numbers[-1] == 64 * pages
        assert waits_by_poll(fd) == select.POLLIN
        assert os.read(fd, 4096).endswith(b" total %d\n" % (64 * pages))
        assert waits_by_poll(threshold) & select.POLLIN
        text = os.read(threshold, 4096).decode()
        assert f"total value={64 * pages} op=< limit={100 * pages} reached=1 crossings=1" in text
        assert f"limit={32 * pages} " in text


def test_a_group_that_is_made_anew_before_anybody_looks(group, serve):
    daemon = serve(f"--source=cgroup={group}")
    assert daemon.meter("total") == 256 * MIB // mmap.PAGESIZE
    for limit in (64 * MIB, 32 * MIB):
        group.rmdir()
        group.mkdir()
        (group / LIMIT).write_text(str(limit))
        wait_until(lambda wanted=limit // mmap.PAGESIZE: daemon.meter("total") == wanted, "the new group")
    assert os.listdir(daemon / "memcg")


@pytest.mark.parametrize("option", ["--source=cgroup=", "--cgroup="])
def test_the_files_of_memcg_come_back(group, serve, option):
    daemon = serve(*OFTEN, f"{option}{group}")
    directory = daemon / "memcg"
    names = sorted(os.listdir(directory))
    with Client(directory) as old, opened(directory / LIMIT, os.O_RDONLY) as limit:
        assert old.register(USAGE, 5 * MIB) == 0
        group.rmdir()
        assert old.wait_events() == 1
        wait_until(lambda: os.listdir(directory) == [], "the files to go")
        group.mkdir()
        (group / LIMIT).write_text(str(64 * MIB))
        wait_until(lambda: sorted(os.listdir(directory)) == names, "the files to come back")
        assert old.register(USAGE, 5 * MIB) == errno.ENODEV, "what is open is of the old group"
        demand_enodev(os.pread, limit, 100, 0)
        demand_enodev(os.pread, old.open(USAGE), 100, 0)
    assert read_text(directory / LIMIT) == f"{64 * MIB}\n"
    with Client(directory) as new:
        assert new.register(USAGE, 5 * MIB) == 0
        group.rmdir()
        assert new.wait_events() == 1
    wait_until(lambda: os.listdir(directory) == [], "the files to go")
    daemon.first_fds = daemon.fds()
    if option.startswith("--source"):
        messages = daemon.read_messages()  # of the meters, for which somebody may have looked
        daemon.expected += [re.escape(REMOVED.format(group))] * messages.count("was removed")
        daemon.expected += [re.escape(BACK.format(group))] * messages.count("is there again")


def test_without_descriptors_it_is_opened_later(daemon):
    """What is short now is tried again, and nothing of a group is taken for all of it."""
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"total<100M")
        remove(daemon)
        assert waits_by_poll(fd) == select.POLLERR | select.POLLHUP
        with daemon.descriptors_left(3):
            make(daemon, 64 * MIB)
            for _ in range(20):
                assert waits_by_poll(fd) == select.POLLERR | select.POLLHUP
        wait_until(lambda: waits_by_poll(fd) == select.POLLIN, "the new group")
