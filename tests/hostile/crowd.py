# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients of the soak: processes of soak_client, each beside its account."""

import os
import select
import signal
import subprocess
import time

from clients import POLL, TIMEOUT_S, sleeps_in, wait_until
from hostile import PROGRAMS

HEARING = ("poll", "select", "epoll", "edge")  # who waits so hears orders meanwhile


class Client:
    def __init__(self, number, account, way, uid, mount, said):
        self.number, self.account, self.way, self.uid = number, account, way, uid
        self.told = self.base = 0  # how often: in all, and before the series
        self.state, self.has_answered, self.has_slept = "", False, False
        text = [account.text] if account.text else []
        self.process = subprocess.Popen(
            [PROGRAMS / "soak_client", str(number), account.kind, way, mount / account.file, *text],
            stdin=subprocess.PIPE, stdout=said, bufsize=0, user=uid, group=uid, extra_groups=[])

    def __str__(self):
        return f"client {self.number} ({self.account.file} '{self.account.text}', {self.way}, user {self.uid})"

    @property
    def pid(self):
        return self.process.pid

    def order(self, letter):
        self.has_answered = False
        self.process.stdin.write(letter)

    def is_hearing(self):
        return self.way in HEARING

    def number_told(self):
        return self.told - self.base

    def has_its_due(self):
        """What it is still to be told would be a mistake."""
        number = self.number_told()
        return number >= self.account.least() and self.account.is_right(number > 0, self.state)

    def is_right(self):
        return self.has_its_due() and self.number_told() <= self.account.most(self.has_slept)

    def complaint(self):
        account = self.account
        return (f"{self}: due {account.least()} to {account.most(self.has_slept)}, told {self.number_told()} of "
                f"{self.told}, has read '{self.state}', may have read {account.readings[-3:]}")

    def settle(self):
        self.base, self.has_slept = self.told, False
        self.account.settle()

    def switches(self):
        """How often it has gone to sleep; None if it is not asleep in its wait."""
        if not self.is_hearing() or not sleeps_in(self.pid, *POLL):
            return None
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def end(self, by_force):
        if by_force or not self.is_hearing():
            self.process.kill()
        self.process.stdin.close()
        return self.process.wait(TIMEOUT_S)


class Crowd:
    """All that are there now. What they say comes through one pipe."""

    def __init__(self, mount=None):
        self.mount = mount  # where those who come go to
        self.clients = {}
        self.n_come = self.n_told = self.n_compared = 0
        self.complaints = []
        self.pipe, self.said = os.pipe()
        self.rest = b""

    def __iter__(self):
        return iter(list(self.clients.values()))

    def add(self, account, way, uid, values):
        client = Client(self.n_come, account, way, uid, self.mount, self.said)
        self.clients[self.n_come] = client
        self.n_come += 1
        account.begin(values)
        return client

    def remove(self, client, by_force=False):
        """Whatever it still says is not heard."""
        del self.clients[client.number]
        status = client.end(by_force)
        if status not in (0, -signal.SIGKILL):
            self.complaints.append(f"{client} has ended with {status}")

    def hear(self, timeout_s):
        """Those who have said something."""
        if not select.select([self.pipe], [], [], timeout_s)[0]:
            return []
        *lines, self.rest = (self.rest + os.read(self.pipe, 1 << 20)).split(b"\n")
        heard = []
        for line in lines:
            number, why, told, state = line.decode().split(" ", 3)
            client = self.clients.get(int(number))
            if client:
                self.n_told += int(told) - client.told
                client.told, client.state = int(told), state
                client.has_answered |= why == "="
                heard.append(client)
        return heard

    def wait(self, clients, is_done):
        """Waits until that is true of each; whoever lets us wait for too long is left to the comparison."""
        waiting = {client for client in clients if not is_done(client)}
        end = time.monotonic() + TIMEOUT_S
        while waiting and time.monotonic() < end:
            waiting -= {client for client in self.hear(1) if is_done(client)}

    def wait_ready(self):
        self.wait(self, lambda client: client.has_answered)

    def wait_due(self, clients):
        self.wait(clients, Client.has_its_due)

    def ask(self):
        """Until each has said that there is nothing more."""
        hearing = [client for client in self if client.is_hearing()]
        for client in hearing:
            client.order(b"?")
        self.wait(hearing, lambda client: client.has_answered)

    def compare(self):
        """The end of a series. Whoever was told something else than is due goes."""
        for client in self:
            self.n_compared += 1
            if client.is_right():
                client.settle()
            else:
                self.complaints.append(client.complaint())
                self.remove(client, by_force=True)

    def disperse(self):
        for client in self:
            if client.is_hearing():
                client.process.stdin.close()
        for client in self:
            self.remove(client)
        wait_until(lambda: not self.hear(0), "silence")

    def close(self):
        for client in self:
            client.process.kill()
        os.close(self.pipe)
        os.close(self.said)
