# SPDX-License-Identifier: LGPL-2.1-or-later
"""Is the machine saved? The same load under each guard, in a machine of its own each time."""

import json
import random
import sys
import time
from collections import Counter
from multiprocessing.pool import ThreadPool
from statistics import median

from measure import machine
from measure.daemons import Unmeasurable
from measure.figures import Row, percentile
from measure.outcome import Facts, Outcome, judge
from measure.report import commit

ROUNDS = 30
BUDGET_SECONDS = 3600
# Each machine needs one CPU of ours, and its clock does not notice if it has to wait for it.
AT_A_TIME = 2
SEED = 1
SMOKE = ("kernel", "clients")
NAMES = {
    "kernel": "kernel alone",
    "psi": "clients with psi-notify's thresholds",
    "clients": "**memnotifyfs, clients**",
    "clients+earlyoom": "**memnotifyfs, clients**, earlyoom below",
    "oomkill": "**memnotifyfs, clients, oom=kill**",
    "oomkill+earlyoom": "**memnotifyfs, clients, oom=kill**, earlyoom below",
    "oomd": "systemd-oomd",
}


# ---- running ---------------------------------------------------------------------------------------------------


class Log:
    """All that the machines have said, in a file that is written after each of them: a run that was broken off goes on
    from there, if it is of the same commit."""

    def __init__(self, bench, load):
        self.path = machine.BENCH / "results" / f"saved-{load}.json"
        self.is_kept = not bench.is_smoke
        self.head = {"commit": commit(machine.BENCH.parent), "load": load, "seed": SEED}
        self.runs = []
        if self.is_kept and self.path.exists():
            found = json.loads(self.path.read_text())
            if {key: found[key] for key in self.head} == self.head:
                self.runs = found["runs"]

    def has(self, number, guard):
        return any((run["round"], run["guard"]) == (number, guard) for run in self.runs)

    def add(self, run):
        self.runs.append(run)
        if self.is_kept:
            self.path.parent.mkdir(exist_ok=True)
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps({**self.head, "runs": self.runs}) + "\n")
            part.replace(self.path)

    def outcomes(self):
        return [judge(run["guard"], run["load"], run["round"], run["status"], run["said"]) for run in self.runs]


def run_one(bench, root, guard, load, number):
    begin = time.monotonic()
    status, said = machine.run(bench, root, guard, load)
    failures = Facts(said).failures()
    if failures or "load begins" not in said:
        raise Unmeasurable(f"the load does not run under {guard}: {failures or said[-2000:]}")
    return {"guard": guard, "load": load, "round": number, "status": status, "real_s": time.monotonic() - begin,
            "said": said}


def run_rounds(bench, load, log):
    end = time.monotonic() + BUDGET_SECONDS * bench.scale
    longest = 0
    wanted = SMOKE if bench.is_smoke else tuple(machine.GUARDS)
    with machine.disk(bench, load, wanted) as (root, missing), ThreadPool(AT_A_TIME) as pool:
        guards = [guard for guard in wanted if guard not in missing]
        for guard, reason in missing.items():
            print(f"without {guard}: {reason}", file=sys.stderr)
        for number in range(1 if bench.is_smoke else ROUNDS):
            begin = time.monotonic()
            order = random.Random(SEED * 1000 + number).sample(guards, len(guards))
            order = [guard for guard in order if not log.has(number, guard)]
            if longest and begin + longest > end:
                break
            for run in pool.imap_unordered(lambda guard: run_one(bench, root, guard, load, number), order):
                log.add(run)
            if order:
                longest = max(longest, time.monotonic() - begin)
                print(f"round {number}: {longest:.0f} s", file=sys.stderr, flush=True)


# ---- the table -------------------------------------------------------------------------------------------------


def share(outcomes, is_so):
    return f"{sum(bool(is_so(outcome)) for outcome in outcomes)} of {len(outcomes)}"


def middle(outcomes, figure, form="{:.0f}"):
    values = [value for value in map(figure, outcomes) if value is not None]
    return form.format(median(values)) if values else ""


def counted(dictionaries):
    """[{victim: killer}] -> "leak by kernel 3, …"."""
    count = Counter(f"{victim} by {killer}" for each in dictionaries for victim, killer in each.items())
    return ", ".join(f"{what} {n}" for what, n in sorted(count.items())) or "nobody"


def guilty(outcome):
    return Counter(f"{killer}" for killer in outcome.guilty_killed.values())


def killed_guilty(outcomes):
    count = sum(map(guilty, outcomes), Counter())
    return ", ".join(f"by {killer} {n}" for killer, n in count.most_common()) or "nobody"


COLUMNS = (
    ("guard", lambda group: NAMES.get(group[0].guard, group[0].guard)),
    ("machine died", lambda group: share(group, lambda outcome: outcome.died)),
    ("interactive died", lambda group: share(group, lambda outcome: outcome.interactive_died)),
    ("the job was done", lambda group: share(group, lambda outcome: outcome.job_done)),
    ("it took, s", lambda group: middle(group, lambda outcome: outcome.job_s, "{:.1f}")),
    ("rightly killed", killed_guilty),
    ("wrongly killed", lambda group: counted(outcome.wrongly_killed for outcome in group)),
    ("work lost, MiB", lambda group: middle(group, lambda outcome: outcome.lost_mib)),
    ("worst answer, ms: median (max)", lambda group: "{} ({:.0f})".format(
        middle(group, lambda outcome: outcome.worst_ms), max(outcome.worst_ms for outcome in group))),
    ("answers over 100 ms", lambda group: middle(group, lambda outcome: outcome.noticed)),
    ("swapped out, in, MiB", lambda group: "{}, {}".format(
        middle(group, lambda outcome: outcome.swapped_out_mib), middle(group, lambda outcome: outcome.swapped_in_mib))),
    ("stalled some, full, s", lambda group: "{}, {}".format(
        middle(group, lambda outcome: outcome.some_s, "{:.1f}"),
        middle(group, lambda outcome: outcome.full_s, "{:.1f}"))),
    ("never exhausted", lambda group: share(group, lambda outcome: outcome.exhausted_at is None)),
    ("clients told before that, s", lambda group: middle(group, lambda outcome: outcome.lead_s, "{:.1f}")),
)


def groups(outcomes):
    found = {guard: [outcome for outcome in outcomes if outcome.guard == guard] for guard in machine.GUARDS}
    return [group for group in found.values() if group]


def table(outcomes):
    """The lines of a table in Markdown."""
    yield "| " + " | ".join(name for name, _ in COLUMNS) + " |"
    yield "|---" + "|--:" * (len(COLUMNS) - 1) + "|"
    for group in groups(outcomes):
        yield "| " + " | ".join(cell(group) for _, cell in COLUMNS) + " |"


def tables(result):
    """Those of a JSON file of bench/run."""
    for name in ("saved", "saved-build"):
        if name in result:
            yield from ["", f"`{name}`, {len(groups_of(result[name])[0])} machines each:", ""]
            yield from table([Outcome(**outcome) for outcome in result[name]])


def groups_of(dictionaries):
    return groups([Outcome(**outcome) for outcome in dictionaries])


def rows(name, outcomes):
    """How late the worst answers were, beside those under the kernel alone."""
    by_guard = {group[0].guard: [outcome.worst_ms for outcome in group] for group in groups(outcomes)}
    peer = by_guard.pop("kernel", None)
    for guard, worst in by_guard.items():
        row = Row(name, f"{guard}: worst answer while memory is short twice", "ms", n=len(worst))
        row.p50, row.p99 = percentile(worst, 50), percentile(worst, 99)
        if peer:
            row.against, row.peer_p50, row.peer_p99 = "kernel alone", percentile(peer, 50), percentile(peer, 99)
            row.ratio = row.p50 / row.peer_p50 if row.peer_p50 else None
        yield row


def measure(bench, name, load, distributions):
    log = Log(bench, load)
    run_rounds(bench, load, log)
    outcomes = log.outcomes()
    distributions[name] = [outcome.as_json() for outcome in outcomes]
    print("\n".join(table(outcomes)), flush=True)
    yield from rows(name, outcomes)


def saved(bench, distributions):
    yield from measure(bench, "saved", "leak", distributions)


def saved_build(bench, distributions):
    yield from measure(bench, "saved-build", "build", distributions)
