# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings made of machines that a test edits."""

import os
import shutil
import subprocess

from machine import Machine

RECORD_TEXTS = os.path.abspath(os.environ.get("RECORD_TEXTS", "build/tests/record-texts"))


class Recording:
    """A machine whose texts are taken at times that the test says."""

    def __init__(self, tmp_path, machine="debian-6.1", page_bytes=4096):
        self.directory = tmp_path
        self.machine = Machine(machine, tmp_path / "machine")
        self.page_bytes = page_bytes
        self.moments = []

    @property
    def path(self):
        return self.directory / "recording.mnr"

    def set_available(self, mib):
        """Of meminfo alone; and as much is free."""
        for name in ("MemAvailable", "MemFree"):
            self.machine.rewrite("meminfo", self.machine.with_number("meminfo", name, mib * 1024))

    def put(self, name, text):
        path = self.machine.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")

    def remove(self, name):
        path = self.machine.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def take(self, seconds):
        copy = self.directory / f"moment-{len(self.moments)}"
        shutil.copytree(self.machine.path, copy)
        self.moments.append(f"{seconds} {copy}\n")

    def write(self, *date):
        subprocess.run([RECORD_TEXTS, self.path, str(self.page_bytes), *map(str, date)], input="".join(self.moments),
                       text=True, check=True)
        return self.path
