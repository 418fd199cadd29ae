# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory meters and limits of memnotifyfs(8), by its socket.

    async for event in memnotifyfs.watch("available<10%"):
        print(event.kind, event.meter, event.value_bytes)

Limits are written as in memnotifyfs(5). ``server`` is a socket or a mount point; without it that of $MEMNOTIFYFS,
else the system's, else the user's. Bad limits are a LimitError, everything else that fails is an OSError."""

from ._blocking import meters, wait
from ._event import PAGE_BYTES, Event, Kind, LimitError, Meter
from ._watch import Watch, watch

__all__ = ["PAGE_BYTES", "Event", "Kind", "LimitError", "Meter", "Watch", "meters", "wait", "watch"]
__version__ = "0.2.0"
