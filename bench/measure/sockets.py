# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of the socket, beside the files and beside servers that do as little as can be done."""

import socket
from contextlib import ExitStack, contextmanager

from measure.daemons import bare_with_socket, ours
from measure.figures import compare, flat, in_ms, parse_series
from measure.micro import PLACES

SOCKET = "--socket={mount}.sock"
PAGE_NS = 5
ANY_BYTES = 100


def ask(mount, request):
    """The answer to one request, which "ok" ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{mount}.sock")
        connection.sendall(request)
        answer = b""
        while not answer.endswith(b"ok\n"):
            answer += connection.recv(4096)
        return answer


@contextmanager
def servers(bench, cpu):
    """Ours and the bare server, each with its socket, whose answers have as many bytes: (mount, mount)."""
    with ours(bench, "--simulate", SOCKET, cpu=cpu) as (our_mount, _):
        with bare_with_socket(bench, len(ask(our_mount, b"read\n")), cpu=cpu) as (bare_mount, _):
            yield our_mount, bare_mount


def bells(bench):
    clients = 100 if bench.is_smoke else 10000
    for place, cpus in PLACES:
        server_cpu, client_cpu = getattr(bench, cpus)
        with ours(bench, "--simulate", SOCKET, cpu=server_cpu) as (mount, _):
            arguments = ["socket", mount, clients, bench.count(50), 2, server_cpu]
            series = parse_series(bench.run("eventfd", *arguments, cpu=client_cpu))
        what = f"{clients:,} eventfds of the socket crossed at once, {place}"
        row = in_ms(compare("bells", what, series["socket"], "another process's writes", series["writes"], 1.3))
        row.note = f"making each takes {flat(series['introduce-socket'])[0] / 1e3 / clients:.1f} us"
        yield row


def page(bench):
    with ours(bench, SOCKET, cpu=bench.two_cpus[0]) as (mount, _):
        series = parse_series(bench.run("page", mount, bench.count(50), 50, cpu=bench.two_cpus[1]))
    for name, what in (("meter", "one meter from the page"), ("copy", "all meters of one moment from the page")):
        for peer, against in (("meminfo", "pread of /proc/meminfo"), ("file", "pread of meters/used, two CPUs")):
            row = compare("page", what, series[name], against, series[peer], None)
            row.unit, row.ratio = "ns", None  # the series are in picoseconds
            if name == "meter":
                row.target, row.reached = f"<= {PAGE_NS} ns", row.p50 <= PAGE_NS
            yield row


def wake_series(bench, mode, cpus, batches, n, kinds):
    """The series of a run of wake, in which each kind has a server of its own: nobody hears of the other's events."""
    server_cpu, client_cpu = getattr(bench, cpus)
    with ExitStack() as stack:
        mounts = {}
        for kind in kinds:
            if kind in ("socket", "ours"):
                server = ours(bench, "--simulate", SOCKET, cpu=server_cpu)
            else:
                server = bare_with_socket(bench, ANY_BYTES, cpu=server_cpu)
            mounts[kind], _ = stack.enter_context(server)
        targets = [f"{kind}={mount}" for kind, mount in mounts.items()]
        return parse_series(bench.run("wake", mode, batches, n, *targets, cpu=client_cpu))


def line_wake(bench):
    peers = (("byte", "bare server, FUSE and a byte", 1.3), ("echo", "AF_UNIX echo of a byte", None),
             ("ours", "poll of memnotify", None))
    for place, cpus in PLACES:
        series = wake_series(bench, "one", cpus, bench.count(100), 20, ["socket", *(kind for kind, _, _ in peers)])
        for kind, against, most in peers:
            what = f"simulate -> line through the socket, {place}"
            yield compare("line-wake", what, series["socket"], against, series[kind], most)


def lines(bench):
    peers = (("lines", "bare server, a line to each"), ("ours", "10,000 polls of memnotify"))
    for place, cpus in PLACES:
        series = wake_series(bench, "all", cpus, bench.count(12), 1, ["socket", *(kind for kind, _ in peers)])
        for kind, against in peers:
            what = f"10,000 connections crossed at once, {place}"
            yield in_ms(compare("lines", what, series["socket"], against, series[kind], None))


def line_read(bench):
    for place, cpus in PLACES:
        server_cpu, client_cpu = getattr(bench, cpus)
        with servers(bench, server_cpu) as mounts:
            series = parse_series(bench.run("roundtrip", "ask", *mounts, bench.count(100), 200, cpu=client_cpu))
        what = f"read through the socket, all meters, {place}"
        yield compare("line-read", what, series["ours"], "read() of memnotify", series["file"], None)
        yield compare("line-read", what, series["ours"], "bare server's socket", series["floor"], None)
