# SPDX-License-Identifier: LGPL-2.1-or-later
import asyncio

from cache import Cache


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


async def lives_through(cache, *events):
    """Each event is what happens to memory, and how large the cache is to be after it."""
    for i in range(100):
        cache.put(i, bytes(1000))
    task = asyncio.create_task(cache.keep_small())
    try:
        for happens, size in events:
            happens()
            await asyncio.wait_for(until(lambda size=size: len(cache.entries) == size), 20)
    finally:
        task.cancel()


def test_it_shrinks_when_memory_is_short(memory_shortage):
    memory_shortage.set("available 50%")
    asyncio.run(lives_through(
        Cache(),
        (lambda: memory_shortage.set("available 5%"), 50),
        (lambda: memory_shortage.set("available 60%"), 50),
        (lambda: memory_shortage.ramp("available", "20%", "2%", over=0.2), 25)))


def test_it_keeps_what_was_used_last(memory_shortage):
    cache = Cache()
    memory_shortage.set("available 5%")
    asyncio.run(lives_through(cache, (lambda: None, 50)))
    assert list(cache.entries) == list(range(50, 100))


def test_it_lives_through_a_leak(memory_shortage):
    """Memory goes down and comes back, as the scenario says."""
    memory_shortage.play("leak.scenario", speed=20)
    asyncio.run(lives_through(Cache("available<20%"), (lambda: None, 50)))
