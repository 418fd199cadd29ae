# SPDX-License-Identifier: LGPL-2.1-or-later
"""pressure, beside the kernel's own file: what may be written, what poll says, and simulated stalls."""

import errno
import os
import re
import select
import time

import pytest

from clients import Child, events_now, is_woken, opened, read_all, read_text, wait_until, write_text
from devices import set_pressure

KERNEL = "/proc/pressure/memory"
STRANGER = 54321
TEXT = re.compile(r"some avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)\n"
                  r"full avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)\n")
PRI = select.POLLPRI
ALL = select.POLLIN | select.POLLOUT | select.POLLRDNORM | select.POLLWRNORM | PRI

# What is written, and is the same to both. The windows are those that the kernel has for everybody.
WRITES = [
    b"some 200000 2000000\0", b"some 200000 2000000\n", b"full 100000 2000000\0", b"some 150000 4000000\0",
    b"some 2000000 2000000\0", b"some 200000 10000000\0", b"some 1 2000000\n", b"some 200000\t2000000\n",
    b"some  200000   2000000 \n", b"some200000 2000000\n", b"some \v\f\r\xa0200000 2000000\n",
    b"some 000200000 0002000000\n", b"some 200000 2000000 junk\n", b"some 200000 2000000junk",
    b"some 200000 2000000\0junk", b"some 200000 2000000 and much more than it has room for\n",
    b"some 4295167296 2000000\n", b"some 18446744073709751616 2000000\n", b"some 200000          0000020000001",
    b"\0", b"\n", b"some", b"some\n", b"some 200000\n", b"some 200000 \n", b"some 200000\0 2000000\n",
    b"SOME 200000 2000000\n", b" some 200000 2000000\n", b"\nsome 200000 2000000\n", b"most 200000 2000000\n",
    b"some +200000 2000000\n", b"some -200000 2000000\n", b"some 200000 +2000000\n", b"some 200000,2000000\n",
    b"some 0x1000 2000000\n", b"some 0 2000000\n", b"some 200000 0\n", b"some 2000001 2000000\n",
    b"some 200000 12000000\n", b"some 200000 10000001\n", b"some                    200000 2000000\n",
    b"full\0", b"fullsome 1 2000000\n", b"some 2000000\n", b"\xff\xfe\n", b"some some 1 2000000\n",
]

# Windows that the kernel has for who has CAP_SYS_RESOURCE, and we for everybody; on kernels before 6.5 from 500 ms on.
SHORT_WRITES = [b"some 150000 1000000\0", b"full 70000 1000000\n", b"some 1 500000\n", b"some 150000 9999999\n"]


@pytest.fixture
def system(serve):
    """The machine's own memory, whatever group the tests are in."""
    if not os.path.exists(KERNEL):
        pytest.skip("this kernel has no PSI")
    return serve("--source=system")


@pytest.fixture
def pressure(serve, make_machine):
    """Of a machine where nothing stalls unless it is simulated."""
    return serve(machine=make_machine("debian-6.1"), simulate=True)


def answer(call, *arguments):
    """0 or the error."""
    try:
        call(*arguments)
        return 0
    except OSError as error:
        return error.errno


def answer_to(path, text):
    """What a write to a fresh descriptor comes to."""
    with opened(path) as fd:
        return answer(os.write, fd, text)


def stalls(path):
    """{"some": (avg10, total), "full": …}"""
    found = TEXT.fullmatch(read_text(path)).groups()
    return {"some": (float(found[0]), int(found[3])), "full": (float(found[4]), int(found[7]))}


# the same as the kernel

@pytest.mark.parametrize("uid", [0, STRANGER])
def test_writes_are_taken_and_refused_as_by_the_kernel(system, uid):
    def client(say):
        say([[repr(text), answer_to(KERNEL, text), answer_to(system / "pressure", text)] for text in WRITES])

    with Child(client, uid) as child:
        rows = child.hear()
        assert [row for row in rows if row[1] != row[2]] == []
        assert {row[1] for row in rows} == {0, errno.EINVAL}
        assert child.wait() == 0


def test_short_windows_are_everybodys(system):
    def client(say):
        say([answer_to(system / "pressure", text) for text in SHORT_WRITES])

    for uid in (0, STRANGER):
        with Child(client, uid) as child:
            assert child.hear() == [0] * len(SHORT_WRITES)
            assert child.wait() == 0
    with opened("/proc/self/status", os.O_RDONLY) as status:
        capabilities = int(re.search(rb"CapEff:\s+(\w+)", os.read(status, 4096)).group(1), 16)
    if capabilities >> 24 & 1:  # CAP_SYS_RESOURCE
        assert [answer_to(KERNEL, text) for text in SHORT_WRITES] == [0] * len(SHORT_WRITES)


@pytest.mark.parametrize("text, expected", [
    (b"some 150000 1000000", 0),  # the kernel would take the window for 100000
    (b"some 50000 50000", 0), (b"some 1 49999\n", errno.EINVAL),
    (b"", 0),  # the kernel does not ask us
])
def test_what_is_different_from_the_kernel(pressure, text, expected):
    assert answer_to(pressure / "pressure", text) == expected


@pytest.mark.parametrize("path", [KERNEL, None])
def test_one_trigger_an_open_file(system, path):
    path = path or system / "pressure"
    with opened(path) as fd:
        assert answer(os.write, fd, b"nonsense\n") == errno.EINVAL
        assert answer(os.write, fd, b"some 200000 2000000\n") == 0
        for text in b"some 200000 2000000\n", b"nonsense\n", b"\0":
            assert answer(os.write, fd, text) == errno.EBUSY
    with opened(path, os.O_RDONLY) as fd:
        assert answer(os.write, fd, b"some 200000 2000000\n") == errno.EBADF
    with opened(path, os.O_WRONLY) as fd:
        assert answer(os.write, fd, b"some 200000 2000000\n") == 0
        assert events_now(fd, PRI) == 0


@pytest.mark.parametrize("wanted", [ALL, PRI, select.POLLIN, 0])
def test_poll_without_an_event_is_as_the_kernels(system, wanted):
    found = []
    for path in KERNEL, system / "pressure":
        with opened(path) as fd:
            before = events_now(fd, wanted)
            os.write(fd, b"full 2000000 2000000\n")
            found.append((before, events_now(fd, wanted)))
    assert found[0] == found[1]
    assert found[0][0] & select.POLLERR


def test_the_text_is_the_kernels(system):
    """Both totals are read before and after ours, in between the kernel goes on."""
    for _ in range(20):
        before, ours, after = stalls(KERNEL), stalls(system / "pressure"), stalls(KERNEL)
        time.sleep(0.011)  # older values may be shown for 10 ms
        for kind in "some", "full":
            assert ours[kind][1] <= after[kind][1]
        if before == after:
            break
    assert read_all(system / "pressure").startswith(b"some avg10=")


def test_readers_with_small_buffers_who_poll_see_one_text(pressure):
    """busybox ash polls before it reads a byte."""
    whole = read_all(pressure / "pressure")
    with opened(pressure / "pressure") as fd:
        os.write(fd, b"some 150000 1000000")
        read = b""
        while piece := os.read(fd, 1):
            assert events_now(fd) & select.POLLIN
            read += piece
    assert read == whole


# events

def test_a_stall_is_told_once_a_window(pressure):
    with opened(pressure / "pressure") as fd, opened(pressure / "pressure") as other:
        os.write(fd, b"some 10000 50000")
        os.write(other, b"full 10000 50000")
        assert events_now(fd, PRI) == 0
        pressure.simulate("stall_some 50%")
        for _ in range(3):
            assert is_woken(fd, PRI) == PRI
        assert events_now(other, PRI) == 0
        pressure.simulate("stall_full 50%")
        assert is_woken(other, PRI) == PRI


def test_an_event_waits_until_a_poll_consumes_it(pressure):
    with opened(pressure / "pressure") as fd, opened(pressure / "pressure") as witness:
        for one in fd, witness:
            os.write(one, b"some 1000000 10000000")
        pressure.simulate("stall_some 100%")
        assert is_woken(witness, PRI) == PRI
        assert events_now(fd, select.POLLIN) == select.POLLIN  # which consumes it, as the kernel's
        assert events_now(fd, PRI) == 0


@pytest.mark.parametrize("flags", [select.EPOLLPRI, select.EPOLLPRI | select.EPOLLET])
def test_a_sleeper_in_epoll_is_woken_each_time(pressure, flags):
    def client(say):
        with opened(pressure / "pressure") as fd, select.epoll() as epoll:
            os.write(fd, b"some 10000 50000\0")
            epoll.register(fd, flags)
            say("armed")
            for _ in range(3):
                say([event for _, event in epoll.poll()])

    with Child(client, STRANGER) as child:
        assert child.hear() == "armed"
        child.wait_polling()
        pressure.simulate("stall_some 80%")
        assert [child.hear() for _ in range(3)] == [[PRI]] * 3
        assert child.wait() == 0


def test_what_was_stalled_before_is_no_event(serve, make_machine):
    """The first little thing after it is seen, by whoever waits for that, and is no event to others."""
    machine = make_machine("debian-6.1")
    set_pressure(machine, 60000000)
    daemon = serve(machine=machine)
    with opened(daemon / "pressure") as fd, opened(daemon / "pressure") as witness:
        os.write(fd, b"some 100000 10000000")
        os.write(witness, b"some 1 50000")
        set_pressure(machine, 60001000)
        assert is_woken(witness, PRI) == PRI
        assert events_now(fd, PRI) == 0


def test_a_copy_of_proc_stalls_when_its_text_says_so(serve, make_machine):
    machine = make_machine("debian-6.1")
    set_pressure(machine, 1000000)
    daemon = serve(machine=machine)
    assert stalls(daemon / "pressure") == {"some": (0.0, 1000000), "full": (0.0, 1000000)}
    with opened(daemon / "pressure") as fd:
        os.write(fd, b"full 100000 1000000")
        assert events_now(fd, PRI) == 0
        set_pressure(machine, 1100001)
        assert is_woken(fd, PRI) == PRI


def test_where_nobody_tells_of_stalls_it_is_not_there(serve, make_machine):
    daemon = serve(machine=make_machine("debian-6.1"))
    assert "pressure" not in os.listdir(daemon.mountpoint)
    assert answer(os.stat, daemon / "pressure") == errno.ENOENT


# simulate

def test_simulated_shares_are_read_back_and_shown(pressure):
    pressure.simulate("used 5 stall_some 20% stall_full 5%")
    assert read_text(pressure / "simulate") == "used 5\nstall_some 20%\nstall_full 5%\n"
    wait_until(lambda: stalls(pressure / "pressure")["some"][0] > 0, "an average")
    shown = stalls(pressure / "pressure")
    assert abs(shown["some"][1] - 4 * shown["full"][1]) <= 4
    pressure.simulate("stall_some - used -")
    assert read_text(pressure / "simulate") == "stall_full 5%\n"
    last = stalls(pressure / "pressure")
    pressure.simulate("reset")
    assert read_text(pressure / "simulate") == ""
    now = stalls(pressure / "pressure")
    assert now["some"][1] >= last["some"][1] >= shown["some"][1]
    assert now["some"][0] == now["full"][0] == 0


def test_full_is_never_more_than_some(pressure):
    pressure.simulate("stall_some 1% stall_full 90%")
    wait_until(lambda: stalls(pressure / "pressure")["full"][1] > 100, "a stall")
    shown = stalls(pressure / "pressure")
    assert shown["full"][1] == shown["some"][1]


@pytest.mark.parametrize("text", ["stall_some 20", "stall_some 101%", "stall_some", "stall_some 5% stall_some 6%"])
def test_a_bad_share_changes_nothing(pressure, text):
    pressure.simulate("stall_some 20%")
    assert answer(write_text, pressure / "simulate", text) == errno.EINVAL
    assert read_text(pressure / "simulate") == "stall_some 20%\n"


# what it costs

def test_triggers_are_counted_and_given_back(pressure):
    def client(say):
        fds = [os.open(pressure / "pressure", os.O_RDWR) for _ in range(513)]
        say([answer(os.write, fd, b"some 150000 10000000") for fd in fds])
        os.close(fds[0])
        say(answer(os.write, fds[-1], b"some 150000 10000000"))

    with Child(client, STRANGER) as child:
        assert child.hear() == [0] * 512 + [errno.EDQUOT]
        assert child.hear() == 0
        assert child.wait() == 0
    wait_until(lambda: str(STRANGER) not in read_text(pressure / "users"), "the end of what it held")
