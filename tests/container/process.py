# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that tests start, hear from and end."""

import contextlib
import os
import select
import subprocess
import time

TIMEOUT_S = 60


def wait_until(condition, what):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.01)


def run(command, **settings):
    """A command to its end; stdout and stderr as text."""
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, **settings)


def output_of(command, **settings):
    """What a command prints that is to succeed and to say nothing else."""
    done = run(command, **settings)
    assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done}"
    return done.stdout


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Session:
    """A command that runs beside the test. Its lines are heard one by one, its stdin takes lines."""

    def __init__(self, command, **settings):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **settings)
        self.heard = b""
        self.transcript = ""

    def hear(self):
        """The next line."""
        while b"\n" not in self.heard:
            ready = select.select([self.process.stdout], [], [], TIMEOUT_S)[0]
            assert ready, f"it says no more after: {self.transcript}"
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, f"it has ended after: {self.transcript}{self.heard.decode()}"
            self.heard += piece
        line, self.heard = self.heard.split(b"\n", 1)
        self.transcript += line.decode() + "\n"
        return line.decode()

    def expect(self, *lines):
        for line in lines:
            assert self.hear() == line, self.transcript

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self):
        self.process.stdin.close()
        return self.process.wait(TIMEOUT_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT_S)
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
