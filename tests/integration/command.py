# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify, the command, as a person uses it."""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from clients import TIMEOUT_S
from program import Program

MEMNOTIFY = os.path.abspath(os.environ.get("MEMNOTIFY", "build/clients/command/memnotify"))


def environment(**changes):
    """Of a person at a terminal who has set nothing, in a language that has more than ASCII."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("MEMNOTIFYFS", "NO_COLOR", "XDG_RUNTIME_DIR")}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "xterm", **changes}


def memnotify(*words, env=None, **settings):
    return subprocess.run([MEMNOTIFY, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT_S,
                          stdin=subprocess.DEVNULL, env=env or environment(), check=False, **settings)


def says(status, *words, **settings):
    """What it says on standard error when it ends with that status; nothing but that is said."""
    done = memnotify(*words, **settings)
    assert (done.returncode, done.stdout) == (status, ""), done
    return done.stderr


def shows(*words, **settings):
    """What it prints when all is well."""
    done = memnotify(*words, **settings)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@contextmanager
def memnotify_running(*words, env=None, **settings):
    """One that goes on, whose lines can be read."""
    process = subprocess.Popen([MEMNOTIFY, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=env or environment(), **settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


# --- one that runs commands ---


def take_signals():
    """As a person's shell has them, whatever has started the tests."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def children_of(pid):
    try:
        return [int(child) for child in
                Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def status_of(pid):
    """The fields of /proc/PID/status; none once it has gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def is_alive(pid):
    return status_of(pid).get("State", "Z")[0] not in "ZX"


def name_of(pid):
    return status_of(pid).get("Name")


class Memnotify(Program):
    """memnotify; what its commands say is there, too."""

    def __init__(self, tmp_path, *words, prepare=take_signals, **settings):
        super().__init__(tmp_path, [MEMNOTIFY, *words], preexec_fn=prepare, **settings)
