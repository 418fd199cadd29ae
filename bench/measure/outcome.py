# SPDX-License-Identifier: LGPL-2.1-or-later
"""From the facts that a machine has said ("SECONDS NAME WHAT...", see bench/saved) to what has become of it."""

import re
from dataclasses import asdict, dataclass, field

DEAD_SECONDS = 10  # of the machine's own time without a beat of `monitor`, which is in memory and does next to nothing
CACHE_MIB = 64
HEAP_MIB = 24  # that are alive
KILLED = {"137": "SIGKILL", "143": "SIGTERM"}


@dataclass
class Outcome:
    """Of one machine. Times are seconds of its own time."""

    guard: str
    load: str
    round: int = 0
    died: str = ""  # why the machine is called dead
    interactive_died: bool = False
    job_done: bool = False
    job_s: float = None  # until it was done
    guilty_killed: dict = field(default_factory=dict)  # the leak, or compilers: {name: who killed}
    guilty_done: int = 0
    wrongly_killed: dict = field(default_factory=dict)  # all others
    lost_mib: int = 0  # of work that has to be done again
    answers: int = 0
    noticed: int = 0  # answers later than 100 ms
    worst_ms: float = 0
    p99_ms: float = None
    swapped_in_mib: float = 0
    swapped_out_mib: float = 0
    some_s: float = 0
    full_s: float = 0
    exhausted_at: float = None
    lead_s: float = None  # from when a cache was first told in that phase until then
    told: int = 0

    def as_json(self):
        return asdict(self)


class Facts:
    """The lines of one machine: (seconds, name, words)."""

    def __init__(self, text):
        lines = (re.fullmatch(r"(\d+\.\d+) (\S+) (.*)", line) for line in text.splitlines())
        self.lines = [(float(line[1]), line[2], line[3]) for line in lines if line]

    def of(self, name, pattern):
        """(seconds, match) for each line of that name that matches from its beginning on."""
        for seconds, who, what in self.lines:
            match = re.match(pattern, what) if re.fullmatch(name, who) else None
            if match:
                yield seconds, match

    def last(self, name, pattern, group=1, default=0):
        found = [match[group] for _, match in self.of(name, pattern)]
        return float(found[-1]) if found else default

    def failures(self):
        """What did not work before memory was short, and programs that are not there."""
        begin = next((seconds for seconds, _ in self.of("load", "begins")), float("inf"))
        found = [f"{who} {what}" for seconds, who, what in self.lines
                 if seconds < begin and re.match(r"fails: |ended [1-9]", what)]
        return found + [f"{who} {what}" for _, who, what in self.lines if re.fullmatch("ended 12[67]", what)]


def killers(facts):
    """{pid: who has killed it}: the kernel, where it was said to have, though somebody else may have asked before."""
    found = {}
    for _, who, what in facts.lines:
        victim = re.match(r"killed (\d+) ", what)
        if victim:
            found.setdefault(victim[1], who)
    return found


def judge_ends(outcome, facts):
    by_pid = killers(facts)
    pids = {name: match[1] for _, name, what in facts.lines for match in [re.match(r"started (\d+)", what)] if match}
    for name, pid in pids.items():
        status = [match[1] for _, match in facts.of(re.escape(name), r"ended (\d+)")]
        is_guilty = re.fullmatch(r"leak|compiler\d", name)
        if status and status[0] in KILLED:
            killer = by_pid.get(pid, f"somebody, {KILLED[status[0]]}")
            (outcome.guilty_killed if is_guilty else outcome.wrongly_killed)[name] = killer
        elif status == ["0"] and is_guilty and name != "leak":
            outcome.guilty_done += 1
    outcome.job_done = "job" not in outcome.wrongly_killed and any(facts.of("job", "done "))
    if outcome.job_done:
        times = [seconds for seconds, _ in facts.of("job", "started |done ")]
        outcome.job_s = times[-1] - times[0]
    outcome.interactive_died = "interactive" in outcome.wrongly_killed


def judge_work(outcome, facts):
    for name in ("cache1", "cache2"):
        if name in outcome.wrongly_killed:
            outcome.lost_mib += CACHE_MIB
        outcome.lost_mib += int(facts.last(name, r"lost (\d+) MiB"))
    if "heap" in outcome.wrongly_killed:
        outcome.lost_mib += HEAP_MIB
    if not outcome.job_done:
        outcome.lost_mib += int(facts.last("job", r"has (\d+) MiB"))
    late = [int(match[1]) / 1000 for _, match in facts.of("interactive", r"late (\d+) us")]
    outcome.noticed = len(late)
    summary = list(facts.of("interactive", r"answers (\d+) noticed \d+ median \d+ p99 (\d+) worst (\d+) us"))
    if summary:
        match = summary[0][1]
        outcome.answers, outcome.p99_ms = int(match[1]), int(match[2]) / 1000
        late.append(int(match[3]) / 1000)
    outcome.worst_ms = max(late, default=0)


def judge_machine(outcome, facts, status):
    numbers = "".join(rf" {name} (\d+)" for name in ("available", "swap_free", "swapped_in", "swapped_out",
                                                     "major_faults", "some_us", "full_us", "oom_kills"))
    begin = next((seconds for seconds, _ in facts.of("load", "begins")), 0)
    beats = [(seconds, [int(n) for n in match.groups()]) for seconds, match in facts.of("monitor", "beat" + numbers)
             if seconds >= begin]
    gaps = [later - earlier for (earlier, _), (later, _) in zip(beats, beats[1:])]
    if status != 0:
        outcome.died = f"no end: {status}"
    elif max(gaps, default=DEAD_SECONDS) >= DEAD_SECONDS:
        outcome.died = f"no beat for {max(gaps, default=0):.0f} s"
    if beats:
        change = [last - first for first, last in zip(beats[0][1], beats[-1][1])]
        outcome.swapped_in_mib, outcome.swapped_out_mib = change[2] / 256, change[3] / 256
        outcome.some_s, outcome.full_s = change[5] / 1e6, change[6] / 1e6


def judge_telling(outcome, facts):
    """Who was told: the first telling of the phase in which memory was exhausted."""
    told = [seconds for seconds, _ in facts.of("cache[12]", "told")]
    outcome.told = len(told)
    for seconds, _ in facts.of("monitor", "exhausted"):
        outcome.exhausted_at = seconds
        begin = max((at for at, _ in facts.of("phase", r"\w+ begins") if at <= seconds), default=0)
        before = [at for at in told if begin <= at <= seconds]
        outcome.lead_s = seconds - before[0] if before else None


def judge(guard, load, number, status, text):
    facts = Facts(text)
    outcome = Outcome(guard, load, number)
    judge_machine(outcome, facts, status)
    judge_ends(outcome, facts)
    judge_work(outcome, facts)
    judge_telling(outcome, facts)
    return outcome
