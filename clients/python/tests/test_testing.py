# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory_shortage, as the tests of others use it: in a pytest of their own."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until
from conftest import SOURCE
from daemon import PROGRAM, is_mounted

SCENARIO = "memory 4G available 50%\nover 2s available 2%\nwait 1s\navailable 60%\nwait 1s\n"


def command(path, *options):
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "memnotifyfs.testing",
            f"--memnotifyfs={PROGRAM}", *options, str(path)]


def environment():
    kept = {name: value for name, value in os.environ.items() if name != "MEMNOTIFYFS"}
    return {**kept, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}


def write(tmp_path, text):
    path = tmp_path / "test_theirs.py"
    path.write_text(text, encoding="utf-8")
    return path


def run(tmp_path, text, *options):
    """What pytest prints, and its status; nothing is left of its servers."""
    done = subprocess.run(command(write(tmp_path, text), *options), cwd=tmp_path, env=environment(), text=True,
                          capture_output=True, timeout=2 * TIMEOUT_S, check=False)
    wait_until(lambda: not own_mounts(), "the end of the mounts")
    return done.returncode, done.stdout + done.stderr


def own_mounts():
    """Those of servers that were started here. One line or the other may be missing while others mount and unmount."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        places = [line.split()[4] for line in mounts]
    return [place for place in places if place.startswith(f"{tempfile.gettempdir()}/memnotifyfs-")]


def test_memory_is_what_a_test_says(tmp_path):
    status, text = run(tmp_path, """
import os
import memnotifyfs
import pytest

def available():
    meters = memnotifyfs.meters()
    return meters["available"] / meters["total"]

def test_set(memory_shortage):
    memory_shortage.set("available 2%")
    assert 0.019 < available() < 0.021
    memory_shortage.relief()
    assert available() > 0.021

def test_ramp(memory_shortage):
    memory_shortage.ramp("available", "50%", "3%", over=0.3)
    assert 0.029 < available() < 0.031
    memory_shortage.ramp("swap_used", "0", "8M", over=0.1)
    assert memnotifyfs.meters()["swap_used"] == 8 << 20

def test_each_has_its_own(memory_shortage):
    assert available() > 0.031
    assert os.environ["MEMNOTIFYFS"] == str(memory_shortage.mount) == memory_shortage.env["MEMNOTIFYFS"]
    assert memory_shortage.socket.is_socket()

def test_what_is_not_understood(memory_shortage):
    with pytest.raises(ValueError, match="nothing of that name"):
        memory_shortage.set("memry 5%")
    with pytest.raises(ValueError):
        memory_shortage.ramp("available", "50%", "1G", over=1)

def test_afterwards():
    assert "MEMNOTIFYFS" not in os.environ
""")
    assert status == 0 and "5 passed" in text, text


def test_a_scenario_is_played(tmp_path):
    (tmp_path / "short.scenario").write_text(SCENARIO, encoding="ascii")
    status, text = run(tmp_path, """
import asyncio
import time
import memnotifyfs

async def follow(shortage):
    kinds = []
    async with memnotifyfs.watch("available<5%") as events:
        async for event in events:
            kinds.append((event.kind, round(event.time)))
            if event.kind == "left":
                return kinds

def test_play(memory_shortage):
    memory_shortage.play("short.scenario", speed=20)
    assert memnotifyfs.meters()["total"] == 4 << 30
    assert not memory_shortage.has_ended()
    assert asyncio.run(asyncio.wait_for(follow(memory_shortage), 30)) == [("reached", 2), ("left", 3)]
    memory_shortage.set("used 77%")
    assert 0.76 < memnotifyfs.meters()["used"] / (4 << 30) < 0.78
    memory_shortage.play("short.scenario", speed=1000, now=True)
    end = time.monotonic() + 30
    while not memory_shortage.has_ended() and time.monotonic() < end:
        time.sleep(0.01)
    assert memory_shortage.has_ended()
""")
    assert status == 0 and "1 passed" in text, text


def test_a_test_that_fails_leaves_nothing(tmp_path):
    status, text = run(tmp_path, """
def test_wrong(memory_shortage):
    memory_shortage.set("available 2%")
    assert False
""")
    assert status == 1 and "1 failed" in text, text


def test_a_server_that_dies_leaves_nothing(tmp_path):
    status, text = run(tmp_path, """
import os, signal
def test_dies(memory_shortage):
    os.kill(memory_shortage._process.pid, signal.SIGKILL)
""")
    assert status == 0 and "1 passed" in text, text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_pytest_that_is_ended_leaves_nothing(tmp_path, number):
    path = write(tmp_path, """
import time
def test_long(memory_shortage):
    print(memory_shortage.mount, file=open("mount", "w"), flush=True)
    time.sleep(1000)
""")
    process = subprocess.Popen(command(path), cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: Path(tmp_path, "mount").exists() and Path(tmp_path, "mount").read_text(), "the mount")
        mount = Path(tmp_path, "mount").read_text().strip()
        wait_until(lambda: is_mounted(mount), "its line")
        assert process.poll() is None
        process.send_signal(number)
        process.wait(TIMEOUT_S)
        wait_until(lambda: not is_mounted(mount), "the end of the mount")
    finally:
        process.kill()
        process.wait()


def test_a_program_that_is_missing_is_told(tmp_path):
    status, text = run(tmp_path, "def test_any(memory_shortage):\n    pass\n", "--memnotifyfs=/nowhere/at/all")
    assert status != 0 and "--memnotifyfs=PATH" in text, text
