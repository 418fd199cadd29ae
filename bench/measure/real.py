# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process really fills memory: who knows how soon?"""

import os
from contextlib import ExitStack

from measure.daemons import Unmeasurable, cgroups_v1, ours
from measure.figures import Row, percentile

# Page size, threads; the trials of each.
SHAPES = (("small", 1, 100), ("huge", 1, 100), ("small", 2, 100), ("huge", 2, 100))
SHAPE_NAMES = {"small": "4 KiB pages", "huge": "huge pages"}

PEERS = {
    "driver": "the driver's policy",
    "loop-1s": "a loop, 1 s",
    "loop-adaptive": "a loop as earlyoom's",
    "cgroup": "cgroup v1 threshold",
    "psi": "a PSI trigger",
}
AHEAD = 10
P99_MS = 15
BEHIND_CGROUP_MS = 15


def parse_trials(text):
    """{watcher: [(delay ms or None, overshoot MiB or None, waited ms)]}, fill rates in MiB/s, how many were void."""
    watchers, rates, void = {}, [], 0
    for line in text.splitlines():
        name, *rest = line.split()
        if name == "void":
            void += 1
        elif name == "trial":
            rates.append(int(rest[1]) / 2**20)
        elif rest[0] == "never":
            watchers.setdefault(name, []).append((None, None, int(rest[1]) / 1e6))
        else:
            watchers.setdefault(name, []).append((int(rest[0]) / 1e6, int(rest[1]) / 2**20, int(rest[0]) / 1e6))
    return watchers, rates, void


def peer_row(what, ours_trials, name, trials):
    """How far a peer is behind us. One that never woke counts with the time that it was waited for."""
    delays = [waited for _, _, waited in trials]
    never = sum(delay is None for delay, _, _ in trials)
    our_delays = [waited for _, _, waited in ours_trials]
    row = Row("fill", f"{what}: delay", "ms", n=len(delays), against=PEERS[name])
    row.p50, row.p99 = percentile(our_delays, 50), percentile(our_delays, 99)
    row.peer_p50, row.peer_p99 = percentile(delays, 50), percentile(delays, 99)
    row.ratio = row.peer_p50 / row.p50
    if never:
        row.note = f"{PEERS[name]} did not fire in {never} of {len(delays)} trials, counted as the time waited for it"
    if name == "cgroup":
        behind = percentile([mine - theirs for mine, theirs in zip(our_delays, delays)], 99)
        row.target, row.reached = f"p99 <= {BEHIND_CGROUP_MS} ms behind", behind <= BEHIND_CGROUP_MS
        row.ratio = None
        row.note = f"behind by {behind:.1f} ms at p99"
    else:
        row.target, row.reached = f"{AHEAD}x ahead", row.ratio >= AHEAD
    return row


def own_rows(what, trials, rates, void):
    delays = [waited for _, _, waited in trials]
    overshoots = [overshoot for _, overshoot, _ in trials if overshoot is not None]
    missed = sum(delay is None for delay, _, _ in trials)
    delay = Row("fill", f"{what}: delay", "ms", n=len(delays), target=f"p99 <= {P99_MS} ms")
    delay.p50, delay.p99 = percentile(delays, 50), percentile(delays, 99)
    delay.reached = delay.p99 <= P99_MS and not missed
    delay.note = f"filled at {min(rates):.0f} to {max(rates):.0f} MiB/s, median {percentile(rates, 50):.0f}"
    if missed or void:
        delay.note += f"; missed {missed}, void {void}"
    overshoot = Row("fill", f"{what}: overshoot", "MiB", n=len(overshoots))
    overshoot.p50, overshoot.p99 = percentile(overshoots, 50), percentile(overshoots, 99)
    return [delay, overshoot]


def run_shape(bench, shape, groups, mounts, distributions):
    pages, threads, trials = shape
    what = f"{SHAPE_NAMES[pages]}, {threads} thread{'s' if threads > 1 else ''}"
    watchers = [f"ours={mounts[0]}", f"driver={mounts[1]}", "loop-1s", "loop-adaptive"]
    watchers += [f"cgroup={group}" for group in groups]
    if os.access("/proc/pressure/memory", os.W_OK):
        watchers.append("psi")

    text = bench.run("fill", pages, threads, bench.count(trials), threads, *watchers, timeout=3600)
    found, rates, void = parse_trials(text)
    if not rates:
        raise Unmeasurable("in no trial was the limit crossed by the filler")
    distributions[what] = {
        name: {"delay_ms": [d for d, _, _ in t], "overshoot_mib": [o for _, o, _ in t], "waited_ms": [w for _, _, w in t]}
        for name, t in found.items()
    }
    yield from own_rows(what, found["ours"], rates, void)
    for name in PEERS:
        if name in found:
            yield peer_row(what, found["ours"], name, found[name])


def fill(bench, distributions):
    with ExitStack() as stack:
        groups = stack.enter_context(cgroups_v1())
        mounts = [
            stack.enter_context(ours(bench))[0],
            stack.enter_context(ours(bench, "-o", "update_period=250,fill_rate=0"))[0],
        ]
        for shape in SHAPES[:1] if bench.is_smoke else SHAPES:
            yield from run_shape(bench, shape, groups, mounts, distributions)
