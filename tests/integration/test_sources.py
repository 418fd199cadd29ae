# SPDX-License-Identifier: LGPL-2.1-or-later
"""--proc=DIR and --simulate drive everything downstream like the real thing, and damage does no harm."""

import os
import re
import select
import shutil
import subprocess

import pytest

from clients import TIMEOUT_S, Child, opened, read_text, wait_ready, wait_until, write_text
from daemon import PROGRAM
from machine import FIXTURES, PAGE_KIB, parse

GOOD_AGAIN = "the kernel's numbers are good again"
# Files that are not read for any meter are no concern here.
LACKING = ["bad-vmstat-no-file", "bad-vmstat-no-free", "bad-vmstat-no-number"]
BAD = sorted(path.name for path in FIXTURES.iterdir() if path.name.startswith(("bad-vmstat", "bad-meminfo")))


@pytest.fixture
def machine(make_machine):
    return make_machine("debian-6.1")


def driver_line(machine):
    return "used {used} active {active} total {total}\n".format(**machine.meters())


def name_of_bad(bad):
    return bad.split("-")[1]


def test_there_are_bad_fixtures():
    assert len(BAD) > 20


@pytest.mark.parametrize("how", ["replace", "rewrite"])
def test_an_edited_file_wakes_sleepers(serve, machine, how):
    daemon = serve("-o", "update_space=4", machine=machine)
    mlocked = daemon.meter("mlocked")
    write_text(daemon / "thresholds" / "locked", f"mlocked {mlocked + 100}")

    def client(say):
        fd = os.open(daemon / "memnotify", os.O_RDWR)
        os.write(fd, b"mlocked %d" % (mlocked + 100))
        stream = os.open(daemon / "events", os.O_RDONLY)
        for _ in range(2):
            say("polling")
            wait_ready(fd)
            os.read(fd, 100)
            say(os.read(stream, 4096).decode().split()[3:])

    with Child(client) as child:
        for pages, state in ((mlocked + 100, "reached"), (mlocked, "left")):
            assert child.hear() == "polling"
            child.wait_polling()
            getattr(machine, how)("vmstat", machine.with_number("vmstat", "nr_mlock", pages))
            assert child.hear() == [state, str(pages), str(mlocked + 100)]
        assert child.wait() == 0


@pytest.mark.parametrize("how", ["replace", "rewrite"])
def test_a_reader_sees_edits_also_when_nobody_waits(serve, machine, how):
    daemon = serve(machine=machine)
    for free in (4000, 8000, 12000):
        getattr(machine, how)("meminfo", machine.with_number("meminfo", "MemFree", free))
        wait_until(lambda: daemon.meter("free") == free // PAGE_KIB, "the edit to be seen")
        assert read_text(daemon / "memnotify") == driver_line(machine)


def test_a_machine_gets_more_memory_and_percentages_follow(serve, machine):
    daemon = serve("-o", "update_space=4", machine=machine)
    used, total = daemon.meter("used"), daemon.meter("total")
    write_text(daemon / "thresholds" / "half", "used 50%")
    machine.replace("meminfo", machine.with_number("meminfo", "MemTotal", total * 4 * PAGE_KIB))
    wait_until(lambda: daemon.meter("total") == total * 4, "the edit to be seen")
    text = read_text(daemon / "thresholds" / "half")
    assert f"limit={total * 2} reached=1" in text and f"value={used + 3 * total} " in text


@pytest.mark.parametrize("bad", BAD)
def test_a_damaged_text_changes_nothing_is_told_once_and_heals(serve, machine, bad):
    daemon = serve("-o", "update_space=4,update_period=1,max_update_period=1", machine=machine)
    name = name_of_bad(bad)
    good = machine.text(name)
    before = {meter: daemon.meter(meter) for meter in os.listdir(daemon / "meters")}

    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"mlocked %d" % (before["mlocked"] + 1))
        machine.replace(name, (FIXTURES / bad / name).read_bytes())
        wait_until(daemon.read_messages, "the warning")
        for _ in range(20):
            assert {meter: daemon.meter(meter) for meter in before} == before
        assert not select.select([fd], [], [], 0)[0]
        assert daemon.read_messages().count(name) == 1

        machine.replace(name, good)
        wait_until(lambda: "good again" in daemon.read_messages(), "the recovery")
        machine.replace("vmstat", machine.with_number("vmstat", "nr_mlock", before["mlocked"] + 1))
        wait_ready(fd)
        assert daemon.meter("mlocked") == before["mlocked"] + 1
    daemon.expected = [f"cannot use '{name}': .*", GOOD_AGAIN]


def test_no_file_a_huge_one_a_directory_and_a_fifo(serve, machine):
    daemon = serve("-o", "update_space=4,update_period=1,max_update_period=1", machine=machine)
    text = read_text(daemon / "memnotify")
    good = machine.text("vmstat")
    path = machine.path / "vmstat"

    def damage_and_heal(damage):
        told = len(daemon.read_messages().splitlines())
        path.unlink()
        damage()
        wait_until(lambda: len(daemon.read_messages().splitlines()) == told + 1, "the warning")
        assert read_text(daemon / "memnotify") == text
        if path.is_dir():
            path.rmdir()
        machine.replace("vmstat", good)
        wait_until(lambda: len(daemon.read_messages().splitlines()) == told + 2, "the recovery")
        daemon.expected += ["cannot use 'vmstat': .*", GOOD_AGAIN]

    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 1 mlocked 99999")
        damage_and_heal(lambda: None)
        damage_and_heal(lambda: path.write_bytes(b"nr_nothing 5\n" * (2 << 20 >> 3) + good))
        damage_and_heal(path.mkdir)
        damage_and_heal(lambda: os.mkfifo(path))
        damage_and_heal(lambda: path.symlink_to("/nonexistent"))


def test_a_copy_that_is_replaced_as_a_whole(serve, machine):
    daemon = serve(machine=machine)
    fresh, old = machine.path.with_name("fresh"), machine.path.with_name("old")
    shutil.copytree(machine.path, fresh)
    for total in (1000000, 2000000):
        (fresh / "meminfo").write_bytes(machine.with_number("meminfo", "MemTotal", total))
        machine.path.rename(old)
        fresh.rename(machine.path)
        shutil.rmtree(old)
        swap = daemon.meter("swap_total")
        wait_until(lambda wanted=total // PAGE_KIB + swap: daemon.meter("total") == wanted, "the new copy")
        shutil.copytree(machine.path, fresh)


def test_unknown_keys_are_skipped(serve, make_machine):
    machine = make_machine("debian-6.1")
    for name, more in (("vmstat", b"nr_new_in_7_0 18446744073709551616\nword\n"),
                       ("meminfo", b"New:  x\nHugeNew: 5 GB\n")):
        machine.replace(name, more + machine.text(name) + more)
    daemon = serve(machine=machine)
    assert read_text(daemon / "memnotify") == driver_line(machine)


def test_a_meter_without_its_counter_is_not_offered(serve, make_machine):
    daemon = serve(machine=make_machine("ancient-2.6.32"), simulate=True)
    meters = os.listdir(daemon / "meters")
    assert "available" not in meters and {"used", "active", "total", "free"} <= set(meters)
    for name in ("memnotify", "simulate", "thresholds/low"):
        with pytest.raises(OSError):
            write_text(daemon / name, "available 5")
    assert os.listdir(daemon / "thresholds") == []


@pytest.mark.parametrize("name", ["odd-huge-numbers", "odd-free-above-total", "odd-unknown-values", "odd-counters-back",
                                  "debian-6.1-zram", "cpus64-6.1"])
def test_strange_machines_are_served(serve, make_machine, name):
    daemon = serve(machine=make_machine(name))
    for meter in os.listdir(daemon / "meters"):
        assert 0 <= daemon.meter(meter) < 1 << 64
        write_text(daemon / "thresholds" / meter, f"{meter} 50%")
        assert f"{meter} value=" in read_text(daemon / "thresholds" / meter)


def meters_in_kib(daemon):
    return {name: daemon.meter(name) * PAGE_KIB for name in os.listdir(daemon / "meters")}


def test_the_cache_of_zfs_counts_as_page_cache(serve, make_machine):
    machine = make_machine("like-zfs")
    available = parse(machine.text("meminfo").decode())["MemAvailable"]
    arcstats = "spl/kstat/zfs/arcstats"
    good = machine.text(arcstats)
    daemon = serve(machine=machine)
    used = machine.meters()["used"] * PAGE_KIB
    for size, reclaimable in ((83886080, 49152), (33554432, 0), (0, 0), (104857600, 69632), (1 << 50, 213124)):
        machine.replace(arcstats, re.sub(rb"^(size +4 +)\d+$", rb"\g<1>%d" % size, good, flags=re.MULTILINE))
        expected = available + reclaimable
        wait_until(lambda wanted=expected: daemon.meter("available") * PAGE_KIB == wanted, f"a cache of {size} bytes")
        assert daemon.meter("used") * PAGE_KIB == max(used - (size - 33554432) // 1024 if reclaimable else used, 0)
    (machine.path / arcstats).unlink()  # the module was unloaded
    wait_until(lambda: daemon.meter("available") * PAGE_KIB == available, "no cache")
    assert daemon.meter("used") * PAGE_KIB == used


def test_reserved_huge_pages_are_used(serve, make_machine):
    used = {name: make_machine(name).meters()["used"] for name in ("debian-6.12", "like-hugepages")}
    daemon = serve(machine=make_machine("like-hugepages"))
    assert daemon.meter("used") == used["like-hugepages"] == used["debian-6.12"] + 32768 // PAGE_KIB


def test_a_container_whose_numbers_went_below_0(serve, make_machine):
    shown = meters_in_kib(serve(machine=make_machine("like-lxcfs")))
    assert (shown["total"], shown["free"], shown["available"], shown["swap_free"]) == (131072, 0, 131072, 0)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("like-*")))
def test_machines_of_other_kinds_are_not_short_of_memory(serve, make_machine, name):
    daemon = serve(machine=make_machine(name))
    for device in ("oom_notify", "oom_notify_critical", "mem_notify"):
        assert read_text(daemon / device) == "ok\n"
    text = read_text(daemon / "memnotify").split()
    assert text[::2] == ["used", "active", "total"] and 0 < int(text[1]) < int(text[5])


@pytest.mark.parametrize("bad", sorted(set(BAD) - set(LACKING)))
def test_it_does_not_start_on_damage(tmp_path, bad):
    done = subprocess.run([PROGRAM, "-f", f"--proc={FIXTURES / bad}", tmp_path], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"cannot use '{FIXTURES / bad}/{name_of_bad(bad)}'" in done.stderr


@pytest.mark.parametrize("bad", LACKING)
def test_it_starts_without_what_was_never_there(serve, make_machine, bad):
    daemon = serve(machine=make_machine(bad))
    meters = os.listdir(daemon / "meters")
    assert "total" in meters
    assert ("file" in meters) == ("used" in meters) == (bad == "bad-vmstat-no-free")  # MemFree is there
    names = [name for name in ("used", "active", "total") if name in meters]
    assert read_text(daemon / "memnotify") == "".join(f"{name} {daemon.meter(name)} " for name in names)[:-1] + "\n"


def test_simulate_fixes_releases_and_resets(serve, machine):
    daemon = serve(machine=machine, simulate=True)
    real = machine.meters()
    assert read_text(daemon / "simulate") == ""
    daemon.simulate("used 90%\n")
    limit = -(-real["total"] * 90 // 100)
    assert read_text(daemon / "simulate") == f"used {limit}\n"
    daemon.simulate("active=0, free:4M")
    assert read_text(daemon / "simulate") == f"used {limit}\nactive 0\nfree {4096 // PAGE_KIB}\n"
    assert (daemon.meter("used"), daemon.meter("active"), daemon.meter("free")) == (limit, 0, 4096 // PAGE_KIB)
    daemon.simulate("used -")
    assert daemon.meter("used") == real["used"] and daemon.meter("active") == 0
    daemon.simulate("reset\n")
    assert read_text(daemon / "simulate") == ""
    assert daemon.meter("active") == real["active"]


def test_simulated_values_stay_while_real_ones_move(serve, machine):
    daemon = serve(machine=machine, simulate=True)
    daemon.simulate("used 12345")
    machine.replace("vmstat", machine.with_number("vmstat", "nr_mlock", 77))
    wait_until(lambda: daemon.meter("mlocked") == 77, "the edit to be seen")
    assert daemon.meter("used") == 12345


def test_percentages_are_of_the_simulated_total(serve, machine):
    daemon = serve(machine=machine, simulate=True)
    daemon.simulate("total 10000")
    daemon.simulate("used 50%")
    assert daemon.meter("used") == 5000
    write_text(daemon / "thresholds" / "low", "used 50%")
    assert "limit=5000 reached=1" in read_text(daemon / "thresholds" / "low")


def test_there_is_no_simulate_without_the_option(serve, machine):
    daemon = serve(machine=machine)
    assert not os.path.exists(daemon / "simulate")


def test_parameters_are_changed_while_it_runs(daemon):
    write_text(daemon / "parameters" / "update_space", "400")
    assert read_text(daemon / "parameters" / "update_space") == "400\n"
    daemon.simulate("used 1")
    with opened(daemon / "memnotify") as fd:
        os.write(fd, b"used 2000")
        daemon.simulate("used 2000")
        os.read(fd, 100)
        daemon.simulate("used 1950")
        assert not select.select([fd], [], [], 0)[0]
        write_text(daemon / "parameters" / "update_space", "4\n")
        assert select.select([fd], [], [], 0)[0]


def test_parameters_come_from_the_command_line(serve, machine):
    daemon = serve("-o", "update_period=20,max_update_period=3000", "-o", "fill_rate=1000", machine=machine)
    values = [read_text(daemon / "parameters" / name) for name in
              ("update_period", "max_update_period", "update_space", "fill_rate")]
    assert values == ["20\n", "3000\n", "0\n", "1000\n"]
