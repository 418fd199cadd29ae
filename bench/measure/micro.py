# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows against a floor that is run beside us, in short batches that alternate."""

from measure.daemons import pair
from measure.figures import compare, flat, parse_series

PLACES = (("one CPU", "one_cpu"), ("two CPUs", "two_cpus"))


def sample(bench):
    text = bench.run("sample", "vmstat", bench.count(100), 200, cpu=bench.one_cpu[1])
    series = parse_series(text)
    what = "one sample, vmstat + meminfo"
    yield compare("sample", what, series["ours"], "pread of both files", series["floor"], 1.35)
    yield compare("sample", what, series["ours"], "the same preads as ours", series["span"], 1.35)
    yield compare("far", "one sample, 10,000 far limits", series["far"], "1 limit", series["ours"], 1.1)


def sample_zoneinfo(bench):
    series = parse_series(bench.run("sample", "zoneinfo", bench.count(100), 100, cpu=bench.one_cpu[1]))
    what = "one sample, with zoneinfo"
    yield compare("sample-zoneinfo", what, series["ours"], "pread of the three files", series["floor"], 1.35)
    yield compare("sample-zoneinfo", what, series["ours"], "the same preads as ours", series["span"], 1.35)


def round_trip(bench, mode, what):
    for place, cpus in PLACES:
        server_cpu, client_cpu = getattr(bench, cpus)
        with pair(bench, cpu=server_cpu) as (our_mount, bare_mount, _):
            text = bench.run(
                "roundtrip", mode, f"{our_mount}/memnotify", f"{bare_mount}/constant", bench.count(100), 200, cpu=client_cpu
            )
        series = parse_series(text)
        yield compare(mode, f"{what}, {place}", series["ours"], "bare server", series["floor"], 1.15)


def read(bench):
    yield from round_trip(bench, "read", "read() of memnotify")


def poll(bench):
    yield from round_trip(bench, "poll", "poll(fd, 0) of memnotify")


def wake_series(bench, mode, cpus, batches, n):
    """The series of a run of wake, and how often our daemon wrote to the kernel meanwhile."""
    server_cpu, client_cpu = getattr(bench, cpus)
    with pair(bench, cpu=server_cpu) as (our_mount, bare_mount, _):
        return parse_series(bench.run("wake", mode, our_mount, bare_mount, batches, n, cpu=client_cpu))


def wake(bench):
    for place, cpus in PLACES:
        series = wake_series(bench, "one", cpus, bench.count(100), 20)
        what = f"simulate -> another's poll returns, {place}"
        yield compare("wake", what, series["ours"], "bare server, notify", series["floor"], 1.15)


def among(bench):
    series = wake_series(bench, "among", "two_cpus", bench.count(25), 10)
    row = compare("among", "1 of 10,000 crosses", series["ours"], "bare server, 10,000 open", series["floor"], 1.15)
    woken = flat(series["ours-woken"])
    row.target = "1 woken"
    row.reached = all(n == 1 for n in woken)
    row.note = f"clients woken: {min(woken)} to {max(woken)}"
    yield row


def at_once(bench):
    for place, cpus in PLACES:
        series = wake_series(bench, "all", cpus, bench.count(12), 1)
        row = compare(
            "all", f"10,000 cross at once, {place}", series["ours"], "bare server, notify all", series["floor"], 1.15
        )
        row.unit = "ms"
        for field in ("p50", "p99", "peer_p50", "peer_p99"):
            setattr(row, field, getattr(row, field) / 1000)
        yield row
