# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real memory: a process allocates past a limit, and frees."""

import mmap
import os
import signal
from pathlib import Path

import pytest

from clients import Child, is_woken, opened, read_text
from machine import driver_meters

MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
# The kernel keeps freed pages aside for each CPU, where no meter sees them: 886 MiB have been seen. So
# the limit lies that far from what is used, and what is taken that far from the limit.
TAKEN_MAX = 2048 * MIB
TAKEN_MIN = 64 * MIB
SPACE_KIB = 16384  # so far below it a limit is left, however much memory there is
ATTEMPTS = 3  # others may take or free as much at the same time


def eater_of(taken):
    """A child that takes so many bytes and gives them back, each when it is told so by SIGUSR1."""
    def eat(say):
        say("hungry")
        signal.sigwait({signal.SIGUSR1})
        memory = mmap.mmap(-1, taken, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for offset in range(0, taken, PAGE):
            memory[offset] = 1
        say("full")
        signal.sigwait({signal.SIGUSR1})
        memory.close()
        say("empty")

    return Child(eat)


def bytes_to_take(daemon):
    """Half of it lies above the limit."""
    free = PAGE * int(read_text(daemon / "meters" / "free"))
    if free < 2 * TAKEN_MIN:
        pytest.skip(f"only {free // MIB} MiB are free")
    return min(TAKEN_MAX, free // 2)


def used_in(line):
    return int(line.split()[1])


def is_told(fd, is_crossed):
    """Whether it is woken. It may not be only if the machine has moved by itself: what is used, from the kernel and not
    from the daemon, who would look anew if he was asked, is no longer beyond the limit."""
    if is_woken(fd):
        return True
    used = driver_meters(Path("/proc"))["used"]
    assert not is_crossed(used), f"nobody was told though {used} pages are used"
    return False


def attempt(daemon, taken):
    """Whether both crossings were seen, each by a poll that was asleep."""
    with opened(daemon / "memnotify") as fd, eater_of(taken) as child:
        assert child.hear() == "hungry"
        limit = used_in(os.read(fd, 100)) + taken // 2 // PAGE
        os.write(fd, b"used %d" % limit)

        child.signal(signal.SIGUSR1)
        if not is_told(fd, lambda used: used >= limit):
            return False
        reached = used_in(os.read(fd, 100))
        assert child.hear() == "full"
        if reached < limit:  # up and back before the read
            return False

        child.signal(signal.SIGUSR1)
        if not is_told(fd, lambda used: used < limit - SPACE_KIB * 1024 // PAGE):
            return False
        assert child.hear() == "empty"
        return used_in(os.read(fd, 100)) < limit


@pytest.fixture
def daemon(serve):
    """This machine."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    yield serve("-o", f"update_space={SPACE_KIB}")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


def test_a_process_that_takes_and_frees_memory_wakes_a_poll_twice(daemon):
    taken = bytes_to_take(daemon)
    assert any(attempt(daemon, taken) for _ in range(ATTEMPTS))


def attempt_of_a_threshold(daemon, taken):
    """Whether the stream told of the crossing while the eater was full."""
    def listen(say):
        stream = os.open(daemon / "events", os.O_RDONLY)
        say("listening")
        say(os.read(stream, 4096).decode().split()[1:4])

    with opened(daemon / "thresholds" / "low", os.O_RDWR | os.O_CREAT) as fd, \
            eater_of(taken) as eater, Child(listen) as listener:
        assert (eater.hear(), listener.hear()) == ("hungry", "listening")
        limit = used_in(read_text(daemon / "memnotify")) + taken // 2 // PAGE
        os.write(fd, b"used %d" % limit)
        listener.wait_reading()
        eater.signal(signal.SIGUSR1)
        assert eater.hear() == "full"
        if not is_told(listener.reader, lambda used: used >= limit):
            return False
        assert listener.hear() == ["low", "used", "reached"]
        return True


def test_a_threshold_and_the_stream_tell_of_it(daemon):
    taken = bytes_to_take(daemon)
    assert any(attempt_of_a_threshold(daemon, taken) for _ in range(ATTEMPTS))
