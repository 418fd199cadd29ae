# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scenarios of examples/: each gives the events beside it, to the byte, by the command and by the server."""

import os
import select
from pathlib import Path

import pytest

from clients import is_ready, opened, read_text, wait_ready, wait_until, write_text
from command import says, shows

SCENARIOS = Path(__file__).resolve().parents[2] / "examples" / "scenarios"
NAMES = sorted(path.stem for path in SCENARIOS.glob("*.scenario"))


def expected(name):
    """{limits: what is told of them}"""
    told = {}
    for line in (SCENARIOS / f"{name}.events").read_text(encoding="ascii").splitlines(keepends=True):
        if line.startswith("# "):
            limits = line[2:].rstrip("\n")
            told[limits] = ""
        else:
            told[limits] += line
    return told


def path_of(name):
    return SCENARIOS / f"{name}.scenario"


def play(serve, path, *options):
    daemon = serve(*options, f"--replay={path},speed=max")
    daemon.expected.append("what is played has ended, at .*")
    return daemon


def is_ended(daemon):
    return "memnotifyfs_replay_ended 1" in read_text(daemon / "metrics")


def test_there_are_ten_and_each_has_its_events():
    assert len(NAMES) >= 10
    assert all(any(expected(name).values()) for name in NAMES if name != "numa-node")  # which is about the zone


@pytest.mark.parametrize("name", NAMES)
def test_the_command(name):
    for limits, told in expected(name).items():
        assert shows("replay", path_of(name), limits) == told


@pytest.mark.parametrize("name", NAMES)
def test_the_server(name, serve):
    daemon = play(serve, path_of(name))
    thresholds = {f"limit{i}": limits for i, limits in enumerate(expected(name))}
    for threshold, limits in thresholds.items():
        write_text(daemon / "thresholds" / threshold, limits)
    with opened(daemon / "events", os.O_RDONLY) as fd:
        wait_until(lambda: is_ended(daemon), "the end")
        text = os.read(fd, 1 << 20) if is_ready(fd) else b""
    lines = text.decode().splitlines(keepends=True)
    for threshold, limits in thresholds.items():
        own = [line.replace(f" {threshold} ", " - ") for line in lines if line.split()[1] in (threshold, "-")]
        assert "".join(own) == expected(name)[limits]


def test_a_full_node_is_told_by_its_zone(serve):
    daemon = play(serve, path_of("numa-node"))
    with opened(daemon / "oom_notify", os.O_RDONLY) as fd:
        wait_ready(fd)
        wait_until(lambda: is_ended(daemon), "the end")
    assert "Node 1, zone   Normal" in read_text(daemon / "zoneinfo")


def test_stalls_are_told_before_memory_is_full(serve):
    daemon = play(serve, path_of("swap-death"))
    with opened(daemon / "pressure") as fd:
        os.write(fd, b"full 800000 1000000")
        wait_ready(fd, select.POLLPRI)
        wait_until(lambda: is_ended(daemon), "the end")


def test_a_container_is_a_group(serve):
    daemon = play(serve, path_of("container"))
    assert int(read_text(daemon / "meters" / "total")) * 4096 == 512 << 20
    assert int(read_text(daemon / "memcg" / "memory.limit_in_bytes")) == 512 << 20
    with opened(daemon / "events", os.O_RDONLY):
        pass
    system = serve(f"--replay={path_of('container')}", "--source=system")
    assert int(read_text(system / "meters" / "total")) * 4096 == 16 << 30
    daemon.expected.clear()


def test_what_goes_too_fast_holds_nobody_up(tmp_path, serve):
    path = tmp_path / "long.scenario"
    path.write_text("wait 9000d\n")
    daemon = serve(f"--replay={path},speed=1000000,start=now")
    for _ in range(20):
        assert int(read_text(daemon / "meters" / "total")) * 4096 == 8 << 30


@pytest.mark.parametrize("text,place", [
    ("memory 8G\n  avalable 3G\n", "2:3"),
    ("memory 8G\navailable 9G", "2:1"),
    ("at 3s\nat 2s", "2:4"),
    ("repeat 3 { free 1G }", "1:1"),
    ("repeat 3 { wait 1s", "1:19"),
    ("wait 1s }", "1:9"),
    ("available", "1:10"),
    ("# ä\nactive 1G", "2:1"),
    ("over 3s", "1:8"),
    ("stall_some 1.5%", "1:12"),
    ("group 1G node 1 2G", "1:1"),
    ("wait soon", "1:6"),
    ("memory 5%", "1:8"),
])
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, place):
    path = tmp_path / "wrong.scenario"
    path.write_text(text, encoding="utf-8")
    assert f"{path}:{place}: " in says(1, "replay", path)


def test_what_is_no_scenario(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert "Illegal seek" in says(1, "replay", tmp_path / "fifo")
    path = tmp_path / "file"
    path.write_text("")
    assert "it is empty" in says(1, "replay", path)
    path.write_text("# much\n" * 200000)
    assert "too long" in says(1, "replay", path)
