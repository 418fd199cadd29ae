# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user feels of another who attacks with all that he has: his reads, what he is refused, and what it costs the
daemon. The attacks are those of tests/hostile/attacks.c."""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure.cost import rss_anon_kib
from measure.daemons import Unmeasurable, bare, by_itself, ours
from measure.figures import Row, compare, flat, parse_series, percentile

ATTACKER, VICTIM = 1001, 4002

# How much each prepares: usually, and in a run that is longer than usual.
ATTACKS = {
    "zoneinfo": (4096, 9000),
    "signals": (1024, 4096),
    "ranking": (1, 1),
    "thresholds": (1, 1),
    "storm": (1, 1),
    "readers": (1, 1),
    "slow": (1000, 4000),
    "registrations": (256, 1024),
    "epoll": (15000, 15000),
    "inotify": (20000, 100000),
    "mounts": (3000, 90000),
    "oom": (1, 1),
}
CROSSING = {"readers", "slow"}  # attack while limits are crossed
METERS = ("used", "active", "total", "free", "available", "anon", "file", "shmem", "slab_reclaimable", "mlocked",
          "dirty", "swap_total", "swap_free", "swap_used")

SLOWDOWN, MORE_US = 2, 100
MEMORY_MIB, LEFT_MIB = 16, 1
LIMIT_S = 120  # for preparing, and for the answer to a visit
BATCHES, READS = 300, 50
ATTACK_S, CROSSING_S, LOOK_S = 5, 0.01, 0.02


@contextmanager
def programs(bench):
    """Where every user may start them, wherever the build tree is."""
    with tempfile.TemporaryDirectory(prefix="memnotifyfs-bench-") as directory:
        os.chmod(directory, 0o755)
        for name in ("attacks", "roundtrip"):
            shutil.copy(bench.program(name), directory)
        yield Path(directory)


@contextmanager
def attackers(bench, directory, mount, names):
    """They have begun, and are ended."""
    processes = []
    try:
        for name in names:
            size = ATTACKS[name][bench.scale > 1] if not bench.is_smoke else 100
            command = [directory / "attacks", name, mount, str(size)]
            processes.append(subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                                              preexec_fn=by_itself(uid=ATTACKER, has_priority=False)))
        for name, process in zip(names, processes):
            if process.stdout.readline() != "attacking\n":
                raise Unmeasurable(f"'{name}' cannot be tried here")
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


class Repeated(threading.Thread):
    """Does something again and again beside what is measured."""

    def __init__(self, function, pause_s):
        super().__init__(daemon=True)
        self.function, self.pause_s, self.is_over = function, pause_s, threading.Event()

    def run(self):
        while not self.is_over.wait(self.pause_s):
            self.function()

    def __enter__(self):
        self.start()

    def __exit__(self, *_exception):
        self.is_over.set()
        self.join()


def cross(mount):
    """All limits of the attackers, upwards and downwards."""
    for pages in (6000, 4000):
        Path(mount, "simulate").write_text(" ".join(f"{meter} {pages}" for meter in METERS))


# ---- the other user


def reads(bench, directory, our_mount, bare_mount):
    command = [directory / "roundtrip", "read", f"{our_mount}/meters/used", f"{bare_mount}/constant",
               bench.count(BATCHES), READS]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                          preexec_fn=by_itself(uid=VICTIM))
    if done.returncode != 0:
        raise Unmeasurable("roundtrip has failed")
    return parse_series(done.stdout)


def write(path, text, flags=os.O_RDWR):
    """One write(2)."""
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)


def register(mount):
    fds = [os.eventfd(0), os.open(f"{mount}/memcg/memory.usage_in_bytes", os.O_RDONLY)]
    try:
        write(f"{mount}/memcg/cgroup.event_control", b"%d %d 1T" % tuple(fds), os.O_WRONLY)
    finally:
        for fd in fds:
            os.close(fd)


VISITS = {
    "a limit": lambda mount: write(f"{mount}/memnotify", b"used 99%"),
    "a threshold": lambda mount: write(f"{mount}/thresholds/bench-{os.getpid()}", b"used 99%", os.O_RDWR | os.O_CREAT),
    "its removal": lambda mount: os.unlink(f"{mount}/thresholds/bench-{os.getpid()}"),
    "events": lambda mount: os.close(os.open(f"{mount}/events", os.O_RDONLY)),
    "a ranking": lambda mount: Path(mount, "oom_ranking").read_bytes(),
    "a signal": lambda mount: write(f"{mount}/oom_notify", b"signal URG"),
    "a registration": register,
}


def visit(mount):
    """What is refused to the calling user."""
    refused = []
    for what, function in VISITS.items():
        try:
            function(mount)
        except OSError as error:
            refused.append(f"{what}: {error.strerror}")
    return refused


def visit_as_victim(mount):
    with multiprocessing.get_context("fork").Pool(1, by_itself(uid=VICTIM)) as pool:
        try:
            return pool.apply_async(visit, (mount,)).get(LIMIT_S)
        except multiprocessing.TimeoutError:
            return [f"an answer within {LIMIT_S} s"]


# ---- what is left


def belongings(pid):
    """How many descriptors and children a daemon has."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return len(os.listdir(f"/proc/{pid}/fd")), len(children)


def settle(pid, before, before_kib):
    """How many descriptors, children and MiB it has more when all have gone, and the memory has been given back."""
    end = time.monotonic() + LIMIT_S / 4
    while True:
        more = [max(0, now - then) for now, then in zip(belongings(pid), before)]
        mib = (rss_anon_kib(pid) - before_kib) / 1024
        if (not any(more) and mib <= LEFT_MIB) or time.monotonic() > end:
            return *more, mib
        time.sleep(LOOK_S)


# ---- the rows


def p99_us(batches):
    return percentile(flat(batches), 99) / 1000


def read_row(what, quiet, attacked):
    row = compare("hostile", f"{what}: another's read() of meters/used", attacked["ours"], "bare server meanwhile",
                  attacked["floor"], None)
    most_us = SLOWDOWN * p99_us(quiet["ours"]) + MORE_US
    row.target, row.reached = f"p99 <= {most_us:.0f} us", row.p99 <= most_us
    row.note = (f"p99 quiet {p99_us(quiet['ours']):.1f} us, now {row.p99 / p99_us(quiet['ours']):.1f}x; bare server "
                f"{p99_us(quiet['floor']):.1f} us, {row.peer_p99 / p99_us(quiet['floor']):.1f}x")
    return row


def attack_rows(bench, directory, mounts, process, names, what):
    our_mount, bare_mount = mounts
    quiet, before, before_kib = reads(bench, directory, *mounts), belongings(process.pid), rss_anon_kib(process.pid)
    seen_kib = [before_kib]
    with ExitStack() as stack:
        stack.enter_context(Repeated(lambda: seen_kib.append(rss_anon_kib(process.pid)), LOOK_S))
        stack.enter_context(attackers(bench, directory, our_mount, names))
        if CROSSING & set(names):
            stack.enter_context(Repeated(lambda: cross(our_mount), CROSSING_S))
        end = time.monotonic() + ATTACK_S * min(bench.scale, 1)
        attacked = reads(bench, directory, *mounts)
        refused = visit_as_victim(our_mount)
        time.sleep(max(0, end - time.monotonic()))
    yield read_row(what, quiet, attacked)

    worst_mib = (max(seen_kib) - before_kib) / 1024
    yield Row("hostile", f"{what}: private memory meanwhile", "MiB more", n=len(seen_kib), p50=worst_mib,
              target=f"<= {MEMORY_MIB} MiB", reached=worst_mib <= MEMORY_MIB)
    yield Row("hostile", f"{what}: refused to another", "requests", n=len(VISITS), p50=len(refused), target="none",
              reached=not refused, note="; ".join(refused))
    for path in Path(our_mount, "thresholds").glob("attack-*"):  # which outlive who made them, as promised
        path.unlink()
    descriptors, children, mib = settle(process.pid, before, before_kib)
    yield Row("hostile", f"{what}: left afterwards", "MiB", n=1, p50=mib, target=f"<= {LEFT_MIB} MiB, no descriptors",
              reached=mib <= LEFT_MIB and not descriptors + children,
              note=f"{descriptors} descriptors and {children} children more")


def hostile(bench):
    """Each attack by a daemon of its own, then all by another."""
    if os.getuid() != 0:
        raise Unmeasurable("being two users needs root")
    alone = [] if bench.is_smoke else [[name] for name in ATTACKS]
    with programs(bench) as directory:
        for names in alone + [list(ATTACKS)]:
            what = names[0] if len(names) == 1 else "all together"
            with ours(bench, "--simulate") as (our_mount, process), bare(bench, 8) as (bare_mount, _):
                visit_as_victim(our_mount)  # helpers are started when they are needed first
                yield from attack_rows(bench, directory, (our_mount, bare_mount), process, names, what)
