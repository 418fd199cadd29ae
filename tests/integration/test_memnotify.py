# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify: what the clients of the driver of 2012 do, byte by byte, and what they read."""

import os
import select
import time
from pathlib import Path

import pytest

from clients import Child, events_now, is_ready, opened, read_text, wait_ready, wait_until
from machine import driver_meters


def line(daemon, used, active):
    return f"used {used} active {active} total {daemon.meter('total')}\n".encode()


def test_reads_without_lseek_get_a_line_after_each_write_and_event(daemon):
    daemon.simulate("used 1 active 1")
    with opened(daemon / "memnotify") as fd:
        assert os.read(fd, 100) == line(daemon, 1, 1)
        for used in range(100, 3000, 100):
            assert os.write(fd, b"used %d" % used) == len(b"used %d" % used)
            assert os.read(fd, 100) == line(daemon, used - 100 or 1, 1)
            daemon.simulate(f"used {used}")
            assert os.read(fd, 100) == line(daemon, used, 1)  # the event, also if nobody polled


def test_reads_after_a_polled_event_begin_with_the_line_also_in_the_middle(daemon):
    daemon.simulate("used 1 active 1")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 1000")
        assert os.read(fd, 3) == b"use"
        daemon.simulate("used 1000")
        assert wait_ready(fd) == select.POLLIN
        assert os.read(fd, 100) == line(daemon, 1000, 1)


def test_a_reader_that_goes_on_after_the_end_gets_news(daemon):
    daemon.simulate("used 1 active 1")
    with opened(daemon / "memnotify", os.O_RDONLY) as fd:
        assert os.read(fd, 100) == line(daemon, 1, 1)
        assert os.read(fd, 100) == b""
        daemon.simulate("used 2")
        assert os.read(fd, 100) == b""
        assert os.read(fd, 100) == line(daemon, 2, 1)


def test_what_was_read_can_be_written_back(daemon):
    daemon.simulate("used 500 active 300")
    with opened(daemon / "memnotify") as fd:
        assert os.write(fd, os.read(fd, 100)) > 0
        assert not is_ready(fd)
        daemon.simulate("active 200")
        assert is_ready(fd)


def test_mn_test(daemon):
    """The posting's example: all on one descriptor, poll without time-out, no lseek."""
    daemon.simulate("used 1 active 1")

    def mn_test(say):
        fd = os.open(daemon / "memnotify", os.O_RDWR)
        say(os.read(fd, 255).decode())
        os.write(fd, b"active 8000 used 16000")
        for _ in range(3):
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            say("polling")
            assert poll.poll() == [(fd, select.POLLIN)]
            say(os.read(fd, 255).decode())

    with Child(mn_test) as child:
        assert child.hear() == line(daemon, 1, 1).decode()
        for used, active in ((16000, 1), (16001, 8000), (1, 8000)):
            assert child.hear() == "polling"
            child.wait_polling()
            daemon.simulate(f"used {used} active {active}")
            assert child.hear() == line(daemon, used, active).decode()
        assert child.wait() == 0


def test_mce(daemon):
    """Sailfish's: a descriptor a level in one epoll set, read once an event; a read of 0 bytes is an error."""
    levels = {"warning": 10000, "critical": 20000}
    daemon.simulate("used 1 active 1")
    with select.epoll() as epoll, opened(daemon / "memnotify") as warning, opened(daemon / "memnotify") as critical:
        for fd, limit in ((warning, levels["warning"]), (critical, levels["critical"])):
            text = b"used %d active %d total %d" % (limit, 0, 0)
            assert os.write(fd, text) == len(text)
            assert os.read(fd, 256) == line(daemon, 1, 1)
            epoll.register(fd, select.EPOLLIN)

        for used, woken in ((9999, []), (10000, [warning]), (25000, [critical]), (5, [warning, critical]),
                            (30000, [warning, critical]), (15000, [critical]), (15001, [])):
            daemon.simulate(f"used {used}")
            assert sorted(fd for fd, _ in epoll.poll(0)) == sorted(woken), used
            for fd in woken:
                assert os.read(fd, 256) == line(daemon, used, 1)
            assert epoll.poll(0) == []


def test_libmemnotify(daemon):
    """Waits on a write-only descriptor that it never reads, and reads another after lseek."""
    daemon.simulate("used 1 active 1")
    with opened(daemon / "memnotify", os.O_RDONLY) as sensor:
        assert os.read(sensor, 8192) == line(daemon, 1, 1)
        with opened(daemon / "memnotify", os.O_WRONLY) as handler:
            assert os.write(handler, b"used 7000") == len(b"used 7000")
            for used in (7000, 6000, 8000):
                daemon.simulate(f"used {used}")
                assert wait_ready(handler) == select.POLLIN
                assert not is_ready(handler), "it would be told of the same event for ever"
                os.lseek(sensor, 0, os.SEEK_SET)
                assert os.read(sensor, 8192) == line(daemon, used, 1)


def test_the_shell_session_of_the_manual(daemon):
    daemon.simulate("used 1 active 1")

    def session(_say):
        os.execlp("bash", "bash", "-c", 'exec 3<>"$1"; echo "used 5000 active 8000" >&3; head -n 1 <&3 >"$2"',
                  "bash", str(daemon / "memnotify"), str(daemon.machine.path / "out"))

    with Child(session) as child:
        assert child.wait() == 0
    assert read_text(daemon.machine.path / "out") == line(daemon, 1, 1).decode()


def test_limits_are_read_in_all_their_forms(daemon):
    total = daemon.meter("total")
    for text, limit in ((b"used 2000", 2000), (b"used 2000\n", 2000), (b"used 2000\0", 2000), (b"used=2000", 2000),
                        (b"active:9,used:2000", 2000), (b"used >= 2000", 2000), (b"used>=2000", 2000),
                        (b"used 8000K", 2000), (b"used 8M", 2048), (b"used 50%", -(-total // 2)),
                        (b"\t used\r\n 2000 \n\n", 2000), (b"used 7999k", 2000), (b"total 0 used 2000", 2000)):
        with opened(daemon / "memnotify") as fd:
            daemon.simulate("used 1 active 1")
            assert os.write(fd, text) == len(text)
            daemon.simulate(f"used {limit - 1}")
            assert not is_ready(fd), text
            daemon.simulate(f"used {limit}")
            assert is_ready(fd), text


@pytest.mark.parametrize("text", [b"\n", b"used 0", b"used 0 active 0 total 0", b"active 5"])
def test_a_write_replaces_all_limits(daemon, text):
    daemon.simulate("used 1 active 1")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 2000")
        os.write(fd, text)
        daemon.simulate("used 3000")
        assert not is_ready(fd)


def test_a_descriptor_forgets_its_limits_when_closed(daemon):
    daemon.simulate("used 1")
    with opened(daemon / "memnotify") as other:
        os.write(other, b"used 9999")
        with opened(daemon / "memnotify") as fd:
            os.write(fd, b"used 2000")
        daemon.simulate("used 3000")
        assert events_now(other, select.POLLIN | select.POLLOUT) == select.POLLOUT


@pytest.mark.parametrize("name", ["debian-5.10", "debian-6.1", "debian-6.1-zram", "debian-6.12", "numa2-6.1",
                                  "cpus64-6.1", "guest-6.18-plugged", "ancient-2.6.32", "future"])
def test_values_are_the_drivers_on_a_recorded_machine(serve, make_machine, name):
    machine = make_machine(name)
    expected = machine.meters()
    daemon = serve(machine=machine)
    assert read_text(daemon / "memnotify") == "used {used} active {active} total {total}\n".format(**expected)
    for meter, pages in expected.items():
        assert daemon.meter(meter) == pages


def test_values_are_the_drivers_on_this_machine(serve):
    """To the page, at moments when the kernel's numbers were the same before and after. They may have moved and come
    back in between, so one of ten may be wrong."""
    daemon = serve("-o", "update_period=1")
    equal = []

    def look():
        before = driver_meters(Path("/proc"))
        time.sleep(0.003)  # so that the daemon has to take a new sample
        words = read_text(daemon / "memnotify").split()
        if driver_meters(Path("/proc")) == before:
            equal.append(dict(zip(words[::2], map(int, words[1::2]))) == before)
        return len(equal) == 10

    wait_until(look, "ten moments without change")
    assert equal.count(True) >= 9
