# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests are given of this machine, and give back."""

import subprocess

import pytest

from daemon import is_mounted
from machine import Machine


@pytest.fixture
def make_machine(tmp_path_factory):
    """make_machine("debian-6.1"): an editable copy of a fixture."""
    return lambda name: Machine(name, tmp_path_factory.mktemp("proc"))


@pytest.fixture
def directory(tmp_path):
    """To mount on."""
    path = tmp_path / "mount"
    path.mkdir()
    yield path
    while is_mounted(path):
        subprocess.run(["umount", "-l", path], check=True)


def close_all(things):
    """The last first. Each is closed, whatever becomes of the others."""
    problems = []
    for thing in reversed(things):
        try:
            thing.close()
        except BaseException as problem:  # the next one must not be left behind
            problems.append(problem)
    if problems:
        raise problems[0]
