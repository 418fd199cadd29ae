# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify status, wait, watch and simulate: what a person types."""

import json
import os
import pty
import re
import signal
import subprocess
from contextlib import ExitStack

import pytest

from clients import TIMEOUT_S, has_open, open_files, read_text, sleeps_in, wait_until, write_text, POLL
from command import MEMNOTIFY, environment, memnotify, memnotify_running, says, shows
from memcg_client import MIB, removed_at_end, v1_group
from socket_client import held, metric

PAGE = os.sysconf("SC_PAGESIZE")
WAYS = ["files", "socket"]


@pytest.fixture
def place(serve, make_machine):
    """A daemon with files and a socket."""
    daemon = serve("-o", "update_space=4", "--socket", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate("used 1000M")
    return daemon


def at(place, way="files"):
    return ("--at", f"{place.mountpoint}.sock" if way == "socket" else str(place.mountpoint))


def waits(process):
    """Whether it is asleep, with its limits set."""
    return sleeps_in(process.pid, *POLL)


def line_of(process):
    line = process.stdout.readline()
    assert line.endswith("\n"), (line, process.stderr.read())
    return line


# --- words ---


def test_help_fits_a_screen_and_knows_every_verb():
    text = shows("--help")
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    for verb in re.findall(r"^  ([a-z]+) ", text, re.MULTILINE):
        own = shows(verb, "--help")
        assert own.startswith(f"Usage:\n  memnotify {verb} ")
        assert ("--at=PLACE" in own) == (verb not in ("record", "replay", "report"))
        assert len(own.splitlines()) <= 24 and max(map(len, own.splitlines())) <= 80
    assert shows("-h") == shows("help") == text


def test_version():
    assert re.fullmatch(r"memnotify \d+\.\d+\.\d+\n", shows("--version"))


@pytest.mark.parametrize("words, message", [
    (["nonsense"], "there is no verb 'nonsense'; see 'memnotify --help'"),
    (["status", "--nonsense"], "status: Unknown option --nonsense; see 'memnotify status --help'"),
    (["status", "word"], "status: there is an argument too many; see 'memnotify status --help'"),
    (["wait"], "wait: an argument is missing; see 'memnotify wait --help'"),
    (["wait", "a", "b"], "wait: there is an argument too many; see 'memnotify wait --help'"),
    (["wait", "used 1", "--timeout", "soon"],
     "--timeout: 'soon' is no time; seconds, or a number with ms, s, m, h or d"),
    (["wait", "used 1", "--timeout", "-1"], "--timeout: '-1' is no time; seconds, or a number with ms, s, m, h or d"),
    (["simulate"], "simulate: an argument is missing; see 'memnotify simulate --help'"),
])
def test_a_command_line_that_is_not_understood(words, message):
    assert says(2, *words) == f"memnotify: {message}\n"


@pytest.mark.parametrize("words", [["--help"], ["status", "--help"], ["status"], ["--version"]])
def test_output_that_cannot_be_written(words):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([MEMNOTIFY, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=TIMEOUT_S, env=environment())
    assert done.returncode == 1
    assert done.stderr == "memnotify: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("verb", [["wait", "used 1"], ["watch"], ["watch", "used 1"], ["simulate", "low"], ["status"]])
def test_where_nothing_is_served(verb, tmp_path):
    for place in (tmp_path, tmp_path / "none", "/dev/null"):
        message = f"memnotify: there is no memnotifyfs at '{place}'; 'memnotify serve' starts one\n"
        assert says(1, *verb, "--at", place) == message
        assert says(1, *verb, env=environment(MEMNOTIFYFS=str(place))) == message


# --- status ---


def test_status_as_a_table(place):
    write_text(place / "thresholds" / "low", "used>=50M available<16M")
    place.simulate("used 50%")
    text = shows("status", *at(place))
    assert text.startswith(f"Memory of the machine, 217M, from {place.mountpoint}\nSimulated: ")
    assert re.search(r"^  used +109M +50%  \[█{15} {15}\]$", text, re.MULTILINE), text
    assert re.search(r"^  low +used >= 50\.0M  reached \(109M\)$", text, re.MULTILINE), text
    assert re.search(r"^  low +available < 16\.0M$", text, re.MULTILINE), text
    assert re.search(r"^  some wait +0\.00% +0\.00% +0\.00%$", text, re.MULTILINE), text
    assert "\033" not in text and max(map(len, text.splitlines()[1:])) <= 80


def test_status_as_json_is_what_the_files_say(place):
    write_text(place / "thresholds" / 'odd"\\n', "used>=500M")
    shown = json.loads(shows("--json", *at(place)))
    assert (shown["from"], shown["place"], shown["whose"]) == ("files", str(place.mountpoint), "system")
    assert shown["meters"] == {name: place.meter(name) * PAGE for name in os.listdir(place / "meters")}
    assert shown["limits"] == [{"threshold": 'odd"\\n', "meter": "used", "op": ">=", "limit": 500 * MIB,
                                "reached": True, "crossings": 0}]
    assert set(shown["pressure"]) == {"some", "full"}


def test_status_says_that_values_are_simulated(place):
    assert json.loads(shows("--json", *at(place)))["simulated"]
    place.simulate("reset")
    assert not json.loads(shows("--json", *at(place)))["simulated"]
    assert "Simulated" not in shows(*at(place))


def test_status_by_the_socket_alone(place):
    shown = json.loads(shows("status", "--json", *at(place, "socket")))
    assert (shown["from"], shown["place"]) == ("socket", f"{place.mountpoint}.sock")
    assert shown["meters"] == {name: place.meter(name) * PAGE for name in os.listdir(place / "meters")}
    assert "limits" not in shown and "pressure" not in shown


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        (path / "memory.limit_in_bytes").write_text(str(64 * MIB))
        yield path


@pytest.mark.parametrize("way", WAYS)
def test_status_says_whose_memory_it_is(group, serve, way):
    daemon = serve("--socket", f"--source=cgroup={group}")
    assert shows("status", *at(daemon, way)).startswith("Memory of the control group, 64.0M, from ")
    shown = json.loads(shows("status", "--json", *at(daemon, way)))
    assert (shown["whose"], shown["meters"]["total"]) == ("cgroup", 64 * MIB)


@pytest.mark.parametrize("locale, name", [("C.UTF-8", "\u4f4e\u00e9"), ("C", r"\344\275\216\303\251")])
def test_names_of_thresholds_keep_their_column(place, locale, name):
    """Whatever is in them, and however wide it is."""
    write_text(place / "thresholds" / "\u4f4e\u00e9", "used>=1G")
    columns = 3 if locale == "C.UTF-8" else len(name)
    line = f"  {name}{' ' * max(16 - columns, 0)} used >= 1.00G"
    assert line in shows("status", *at(place), env=environment(LC_ALL=locale)).splitlines()


def test_status_without_a_server_is_the_kernels():
    """In a mount namespace in which none of the usual places has a server."""
    hidden = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh", MEMNOTIFY, "status"]
    text = subprocess.run(hidden, check=True, capture_output=True, text=True, env=environment()).stdout
    assert "from /proc\nThere is no memnotifyfs here; 'memnotify serve' starts one" in text
    shown = json.loads(subprocess.run([*hidden, "--json"], check=True, capture_output=True, text=True,
                                      env=environment()).stdout)
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        kib = dict(re.findall(r"^(\w+): +(\d+) kB$", meminfo.read(), re.MULTILINE))
    if shown["whose"] == "system":
        assert shown["meters"]["total"] == (int(kib["MemTotal"]) + int(kib["SwapTotal"])) * 1024
    assert shown["from"] == "proc" and "limits" not in shown


@pytest.mark.parametrize("option, value", [("-b", 1000 * MIB), ("--bytes", 1000 * MIB), ("-p", 1000 * MIB // PAGE)])
def test_units(place, option, value):
    assert re.search(rf"^  used +{value} ", shows("status", option, *at(place)), re.MULTILINE)


def test_sizes_are_written_as_limits_are(place):
    """What status shows can be waited for."""
    size = re.search(r"^  available +(\S+)", shows("status", *at(place)), re.MULTILINE).group(1)
    assert shows("wait", f"available>={size[0]}M", *at(place)) == ""
    assert re.fullmatch(r"\d+(\.\d+)?[KMGT]", size)


def on_a_terminal(*words, **variables):
    main, other = pty.openpty()
    with subprocess.Popen([MEMNOTIFY, *words], stdin=other, stdout=other, stderr=other,
                          env=environment(**variables)) as process:
        os.close(other)
        text = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        assert process.wait() == 0
    os.close(main)
    return text.decode()


def test_colours_are_for_terminals_that_want_them(place):
    assert "\033[" in on_a_terminal("status", *at(place))
    assert "\033" not in on_a_terminal("status", *at(place), NO_COLOR="1")
    assert "\033" not in on_a_terminal("status", *at(place), TERM="dumb")


def test_bars_without_utf8(place):
    text = shows("status", *at(place), env=environment(LC_ALL="C"))
    assert re.search(r"\[#+ *\]", text) and text.isascii()


def test_status_of_a_dead_server(place):
    place.kill()
    assert says(1, "status", *at(place)) == (f"memnotify: memnotifyfs at '{place.mountpoint}' has ended; "
                                            "'memnotify serve' starts it again\n")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_waits_for_a_server_that_is_stopped(place, way):
    """But for a few seconds. All of them wait at the same time."""
    place.process.send_signal(signal.SIGSTOP)
    try:
        verbs = [["status"], ["wait", "used>=1M"], ["watch", "used>=1M"], ["on", "used>=1M", "--", "true"]]
        verbs += [["watch"], ["simulate", "low"]] if way == "files" else []
        with ExitStack() as stack:
            processes = [stack.enter_context(memnotify_running(verb, *at(place, way), *words))
                         for verb, *words in verbs]
            for process in processes:
                assert process.wait(TIMEOUT_S) == 1
                assert process.stderr.read() == (f"memnotify: memnotifyfs at '{at(place, way)[1]}' does not answer; "
                                                "'memnotify status --why' tells more\n")
    finally:
        place.process.send_signal(signal.SIGCONT)


# --- limits ---


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("verb", ["wait", "watch"])
def test_bad_limits_show_where(place, way, verb):
    text = says(2, verb, "available<10X", *at(place, way))
    first, second, third = text.splitlines()
    assert first.startswith("memnotify: limits not understood: there is no such unit;")
    assert second.index("X") == third.index("^") and second.strip() == "available<10X"


@pytest.mark.parametrize("way", WAYS)
def test_wait_returns_when_it_is_reached(place, way):
    with memnotify_running("wait", "used>=2G", *at(place, way)) as process:
        wait_until(lambda: waits(process), "it to wait")
        place.simulate("used 3000M")
        assert process.wait(TIMEOUT_S) == 0
        assert process.stdout.read() == process.stderr.read() == ""


@pytest.mark.parametrize("way", WAYS)
def test_wait_for_what_is_so_already(place, way):
    assert shows("wait", "used>=1M", *at(place, way)) == ""
    assert shows("wait", "--left", "used>=2G", *at(place, way)) == ""


@pytest.mark.parametrize("way", WAYS)
def test_wait_until_all_are_left(place, way):
    with memnotify_running("wait", "-l", "used>=500M available<30G", *at(place, way)) as process:
        wait_until(lambda: waits(process), "it to wait")
        place.simulate("used 100M")
        place.simulate("available 40G")
        assert process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize("time", ["0", "1ms", "0.2"])
def test_wait_times_out(place, time):
    assert says(124, "wait", "used>=2G", "--timeout", time, *at(place)) == ""


@pytest.mark.parametrize("words, way", [
    (["wait", "used>=2G"], "files"), (["wait", "used>=2G"], "socket"), (["watch", "used>=2G"], "files"),
    (["watch", "used>=2G"], "socket"), (["watch"], "files")])
def test_the_end_of_the_server_is_an_end(place, words, way):
    with memnotify_running(*words, *at(place, way)) as process:
        wait_until(lambda: waits(process), "it to wait")
        place.kill()
        assert process.wait(TIMEOUT_S) == 1
        assert re.fullmatch(r"memnotify: memnotifyfs (at '.*' )?has ended; 'memnotify serve' starts it again\n",
                            process.stderr.read())


# --- watch ---


def test_watch_without_limits_wants_files(place):
    """The socket tells of no named thresholds."""
    assert says(1, "watch", *at(place, "socket")) == (
        "memnotify: there is only the socket of memnotifyfs, which does not tell of thresholds; give LIMITS, as in: "
        "memnotify watch 'available<10%'\n")


def test_watch_thresholds(place):
    write_text(place / "thresholds" / "low", "used>=2G")
    with memnotify_running("watch", *at(place)) as process:
        wait_until(lambda: has_open(process.pid, place / "events"), "events to be open")
        place.simulate("used 3000M")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} low used reached 2\.93G limit 2\.00G\n",
                            line_of(process))
        place.simulate("used 1000M")
        assert line_of(process).endswith(" low used left 0.98G limit 2.00G\n")


@pytest.mark.parametrize("way", WAYS)
def test_watch_limits_as_json(place, way):
    with memnotify_running("watch", "used>=2G", "--json", *at(place, way)) as process:
        wait_until(lambda: waits(process), "it to wait")
        place.simulate("used 3000M")
        event = json.loads(line_of(process))
        assert event.pop("time").startswith("20")
        assert event == {"meter": "used", "event": "reached", "value": 3000 * MIB, "limit": 2048 * MIB}


def test_watch_in_pages(place):
    with memnotify_running("watch", "used>=2G", "-p", *at(place)) as process:
        wait_until(lambda: waits(process), "it to wait")
        place.simulate("used 3000M")
        assert line_of(process).endswith(f" used reached {3000 * MIB // PAGE} limit {2048 * MIB // PAGE}\n")


@pytest.mark.parametrize("words", [["watch"], ["watch", "used>=2G"]])
def test_watch_ends_when_nobody_reads(place, words):
    """And not only with the next line."""
    with memnotify_running(*words, *at(place)) as process:
        wait_until(lambda: waits(process), "it to wait")
        process.stdout.close()
        assert process.wait(TIMEOUT_S) == 0
        process.stdout = open(os.devnull, encoding="ascii")


def is_watching(place):
    """It sleeps as well while it waits for the answer to its limits."""
    return metric(place, 'open_files{file="events"}') > 0 or held(place, 0).get("limits", 0) > 0


@pytest.mark.parametrize("words, event", [(["watch"], "low used reached"), (["watch", "used>=2G"], "used reached")])
def test_watch_goes_on_with_the_next_server(place, words, event):
    with memnotify_running(*words, "--reconnect", *at(place)) as process:
        wait_until(lambda: is_watching(place) and waits(process), "it to wait")
        place.kill()
        place.start()
        assert line_of(process).endswith(" reconnected\n")
        write_text(place / "thresholds" / "low", "used>=2G")
        place.simulate("used 3G")
        assert f" {event} 3.00G limit 2.00G\n" in line_of(process)


def test_watching_costs_nothing_while_nothing_happens(place):
    with memnotify_running("watch", *at(place)) as process:
        wait_until(lambda: waits(process), "it to wait")
        before = len(open_files(process.pid))
        for _ in range(20):
            shows("status", *at(place))
        assert len(open_files(process.pid)) == before and waits(process)


# --- simulate ---


def test_simulate_and_reset(place):
    before = read_text(place / "simulate")
    assert shows("simulate", "available 2%", *at(place)) == ""
    assert "available" in read_text(place / "simulate")
    assert shows("simulate", "swap_free", "-", "low", *at(place)) == ""
    assert "low" in read_text(place / "simulate")
    assert shows("simulate", "reset", *at(place)) == ""
    assert read_text(place / "simulate") == "" != before


def test_bad_words_show_where(place):
    first, second, third = says(2, "simulate", "available", "2%", "nonsense", "7", *at(place)).splitlines()
    assert first.startswith("memnotify: simulate: words not understood: ")
    assert second.index("nonsense") == third.index("^")


def test_simulate_for_a_while_puts_back_what_was_there(place):
    place.simulate("used 5000 stall_some 20%")
    before = read_text(place / "simulate")
    assert shows("simulate", "--for", "1ms", "used 90% low available 2% stall_some 70%", *at(place)) == ""
    assert read_text(place / "simulate") == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_simulate_for_a_while_that_is_interrupted(place, number):
    before = read_text(place / "simulate")
    with memnotify_running("simulate", "--for", "1h", "available 2%", *at(place)) as process:
        wait_until(lambda: "available" in read_text(place / "simulate"), "the simulation")
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 128 + number
    assert read_text(place / "simulate") == before


def test_what_others_simulate_meanwhile_stays(place):
    with memnotify_running("simulate", "--for", "1h", "available 2%", *at(place)) as process:
        wait_until(lambda: "available" in read_text(place / "simulate"), "the simulation")
        place.simulate("active 7")
        wait_until(lambda: waits(process), "it to wait")
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_S)
    assert "active 7\n" in read_text(place / "simulate") and "available" not in read_text(place / "simulate")


def test_a_mount_that_does_not_simulate(serve):
    daemon = serve()
    assert says(1, "simulate", "low", *at(daemon)) == (
        f"memnotify: memnotifyfs at '{daemon.mountpoint}' does not simulate: it was started without --simulate\n")


def test_only_the_owner_simulates(place):
    done = memnotify("simulate", "low", *at(place), user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stderr) == (
        1, f"memnotify: only the owner of the mount at '{place.mountpoint}' may simulate\n")
