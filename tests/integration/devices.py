# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the devices of 2007 and 2008 share: a recorded machine whose zones and reclaim can be moved."""

import os
import re

from clients import read_text, wait_until


class Zone:
    """The numbers of one zone in a machine's zoneinfo."""

    def __init__(self, machine, name="DMA32", node=0):
        self.machine = machine
        self.heading = f"Node {node}, zone {name:>8}\n"

    def block(self):
        text = self.machine.text("zoneinfo").decode()
        start = text.index(self.heading)
        end = text.find("\nNode ", start) + 1 or len(text)
        return text, start, end

    def number(self, name):
        text, start, end = self.block()
        return int(re.search(rf"^ +(?:pages )?{name} +(\d+)$", text[start:end], re.MULTILINE).group(1))

    def set(self, **numbers):
        text, start, end = self.block()
        block = text[start:end]
        for name, number in numbers.items():
            block, count = re.subn(rf"^( +(?:pages )?{name} +)\d+$", rf"\g<1>{number}", block, flags=re.MULTILINE)
            assert count == 1, name
        self.machine.replace("zoneinfo", (text[:start] + block + text[end:]).encode())


def grow(machine, **counters):
    """Counters of vmstat grow by so much, all at once."""
    lines = []
    for line in machine.text("vmstat").decode().splitlines():
        key, number = line.split()
        lines.append(f"{key} {int(number) + counters.get(key, 0)}\n")
    machine.replace("vmstat", "".join(lines).encode())


def set_pressure(machine, full_us):
    """What pressure/memory says. Not noticed by itself: grow(machine) makes the daemon look."""
    os.makedirs(machine.path / "pressure", exist_ok=True)
    some = f"some avg10=0.00 avg60=0.00 avg300=0.00 total={full_us}\n"
    machine.replace("pressure/memory", (some + some.replace("some", "full")).encode())


def wait_reason(path, reason):
    """Waits until a device gives this reason, which may be a regular expression."""
    wait_until(lambda: re.fullmatch(reason + "\n", read_text(path)), f"{reason} in {path}")


def expected_zoneinfo(text, statuses):
    """The kernel's text with the line that mem_notify puts after each start_pfn."""
    statuses = iter(statuses)
    return re.sub(rb"^  start_pfn:.*\n", lambda match: match.group() + b"  mem_notify_status: %d\n" % next(statuses),
                  text, flags=re.MULTILINE)
