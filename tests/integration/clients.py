# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests need to be clients of the file system, and to wait for each other.

Nothing here is measured against the clock: whoever waits waits for a condition, and the time-out only
turns a hang into a failure."""

import json
import os
import select
import signal
import subprocess
import time
import traceback
from contextlib import contextmanager

TIMEOUT_S = 30


def wait_until(condition, what):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.005)


@contextmanager
def opened(path, flags=os.O_RDWR):
    fd = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


def events_now(fd, wanted=select.POLLIN):
    """The poll events that are true at this moment; 0 for none."""
    poll = select.poll()
    poll.register(fd, wanted)
    return dict(poll.poll(0)).get(fd, 0)


def is_ready(fd):
    return bool(events_now(fd) & select.POLLIN)


def is_woken(fd, wanted=select.POLLIN):
    """The poll events that somebody tells of; 0 if nobody does. At the end of its time poll looks once more by itself,
    and what it finds then nobody has told."""
    poll = select.poll()
    poll.register(fd, wanted)
    end = time.monotonic() + TIMEOUT_S
    found = poll.poll(TIMEOUT_S * 1000)
    return found[0][1] if found and time.monotonic() < end else 0


def wait_ready(fd, wanted=select.POLLIN):
    events = is_woken(fd, wanted)
    assert events, "poll was not woken"
    return events


def read_all(path):
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def read_text(path):
    return read_all(path).decode()


def write_text(path, text):
    """One write(2), as `echo` makes it."""
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
        data = text if isinstance(text, bytes) else text.encode()
        assert os.write(fd, data) == len(data)


def open_files(pid):
    """Where its descriptors lead to."""
    targets = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            targets.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:  # closed meanwhile
            pass
    return sorted(targets)


def has_open(pid, path):
    return str(path) in open_files(pid)


@contextmanager
def running(*command):
    """A program whose stdout can be read. It is killed, not waited for: a daemon that is at fault may hold it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.stdout.close()


# Functions of the kernel, as wchan of /proc has them.
POLL = ("do_poll", "do_select", "poll_schedule", "ep_poll", "do_epoll", "schedule_")
FUSE_REQUEST = ("request_wait_answer", "fuse_", "__fuse_")


def sleeps_in(task, *functions):
    """Whether a process or thread sleeps in one of these (or just sleeps, where the kernel does not tell)."""
    with open(f"/proc/{task}/wchan", encoding="ascii") as wchan, open(f"/proc/{task}/stat", encoding="ascii") as stat:
        where = wchan.read()
        return stat.read().rpartition(")")[2].split()[0] == "S" and (where in ("", "0") or where.startswith(functions))


class Child:
    """A function in a process of its own. What it passes to its argument `say` comes out of hear()."""

    def __init__(self, function, uid=None):
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(reader)
                if uid is not None:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                function(lambda what: os.write(writer, json.dumps(what).encode() + b"\n"))
                status = 0
            except BaseException:  # the parent must not run on in two processes
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(writer)
        self.reader = os.fdopen(reader, "rb", buffering=0)
        self.status = None

    def hear(self):
        """The next thing it says; fails if it ends without, or says nothing."""
        assert select.select([self.reader], [], [], TIMEOUT_S)[0], "the child says nothing"
        line = self.reader.readline()
        assert line, "the child ended without a word"
        return json.loads(line)

    def is_silent(self):
        return not select.select([self.reader], [], [], 0)[0]

    def signal(self, number):
        os.kill(self.pid, number)

    def status_field(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return line.split()[1]
        return None

    def wait_polling(self):
        wait_until(lambda: sleeps_in(self.pid, *POLL), "the child to sleep in poll")

    def wait_reading(self):
        wait_until(lambda: sleeps_in(self.pid, *FUSE_REQUEST), "the child to sleep in read")

    def wait(self):
        """Its exit status, negative for the signal that ended it."""
        def has_ended():
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None

        wait_until(has_ended, "the child to end")
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.reader.close()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


def error_of(function, *arguments):
    """The errno it fails with, 0 if it does not."""
    try:
        function(*arguments)
    except OSError as problem:
        return problem.errno
    return 0
