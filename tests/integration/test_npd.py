# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-npd, started as node-problem-detector starts its plugins: what it ends with, and what it prints."""

import os
import signal
import subprocess

import pytest

from clients import TIMEOUT_S
from machine import PAGE_KIB

PROGRAM = os.environ["NPD"]
FINE, PROBLEM, UNKNOWN = 0, 1, 2
TOTAL_PAGES = (8 << 20) // PAGE_KIB


@pytest.fixture(params=["files", "socket"])
def daemon(request, serve):
    daemon = serve(*(["--socket"] if request.param == "socket" else []), simulate=True)
    daemon.simulate(f"total {TOTAL_PAGES} available {TOTAL_PAGES // 2}")
    return daemon


def check(*arguments, place=None):
    at = ["--at", place] if place else []
    done = subprocess.run([PROGRAM, *at, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def test_memory_is_not_short(daemon):
    assert check(place=daemon.mountpoint) == (FINE, "memory is not short: available<5%\n", "")
    assert check("used>=1T", place=daemon.mountpoint) == (FINE, "memory is not short: used>=1T\n", "")


def test_memory_is_short(daemon):
    daemon.simulate(f"available {TOTAL_PAGES // 100} used {TOTAL_PAGES // 2}")
    assert check(place=daemon.mountpoint) == (PROBLEM, "memory is short: available 81.9M, limit 410M\n", "")
    status, text, _ = check("available<5% used>1G free<1", place=daemon.mountpoint)
    assert status == PROBLEM
    assert sorted(text.removeprefix("memory is short: ").rstrip("\n").split("; ")) == [
        "available 81.9M, limit 410M", "used 4.00G, limit 1.00G"]
    daemon.simulate(f"available {TOTAL_PAGES // 2}")
    assert check(place=daemon.mountpoint)[0] == FINE


def test_no_more_is_printed_than_is_kept(daemon):
    """Of a message 80 bytes are."""
    daemon.simulate("used 1000 active 1000 anon 1000 file 1000")
    status, text, _ = check("used>1K active>1K anon>1K file>1K", place=daemon.mountpoint)
    assert status == PROBLEM and text.startswith("memory is short: ") and text.endswith("\n") and len(text) == 81


def test_limits_that_are_not_understood(daemon):
    assert check("usd<5%", place=daemon.mountpoint) == (UNKNOWN, "there is no meter of that name\n", "")


def test_nobody_is_there(tmp_path):
    told = f"there is no memnotifyfs at '{tmp_path}'; 'memnotify serve' starts one"
    assert check(place=tmp_path) == (UNKNOWN, told[:80] + "\n", "")
    assert check("--nothing") == (UNKNOWN, "", "memnotify-npd: Unknown option --nothing; see 'memnotify-npd --help'\n")


def test_one_that_hangs_is_unknown_in_time(daemon):
    """Before node-problem-detector would kill the plugin."""
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        status, text, _ = check(place=daemon.mountpoint)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    told = f"memnotifyfs at '{daemon.mountpoint}' does not answer; 'memnotify status --why' tells more"
    assert (status, text) == (UNKNOWN, told[:80] + "\n")
