# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows against a floor that is run beside us, in short batches that alternate."""

from measure.daemons import cgroups_v1, crowd, ours, pair
from measure.figures import compare, flat, in_ms, parse_series

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
                "roundtrip", mode, f"{our_mount}/memnotify", f"{bare_mount}/constant", bench.count(100), 200,
                cpu=client_cpu
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
        return parse_series(bench.run(
            "wake", mode, batches, n, f"ours={our_mount}", f"floor={bare_mount}", cpu=client_cpu
        ))


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
        what = f"10,000 cross at once, {place}"
        yield in_ms(compare("all", what, series["ours"], "bare server, notify all", series["floor"], 1.15))


# Groups, one below the other, that share the kernel's thresholds: registering takes 20 s instead of 200.
GROUPS = 10


def thresholds(bench, clients, cpus):
    """The series of a run of eventfd, with the kernel's own where there are thresholds of cgroup v1."""
    server_cpu, client_cpu = getattr(bench, cpus)
    with ours(bench, "--simulate", cpu=server_cpu) as (mount, _), cgroups_v1(GROUPS) as groups:
        arguments = ["memcg", mount, clients, bench.count(50), 2, server_cpu, *reversed(groups)]
        return parse_series(bench.run("eventfd", *arguments, cpu=client_cpu))


def memcg(bench):
    clients = 100 if bench.is_smoke else 10000
    for place, cpus in PLACES:
        series = thresholds(bench, clients, cpus)
        what = f"{clients:,} thresholds of memcg/ crossed at once, {place}"
        row = in_ms(compare("memcg", what, series["ours"], "another process's writes", series["writes"], 1.3))
        if "kernel" not in series:
            row.note = "the kernel's own thresholds of cgroup v1 are not mounted here, or we may not use them"
        yield row
        if "kernel" in series:
            row = in_ms(compare("memcg", what, series["ours"], "the kernel's thresholds, v1", series["kernel"], None))
            mine, theirs = (flat(series[f"introduce-{name}"])[0] / 1e6 / clients for name in ("ours", "kernel"))
            row.note = f"registering each takes {mine:.2f} ms; the kernel {theirs * GROUPS:.1f} ms, {GROUPS} at a time"
            yield row


RANKING_MS = 100


def ranking(bench):
    processes = 100 if bench.is_smoke else 10000
    server_cpu, client_cpu = bench.one_cpu
    with crowd(bench, processes), ours(bench, cpu=server_cpu) as (mount, _):
        series = parse_series(bench.run("ranking", mount, processes, bench.count(20), 2, cpu=client_cpu))
    what = f"oom_ranking of {processes:,} processes"
    row = in_ms(compare("ranking", what, series["ours"], "their stat files", series["floor"], None))
    row.target, row.reached = f"<= {RANKING_MS} ms", row.p50 <= RANKING_MS
    yield row
