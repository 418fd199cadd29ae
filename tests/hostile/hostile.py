# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests need to attack the program and to outlive that.

Nothing here touches the mount from the process that runs the tests, because whoever does may hang for good: it is
touched by children, which are given up after LIMIT_S. In the end each connection to a FUSE server is aborted, which
releases whoever hangs."""

import contextlib
import errno
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from clients import Child, events_now, opened
from daemon import Daemon, is_mounted
from memcg_client import USAGE, Client

ATTACKER, VICTIM = 1001, 4002  # users who own nothing
LIMIT_S = 10  # for what is answered at once
ATTACK_S = 3  # how long an attack goes on that is as likely at any moment

PROGRAMS = Path(os.environ["WORLD"])
CONNECTIONS = Path("/sys/fs/fuse/connections")


def answer(function, uid=VICTIM):
    """What a function returns to this user, or the name of its errno. Fails if it hangs."""
    def ask(say):
        try:
            say(function())
        except OSError as error:
            say(errno.errorcode[error.errno])

    child = Child(ask, uid)
    try:
        ready = select.select([child.reader], [], [], LIMIT_S)[0]
        assert ready, f"no answer within {LIMIT_S} s"
        line = child.reader.readline()
        assert line, "the child ended without a word"
        return json.loads(line)
    finally:
        child.reader.close()
        os.kill(child.pid, signal.SIGKILL)  # and not waited for: it may not be able to end


def use(mount):
    """What each user does: reads, sets a limit, asks whether it is reached."""
    with opened(mount / "memnotify") as fd:
        os.write(fd, b"used 99%")
        text = os.read(fd, 100)
        events_now(fd)
    return text.startswith(b"used ")


def register(mount):
    """0, or the errno."""
    with Client(mount / "memcg") as client:
        return client.register(USAGE, "1G")


def subscribe(mount):
    """0, or the errno: asks for a signal, and closes the file."""
    with opened(mount / "oom_notify") as fd:
        os.write(fd, b"signal USR1")
    return 0


def holdings(users):
    """What the text of the file `users` says of each, by the names in its first line."""
    names, *lines = [line.split() for line in users.splitlines()]
    return {int(line[0]): dict(zip(names, map(int, line))) for line in lines}


class Connection:
    """What the kernel knows of a FUSE mount."""

    def __init__(self, mountpoint):
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            numbers = [line.split()[2] for line in mounts if line.split()[4] == str(mountpoint)]
        self.directory = CONNECTIONS / numbers[-1].partition(":")[2]

    def waiting(self):
        """Requests that are not answered yet."""
        return int((self.directory / "waiting").read_text())

    def abort(self):
        with contextlib.suppress(FileNotFoundError):
            (self.directory / "abort").write_text("1")


# What it says of a client that has made the kernel wait.
GIVEN_UP = re.compile(r"memnotifyfs: to .* took more than \d+ ms; given up")


class Besieged(Daemon):
    """Is stopped as any other if it still answers, and else ended by all means. It may say that it has given up."""

    def unexpected_messages(self):
        said, missing = super().unexpected_messages()
        return [line for line in said if not GIVEN_UP.fullmatch(line)], missing

    def start(self):
        super().start()
        self.connection = Connection(self.mountpoint)
        return self

    def children(self):
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()

    def belongings(self):
        return self.fds(), len(self.children())

    def is_used_well(self):
        return answer(lambda: use(self.mountpoint)) is True

    def besiege(self, seconds=ATTACK_S):
        """Demands that another user is served while an attack goes on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.is_used_well()

    def close(self):
        try:
            if self.process.returncode is None and is_mounted(self.mountpoint):
                assert self.is_used_well()
        except BaseException:
            self.end_by_force()
            raise
        finally:
            super().close()

    def end_by_force(self):
        self.connection.abort()
        self.process.kill()
        self.process.wait(LIMIT_S)
        subprocess.run(["umount", "-l", self.mountpoint], check=False)


class Attack:
    """A program of this directory, as a user. Its lines are heard one by one."""

    def __init__(self, name, *arguments, uid=ATTACKER):
        self.process = subprocess.Popen([PROGRAMS / name, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0, user=uid, group=uid, extra_groups=[])

    @property
    def pid(self):
        return self.process.pid

    def hear(self, limit_s=LIMIT_S):
        """The next line."""
        assert select.select([self.process.stdout], [], [], limit_s)[0], "the attacker says nothing"
        line = self.process.stdout.readline()
        assert line, f"the attacker has ended: {self.process.wait(LIMIT_S)}"
        return line.decode().strip()

    def tell(self, line=""):
        self.process.stdin.write(line.encode() + b"\n")

    def output(self):
        """All that it still says; fails if it does not end."""
        text = b""
        while select.select([self.process.stdout], [], [], LIMIT_S)[0]:
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                return text
            text += piece
        raise AssertionError(f"the attacker does not end after {text}")

    def wait(self):
        return self.process.wait(LIMIT_S)

    def kill(self):
        """Not waited for: somebody may have to release it first."""
        self.process.kill()

    def close(self):
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()


class Stubborn(Attack):
    """The attacker's own FUSE server, on a mount of its own."""

    def __init__(self):
        self.mountpoint = Path(tempfile.mkdtemp(prefix="stubborn."))
        super().__init__("stubborn", self.mountpoint, uid=0)
        assert self.hear() == "ready"
        self.connection = Connection(self.mountpoint)

    def __truediv__(self, name):
        return self.mountpoint / name

    def release(self):
        """Ends the waiting of everybody."""
        self.connection.abort()
        self.kill()

    def close(self):
        self.release()
        self.wait()
        subprocess.run(["umount", "-l", self.mountpoint], check=False)
        super().close()
