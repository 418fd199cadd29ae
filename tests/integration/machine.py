# SPDX-License-Identifier: LGPL-2.1-or-later
"""A copy of a recorded machine (tests/fixtures) that tests may edit, and the driver's formula, computed
from the texts as memnotify-driver.md of 2012 has it: independent of the program under test."""

import os
import shutil
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def parse(text):
    """{"MemTotal": 24684096, "nr_free_pages": 818956, ...} of meminfo or vmstat."""
    numbers = {}
    for line in text.splitlines():
        words = line.replace(":", " ").split()
        if len(words) > 1 and words[1].isdigit():
            numbers.setdefault(words[0], int(words[1]))
    return numbers


def driver_meters(directory):
    """used, active and total in pages, by the formula of the driver."""
    vmstat = parse((directory / "vmstat").read_text())
    meminfo = {key: kib // PAGE_KIB for key, kib in parse((directory / "meminfo").read_text()).items()}

    total = meminfo["MemTotal"] + meminfo.get("SwapTotal", 0)
    used = (total - meminfo["MemFree"] - vmstat["nr_slab_reclaimable"] - vmstat["nr_file_pages"]
            + vmstat["nr_shmem"] + vmstat["nr_mlock"] - meminfo.get("SwapFree", 0))
    return {"used": used, "active": vmstat["nr_active_file"] + vmstat["nr_active_anon"], "total": total}


class Machine:
    def __init__(self, name, directory):
        self.path = Path(directory)
        shutil.copytree(FIXTURES / name, self.path, copy_function=shutil.copyfile, dirs_exist_ok=True)

    def text(self, name):
        return (self.path / name).read_bytes()

    def replace(self, name, text):
        """As editors and `mv` do it: at no moment is there half a file."""
        fresh = self.path / (name + ".new")
        fresh.write_bytes(text)
        fresh.rename(self.path / name)

    def rewrite(self, name, text):
        """As `>` does it: the same file, cut and filled again."""
        (self.path / name).write_bytes(text)

    def with_number(self, name, key, number):
        """The text of `name` with another number for `key`."""
        lines = []
        for line in self.text(name).decode().splitlines():
            words = line.split()
            if words[0].rstrip(":") == key:
                words[1] = str(number)
                line = " ".join(words)
            lines.append(line + "\n")
        return "".join(lines).encode()

    def meters(self):
        return driver_meters(self.path)
