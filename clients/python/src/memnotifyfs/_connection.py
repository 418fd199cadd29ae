# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection that outlives its server. It never waits: it says what to wait for, and whoever has it does so. So the
waiting of asyncio and that of a thread are all that differs between them."""

import errno
import os
import socket
import stat
import struct
import time
from collections import deque
from typing import Deque, Dict, List, Mapping, Optional, Tuple

from ._event import Event, Kind, Meter, parse_error, parse_event, parse_meter, protocol_error, watch_request

PAUSE_MIN_S = 0.1
PAUSE_MAX_S = 2.0
_LINE_MAX = 65536  # bytes; no line of ours is near it
_AT_SECURE = 23  # of <elf.h>


def _has_foreign_rights() -> bool:
    """Whether this program has rights that its user does not have, as for secure_getenv(3)."""
    if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
        return True
    try:
        with open("/proc/self/auxv", "rb") as vector:
            return any(key == _AT_SECURE and value for key, value in struct.iter_unpack("@LL", vector.read()))
    except FileNotFoundError:  # no /proc
        return False
    except OSError:  # the kernel hides what a program with capabilities of its own does
        return True


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:  # nothing is there, or a mount whose server has ended
        return False


def _socket_of(place: str) -> str:
    """A socket is its own; a mount point's is its file "socket" under memnotify-run(1), else has ".sock" added."""
    below = place.rstrip("/") + "/socket"
    if place.endswith(".sock") or _is_socket(place):
        return place
    return below if _is_socket(below) else place.rstrip("/") + ".sock"


def find_sockets(server: Optional[str] = None) -> List[str]:
    """Where a server may be, the first that answers being the one."""
    environment: Mapping[str, str] = {} if _has_foreign_rights() else os.environ
    place = server or environment.get("MEMNOTIFYFS")
    if place:
        return [_socket_of(place)]
    own = environment.get("XDG_RUNTIME_DIR")
    return ["/run/memnotify.sock"] + ([own + "/memnotify.sock"] if own else [])


def _connect(paths: List[str]) -> Tuple[socket.socket, str]:
    """A connection, and where to: the kernel may know the socket by a name that it had before."""
    problem: Optional[OSError] = None
    for path in paths:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.connect(path)
            return connection, path
        except OSError as error:
            connection.close()
            if problem is None or problem.errno == errno.ENOENT != error.errno:
                problem = OSError(error.errno, os.strerror(error.errno or 0), path)
    assert problem is not None
    raise problem


class Connection:
    """Waits for limits (None: only reads). open() it; then, as long as there is nothing in ``events``, either wait
    until fileno() can be read and receive(), or, where fileno() is -1, sleep ``pause_s`` and open() it again. ``state``
    is what the last "read" has said."""

    def __init__(self, limits: Optional[str], server: Optional[str]) -> None:
        self.limits = limits
        self.events: Deque[Event] = deque()
        self.state: Dict[str, Meter] = {}
        self.is_started = False  # it has been told everything once
        self.pause_s = PAUSE_MIN_S
        self._request = (b"" if limits is None else watch_request(limits)) + b"read\n"
        self._paths = find_sockets(server)
        self._socket: Optional[socket.socket] = None
        self._answers = 0  # that are yet to come
        self._rest = b""  # of a line
        self._meters: Dict[str, Meter] = {}  # of a "read" that is being answered

    def open(self) -> None:
        """Raises OSError before the start: there is no server. Later it may come back."""
        self.pause_s = min(2 * self.pause_s, PAUSE_MAX_S)
        try:
            self._socket, path = _connect(self._paths)
        except OSError as problem:
            if not self.is_started and problem.errno != errno.EAGAIN:  # that is: it has no time yet
                raise
            return
        self._paths = [path]  # it comes back where it was
        self._answers, self._rest, self._meters = self._request.count(b"\n"), b"", {}
        try:
            self._socket.send(self._request)  # it fits into any buffer
        except OSError:  # it has hung up, having said why: that can be read
            pass

    def fileno(self) -> int:
        return -1 if self._socket is None else self._socket.fileno()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def receive(self) -> None:
        """Takes what there is. Raises LimitError, and before the start OSError, and is closed then."""
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "the server has ended the connection")
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            for line in lines:
                self._take(line)
            if len(self._rest) > _LINE_MAX:
                raise protocol_error(self._rest)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            if not self.is_started:
                raise
        except ValueError:  # LimitError
            self.close()
            raise

    def _take(self, line: bytes) -> None:
        words = line.decode("ascii", "replace").split()
        if words[:1] == ["ok"]:
            self._end_answer()
        elif words[:1] == ["error"]:
            self._refused(line.decode(errors="replace").partition(" ")[2])
        else:
            try:
                if words[0][0].isdigit():
                    event = parse_event(words)
                    if event is not None and not self._answers:  # what is older than the answer of "read" is in that
                        self.events.append(event)
                else:
                    self._meters[words[0]] = parse_meter(words[1:])
            except (IndexError, ValueError):
                raise protocol_error(line) from None

    def _refused(self, text: str) -> None:
        problem = parse_error(text, self.limits)
        if isinstance(problem, OSError) and problem.errno == errno.ENODEV and self._answers == 1:
            self._meters = {}
            self._end_answer()  # of "read": the group is removed
        else:
            raise problem

    def _end_answer(self) -> None:
        self._answers -= 1
        if self._answers:
            return
        self.state, self.pause_s = self._meters, PAUSE_MIN_S
        if self.is_started:
            self.events.append(Event(Kind.RECONNECTED, time.monotonic(), state=self.state))
        else:
            self.is_started = True
            self.events.extend(self.reached())

    def reached(self) -> List[Event]:
        """The limits that were reached when the state was read, as events."""
        now = time.monotonic()
        return [Event(Kind.REACHED, now, name, meter.pages, meter.limit_pages)
                for name, meter in self.state.items() if meter.reached]
