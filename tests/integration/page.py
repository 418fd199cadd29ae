# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of memnotifyfs-socket(7), as <memnotifyfs/page.h> lays it out."""

import mmap
import os
import struct

ENDED, GONE, GROUP = 0x40000000, 1, 2
METERS_MAX, NAME_BYTES = 32, 32
HEADER = struct.Struct("8I")
BANK = struct.Struct(f"qII{METERS_MAX}Q")


class Page:
    """Takes the descriptor. Here nobody reads while it is written, but by chance; so two looks have to be the same."""

    def __init__(self, fd):
        self.memory = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        os.close(fd)
        names = (self.memory[HEADER.size + NAME_BYTES * i:][:NAME_BYTES] for i in range(self.header()[4]))
        self.names = [name.rstrip(b"\0").decode() for name in names]

    def header(self):
        """(version, bytes, bytes of a page of memory, period, meters, server, sequence, 0)"""
        return HEADER.unpack_from(self.memory)

    def _look(self):
        sequence = self.header()[6]
        bank = BANK.unpack_from(self.memory, HEADER.size + NAME_BYTES * METERS_MAX + (sequence & 1) * BANK.size)
        return sequence, bank

    def bank(self):
        """(time in us, state, 0, values)"""
        while True:
            look = self._look()
            if self._look() == look:
                return look[1]

    def time_us(self):
        return self.bank()[0]

    def state(self):
        return self.bank()[1]

    def values(self):
        return dict(zip(self.names, self.bank()[3:]))

    def has_ended(self):
        return bool(self.header()[5] & ENDED)

    def close(self):
        self.memory.close()
