# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify record: what the kernel says is kept, whatever becomes of the recorder."""

import fcntl
import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from clients import POLL, TIMEOUT_S, opened, read_text, running, wait_until, write_text
from command import MEMNOTIFY, environment, memnotify, memnotify_running, says, shows
from devices import Zone
from machine import Machine
from memcg_client import MIB, removed_at_end, v1_group

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCENARIO = EXAMPLES / "scenarios" / "leak.scenario"


@pytest.fixture
def machine(tmp_path):
    return Machine("debian-6.1", tmp_path / "machine")


def set_available(machine, mib):
    text = machine.text("meminfo").decode()
    for name in ("MemAvailable", "MemFree"):
        text = re.sub(rf"(?m)^({name}: +)\d+", rf"\g<1>{mib * 1024}", text)
    machine.replace("meminfo", text.encode())


def texts_of(path):
    """What zstdcat makes of it, which anybody can look at."""
    return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=False).stdout


def has(path, text):
    return path.exists() and text in texts_of(path)


def end(process, number=signal.SIGTERM):
    process.send_signal(number)
    output, messages = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, messages) == (0, ""), messages
    return output


def test_what_moves_is_recorded_and_played(tmp_path, machine, serve):
    path = tmp_path / "file.mnr"
    with memnotify_running("record", "--proc", machine.path, path) as process:
        wait_until(lambda: has(path, b"MemTotal"), "the first moment")
        for mib in (200, 9, 190):
            wait_for_moments(path, process, lambda mib=mib: set_available(machine, mib))
        end(process)
    lines = [line.split(" ", 1)[1] for line in shows("replay", path, "available<10M").splitlines()]
    assert lines == ["- available reached 2304 2560", f"- available left {190 * 256} 2560"]
    daemon = serve(f"--replay={path},speed=max")
    daemon.expected.append("what is played has ended, at .*")
    write_text(daemon / "thresholds" / "low", "available<10M")
    with opened(daemon / "events", os.O_RDONLY) as fd:
        wait_until(lambda: "memnotifyfs_replay_ended 1" in read_text(daemon / "metrics"), "the end")
        told = os.read(fd, 4096).decode().splitlines()
    assert [line.split(" ", 2)[2] for line in told] == [line.split(" ", 1)[1] for line in lines]
    assert Zone(machine).number("low") == Zone(Played(daemon, machine)).number("low")


class Played:
    """The zoneinfo that is played, as a machine's."""

    def __init__(self, daemon, machine):
        self.daemon, self.machine = daemon, machine

    def text(self, name):
        return (self.daemon / name).read_bytes()


def wait_for_moments(path, process, change):
    """A change is recorded at once: it shows when the recorder has flushed, which it does when memory is short, and in
    a few seconds otherwise."""
    size = path.stat().st_size
    change()
    wait_until(lambda: path.stat().st_size > size or process.poll() is not None, "another moment")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_whole(tmp_path, machine, number):
    path = tmp_path / "file.mnr"
    with memnotify_running("record", "--proc", machine.path, path) as process:
        wait_until(lambda: path.exists(), "the file")
        wait_until(lambda: "SigBlk" in read_text(f"/proc/{process.pid}/status") and is_ready(process.pid), "signals")
        end(process, number)
    assert shows("replay", path, "available<1M") == ""


def is_ready(pid):
    """It takes its signals by a descriptor."""
    return any("signalfd" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))


def test_one_that_is_killed_loses_seconds(tmp_path, machine):
    path = tmp_path / "file.mnr"
    set_available(machine, 9)  # short: each moment is written
    with memnotify_running("record", "--every", "100ms", "--proc", machine.path, path) as process:
        wait_until(lambda: has(path, b"MemTotal"), "the first moment")
        wait_for_moments(path, process, lambda: None)
        process.kill()
    done = memnotify("replay", path, "available<1M")
    assert done.returncode == 0 and "ends early" in done.stderr, done


def test_it_is_gone_on_with(tmp_path, machine):
    path = tmp_path / "file.mnr"
    for mib in (9, 200, 9):
        set_available(machine, mib)
        shows("record", "--proc", machine.path, "--for", "1ms", path)
    words = [line.split()[3] for line in shows("replay", path, "available<100M").splitlines()]
    assert words == ["left", "reached"]


def test_standard_output(tmp_path, machine):
    path = tmp_path / "file.mnr"
    with open(path, "wb") as file:
        subprocess.run([MEMNOTIFY, "record", "--proc", machine.path, "--for", "1ms", "-"], stdout=file, check=True,
                       env=environment(), timeout=TIMEOUT_S)
    assert shows("replay", path) == ""


def test_processes(tmp_path):
    path = tmp_path / "file.mnr"
    with running("sleep", "1000") as child:
        shows("record", "--for", "1ms", "--processes", "1000", path)
        line = re.search(rb"(?m)^%d (\d+) (\d+) (.*)$" % child.pid, texts_of(path))
    assert line and line[3] == b"sleep" and int(line[1]) % 4096 == 0
    assert b"MemTotal" in texts_of(path)


def test_a_control_group(tmp_path, serve):
    path = tmp_path / "file.mnr"
    with removed_at_end(v1_group()) as group:
        (group / "memory.limit_in_bytes").write_text(str(64 * MIB))
        shows("record", "--source", f"cgroup={group}", "--for", "1ms", path)
        usage = int(read_text(group / "memory.usage_in_bytes"))
    daemon = serve(f"--replay={path}")
    assert int(read_text(daemon / "meters" / "total")) == 64 * MIB // 4096
    assert int(read_text(daemon / "memcg" / "memory.usage_in_bytes")) == usage // 4096 * 4096
    assert "replay_ended 1" in read_text(daemon / "metrics")


# --- what goes wrong ---


def test_a_full_disk(tmp_path, machine):
    """In a mount namespace of its own, on a file system of 64 KiB."""
    script = """
mount -t tmpfs -o size=65536 none "$1" || exit 9
"$2" record --proc "$3" --every 1ms "$1/file.mnr"; echo $? > "$1/../status"
cp "$1/file.mnr" "$1/../saved.mnr"
"""
    directory = tmp_path / "small"
    directory.mkdir()
    set_available(machine, 9)
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", directory, MEMNOTIFY, machine.path], text=True,
                          capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False)
    assert done.returncode == 0, done
    assert read_text(tmp_path / "status") == "1\n"
    assert done.stderr.count("\n") == 1 and "No space left on device" in done.stderr
    assert memnotify("replay", tmp_path / "saved.mnr").returncode == 0
    assert len(texts_of(tmp_path / "saved.mnr")) > 10000


def test_a_directory_that_is_read_only(tmp_path, machine):
    directory = tmp_path / "small"
    directory.mkdir()
    done = subprocess.run(["unshare", "-m", "sh", "-c", """
mount -t tmpfs none "$1" && mount -o remount,ro "$1" || exit 9
"$2" record --proc "$3" "$1/file.mnr" || "$2" record --proc "$3" --ring 1m --dump-on 'available<5%' "$1"
""", "sh", directory, MEMNOTIFY, machine.path], text=True, capture_output=True, timeout=TIMEOUT_S, env=environment(),
                          check=False)
    assert done.returncode == 1
    assert [line.endswith("Read-only file system") for line in done.stderr.splitlines()] == [True, True]


def test_a_reader_that_goes(machine):
    process = subprocess.Popen([MEMNOTIFY, "record", "--proc", machine.path, "--every", "1ms", "-"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    set_available(machine, 9)
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(TIMEOUT_S) == 1
    messages = process.stderr.read().decode()
    process.stderr.close()
    assert "Broken pipe" in messages and messages.count("\n") == 1


def test_what_is_refused(tmp_path, machine):
    other = tmp_path / "other"
    other.write_text("precious\n")
    assert "is no recording" in says(1, "record", other)
    assert other.read_text() == "precious\n"
    scenario = tmp_path / "other.scenario"
    shutil.copy(SCENARIO, scenario)
    assert "is no recording" in says(1, "record", "--for", "1ms", scenario)
    assert scenario.read_bytes() == SCENARIO.read_bytes()
    assert "No such file" in says(1, "record", tmp_path / "none" / "file")
    assert "Is a directory" in says(1, "record", tmp_path)
    assert "No such file" in says(1, "record", "--proc", tmp_path / "none", tmp_path / "file")
    assert "--source" in says(2, "record", "--source", "mine", tmp_path / "file")
    assert "memory controller" in says(1, "record", "--source", f"cgroup={tmp_path}", tmp_path / "file")
    assert "--processes" in says(2, "record", "--processes", "-1", tmp_path / "file")
    assert "--every" in says(2, "record", "--every", "often", tmp_path / "file")
    assert "--every" in says(2, "record", "--every", "0", tmp_path / "file")
    assert not (tmp_path / "file").exists()
    machine.rewrite("meminfo", b"nothing\n")
    assert "damaged" in says(1, "record", "--proc", machine.path, tmp_path / "file")


def test_json_of_a_replay_has_the_date_of_then(tmp_path, machine):
    path = tmp_path / "file.mnr"
    for mib in (200, 9):
        set_available(machine, mib)
        shows("record", "--proc", machine.path, "--for", "1ms", path)
    event = json.loads(shows("replay", "--json", path, "available<10M"))
    assert event["event"] == "reached" and event["limit"] == 10 * MIB and event["seconds"] > 0
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)", event["time"])


def test_two_recorders_of_one_file(tmp_path, machine):
    path = tmp_path / "file.mnr"
    with memnotify_running("record", "--proc", machine.path, path) as process:
        wait_until(lambda: has(path, b"MemTotal"), "the first moment")
        assert "another recorder" in says(1, "record", "--proc", machine.path, path)
        end(process)
    assert shows("replay", path, "available<1M") == ""


def test_nobody_reads_the_pipe(machine):
    set_available(machine, 9)
    process = subprocess.Popen([MEMNOTIFY, "record", "--proc", machine.path, "--every", "1ms", "-"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    wait_until(lambda: select.select([process.stdout], [], [], 0)[0] and is_ready(process.pid), "a full pipe")
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT_S) == 1
    process.stdout.close()
    process.stderr.close()


# --- a flight recorder ---


UNIT = EXAMPLES / "memnotify-record.service"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_example_is_a_unit(tmp_path):
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/bin/memnotify", MEMNOTIFY), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_records(tmp_path, machine):
    """Its line, as systemd takes it apart."""
    line = re.search("^ExecStart=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE).group(1)
    words = shlex.split(line.replace("%%", "%"))
    directory = tmp_path / "flights"
    directory.mkdir()
    assert words[0] == "/usr/bin/memnotify" and words[-1] == "/var/lib/memnotify"
    set_available(machine, 100)
    with memnotify_running(*words[1:-1], "--proc", machine.path, directory) as process:
        wait_prepared(process, directory)
        set_available(machine, 5)
        wait_until(lambda: dumps(directory), "a recording")
        end(process)
    assert "reached" in shows("replay", dumps(directory)[0])


def dumps(directory):
    return sorted(directory.glob("memory-*.mnr"))


def flight(machine, directory, *words):
    directory.mkdir(exist_ok=True)
    return memnotify_running("record", "--proc", machine.path, "--ring", "1m", "--dump-on", "available<10%", *words,
                             directory)


def wait_prepared(process, directory):
    """It waits for its signals, which it does after the first moment only."""
    wait_until(lambda: (directory / ".next.mnr").exists() and is_ready(process.pid) and is_waiting(process.pid), "it")


def is_waiting(pid):
    return any(name in read_text(f"/proc/{pid}/wchan") for name in POLL)


def test_what_was_before_a_shortage_is_written(tmp_path, machine):
    directory = tmp_path / "flights"
    set_available(machine, 100)
    with flight(machine, directory, "--every", "50ms") as process:
        wait_prepared(process, directory)
        assert not dumps(directory)
        set_available(machine, 5)
        wait_until(lambda: len(dumps(directory)) == 1, "a recording")
        set_available(machine, 120)
        wait_until(lambda: "left" in memnotify("replay", dumps(directory)[0]).stdout, "what comes after")
        end(process)
    words = [line.split()[3] for line in shows("replay", dumps(directory)[0]).splitlines()]  # by the limits in it
    assert words == ["reached", "left"]
    assert sorted(path.name for path in directory.iterdir()) == [dumps(directory)[0].name]


def test_one_that_is_killed_leaves_what_it_has_written(tmp_path, machine):
    directory = tmp_path / "flights"
    set_available(machine, 100)
    with flight(machine, directory) as process:
        wait_prepared(process, directory)
        set_available(machine, 5)
        wait_until(lambda: dumps(directory) and "reached" in memnotify("replay", dumps(directory)[0]).stdout, "it")
        process.kill()
    done = memnotify("replay", dumps(directory)[0])
    assert done.returncode == 0 and "ends early" in done.stderr and "reached" in done.stdout
    with flight(machine, directory) as process:  # it is short: that is written at once
        wait_until(lambda: len(dumps(directory)) == 2, "another")
        end(process)


def test_it_is_asked_for_what_it_holds(tmp_path, machine):
    directory = tmp_path / "flights"
    set_available(machine, 100)
    with flight(machine, directory) as process:
        wait_prepared(process, directory)
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(dumps(directory)) == 1, "a recording")
        assert "beside another recorder" in says(1, "record", "--proc", machine.path, "--ring", "1m", "--dump-on",
                                                 "available<10%", directory)
        end(process)
    assert shows("replay", dumps(directory)[0]) == ""


def test_what_a_flight_recorder_refuses(tmp_path, machine):
    words = ["record", "--proc", machine.path]
    assert "go together" in says(2, *words, "--ring", "1m", tmp_path)
    assert "go together" in says(2, *words, "--dump-on", "available<5%", tmp_path)
    assert "a second to a day" in says(2, *words, "--ring", "0", "--dump-on", "available<5%", tmp_path)
    assert "no meter of that name" in says(2, *words, "--ring", "1m", "--dump-on", "availble<5%", tmp_path)
    assert "No such file" in says(1, *words, "--ring", "1m", "--dump-on", "available<5%", tmp_path / "none")
