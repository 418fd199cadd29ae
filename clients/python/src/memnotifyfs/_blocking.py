# SPDX-License-Identifier: LGPL-2.1-or-later
"""For threads that may block."""

import errno
import os
import select
import time
from typing import Dict, Optional

from ._connection import Connection
from ._event import Event, Kind


def _advance(connection: Connection, timeout: Optional[float]) -> None:
    """One step towards an event, which waits for so many seconds at most."""
    if connection.fileno() < 0:
        time.sleep(connection.pause_s if timeout is None else min(timeout, connection.pause_s))
        connection.open()
        return
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(None if timeout is None else timeout * 1000):
        connection.receive()


def wait(limits: str, timeout: Optional[float] = None, server: Optional[str] = None) -> Optional[Event]:
    """Blocks until one of the limits is reached, or returns at once if one is: the event. None after ``timeout``
    seconds. Raises LimitError or OSError. Goes on over a restart of the server."""
    end = None if timeout is None else time.monotonic() + timeout
    connection = Connection(limits, server)
    try:
        connection.open()
        while True:
            while connection.events:
                event = connection.events.popleft()
                if event.kind is Kind.RECONNECTED:
                    connection.events.extend(connection.reached())
                elif event.kind is Kind.REACHED:
                    return event
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return None
            _advance(connection, left)
    finally:
        connection.close()


def meters(server: Optional[str] = None) -> Dict[str, int]:
    """All meters, in bytes, by name. Raises OSError."""
    connection = Connection(None, server)
    try:
        connection.open()
        while not connection.is_started:
            _advance(connection, None)
    finally:
        connection.close()
    if not connection.state:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))  # the group whose memory is shown is removed
    return {name: meter.bytes for name, meter in connection.state.items()}
