# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random calls, and what holds nevertheless: the program lives, no sanitizer reports anything, another client is woken
and served, nobody hangs, and in the end everything is given back. `fuzz` runs this."""

import os
import re
import select
import signal
import stat
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients import Child, events_now, is_woken, opened, read_text, wait_until, write_text
from devices import Zone, grow
from hostile import ATTACKER, Attack, answer, register, subscribe

SEED = int(os.environ.get("FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
N_FUZZERS = 8
OWNER = 0
END_S = 120  # what they take to end, when machines are busy

V1 = Path("/sys/fs/cgroup/memory")
WORLDS = ["machine", "group"] if os.access(V1 / "cgroup.event_control", os.W_OK) else ["machine"]
SANITIZERS = {
    "ASAN_OPTIONS": "log_path={}:exitcode=66:detect_leaks=1:handle_abort=1:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "log_path={}:print_stacktrace=1",
}


@pytest.fixture
def reports(monkeypatch):
    """A directory that everybody may write to: each process that a sanitizer ends writes a file there."""
    directory = Path(tempfile.mkdtemp(prefix="memnotifyfs-reports."))
    directory.chmod(0o1777)
    for name, options in SANITIZERS.items():
        monkeypatch.setenv(name, options.format(directory / "report"))
    return directory


def remove(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


@pytest.fixture(params=WORLDS)
def world(request, make_machine):
    """(a machine to change or None, options): a recorded machine, or this one and a control group of version 1 with
    nobody in it, where the kernel does what is asked of memcg/."""
    if request.param == "machine":
        yield make_machine("debian-6.1"), []
        return
    group = V1 / f"memnotifyfs-fuzz-{os.environ['WORLD'].rpartition('.')[2]}"
    group.mkdir()
    yield None, [f"--cgroup={group}"]
    wait_until(lambda: remove(group), "the group to be removed")


class Surroundings:
    """What the program sees: a machine whose zones run out of memory again and again."""

    def __init__(self, machine):
        self.machine = machine
        self.zone = Zone(machine)
        self.free = self.zone.number("free"), 0

    def move(self, i):
        self.zone.set(free=self.free[i % 2])
        grow(self.machine, pgscan_anon=i % 3, pswpout=i % 5, pgscan_direct=i % 7)


class Rest:
    """What fuzzers may change for all users, as it was."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.files = [daemon.mountpoint]
        for directory, below, names in os.walk(daemon.mountpoint):
            self.files += [Path(directory) / name for name in below + names]
        self.attributes = [path.stat() for path in self.files]
        self.parameters = {path: read_text(path) for path in (daemon / "parameters").iterdir()}

    def restore(self):
        for path, attributes in zip(self.files, self.attributes):
            path.chmod(stat.S_IMODE(attributes.st_mode))
            os.chown(path, attributes.st_uid, attributes.st_gid)
        for path, text in self.parameters.items():
            write_text(path, text)
        for path in (self.daemon / "thresholds").iterdir():
            path.unlink()
        write_text(self.daemon / "simulate", "reset")
        return "restored"


def watch(daemon, say):
    """Each time that a limit is reached or left, and the file has said so, and does not any more once it is read."""
    with opened(daemon / "meters" / "used") as fd:
        os.write(fd, b"50%")
        while True:
            events = is_woken(fd)
            texts = [os.read(fd, 100).decode()]
            while events_now(fd):
                texts.append(os.read(fd, 100).decode())
            say([events, texts])


def move(daemon, surroundings):
    """All the time, over the limit of who watches and back: others move it, too."""
    with opened(daemon / "simulate", os.O_WRONLY) as fd:
        i = 0
        while True:
            i += 1
            os.write(fd, b"used %d%%" % (10 + i % 2 * 80))
            if surroundings:
                surroundings.move(i)
            time.sleep(0.01)


def check_watcher(watcher):
    events, texts = watcher.hear()
    assert events and not events & ~(select.POLLIN | select.POLLPRI), f"poll says {events:#x}"
    assert all(re.fullmatch(r"\d+\n", text) for text in texts), texts


def check_reports(reports):
    assert not list(reports.glob("report.*"))


class Fuzzer(Attack):
    """One of the eight, whose last calls can be told."""

    def __init__(self, daemon, number, seed, directory):
        self.uid = OWNER if number % 2 else ATTACKER
        self.trace = directory / f"trace-{number}"
        super().__init__("fuzzer", daemon.mountpoint, seed + number, SECONDS / len(WORLDS), self.trace, uid=self.uid)

    def has_ended(self):
        return self.process.poll() is not None

    def demand_success(self):
        """Adds up what it says."""
        said = self.output().decode()
        assert self.wait() == 0, said
        counts = Counter({name: int(number) for name, number in re.findall(r" ([a-z_0-9]+) (\d+)", said)})
        assert counts["read"] > 0 and counts["write"] > 0, said
        return counts

    def last_calls(self):
        lines = [line.rstrip() for line in self.trace.read_text(errors="replace").splitlines() if line.strip(" \0")]
        return "\n".join(sorted(lines, key=lambda line: int(line.split()[1])))


def run_fuzzers(daemon, reports, fuzzers):
    deadline = time.monotonic() + SECONDS + END_S
    with Child(lambda say: watch(daemon, say), OWNER) as watcher:
        while not all(fuzzer.has_ended() for fuzzer in fuzzers):
            check_watcher(watcher)
            check_reports(reports)
            assert daemon.process.poll() is None, f"exit status {daemon.process.returncode}"
            assert time.monotonic() < deadline, "a fuzzer does not end"
    for uid in OWNER, ATTACKER:
        counts = sum((fuzzer.demand_success() for fuzzer in fuzzers if fuzzer.uid == uid), Counter())
        print(f"succeeded for user {uid}:", ", ".join(f"{name} {number}" for name, number in counts.items()))


@contextmanager
def all_told(daemon, reports, fuzzers):
    """On a finding all that is known of it is shown."""
    try:
        yield
    except BaseException:
        for fuzzer in fuzzers:
            fuzzer.kill()
            print(f"the last calls of a process of user {fuzzer.uid}:\n{fuzzer.last_calls()}")
        for report in reports.glob("report.*"):
            print(report.read_text(errors="replace"))
        print(daemon.read_messages())
        raise


def make_use_of(daemon):
    """What it opens at the first use, helpers too, it keeps."""
    assert answer(lambda: len(read_text(daemon / "zoneinfo"))) > 0
    daemon.first_fds = daemon.fds()
    assert answer(lambda: register(daemon.mountpoint)) == 0
    assert answer(lambda: subscribe(daemon.mountpoint)) == 0
    wait_until(lambda: daemon.fds() == daemon.first_fds, "the first client to be forgotten")


def test_random_calls(world, serve, reports):
    machine, options = world
    daemon = serve(*options, "-o", "oom=adj", machine=machine, simulate=True)
    make_use_of(daemon)
    before = daemon.belongings()
    rest = Rest(daemon)

    seed = (2 * SEED + bool(machine)) * N_FUZZERS
    with Child(lambda _say: move(daemon, machine and Surroundings(machine)), OWNER) as mover:
        fuzzers = [Fuzzer(daemon, number, seed, reports) for number in range(N_FUZZERS)]
        with all_told(daemon, reports, fuzzers):
            run_fuzzers(daemon, reports, fuzzers)
            mover.signal(signal.SIGKILL)
            mover.wait()
            assert answer(rest.restore, OWNER) == "restored"
            wait_until(lambda: daemon.belongings() == before, f"{daemon.belongings()} to become {before}")
            assert daemon.is_used_well()
            daemon.stop()
            check_reports(reports)
