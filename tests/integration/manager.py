# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for the service manager, as much of systemd's as a service sees: the socket of sd_notify(3), the store of
descriptors, and the start with those that are in it.

Run as a program, `manager.py FD,FD,... COMMAND...` becomes the command, which finds the descriptors from 3 on, and
LISTEN_PID."""

import array
import fcntl
import os
import re
import select
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections import namedtuple

from clients import wait_until
from daemon import Daemon, environment

FIRST_FD = 3
NAME = re.compile(r"[!-9;-~]{1,255}")  # what systemd takes for the name of a descriptor


# A descriptor in the store, and what it is of: None where that has no number of its own.
Kept = namedtuple("Kept", "name fd is_socket number")


def look_at(name, fd):
    status = os.fstat(fd)
    is_shared = os.readlink(f"/proc/self/fd/{fd}").startswith("anon_inode:")
    return Kept(name if NAME.fullmatch(name) else "stored", fd, stat.S_ISSOCK(status.st_mode),
                None if is_shared else (status.st_dev, status.st_ino))


class Manager:
    """It listens in a thread, since a service does not wait for a manager that is slow."""

    def __init__(self, path, room=100):
        """The path of the socket; "@" in front is for one in no file system. The store has room for so many."""
        self.path, self.room = str(path), room
        self.store = []  # in the order they came
        self.states = []  # what else was said, as "READY=1"
        self.senders = set()  # pids
        self.refused = 0  # for want of room
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(re.sub("^@", "\0", self.path))
        self.waker, self.woken = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def environment(self):
        names = ":".join(kept.name for kept in self.store)
        listen = {"LISTEN_FDS": str(len(self.store)), "LISTEN_FDNAMES": names} if self.store else {}
        return {**environment(), "NOTIFY_SOCKET": self.path, "FDSTORE": str(self.room), **listen}

    def connections(self):
        """What it keeps but what the service has put there for itself."""
        return [kept.fd for kept in self.store if kept.is_socket]

    def _serve(self):
        while True:
            poll = select.poll()
            for fd in self.waker, self.socket.fileno():
                poll.register(fd, select.POLLIN)
            for kept in self.store:
                poll.register(kept.fd, 0)  # POLLHUP and POLLERR, at which systemd lets go of it
            ready = dict(poll.poll())
            if self.waker in ready:
                return
            if ready.pop(self.socket.fileno(), None):
                self._receive()
            self._remove(lambda kept: kept.fd in ready)

    def _receive(self):
        data, controls, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4 * 253) + socket.CMSG_SPACE(12))
        fds = array.array("i")
        for level, kind, value in controls:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(value)
            elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                self.senders.add(struct.unpack("3i", value)[0])
        lines = data.decode().splitlines()
        name = next((line[7:] for line in lines if line.startswith("FDNAME=")), "stored")
        if "FDSTOREREMOVE=1" in lines:
            self._remove(lambda kept: kept.name == name)
        for fd in fds:
            if "FDSTORE=1" not in lines or not self._keep(name, fd):
                os.close(fd)
        self.states += [line for line in lines if not line.startswith("FD")]

    def _keep(self, name, fd):
        """Whether it is its owner now."""
        kept = look_at(name, fd)
        if kept.number and kept.number in [other.number for other in self.store]:
            return False
        if len(self.store) >= self.room:
            self.refused += 1
            return False
        # Out of the way of those that a service is started with.
        self.store = [*self.store, kept._replace(fd=fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200))]
        os.close(fd)
        return True

    def _remove(self, goes):
        gone = [kept for kept in self.store if goes(kept)]
        self.store = [kept for kept in self.store if kept not in gone]
        for kept in gone:
            os.close(kept.fd)

    def close(self):
        os.close(self.woken)
        self.thread.join()
        self._remove(lambda kept: True)
        os.close(self.waker)
        self.socket.close()
        if not self.path.startswith("@"):
            os.unlink(self.path)


class Service(Daemon):
    """A daemon with a socket beside its mount, that is started by a manager."""

    def __init__(self, manager, *options, **settings):
        super().__init__(*options, **settings)
        self.socket = f"{self.mountpoint}.sock"
        self.arguments.insert(-1, f"--socket={self.socket}")
        self.manager = manager

    def start(self):
        """Once more, too: with what the manager has kept."""
        fds = [kept.fd for kept in self.manager.store]
        command = [sys.executable, __file__, ",".join(map(str, fds)), *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.messages, stderr=self.messages,
                                        env=self.manager.environment(), pass_fds=fds)
        wait_until(lambda: self.is_serving() or self.process.poll() is not None, "the mount")
        assert self.process.poll() is None, self.read_messages()
        self.first_fds = self.fds()
        return self

    def fds(self):
        """Without what it keeps for the manager's sake."""
        return [path for path in super().fds() if not path.startswith("/memfd:")]

    def is_serving(self):
        try:
            return bool(os.listdir(self.mountpoint)) and os.path.exists(self.socket)
        except OSError:  # of the dead mount of the one before
            return False


def pass_on(fds, command):
    for at, fd in enumerate(fds, FIRST_FD):
        os.dup2(fd, at)
        os.close(fd)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.execvp(command[0], command)


if __name__ == "__main__":
    pass_on([int(fd) for fd in sys.argv[1].split(",") if fd], sys.argv[2:])
