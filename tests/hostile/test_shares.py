# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one user has of the daemon does not shrink because another wants very much."""

import os
import re
import signal

import pytest

from clients import Child, opened, read_text, write_text
from hostile import ATTACKER, VICTIM, answer

METERS = ("used", "active", "total", "free", "available", "anon", "file", "shmem", "slab_reclaimable", "mlocked",
          "dirty", "swap_total", "swap_free", "swap_used")
THRESHOLDS = 2048 // len(METERS)  # of all meters, so that they have as many limits as one user may have
ROUNDS = 20
MINE = re.compile(r"^\S+ mine used (?:reached|left) ", re.MULTILINE)


def flood(daemon):
    """Each round of low and high numbers is some thousands of lines, more than are kept."""
    text = " ".join(f"{meter} 5000" for meter in METERS)
    for i in range(THRESHOLDS):
        write_text(daemon / "thresholds" / f"flood-{i}", text)
    return THRESHOLDS


def count_mine(fd, wanted):
    """Reads until so many lines of the threshold `mine` have come."""
    text = ""
    while len(MINE.findall(text)) < wanted:
        text += os.read(fd, 65536).decode()
    return len(MINE.findall(text))


def test_a_flood_of_events_pushes_out_nobody_elses(daemon):
    set_all = {pages: " ".join(f"{meter} {pages}" for meter in METERS) for pages in (4000, 6000)}
    wanted = 2 * ROUNDS

    def read_at_once(say):
        with opened(daemon / "events", os.O_RDONLY) as fd:
            say("open")
            say(count_mine(fd, wanted))

    def read_later(say):
        with opened(daemon / "events", os.O_RDONLY) as fd:
            say("open")
            os.read(gate, 1)
            say(count_mine(fd, wanted))

    def set_mine():
        write_text(daemon / "thresholds" / "mine", "used 5000")
        return "set"

    def cross():
        for _ in range(ROUNDS):
            daemon.simulate(set_all[6000])
            daemon.simulate(set_all[4000])
        return "crossed"

    gate, opener = os.pipe()
    assert answer(lambda: daemon.simulate(set_all[4000]), 0) is None
    assert answer(lambda: flood(daemon), ATTACKER) == THRESHOLDS
    assert answer(set_mine, 0) == "set"
    with Child(read_at_once, uid=VICTIM) as waiting, Child(read_later, uid=VICTIM) as slow:
        assert [waiting.hear(), slow.hear()] == ["open", "open"]
        assert answer(cross, 0) == "crossed"
        os.write(opener, b"\n")
        assert [waiting.hear(), slow.hear()] == [wanted, wanted]
    for fd in gate, opener:
        os.close(fd)


# ---- why writes were refused -----------------------------------------------------------------------------------

REFUSALS, REFUSALS_KEPT, REFUSAL_BYTES = 5000, 8, 480


def test_a_flood_of_refusals_pushes_out_nobody_elses_and_is_not_kept(daemon):
    def be_refused(text, times):
        with opened(daemon / "memnotify") as fd:
            for _ in range(times):
                with pytest.raises(OSError):
                    os.write(fd, text)
        return read_text(daemon / "errors")

    assert answer(lambda: be_refused(b"usd 5", 1), VICTIM).count("memnotify: ") == 1
    before = daemon.status_number("RssAnon")
    flooded = answer(lambda: be_refused(b"\x1b" * 4000, REFUSALS), ATTACKER)
    assert flooded.count("memnotify: ") == REFUSALS_KEPT
    assert len(flooded) <= REFUSALS_KEPT * REFUSAL_BYTES
    assert daemon.status_number("RssAnon") - before < 1024, "KiB of what was written"
    assert answer(lambda: read_text(daemon / "errors"), VICTIM).count("usd 5") == 1


# ---- the list of oom -------------------------------------------------------------------------------------------

def sleep(say):
    say("sleeping")
    while True:
        signal.pause()


def write_lists(daemon, say):
    """Lists himself and nobody, by turns."""
    say("begun")
    while True:
        write_text(daemon / "oom", str(os.getpid()))
        write_text(daemon / "oom", "\n")


def test_the_list_of_root_stays_whatever_a_stranger_writes(serve, make_machine):
    """With oom=kill he would disarm the machine."""
    daemon = serve("-o", "oom=kill,oom_limit=available<10%,oom_grace=600000,update_space=4",
                   machine=make_machine("debian-6.1"), simulate=True)
    daemon.expected += [r"oom: available is \d+ pages, limit < \d+: SIGTERM to \d+ \(.*\), of \d+ listed"]
    answer(lambda: daemon.simulate("available 50%"), 0)
    with Child(sleep) as victim:
        assert victim.hear() == "sleeping"
        answer(lambda: write_text(daemon / "oom", str(victim.pid)), 0)
        with Child(lambda say: write_lists(daemon, say), uid=ATTACKER) as attacker:
            assert attacker.hear() == "begun"
            for _ in range(ROUNDS):
                assert answer(lambda: read_text(daemon / "oom").split()[0], 0) == str(victim.pid)
                assert answer(lambda: read_text(daemon / "oom")) == "\n"  # nobody sees another's
        answer(lambda: daemon.simulate("available 5%"), 0)
        assert victim.wait() == -signal.SIGTERM
