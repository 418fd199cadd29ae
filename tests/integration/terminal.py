# SPDX-License-Identifier: LGPL-2.1-or-later
"""A terminal, as a person has it in front of him: one of tmux, of which what is on the screen can be read."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until
from daemon import name_of

NAME = "memnotify-test"
PROMPT = "READY>"


class Terminal:
    """A shell in a terminal of that size, on a server of tmux of its own."""

    def __init__(self, columns=80, rows=24, locale="C.UTF-8"):
        if not shutil.which("tmux"):
            pytest.skip("tmux is not installed")
        self.directory = tempfile.mkdtemp(prefix="memnotify-tmux.")
        kept = {name: value for name, value in os.environ.items()
                if name not in ("MEMNOTIFYFS", "NO_COLOR", "TMUX", "XDG_RUNTIME_DIR")}
        self.environment = {**kept, "LC_ALL": locale, "TERM": "xterm", "TMUX_TMPDIR": self.directory}
        Path(self.directory, "bashrc").write_text(f"PS1='{PROMPT}'\n", encoding="ascii")
        self.tmux("new-session", "-d", "-x", columns, "-y", rows, f"bash --noprofile --rcfile {self.directory}/bashrc")
        try:
            self.wait_for(PROMPT + "$")
        except BaseException:
            self.close()
            raise

    def tmux(self, *words):
        command = ["tmux", "-u", "-L", NAME, "-f", "/dev/null", *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def close(self):
        self.tmux("kill-server")
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def lines(self):
        """What is on the screen, without blanks at the ends."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")]

    def escapes(self):
        """The same as one text with the sequences that set colours and the like."""
        return self.tmux("capture-pane", "-p", "-e")

    def has(self, pattern):
        """Whether a line has it, a regular expression."""
        return any(re.search(pattern, line) for line in self.lines())

    def wait_for(self, pattern):
        try:
            wait_until(lambda: self.has(pattern), f"'{pattern}' on the screen")
        except AssertionError as problem:
            raise AssertionError("\n".join([str(problem), *self.lines()])) from None

    def wait_for_no(self, pattern):
        wait_until(lambda: not self.has(pattern), f"no '{pattern}' on the screen")

    def press(self, *keys):
        """Keys by the names that tmux has for them."""
        self.tmux("send-keys", *keys)

    def type(self, line):
        self.tmux("send-keys", "-l", line)
        self.press("Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def ask(self, fact):
        """A format of tmux, as 'alternate_on'."""
        return self.tmux("display-message", "-p", f"#{{{fact}}}").strip()

    def run(self, command):
        """Lets the shell run it, and returns what it prints and its status once it has ended. Nothing of it is seen."""
        output, status = Path(self.directory, "output"), Path(self.directory, "status")
        status.unlink(missing_ok=True)
        self.type(f"({command}) >{output} 2>&1; echo $? >{status}.new; mv {status}.new {status}")
        wait_until(status.exists, f"'{command}' to end")
        return output.read_text(encoding="utf-8"), int(status.read_text(encoding="ascii"))

    def child(self, name):
        """The process of that name that the shell runs."""
        children = f"/proc/{self.ask('pane_pid')}/task/{self.ask('pane_pid')}/children"
        found = []

        def is_found():
            with open(children, encoding="ascii") as file:
                found[:] = [int(pid) for pid in file.read().split() if name_of(pid) == name]
            return found

        wait_until(is_found, f"{name} to run")
        return found[0]
