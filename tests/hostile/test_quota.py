# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user may hold, and that who is refused something still has what he had."""

import errno
import os
import resource
import signal
import subprocess

import pytest
from clients import Child, opened, wait_until, write_text
from hostile import ATTACKER, VICTIM, answer, holdings, register, subscribe
from memcg_client import MIB, USAGE, Client

OPENS, LIMITS, SIGNALS, REGISTRATIONS, VICTIMS = 4096, 2048, 256, 1024, 128  # the share of a user
BYTES = 8 << 20
ANOTHER = 5003


def take(one, most=100000):
    """Does it until it is refused: how often, and the errno."""
    for n in range(most):
        try:
            one(n)
        except OSError as error:
            return n, errno.errorcode[error.errno]
    return most, None


def held(daemon, uid):
    """What the file `users` says of a user."""
    return holdings((daemon / "users").read_text()).get(uid, {})


def holding(daemon, function, uid=ATTACKER):
    """A child that has done this and stays."""
    def stay(say):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        os.chdir(daemon.mountpoint)
        say(function())
        signal.pause()

    return Child(stay, uid=uid)


def fork_sleeper():
    pid = os.fork()
    if pid == 0:
        signal.pause()
    return pid


def open_many(name, flags=os.O_RDONLY, then=lambda fd: None):
    fds = []

    def one(_):
        fds.append(os.open(name, flags))
        then(fds[-1])

    result = take(one)
    open_many.kept = fds  # until the process ends
    return result


def test_open_files(daemon):
    with holding(daemon, lambda: open_many("events")) as attacker:
        assert attacker.hear() == [OPENS, "EDQUOT"]
        assert held(daemon, ATTACKER)["opens"] == OPENS
        assert daemon.is_used_well()
        assert answer(lambda: held(daemon, ATTACKER)["opens"], 0) == OPENS
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


@pytest.mark.parametrize("name", ["zoneinfo", "metrics"])
def test_texts_that_are_being_read(daemon, name):
    length = len((daemon / name).read_bytes())
    before = daemon.status_number("RssAnon")
    with holding(daemon, lambda: open_many(name, then=lambda fd: os.read(fd, 1))) as attacker:
        n, why = attacker.hear()
        assert (why, n <= OPENS) == ("EDQUOT", True)
        assert held(daemon, ATTACKER)["bytes"] <= BYTES
        assert n == OPENS or n * length > BYTES / 2
        assert daemon.status_number("RssAnon") < before + 16 * 1024
        assert daemon.is_used_well()
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")
    wait_until(lambda: daemon.status_number("RssAnon") < before + 1024, "the machine to have its memory again")


def test_readers_of_the_same_text_share_it(serve, make_machine):
    """Those of root, who may have as many as there are."""
    daemon = serve(machine=make_machine("cpus64-6.1"))
    length = len((daemon / "zoneinfo").read_bytes())
    many = (64 << 20) // length

    def read_many():
        for _ in range(many):
            os.read(os.open("zoneinfo", os.O_RDONLY), 1)
        return "read"

    before = daemon.status_number("RssAnon")
    with holding(daemon, read_many, uid=0) as reader:
        assert reader.hear() == "read"
        assert held(daemon, 0)["bytes"] > 60 << 20
        assert daemon.status_number("RssAnon") < before + 16 * 1024


def test_limits(daemon):
    text = b"used 1 active 2 total 3 free 4 available 5 anon 6 file 7 shmem 8"
    most = LIMITS // 8

    def fill():
        result = open_many("memnotify", os.O_RDWR, lambda fd: os.write(fd, text))
        last = open_many.kept[-1]
        os.write(last, b"used 1")  # it has none, as before, and one is too much
        return result

    with holding(daemon, lambda: take(lambda _: fill(), 1)) as attacker:
        assert attacker.hear() == [0, "EDQUOT"]
        assert held(daemon, ATTACKER)["limits"] == most * 8
        assert daemon.is_used_well()
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_a_refused_write_leaves_the_limits_as_they_were(daemon):
    """Of the open file, and of a threshold."""
    def fill():
        with opened("memnotify") as mine:
            write_text("thresholds/mine", "used 1")
            os.write(mine, b"used 50%")
            with opened("thresholds/mine") as threshold:
                for _ in range((LIMITS - 2) // 2):
                    os.write(os.open("memnotify", os.O_RDWR), b"used 1 active 1")
                refused = [take(lambda _, fd=fd: os.write(fd, b"used 1 active 1"), 1) for fd in (mine, threshold)]
                return refused, os.read(threshold, 4096).split()[0].decode()

    with holding(daemon, fill) as attacker:
        assert attacker.hear() == [[[0, "EDQUOT"], [0, "EDQUOT"]], "used"]
    wait_until(lambda: held(daemon, ATTACKER).get("limits") == 1, "all but the threshold to be given back")


def test_signals(daemon):
    def fill():
        fds = []

        def one(_):
            fds.append(os.open("oom_notify", os.O_RDWR))
            os.write(fds[-1], b"signal USR1")

        return take(one), [os.write(fds[0], b"signal USR2"), os.write(fds[0], b"signal off")]

    with holding(daemon, fill) as attacker:
        assert attacker.hear() == [[SIGNALS, "EDQUOT"], [11, 10]]
        assert held(daemon, ATTACKER)["signals"] == SIGNALS - 1
        assert held(daemon, ATTACKER)["descriptors"] == 2 * SIGNALS - 2
        assert answer(lambda: subscribe(daemon.mountpoint)) == 0
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_registrations(daemon):
    """Also over several processes, and what each takes of our descriptors."""
    def fill():
        with Client(daemon / "memcg") as client:
            return take(lambda n: done(client.register(USAGE, str((n + 1) * MIB))))

    def done(error):
        if error:
            raise OSError(error, "")

    with holding(daemon, fill) as first:
        assert first.hear() == [REGISTRATIONS, "EDQUOT"]
        wait_until(lambda: held(daemon, ATTACKER).get("registrations", 0) == 0, "what was closed to be noticed")
    with holding(daemon, lambda: register(daemon.mountpoint)) as another:
        assert another.hear() == 0
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_processes_to_be_sacrificed(daemon):
    """Those of a user who has reached his share, and a text that is longer than any list he may have."""
    def fill():
        children = [fork_sleeper() for _ in range(VICTIMS + 1)]
        fd = os.open("oom", os.O_RDWR)
        texts = [" ".join(map(str, children[:n])) for n in (VICTIMS, VICTIMS + 1)] + [" " * 5000 + str(children[0])]
        results = [take(lambda _, text=text: os.write(fd, text.encode()), 1)[1] for text in texts]
        for child in children:
            os.kill(child, signal.SIGKILL)
        return results

    with holding(daemon, fill) as attacker:
        assert attacker.hear() == [None, "EDQUOT", "EDQUOT"]
        wait_until(lambda: held(daemon, ATTACKER)["victims"] == 0, "those that have ended to leave")
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_rankings(daemon):
    """Each open file holds one, of whatever length: as many as there is room for. Here only for a few, since time is
    shared as well: to make thousands would take minutes where many processes run."""
    few = 40

    def open_rankings():
        open_rankings.kept = [os.open("events", os.O_RDONLY) for _ in range(OPENS - few)]
        return open_many("oom_ranking", then=lambda fd: os.read(fd, 1))

    with holding(daemon, open_rankings) as attacker:
        assert attacker.hear() == [few, "EDQUOT"]
        assert held(daemon, ATTACKER)["bytes"] <= BYTES
        assert daemon.is_used_well()
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_root_finds_room_where_all_others_have_all_they_may(daemon):
    """Seventeen users take as many thresholds as they get; they stay when they have gone."""
    def fill():
        return take(lambda n: write_text(daemon / "thresholds" / f"{os.getuid()}-{n}", ""))[1]

    for uid in range(6000, 6017):
        assert answer(fill, uid) == "EDQUOT"
    assert answer(lambda: write_text(daemon / "thresholds" / "another", "used 1"), ANOTHER) is None
    assert answer(lambda: write_text(daemon / "thresholds" / "roots", "used 1"), 0) is None


@pytest.fixture
def subordinate_ids(tmp_path):
    """User 1001 has the ids from 200000 on, in this mount namespace."""
    ids = tmp_path / "subuid"
    ids.write_text(f"{ATTACKER}:200000:65536\n", encoding="ascii")
    subprocess.run(["mount", "--bind", ids, "/etc/subuid"], check=True)
    yield
    subprocess.run(["umount", "/etc/subuid"], check=True)


def test_subordinate_ids_are_the_users(subordinate_ids, daemon):
    def one():
        return take(lambda n: write_text(daemon / "thresholds" / f"{os.getuid()}-{n}", ""), 100)

    assert answer(one, ATTACKER) == [100, None]
    assert answer(one, 200000) == [100, None]
    assert answer(one, 265535) == [56, "EDQUOT"]
    assert answer(one, 200001) == [0, "EDQUOT"]
    assert answer(one, 265536) == [100, None]
    assert held(daemon, ATTACKER)["thresholds"] == 256


def test_who_is_not_the_owner_may_not_see_who_holds_what(daemon):
    assert answer(lambda: (daemon / "users").read_text(), VICTIM) == "EACCES"
