# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of memcg/, or of the kernel's own directory of a v1 group."""

import mmap
import os
import select
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until

MIB = 1 << 20
USAGE, MEMSW = "memory.usage_in_bytes", "memory.memsw.usage_in_bytes"
OOM, PRESSURE = "memory.oom_control", "memory.pressure_level"
NOBODY = 65534
V1 = Path("/sys/fs/cgroup/memory")


class Client:
    """An eventfd, the files of a directory, and what a registration answers."""

    def __init__(self, directory, eventfd=None):
        self.directory = directory
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) if eventfd is None else eventfd
        self.event_control = os.open(directory / "cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
        self.files = {}

    def open(self, name):
        if name not in self.files:
            self.files[name] = os.open(self.directory / name, os.O_RDONLY | os.O_CLOEXEC)
        return self.files[name]

    def write(self, text):
        """0, or the error; a success takes the whole text."""
        try:
            assert os.write(self.event_control, text) == len(text)
            return 0
        except OSError as problem:
            return problem.errno

    def register(self, name, argument=""):
        return self.write(f"{self.eventfd} {self.open(name)} {argument}".encode())

    def events(self):
        """How much was added to the eventfd since the last look."""
        try:
            return os.eventfd_read(self.eventfd)
        except BlockingIOError:
            return 0

    def wait_events(self, least=1):
        """Waits for that many, which may come one by one; more is a mistake that the caller sees."""
        number = 0
        while number < least:
            assert select.select([self.eventfd], [], [], TIMEOUT_S)[0], f"{number} of {least} events came"
            number += self.events()
        return number

    def close(self):
        for fd in (self.eventfd, self.event_control, *self.files.values()):
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()


def set_usage(daemon, size):
    daemon.simulate(f"anon {size // mmap.PAGESIZE} file 0 swap_used 0")


def v1_group():
    """A group of our own in the kernel's v1 hierarchy."""
    try:
        group = V1 / f"memnotifyfs-test-{os.getpid()}-{v1_group.n}"
        v1_group.n += 1
        group.mkdir()
        (group / "cgroup.event_control").stat()
    except OSError as problem:
        pytest.skip(f"cgroup v1 with the memory controller is needed: {problem}")
    return group


v1_group.n = 0


@contextmanager
def removed_at_end(group):
    try:
        yield group
    finally:
        if group.exists():
            wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
            group.rmdir()
