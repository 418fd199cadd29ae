# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libmemnotify-trim costs a program that has it: its start, its allocations, and how long they wait while memory
is given back. Rows of bench/giveback --costs."""

import os
import subprocess
import time
from statistics import median

from measure.daemons import by_itself
from measure.figures import Row, compare, flat, parse_series
from measure.giveback import place_with_server, told, wait_connected

SPAWNED = "/bin/true"
SPAWNS = 100  # in a batch
HEAPS = ((100, 1), (400, 1), (400, 8))  # MiB, threads


def spawn_ns(environment):
    start = time.monotonic_ns()
    os.waitpid(os.posix_spawn(SPAWNED, [SPAWNED], environment), 0)
    return time.monotonic_ns() - start


def alternating(batches, ours_of, theirs_of):
    """In the order ours, theirs, theirs, ours: what changes with time is in both."""
    found = [], []
    for batch in range(batches):
        for which in (0, 1) if batch % 2 else (1, 0):
            found[which].append((ours_of, theirs_of)[which]())
    return found


def start(bench, library):
    """With no server to be found, as where everything has it; a process that ends at once never connects."""
    plain = {"PATH": os.environ["PATH"], "MEMNOTIFYFS": "/nowhere"}
    preloaded = {**plain, "LD_PRELOAD": str(library)}
    with_it, without = alternating(bench.count(20), lambda: [spawn_ns(preloaded) for _ in range(SPAWNS)],
                                   lambda: [spawn_ns(plain) for _ in range(SPAWNS)])
    yield compare("start", "a process from its start to its end", with_it, "without it", without, None)


def allocations(bench, library):
    def run(kind, environment):
        command = [bench.program("allocate"), kind, "20", str(bench.count(100000))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=by_itself(),
                              env={**os.environ, "MEMNOTIFYFS": "/nowhere", **environment})
        return flat(parse_series(done.stdout)[kind])

    kinds = {"small": "malloc and free, 16 to 515 bytes, one thread", "large": "the same, 1100 to 4099 bytes"}
    for kind, what in kinds.items():
        with_it, without = alternating(bench.count(10), lambda: run(kind, {"LD_PRELOAD": str(library)}),
                                       lambda: run(kind, {}))
        row = compare("allocations", what, with_it, "without it", without, None)
        row.unit = "ns"  # the series are in picoseconds
        yield row


def longest_ms(process):
    process.stdin.write(b"\n")
    process.stdin.flush()
    return int(process.stdout.readline().split()[1]) / 1e6


def stall(bench, library, mib, threads):
    """(the longest while nothing happens, the longest while it is told, how long that took), ms."""
    command = (bench.program("stall"), mib, threads)
    with place_with_server(bench, library, mib) as place, place.running(*command) as process:
        wait_connected(place, process)
        longest_ms(process)
        time.sleep(1)
        quiet = longest_ms(process)
        ((_, took),) = told(place, process)
        return quiet, longest_ms(process), took


def stalls(bench, library):
    for mib, threads in HEAPS[:1] if bench.is_smoke else HEAPS:
        found = [stall(bench, library, mib, threads) for _ in range(bench.count(7))]
        quiet, busy, took = (median(column) for column in zip(*found))
        many = f"{threads} threads" if threads > 1 else "one thread"
        what = f"the longest malloc and free while {mib} MiB with holes are given back, {many}"
        row = Row("stalls", what, "ms", n=len(found), p50=busy, p99=max(one[1] for one in found))
        row.against, row.peer_p50, row.peer_p99 = "in a second of rest", quiet, max(one[0] for one in found)
        row.note = f"giving back took {took:.1f} ms"
        yield row


ROWS = {"start": start, "allocations": allocations, "stalls": stalls}
