# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ways to read that keep something of others' busy until there is an answer: background requests, locked pages. And
what each way gets from each kind of file."""

import errno
import os
import re
import signal

import pytest

from clients import Child, opened, read_all, sleeps_in, wait_until, write_text
from hostile import ATTACKER, VICTIM, answer, subscribe

# More than the kernel has slots for requests in the background, among them the RELEASE of everybody's files.
MANY_READS = 16


def test_asynchronous_reads_keep_no_file_open(daemon, attack):
    before = daemon.fds()
    attack("aio_reads", daemon.mountpoint, MANY_READS)
    wait_until(lambda: daemon.connection.waiting() == MANY_READS, "the reads to wait")

    assert answer(lambda: subscribe(daemon.mountpoint)) == 0
    wait_until(lambda: daemon.connection.waiting() == MANY_READS, "the file to be released")
    assert daemon.fds() == before


# ---- pages -----------------------------------------------------------------------------------------------------

PAGE_READS = ["splice", "sendfile", "mmap-private", "mmap-shared"]


def open_and_close(daemon):
    with opened(daemon / "events", os.O_RDONLY):
        return "opened"


@pytest.mark.parametrize("method", PAGE_READS)
def test_a_page_of_events_is_refused(daemon, attack, method):
    """At once: neither who opens the file nor who looks at that process waits for a page."""
    attackers = [attack("reader", method, daemon / "events") for _ in range(3)]
    for attacker in attackers:
        assert attacker.hear() == "open"
    for uid in VICTIM, 0:
        assert answer(lambda: open_and_close(daemon), uid) == "opened"
    for attacker in attackers:
        attacker.kill()  # a task that ends waits for those who look at its memory
        assert answer(lambda pid=attacker.pid: read_all(f"/proc/{pid}/cmdline").decode(), 0) is not None
        assert attacker.output() == b""
        attacker.wait()


def set_limit(daemon):
    """One that 6000 reaches."""
    daemon.simulate("used 4000")
    write_text(daemon / "thresholds" / "low", "used 5000")


def test_events_is_read_on_meanwhile(daemon, attack):
    def read_two(say):
        with opened(daemon / "events", os.O_RDONLY) as fd:
            say("open")
            for _ in range(2):
                say(os.read(fd, 200).decode())

    answer(lambda: set_limit(daemon), 0)
    with Child(read_two, uid=VICTIM) as reader:
        assert reader.hear() == "open"
        for meter, state in (6000, "reached"), (4000, "left"):
            attackers = [attack("reader", method, daemon / "events") for method in PAGE_READS]
            assert [attacker.hear() for attacker in attackers] == ["open"] * len(attackers)
            answer(lambda pages=meter: daemon.simulate(f"used {pages}"), 0)
            assert f" low used {state} {meter} " in reader.hear()


# ---- the table -------------------------------------------------------------------------------------------------

TEXT = "text"    # the whole text of the file
LINE = "line"    # the next event, for which it is waited
AGAIN = "again"  # the text again and again: io_uring goes on until its buffer is full, and FUSE from the same offset
WAITS = "waits"  # for poll(), which io_uring asks first, or for more, see AGAIN
SIGBUS, EINVAL, ENODEV, ESPIPE = "SIGBUS", "EINVAL", "ENODEV", "ESPIPE"

METHODS = ["read", "pread", "splice", "sendfile", "mmap-private", "mmap-shared", "aio", "io_uring"]
A_TEXT = [TEXT, TEXT, TEXT, TEXT, TEXT, ENODEV, TEXT, AGAIN]
A_WAITED_TEXT = [TEXT, TEXT, TEXT, TEXT, TEXT, ENODEV, TEXT, WAITS]
NO_TEXT = [EINVAL, EINVAL, EINVAL, EINVAL, SIGBUS, ENODEV, EINVAL, EINVAL]
TABLE = {
    "memnotify": A_TEXT,
    "meters/used": A_TEXT,
    "thresholds/low": A_WAITED_TEXT,
    "events": [LINE, ESPIPE, EINVAL, EINVAL, SIGBUS, ENODEV, LINE, WAITS],
    "errors": A_TEXT,
    "parameters/update_period": A_TEXT,
    "oom_notify": A_WAITED_TEXT,
    "oom_notify_critical": A_WAITED_TEXT,
    "mem_notify": A_WAITED_TEXT,
    "zoneinfo": A_TEXT,
    "pressure": A_TEXT,
    "oom": A_TEXT,
    "oom_ranking": A_TEXT,
    "metrics": A_TEXT,
    "metrics.prom": A_TEXT,
    "memcg/memory.usage_in_bytes": A_TEXT,
    "memcg/memory.limit_in_bytes": A_TEXT,
    "memcg/memory.oom_control": A_TEXT,
    "memcg/memory.pressure_level": NO_TEXT,
    "simulate": A_TEXT,
}
NOT_HERE = 255


def compare(name, text, whole):
    if name == "oom_ranking":  # which processes there are has changed since
        lines = text.split(b"\n")
        assert all(len(line.split(b" ", 4)) == 5 for line in lines[:-1])
        return TEXT if lines[-1] == b"" and len(text) < 2 * len(whole) else AGAIN
    if name.startswith("metrics"):  # numbers have changed since
        text, whole = (re.sub(rb"[\d.]+$", b"", each, flags=re.MULTILINE) for each in (text, whole))
    if text == whole:
        return TEXT
    return AGAIN if len(text) > len(whole) and (whole * (len(text) // len(whole) + 1)).startswith(text) else text


def outcome_of(name, reader, whole):
    text = reader.output().rstrip(b"\0")
    status = reader.wait()
    if status == NOT_HERE:
        return "not here"
    if status < 0:
        return signal.Signals(-status).name
    if status > 0:
        return errno.errorcode[status]
    if name == "events":
        return LINE if text.endswith(b"\n") and text.count(b"\n") == 1 else text
    return compare(name, text, whole)


def has_ended(reader):
    return reader.process.poll() is not None


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("method", METHODS)
def test_what_each_way_of_reading_gets(daemon, attack, name, method):
    expected = TABLE[name][METHODS.index(method)]

    def look():
        return read_all(daemon / name).decode() if TEXT in TABLE[name] else ""

    answer(lambda: set_limit(daemon), 0)
    assert answer(lambda: write_text(daemon / "memnotify", "usd 5"), ATTACKER) == "EINVAL"  # so errors is not empty
    whole = answer(look, ATTACKER).encode()
    reader = attack("reader", method, daemon / name)
    assert reader.hear() == "open"
    if expected in (LINE, WAITS):
        wait_until(lambda: has_ended(reader) or sleeps_in(reader.pid, ""), "the reader to wait")
    if expected == LINE:
        answer(lambda: daemon.simulate("used 6000"), 0)
    if expected == WAITS and not has_ended(reader):
        return
    outcome = outcome_of(name, reader, whole)
    if outcome == "not here":
        pytest.skip(f"no {method} here")
    assert outcome == expected
