# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server says, as values. Nothing here waits, or knows where a line comes from; memnotifyfs-socket(7) has the
lines. Numbers of memory are pages, and have a sibling in bytes."""

import errno
import os
import re
from dataclasses import dataclass
from enum import Enum
from typing import List, Mapping, Optional

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LIMITS_MAX = 4095  # bytes: MEMNOTIFYFS_LIMITS_MAX of <memnotifyfs/contract.h>


class Kind(str, Enum):
    """What has happened. Each is also its text: ``event.kind == "reached"``."""

    REACHED = "reached"
    LEFT = "left"
    CHANGED = "changed"  # the total: memory or swap was added or removed, or the limit of a control group moved
    REMOVED = "removed"  # the control group whose memory is shown
    RETURNED = "returned"  # the same, made anew
    LOST = "lost"  # lines, because they were not read in time
    RECONNECTED = "reconnected"  # the server had ended, and is back
    LAST_CALL = "last_call"  # the control group that this process is in is about to be killed

    def __str__(self) -> str:
        return self.value


def _bytes(pages: Optional[int]) -> Optional[int]:
    return None if pages is None else pages * PAGE_BYTES


@dataclass(frozen=True)
class Meter:
    """A meter as it is now. Where nothing is waited for, ``limit_pages`` is None and ``reached`` False."""

    pages: int
    limit_pages: Optional[int] = None
    reached: bool = False

    @property
    def bytes(self) -> int:
        return self.pages * PAGE_BYTES

    @property
    def limit_bytes(self) -> Optional[int]:
        return _bytes(self.limit_pages)


@dataclass(frozen=True)
class Event:
    """Something that has happened. ``time`` is that of time.monotonic(), in seconds. What is None does not belong to
    this kind."""

    kind: Kind
    time: float
    meter: Optional[str] = None  # reached, left, changed
    value_pages: Optional[int] = None  # the same
    limit_pages: Optional[int] = None  # reached, left
    old_pages: Optional[int] = None  # changed: the total before
    lost: int = 0  # lost: how many lines
    state: Optional[Mapping[str, Meter]] = None  # reconnected: all meters by name; none while the group is removed

    @property
    def value_bytes(self) -> Optional[int]:
        return _bytes(self.value_pages)

    @property
    def limit_bytes(self) -> Optional[int]:
        return _bytes(self.limit_pages)

    @property
    def old_bytes(self) -> Optional[int]:
        return _bytes(self.old_pages)


class LimitError(ValueError):
    """Limits that the server does not take: its ``reason``, and the ``column`` of ``limits`` at which it stopped, from
    1, or None where no place is to blame."""

    def __init__(self, limits: str, reason: str, column: Optional[int] = None) -> None:
        super().__init__(limits, reason, column)
        self.limits, self.reason, self.column = limits, reason, column

    def __str__(self) -> str:
        place = "" if self.column is None else f", at column {self.column}"
        return f"{self.reason}{place}: {self.limits!r}"


def protocol_error(line: bytes) -> OSError:
    return OSError(errno.EPROTO, "not what memnotifyfs says: " + repr(line[:100])[1:])


def _in_one_line(limits: str) -> bytes:
    """Comments and newlines become blanks, so that each character stays at its place."""
    return re.sub("#[^\n]*", lambda comment: " " * len(comment[0]), limits).replace("\n", " ").encode()


def watch_request(limits: str) -> bytes:
    text = _in_one_line(limits)
    if len(text) > LIMITS_MAX:
        raise LimitError(limits, f"longer than {LIMITS_MAX} bytes")
    return b"watch " + text + b"\n"


# "EINVAL: column 11: the number is missing", what follows "error "
_ERROR = re.compile(r"(\w+): (?:column (\d+): )?(.*)")


def parse_error(text: str, limits: Optional[str]) -> Exception:
    """What the answer "error ..." means: a LimitError if it is about the limits, else an OSError."""
    match = _ERROR.fullmatch(text)
    if match is None:
        return protocol_error(text.encode())
    name, column, reason = match.groups()
    if name != "EINVAL" or limits is None:
        return OSError(getattr(errno, name, errno.EIO), reason)
    if not column:
        return LimitError(limits, reason)
    before = _in_one_line(limits)[: int(column) - len("watch ") - 1]
    return LimitError(limits, reason, len(before.decode(errors="replace")) + 1)


def parse_event(words: List[str]) -> Optional[Event]:
    """The event of a line, for instance "3887.453731 - available reached 123421 617103"; None for one of a kind that
    is newer than we are. Raises ValueError or IndexError for what is no such line."""
    time, meter, what = float(words[0]), words[2], words[3]
    if what not in _KINDS:
        return None
    kind, numbers = Kind(what), [int(word) for word in words[4:]]
    if kind is Kind.LOST:
        return Event(kind, time, lost=numbers[0])
    if kind in (Kind.REMOVED, Kind.RETURNED, Kind.LAST_CALL):
        return Event(kind, time)
    if kind is Kind.CHANGED:
        return Event(kind, time, meter, value_pages=numbers[0], old_pages=numbers[1])
    return Event(kind, time, meter, value_pages=numbers[0], limit_pages=numbers[1])


_KINDS = {kind.value for kind in Kind if kind is not Kind.RECONNECTED}


def parse_meter(words: List[str]) -> Meter:
    """Of a line of "read" without its name: "5970821", "5970821 limit 617103", "123421 reached 617103"."""
    if len(words) == 1:
        return Meter(int(words[0]))
    pages, what, limit = words[:3]
    if what not in ("limit", "reached"):
        raise ValueError(what)
    return Meter(int(pages), int(limit), what == "reached")
