# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that libmemnotify-trim could be in the way of: those that do everything at once, and those that end, give up
rights or bound themselves in ways in which a second thread is felt. They are told again and again meanwhile."""

import os
import resource
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until
from holey import LIBRARY, PLENTY, SHORT, helper_of, n_waiting, serve_plenty
from hostile import ATTACK_S, LIMIT_S, PROGRAMS

EAGER = os.environ["TRIM_EAGER"]
ROUNDS = int(os.environ.get("MEMNOTIFYFS_TEST_ROUNDS", "0"))  # of being told; none for the short form
ALLOCATORS = {"glibc": None, "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4",
              "mimalloc": "libmimalloc.so.2"}


@pytest.fixture
def daemon(serve):
    return serve_plenty(serve)


def find_allocator(name):
    """Where it is installed, or where ./quickstart test has unpacked it."""
    for top in os.environ["UNPACKED"], "/":
        for path in Path(top).glob(f"usr/lib/*/{name}"):
            return str(path)
    pytest.skip(f"{name} is not there")


class Preloaded:
    """A program with the library, whose lines are heard and which is told what to do by lines."""

    def __init__(self, daemon, *words, library=EAGER, allocator=None, directory="", bound_bytes=None, **settings):
        preload = ":".join(filter(None, [library, allocator]))
        bound = (bound_bytes or resource.RLIM_INFINITY,) * 2
        self.process = subprocess.Popen(
            list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "LD_PRELOAD": preload, "MEMNOTIFYFS": str(daemon.mountpoint),
                 "LD_LIBRARY_PATH": str(directory)}, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, bound),
            **settings)

    @property
    def pid(self):
        return self.process.pid

    def hear(self):
        assert select.select([self.process.stdout], [], [], TIMEOUT_S)[0], "it says nothing"
        return self.process.stdout.readline()

    def order(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        """Its exit status, and what it has said that is not a line of the library's."""
        _, said = self.process.communicate(timeout=LIMIT_S)
        lines = said.decode().splitlines()
        self.n_told = sum("memnotify-trim: " in line for line in lines)
        return self.process.returncode, [line for line in lines if "memnotify-trim: " not in line]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def preload(daemon, attack):
    """preload("turmoil", 8, 1): running, with the library."""
    running = []

    def start(name, *words, **settings):
        running.append(Preloaded(daemon, PROGRAMS / name, *words, **settings))
        return running[-1]

    yield start
    for program in running:
        program.close()


def tell_again_and_again(daemon, program, line):
    """Until it has been told often enough, and has gone on each time."""
    end, n = time.monotonic() + ATTACK_S, 0
    while n < ROUNDS or (not ROUNDS and time.monotonic() < end):
        daemon.simulate(SHORT)
        daemon.simulate(PLENTY)
        if line:
            assert program.hear() == line
        n += 1


# ---- all at once

@pytest.mark.parametrize("threads", [0, 8])
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_a_program_that_does_all_at_once(daemon, preload, allocator, threads):
    """With MEMNOTIFYFS_TEST_ROUNDS=20000 for about ten minutes."""
    path = ALLOCATORS[allocator] and find_allocator(ALLOCATORS[allocator])
    program = preload("turmoil", threads, 1, allocator=path)
    wait_until(lambda: n_waiting(daemon) > 0, "its connection")
    tell_again_and_again(daemon, program, b"all have gone on\n")
    assert program.end() == (0, [])
    assert program.n_told > 0


# ---- one odd thing each

def odd(daemon, preload, way, **settings):
    """When it has done it; it is told afterwards as before."""
    program = preload("odd", way, **settings)
    wait_until(lambda: n_waiting(daemon) == 1, "its connection")
    daemon.simulate(SHORT)
    daemon.simulate(PLENTY)
    program.order()
    assert program.hear() == b"done\n"
    for _ in range(20):
        daemon.simulate(SHORT)
        daemon.simulate(PLENTY)
    program.order()
    return program


@pytest.mark.parametrize("way", ["be", "main-thread-ends", "alarm", "strict", "chroot", "mlockall", "no-process",
                                 "group"])
def test_a_program_that_has_a_way_of_its_own(daemon, preload, way):
    assert odd(daemon, preload, way).end() == (0, [])
    wait_until(lambda: n_waiting(daemon) == 0, "its end to be noticed")


def test_a_filter_for_all_threads(daemon, preload):
    """It has been connected before; what it does when it is told needs no socket."""
    assert odd(daemon, preload, "filter").end() == (0, [])


def test_an_address_space_of_its_own(daemon, preload):
    """What the library takes of it is not more than a stack and some pages, so that the program has its own."""
    assert odd(daemon, preload, "address-space", bound_bytes=160 << 20).end() == (0, [])


def test_a_program_that_forgets_its_environment(daemon, preload):
    """As nginx does."""
    assert odd(daemon, preload, "no-environment", library=LIBRARY).end() == (0, [])


def test_a_library_that_changes_the_groups_while_it_is_loaded(daemon, preload):
    program = preload("odd", "slow-library", directory=PROGRAMS)
    wait_until(lambda: n_waiting(daemon) == 1, "its connection")
    program.order()
    assert program.hear() == b"done\n"
    daemon.simulate(SHORT)
    program.order()
    assert select.select([program.process.stdout], [], [], LIMIT_S)[0], "it hangs"
    program.order()
    assert program.end() == (0, [])


def has_asked(pid):
    """Whether the thread of the library has connected to a server that does not answer."""
    helper = helper_of(pid)
    return helper and any("socket:" in os.readlink(f"{helper}/fd/{fd}") for fd in os.listdir(f"{helper}/fd"))


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_group_is_changed_while_the_server_is_stopped(daemon, preload, is_connected):
    """Whoever looks for a file of its mount waits for it, in a call that nobody can end: so a socket beside it is
    looked for first."""
    if not is_connected:
        daemon.process.send_signal(signal.SIGSTOP)
    program = preload("odd", "group")
    try:
        if is_connected:
            wait_until(lambda: n_waiting(daemon) == 1, "its connection")
            daemon.process.send_signal(signal.SIGSTOP)
        else:
            wait_until(lambda: has_asked(program.pid), "its thread to wait for an answer")
        program.order()
        assert select.select([program.process.stdout], [], [], LIMIT_S)[0], "it hangs"
        program.order()
        assert program.end() == (0, [])
    finally:
        daemon.process.send_signal(signal.SIGCONT)
