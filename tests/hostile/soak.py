#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients come and go, limits cross, memory fills and is freed, the daemon is stopped and continued, the group is
made anew: what each client says that it was told equals what this program knows that it should have been told.

Prints a line a minute: what has happened, and what the daemon had left when all clients were gone, which must be what
it had left after the first round. Ends with "N passed, N failed", which are accounts that were compared."""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from devices import Zone  # noqa: E402
from accounts import SPACE  # noqa: E402
from hostile import Besieged  # noqa: E402
from machine import PAGE_KIB, Machine  # noqa: E402
from soak_group import GroupWorld  # noqa: E402
from soak_simulated import SimulatedWorld  # noqa: E402

DAY_S = 60  # after which all go home, and what is left is looked at
GROWTH_KIB = 1024  # of private memory, over the whole run
PAUSES, LONGEST_PAUSE_S = 2.5, 3  # as long as a round takes, so many times: others want to use the machine, too
HANG_S = 120
GROUP_EVERY = 2  # rounds


def parse_arguments():
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--hours", type=float)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or arguments.hours * 3600
    return arguments


class Watchdog:
    """Whoever hangs in the kernel is released, and fails: we, too, are a client."""

    def __init__(self, connection):
        self.connection, self.timer = connection, None
        self.pet()

    def pet(self):
        self.stop()
        self.timer = threading.Timer(HANG_S, self.bite)
        self.timer.daemon = True
        self.timer.start()

    def bite(self):
        print(f"nothing has happened for {HANG_S} s: aborted", flush=True)
        self.connection.abort()

    def stop(self):
        if self.timer:
            self.timer.cancel()


class Soak:
    def __init__(self, seconds, seed):
        self.start = time.monotonic()
        self.end = self.start + seconds
        self.chance = random.Random(seed)
        self.n_rounds = self.n_failed = 0
        self.first = None  # what the daemon had after the first round: (descriptors, children), KiB

        machine = Machine("debian-6.1-zram", tempfile.mkdtemp(prefix="machine."))
        self.daemon = Besieged("-o", f"update_space={SPACE * PAGE_KIB}", machine=machine, simulate=True).start()
        self.watchdog = Watchdog(self.daemon.connection)
        self.world = SimulatedWorld(self.daemon, Zone(machine), self.chance)
        self.group = GroupWorld(self.chance) if GroupWorld.is_possible() else None
        self.crowds = [self.world.crowd] + ([self.group.crowd] if self.group else [])

    def sum(self, name):
        return sum(getattr(crowd, name) for crowd in self.crowds)

    def is_over(self):
        return time.monotonic() >= self.end

    def round(self):
        start = time.monotonic()
        self.world.round()
        if self.group and self.n_rounds % GROUP_EVERY == 0:
            self.group.round()
        self.n_rounds += 1
        self.watchdog.pet()
        for crowd in self.crowds:
            self.complain(crowd.complaints)
        pause_s = min(PAUSES * (time.monotonic() - start), LONGEST_PAUSE_S, self.end - time.monotonic())
        time.sleep(max(0, pause_s))

    def complain(self, complaints):
        for complaint in complaints:
            print("FAILED:", complaint, flush=True)
        self.n_failed += len(complaints)
        complaints.clear()

    def day(self, seconds):
        evening = time.monotonic() + seconds
        while True:
            self.round()
            if time.monotonic() >= evening or self.is_over():
                break
        self.world.disperse()
        self.look_at_what_is_left()

    def look_at_what_is_left(self):
        belongings, kib = self.daemon.belongings(), self.daemon.status_number("RssAnon")
        self.first = self.first or (belongings, kib)
        if belongings != self.first[0]:
            self.complain([f"the daemon has {belongings}, and had {self.first[0]}"])
        if kib > self.first[1] + GROWTH_KIB:
            self.complain([f"the daemon's private memory has grown from {self.first[1]} to {kib} KiB"])
        minutes, n_groups = (time.monotonic() - self.start) / 60, self.group.n_groups if self.group else 0
        print(f"{minutes:.1f} min: {self.n_rounds} rounds, {self.world.n_samples} samples, {n_groups} groups, "
              f"{self.sum('n_come')} clients, told "
              f"{self.sum('n_told')} times, {self.sum('n_compared')} accounts compared, {self.n_failed} wrong; left: "
              f"{len(belongings[0])} descriptors, {belongings[1]} children, RssAnon {kib} KiB, at first "
              f"{self.first[1]}", flush=True)

    def run(self):
        if not self.group:
            print("no memory really fills: there is no cgroup v1 here")
        self.day(0)
        while not self.is_over():
            self.day(DAY_S)

    def close(self):
        self.watchdog.stop()
        self.world.crowd.close()
        with contextlib.ExitStack() as stack:
            stack.callback(self.daemon.close)
            if self.group:
                stack.callback(self.group.close)
        for crowd in self.crowds:
            self.complain(crowd.complaints)


def main():
    arguments = parse_arguments()
    print(f"seed {arguments.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    soak = Soak(arguments.seconds, arguments.seed)
    try:
        soak.run()
    finally:
        soak.close()
    print(f"{soak.sum('n_compared')} passed, {soak.n_failed} failed")
    return 1 if soak.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
