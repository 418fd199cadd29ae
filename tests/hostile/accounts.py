# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client of the soak should have been told, by memnotifyfs(5) and not by the program under test.

The driver shows a series of samples (values of all meters, in pages) to each account by see(), and compares at its end
what the client says with what is due: how often it was told, and what it may have read last. While nobody looks between
two samples some files merge what has happened, so then there is a least and a most."""

import mmap
import zlib

SPACE = 4  # the hysteresis, in pages


class Limit:
    def __init__(self, meter, op, pages, space=SPACE):
        self.meter, self.op, self.pages, self.space = meter, op, pages, space
        self.is_reached = False

    def __str__(self):
        return f"{self.meter} {self.op}{self.pages}"

    def begin(self, values):
        """What is reached already is no crossing."""
        self.is_reached = False
        self.see(values)

    def see(self, values):
        """Whether it is reached or left by that."""
        was_reached, value = self.is_reached, values[self.meter]
        space = self.space if was_reached else 0
        self.is_reached = value >= self.pages - space if self.op == ">=" else value < self.pages + space
        return self.is_reached != was_reached


class Account:
    """Of one open file. A series begins with its first sample or with settle()."""

    file = text = None
    kind = "text"
    is_exact = False  # nothing is ever merged

    def __init__(self):
        self.changes = 0
        self.readings = []  # what who has read at the right moment, and was told nothing since, has read

    def begin(self, values):
        """What is true when the file has been opened."""

    def see(self, values):
        raise NotImplementedError

    def least(self):
        return self.changes if self.is_exact else min(self.changes, 1)

    def most(self, has_slept):
        """Who has slept all the time looks once, at its end."""
        return self.least() if has_slept else self.changes

    def is_right(self, has_been_told, state):
        """Whether the last that it has read is the last that there is."""
        return not has_been_told or state in self.readings

    def settle(self):
        self.changes = 0
        self.readings.clear()

    def note(self, reading, is_change):
        """For files with an event that stays until they are read."""
        if is_change:
            self.changes += 1
            self.readings.clear()
        if self.changes:
            self.readings.append(reading)


class Memnotify(Account):
    file = "memnotify"

    def __init__(self, limits):
        super().__init__()
        self.limits = limits
        self.text = " ".join(map(str, limits))

    def begin(self, values):
        for limit in self.limits:
            limit.begin(values)

    def see(self, values):
        is_change = any([limit.see(values) for limit in self.limits])
        self.note("used {used} active {active} total {total};".format(**values), is_change)


class Meter(Account):
    """Ready as long as the state is one that was not read: what is reached when it is written is such a state."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit
        self.file, self.text = f"meters/{limit.meter}", f"{limit.op}{limit.pages}"
        self.has_seen_reached = False

    def begin(self, values):
        self.limit.begin(values)
        self.changes += self.limit.is_reached
        self.readings.append((f"{values[self.limit.meter]};", self.limit.is_reached))

    def see(self, values):
        self.changes += self.limit.see(values)
        self.readings.append((f"{values[self.limit.meter]};", self.limit.is_reached))

    def least(self):
        return int(self.limit.is_reached != self.has_seen_reached)

    def is_right(self, has_been_told, state):
        if not has_been_told:
            return self.limit.is_reached == self.has_seen_reached
        return (state, self.limit.is_reached) in self.readings

    def settle(self):
        super().settle()
        self.has_seen_reached = self.limit.is_reached


class Threshold:
    """A named one, with all that its readers are told."""

    def __init__(self, name, limits, values):
        self.name = name
        self.set(limits, values)

    def set(self, limits, values):
        self.limits, self.crossings = limits, [0] * len(limits)
        for limit in limits:
            limit.begin(values)
        self.has_changed = True

    def lines(self, values):
        """What events says of a sample."""
        crossed = [limit.see(values) for limit in self.limits]
        self.has_changed = any(crossed)
        self.crossings = [n + is_crossed for n, is_crossed in zip(self.crossings, crossed)]
        return [f"{self.name} {limit.meter} {'reached' if limit.is_reached else 'left'} {values[limit.meter]} "
                f"{limit.pages}" for limit, is_crossed in zip(self.limits, crossed) if is_crossed]

    def text(self, values):
        return "".join(f"{limit.meter} value={values[limit.meter]} op={limit.op} limit={limit.pages} "
                       f"reached={int(limit.is_reached)} crossings={n};"
                       for limit, n in zip(self.limits, self.crossings))


class ThresholdReader(Account):
    """Ready when it is opened, and at each change."""

    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold
        self.file = f"thresholds/{threshold.name}"

    def begin(self, values):
        self.note(self.threshold.text(values), True)

    def see(self, values):
        self.note(self.threshold.text(values), self.threshold.has_changed)


class Stream:
    """All lines of events from the beginning on."""

    def __init__(self):
        self.n = self.sum = 0

    def add(self, lines):
        self.n += len(lines)
        self.sum += sum(zlib.crc32(line.encode()) for line in lines)


class StreamReader(Account):
    file, kind, is_exact = "events", "events", True

    def __init__(self, stream):
        super().__init__()
        self.stream, self.first_sum, self.n = stream, stream.sum, stream.n

    def see(self, values):
        self.changes += self.stream.n - self.n
        self.n = self.stream.n

    def is_right(self, has_been_told, state):
        return not has_been_told or state == f"{(self.stream.sum - self.first_sum) % 2**32:08x}"


class Registration(Account):
    """An eventfd with a threshold of usage, to which each crossing adds 1."""

    file, kind, is_exact = "memcg/memory.usage_in_bytes", "eventfd", True

    def __init__(self, pages):
        super().__init__()
        self.limit, self.text = Limit("usage", ">=", pages, space=0), str(pages * mmap.PAGESIZE)

    def begin(self, values):
        self.limit.begin(values)

    def see(self, values):
        self.changes += self.limit.see(values)

    def is_right(self, has_been_told, state):
        return True
