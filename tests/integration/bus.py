# SPDX-License-Identifier: LGPL-2.1-or-later
"""A message bus of a test's own, and programs on it."""

import ast
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import program
from clients import TIMEOUT_S, wait_until

DBUS = os.path.abspath(os.environ.get("DBUS_BRIDGE", "build/clients/bridges/dbus/memnotify-dbus"))
MONITOR = os.path.abspath(os.environ.get("MEMORY_MONITOR", "build/tests/integration/memory_monitor"))
NAME = "org.freedesktop.LowMemoryMonitor"
OBJECT = "/org/freedesktop/LowMemoryMonitor"

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>{kind}</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>{rest}</busconfig>
"""
ALL_ALLOWED = """<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
<allow eavesdrop="true"/></policy>"""


def is_of(match, *senders):
    """Whether a rule lets signals pass that one of these sends, and not only of properties."""
    return "Properties" not in match and any(f"sender='{sender}'" in match for sender in senders)


class Program(program.Program):
    """One on a bus, in a directory of its own."""

    def __init__(self, words, env, **settings):
        self.directory = tempfile.TemporaryDirectory(prefix="program.")
        super().__init__(Path(self.directory.name), words, stdin=subprocess.DEVNULL, env={**os.environ, **env},
                         **settings)

    def close(self):
        super().close()
        self.directory.cleanup()


class Listener(Program):
    """One that prints the levels it hears of."""

    def __init__(self, words, env, pattern, **settings):
        super().__init__(words, env, **settings)
        self.pattern = pattern

    def levels(self):
        """As they came, without repeats: how often these come is a matter of time."""
        heard = [int(level, 0) for level in re.findall(self.pattern, self.output(), re.MULTILINE)]
        return [level for i, level in enumerate(heard) if i == 0 or heard[i - 1] != level]

    def wait_levels(self, *levels):
        wait_until(lambda: len(self.levels()) >= len(levels), levels)
        assert self.levels() == list(levels), self.output()


class Bus:
    """It takes the place of the system's, or of a session's, for those who have its `environment`."""

    def __init__(self, kind="system", rest=ALL_ALLOWED, environment=(), kind_said=None):
        if not shutil.which("dbus-daemon") or not shutil.which("gdbus"):
            pytest.skip("dbus-daemon or gdbus is not there")
        self.kind = kind
        self.directory = tempfile.TemporaryDirectory(prefix="bus.")
        os.chmod(self.directory.name, 0o755)
        self.path = Path(self.directory.name) / "socket"
        config = Path(self.directory.name) / "bus.conf"
        config.write_text(CONFIG.format(kind=kind_said or kind, path=self.path, rest=rest), encoding="utf-8")
        self.environment = {f"DBUS_{kind.upper()}_BUS_ADDRESS": f"unix:path={self.path}"}
        self.program = Program(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"],
                               {**self.environment, **dict(environment)})
        wait_until(lambda: self.path.exists() or self.program.process.poll() is not None, "the bus")
        assert self.program.process.poll() is None, self.program.messages()

    def gdbus(self, verb, *words, **settings):
        return subprocess.run(["gdbus", verb, f"--{self.kind}", *words], env={**os.environ, **self.environment},
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=False, **settings)

    def ask(self, method, *words):
        """The bus itself; None for an error."""
        done = self.gdbus("call", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus",
                          "--method", f"org.freedesktop.DBus.{method}", *words)
        text = re.sub(r"@\w+ |\b(uint32|true|false) ?", "", done.stdout)
        return ast.literal_eval(text)[0] if done.returncode == 0 else None

    def owner(self, name=NAME):
        return self.ask("GetNameOwner", name)

    def owner_pid(self, name=NAME):
        return self.ask("GetConnectionUnixProcessID", name)

    def listeners(self, name=NAME):
        """The connections to which a signal of that name's owner is passed on."""
        rules = self.ask("Debug.Stats.GetAllMatchRules")
        return [who for who, matches in rules.items() if any(is_of(match, name, self.owner(name)) for match in matches)]

    def listen(self, words, pattern, env=(), **settings):
        """A listener that has heard nothing yet, and will hear of all."""
        before = len(self.listeners())
        listener = Listener(words, {**self.environment, **dict(env)}, pattern, **settings)
        wait_until(lambda: len(self.listeners()) > before, f"{words[0]} to listen; {listener.messages()}")
        return listener

    def monitor(self, **settings):
        """GMemoryMonitor in a program."""
        return self.listen([MONITOR], r"^(\d+)$", {"GIO_USE_MEMORY_MONITOR": "dbus"}, **settings)

    def gdbus_monitor(self, **settings):
        pattern = rf"^{OBJECT}: {NAME}\.LowMemoryWarning \(byte (\w+),\)$"
        return self.listen(["gdbus", "monitor", f"--{self.kind}", "--dest", NAME, "--object-path", OBJECT], pattern,
                           **settings)

    def end(self):
        """Whoever is on it loses it."""
        self.program.stop()

    def close(self):
        self.program.close()
        self.directory.cleanup()


def end_of(pid):
    """Waits until a process of somebody else's has gone."""
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), f"the end of process {pid}")
