# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program under test, in the foreground on a mount of its own."""

import os
import re
import resource
import signal
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from clients import TIMEOUT_S, open_files, read_text, wait_until, write_text

PROGRAM = os.path.abspath(os.environ.get("MEMNOTIFYFS", "build/src/memnotifyfs"))

# A root without CAP_SYS_RESOURCE may not lower it. That is said once, and is no fault.
KNOWN_WARNING = re.compile(r"memnotifyfs: cannot lower oom_score_adj: .*")


def is_mounted(directory):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(line.split()[4] == str(directory) for line in mounts)


def is_served(directory):
    """Whether it is mounted, and not by somebody who has died."""
    try:
        return is_mounted(directory) and bool(os.listdir(directory))  # answered by the main loop: all is set up
    except OSError:
        return False


def environment():
    """Freed memory is to be seen as free also when the program is built with AddressSanitizer."""
    return {"ASAN_OPTIONS": "quarantine_size_mb=1", **os.environ}


def helpers_of(pid):
    """The processes that a daemon has for what may wait, once they have been needed."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def daemons_of(directory):
    """The processes that were started with this argument."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                words = cmdline.read().split(b"\0")
        except OSError:
            continue
        if os.fsencode(directory) in words and words[0].endswith(b"memnotifyfs"):
            found.append(int(pid))
    return found


def name_of(pid):
    """What a process calls itself; None once it has gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None


def own_files(pid):
    """What a daemon has open but what leads to its helpers, which are kept: see kernel/helper.c."""
    paths = open_files(pid)
    for _ in helpers_of(pid):
        for mark in ("pidfd", "socket:"):
            kept = next((path for path in paths if mark in path), None)
            if kept:
                paths.remove(kept)
    return paths


class Daemon:
    def __init__(self, *options, machine=None, simulate=False, wrapper=(), pass_fds=()):
        """The wrapper is a command that becomes the program, as setpriv(1); it has these descriptors, too."""
        self.mountpoint = Path(tempfile.mkdtemp(prefix="memnotifyfs-test."))
        self.machine = machine
        self.messages = tempfile.NamedTemporaryFile(prefix="memnotifyfs-messages.")
        self.expected = []  # regular expressions, one for each line on stderr
        self.process = None
        self.pass_fds = pass_fds
        sources = ["--simulate"] if simulate else []
        if machine:
            sources.append(f"--proc={machine.path}")
        self.arguments = [*wrapper, PROGRAM, *sources, "-f", *options, str(self.mountpoint)]

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=self.messages,
                                        stderr=self.messages, env=environment(), pass_fds=self.pass_fds)
        wait_until(lambda: is_served(self.mountpoint) or self.process.poll() is not None, "the mount")
        assert self.process.poll() is None, self.read_messages()
        self.first_fds = self.fds()
        return self

    def __truediv__(self, name):
        return self.mountpoint / name

    @property
    def pid(self):
        return self.process.pid

    def simulate(self, text):
        write_text(self / "simulate", text)

    def meter(self, name):
        return int(read_text(self / "meters" / name))

    def fds(self):
        """What it has open, without the numbers that are others after a restart. The pressure trigger, the page
        and what is played are kept on purpose, see board/doorbell.c, socket/page.h and probe/replay.c."""
        kept = re.compile("/pressure/memory$|memnotifyfs-page |memfd:replay:")
        return [re.sub(r"\[\d+\]", "", path) for path in own_files(self.pid) if not kept.search(path)]

    @contextmanager
    def descriptors_left(self, number):
        """Meanwhile it can open so many more."""
        used = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
        lowest_free = min(set(range(len(used) + 1)) - used)
        soft, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (lowest_free + number, hard))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def status_number(self, name):
        """A number of /proc/PID/status, as VmRSS or voluntary_ctxt_switches."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))

    def read_messages(self):
        return Path(self.messages.name).read_text(encoding="utf-8")

    def unexpected_messages(self):
        """(what was said and not expected, what was expected and not said)"""
        said = [line for line in self.read_messages().splitlines() if not KNOWN_WARNING.fullmatch(line)]
        missing = []
        for pattern in self.expected:
            match = next((line for line in said if re.fullmatch("memnotifyfs: " + pattern, line)), None)
            if match is None:
                missing.append(pattern)
            else:
                said.remove(match)
        return said, missing

    def wait(self):
        return self.process.wait(TIMEOUT_S)

    def stop(self, number=signal.SIGTERM):
        """Ends it and demands that it leaves nothing behind. There may be less than at first, when a client was faster
        than we to connect after a restart."""
        first = Counter(self.first_fds)
        wait_until(lambda: not Counter(self.fds()) - first, f"{self.fds()} to become {self.first_fds}")
        self.process.send_signal(number)
        self.demand_clean_end()

    def demand_clean_end(self):
        status = self.wait()
        assert status == 0, f"exit status {status}; {self.read_messages()}"
        assert not is_mounted(self.mountpoint)
        assert self.unexpected_messages() == ([], [])

    def kill(self):
        self.process.kill()
        self.wait()

    def close(self):
        """Stops it unless the test has done that itself, and tidies up in any case."""
        try:
            if self.process.returncode is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.kill()
            if is_mounted(self.mountpoint):
                subprocess.run(["umount", "-l", self.mountpoint], check=False)
            self.mountpoint.rmdir()
            self.messages.close()
