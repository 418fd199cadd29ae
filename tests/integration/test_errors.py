# SPDX-License-Identifier: LGPL-2.1-or-later
"""errors: each user reads why his last writes were refused."""

import os
import re

import pytest

from clients import Child, opened, read_text, write_text

ALICE, BOB = 61001, 61002


def refused(path, text):
    with pytest.raises(OSError):
        write_text(path, text)


def entries(daemon):
    """[("thresholds/low", "why", "text", "    ^")] as the reader is shown them."""
    lines = read_text(daemon / "errors").splitlines()
    found = []
    for line in lines:
        match = re.fullmatch(r"\d+\.\d{6} (\S+): (.*)", line)
        if match:
            found.append(list(match.groups()))
        else:
            assert line.startswith("    ")
            found[-1].append(line[4:])
    return [tuple(entry) for entry in found]


def test_nobody_was_refused(daemon):
    write_text(daemon / "thresholds" / "low", "used 80%")
    assert read_text(daemon / "errors") == ""


def test_each_file_says_what_is_wrong(daemon):
    unit = "there is no such unit; K M G T, KiB MiB GiB TiB are by 1024, kB MB GB TB by 1000, % of total"
    trigger = "a trigger is 'some' or 'full', how many us of how many, as in 'some 150000 1000000'"
    write_text(daemon / "thresholds" / "low", "used 80%")
    for name, text, why, caret in (
            ("memnotify", "80%\n", "the name of a meter is missing before it, as in 'used 80%'", "^"),
            ("meters/used", "10KB", unit, "  ^"),
            ("meters/used", "5 6", "there may be one limit here, without the name of the meter", "  ^"),
            ("thresholds/low", "used 80% usd 5", "there is no meter of that name", "         ^"),
            ("parameters/update_period", "10ms\n", "a number from 1 to 86400000 is needed, and nothing else", "  ^"),
            ("parameters/update_period", "0", "a number from 1 to 86400000 is needed, and nothing else", "^"),
            ("simulate", "used 5% reset", "there is nothing of that name that could be simulated", "        ^"),
            ("pressure", "some 5", trigger, "^"),
            ("oom", "1234x", "the number of a process is needed here, and a blank behind it", "    ^"),
            ("memcg/cgroup.event_control", "5\n", "an eventfd and a file are needed, as in '5 7' or '5 7 50M'", " ^")):
        refused(daemon / name, text)
        assert entries(daemon)[-1] == (name, why, text.strip(), caret), name


def test_what_is_no_matter_of_the_text(daemon):
    refused(daemon / "memcg" / "memory.oom_control", "1")
    assert entries(daemon) == [("memcg/memory.oom_control", os.strerror(95), "1")]


def test_the_last_eight(daemon):
    for number in range(20):
        refused(daemon / "memnotify", f"usd {number}")
    assert [text for _, _, text, _ in entries(daemon)] == [f"usd {number}" for number in range(12, 20)]


def test_a_user_sees_his_own(daemon):
    def be_refused(say):
        refused(daemon / "memnotify", "used 5 of alice")
        say(read_text(daemon / "errors"))

    def look(say):
        say(read_text(daemon / "errors"))

    with Child(be_refused, uid=ALICE) as alice, Child(look, uid=BOB) as bob:
        assert "of alice" in alice.hear()
        assert alice.wait() == 0
        assert bob.hear() == ""
    assert entries(daemon) == []
    with Child(look, uid=ALICE) as alice:
        assert "of alice" in alice.hear(), "they outlive what he had open"


def test_it_is_the_opener_who_was_refused(daemon):
    """Who was given the file has written what its owner should know."""
    with opened(daemon / "memnotify", os.O_RDWR) as fd:
        def write(_say):
            with pytest.raises(OSError):
                os.write(fd, b"usd 5")

        with Child(write, uid=ALICE) as alice:
            assert alice.wait() == 0
    assert [text for _, _, text, _ in entries(daemon)] == ["usd 5"]


def test_no_terminal_obeys_it(daemon):
    refused(daemon / "memnotify", "used \x1b[31m5\n\N{RIGHT-TO-LEFT OVERRIDE}\0\xff".encode())
    text = read_text(daemon / "errors")
    assert "used \\033[31m5\\n\\342\\200\\256\\000" in text
    assert text.replace("\n", "").isprintable()


def test_a_long_text_is_shown_where_it_is_wrong(daemon):
    refused(daemon / "memnotify", "used 5" + " " * 1000 + "usd 7" + " " * 1000)
    ((_, _, text, caret),) = entries(daemon)
    assert text[len(caret) - 1:].startswith("usd 7")
    assert len(read_text(daemon / "errors")) < 512


def test_it_can_be_read_in_small_pieces_and_not_written(daemon):
    refused(daemon / "memnotify", "usd 7")
    whole = read_text(daemon / "errors")
    with opened(daemon / "errors", os.O_RDONLY) as fd:
        pieces = iter(lambda: os.read(fd, 1), b"")
        assert b"".join(pieces).decode() == whole
    with Child(lambda say: say(os.access(daemon / "errors", os.W_OK)), uid=ALICE) as alice:
        assert alice.hear() is False
