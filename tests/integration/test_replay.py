# SPDX-License-Identifier: LGPL-2.1-or-later
"""--replay: what was recorded happens again, with the same values, in the same order, at any speed."""

import errno
import os
import re
import select
import subprocess

import pytest

from clients import TIMEOUT_S, is_ready, opened, read_text, wait_ready, wait_until, write_text
from command import memnotify, says, shows
from daemon import PROGRAM
from devices import Zone
from machine import FIXTURES
from recording import Recording

ENDED = r"what is played has ended, at [0-9.]+ s"
V2 = {"memory.current": "{}\n", "memory.max": "104857600\n", "memory.swap.max": "0\n", "memory.swap.current": "0\n",
      "memory.high": "max\n", "memory.events": "low 0\nhigh 0\nmax 0\noom {}\noom_kill 0\n",
      "memory.stat": "anon {}\nfile 0\nshmem 0\nfile_dirty 0\ninactive_anon 0\nactive_anon 0\ninactive_file 0\n"
                     "active_file 0\nslab_reclaimable 0\n"}


@pytest.fixture
def recording(tmp_path):
    return Recording(tmp_path)


@pytest.fixture
def shortage(recording):
    """Available is short from 2 s to 4 s, and again at 7 s."""
    for second, mib in enumerate([200, 180, 9, 4, 70, 80, 20, 5, 200]):
        recording.set_available(mib)
        recording.take(second)
    return recording.write()


def play(serve, path, *words, options=()):
    daemon = serve(*options, "=".join(["--replay", ",".join([str(path), *words])]))
    daemon.expected.append(ENDED)
    return daemon


def is_ended(daemon):
    return "memnotifyfs_replay_ended 1" in read_text(daemon / "metrics")


def read_all(fd):
    """What there is at present."""
    text = b""
    while is_ready(fd):
        text += os.read(fd, 65536)
    return text.decode()


def play_to_the_end(daemon, limits="available<10M"):
    write_text(daemon / "thresholds" / "low", limits)
    with opened(daemon / "events", os.O_RDONLY) as fd:
        wait_until(lambda: is_ended(daemon), "the end")
        return read_all(fd)


# --- the same again ---


EXPECTED = """2.000000 low available reached 2304 2560
4.000000 low available left 17920 2560
7.000000 low available reached 1280 2560
8.000000 low available left 51200 2560
"""


@pytest.mark.parametrize("speed", ["3", "100", "1000000", "max"])
def test_events_are_the_same_at_any_speed(serve, shortage, speed):
    assert play_to_the_end(play(serve, shortage, f"speed={speed}")) == EXPECTED


def test_the_command_tells_the_same(shortage):
    assert shows("replay", shortage, "available<10M") == EXPECTED.replace("low", "-")


def test_a_long_recording_is_told_whole_at_full_speed(serve, recording):
    """There are more crossings than a log keeps for who does not read."""
    number = 4000
    for second in range(2):
        recording.set_available(200 if second % 2 else 5)
        recording.take(second)
    recording.moments = [recording.moments[i % 2].replace(f"{i % 2} ", f"{i} ", 1) for i in range(number)]
    daemon = play(serve, recording.write(), "speed=max")
    write_text(daemon / "thresholds" / "low", "available<10M")
    with opened(daemon / "events", os.O_RDONLY) as fd:
        lines = []
        while len(lines) < number - 1:
            wait_ready(fd)
            lines += os.read(fd, 65536).decode().splitlines()
    assert [float(line.split()[0]) for line in lines] == list(range(1, number))
    assert {line.split()[3] for line in lines} == {"reached", "left"}
    wait_until(lambda: is_ended(daemon), "the end")


# --- when it begins ---


def test_it_begins_with_the_first_client_that_waits(serve, shortage):
    daemon = play(serve, shortage, "speed=max")
    write_text(daemon / "thresholds" / "low", "available<10M")
    for _ in range(5):
        assert read_text(daemon / "meters" / "available") == f"{200 * 256}\n"
        assert "memnotifyfs_replay_ended 0" in read_text(daemon / "metrics")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"available <10M")
        wait_ready(fd)
        wait_until(lambda: is_ended(daemon), "the end")
    assert read_text(daemon / "meters" / "available") == f"{200 * 256}\n"


def test_it_can_begin_at_once(serve, shortage):
    daemon = play(serve, shortage, "start=now", "speed=100")
    wait_until(lambda: is_ended(daemon), "the end")
    ended = played_seconds(daemon)
    wait_until(lambda: played_seconds(daemon) >= ended + 3, "the time after it")


def played_seconds(daemon):
    return float(re.search(r"(?m)^memnotifyfs_replay_time_seconds (\S+)$", read_text(daemon / "metrics"))[1])


def test_as_fast_as_it_goes_it_stands_while_nobody_waits(serve, shortage):
    daemon = play(serve, shortage, "start=now", "speed=max")
    assert read_text(daemon / "meters" / "available") == f"{200 * 256}\n"
    play_to_the_end(daemon)


def test_as_a_mount_option(serve, shortage):
    daemon = serve("-o", f"replay={shortage},speed=max,start=now")
    daemon.expected.append(ENDED)
    assert play_to_the_end(daemon) == EXPECTED


def test_what_is_simulated_stands_in_front(serve, shortage):
    daemon = play(serve, shortage, "speed=max", options=["--simulate"])
    daemon.simulate("available 77")
    assert play_to_the_end(daemon, "available<10M free<10M").splitlines() == [
        line.replace("available", "free") for line in EXPECTED.splitlines()]
    assert read_text(daemon / "meters" / "available") == "77\n"


# --- all of it ---


def test_a_machine_with_other_pages(serve, tmp_path):
    recording = Recording(tmp_path, page_bytes=65536)
    recording.take(0)
    recording.set_available(8)
    recording.take(1)
    daemon = play(serve, recording.write(), "speed=max")
    assert play_to_the_end(daemon) == "1.000000 low available reached 128 160\n"
    assert f"memnotifyfs_available_bytes {8 << 20}\n" in read_text(daemon / "metrics")
    assert f'"limit":{10 << 20}' in shows("replay", "--json", recording.path, "available<10M")


def test_zones_and_the_devices_of_2007_and_2008(serve, recording):
    zone = Zone(recording.machine)
    low = zone.number("low")
    recording.take(0)
    zone.set(free=1)
    recording.take(1)
    zone.set(free=low * 4)
    recording.take(2)
    daemon = play(serve, recording.write(), "speed=max")
    with opened(daemon / "oom_notify", os.O_RDONLY) as fd:
        wait_ready(fd)
        wait_until(lambda: is_ended(daemon), "the end")
    assert "pages free     " + str(low * 4) in read_text(daemon / "zoneinfo")


def test_stalls(serve, recording):
    for second, total in enumerate([0, 0, 900000, 900000]):
        recording.put("pressure/memory", f"some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\n"
                                         "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
        recording.take(second)
    daemon = play(serve, recording.write(), "speed=max")
    with opened(daemon / "pressure") as fd:
        os.write(fd, b"some 500000 2000000")
        wait_ready(fd, select.POLLPRI)
        wait_until(lambda: is_ended(daemon), "the end")
    assert "total=900000" in read_text(daemon / "pressure")


def put_group(recording, used_mib, ooms=0):
    for name, text in V2.items():
        value = ooms if name == "memory.events" else used_mib << 20
        recording.put(f"cgroup/0/{name}", text.format(value))


def make_group(recording):
    for second, mib in enumerate([10, 50, 90, 95, 20]):
        put_group(recording, mib, ooms=second // 3)
        recording.take(second)
    recording.remove("cgroup")
    recording.take(5)
    put_group(recording, 30)
    recording.take(6)
    return recording.write()


GONE = r"the control group 'of the recording' (was removed; .*|is there again)"


def test_a_control_group(serve, recording):
    daemon = play(serve, make_group(recording), "speed=max")
    daemon.expected += [GONE, GONE]
    assert read_text(daemon / "meters" / "total") == f"{100 * 256}\n"
    assert read_text(daemon / "memcg" / "memory.usage_in_bytes") == f"{10 << 20}\n"
    assert play_to_the_end(daemon, "used>=80M").splitlines() == [
        f"2.000000 low used reached {90 * 256} {80 * 256}", f"4.000000 low used left {20 * 256} {80 * 256}",
        "5.000000 - - removed", "6.000000 - - returned"]


def test_the_machine_of_a_control_group(serve, recording):
    daemon = play(serve, make_group(recording), "speed=max", options=["--source=system"])
    assert int(read_text(daemon / "meters" / "total")) == 55655
    play_to_the_end(daemon)
    assert shows("replay", "--system", recording.path, "used>=80M") == ""


def test_what_is_not_recorded_is_not_offered(serve, recording):
    for name in ("zoneinfo", "vmstat"):
        recording.remove(name)
    recording.take(0)
    recording.take(1)
    daemon = play(serve, recording.write())
    there = set(os.listdir(daemon.mountpoint))
    assert not there & {"zoneinfo", "mem_notify", "oom_notify", "oom_notify_critical", "pressure"}
    assert {"memnotify", "meters", "thresholds", "events"} <= there
    assert "available" in os.listdir(daemon / "meters")
    daemon.expected.clear()


# --- what goes wrong ---


def test_a_recording_that_was_cut(serve, shortage):
    whole = shortage.read_bytes()
    second = shortage.with_suffix(".second")
    second.write_bytes(whole + whole[:-5])
    daemon = serve(f"--replay={second},speed=max")
    daemon.expected.append(r"what is played ends early, at [0-9.]+ s: it is cut or damaged "
                           rf"in what begins at byte {len(whole)}")
    assert play_to_the_end(daemon).startswith(EXPECTED)
    done = memnotify("replay", second, "available<10M")
    assert done.returncode == 0 and "ends early" in done.stderr and done.stdout.startswith(
        EXPECTED.replace("low", "-"))


def refused(tmp_path, *options):
    (tmp_path / "empty").mkdir(exist_ok=True)
    done = subprocess.run([PROGRAM, "-f", *options, tmp_path / "empty"], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode in (1, 2) and done.stderr.count("\n") == 1, done
    return done.stderr


def test_what_cannot_be_played(tmp_path, shortage):
    assert "No such file" in refused(tmp_path, f"--replay={tmp_path}/none")
    assert "directory" in refused(tmp_path, f"--replay={tmp_path}").lower()
    for words in ("speed=0", "speed=-1", "speed=fast", "speed=nan", "speed=1e300", "speed=", "start=later"):
        assert "bad value" in refused(tmp_path, f"--replay={shortage},{words}"), words
    assert "bad value" in refused(tmp_path, "--replay=")
    assert "only for replay" in refused(tmp_path, "-o", "speed=3")
    for option in (f"--proc={FIXTURES}/debian-6.1", "--source=cgroup=/sys/fs/cgroup", "--cgroup=/sys/fs/cgroup"):
        assert "does not go with" in refused(tmp_path, f"--replay={shortage}", option)


def test_a_recording_without_memory(tmp_path, recording):
    recording.machine.rewrite("meminfo", b"MemFree: 7 kB\n")
    recording.take(0)
    assert "lacks MemTotal" in refused(tmp_path, f"--replay={recording.write()}")
    assert "lacks MemTotal" in says(1, "replay", recording.path)


def test_nothing_of_a_replay_can_be_written(serve, recording):
    put_group(recording, 10)
    recording.take(0)
    daemon = play(serve, recording.write())
    daemon.expected.clear()
    with pytest.raises(OSError) as caught:
        write_text(daemon / "memcg" / "memory.force_empty", "1")
    assert caught.value.errno == errno.EPERM


def test_other_words_have_a_reason(shortage):
    assert re.search(r"(?m)^ +\^$", says(2, "replay", shortage, "availble<3"))
