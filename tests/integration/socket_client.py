# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the socket: memnotifyfs-socket(7)."""

import array
import fcntl
import os
import re
import socket
import struct
import termios

from clients import TIMEOUT_S, is_ready, read_text, wait_until

# What begins with a digit is an event; NAME is that of a threshold elsewhere, and none here.
EVENT = re.compile(r"\d+\.\d{6} - (\S.*)")


def path_of(daemon):
    """Of the socket beside the mount point."""
    return f"{daemon.mountpoint}.sock"


def serve_with_socket(serve, *options, **settings):
    """A daemon that has made already what is made for the first client and kept, so that its descriptors can be
    compared."""
    daemon = serve("--socket", *options, **settings)
    with SocketClient(path_of(daemon)) as client:
        os.close(client.ask_fd("eventfd used 5"))
        os.close(client.ask_fd("page"))
    wait_until(lambda: metric(daemon, "connections") == 0, "the first client to go")
    daemon.first_fds = daemon.fds()
    return daemon


def metric(daemon, name):
    return int(float(re.search(rf"^memnotifyfs_{name} (\S+)$", read_text(daemon / "metrics"), re.MULTILINE).group(1)))


def held(daemon, uid):
    """What the file `users` says of a user; nothing if it does not."""
    names, *lines = [line.split() for line in read_text(daemon / "users").splitlines()]
    return next((dict(zip(names, map(int, line))) for line in lines if int(line[0]) == uid), {})


def unread_bytes(client):
    return struct.unpack("i", fcntl.ioctl(client, termios.FIONREAD, b"\0" * 4))[0]


class SocketClient:
    """One connection. Whatever should come is waited for; what comes between answers is kept in `events`."""

    def __init__(self, path, uid=None):
        """It is another user's if this process may be him for a moment."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", TIMEOUT_S, 0))
        if uid is not None:
            os.seteuid(uid)
        try:
            self.socket.connect(str(path))
        finally:
            if uid is not None:
                os.seteuid(0)
        self.socket.settimeout(TIMEOUT_S)  # now, since who does not wait in connect() is refused where many do
        self.receive_bytes = 65536  # at once
        self.text = b""
        self.fds = []  # that have come, and are the caller's when he has taken them
        self.events = []  # without the time and the "-"

    def fileno(self):
        return self.socket.fileno()

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def wait_taken(self):
        """Until the server has taken all that was sent: the kernel counts it, and one that it takes away last. What is
        answered meanwhile is received."""
        def is_taken():
            while is_ready(self.fileno()) and self.receive():
                pass
            return struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4))[0] <= 1

        wait_until(is_taken, "the server to take what was sent")

    def receive(self):
        """Some bytes, none at the end."""
        size = array.array("i").itemsize
        piece, control, _flags, _address = self.socket.recvmsg(self.receive_bytes, socket.CMSG_SPACE(size * 4),
                                                               socket.MSG_CMSG_CLOEXEC)
        for level, kind, content in control:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            self.fds.extend(array.array("i", content[:len(content) // size * size]))
        self.text += piece
        return piece

    def line(self):
        """The next one, without its newline; None at the end, where there is no half line."""
        while b"\n" not in self.text:
            if not self.receive():
                assert self.text == b""
                return None
        line, _, self.text = self.text.partition(b"\n")
        return line.decode()

    def event(self):
        """The next event that was not heard of, waited for."""
        if not self.events:
            line = self.line()
            assert line is not None and EVENT.fullmatch(line), line
            return EVENT.fullmatch(line).group(1)
        return self.events.pop(0)

    def answer(self):
        """The lines of the next answer, its "ok" or "error ..." last; events before it are kept."""
        lines = []
        while not lines or lines[-1] != "ok" and not lines[-1].startswith("error "):
            line = self.line()
            assert line is not None, f"the connection ended after {lines}"
            if line[:1].isdigit():
                assert not lines, "an event within an answer"
                self.events.append(EVENT.fullmatch(line).group(1))
            else:
                lines.append(line)
        return lines

    def ask(self, text):
        self.send(text + "\n")
        return self.answer()

    def watch(self, limits):
        assert self.ask("watch " + limits) == ["ok"]
        return self

    def meters(self):
        """{"used": "1000", "available": "123421 reached 131072"}"""
        *lines, last = self.ask("read")
        assert last == "ok"
        return dict(line.split(" ", 1) for line in lines)

    def take_fd(self):
        (fd,) = self.fds
        self.fds.clear()
        return fd

    def ask_fd(self, text):
        """The descriptor that comes with the answer; the caller's."""
        assert self.ask(text) == ["ok"]
        return self.take_fd()

    def is_silent(self):
        """Nothing has come that was not read. To be asked when the server is known to have said what it had to."""
        return not self.text and not self.events and not is_ready(self.fileno())

    def rest(self):
        """All that still comes, up to the end of the connection."""
        while self.receive():
            pass
        text, self.text = self.text, b""
        return text.decode()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()
