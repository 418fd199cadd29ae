# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table for people and the file for programs."""

import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path

from measure.daemons import meminfo
from measure.figures import Row


def machine():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)", cpuinfo, re.MULTILINE)
    return {
        "kernel": "Linux " + re.match(r"[\d.]+", platform.release())[0],
        "cpu": model[1] if model else platform.machine(),
        "cpus": os.cpu_count(),
        "is_virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE)),
        "memory_gib": round(meminfo()["MemTotal"] / 2**20, 1),
        "swap_gib": round(meminfo()["SwapTotal"] / 2**20, 1),
    }


def commit(root):
    done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip()


def number(value):
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cells(row):
    reached = {True: "yes", False: "NO", None: ""}[row.reached]
    return [
        row.what,
        str(row.n),
        row.unit,
        number(row.p50),
        number(row.p99),
        row.against,
        number(row.peer_p50),
        number(row.peer_p99),
        f"{row.ratio:.2f}x" if row.ratio is not None else "",
        row.target,
        reached,
    ]


HEADINGS = ["what", "n", "unit", "p50", "p99", "against", "its p50", "its p99", "ratio", "to reach", "reached"]
LEFT = {0, 2, 5, 9, 10}


def align(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    for line in lines:
        yield "  ".join(
            cell.ljust(width) if i in LEFT else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()


def print_table(rows):
    for line in align([HEADINGS] + [cells(row) for row in rows]):
        print(line)
    for row in rows:
        if row.note:
            print(f"  {row.what}{' against ' + row.against if row.against else ''}: {row.note}")
    print(flush=True)


def print_verdict(rows):
    judged = [row for row in rows if row.reached is not None]
    print(f"{sum(row.reached for row in judged)} of {len(judged)} targets reached")


def markdown(path):
    """The table of a JSON file for bench/README.md."""
    rows = [Row(**row) for row in json.loads(Path(path).read_text())["rows"]]
    yield "| " + " | ".join(HEADINGS) + " |"
    yield "|" + "".join("---|" if i in LEFT else "--:|" for i in range(len(HEADINGS)))
    for row in rows:
        yield "| " + " | ".join(cells(row)) + " |"


def save(path, root, scale, rows, distributions):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(root),
        "machine": machine(),
        "nice": os.nice(0),
        "scale": scale,
        "load_average": os.getloadavg(),
        "rows": [row.as_json() for row in rows],
        **distributions,
    }
    Path(path).write_text(json.dumps(result, indent=1) + "\n")
