# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of the soak whose meters are simulated, so that what crosses is known exactly."""

import os
import signal
import subprocess
import threading
import time

from accounts import (SPACE, Account, Limit, Memnotify, Meter, Registration, Stream, StreamReader, Threshold,
                      ThresholdReader)
from clients import wait_until, write_text
from crowd import HEARING, Crowd
from devices import wait_reason
from hostile import PROGRAMS

METERS = ("used", "active", "free", "available", "anon", "file", "dirty")
USERS = range(1001, 1009)
OWNERS = USERS[:2]  # of thresholds: the lines of each that events keeps cost memory until they are as many as are kept
CLIENTS = 240
THRESHOLDS = 24
MAYFLIES = 3
STEPS, BURST = 4, 20
LINES_KEPT = 1024  # by events for each user: no burst may bring more
STOPPED_S = 0.3
ZONE_FREE = 20000


class Signalled(Account):
    """Who has asked oom_notify for a signal: it comes when memory becomes short, and again while it is."""

    file, text, kind = "oom_notify", "signal USR1", "signal"

    def __init__(self):
        super().__init__()
        self.is_due = self.may_come = False

    def see(self, values):
        pass

    def least(self):
        return int(self.is_due)

    def most(self, has_slept):
        return float("inf") if self.may_come else 0

    def is_right(self, has_been_told, state):
        return True

    def settle(self):
        """The last signal may be on its way for as long as a round takes: the world says when none may come."""
        self.is_due = False


class SimulatedWorld:
    def __init__(self, daemon, zone, chance):
        self.daemon, self.zone, self.chance = daemon, zone, chance
        self.values = {"total": daemon.meter("total")}
        self.stream = Stream()
        self.thresholds = []
        self.n_thresholds = self.n_samples = 0
        self.crowd = Crowd(daemon.mountpoint)
        self.mayflies = []
        zone.set(free=ZONE_FREE)
        self.write(self.take({meter: self.any_value() for meter in METERS}))

    # ---- samples

    def any_value(self):
        """Where no limit is near the ends of the scale, towards which the hysteresis is smaller."""
        total = self.values["total"]
        return self.chance.randrange(total // 16, total // 4)

    def near_a_limit(self, meter):
        """Around the places where it is reached and left."""
        limits = [limit.pages for threshold in self.thresholds for limit in threshold.limits if limit.meter == meter]
        limits += [client.account.limit.pages for client in self.crowd if isinstance(client.account, Meter)]
        around = (-SPACE - 1, -SPACE, -1, 0, 1, SPACE - 1, SPACE)
        return self.chance.choice(limits or [self.any_value()]) + self.chance.choice(around)

    def choose(self):
        meters = self.chance.sample(METERS, self.chance.randint(1, 3))
        return {meter: self.near_a_limit(meter) if self.chance.random() < 0.7 else self.any_value() for meter in meters}

    def take(self, chosen):
        """Enters a sample into all accounts; what has to be written for it."""
        self.n_samples += 1
        self.values.update(chosen)
        self.values["usage"] = self.values["anon"] + self.values["file"]
        for threshold in self.thresholds:
            self.stream.add(threshold.lines(self.values))
        for client in self.crowd:
            client.account.see(self.values)
        return " ".join(f"{meter} {value}" for meter, value in chosen.items())

    def write(self, text):
        write_text(self.daemon / "simulate", text)

    # ---- who is there

    def make_limits(self, n):
        return [Limit(meter, self.chance.choice((">=", "<")), self.any_value())
                for meter in sorted(self.chance.sample(METERS, n), key=METERS.index)]

    def make_account(self):
        kind = self.chance.choice((Memnotify, Memnotify, Meter, Meter, ThresholdReader, StreamReader, Registration,
                                   Signalled))
        if kind is Memnotify:
            return Memnotify(self.make_limits(self.chance.randint(1, 3)))
        if kind is Meter:
            return Meter(*self.make_limits(1))
        if kind is ThresholdReader:
            return ThresholdReader(self.chance.choice(self.thresholds))
        if kind is StreamReader:
            return StreamReader(self.stream)
        if kind is Registration:
            return Registration(2 * self.any_value())
        return Signalled()

    def make_way(self, kind):
        ways = {"text": HEARING, "events": ("poll", "select", "epoll", "read"), "eventfd": ("poll", "epoll", "read"),
                "signal": ("poll",)}
        return self.chance.choice(ways[kind])

    def write_as(self, uid, path, text):
        os.seteuid(uid)
        try:
            write_text(path, text)
        finally:
            os.seteuid(0)

    def add_threshold(self):
        limits = self.make_limits(self.chance.randint(1, 2))
        threshold = Threshold(f"soak-{self.n_thresholds}", limits, self.values)
        self.n_thresholds += 1
        self.write_as(self.chance.choice(OWNERS), self.daemon / "thresholds" / threshold.name,
                      " ".join(map(str, limits)))
        self.thresholds.append(threshold)

    def remove_threshold(self, threshold):
        self.thresholds.remove(threshold)
        os.unlink(self.daemon / "thresholds" / threshold.name)

    def gather(self):
        while len(self.thresholds) < THRESHOLDS:
            self.add_threshold()
        while len(self.crowd.clients) < CLIENTS:
            account = self.make_account()
            self.crowd.add(account, self.make_way(account.kind), self.chance.choice(USERS), self.values)
        while len(self.mayflies) < MAYFLIES:
            self.mayflies.append(subprocess.Popen([PROGRAMS / "soak_mayfly", self.daemon.mountpoint],
                                                  stdin=subprocess.PIPE, user=self.chance.choice(USERS), group=0,
                                                  extra_groups=[]))
        self.crowd.wait_ready()
        self.crowd.wait_due(self.crowd)
        self.crowd.compare()

    def churn(self):
        """Some go in the one way or another, and others come for them."""
        for client in self.chance.sample(list(self.crowd), CLIENTS // 12):
            how = self.chance.choice(("exit", "kill", "close", "dup"))
            if how in ("close", "dup") and client.is_hearing() and client.account.kind != "signal":
                client.order(b"c" if how == "close" else b"d")
                self.crowd.wait([client], lambda client: client.has_answered)
            if how != "dup":
                self.crowd.remove(client, by_force=how == "kill")
        self.remove_some_threshold()
        self.gather()

    def remove_some_threshold(self):
        """Its readers are told, and its name does not come back."""
        threshold = self.chance.choice(self.thresholds)
        readers = [client for client in self.crowd if getattr(client.account, "threshold", None) is threshold]
        self.remove_threshold(threshold)
        self.crowd.wait(readers, lambda client: client.state == "gone")
        for client in readers:
            if client.state != "gone":
                self.crowd.complaints.append(f"{client}: not told that it was removed")
            self.crowd.n_compared += 1
            self.crowd.remove(client)

    # ---- rounds

    def step(self):
        """One sample, after which each client is waited for: nothing is merged. Who is not concerned sleeps on."""
        asleep = {client: client.switches() for client in self.chance.sample(list(self.crowd), CLIENTS // 8)}
        self.write(self.take(self.choose()))
        self.crowd.wait_due(self.crowd)
        for client, switches in asleep.items():
            if switches is not None and client.account.most(False) == 0:
                self.crowd.n_compared += 1
                if client.switches() != switches:
                    self.crowd.complaints.append(f"{client}: woken for nothing")
        self.crowd.compare()

    def steps(self):
        for _ in range(STEPS):
            self.step()
        self.crowd.ask()
        self.crowd.compare()

    def burst(self):
        """Many samples while some clients are stopped, others killed, and the daemon is stopped, too."""
        sleepers = self.chance.sample([client for client in self.crowd if client.is_hearing()], CLIENTS // 12)
        for client in sleepers:
            client.stop()
            client.has_slept = True
        first = self.stream.n
        texts = [self.take(self.choose()) for _ in range(BURST)]
        assert self.stream.n - first < LINES_KEPT

        writer = threading.Thread(target=lambda: [self.write(text) for text in texts])
        writer.start()
        for client in self.chance.sample([client for client in self.crowd if not client.has_slept], CLIENTS // 24):
            self.crowd.remove(client, by_force=True)
        self.stop_daemon()
        writer.join()

        self.crowd.wait_due([client for client in self.crowd if not client.has_slept])
        for client in sleepers:
            os.kill(client.pid, signal.SIGCONT)
        self.crowd.wait_due(self.crowd)
        self.crowd.ask()
        self.crowd.compare()

    def stop_daemon(self):
        os.kill(self.daemon.pid, signal.SIGSTOP)
        time.sleep(self.chance.uniform(0, STOPPED_S))
        os.kill(self.daemon.pid, signal.SIGCONT)

    def shortage(self):
        """A zone has no free pages left, and has them again."""
        concerned = [client for client in self.crowd if isinstance(client.account, Signalled)]
        for client in concerned:
            client.account.is_due = client.account.may_come = True
        self.zone.set(free=1)
        self.crowd.wait_due(concerned)
        self.zone.set(free=ZONE_FREE)
        wait_reason(self.daemon / "oom_notify", "ok")
        self.crowd.compare()
        self.steps()
        for client in concerned:
            client.account.may_come = False

    def round(self):
        self.gather()
        self.chance.choice((self.steps, self.steps, self.burst, self.burst, self.shortage))()
        self.churn()

    def disperse(self):
        """Nobody is left, and nothing of them."""
        for mayfly in self.mayflies:
            mayfly.stdin.close()
            if mayfly.wait() != 0:
                self.crowd.complaints.append("a mayfly was refused something")
        self.mayflies.clear()
        self.crowd.disperse()
        for threshold in list(self.thresholds):
            self.remove_threshold(threshold)
        wait_until(lambda: self.daemon.fds() == self.daemon.first_fds, "the daemon to have closed all")
