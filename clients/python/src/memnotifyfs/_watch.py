# SPDX-License-Identifier: LGPL-2.1-or-later
"""For asyncio."""

import asyncio
from types import TracebackType
from typing import Optional, Type

from ._connection import Connection
from ._event import Event


def watch(limits: str, server: Optional[str] = None) -> "Watch":
    """An asynchronous iterator over events. What is reached already comes first. Iterating raises LimitError, or
    OSError when there is no server at the start; one that ends later is waited for, and its return is one event."""
    return Watch(limits, server)


class Watch:
    """What watch() returns, for one task at a time. It connects when it is first asked for an event, or entered by
    ``async with``. It has one descriptor, until it is closed or nobody knows it any longer. Cancelling who waits loses
    no event. It reads, and comes back to a server, only while somebody waits for it."""

    def __init__(self, limits: str, server: Optional[str] = None) -> None:
        self._is_open = self._is_closed = False
        self._waiter: "Optional[asyncio.Future[None]]" = None
        self._connection = Connection(limits, server)

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> Event:
        while not self._connection.events and not self._is_closed:
            await self._advance()
        if self._is_closed:
            raise StopAsyncIteration
        return self._connection.events.popleft()

    async def __aenter__(self) -> "Watch":
        """Raises LimitError or OSError."""
        while not self._connection.is_started and not self._is_closed:
            await self._advance()
        return self

    async def __aexit__(self, _type: Optional[Type[BaseException]], _error: Optional[BaseException],
                        _traceback: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, also for a task that waits. To be called in the thread of its event loop."""
        self._is_closed = True
        if self._waiter is not None:
            if self._connection.fileno() >= 0:
                self._waiter.get_loop().remove_reader(self._connection.fileno())
            self._wake()
        self._connection.close()

    async def aclose(self) -> None:
        """The same, for contextlib.aclosing()."""
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_connection"):  # its limits were not too long
            self._connection.close()

    async def _advance(self) -> None:
        """One step towards an event. What has come is kept without waiting again, so that cancelling loses nothing."""
        if self._waiter is not None:
            raise RuntimeError("another task waits for this")
        connection, is_open = self._connection, self._is_open
        self._is_open = True
        if is_open and connection.fileno() < 0:
            await self._sleep(connection.pause_s)
        elif is_open:
            await self._wait_readable(connection.fileno())
        if self._is_closed:
            return
        try:
            if connection.fileno() < 0:
                connection.open()
            else:
                connection.receive()
        except (OSError, ValueError):
            self.close()
            raise

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    async def _wait_readable(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        loop.add_reader(fd, self._wake)
        try:
            await self._waiter
        finally:
            if not self._is_closed:  # else close() has done that, and the number may be another's
                loop.remove_reader(fd)
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
