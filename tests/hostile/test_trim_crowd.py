# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many programs of one user with libmemnotify-trim, at one server: all are told, and what each costs. By hand with
MEMNOTIFYFS_TEST_ROUNDS=1000 for a thousand."""

import os
import re
import subprocess

import pytest

from clients import TIMEOUT_S, read_text, wait_until
from holey import LIBRARY, SHORT, n_waiting, serve_plenty
from hostile import PROGRAMS, VICTIM
from socket_client import held, metric

EAGER = os.environ["TRIM_EAGER"]
MANY = int(os.environ.get("MEMNOTIFYFS_TEST_ROUNDS", "200"))
PRIVATE_KIB = 300  # of a process more than without the library


@pytest.fixture
def daemon(serve):
    return serve_plenty(serve)


def private_kib(pid):
    text = read_text(f"/proc/{pid}/smaps_rollup")
    return sum(int(kib) for kib in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE))


class Crowd:
    def __init__(self, daemon, number, library, said):
        environment = {**os.environ, "LD_PRELOAD": library, "MEMNOTIFYFS": str(daemon.mountpoint)}
        self.processes = [
            subprocess.Popen([PROGRAMS / "odd", "be"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
                             env=environment, user=VICTIM, group=VICTIM, extra_groups=[]) for _ in range(number)]

    def end(self):
        for process in self.processes:
            process.stdin.close()
        return {process.wait(TIMEOUT_S) for process in self.processes}

    def close(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def gather(daemon, tmp_path):
    """gather(1000): so many processes of one user, and the file with all that they say."""
    crowds = []

    def start(number, library=LIBRARY):
        with open(tmp_path / "said", "ab") as said:
            crowds.append(Crowd(daemon, number, library, said))
        return crowds[-1], tmp_path / "said"

    yield start
    for crowd in crowds:
        crowd.close()


def test_all_are_told_and_leave_nothing(daemon, gather):
    crowd, said = gather(MANY)
    wait_until(lambda: held(daemon, VICTIM).get("limits") == MANY, "all to be connected")
    daemon.simulate(SHORT)
    wait_until(lambda: len(read_text(said).splitlines()) == MANY, "all to be told")
    told = re.findall(r"^memnotify-trim: odd\[(\d+)\]: .* \(glibc\)", read_text(said), re.MULTILINE)
    assert sorted(map(int, told)) == sorted(process.pid for process in crowd.processes)
    assert crowd.end() == {0}
    wait_until(lambda: held(daemon, VICTIM) == {} and metric(daemon, "connections") == 0, "everything to be given back")


def test_what_each_costs(daemon, gather):
    """The median of some; what others of the crowd share is not counted."""
    (plain, _), (crowd, _) = gather(20, ""), gather(100)
    wait_until(lambda: n_waiting(daemon) == 100, "all to be connected")
    without, with_it = (sorted(private_kib(process.pid) for process in some.processes) for some in (plain, crowd))
    cost = with_it[len(with_it) // 2] - without[len(without) // 2]
    print(f"private memory of each: {cost} KiB")
    assert cost <= PRIVATE_KIB


def test_those_that_end_at_once_leave_nothing(daemon, gather):
    """By a library that does not wait before it connects: some come, and all have left in the end."""
    crowd, said = gather(MANY, EAGER)
    assert crowd.end() == {0}
    assert read_text(said) == ""
    wait_until(lambda: held(daemon, VICTIM) == {} and metric(daemon, "connections") == 0, "everything to be given back")
