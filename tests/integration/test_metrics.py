# SPDX-License-Identifier: LGPL-2.1-or-later
"""metrics and metrics.prom: right in every respect for those who collect them, and true."""

import mmap
import os
import time

import pytest

from clients import Child, opened, read_text, wait_ready, wait_until, write_text
from exposition import parse
from memcg_client import MIB, USAGE, Client, removed_at_end, set_usage, v1_group

ALICE, BOB, CAROL = 61001, 61002, 61003
FORMATS = {"metrics": True, "metrics.prom": False}
PAGE = mmap.PAGESIZE


def scrape(daemon, name="metrics"):
    return parse(read_text(daemon / name), FORMATS[name])


def value(daemon, name, **labels):
    """Of the sample that has these labels, perhaps with others."""
    found = [number for key, number in scrape(daemon)["memnotifyfs_" + name].items()
             if labels.items() <= dict(key).items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def shown_thresholds(daemon):
    return {dict(key)["threshold"] for key in scrape(daemon)["memnotifyfs_threshold_reached"]}


@pytest.fixture
def low(daemon):
    daemon.simulate("used 1000 available 500000 total 1000000")
    write_text(daemon / "thresholds" / "low", "used 80% available<512M")
    return daemon


# ---- formats -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_right(low, name):
    names = set(scrape(low, name))
    meters = {f"memnotifyfs_{meter}_bytes" for meter in os.listdir(low / "meters")}
    assert meters < names and len(meters) == 14
    assert len(names) == 14 + 15


def test_both_formats_tell_the_same(low):
    """But for the CPU time and for what reading them changes."""
    texts = {name: scrape(low, name) for name in FORMATS}
    for changing in "memnotifyfs_cpu_seconds_total", "memnotifyfs_open_files", "memnotifyfs_samples_total":
        for text in texts.values():
            assert text.pop(changing)
    assert texts["metrics"] == texts["metrics.prom"]


@pytest.mark.parametrize("name", FORMATS)
def test_the_time_is_now_and_the_size_covers_the_text(low, name):
    status = os.stat(low / name)
    assert status.st_mtime <= time.time()
    wait_until(lambda: os.stat(low / name).st_mtime > status.st_mtime, "a later time")
    with opened(low / name, os.O_RDONLY) as fd, opened(os.devnull, os.O_WRONLY) as null:
        assert len(os.read(fd, 1 << 20)) <= status.st_size
        os.lseek(fd, 0, os.SEEK_SET)
        assert os.sendfile(null, fd, 0, 1 << 20) > 4096


@pytest.mark.parametrize("name", FORMATS)
def test_a_byte_wise_reader_sees_one_text(low, name):
    with opened(low / name, os.O_RDONLY) as fd:
        text = b""
        while True:
            byte = os.read(fd, 1)
            if not byte:
                break
            text += byte
            if len(text) % 500 == 0:
                low.simulate(f"used {len(text)}")
    assert parse(text.decode(), FORMATS[name])["memnotifyfs_used_bytes"] == {(): 1000 * PAGE}


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_writes(low, name):
    assert os.stat(low / name).st_mode & 0o777 == 0o444
    with opened(low / name) as fd, pytest.raises(OSError):
        os.write(fd, b"used 5")


# ---- meters ------------------------------------------------------------------------------------------------------

def test_meters_are_in_bytes(low):
    for meter in os.listdir(low / "meters"):
        assert value(low, f"{meter}_bytes") == low.meter(meter) * PAGE, meter


def test_a_meter_that_is_not_offered_is_left_out(serve, make_machine):
    daemon = serve(machine=make_machine("ancient-2.6.32"))
    assert not (daemon / "meters" / "available").exists()
    assert "memnotifyfs_available_bytes" not in scrape(daemon)
    assert value(daemon, "used_bytes") > 0


def test_whose_memory_it_is(low):
    assert value(low, "source_info", kind="system") == 1
    assert value(low, "source_present") == 1


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        limit_memory(path)
        yield path


def limit_memory(group):
    (group / "memory.limit_in_bytes").write_text(str(256 * MIB))


def test_a_group_that_goes_and_comes_back(group, serve):
    daemon = serve("-o", "update_period=1", f"--source=cgroup={group}")
    write_text(daemon / "thresholds" / "low", "used 80%")
    assert value(daemon, "source_info", kind="cgroup") == 1
    assert value(daemon, "threshold_limit_bytes", threshold="low") >= 204 * MIB

    group.rmdir()
    daemon.expected.append(".*was removed.*")
    wait_until(lambda: value(daemon, "source_present") == 0, "the end of the group")
    gone = scrape(daemon)
    assert not [name for name in gone if name.endswith("_bytes") and gone[name]]
    assert gone["memnotifyfs_threshold_reached"] == {}
    assert value(daemon, "samples_total") > 0

    group.mkdir()
    limit_memory(group)
    daemon.expected.append(".*is there again")
    wait_until(lambda: value(daemon, "source_present") == 1, "the new group")
    assert value(daemon, "total_bytes") >= 256 * MIB
    assert value(daemon, "threshold_reached", threshold="low") == 0
    assert os.listdir(daemon / "memcg"), "which looks for the new group when somebody looks at it"


# ---- thresholds --------------------------------------------------------------------------------------------------

def test_a_threshold_for_which_nobody_waits(low):
    labels = {"threshold": "low", "meter": "used", "op": ">="}
    assert value(low, "threshold_limit_bytes", **labels) == 800000 * PAGE
    assert value(low, "threshold_limit_bytes", meter="available", op="<") == 512 * MIB
    for used, reached, crossings in (1000, 0, 0), (900000, 1, 1), (1000, 0, 2):
        low.simulate(f"used {used}")
        assert value(low, "threshold_reached", **labels) == reached
        assert value(low, "threshold_crossings_total", **labels) == crossings


def test_a_threshold_that_is_followed(low):
    with opened(low / "events", os.O_RDONLY), opened(low / "thresholds" / "low", os.O_RDONLY):
        low.simulate("used 900000")
        assert value(low, "threshold_reached", meter="used") == 1
    low.simulate("used 1000")
    assert value(low, "threshold_crossings_total", meter="used") == 2


def test_names_are_escaped(low):
    names = ['say-"hi"', "C:\\n", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", '{a="b"}', "\\"]
    for name in names:
        write_text(low / "thresholds" / name, "used 5")
    assert shown_thresholds(low) == {"low", *names}


def test_a_limit_of_more_than_64_bits_of_bytes(low):
    write_text(low / "thresholds" / "far", "used 18446744073709551615")
    assert value(low, "threshold_limit_bytes", threshold="far") == 2.0 ** 64


def test_what_not_everybody_may_read_is_not_shown(low):
    write_text(low / "thresholds" / "secret", "used 5")
    os.chmod(low / "thresholds" / "secret", 0o600)
    assert shown_thresholds(low) == {"low"}
    os.chmod(low / "thresholds" / "secret", 0o644)
    assert shown_thresholds(low) == {"low", "secret"}
    os.chmod(low / "thresholds", 0o1770)
    assert shown_thresholds(low) == set()
    assert value(low, "threshold_limits_left_out") == 0


def make_thresholds(daemon, uid, name, n):
    def make(say):
        for i in range(n):
            write_text(daemon / "thresholds" / f"{name}-{i}", "used 5 active 6")
        say("made")

    with Child(make, uid=uid) as child:
        assert child.hear() == "made"
        assert child.wait() == 0


def test_a_user_cannot_fill_the_text(low):
    """32 limits of each are shown, and of each threshold all or none."""
    make_thresholds(low, ALICE, "alice", 20)
    make_thresholds(low, BOB, "bob", 3)
    assert shown_thresholds(low) == {"low", *(f"alice-{i}" for i in range(16)), *(f"bob-{i}" for i in range(3))}
    assert value(low, "threshold_limits_left_out") == 8


def test_all_users_together_cannot_push_out_the_owner(low):
    for uid in range(ALICE, ALICE + 9):
        make_thresholds(low, uid, uid, 16)
    write_text(low / "thresholds" / "late", "used 5 free<9")
    shown = shown_thresholds(low)
    assert {"low", "late"} < shown
    assert len(scrape(low)["memnotifyfs_threshold_reached"]) == 256
    assert value(low, "threshold_limits_left_out") == 4 + 9 * 32 - 256


# ---- counts ------------------------------------------------------------------------------------------------------

def test_open_files_by_kind(low):
    assert value(low, "open_files", file="meters") == 0
    with opened(low / "meters" / "used"), opened(low / "meters" / "free"), opened(low / "events", os.O_RDONLY), \
            opened(low / "thresholds" / "low"):
        os.unlink(low / "thresholds" / "low")
        assert value(low, "open_files", file="meters") == 2
        assert value(low, "open_files", file="events") == 1
        assert value(low, "open_files", file="thresholds") == 1
        assert value(low, "open_files", file="metrics") == 1
    wait_until(lambda: value(low, "open_files", file="thresholds") == 0, "the files to be closed")


def test_who_is_woken_is_counted(low):
    def wait(say):
        with opened(low / "meters" / "used") as fd:
            os.write(fd, b"900000")
            os.read(fd, 100)
            say("waiting")
            wait_ready(fd)

    def read(say):
        with opened(low / "events", os.O_RDONLY) as fd:
            say("waiting")
            os.read(fd, 4096)

    with Child(wait) as poller, Child(read) as reader:
        assert [poller.hear(), reader.hear()] == ["waiting", "waiting"]
        poller.wait_polling()
        reader.wait_reading()
        low.simulate("used 900000")
        assert [poller.wait(), reader.wait()] == [0, 0]
    assert value(low, "wakeups_total", file="meters") == 1
    assert value(low, "wakeups_total", file="events") == 1
    assert value(low, "wakeups_total", file="memnotify") == 0


def test_signalled_eventfds_are_counted(still):
    with Client(still / "memcg") as client:
        assert client.register(USAGE, str(2000 * MIB)) == 0
        set_usage(still, 3000 * MIB)
        client.wait_events()
        assert value(still, "eventfd_signals_total") == 1


def test_samples_are_counted(low):
    """Each scrape takes one, unless the last is younger than update_period."""
    before = value(low, "samples_total")
    wait_until(lambda: value(low, "samples_total") >= before + 3, "three samples")
    assert value(low, "sample_failures_total") == 0
    assert value(low, "cpu_seconds_total") > 0


def test_samples_that_fail_are_counted(serve, make_machine):
    machine = make_machine("debian-6.1")
    daemon = serve(machine=machine)
    good = machine.text("meminfo")
    machine.replace("meminfo", b"")
    wait_until(lambda: value(daemon, "sample_failures_total") > 0, "a sample that fails")
    assert value(daemon, "total_bytes") > 0, "the last good values stay"
    machine.replace("meminfo", good)
    wait_until(lambda: value(daemon, "used_bytes") and "good again" in daemon.read_messages(), "a good sample")
    daemon.expected += ["cannot use 'meminfo': .*", "the kernel's numbers are good again"]


def test_refusals_are_counted(low):
    def ask(say):
        for i in range(258):
            try:
                write_text(low / "thresholds" / f"carol-{i}", "")
            except OSError:
                say("refused")

    with Child(ask, uid=CAROL) as child:
        assert [child.hear(), child.hear()] == ["refused", "refused"]
        assert child.wait() == 0
    assert value(low, "refusals_total", resource="thresholds") == 2
    assert value(low, "refusals_total", resource="opens") == 0
