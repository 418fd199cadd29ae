# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process really fills memory: who knows how soon?"""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from measure.daemons import Unmeasurable, by_itself, cgroups_v1, ours
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


def peer_row(name, what, ours_trials, peer, trials):
    """How far a peer is behind us. One that never woke counts with the time that it was waited for."""
    delays = [waited for _, _, waited in trials]
    never = sum(delay is None for delay, _, _ in trials)
    our_delays = [waited for _, _, waited in ours_trials]
    row = Row(name, f"{what}: delay", "ms", n=len(delays), against=PEERS[peer])
    row.p50, row.p99 = percentile(our_delays, 50), percentile(our_delays, 99)
    row.peer_p50, row.peer_p99 = percentile(delays, 50), percentile(delays, 99)
    row.ratio = row.peer_p50 / row.p50
    if never:
        row.note = f"{PEERS[peer]} did not fire in {never} of {len(delays)} trials, counted as the time waited for it"
    if peer == "cgroup":
        behind = percentile([mine - theirs for mine, theirs in zip(our_delays, delays)], 99)
        row.target, row.reached = f"p99 <= {BEHIND_CGROUP_MS} ms behind", behind <= BEHIND_CGROUP_MS
        row.ratio = None
        row.note = f"behind by {behind:.1f} ms at p99"
    else:
        row.target, row.reached = f"{AHEAD}x ahead", row.ratio >= AHEAD
    return row


def own_rows(name, what, trials, rates, void):
    delays = [waited for _, _, waited in trials]
    overshoots = [overshoot for _, overshoot, _ in trials if overshoot is not None]
    missed = sum(delay is None for delay, _, _ in trials)
    delay = Row(name, f"{what}: delay", "ms", n=len(delays), target=f"p99 <= {P99_MS} ms")
    delay.p50, delay.p99 = percentile(delays, 50), percentile(delays, 99)
    delay.reached = delay.p99 <= P99_MS and not missed
    delay.note = f"filled at {min(rates):.0f} to {max(rates):.0f} MiB/s, median {percentile(rates, 50):.0f}"
    if missed or void:
        delay.note += f"; missed {missed}, void {void}"
    overshoot = Row(name, f"{what}: overshoot", "MiB", n=len(overshoots))
    overshoot.p50, overshoot.p99 = percentile(overshoots, 50), percentile(overshoots, 99)
    return [delay, overshoot]


def judge(name, what, text, mine, distributions):
    """The rows for the output of fill, in which `mine` is the watcher that is ours."""
    found, rates, void = parse_trials(text)
    if not rates:
        raise Unmeasurable("in no trial was the limit crossed by the filler")
    found["ours"] = found.pop(mine)
    distributions.setdefault(name, {})[what] = {
        watcher: {
            "delay_ms": [delay for delay, _, _ in trials],
            "overshoot_mib": [overshoot for _, overshoot, _ in trials],
            "waited_ms": [waited for _, _, waited in trials],
        }
        for watcher, trials in found.items()
    }
    yield from own_rows(name, what, found["ours"], rates, void)
    for peer in PEERS:
        if peer in found:
            yield peer_row(name, what, found["ours"], peer, found[peer])


def run_shape(bench, shape, groups, mounts, distributions):
    pages, threads, trials = shape
    what = f"{SHAPE_NAMES[pages]}, {threads} thread{'s' if threads > 1 else ''}"
    watchers = [f"ours={mounts[0]}", f"driver={mounts[1]}", "loop-1s", "loop-adaptive"]
    watchers += [f"cgroup={group}" for group in groups]
    if os.access("/proc/pressure/memory", os.W_OK):
        watchers.append("psi")
    text = bench.run("fill", pages, threads, bench.count(trials), threads, *watchers, timeout=3600)
    yield from judge("fill", what, text, "ours", distributions)


def fill(bench, distributions):
    with ExitStack() as stack:
        groups = stack.enter_context(cgroups_v1())
        mounts = [
            stack.enter_context(ours(bench))[0],
            stack.enter_context(ours(bench, "-o", "update_period=250,fill_rate=0"))[0],
        ]
        for shape in SHAPES[:1] if bench.is_smoke else SHAPES:
            yield from run_shape(bench, shape, groups, mounts, distributions)


# ---- cgroup v2, in the small machine of tests/vm

BENCH = Path(__file__).resolve().parent.parent
VM = BENCH.parent / "tests" / "vm" / "vm"
VM_MISSING = 77
V2_TRIALS = 100
BOOT_SECONDS = 60
TRIAL_SECONDS = 10
V2_SEED = 1


def memcg_v2(bench, distributions):
    trials = bench.count(V2_TRIALS)
    kernels = os.environ.get("MEMNOTIFYFS_KERNELS", bench.build / "kernels")
    command = [VM, "--kernels", kernels, "--cgroup", 2, "--cpus", 2, "--memory", 768]
    command += ["--timeout", BOOT_SECONDS + trials * TRIAL_SECONDS]
    command += ["--add", bench.program("memnotifyfs"), "--add", bench.program("fill")]
    command += [BENCH / "fill-in-vm", trials, V2_SEED]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, preexec_fn=by_itself())
    if done.returncode == VM_MISSING:
        raise Unmeasurable(done.stderr.strip())
    if done.returncode != 0:
        raise Unmeasurable(f"the small machine ended with {done.returncode}: {done.stdout}{done.stderr}")
    yield from judge("memcg-v2", "a group of cgroup v2, in emulation", done.stdout, "memcg", distributions)
