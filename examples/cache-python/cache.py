# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cache that gives up its older half when memory is short."""

from collections import OrderedDict

import memnotifyfs


class Cache:
    def __init__(self, limits="available<10%"):
        self.limits = limits
        self.entries = OrderedDict()

    def put(self, key, value):
        self.entries[key] = value
        self.entries.move_to_end(key)

    def shrink(self):
        for _ in range((len(self.entries) + 1) // 2):
            self.entries.popitem(last=False)

    async def keep_small(self):
        """Runs as long as the cache does."""
        async with memnotifyfs.watch(self.limits) as events:
            async for event in events:
                if event.kind == "reached":
                    self.shrink()
