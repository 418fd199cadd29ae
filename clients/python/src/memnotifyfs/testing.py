# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program does when memory is short: a plugin of pytest, with the fixture ``memory_shortage``.

    def test_the_cache_shrinks(memory_shortage):
        cache = start_cache(env=memory_shortage.env)
        memory_shortage.set("available 2%")
        wait_until(lambda: cache.is_empty())

Each test has a memnotifyfs(8) of its own, whose memory is what the test says; $MEMNOTIFYFS names it meanwhile, so that
clients find it. Nothing else on the machine sees anything of it, and it ends with the test, or with pytest.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, Union

import pytest

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 30
_STEP_SECONDS = 0.05
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(%|[KMGT]?)")
_FACTORS = {"%": 1, "": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


_prctl = ctypes.CDLL(None, use_errno=True).prctl


def _end_with(parent: int) -> None:
    """In the child: it ends when pytest does, however that ends. It may have done so by now."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _parse(amount: str) -> tuple[float, str]:
    """"50%" -> (50, "%"), "1.5G" -> (1610612736, "")."""
    match = _AMOUNT.fullmatch(amount)
    if not match:
        raise ValueError(f"{amount!r} is no amount such as '50%' or '1.5G'")
    return float(match[1]) * _FACTORS[match[2]], "%" if match[2] == "%" else ""


class MemoryShortage:
    """A memnotifyfs whose memory is as a test says. Its mount point is ``mount``, its socket ``socket``, and ``env`` is
    the environment in which clients find it."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._directory = Path(tempfile.mkdtemp(prefix="memnotifyfs-"))
        self._messages = self._directory / "messages"
        self._process: subprocess.Popen[bytes] | None = None
        self.mount = self._directory / "mount"
        self.socket = self._directory / "mount.sock"
        self.mount.mkdir()

    @property
    def env(self) -> Mapping[str, str]:
        return {**os.environ, "MEMNOTIFYFS": str(self.mount)}

    def set(self, text: str) -> None:
        """Memory looks so from now on: the words of ``simulate`` in memnotifyfs(5), as "available 2%", "memory 95%",
        "stall_some 20%" or "low". ValueError where they are not understood."""
        try:
            (self.mount / "simulate").write_text(text, encoding="ascii")
        except OSError as error:
            if error.errno != 22:
                raise
            raise ValueError((self.mount / "errors").read_text(encoding="utf-8")) from None

    def ramp(self, meter: str, start: str, end: str, over: float) -> None:
        """Moves a meter evenly, in so many seconds, and returns when it is there."""
        (first, unit), (last, other) = _parse(start), _parse(end)
        if unit != other:
            raise ValueError("both ends have to be per cent, or both sizes")
        steps = max(1, round(over / _STEP_SECONDS))
        begun = time.monotonic()
        for step in range(steps + 1):
            value = first + (last - first) * step / steps
            self.set(f"{meter} {value:.3f}%" if unit else f"{meter} {round(value / 1024)}K")
            time.sleep(max(0.0, begun + over * (step + 1) / (steps + 1) - time.monotonic()))

    def relief(self) -> None:
        """Memory is what it is."""
        self.set("reset")

    def play(self, script: Union[str, Path], speed: Union[float, str] = 1, now: bool = False) -> None:
        """Plays a scenario (memnotifyfs-scenario(5)) or a recording instead, from when the first client waits, or now.
        To be called before clients are started: this is another server, on the same place. What is set stands in
        front of it."""
        self._end()
        self._start(f"--replay={Path(script).resolve()},speed={speed}" + (",start=now" if now else ""))

    def has_ended(self) -> bool:
        """Whether all of what is played has happened."""
        return "memnotifyfs_replay_ended 1\n" in (self.mount / "metrics").read_text(encoding="utf-8")

    def _start(self, *options: str) -> None:
        parent = os.getpid()
        with open(self._messages, "ab") as messages:
            self._process = subprocess.Popen(
                [self._program, "-f", "--simulate", f"--socket={self.socket}", *options, str(self.mount)],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, preexec_fn=lambda: _end_with(parent))
        end = time.monotonic() + _START_SECONDS
        while not (self.mount / "meters").is_dir():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"memnotifyfs does not start: {self._messages.read_text(encoding='utf-8').strip()}")
            time.sleep(0.01)

    def _end(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:  # it was stopped, perhaps
                self._process.kill()
                self._process.wait()
        self._process = None
        try:
            os.listdir(self.mount)
        except OSError:  # one that was killed has left it
            subprocess.run(["fusermount3", "-uz", str(self.mount)], check=False)

    def _close(self) -> None:
        self._end()
        shutil.rmtree(self._directory, ignore_errors=True)


def _find_program(config: pytest.Config) -> str:
    chosen = config.getoption("memnotifyfs") or config.getini("memnotifyfs") or "memnotifyfs"
    program = shutil.which(str(chosen))
    if not program:
        raise pytest.UsageError(f"'{chosen}' is not there, or cannot be run; --memnotifyfs=PATH says where it is")
    return program


@pytest.fixture
def memory_shortage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryShortage]:
    """Memory that is short when the test says so: a MemoryShortage."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse cannot be opened by this user; in a container give it --device /dev/fuse")
    shortage = MemoryShortage(_find_program(request.config))
    try:
        shortage._start()
        monkeypatch.setenv("MEMNOTIFYFS", str(shortage.mount))
        yield shortage
    finally:
        shortage._close()


def pytest_addoption(parser: Any) -> None:
    parser.getgroup("memnotifyfs").addoption("--memnotifyfs", metavar="PATH", default=None,
                                             help="the program memnotifyfs, for memory_shortage (that in PATH)")
    parser.addini("memnotifyfs", "the same", default="")
