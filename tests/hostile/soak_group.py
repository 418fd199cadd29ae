# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of the soak whose memory is real: a process in a group of cgroup v1 fills it and frees it, and the group is
removed and made anew. How full it is exactly nobody knows, but each limit lies between empty and full."""

import mmap
import os
import tempfile
from pathlib import Path

from accounts import Account, Limit
from clients import wait_until, write_text
from crowd import HEARING, Crowd
from hostile import Attack, Besieged
from memcg_client import MIB, USAGE

CGROUPS = Path("/sys/fs/cgroup/memory")
CLIENTS = 32
USERS = (0, 1001, 1002)  # root's registrations are the kernel's own
LIMIT_MIB = 512  # of the group; the hysteresis is 1/128 of it
LOWEST_MIB, HIGHEST_MIB = 50, 150  # of what is waited for
FULL_MIB = (200, 300)
SWINGS = 3
ROUNDS_OF_A_GROUP = 2

# What the daemon says each time.
REMOVED = "the control group '.*' was removed; who waits is told, and served again when it is made anew"
RETURNED = "the control group '.*' is there again"


class Measured(Account):
    """Of a file that is told once each time memory fills up, and once each time it is freed."""

    is_exact = True

    def __init__(self, file, kind, text, reached):
        super().__init__()
        self.file, self.kind, self.text = file, kind, text
        self.reached = reached  # whether the limit is, by what has been read
        self.is_full = False

    def see(self, is_full):
        self.changes += is_full != self.is_full
        self.is_full = is_full

    def is_right(self, has_been_told, state):
        return not has_been_told or self.reached is None or self.reached(state) == self.is_full


def measured(kind, chance, names):
    """One of each kind, with a limit between empty and full."""
    pages = chance.randrange(LOWEST_MIB * MIB, HIGHEST_MIB * MIB) // mmap.PAGESIZE
    limit = Limit("used", ">=", pages)
    if kind == "memnotify":
        return Measured("memnotify", "text", str(limit), lambda state: int(state.split()[1]) >= pages)
    if kind == "meter":
        return Measured("meters/used", "text", f">={pages}", lambda state: int(state.rstrip(";")) >= pages)
    if kind == "threshold":
        return Opened(f"thresholds/{chance.choice(names)}", "text", None, lambda state: "reached=1" in state)
    return Measured(f"memcg/{USAGE}", "eventfd", str(pages * mmap.PAGESIZE), None)


class Opened(Measured):
    """A threshold is told of when it is opened, too."""

    def begin(self, is_full):
        self.changes += 1


class Stream(Measured):
    """A line for each threshold."""

    def __init__(self, n):
        super().__init__("events", "events", None, None)
        self.n = n

    def see(self, is_full):
        self.changes += self.n * (is_full != self.is_full)
        self.is_full = is_full


class GroupWorld:
    @staticmethod
    def is_possible():
        return os.access(CGROUPS / "cgroup.event_control", os.W_OK)

    def __init__(self, chance):
        self.chance = chance
        self.directory = Path(tempfile.mkdtemp(prefix="memnotifyfs-soak.", dir=CGROUPS))
        self.n_rounds = self.n_groups = 0
        self.crowd, self.daemon = Crowd(), None
        self.begin_group()
        self.serve()

    def begin_group(self):
        self.directory.mkdir(exist_ok=True)
        self.n_groups += 1
        write_text(self.directory / "memory.limit_in_bytes", str(LIMIT_MIB * MIB))
        self.hog = Attack("soak_hog", uid=0)
        write_text(self.directory / "cgroup.procs", str(self.hog.pid))

    def end_group(self):
        self.hog.close()
        self.hog.wait()
        wait_until(self.is_removed, "the group to be empty")

    def is_removed(self):
        try:
            self.directory.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    def serve(self):
        self.daemon = Besieged(f"--source=cgroup={self.directory}").start()
        self.crowd.mount = self.daemon.mountpoint

    def is_served(self):
        try:
            return (self.daemon / "memcg" / USAGE).exists() and self.daemon.meter("used") >= 0
        except OSError:
            return False

    def end_daemon(self):
        daemon, self.daemon = self.daemon, None
        if daemon:
            daemon.close()

    # ---- rounds

    def gather(self):
        names = [f"group-{i}" for i in range(4)]
        for name in names:
            if not (self.daemon / "thresholds" / name).exists():
                pages = self.chance.randrange(LOWEST_MIB * MIB, HIGHEST_MIB * MIB) // mmap.PAGESIZE
                write_text(self.daemon / "thresholds" / name, f"used {pages}")
        while len(self.crowd.clients) < CLIENTS:
            kind = self.chance.choice(("memnotify", "meter", "threshold", "registration", "events"))
            account = Stream(len(names)) if kind == "events" else measured(kind, self.chance, names)
            ways = ("poll", "epoll", "read") if account.kind in ("events", "eventfd") else HEARING
            self.crowd.add(account, self.chance.choice(ways), self.chance.choice(USERS), False)
        self.crowd.wait_ready()
        self.crowd.wait_due(self.crowd)
        self.crowd.compare()

    def fill(self, mib):
        self.hog.tell(str(mib))
        assert self.hog.hear() == "done"
        for client in self.crowd:
            client.account.see(mib > 0)
        self.crowd.wait_due(self.crowd)
        self.crowd.ask()
        self.crowd.compare()

    def round(self):
        self.gather()
        for _ in range(SWINGS):
            self.fill(self.chance.randint(*FULL_MIB))
            self.fill(0)
        for client in self.chance.sample(list(self.crowd), CLIENTS // 4):
            self.crowd.remove(client, by_force=self.chance.random() < 0.5)
        self.n_rounds += 1
        if self.n_rounds % ROUNDS_OF_A_GROUP == 0:
            self.make_anew()

    def make_anew(self):
        """Everybody is told that the group has been removed, and served when there is another."""
        self.gather()
        self.end_group()
        for client in self.crowd:
            client.account.changes += client.account.kind in ("eventfd", "events")
        waiters = [client for client in self.crowd if client.account.kind == "text"]
        self.crowd.wait(waiters, lambda client: client.state == "gone")
        for client in waiters:
            if client.state != "gone":
                self.crowd.complaints.append(f"{client}: not told that the group was removed")
            self.crowd.remove(client)
        self.crowd.wait_due(self.crowd)
        self.crowd.ask()
        self.crowd.compare()

        self.crowd.disperse()
        self.begin_group()
        wait_until(self.is_served, "the new group to be served")
        self.daemon.expected += [REMOVED, RETURNED]

    def close(self):
        try:
            self.crowd.disperse()
            self.end_daemon()
        finally:
            self.crowd.close()
            self.end_group()
