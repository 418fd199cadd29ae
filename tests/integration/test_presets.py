# SPDX-License-Identifier: LGPL-2.1-or-later
"""--thresholds=FILE: thresholds that are there from the start, and read again on SIGHUP."""

import errno
import os
import select
import signal
import stat
import subprocess

import pytest

from clients import TIMEOUT_S, Child, events_now, opened, read_text, wait_until, write_text
from daemon import PROGRAM, daemons_of, environment, is_mounted

ALICE = 61001
READY = select.POLLIN | select.POLLPRI


@pytest.fixture
def presets(tmp_path):
    file = tmp_path / "presets"
    file.write_text("# of this machine\nlow used 2000\nhigh used 3000  # more\n")
    return file


@pytest.fixture
def preset(serve, make_machine, presets):
    daemon = serve("-o", "update_space=4", f"--thresholds={presets}", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate("used 1")
    return daemon


def read_again(daemon, *expected):
    """Lets it read the file, until it has said this."""
    before = daemon.read_messages()
    daemon.expected += expected
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.read_messages()[len(before):].count("\n") >= len(expected), "what it says of its file")


def read_again_well(daemon, presets, n):
    read_again(daemon, f"read '{presets}' again: {n} thresholds?")


def limits(path):
    return [line.split()[0] + line.split()[3].replace("limit", "") for line in read_text(path).splitlines()]


def test_they_are_there_from_the_start_and_the_owners(preset):
    thresholds = preset / "thresholds"
    assert sorted(os.listdir(thresholds)) == ["high", "low"]
    assert limits(thresholds / "low") == ["used=2000"]
    status = os.stat(thresholds / "low")
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o644)
    with opened(preset / "events", os.O_RDONLY) as events:
        preset.simulate("used 2500")
        assert os.read(events, 4096).decode().endswith(" low used reached 2500 2000\n")

    def try_to_change(say):
        try:
            os.unlink(thresholds / "low")
        except OSError as error:
            say(errno.errorcode[error.errno])

    with Child(try_to_change, uid=ALICE) as alice:
        assert alice.hear() == "EPERM"


def test_read_again(preset, presets):
    thresholds = preset / "thresholds"
    assert "reached=0" in read_text(thresholds / "low")
    preset.simulate("used 2500")
    with opened(thresholds / "low") as low, opened(thresholds / "high") as high:
        before = os.read(low, 4096)
        assert b"reached=1" in before
        os.read(high, 4096)
        presets.write_text("low used 2000\nnew used 5\nother free<7\n")
        read_again_well(preset, presets, 3)
        assert events_now(low, READY) == 0, "it is as it was"
        assert os.pread(low, 4096, 0) == before
        assert events_now(high, READY) & select.POLLHUP
        assert sorted(os.listdir(thresholds)) == ["low", "new", "other"]

        presets.write_text("low used 2100\nnew used 5\n")
        read_again_well(preset, presets, 2)
        assert events_now(low, READY) == READY, "new limits are news"
        assert limits(thresholds / "low") == ["used=2100"]
    assert sorted(os.listdir(thresholds)) == ["low", "new"]


def test_those_of_others_stay(preset, presets):
    thresholds = preset / "thresholds"
    write_text(thresholds / "mine", "used 7")
    os.rename(thresholds / "high", thresholds / "renamed")
    os.unlink(thresholds / "low")
    presets.write_text("low used 2000\n")
    read_again_well(preset, presets, 1)
    assert sorted(os.listdir(thresholds)) == ["low", "mine", "renamed"], "who renames a file takes it out"


def test_a_name_that_somebody_has_taken_is_taken_back(preset, presets):
    thresholds = preset / "thresholds"
    with Child(lambda say: write_text(thresholds / "new", "used 7"), uid=ALICE) as alice:
        assert alice.wait() == 0
    with opened(thresholds / "new", os.O_RDONLY) as fd:
        presets.write_text("new used 5\n")
        read_again_well(preset, presets, 1)
        assert events_now(fd, READY) & select.POLLHUP
    assert os.stat(thresholds / "new").st_uid == 0
    assert limits(thresholds / "new") == ["used=5"]


def test_a_bad_file_changes_nothing(preset, presets):
    thresholds = preset / "thresholds"
    presets.write_text("low used 5\nusd 80%\nnew used 10KB\n")
    read_again(preset, f"cannot use '{presets}', line 2, column 5: the name of a meter is missing .*",
               f"cannot use '{presets}', line 3, column 12: there is no such unit; .*",
               f"the thresholds of '{presets}' stay as they were")
    presets.unlink()
    read_again(preset, f"cannot use '{presets}': No such file or directory",
               f"the thresholds of '{presets}' stay as they were")
    presets.write_text("x" * (2 << 20))
    read_again(preset, f"cannot use '{presets}': it has more than 1 MiB",
               f"the thresholds of '{presets}' stay as they were")
    presets.write_text("".join(f"preset-{number} used 5\n" for number in range(4097)))
    read_again(preset, f"cannot use '{presets}': there would be too many thresholds or limits",
               f"the thresholds of '{presets}' stay as they were")
    assert sorted(os.listdir(thresholds)) == ["high", "low"]
    assert limits(thresholds / "low") == ["used=2000"]


def test_as_many_as_there_may_be_are_replaced_by_others(preset, presets):
    for name in "one", "other":
        presets.write_text("".join(f"{name}-{number} used 5\n" for number in range(4096)))
        read_again_well(preset, presets, 4096)
    names = os.listdir(preset / "thresholds")
    assert len(names) == 4096 and "other-0" in names
    presets.write_text("")
    read_again_well(preset, presets, 0)
    assert os.listdir(preset / "thresholds") == []


def test_a_file_that_does_not_answer_keeps_nobody_waiting(preset, presets):
    """A pipe has no end; to open it may wait for ever."""
    presets.unlink()
    os.mkfifo(presets)
    read_again_well(preset, presets, 0)
    assert os.listdir(preset / "thresholds") == []


def refuses(directory, text, *messages, status=1):
    file = directory / "bad"
    file.write_text(text)
    at = directory / "mount"
    at.mkdir(exist_ok=True)
    done = subprocess.run([PROGRAM, "-f", f"--thresholds={file}", at], capture_output=True, text=True,
                          timeout=TIMEOUT_S, env=environment(), check=False)
    assert done.returncode == status, done
    assert done.stderr.splitlines() == [f"memnotifyfs: cannot use '{file}'{message}" for message in messages]
    assert not is_mounted(at)
    return True


def test_a_bad_file_at_the_start_is_an_error(tmp_path):
    meter = "there is no meter of that name"
    assert refuses(tmp_path, "low usd 5\n", f", line 1, column 5: {meter}")
    assert refuses(tmp_path, "low usd 5\n.low used 5\nlow used 7\nlow used 8\n", f", line 1, column 5: {meter}",
                   ", line 2, column 1: no threshold can have this name",
                   ", line 4, column 1: this name is already in line 3")
    assert refuses(tmp_path, "low usd 5\n" * 12, *[f", line {n}, column 5: {meter}" for n in range(1, 11)],
                   ": 2 more lines are wrong")
    done = subprocess.run([PROGRAM, "-f", "--thresholds=/nonexistent", tmp_path / "mount"], capture_output=True,
                          text=True, timeout=TIMEOUT_S, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (
        1, "memnotifyfs: cannot use '/nonexistent': No such file or directory\n")
    done = subprocess.run([PROGRAM, "-f", "-o", "thresholds=", tmp_path / "mount"], capture_output=True,
                          text=True, timeout=TIMEOUT_S, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (2, "memnotifyfs: bad value in 'thresholds=': a file is needed\n")


def test_a_relative_path_in_the_background(tmp_path):
    """As an option of mount(8), and of a program that leaves its directory."""
    (tmp_path / "presets").write_text("low used 5\n")
    (tmp_path / "mount").mkdir()
    at = tmp_path / "mount"
    subprocess.run([PROGRAM, "-o", "thresholds=presets", at], cwd=tmp_path, timeout=TIMEOUT_S, check=True,
                   env=environment())
    try:
        assert os.listdir(at / "thresholds") == ["low"]
        (tmp_path / "presets").write_text("high used 5\n")
        (pid,) = daemons_of(at)
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: os.listdir(at / "thresholds") == ["high"], "the file to be read again")
    finally:
        subprocess.run(["umount", at], check=True)
