# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages, and those who do not read them."""

import os
import re
import select
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients import TIMEOUT_S, opened, running, wait_until
from daemon import PROGRAM, environment, is_mounted

UPDATE_PERIOD_S = 0.001
OPTIONS = ["-o", "update_period=1"]
AGAIN = "Resource temporarily unavailable"
DAMAGED = "cannot use 'meminfo': .*; keeping the last good values"
REPAIRED = "the kernel's numbers are good again"


@pytest.fixture
def machine(make_machine):
    return make_machine("debian-6.1")


@contextmanager
def ended(process):
    """A daemon that is at fault is not waited for."""
    try:
        yield process
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0
    finally:
        process.kill()
        process.wait()


def serve(directory, machine, stderr):
    process = subprocess.Popen([PROGRAM, *OPTIONS, "-f", f"--proc={machine.path}", directory], stdin=subprocess.DEVNULL,
                               stderr=stderr, env=environment())
    wait_until(lambda: is_mounted(directory) or process.poll() is not None, "the mount")
    os.listdir(directory)
    return process


def speak(directory, machine, n):
    """Makes it say something n times; each time it still answers."""
    good = machine.text("meminfo")
    assert n % 2 == 0
    for _ in range(n // 2):
        for text in (b"damaged\n", good):
            machine.replace("meminfo", text)
            end = time.monotonic() + 2 * UPDATE_PERIOD_S
            while time.monotonic() < end:  # what is read at the end is younger than the text
                reader = subprocess.Popen(["cat", directory / "meters" / "total"], stdout=subprocess.DEVNULL)
                assert reader.wait(TIMEOUT_S) == 0  # else it ends when the daemon has been killed


def fill(write):
    try:
        while True:
            write(b"x" * 512)
    except BlockingIOError:
        pass


def lines_of(text):
    return [line for line in text.splitlines() if "oom_score_adj" not in line]


def expect(lines, *patterns):
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns):
        assert re.fullmatch(pattern, line), line


def test_a_full_pipe(directory, machine):
    reader, writer = os.pipe()
    with ended(serve(directory, machine, writer)):
        own = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        fill(lambda text: os.write(own, text))
        os.close(own)
        speak(directory, machine, 4)
        os.set_blocking(reader, False)
        while select.select([reader], [], [], 0)[0]:
            os.read(reader, 65536)
        speak(directory, machine, 2)
        text = os.read(reader, 65536).decode()
        assert os.get_blocking(writer)
    expect(lines_of(text), f"memnotifyfs: 4 messages lost: cannot write to standard error: {AGAIN}",
           "memnotifyfs: " + DAMAGED, "memnotifyfs: " + REPAIRED)
    os.close(reader)
    os.close(writer)


def test_a_reader_who_has_gone(directory, machine):
    reader, writer = os.pipe()
    with ended(serve(directory, machine, writer)):
        os.close(reader)
        speak(directory, machine, 2)
    os.close(writer)


def test_a_full_disk(directory, machine):
    with open("/dev/full", "wb") as full, ended(serve(directory, machine, full)):
        speak(directory, machine, 2)


# A /dev of its own for the daemon, in which the log is the test's.
BACKGROUND = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$scratch"
mknod -m 666 "$scratch/fuse" c 10 229
mknod -m 666 "$scratch/null" c 1 3
touch "$scratch/log"
mount --bind "$log" "$scratch/log"
mount --move "$scratch" /dev
"$program" $options --proc="$machine" "$mount"
echo serves
exec sleep infinity
"""


@contextmanager
def background(directory, machine, tmp_path, log):
    """Where its mount is seen from here, and a process beside it. Its namespace ends it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    variables = {**environment(), "program": PROGRAM, "options": " ".join(OPTIONS), "machine": str(machine.path),
                 "mount": str(directory), "scratch": str(scratch), "log": log}
    with running("env", *(f"{key}={value}" for key, value in variables.items()), "unshare", "--mount", "--pid",
                 "--fork", "--kill-child", "--mount-proc", "sh", "-c", BACKGROUND) as process:
        assert process.stdout.readline() == b"serves\n"
        (shell,) = open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii").read().split()
        yield Path(f"/proc/{shell}/root{directory}"), shell


HEAD = r"<%d>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d memnotifyfs\[\d+\]: "


class SystemLog:
    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)

    def fill(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
            other.connect(self.path)
            fill(other.send)

    def messages(self):
        texts = []
        while select.select([self.socket], [], [], 0)[0]:
            texts.append(self.socket.recv(65536).decode())
        return lines_of("\n".join(texts))

    def wait(self):
        while True:
            assert select.select([self.socket], [], [], TIMEOUT_S)[0], "no message"
            messages = self.messages()  # of the score it may speak late
            if messages:
                return messages


@pytest.fixture
def log(tmp_path):
    system_log = SystemLog(tmp_path / "log")
    yield system_log
    system_log.socket.close()


def test_the_system_log(directory, machine, tmp_path, log):
    with background(directory, machine, tmp_path, log.path) as (place, _):
        speak(place, machine, 2)
        expect(log.messages(), HEAD % 12 + DAMAGED, HEAD % 13 + REPAIRED)

        log.fill()
        speak(place, machine, 6)
        log.messages()
        speak(place, machine, 2)
        expect(log.messages(), HEAD % 12 + f"6 messages lost: cannot write to the system's log: {AGAIN}",
               HEAD % 12 + DAMAGED, HEAD % 13 + REPAIRED)


def test_an_end_that_was_not_asked_for_is_in_the_system_log(directory, machine, tmp_path, log):
    with background(directory, machine, tmp_path, log.path) as (place, shell):
        log.messages()
        with opened(place / "memnotify"):
            done = subprocess.run(["nsenter", "-t", shell, "-m", "-p", "umount", "-f", directory],
                                  stderr=subprocess.DEVNULL, check=False)
            assert done.returncode != 0
            expect(log.wait(), HEAD % 11 + f"the connection of '{directory}' was aborted, as by 'umount -f'; "
                   "start memnotifyfs again")
        with open(f"/proc/{shell}/mountinfo", encoding="utf-8") as mounts:
            assert str(directory) not in mounts.read()


def test_no_terminal_is_told_anything(tmp_path):
    done = subprocess.run([PROGRAM, tmp_path / "a\n\x1b[2J\u202eb"], capture_output=True, text=True, check=False,
                          env=environment())
    assert done.returncode == 1
    shown = r"a\\n\\033\[2J\\342\\200\\256b"
    assert re.fullmatch(f"memnotifyfs: mount point '.*/{shown}' does not exist; .*\n", done.stderr)
