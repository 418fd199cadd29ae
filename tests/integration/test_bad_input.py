# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input gets EINVAL and nothing is lost: neither limits, nor state, nor a pending event."""

import errno
import os
import select
import subprocess

import pytest

from clients import events_now, is_ready, opened, read_text, wait_until, write_text

# Wrong wherever limits are written, with or without the name of a meter in front.
BAD_AMOUNTS = [
    b"-5", b"- 5", b"+5", b"10X", b"10KB", b"5K5", b"10 K", b"101%", b"-1%", b"%", b"5%%", b"five", b"0x10",
    b"1.5", b"1.G", b".5G", b"7.5555555%", b"100.1%", b"10mb", b"1e3",
    b"18446744073709551616", b"99999999999999999999999999999999", b"16777216T", b"18446744073709551615G",
    b"=> 5", b"> = 5", b"> 18446744073709551615", b"= = >", b"== <", b"<", b">=", b"<>5", b"5;", b"5 6",
    b"5 # five\n6", b"5 # fi\0ve", b"5\0 6", b"5\0\0", b"\0005",
    b"5 \xc3", b"\xe2\x82", b"\xff\xfe5", bytes(range(256)), bytes(5000), b"5" + b" " * 4999, b"5\n" * 2500,
    "5\N{NO-BREAK SPACE}".encode(), "\N{ARABIC-INDIC DIGIT FIVE}".encode(),
]
BAD_SETS = [b"used " + amount for amount in BAD_AMOUNTS] + [
    b"used", b"used ", b"used 5 active", b"used 5 used 6", b"used 5 used 5", b"foo 5", b"used 5 foo 6", b"foo", b"5",
    b"Used 5", b"USED 5", b"used5", b"unused 5", b"used_ 5", b"swap 5", b"used 5active 6", b"used\0 5", b"us\0ed 5",
    b"reset", b"-", b"used -", b"\0\0", b"\x1b[31m", b"used 5 \x80", b"caf\xc3\xa9 5", b"caf\xc3", b"x" * (1 << 20),
]  # but not "\0", which is an empty text with its final NUL

READY = select.POLLIN | select.POLLPRI


def refused(fd, text):
    with pytest.raises(OSError) as caught:
        os.write(fd, text)
    return caught.value.errno == errno.EINVAL


def test_memnotify_keeps_limits_state_and_event(daemon):
    for text in BAD_SETS:
        daemon.simulate("used 1 active 1")
        with opened(daemon / "memnotify") as fd:
            os.write(fd, b"used 2000 active 3000")
            assert refused(fd, text), text
            assert not is_ready(fd), text
            daemon.simulate("used 2000")
            assert is_ready(fd), text

            assert refused(fd, text), text
            assert is_ready(fd), f"{text}: the pending event is lost"
            os.read(fd, 100)
            assert not is_ready(fd)
            daemon.simulate("active 3000")
            assert is_ready(fd), text


def test_a_meter_keeps_its_limit_and_state(daemon):
    for text in [*BAD_AMOUNTS, b"used 5", b"5 6", b"x"]:
        daemon.simulate("used 1")
        with opened(daemon / "meters" / "used") as fd:
            os.write(fd, b"2000")
            os.read(fd, 100)
            assert refused(fd, text), text
            assert not events_now(fd, READY), text
            daemon.simulate("used 2000")
            assert events_now(fd, READY) == READY, text
            assert refused(fd, text), text
            assert events_now(fd, READY) == READY, text
            assert os.pread(fd, 100, 0) == b"2000\n"
            assert not events_now(fd, READY), text


def test_a_threshold_keeps_its_limits_state_and_counts(daemon):
    low = daemon / "thresholds" / "low"
    daemon.simulate("used 1 active 1")
    write_text(low, "used 2000 active <3")
    with opened(low) as fd:
        daemon.simulate("used 2000")
        text = os.pread(fd, 4096, 0)
        assert b"crossings=1" in text
        for bad in BAD_SETS:
            for offset in (0, 7):
                with pytest.raises(OSError) as caught:
                    os.pwrite(fd, bad, offset)
                assert caught.value.errno == errno.EINVAL, bad
            assert not events_now(fd, READY), bad
            assert read_text(low).encode() == text, bad

        daemon.simulate("used 1")
        for bad in BAD_SETS:
            assert refused(fd, bad)
        assert events_now(fd, READY) == READY
        assert b"crossings=2" in os.pread(fd, 4096, 0)


def test_a_new_threshold_with_a_bad_first_write_is_not_left_behind(daemon):
    """Not even while others have it open, who are told."""
    bad = daemon / "thresholds" / "bad"
    fd = os.open(bad, os.O_RDWR | os.O_CREAT)
    with opened(bad, os.O_RDONLY) as other:
        assert refused(fd, b"used 10X")
        assert read_text(bad) == "", "not before it is closed"
        os.close(fd)
        wait_until(lambda: os.listdir(daemon / "thresholds") == [], "its end")
        assert events_now(other) & select.POLLHUP
    assert is_refused_by_shell(f"echo 'usd 80%' >{bad}")
    assert os.listdir(daemon / "thresholds") == []
    assert "usd 80%" in read_text(daemon / "errors")


def is_refused_by_shell(script):
    return subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("script", [
    "touch low", ": >low", "(echo 'usd 80%'; echo) >low", "echo >low; echo 'usd 80%' >low",
    "touch low; echo 'usd 80%' >low", "exec 3>low; echo 'usd 80%' >&3; echo >low; exec 3>&-"])
def test_an_empty_threshold_stays_where_that_is_not_all_that_was_done(daemon, script):
    is_refused_by_shell(f"cd {daemon / 'thresholds'}; {script} 2>/dev/null")
    assert read_text(daemon / "thresholds" / "low") == ""


@pytest.mark.parametrize("parameter", ["update_period", "max_update_period", "update_space", "fill_rate"])
def test_a_parameter_keeps_its_value(daemon, parameter):
    path = daemon / "parameters" / parameter
    value = read_text(path)
    texts = [b"\n", b"-1", b"+1", b"x", b"1 2", b"1\n2", b" 1", b"1 ", b"1.5", b"0x10", b"1K", b"18446744073709551616",
             b"1\0002", b"\xc3", bytes(5000), b"1" * 5000, b"\0", parameter.encode() + b" 5"]
    if parameter in ("update_period", "max_update_period"):
        texts += [b"0", b"86400001"]
    with opened(path) as fd:
        for text in texts:
            assert refused(fd, text), text
            assert read_text(path) == value, text


def test_simulate_keeps_its_values(daemon):
    daemon.simulate("reset")
    daemon.simulate("used 1000 active 2000")
    before = read_text(daemon / "simulate")
    assert before == "used 1000\nactive 2000\n"
    amounts = [amount for amount in BAD_AMOUNTS if amount != b"- 5"]
    texts = [text for text in BAD_SETS if text not in (b"reset", b"used -", b"used - 5")]
    texts += [b"used " + amount for amount in amounts]
    texts += [b"reset used 5", b"reset reset", b"resetused", b"used - used 5", b"used --", b"used -5", b"used >=5",
              b"used <5"]
    with opened(daemon / "simulate") as fd:
        for text in texts:
            assert refused(fd, text), text
            assert read_text(daemon / "simulate") == before, text
    assert daemon.meter("used") == 1000


def test_what_cannot_be_written_says_so(daemon):
    with pytest.raises(OSError) as caught, opened(daemon / "events", os.O_WRONLY) as fd:
        os.write(fd, b"used 5")
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError) as caught, opened(daemon.mountpoint, os.O_WRONLY):
        pass
    assert caught.value.errno == errno.EISDIR


@pytest.mark.parametrize("text", [b"used 5 ", b"used 5\0", b"used   5\n\n", b"used,5", b"used:5", b"used=5",
                                  b"used >=5", b"used >5", b"used<= 5", b"used 7.5%", b"used 1.5GiB", b"used 500MB",
                                  b"used 5 # five", b"# five\nused 5 # five\n# five",
                                  b"used value=1 op=>= limit=5 reached=0 crossings=0\n"])
def test_nothing_good_is_refused(daemon, text):
    with opened(daemon / "memnotify") as fd:
        assert os.write(fd, text) == len(text)
