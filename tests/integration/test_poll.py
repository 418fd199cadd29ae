# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way to wait, and what an event is."""

import asyncio
import os
import select
import threading

import pytest

from clients import POLL, TIMEOUT_S, Child, events_now, is_ready, opened, sleeps_in, wait_ready, wait_until, write_text

PRI = select.POLLPRI


@pytest.fixture
def quiet(daemon):
    """Nothing is reached; thresholds/low waits for what the others are told to wait for."""
    daemon.simulate("used 1 active 1")
    write_text(daemon / "thresholds" / "low", "used 2000")
    return daemon


def open_limited(daemon, name):
    """An open file that waits for `used` to reach 2000 pages."""
    fd = os.open(daemon / name, os.O_RDWR)
    if name == "memnotify":
        os.write(fd, b"used 2000")
    elif name == "meters/used":
        os.write(fd, b"2000")
    os.read(fd, 4096)
    return fd


def by_poll(fd, wanted):
    poll = select.poll()
    poll.register(fd, wanted)
    return poll.poll()[0][1] & wanted


def by_select(fd, wanted):
    if wanted == PRI:
        return bool(select.select([], [], [fd])[2])
    return bool(select.select([fd], [], [])[0])


def by_epoll(fd, wanted, flags=0):
    with select.epoll() as epoll:
        epoll.register(fd, wanted | flags)
        return epoll.poll()[0][1] & wanted


def by_edge(fd, wanted):
    return by_epoll(fd, wanted, select.EPOLLET)


def by_one_shot(fd, wanted):
    return by_epoll(fd, wanted, select.EPOLLONESHOT)


def by_modified_one_shot(fd, wanted):
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLOUT | select.EPOLLONESHOT)
        assert epoll.poll()[0][1] == select.EPOLLOUT
        epoll.modify(fd, wanted | select.EPOLLONESHOT)
        return epoll.poll()[0][1] & wanted


def by_nested_epoll(fd, wanted):
    with select.epoll() as inner, select.epoll() as outer:
        inner.register(fd, wanted)
        outer.register(inner, select.EPOLLIN)
        assert outer.poll() == [(inner.fileno(), select.EPOLLIN)]
        return inner.poll(0)[0][1] & wanted


def by_asyncio(fd, wanted):
    assert wanted == select.POLLIN

    async def wait():
        woken = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(fd, lambda: woken.done() or woken.set_result(True))
        await woken
        asyncio.get_running_loop().remove_reader(fd)
        return True

    return asyncio.run(wait())


WAYS = [by_poll, by_select, by_epoll, by_edge, by_one_shot, by_modified_one_shot, by_nested_epoll, by_asyncio]
FILES = ["memnotify", "meters/used", "thresholds/low"]
# memnotify has POLLIN only, as the driver; asyncio cannot wait for POLLPRI.
CASES = [(way, name, select.POLLIN) for way in WAYS for name in FILES] + [
    (way, name, PRI) for way in WAYS for name in FILES if name != "memnotify" and way is not by_asyncio]


@pytest.mark.parametrize("way, name, wanted", CASES)
def test_a_sleeper_is_woken_in_both_directions(quiet, way, name, wanted):
    def client(say):
        fd = open_limited(quiet, name)
        for _ in range(2):
            say("waiting")
            say(bool(way(fd, wanted)))
            say(os.pread(fd, 4096, 0).decode())
        say("done")

    with Child(client) as child:
        for used in (2000, 1):
            assert child.hear() == "waiting"
            child.wait_polling()
            assert child.is_silent()
            quiet.simulate(f"used {used}")
            assert child.hear() is True
            assert str(used) in child.hear()
        assert child.hear() == "done"
        assert child.wait() == 0


@pytest.mark.parametrize("name", FILES)
def test_an_event_pending_at_registration_is_delivered(quiet, name):
    fd = open_limited(quiet, name)
    quiet.simulate("used 2000")
    for flags in (0, select.EPOLLET, select.EPOLLONESHOT):
        with select.epoll() as epoll:
            epoll.register(fd, select.EPOLLIN | flags)
            assert epoll.poll(0) == [(fd, select.EPOLLIN)]
    assert is_ready(fd), "looking takes nothing away"
    os.close(fd)


def test_one_shot_loses_nothing_between_delivery_and_re_arming(quiet):
    fd = open_limited(quiet, "memnotify")
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLIN | select.EPOLLONESHOT)
        for used in (2000, 1, 2000, 1):
            quiet.simulate(f"used {used}")
            assert epoll.poll(0) == [(fd, select.EPOLLIN)]
            os.read(fd, 4096)
            quiet.simulate(f"used {2001 - used}")
            assert epoll.poll(0) == []
            epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
            assert epoll.poll(0) == [(fd, select.EPOLLIN)]
            os.read(fd, 4096)
            epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
            quiet.simulate(f"used {used}")
            assert epoll.poll(0) == [(fd, select.EPOLLIN)]
            os.read(fd, 4096)
            epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
    os.close(fd)


def test_edge_triggered_epoll_gets_an_edge_for_each_event(quiet):
    fd = open_limited(quiet, "memnotify")
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        assert epoll.poll(0) == []
        for used in (2000, 1) * 5:
            quiet.simulate(f"used {used}")
            assert epoll.poll(0) == [(fd, select.EPOLLIN)]
            assert epoll.poll(0) == []
            os.read(fd, 4096)
    os.close(fd)


def test_two_epoll_sets_both_see_an_event(quiet):
    fd = open_limited(quiet, "memnotify")
    with select.epoll() as one, select.epoll() as other:
        one.register(fd, select.EPOLLIN)
        other.register(fd, select.EPOLLIN)
        quiet.simulate("used 2000")
        assert one.poll(0) == other.poll(0) == [(fd, select.EPOLLIN)]
        os.read(fd, 4096)
        assert one.poll(0) == other.poll(0) == []
    os.close(fd)


def test_files_are_always_writable(quiet):
    for name in FILES:
        fd = open_limited(quiet, name)
        assert events_now(fd, select.POLLOUT) == select.POLLOUT
        quiet.simulate("used 2000")
        assert events_now(fd, select.POLLOUT | select.POLLIN) == select.POLLOUT | select.POLLIN
        quiet.simulate("used 1")
        os.close(fd)
    with opened(quiet / "parameters" / "update_period") as fd:
        assert events_now(fd, select.POLLIN | select.POLLOUT) == select.POLLIN | select.POLLOUT


def test_non_blocking_reads_read(quiet):
    for name in FILES:
        with opened(quiet / name, os.O_RDWR | os.O_NONBLOCK) as fd:
            assert os.read(fd, 4096).endswith(b"\n")


def test_up_and_back_before_anybody_looks_is_one_event(quiet):
    fd = open_limited(quiet, "memnotify")
    for _ in range(3):
        quiet.simulate("used 2000")
        quiet.simulate("used 1")
    assert is_ready(fd)
    os.read(fd, 4096)
    assert not is_ready(fd)
    os.close(fd)


def test_a_limit_already_reached_when_written_is_no_event_for_memnotify(quiet):
    quiet.simulate("used 3000")
    with opened(quiet / "memnotify") as fd:
        os.write(fd, b"used 2000")
        assert not is_ready(fd)
        quiet.simulate("used 4000")
        assert not is_ready(fd)
        quiet.simulate("used 1")
        assert is_ready(fd)


def test_a_limit_already_reached_when_written_is_one_for_a_meter(quiet):
    quiet.simulate("used 3000")
    with opened(quiet / "meters" / "used") as fd:
        os.write(fd, b"2000")
        assert events_now(fd, select.POLLIN | PRI) == select.POLLIN | PRI
        os.read(fd, 100)
        assert not is_ready(fd)
        os.write(fd, b"<4000")
        assert is_ready(fd)
        os.write(fd, b"0")
        assert not is_ready(fd)


def test_a_new_write_drops_the_pending_event(quiet):
    fd = open_limited(quiet, "memnotify")
    quiet.simulate("used 2000")
    os.write(fd, b"used 3000")
    assert not is_ready(fd)
    os.close(fd)


def test_a_reached_limit_is_left_below_the_hysteresis(serve, make_machine):
    daemon = serve("-o", "update_space=400", machine=make_machine("debian-6.1"), simulate=True)  # 100 pages
    daemon.simulate("used 1 free 5000")
    with opened(daemon / "memnotify") as used, opened(daemon / "meters" / "free") as free:
        os.write(used, b"used 2000")
        os.write(free, b"<1000")
        daemon.simulate("used 2000 free 999")
        assert is_ready(used) and is_ready(free)
        os.read(used, 100), os.read(free, 100)
        for pages, event in ((1950, False), (2500, False), (1900, False), (1899, True), (1950, False), (2000, True)):
            daemon.simulate(f"used {pages}")
            assert is_ready(used) == event, pages
            os.read(used, 100)
        for pages, event in ((1000, False), (1099, False), (1, False), (1100, True), (1000, False), (999, True)):
            daemon.simulate(f"free {pages}")
            assert is_ready(free) == event, pages
            os.pread(free, 100, 0)


def test_ack_poll_consumes_with_the_poll_that_reports(serve, make_machine):
    daemon = serve("-o", "ack=poll,update_space=4", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate("used 1")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 2000")
        daemon.simulate("used 2000")
        assert events_now(fd) == select.POLLIN
        assert events_now(fd) == 0
        daemon.simulate("used 1")
        daemon.simulate("used 2000")
        assert wait_ready(fd) == select.POLLIN
        assert events_now(fd) == 0


def test_dup_and_fork_share_limits_and_event(quiet):
    fd = open_limited(quiet, "memnotify")
    copy = os.dup(fd)
    os.close(fd)
    with Child(lambda say: say(is_ready(copy))) as child:
        assert child.hear() is False
    quiet.simulate("used 2000")
    assert is_ready(copy)
    with Child(lambda say: say(len(os.read(copy, 100)))) as child:
        assert child.hear() > 0
    assert not is_ready(copy), "the child has read it"
    os.close(copy)


def test_a_descriptor_closed_under_poll_disturbs_nobody(quiet):
    done = []
    poll = select.poll()
    with opened(quiet / "simulate", os.O_WRONLY) as simulate:
        fd = open_limited(quiet, "memnotify")
        poll.register(fd, select.POLLIN)
        sleeper = threading.Thread(target=lambda: done.append(poll.poll()), daemon=True)
        sleeper.start()
        wait_until(lambda: sleeps_in(sleeper.native_id, *POLL), "the thread to sleep in poll")
        os.close(fd)
        os.write(simulate, b"used 2000")  # the sleeper still holds the file, and is woken
        sleeper.join(TIMEOUT_S)
    assert done == [[(fd, select.POLLNVAL)]], "woken, poll(2) looks for the number anew"


def test_a_client_killed_in_poll_disturbs_nobody(quiet):
    def client(say):
        fd = open_limited(quiet, "memnotify")
        say("waiting")
        by_poll(fd, select.POLLIN)

    fd = open_limited(quiet, "memnotify")
    with Child(client) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        child.signal(9)
        assert child.wait() == -9
    quiet.simulate("used 2000")
    assert is_ready(fd)
    os.close(fd)


def test_a_sleeper_is_not_even_woken_by_the_limits_of_others(quiet):
    def client(say):
        fd = os.open(quiet / "memnotify", os.O_RDWR)
        os.write(fd, b"used 30000")
        say("waiting")
        say(by_poll(fd, select.POLLIN))

    fd = open_limited(quiet, "memnotify")
    with Child(client) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        switches = int(child.status_field("voluntary_ctxt_switches"))
        for used in (2000, 1) * 100:
            quiet.simulate(f"used {used}")
            assert is_ready(fd)
            os.read(fd, 100)
        assert child.is_silent()
        assert int(child.status_field("voluntary_ctxt_switches")) - switches < 20, "200 would be one for each event"
        quiet.simulate("used 30000")
        assert child.hear() == select.POLLIN
    os.close(fd)


@pytest.mark.parametrize("name", ["meters/used", "thresholds/low"])
def test_who_cannot_read_stays_ready(quiet, name):
    """Opened for writing only: epoll asks once when it is told of the file and again when it reports, so what counted
    as read by being reported would be lost."""
    with opened(quiet / name, os.O_WRONLY) as fd, select.epoll() as epoll:
        quiet.simulate("used 3000")
        if name == "meters/used":
            os.write(fd, b"2000")
        epoll.register(fd, select.EPOLLIN)
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]


@pytest.mark.parametrize("name", ["memnotify", "meters/used"])
def test_a_descriptor_is_readable_before_its_first_limit(quiet, name):
    """However often it is asked, and however often it is read; not one for writing, which cannot be read."""
    path = quiet / name
    with opened(path, os.O_RDONLY) as fd, opened(path) as both, opened(path, os.O_WRONLY) as out:
        for _ in range(3):
            assert is_ready(fd) and is_ready(both) and not is_ready(out)
            os.pread(fd, 100, 0)
            os.pread(both, 100, 0)
        os.write(both, b"used 9999" if name == "memnotify" else b"9999")
        assert not is_ready(both)
        os.write(both, b"\n" if name == "memnotify" else b"0")
        assert not is_ready(both)


def test_what_is_read_in_pieces_is_readable_to_its_end(quiet):
    """Nothing is begun anew meanwhile. Who has asked for more than there was knows the end."""
    low = quiet / "thresholds" / "low"
    write_text(low, "used 2000")
    with opened(low, os.O_RDONLY) as fd:
        whole = os.read(fd, 4096)
        assert not is_ready(fd)
    with opened(low, os.O_RDONLY) as fd:
        text = b""
        while is_ready(fd):
            byte = os.read(fd, 1)
            text += byte
            if not byte:
                break
        assert text == whole
        assert not is_ready(fd)


def test_a_line_of_memnotify_that_was_read_whole_is_waited_behind(quiet):
    """Also with a buffer that it just fills."""
    with opened(quiet / "memnotify") as fd:
        os.write(fd, b"used 9999")
        line = os.read(fd, 100)
        assert not is_ready(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        assert os.read(fd, 5) == line[:5] and is_ready(fd)
        assert os.read(fd, len(line) - 5) == line[5:]
        assert not is_ready(fd)
