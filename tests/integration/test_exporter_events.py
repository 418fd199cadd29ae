# SPDX-License-Identifier: LGPL-2.1-or-later
"""What memnotify-exporter sends to its page, and that nothing is done while nobody looks."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from clients import read_text, wait_until, write_text
from exporter import Viewer, exporter, reset_at_the_end, viewing
from exposition import parse
from machine import PAGE_KIB

WATCHED_S = 2
PAGE = PAGE_KIB * 1024
MOUNT = {"name", "place", "lack", "group", "gone", "simulated", "meters", "parts", "pressure", "limits",
         "limits_left_out"}


@pytest.fixture
def quick(export, daemon):
    return export("--listen=0", "--interval=100ms", "--at", daemon.mountpoint)


@pytest.fixture
def slow(export, daemon):
    """What comes at once does not come by the interval."""
    return export("--listen=0", "--interval=5s", "--at", daemon.mountpoint)


def cross(daemon, number):
    """So often; (word, bytes) of each."""
    told = []
    for i in range(number):
        for word, pages in ("reached", 600000 + i), ("left", 1000 + i):
            daemon.simulate(f"used {pages}")
            told.append((word, pages * PAGE))
    return told


def brief(events):
    return [(event["word"], event["bytes"]) for event in events]


def readers_of_events(daemon):
    return parse(read_text(daemon / "metrics"), True)["memnotifyfs_open_files"].get((("file", "events"),), 0)


# ---- what comes --------------------------------------------------------------------------------------------------

def test_the_first_message_comes_at_once_and_is_complete(slow, daemon):
    daemon.simulate("used 1000 total 1000000")
    write_text(daemon / "thresholds" / "low", "used 80%")
    with viewing(slow) as viewer:
        answer = viewer.answer
        assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert answer.getheader("Cache-Control") == "no-cache"
        message = viewer.read()
    assert set(message) == {"interval_ms", "time_ms", "help", "mounts", "processes", "events"}
    assert (message["interval_ms"], message["events"]) == (5000, [])
    assert abs(message["time_ms"] / 1000 - time.time()) < 3600
    mount, = message["mounts"]
    assert set(mount) == MOUNT
    assert (mount["name"], mount["place"], mount["lack"]) == ("", str(daemon.mountpoint), None)
    assert mount["simulated"] and not mount["gone"]
    assert (mount["meters"]["used"], mount["meters"]["total"]) == (1000 * PAGE, 1000000 * PAGE)
    assert mount["limits"] == [{"threshold": "low", "meter": "used", "op": ">=", "limit": 800000 * PAGE,
                                "reached": False, "crossings": 0}]
    assert set(mount["parts"]) == set(mount["meters"]) and mount["parts"]["total"] == "all"


def test_who_comes_later_has_the_last_at_once(slow):
    with viewing(slow) as first:
        message = first.read()
        with viewing(slow) as second:
            assert second.read() == message


def test_several_mounts(serve, export):
    daemons = [serve(simulate=True) for _ in range(2)]
    server = export("--listen=0", *(f"--mount=m{i}={daemon.mountpoint}" for i, daemon in enumerate(daemons)))
    with viewing(server) as viewer:
        assert [(mount["name"], mount["place"]) for mount in viewer.read()["mounts"]] == [
            (f"m{i}", str(daemon.mountpoint)) for i, daemon in enumerate(daemons)]


def read_events(viewer, number):
    events = []
    while len(events) < number:
        events += viewer.read()["events"]
    return events


def test_each_event_comes_once_and_in_order(quick, daemon):
    daemon.simulate("used 1000 total 1000000")
    write_text(daemon / "thresholds" / "low", "used>=50%")
    with viewing(quick) as viewer, viewing(quick) as other:
        viewer.read()
        wait_until(lambda: readers_of_events(daemon) == 1, "events to be followed")
        told = cross(daemon, 20)
        events = read_events(viewer, len(told))
        assert brief(events) == told == brief(read_events(other, len(told)))
        assert all(event["threshold"] == "low" and event["meter"] == "used" and event["mount"] == "" and
                   event["limit_bytes"] == 500000 * PAGE for event in events)
        assert sorted(events, key=lambda event: event["time_ms"]) == events
        for one in viewer, other:
            assert one.read()["events"] == [] == one.read()["events"]
        with viewing(quick) as late:
            assert brief(late.read()["events"]) == told and late.read()["events"] == []


def test_who_comes_late_is_told_of_the_last_hundred(quick, daemon):
    daemon.simulate("used 1000 total 1000000")
    write_text(daemon / "thresholds" / "low", "used>=50%")
    with viewing(quick) as viewer:
        viewer.read()
        wait_until(lambda: readers_of_events(daemon) == 1, "events to be followed")
        told = cross(daemon, 30)
        read_events(viewer, 60)
        told += cross(daemon, 30)
        read_events(viewer, 60)
        with viewing(quick) as late:
            assert brief(late.read()["events"]) == told[-100:]


def test_a_mount_that_hangs(quick, daemon):
    with viewing(quick) as viewer:
        viewer.read()
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            message = viewer.read_until(lambda message: message["mounts"][0]["lack"])
            assert message["mounts"][0]["lack"] == "memnotifyfs does not answer"
            assert message["mounts"][0]["meters"], "what was there before is shown"
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        viewer.read_until(lambda message: not message["mounts"][0]["lack"])


def test_a_mount_that_comes_and_goes(serve, export, directory):
    server = export("--listen=0", "--interval=100ms", "--at", directory)
    with viewing(server) as viewer:
        viewer.read_until(lambda message: message["mounts"][0]["lack"].startswith("There is no memnotifyfs yet "))
        for _ in range(2):
            daemon = serve(simulate=True)
            subprocess.run(["mount", "--bind", daemon.mountpoint, directory], check=True)
            viewer.read_until(lambda message: message["mounts"][0]["meters"] and not message["mounts"][0]["lack"])
            daemon.kill()
            viewer.read_until(lambda message: message["mounts"][0]["lack"])
            subprocess.run(["umount", directory], check=True)


# ---- processes ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, number", [
    ([], 20), (["--processes=3"], 3), (["--processes=0"], None), (["--listen=0.0.0.0:0"], None),
    (["--listen=0.0.0.0:0", "--processes=3"], 3), (["--listen=0.0.0.0:0", "--listen=127.0.0.1:0"], None)])
def test_processes_are_shown_where_they_are_no_secret(export, daemon, words, number):
    server = export("--interval=100ms", *(words if "listen" in str(words) else ["--listen=0", *words]), "--at",
                    daemon.mountpoint)
    with viewing(server) as viewer:
        if number is None:
            assert viewer.read()["processes"] is None is viewer.read()["processes"]
            return
        viewer.read_until(lambda message: message["processes"] is not None)
        with subprocess.Popen(["sleep", "1000"]) as process:  # which grows from nothing
            try:
                processes = viewer.read_until(lambda message: message["processes"])["processes"]
            finally:
                process.kill()
    assert 0 < len(processes) <= number
    assert all(set(process) == {"pid", "name", "rss", "grown", "swap"} for process in processes)


def shown_with(viewer, command):
    """What is shown of processes, with one that has begun meanwhile."""
    with subprocess.Popen(command) as process:
        try:
            return viewer.read_until(lambda message: process.pid in [
                one["pid"] for one in message["processes"] or []])["processes"]
        finally:
            process.kill()


def test_the_name_of_a_process_is_any_bytes(export, daemon, tmp_path):
    """And what is sent is JSON in UTF-8 all the same."""
    program = os.fsencode(tmp_path) + b'/\xff"\\\n<b>'
    os.symlink("/bin/sleep", program)
    server = export("--listen=0", "--interval=100ms", "--processes=1000", "--at", daemon.mountpoint)
    with viewing(server) as viewer:
        viewer.read_until(lambda message: message["processes"] is not None)
        assert "\ufffd\"\\\n<b>" in [one["name"] for one in shown_with(viewer, [program, "1000"])]


# ---- nobody looks ------------------------------------------------------------------------------------------------

def test_nothing_is_held_after_they_have_gone(quick, daemon):
    viewers = [Viewer(quick) for _ in range(5)]
    for viewer in viewers:
        viewer.read()
    wait_until(lambda: readers_of_events(daemon) == 1, "one to read events for all")
    for viewer in viewers:
        viewer.close()
    wait_until(lambda: readers_of_events(daemon) == 0, "nobody to read events")
    subprocess.run(["umount", daemon.mountpoint], check=True)
    assert daemon.wait() == 0
    with viewing(quick) as viewer:
        assert viewer.read()["mounts"][0]["lack"]


def test_who_leaves_politely_is_noticed(quick, daemon):
    """By the end of what he sends: there is nothing else to tell."""
    viewer = Viewer(quick)
    viewer.read()
    viewer.socket.shutdown(socket.SHUT_RDWR)
    viewer.answer.close()
    viewer.socket.close()
    wait_until(lambda: readers_of_events(daemon) == 0, "nobody to read events")


def test_who_comes_and_goes_at_once(quick, daemon):
    for _ in range(300):
        client = quick.connect()
        client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reset_at_the_end(client)
        client.close()
    with viewing(quick) as viewer:
        viewer.read()
    wait_until(lambda: readers_of_events(daemon) == 0, "nobody to read events")


def test_who_goes_while_the_mount_hangs(quick, daemon):
    with viewing(quick) as viewer:
        viewer.read()
        daemon.process.send_signal(signal.SIGSTOP)
        viewer.read_until(lambda message: message["mounts"][0]["lack"])
    daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: readers_of_events(daemon) == 0, "nobody to read events")


def wake_ups(server):
    """How often its threads went to sleep."""
    number = 0
    for status in Path(f"/proc/{server.pid}/task").glob("*/status"):
        number += sum(int(line.split()[1]) for line in status.read_text(encoding="ascii").splitlines()
                      if "ctxt_switches" in line)
    return number


def wake_ups_meanwhile(server):
    before = wake_ups(server)
    time.sleep(WATCHED_S)
    return wake_ups(server) - before


def test_nothing_is_done_while_nobody_asks(quick, daemon):
    """When threads that are not needed have ended, which takes a while."""
    wait_until(lambda: wake_ups_meanwhile(quick) == 0, "rest before the first has come")
    with viewing(quick) as viewer:
        viewer.read()
        assert wake_ups_meanwhile(quick) > 40, "the test would see it"
    for _ in range(3):
        quick.get()
    wait_until(lambda: readers_of_events(daemon) == 0, "nobody to read events")
    wait_until(lambda: wake_ups_meanwhile(quick) == 0, "rest")


def test_head(quick, daemon):
    """There is nothing to look at for who wants no body."""
    answer, text = quick.ask("/events", "HEAD")
    assert (answer.status, answer.getheader("Content-Type"), text) == (200, "text/event-stream; charset=utf-8", "")
    assert readers_of_events(daemon) == 0


def test_help_says_how_often():
    assert "default: 2s" in exporter("--help").stdout
