# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon costs those who do not wait: system calls, CPU time, memory."""

import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure.daemons import Unmeasurable, earlyoom, meminfo, ours, peer, running
from measure.figures import Row

IDLE_SECONDS = 30
STEADY_SECONDS = 60
CLIENTS = 10000
PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024


@contextmanager
def client(mount, away_per_cent=None):
    """Somebody who has memnotify open, perhaps with a limit so much of the memory above what is used."""
    fd = os.open(f"{mount}/memnotify", os.O_RDWR)
    try:
        if away_per_cent is not None:
            words = os.pread(fd, 128, 0).split()
            used, total = int(words[1]), int(words[5])
            os.write(fd, b"used %d" % (used + total * away_per_cent // 100))
        yield fd
    finally:
        os.close(fd)


# ---- system calls while idle


def count_calls(trace, start, end):
    """How many system calls begin between two moments, in the output of strace -f -ttt."""
    calls = 0
    for line in Path(trace).read_text().splitlines():
        match = re.match(r"\d+ +(\d+\.\d+) (?!<\.\.\.|---|\+\+\+)", line)
        calls += bool(match and start <= float(match[1]) < end)
    return calls


def trace_calls(pids, seconds):
    """System calls of processes within the same time, {name: count}. Attaching makes some; they are not counted."""
    if not shutil.which("strace"):
        raise Unmeasurable("strace is not installed; try 'apt-get install strace'")
    with tempfile.TemporaryDirectory() as directory:
        tracers = [
            subprocess.Popen(
                ["strace", "-f", "-ttt", "-o", f"{directory}/{name}", "-p", str(pid)], stderr=subprocess.DEVNULL
            )
            for name, pid in pids.items()
        ]
        try:
            time.sleep(1)
            start = time.time()
            time.sleep(seconds)
            end = time.time()
        finally:
            for tracer in tracers:
                tracer.terminate()
            for tracer in tracers:
                tracer.wait()
        if not all(Path(directory, name).exists() for name in pids):
            raise Unmeasurable("strace cannot attach")
        return {name: count_calls(f"{directory}/{name}", start, end) for name in pids}


IDLE_STATES = (
    ("nothing", "nothing open", 0),
    ("open", "open without limit", 0),
    ("limit", "a limit 50% of memory away", 1),
)


def idle(bench):
    seconds = max(2, round(IDLE_SECONDS * min(1, bench.scale)))
    with ExitStack() as stack:
        mounts = {name: stack.enter_context(ours(bench)) for name, _, _ in IDLE_STATES}
        stack.enter_context(client(mounts["open"][0]))
        stack.enter_context(client(mounts["limit"][0], 50))
        pids = {name: process.pid for name, (_, process) in mounts.items()}
        pids["earlyoom"] = stack.enter_context(earlyoom()).pid
        calls = trace_calls(pids, seconds)

    for name, what, most in IDLE_STATES:
        row = Row("idle", f"system calls in {seconds} s, {what}", "calls", n=1, p50=calls[name], against="earlyoom")
        row.peer_p50 = calls["earlyoom"]
        row.ratio = calls[name] / max(1, calls["earlyoom"])
        row.target = f"<= {most} a second" if most else "0"
        row.reached = calls[name] <= most * seconds
        yield row


# ---- CPU time near a limit


def cpu_ns(pid):
    """The time that all threads have run, exact to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def steady(bench):
    seconds = max(2, round(STEADY_SECONDS * min(1, bench.scale)))
    memory = meminfo()
    available_per_cent = 100 * memory["MemAvailable"] // memory["MemTotal"]
    with ExitStack() as stack:
        mount, process = stack.enter_context(ours(bench))
        stack.enter_context(client(mount, 5))
        oom = stack.enter_context(earlyoom("-m", str(available_per_cent - 5)))
        pids = [process.pid, oom.pid]
        before = [cpu_ns(pid) for pid in pids]
        time.sleep(seconds)
        used = [(cpu_ns(pid) - ns) / 1e6 for pid, ns in zip(pids, before)]

    row = Row("cpu", f"CPU time in {seconds} s, a limit 5% away", "ms", n=1, p50=used[0], against="earlyoom")
    row.peer_p50, row.ratio = used[1], used[0] / used[1]
    row.target, row.reached = "less", used[0] < used[1]
    yield row


# ---- memory


def rss_anon_kib(pid):
    return int(re.search(r"^RssAnon:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def peer_rss_kib(name):
    try:
        with earlyoom() if name == "earlyoom" else running(peer(name)) as process:
            return rss_anon_kib(process.pid)
    except Unmeasurable as reason:
        print(f"  {reason}")
        return None


@contextmanager
def waiting_client(mount, epoll):
    """A client as it is in life: with a limit, has read, waits."""
    with client(mount, 50) as fd:
        os.pread(fd, 128, 0)
        epoll.register(fd, select.EPOLLIN)
        yield fd


@contextmanager
def connection(mount, request=None):
    """A client of the socket, who has been answered."""
    with socket.socket(socket.AF_UNIX) as client_socket:
        client_socket.connect(f"{mount}.sock")
        if request:
            client_socket.sendall(request)
            client_socket.recv(128)
        yield client_socket


def growth(bench, make_client, clients, *options):
    """RssAnon in KiB with one client, and how much it grows for each further one, in bytes."""
    with ExitStack() as stack:
        mount, process = stack.enter_context(ours(bench, *options))
        epoll = stack.enter_context(select.epoll())
        stack.enter_context(make_client(mount, epoll))
        one_kib = rss_anon_kib(process.pid)
        for _ in range(clients - 1):
            stack.enter_context(make_client(mount, epoll))
        return one_kib, (rss_anon_kib(process.pid) - one_kib) * 1024 / (clients - 1)


def allow_many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CLIENTS + 100:
        raise Unmeasurable(f"{CLIENTS} files cannot be open at a time; raise RLIMIT_NOFILE")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def memory(bench):
    allow_many_files()
    one_kib, waiting_bytes = growth(bench, waiting_client, CLIENTS)
    _, open_bytes = growth(bench, lambda mount, epoll: client(mount), CLIENTS)

    for name in ("earlyoom", "psi-notify"):
        row = Row("memory", "RssAnon with one client", "KiB", n=1, p50=one_kib, against=name)
        row.peer_p50 = peer_rss_kib(name)
        row.ratio = one_kib / row.peer_p50 if row.peer_p50 else None
        row.target, row.reached = "<= 1 MiB", one_kib <= 1024
        yield row
    for what, size in (("open", open_bytes), ("open, with a limit, read and waiting", waiting_bytes)):
        row = Row("memory", f"for each descriptor: {what}", "bytes", n=CLIENTS, p50=size)
        row.target, row.reached = "<= 400 bytes", size <= 400
        yield row


CONNECTIONS = (
    ("idle", None),
    ("with a limit, waiting", b"watch used 100%\n"),
)


def connection_memory(bench):
    allow_many_files()
    for what, request in CONNECTIONS:
        def connect(mount, _epoll, request=request):
            return connection(mount, request)

        _, size = growth(bench, connect, CLIENTS, "--socket={mount}.sock")
        yield Row("connection-memory", f"for each connection: {what}", "bytes", n=CLIENTS, p50=size)


# ---- recording

RECORD_SECONDS = 120
FRAME_SECONDS = 600
DAY_SECONDS = 86400
MIB = 1 << 20

# Files are written and read, processes begin and end, memory is taken and given back.
LOADS = (
    "while :; do dd if=/dev/zero of=file bs=1M count=256 conv=fsync; cat file >/dev/null; done",
    "while :; do /bin/true; done",
    "while :; do python3 -c 'bytearray(400 << 20)'; sleep 0.5; done",
)


@contextmanager
def load(directory):
    processes = [subprocess.Popen(["sh", "-c", f"exec 2>/dev/null; {script}"], cwd=directory, start_new_session=True,
                                  stdout=subprocess.DEVNULL) for script in LOADS]
    try:
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def record_for(bench, directory, name, seconds, *options):
    """The size of a recording, and the share of a CPU that it took."""
    path = Path(directory, name)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([f"{bench.build}/clients/command/memnotify", "record", "--for", f"{seconds}s", *options, str(path)],
                   check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return path.stat().st_size, used / seconds


def record(bench):
    """A day is so many frames, each of which begins with all that there is, and what changes in between."""
    seconds = max(5, round(RECORD_SECONDS * bench.scale))
    for what, options in (("", ()), (", 20 processes", ("--processes", "20"))):
        with tempfile.TemporaryDirectory() as directory:
            first, _ = record_for(bench, directory, "first", 0.001, *options)
            with load(directory):
                size, share = record_for(bench, directory, "busy", seconds, *options)
        day = (size - first) * DAY_SECONDS / seconds + first * DAY_SECONDS / FRAME_SECONDS
        row = Row("record", f"a recording of a busy day{what}", "MiB", n=1, p50=day / MIB)
        row.target, row.reached = "<= 20 MB", day <= 20e6
        yield row
        row = Row("record", f"the same: of a CPU{what}", "%", n=1, p50=100 * share)
        row.target, row.reached = "<= 0.5 %", share <= 0.005
        yield row
