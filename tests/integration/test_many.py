# SPDX-License-Identifier: LGPL-2.1-or-later
"""10,000 open descriptors with different limits: each is woken by its own crossing only."""

import os
import resource
import select

import pytest

from clients import opened

MANY = 10000
KIB_ALLOWED = 1024  # far less than a tenth of what they take while they are open


@pytest.fixture
def descriptors(daemon):
    """fd of each limit: MANY of them wait for used to reach 1, 2, 3 ... pages above 100,000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 100:
        pytest.skip(f"a process may open {hard} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 100), hard))
    daemon.simulate("used 1 active 1")
    yield open_many(daemon)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_many(daemon):
    """{fd: limit}"""
    limits = {}
    for number in range(MANY):
        fd = os.open(daemon / "memnotify", os.O_RDWR | os.O_CLOEXEC)
        limits[fd] = 100000 + 10 * number
        os.write(fd, b"used %d" % limits[fd])
    return limits


def close_all(limits):
    for fd in limits:
        os.close(fd)


def woken(epoll):
    found = set()
    while True:
        events = [fd for fd, _ in epoll.poll(0)]
        found.update(events)
        if not events:
            return found
        for fd in events:
            os.read(fd, 100)


def test_each_is_woken_by_its_own_crossing_only(daemon, descriptors):
    with select.epoll() as epoll:
        for fd in descriptors:
            epoll.register(fd, select.EPOLLIN)
        assert woken(epoll) == set()

        with opened(daemon / "simulate", os.O_WRONLY) as simulate:
            for fd, limit in descriptors.items():
                os.write(simulate, b"used %d" % limit)
                assert epoll.poll(0, 16) == [(fd, select.EPOLLIN)]
                os.read(fd, 100)
            daemon.simulate("used 1")
            assert woken(epoll) == set(descriptors), "all at once"

            for fd, limit in list(descriptors.items())[::97]:
                os.write(simulate, b"used %d" % limit)
                assert woken(epoll) == {other for other, its in descriptors.items() if limit - 970 < its <= limit}
    close_all(descriptors)


def test_one_poll_waits_for_all(daemon, descriptors):
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, select.POLLIN)
    assert poll.poll(0) == []
    for chosen in list(descriptors)[::3000]:
        daemon.simulate(f"used {descriptors[chosen]}")
        ready = {fd for fd, _ in poll.poll(0)}
        assert ready == {fd for fd, limit in descriptors.items() if limit <= descriptors[chosen]}
    close_all(descriptors)


def test_closing_all_gives_the_memory_back(daemon, descriptors):
    before = daemon.status_number("VmRSS")
    close_all(descriptors)
    assert daemon.meter("total")  # all has been closed when this is answered
    first = daemon.status_number("VmRSS")
    for _ in range(3):
        close_all(open_many(daemon))
    assert daemon.meter("total")
    assert daemon.status_number("VmRSS") <= max(before, first) + KIB_ALLOWED
