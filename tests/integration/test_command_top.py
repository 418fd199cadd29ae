# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify top in a terminal: what is on the screen, and that the terminal is as it was when it ends."""

import ctypes
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from clients import TIMEOUT_S, Child, wait_until, write_text
from command import MEMNOTIFY
from terminal import PROMPT, Terminal

KEYS = r"^q quit "
PLENTY = "available 60%"
DEFAULT_SIZES = [(80, 24), (200, 60)]


@pytest.fixture
def place(serve, make_machine):
    """A machine that stands still, with much of its memory available, and a limit that is far."""
    daemon = serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate(PLENTY)
    write_text(daemon / "thresholds" / "short", "available<10%")
    return daemon


@pytest.fixture
def terminal():
    with Terminal() as own:
        yield own


def start(terminal, *options, variables=""):
    """Starts it at a pace that nobody has to wait for, and waits for all of its screen."""
    terminal.type(" ".join([variables, MEMNOTIFY, "top --delay 100ms", *map(str, options)]))
    terminal.wait_for(r"^Memory of the ")
    return terminal.child("memnotify")


def at(place):
    return ["--at", place.mountpoint]


def state_of(terminal):
    """What programs change of a terminal, and have to put back."""
    facts = ["alternate_on", "cursor_flag", "keypad_flag", "keypad_cursor_flag", "mouse_any_flag", "insert_flag"]
    return [terminal.run("stty -g")[0], *map(terminal.ask, facts)]


def heights(terminal):
    """How high the columns of the graph are, from left to right: in rows, those that are filled in part not counted."""
    return [sum(cell == "█" for cell in column) for column in zip(*[line.ljust(400) for line in terminal.lines()])]


# --- what is shown ---


@pytest.mark.parametrize("columns, rows", DEFAULT_SIZES)
def test_everything_has_its_place(place, columns, rows):
    with Terminal(columns, rows) as terminal:
        start(terminal, *at(place))
        terminal.wait_for("█.*█ *$")
        lines = terminal.lines()[:rows]
        assert re.search(r"^Memory of the machine, .*, from /\S+  .*every 0.1s$", lines[0])
        assert [line.split()[0] for line in lines[1:3]] == ["available", "used"]
        assert "pressure" in lines[1] and "some wait" in lines[2] and "all wait" in lines[3]
        assert lines[4] == "1 limit: none is reached"
        assert re.search(r"^available .* of .*%  Memory that can be had without swapping\.$", lines[5])
        line = next(line for line in lines if "short <" in line)
        assert re.search(r"── short <\d[.\dKMGT]* ─+$", line) and len(line) == columns
        assert any(re.search(r"^ +-\d+s +now$", line) for line in lines)
        assert "Events" in lines and "  none since the start" in lines
        assert any(line.startswith("Grown ") for line in lines)
        assert re.search(KEYS + r".*h help$", lines[rows - 1])
        assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("columns, rows", DEFAULT_SIZES)
def test_a_limit_that_is_reached_is_told(place, columns, rows):
    with Terminal(columns, rows) as terminal:
        start(terminal, *at(place))
        terminal.wait_for("1 limit: none is reached")
        terminal.wait_for("█$")
        place_simulate(place, "available 5%")
        terminal.wait_for(r"^1 limit: reached: short \(available < ")
        terminal.wait_for(r"^  20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} short available reached \S+ limit \S+$")
        wait_until(lambda: heights(terminal)[columns - 1] < max(heights(terminal)), "the graph to fall")
        place_simulate(place, PLENTY)
        terminal.wait_for("1 limit: none is reached")
        terminal.wait_for(r" short available left ")


def place_simulate(place, words):
    """As a person does it."""
    subprocess.run([MEMNOTIFY, "simulate", *map(str, at(place)), *words.split()], check=True, timeout=TIMEOUT_S)


def grow(say):
    """A process that takes 200 MB when it is told to."""
    ctypes.CDLL(None).prctl(15, b"grower", 0, 0, 0)  # PR_SET_NAME
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    say("ready")
    signal.sigwait([signal.SIGUSR1])
    memory = bytearray(200 * 10**6)
    say(len(memory))
    signal.pause()


@pytest.mark.parametrize("columns, rows", DEFAULT_SIZES)
def test_who_grows_is_listed(place, terminal, columns, rows):
    terminal.resize(columns, rows)
    with Child(grow) as child:
        child.hear()
        start(terminal, *at(place))
        terminal.wait_for("^Grown ")
        terminal.wait_for("█$")
        assert not terminal.has("grower")
        child.signal(signal.SIGUSR1)
        child.hear()
        terminal.wait_for(rf"^ *{child.pid} +2\d\dM +\+19\dM  .*  grower$")
        terminal.press("r")
        terminal.wait_for_no("grower")
    terminal.wait_for_no("grower")


def name_itself(say):
    ctypes.CDLL(None).prctl(15, b"\033[2J\377", 0, 0, 0)  # PR_SET_NAME
    memory = bytearray(50 << 20)
    say(len(memory))
    signal.pause()


def test_a_name_tells_the_terminal_nothing(place, terminal):
    terminal.resize(120, 60)
    start(terminal, *at(place))
    with Child(name_itself) as child:
        child.hear()
        terminal.wait_for(rf"^ *{child.pid} .*  \\033\[2J\\377$")
        terminal.wait_for("^Memory of the machine")


def test_kernel_threads_are_left_out(terminal, place):
    start(terminal, *at(place))
    terminal.resize(200, 60)
    terminal.wait_for(r"^Grown ")
    terminal.wait_for("█$")
    assert not terminal.has("kworker|kthreadd|ksoftirqd")


# --- keys ---


def test_meters_are_chosen(place, terminal):
    start(terminal, *at(place))
    for key, meter in [("m", "anon"), ("Right", "file"), ("Left", "anon"), ("Up", "available"), ("Left", "free")]:
        terminal.press(key)
        terminal.wait_for(rf"^{meter} .* of ")
    assert not terminal.has("short <")


def test_zoom(place, terminal):
    place_simulate(place, "available 5%")
    start(terminal, *at(place))
    terminal.wait_for("reached: short")
    assert heights(terminal)[79] == 0
    terminal.press("z")
    wait_until(lambda: heights(terminal)[79] > 0, "the graph to grow")
    terminal.press("z")
    wait_until(lambda: heights(terminal)[79] == 0, "the graph to shrink")


def test_pause(place, terminal):
    start(terminal, *at(place))
    terminal.wait_for("█$")
    terminal.press("p")
    terminal.wait_for("paused$")
    place_simulate(place, "available 5%")
    terminal.press("Left")
    terminal.wait_for("^free .* of ")
    terminal.press("Right")
    terminal.wait_for("^available .* of ")
    lines = terminal.lines()
    terminal.press("m")  # shows that it does not sleep
    terminal.wait_for("^anon .* of ")
    terminal.press("Left")
    terminal.wait_for("^available .* of ")
    assert terminal.lines() == lines
    terminal.press("p")
    terminal.wait_for("reached: short")


def test_pace(place, terminal):
    start(terminal, *at(place))
    for key, note in [("-", "0.2s"), ("-", "0.5s"), ("+", "0.2s"), ("+", "0.1s"), ("+", "0.1s"), ("-", "0.2s")]:
        terminal.press(key)
        terminal.wait_for(f"every {note}$")


def test_help(place, terminal):
    start(terminal, *at(place))
    terminal.press("?")
    terminal.wait_for("^Keys$")
    assert terminal.has("^  q  end$")
    terminal.press("x")
    terminal.wait_for("^Grown ")
    terminal.press("h")
    terminal.wait_for("^Keys$")
    terminal.press("q")
    terminal.wait_for(PROMPT + "$")


# --- kinds of terminals ---


def test_resize(place, terminal):
    pid = start(terminal, *at(place))
    for columns, rows in [(200, 60), (20, 5), (1, 1), (3, 60), (200, 2), (50, 12), (80, 24)]:
        terminal.resize(columns, rows)
        if columns >= 20 and rows >= 5:
            wait_until(lambda: terminal.lines()[rows - 1].startswith("q quit  m"), f"{columns} x {rows}")
            assert all(len(line) <= columns for line in terminal.lines())
    terminal.wait_for("^Grown ")
    assert terminal.child("memnotify") == pid


def test_without_utf8(place):
    with Terminal(locale="C") as terminal:
        start(terminal, *at(place))
        terminal.wait_for("#$")
        assert terminal.has("-- short <.* -+$")
        assert "".join(terminal.lines()).isascii()


def colours(text):
    """Those that are set, as 31 for red."""
    return set(re.findall(r"\033\[(?:[\d;]*;)?(3[0-7])(?=[;m])", text))


def test_colours(place, terminal):
    start(terminal, *at(place))
    terminal.wait_for("█$")
    assert "32" in colours(terminal.escapes())
    terminal.press("q")
    terminal.wait_for(PROMPT + "$")
    start(terminal, *at(place), variables="NO_COLOR=1")
    terminal.wait_for("█$")
    assert colours(terminal.escapes()) == set()


@pytest.mark.parametrize("variables, message", [
    ("TERM=dumb", r"top cannot draw on a terminal of the kind 'dumb'; "),
    ("TERM=no-such", r"the terminal 'no-such' is not known here: "),
    ("TERM=", r"top needs to know the terminal: set TERM; ")])
def test_a_terminal_that_is_not_able(place, variables, message):
    reader, writer = pty.openpty()
    done = subprocess.run(["env", variables, MEMNOTIFY, "top", *map(str, at(place))], stdin=writer, stdout=writer,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 1
    assert re.fullmatch(rf"memnotify: {message}.*\n", done.stderr)


def test_no_terminal(place):
    done = subprocess.run([MEMNOTIFY, "top", *map(str, at(place))], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "memnotify: top needs a terminal; 'memnotify status' prints a table anywhere\n"


@pytest.mark.parametrize("time_, message", [("0", "is too short"), ("50ms", "is too short"), ("x", "is no time"),
                                            ("-1", "is no time")])
def test_a_pace_that_is_none(time_, message):
    done = subprocess.run([MEMNOTIFY, "top", f"--delay={time_}"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1


# --- its end ---


@pytest.mark.parametrize("end, status", [("q", 0), ("C-c", 130), (signal.SIGTERM, 143), (signal.SIGINT, 130),
                                         (signal.SIGHUP, 129), (signal.SIGQUIT, 131)])
def test_the_terminal_is_as_it_was(place, terminal, end, status):
    terminal.type("echo what was there before")
    terminal.wait_for("^what was there before$")
    before = state_of(terminal)
    pid = start(terminal, *at(place))
    terminal.wait_for(KEYS)
    assert (terminal.ask("alternate_on"), terminal.ask("cursor_flag")) == ("1", "0")
    assert not terminal.has("^what was there before$")
    if isinstance(end, str):
        terminal.press(end)
    else:
        os.kill(pid, end)
    terminal.wait_for("^what was there before$")
    terminal.type("echo status $?")
    terminal.wait_for(f"^status {status}$")
    assert state_of(terminal) == before


def test_stop_and_continue(place, terminal):
    before = state_of(terminal)
    pid = start(terminal, *at(place))
    terminal.wait_for("█$")
    for how in ["C-z", signal.SIGTSTP, signal.SIGSTOP]:
        if isinstance(how, str):
            terminal.press(how)
        else:
            os.kill(pid, how)
        if how == signal.SIGSTOP:  # nobody is asked whether he is ready
            wait_until(lambda: terminal.run("true")[1] == 0, "the shell")
        else:
            terminal.wait_for("Stopped")
            assert state_of(terminal)[1:] == before[1:]
        terminal.resize(100, 24)
        terminal.type("fg")
        terminal.wait_for("^Memory of the machine.*every 0.1s$")
        wait_until(lambda: terminal.ask("alternate_on") == "1" and terminal.ask("cursor_flag") == "0", "the screen")
        terminal.resize(80, 24)
    terminal.press("q")
    terminal.wait_for(PROMPT + "$")
    assert state_of(terminal) == before


@pytest.mark.parametrize("disposition", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_terminal_that_goes_away(place, disposition):
    """Also where the signal of that is ignored, as below nohup(1)."""
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, disposition)
        os.environ["TERM"] = "xterm"
        os.execv(MEMNOTIFY, [MEMNOTIFY, "top", *map(str, at(place))])
    seen = b""
    end = time.monotonic() + TIMEOUT_S
    while b"\033[?1049h" not in seen and time.monotonic() < end:
        seen += os.read(fd, 4096)
    os.close(fd)
    ended = []

    def has_ended():
        ended[:] = os.waitpid(pid, os.WNOHANG)
        return ended[0] == pid

    wait_until(has_ended, "it to end")
    assert os.waitstatus_to_exitcode(ended[1]) in (1, 129)


# --- a server that comes and goes ---


def test_the_server_is_killed_and_comes_back(serve, make_machine, terminal, place):
    start(terminal, *at(place))
    terminal.wait_for("1 limit: none is reached")
    place.process.kill()
    place.process.wait()
    terminal.wait_for("^memnotifyfs has ended; looking for the next")
    subprocess.run(["umount", "-l", place.mountpoint], check=True)
    place.start()
    terminal.wait_for("^no limit is named in thresholds/$")
    terminal.wait_for(r"^  20\d\d.* reconnected$")
    write_text(place / "thresholds" / "other", "available<20%")
    terminal.wait_for("1 limit: none is reached")
    place_simulate(place, "available 15%")
    terminal.wait_for(" other available reached ")


def test_q_ends_it_when_the_server_was_killed(place, terminal):
    start(terminal, *at(place))
    terminal.wait_for("1 limit: none is reached")
    place.process.kill()
    place.process.wait()
    terminal.wait_for("^memnotifyfs has ended; looking for the next")
    terminal.press("q")
    terminal.wait_for(PROMPT + "$")
    subprocess.run(["umount", "-l", place.mountpoint], check=True)
    place.start()


def test_a_server_that_does_not_answer_keeps_nobody_waiting(place, terminal):
    """A search for leaks would wait for the thread that waits for the server."""
    start(terminal, *at(place), variables="ASAN_OPTIONS=detect_leaks=0")
    terminal.wait_for("1 limit: none is reached")
    place.process.send_signal(signal.SIGSTOP)
    try:
        terminal.wait_for("^memnotifyfs does not answer$")
        terminal.press("m")
        terminal.wait_for("^anon .* of ")
        terminal.press("q")
        terminal.wait_for(PROMPT + "$")
    finally:
        place.process.send_signal(signal.SIGCONT)


def test_without_a_server(terminal):
    """Where there is none at the usual places; there may be one here."""
    start(terminal, variables=f"XDG_RUNTIME_DIR={terminal.directory}")
    if terminal.has("from /proc "):
        terminal.wait_for("^There is no memnotifyfs here|^memnotifyfs ")
    terminal.wait_for("^available .* of ")
    terminal.wait_for("^Grown ")
