# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs that know nothing give back when libmemnotify-trim, preloaded into them, is told: their memory when
their work is done, and after one notification; and beside that of one that nobody tells, for as long as it takes
allocators that give memory back by themselves."""

import re
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measure.daemons import ours
from measure.lives import Place, wait_until

SHORT = "available 5%"
UNTOLD_SECONDS = 12  # jemalloc gives back what was not used for ten
SAID = re.compile(r"^memnotify-trim: .*resident \S+ before, \S+ after \((.*)\), (\S+) (us|ms|s);", re.MULTILINE)
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3}


@dataclass
class Memory:
    resident_kib: int = 0
    anonymous_kib: int = 0

    def __add__(self, other):
        return Memory(self.resident_kib + other.resident_kib, self.anonymous_kib + other.anonymous_kib)


def tree(pid):
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [process for child in children for process in tree(int(child))]


def memory_of(pid):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return Memory(*(int(re.search(rf"^{key}: +(\d+) kB", text, re.MULTILINE)[1]) for key in ("Rss", "Anonymous")))


def memory_of_all(process):
    return sum(map(memory_of, tree(process.pid)), Memory())


@dataclass
class Trial:
    before: Memory
    after: Memory
    ms: float = None  # the longest of its processes


@contextmanager
def place_with_server(bench, library, mib):
    """A server that can simulate, and a place in which the library finds it."""
    with ours(bench, "--simulate", "--socket={mount}.sock") as (mount, _):
        with tempfile.TemporaryDirectory(prefix="memnotifyfs-giveback-") as directory:
            messages = Path(directory, "messages")
            messages.touch()
            environment = {"LD_PRELOAD": str(library), "MEMNOTIFYFS": mount}
            yield Place(bench, Path(mount), Path(directory), environment, messages, mib)


def wait_connected(place, process, processes=1):
    def are_connected():
        text = (place.mount / "metrics").read_text()
        return int(re.search(r"^memnotifyfs_connections (\d+)$", text, re.MULTILINE)[1]) >= processes

    wait_until(are_connected, "its connection", process)


def told(place, process, processes=1):
    """Tells, and waits for the line of each: [(allocators, ms), ...]."""
    def lines():
        return SAID.findall(place.messages.read_text())

    (place.mount / "simulate").write_text(SHORT)
    wait_until(lambda: len(lines()) >= processes, "its line", process)
    return [(allocators, float(number) * UNITS[unit]) for allocators, number, unit in lines()]


def tell(place, life, process):
    before = memory_of_all(process)
    said = told(place, process, life.processes)
    return Trial(before, memory_of_all(process), max((ms for _, ms in said), default=None))


def leave_alone(process):
    before = memory_of_all(process)
    time.sleep(UNTOLD_SECONDS)
    return Trial(before, memory_of_all(process))


def trial(bench, library, life, mib, is_told):
    """One life, from its start to its end."""
    with place_with_server(bench, library, mib) as place, life.start(place) as process:
        wait_connected(place, process, life.processes)
        return tell(place, life, process) if is_told else leave_alone(process)


@dataclass
class Result:
    """Medians, in MiB and ms."""

    life: object
    told: list
    untold: list

    def mib(self, trials, moment, kind):
        return median(getattr(getattr(one, moment), f"{kind}_kib") for one in trials) / 1024

    def given_back(self):
        return median(one.before.resident_kib - one.after.resident_kib for one in self.told) / 1024

    def ms(self):
        times = [one.ms for one in self.told if one.ms is not None]
        return median(times) if times else None


HEADINGS = ["", "resident", "of which anonymous", "after it was told", "given back", "took", "by itself, 12 s"]


def cells(result):
    before = result.mib(result.told, "before", "resident")
    after = result.mib(result.told, "after", "resident")
    milliseconds = result.ms()
    alone = f"{result.mib(result.untold, 'after', 'resident'):.0f}M" if result.untold else ""
    return [
        result.life.what,
        f"{before:.0f}M",
        f"{result.mib(result.told, 'before', 'anonymous'):.0f}M",
        f"{after:.0f}M",
        f"{100 * result.given_back() / before:.0f} %",
        f"{milliseconds:.1f} ms" if milliseconds is not None else "never told",
        alone,
    ]


def table_line(words):
    return "| " + " | ".join(words) + " |"


def heading():
    return table_line(HEADINGS), "|---|" + "--:|" * (len(HEADINGS) - 1)


def line(result):
    return table_line(cells(result))
