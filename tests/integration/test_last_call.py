# SPDX-License-Identifier: LGPL-2.1-or-later
"""last_call: who is about to kill a control group tells those who are in it, and nobody else."""

import errno
import os
import re
import select
import signal
import threading
from contextlib import ExitStack

import pytest

from clients import Child, is_ready, opened, read_text, wait_ready, write_text
from daemon import helpers_of
from memcg_client import V1, removed_at_end, v1_group
from socket_client import SocketClient, path_of

NOBODY = 65534
LINE = re.compile(rb"\d+\.\d{6} - - last_call\n")


@pytest.fixture
def groups():
    """(directory, name) of a group and of one below it."""
    with removed_at_end(v1_group()) as group:
        below = group / "below"
        below.mkdir()
        try:
            yield [(directory, "/" + str(directory.relative_to(V1))) for directory in (group, below)]
        finally:
            below.rmdir()


@pytest.fixture
def daemon(serve):
    return serve("--socket", simulate=True)


def call(daemon, name):
    """How many were told."""
    with opened(daemon / "last_call") as fd:
        assert os.write(fd, name.encode()) == len(name)
        return int(os.pread(fd, 100, 0))


def enter(group):
    (group / "cgroup.procs").write_text(str(os.getpid()))


@pytest.fixture
def start():
    """start(function): a child that is ended by the end of the test, and so leaves its group."""
    children = []

    def add(function):
        children.append(Child(function))
        return children[-1]

    yield add
    for child in children:
        child.signal(signal.SIGKILL)
        child.wait()


def reader(daemon, group):
    """Says what it reads."""
    def read(say):
        if group:
            enter(group)
        with opened(daemon / "events", os.O_RDONLY) as fd:
            say("ready")
            while True:
                say(os.read(fd, 4096).decode())
    return read


def watcher(daemon, group):
    def watch(say):
        enter(group)
        client = SocketClient(path_of(daemon)).watch("used>1T")
        say("ready")
        say(client.line() + "\n")
        say(client.line() + "\n")
    return watch


def is_call(line):
    return LINE.fullmatch(line.encode())


def heard(child):
    return is_call(child.hear())


def test_those_are_told_who_are_in_the_group(daemon, groups, start):
    (group, name), (below, name_below) = groups
    inside, deeper, outside = (start(reader(daemon, where)) for where in (group, below, None))
    for child in inside, deeper, outside:
        assert child.hear() == "ready"
    assert call(daemon, name) == 2
    assert heard(inside) and heard(deeper)
    assert call(daemon, name_below + "\n") == 1
    assert heard(deeper)
    assert call(daemon, name + "-other") == 0
    assert call(daemon, "/") == 3
    assert heard(inside) and heard(deeper) and heard(outside)
    assert all(child.is_silent() for child in (inside, deeper, outside))


def test_the_socket_tells_them_too(daemon, groups, start):
    (group, name), _ = groups
    child = start(watcher(daemon, group))
    assert child.hear() == "ready"
    with SocketClient(path_of(daemon)) as other, SocketClient(path_of(daemon)) as waits_for_nothing:
        other.watch("used>1T")
        waits_for_nothing.ask("read")
        assert call(daemon, name) == 1
        assert heard(child)
        assert call(daemon, "/") == 2  # who waits for nothing has not been told
        assert is_call(other.line() + "\n")
        assert heard(child)
        assert not is_ready(waits_for_nothing.fileno())


def test_it_wakes_who_polls_and_comes_between_lines(daemon, groups):
    """Whoever has opened the file may be a thread that has ended."""
    daemon.simulate("used 1")
    write_text(daemon / "thresholds" / "low", "used 2000")
    fds = []
    opener = threading.Thread(target=lambda: fds.append(os.open(daemon / "events", os.O_RDONLY | os.O_NONBLOCK)))
    opener.start()
    opener.join()
    with ExitStack() as stack:
        stack.callback(os.close, fds[0])
        assert not is_ready(fds[0])
        daemon.simulate("used 3000")
        line = os.read(fds[0], 10)
        assert call(daemon, "/") == 1
        assert wait_ready(fds[0]) & select.POLLIN
        line += os.read(fds[0], 4096)
        first, second = line.splitlines(keepends=True)
        assert first.split()[1:4] == [b"low", b"used", b"reached"] and LINE.fullmatch(second), line
        assert not is_ready(fds[0])
        daemon.simulate("used 1")
        assert b"left" in os.read(fds[0], 4096)


def test_two_calls_that_were_not_read_are_one(daemon):
    with opened(daemon / "events", os.O_RDONLY) as fd:
        assert not is_ready(fd)
        assert [call(daemon, "/") for _ in range(3)] == [1, 1, 1]
        assert LINE.fullmatch(os.read(fd, 4096))
        assert not is_ready(fd)


@pytest.mark.parametrize("text, reason, caret", [
    ("", "not the path of a control group, which begins with '/'", "^"),
    ("\n", "not the path of a control group, which begins with '/'", "^"),
    ("user.slice", "not the path of a control group, which begins with '/'", "^"),
    ("/a\n/b", "there is one group at a time", "  ^"),
])
def test_what_is_no_group_is_refused(daemon, text, reason, caret):
    with opened(daemon / "last_call") as fd, opened(daemon / "events", os.O_RDONLY) as events:
        with pytest.raises(OSError) as caught:
            os.write(fd, text.encode() or b"\0")
        assert caught.value.errno == errno.EINVAL
        assert os.pread(fd, 100, 0) == b"0\n"
        assert not is_ready(events)
    told = read_text(daemon / "errors")
    assert f" last_call: {reason}\n" in told and told.rstrip("\n").endswith(caret)


def test_a_name_that_no_group_can_have_is_too_long(daemon):
    with opened(daemon / "last_call") as fd:
        with pytest.raises(OSError) as caught:
            os.write(fd, b"/" * 4096)
        assert caught.value.errno == errno.ENAMETOOLONG
        assert os.write(fd, b"/" * 4095) == 4095


def test_it_is_for_the_owner_of_the_mount(daemon):
    def try_it(say):
        for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR:
            try:
                os.close(os.open(daemon / "last_call", flags))
                say("open")
            except OSError as error:
                say(error.errno)

    child = Child(try_it, uid=NOBODY)
    assert [child.hear() for _ in range(3)] == [errno.EACCES] * 3
    assert child.wait() == 0
    assert os.stat(daemon / "last_call").st_mode & 0o777 == 0o600


def test_a_call_can_be_made_without_a_new_process(daemon):
    """Which may not be had any more."""
    with opened(daemon / "last_call"):
        before = helpers_of(daemon.pid)
        assert before
        assert call(daemon, "/") == 0
        assert set(before) <= set(helpers_of(daemon.pid))
