# SPDX-License-Identifier: LGPL-2.1-or-later
"""The socket: every request and every error of memnotifyfs-socket(7), in whatever pieces they come, whatever happens
meanwhile."""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest

from clients import TIMEOUT_S, Child, is_ready, opened, read_text, wait_ready, wait_until
from devices import set_pressure
from machine import PAGE_KIB
from memcg_client import MIB, removed_at_end, v1_group
from socket_client import SocketClient, held, metric, path_of, serve_with_socket, unread_bytes

STRANGER = 54321
PAGE = os.sysconf("SC_PAGE_SIZE")
REQUEST_MAX = 4111
NO_SUCH_REQUEST = "error EPROTO: there is no such request; there are watch, read, eventfd, page, some, full and quit"
TOO_LONG = "error EPROTO: the request is too long, or lacks its newline"


@pytest.fixture
def daemon(serve, make_machine):
    """A machine that stands still, every meter of which can be moved; limits are left at once."""
    daemon = serve_with_socket(serve, "-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate("used 1000 active 1000")
    return daemon


@pytest.fixture
def connect(daemon):
    """connect(): another client."""
    clients = []

    def one(server=daemon, uid=None):
        clients.append(SocketClient(path_of(server), uid))
        return clients[-1]

    yield one
    for client in clients:
        client.close()


# ---- watch and read ----------------------------------------------------------------------------------------------

def test_a_line_for_each_limit_that_is_reached_or_left(daemon, connect):
    client = connect().watch("used 2000 active <500")
    begun = time.monotonic()
    daemon.simulate("used 2500 active 400")
    lines = [client.line(), client.line()]
    daemon.simulate("used 7")
    lines.append(client.line())
    ended = time.monotonic()
    words = [line.split(" ", 1) for line in lines]
    assert [rest for _, rest in words] == ["- used reached 2500 2000", "- active reached 400 500", "- used left 7 2000"]
    times = [float(moment) for moment, _ in words]
    assert times == sorted(times) and begun - 1e-6 <= times[0] and times[-1] <= ended
    assert times[0] == times[1], "of one sample"
    assert client.is_silent()


def test_each_meter(daemon, connect):
    client = connect()
    names = list(client.meters())
    daemon.simulate(" ".join(f"{name} 1000" for name in names))
    client.watch(" ".join(f"{name} 2000" for name in names))
    daemon.simulate(" ".join(f"{name} 2500" for name in names))
    events = [client.event() for _ in range(len(names) + 1)]
    events.remove("total changed 2500 1000")
    assert events == [f"{name} reached 2500 2000" for name in names]


def test_the_meters_are_those_of_the_files(daemon, connect):
    assert connect().meters() == {name: read_text(daemon / "meters" / name).strip()
                                  for name in os.listdir(daemon / "meters")}


def test_a_meter_that_is_waited_for_is_read_with_its_limit(daemon, connect):
    client = connect().watch("used 2000 active<=500")
    assert client.meters()["used"] == "1000 limit 2000"
    assert client.meters()["active"] == "1000 limit 501"
    daemon.simulate("used 2000 active 500")
    meters = client.meters()
    assert (meters["used"], meters["active"]) == ("2000 reached 2000", "500 reached 501")
    assert client.events == ["used reached 2000 2000", "active reached 500 501"], "which come first"
    assert connect().meters()["used"] == "2000", "it is another's limit"


def test_what_is_reached_already_is_no_event(daemon, connect):
    client = connect().watch("used 500")
    assert client.meters()["used"] == "1000 reached 500"
    daemon.simulate("used 7")
    assert client.event() == "used left 7 500"


def test_other_limits_take_the_place_of_those_before(daemon, connect):
    client = connect().watch("used 2000 active 3000").watch("active 2000")
    daemon.simulate("used 2500 active 2500")
    assert client.event() == "active reached 2500 2000"
    client.watch("used 0")
    daemon.simulate("used 7 active 7")
    assert client.meters()["active"] == "7"
    client.watch("")
    assert client.is_silent()


def test_what_happened_before_other_limits_is_told_before_them(daemon, connect):
    client = connect().watch("used 2000")
    daemon.simulate("used 2500")
    daemon.simulate("used 7")
    client.watch("active 2000")
    assert client.events == ["used reached 2500 2000", "used left 7 2000"]


# Each with what is answered. What was before still holds.
REFUSED = [
    ("watch nonsense 5", "error EINVAL: column 7: there is no meter of that name"),
    ("  watch  nonsense 5", "error EINVAL: column 10: there is no meter of that name"),
    ("watch used 5 used 6", "error EINVAL: column 14: "),
    ("watch used 101%", "error EINVAL: column 12: "),
    ("watch used 5x", "error EINVAL: column "),
    ("watch used -5", "error EINVAL: column 12: "),
    ("watch used", "error EINVAL: column "),
    ("watch used 5\0 active 5", "error EINVAL: column "),
    ("watch \033[31m 5", "error EINVAL: column 7: "),
    ("watch used 99999999999999999999", "error EINVAL: column 12: "),
    ("watch used 5" + "," * 4090, "error EINVAL: "),
    ("eventfd nonsense 5", "error EINVAL: column 9: there is no meter of that name"),
    ("some 1", "error EINVAL: column "),
    ("some 0 1000000", "error EINVAL: column "),
    ("full 1 49999", "error EINVAL: column "),
    ("full", "error EINVAL: column "),
]


def test_what_is_refused_changes_nothing(daemon, connect):
    client = connect().watch("used 2000")
    for text, answer in REFUSED:
        (line,) = client.ask(text)
        assert line.startswith(answer) and re.fullmatch(r"error EINVAL: (column \d+: )?[ -~]+", line), (text, line)
        assert client.meters()["used"] == "1000 limit 2000", text
    daemon.simulate("used 2500")
    assert client.event() == "used reached 2500 2000"


# What ends the connection, after one line.
ENDING = [
    ("nonsense\n", NO_SUCH_REQUEST), ("READ\n", NO_SUCH_REQUEST), ("read it\n", NO_SUCH_REQUEST),
    ("page 5\n", NO_SUCH_REQUEST), ("quit now\n", NO_SUCH_REQUEST), ("\0\n", NO_SUCH_REQUEST),
    ("watchused 5\n", NO_SUCH_REQUEST), ("GET / HTTP/1.1\r\n\r\n", NO_SUCH_REQUEST), ("\xff\xfe\n", NO_SUCH_REQUEST),
    ("read\0\n", NO_SUCH_REQUEST), ("\0" * 5000, TOO_LONG), ("watch used 5" + " " * REQUEST_MAX, TOO_LONG),
    ("some 150000 1000000" + " " * REQUEST_MAX, TOO_LONG), ("watch " + "x" * (1 << 20), TOO_LONG),
    ("x" * (1 << 20) + "\n", TOO_LONG), ("quit\n", None), ("  quit \r\n", None),
]


def test_what_ends_the_connection(connect):
    for text, line in ENDING:
        client = connect().watch("used 2000")
        client.send(text.encode("latin-1"))
        client.send("read\n")
        assert client.rest() == (line + "\n" if line else ""), text[:100]


def test_the_longest_request(connect):
    client = connect()
    longest = "watch used 5".ljust(REQUEST_MAX - 1)
    assert client.ask(longest) == ["ok"]
    client.send(longest + " \n")
    assert client.rest() == TOO_LONG + "\n"


def test_empty_lines_and_blanks_are_nothing(connect):
    for text in "\n", "\n\n \n\t\r\n", "read\n" * 3, " read \nread\r\n":
        client = connect()
        client.send(text)
        for _ in range(text.count("read")):
            assert client.answer()[-1] == "ok"
        assert client.meters()


def test_who_quits_is_told_what_was_before(daemon, connect):
    client = connect().watch("used 2000")
    daemon.simulate("used 2500")
    client.send("read\nquit\nread\nnonsense\n")
    text = client.rest()
    assert text.count("- used reached 2500 2000\n") == text.count("ok\n") == 1 and text.endswith("ok\n")


# ---- in whatever pieces ------------------------------------------------------------------------------------------

SEVERAL = b"watch used 5000\nread\n\nsome 150000 1000000\nwatch nonsense 5\n  read\neventfd active 5\nread\nquit\n"


def test_pieces_of_every_size(connect):
    answers = set()
    for size in range(1, len(SEVERAL) + 1):
        client = connect()
        for start in range(0, len(SEVERAL), size):
            client.send(SEVERAL[start:start + size])
            client.wait_taken()
        answers.add(client.rest())
        os.close(client.take_fd())
        client.close()
    (answer,) = answers
    assert answer.count("ok\n") == 5 and answer.count("error EINVAL: column 7: ") == 1


def test_many_requests_in_one_packet(connect):
    """More answers than there is room for, by far, to one who reads them only later."""
    client = connect()
    client.send("read\n" * 3000)
    meters = client.answer()
    for _ in range(2999):
        assert client.answer() == meters
    assert client.is_silent()


def test_descriptors_that_are_asked_for_in_one_packet(connect):
    """One is on its way at a time, so that each comes with its own answer."""
    client = connect()
    client.send("page\neventfd used 5\nread\n" * 50)
    for _ in range(50):
        for _ in range(2):
            assert client.answer() == ["ok"]
            os.close(client.take_fd())
        assert client.answer()[-1] == "ok"


def swing(daemon, times):
    """Over a limit of 2000 and back, so often."""
    with opened(daemon / "simulate", os.O_WRONLY) as fd:
        for _ in range(times):
            os.write(fd, b"used 2500")
            os.write(fd, b"used 7")


def told(events):
    """How many crossings they tell of; each is as told as that it was lost."""
    return sum(int(event.split()[-1]) if event.startswith("- lost ") else 1 for event in events)


def test_events_come_between_answers(daemon, connect):
    client = connect().watch("used 2000")
    with Child(lambda _say: swing(daemon, 300)) as child:
        while told(client.events) < 600:
            assert client.ask("read")[-1] == "ok"
        assert child.wait() == 0
    assert told(client.events) == 600


def test_who_sends_no_more_is_still_told(daemon, connect):
    """The end is the end of a line, too."""
    for text in "watch used 2000\n", "watch used 2000", "\n\nread\nwatch used 2000\n":
        client = connect()
        client.send(text)
        client.socket.shutdown(socket.SHUT_WR)
        for _ in range(1 + text.count("read")):
            assert client.answer()[-1] == "ok"
        for _ in range(3):
            daemon.simulate("used 2500")
            assert client.event() == "used reached 2500 2000"
            daemon.simulate("used 7")
            assert client.event() == "used left 7 2000"


def test_who_sends_much_in_vain_and_no_more_reads_one_line(daemon, connect):
    """Also when all is over: it is not lost for what was not read of him, nor is the end an error."""
    for text, line in (("x" * 150000, TOO_LONG), ("junk\n" * 30000, NO_SUCH_REQUEST), ("quit\n" * 30000, None)):
        client = connect()
        client.send(text)
        client.socket.shutdown(socket.SHUT_WR)
        wait_until(lambda: metric(daemon, "connections") == 0, "the server to close it")
        assert client.rest() == (line + "\n" if line else "")


def test_the_last_line_without_an_ending(connect):
    for text, line in (("nonsense", NO_SUCH_REQUEST), ("quit", None), ("read\0", NO_SUCH_REQUEST),
                       ("x" * 100, NO_SUCH_REQUEST), ("\0", NO_SUCH_REQUEST)):
        client = connect()
        client.send(text)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.rest() == (line + "\n" if line else ""), text


def test_who_reads_too_slowly_loses_the_oldest_lines(daemon, connect):
    client = connect().watch("used 2000")
    swing(daemon, 1000)
    client.send("quit\n")
    lines = [line.split(" ", 2)[2] for line in client.rest().splitlines()]
    assert told(lines) == 2000 and len(lines) < 2000
    events = [line for line in lines if not line.startswith("- lost ")]
    assert events[0] == "used reached 2500 2000" and events[-1] == "used left 7 2000", "the newest are kept"
    assert len(events) >= 8, "that it keeps itself"


def test_who_has_lost_lines_goes_on(daemon, connect):
    """What is told is in order and whole, however slowly it is read."""
    client = connect().watch("used 2000")
    client.receive_bytes = 7
    events = []
    for _ in range(20):
        swing(daemon, 50)
        events += [client.event() for _ in range(10)]
    while told(events) < 2000:
        events.append(client.event())
    assert told(events) == 2000 and client.is_silent()
    for before, after in zip(events, events[1:]):
        assert before != after or before.startswith("- lost "), "reached and left come by turns"


# ---- what all are told -------------------------------------------------------------------------------------------

def test_who_waits_is_told_that_there_is_more_memory(serve, make_machine, connect):
    machine = make_machine("debian-6.1")
    daemon = serve_with_socket(serve, "-o", "update_period=1", machine=machine)
    before = daemon.meter("total")
    client, other = connect(daemon).watch("used 100%"), connect(daemon)
    machine.replace("meminfo", machine.with_number("meminfo", "MemTotal", (before + 25600) * PAGE_KIB))
    assert client.event() == f"total changed {before + 25600} {before}"
    assert other.meters()["total"] == str(before + 25600) and not other.events, "he waits for nothing"


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        (path / "memory.limit_in_bytes").write_text(str(256 * MIB))
        yield path


def test_a_group_that_goes_and_comes_back(group, serve, connect):
    daemon = serve_with_socket(serve, "-o", "update_period=1,max_update_period=20", f"--source=cgroup={group}")
    client, other = connect(daemon).watch("used 200M"), connect(daemon)
    gone = "error ENODEV: the group whose memory is shown is removed"
    assert other.meters()["total"] == str(256 * MIB // PAGE)
    daemon.expected += [".*was removed; .*", ".* is there again"]

    group.rmdir()
    assert client.event() == "- removed"
    assert [other.ask(text) for text in ("read", "watch used 5", "eventfd used 5")] == [[gone]] * 3
    assert client.ask("watch active 5") == [gone]
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(64 * MIB))
    assert client.event() == "- returned"
    wait_until(lambda: other.meters()["total"] == str(64 * MIB // PAGE), "the new limit")
    assert client.meters()["used"].endswith(f" limit {200 * MIB // PAGE}"), "what was before the error"


# ---- stalls ------------------------------------------------------------------------------------------------------

TRIGGER = "some 10000 50000"


def wait_stalls(client, n):
    for _ in range(n):
        assert client.receive() == b"\n"


def test_a_byte_for_each_event(daemon, connect):
    """Whatever ends the request."""
    clients = [connect() for _ in range(6)]
    for client, ending in zip(clients, ("\n", "\0", "", "\n\n", "\r\n", " \0\n")):
        client.send(TRIGGER + ending)
    daemon.simulate("stall_some 50%")
    for client in clients:
        wait_stalls(client, 3)


def test_a_trigger_in_pieces(daemon, connect):
    """None of its beginnings is a mistake."""
    client = connect()
    for byte in TRIGGER.encode():
        client.send(bytes([byte]))
        client.wait_taken()
    assert client.is_silent()
    daemon.simulate("stall_some 50%")
    wait_stalls(client, 2)
    assert client.text == b"\n\n"


def test_no_other_event_while_one_is_unread(daemon, connect):
    slow, witness = connect(), connect()
    for client in slow, witness:
        client.send(TRIGGER + "\n")
    daemon.simulate("stall_some 50%")
    wait_stalls(witness, 5)
    assert unread_bytes(slow) == 1
    assert slow.receive() == b"\n"
    wait_stalls(slow, 2)


def test_an_event_while_other_lines_are_unread(daemon, connect):
    client, witness = connect().watch("used 2000"), connect()
    for one in client, witness:
        one.send(TRIGGER + "\n")
        one.wait_taken()
    daemon.simulate("used 2500")
    wait_until(lambda: unread_bytes(client) > 0, "the line")
    length = unread_bytes(client)
    daemon.simulate("stall_some 50%")
    wait_stalls(witness, 3)
    assert unread_bytes(client) == length + 1
    client.receive()
    assert client.text.endswith(b"- used reached 2500 2000\n\n")
    wait_stalls(client, 1)


def test_another_trigger_takes_the_place_of_the_first(daemon, connect):
    client, witness = connect(), connect()
    client.send(TRIGGER + "\n" + TRIGGER.replace("some", "full") + "\n")
    witness.send(TRIGGER + "\0")
    daemon.simulate("stall_some 50%")
    wait_stalls(witness, 3)
    assert unread_bytes(client) == 0
    daemon.simulate("stall_full 50%")
    wait_stalls(client, 2)


def test_a_bad_trigger_is_told_and_the_first_stays(daemon, connect):
    client = connect()
    client.send(TRIGGER + "\n")
    (line,) = client.ask("some 5 5")
    assert line.startswith("error EINVAL: column ")
    daemon.simulate("stall_some 50%")
    wait_stalls(client, 2)


def test_stalls_and_limits_by_one_connection(daemon, connect):
    client = connect().watch("used 2000")
    client.send(TRIGGER + "\n")
    daemon.simulate("stall_some 50%")
    wait_stalls(client, 1)
    daemon.simulate("used 2500")
    client.text = b""
    while b"- used reached 2500 2000\n" not in client.text:
        client.receive()


def test_where_nobody_tells_of_stalls(serve, make_machine, connect):
    daemon = serve_with_socket(serve, machine=make_machine("debian-6.1"))
    client = connect(daemon)
    for ending in "\n", "\0":
        client.send(TRIGGER + ending)
        (line,) = client.answer()
        assert line.startswith("error EOPNOTSUPP: ")
    assert client.ask("read")[-1] == "ok"


def test_stalls_of_a_copy_of_proc(serve, make_machine, connect):
    machine = make_machine("debian-6.1")
    set_pressure(machine, 1000000)
    daemon = serve_with_socket(serve, machine=machine)
    client = connect(daemon)
    client.send("full 100000 1000000\0")
    client.wait_taken()
    daemon.meter("used")  # so that it has begun
    set_pressure(machine, 1200000)
    wait_stalls(client, 1)


# ---- eventfds ----------------------------------------------------------------------------------------------------

def count(eventfd):
    try:
        return os.eventfd_read(eventfd)
    except BlockingIOError:
        return 0


def wait_count(eventfd, wanted):
    """So many and no more."""
    number = 0
    while number < wanted:
        wait_ready(eventfd)
        number += count(eventfd)
    assert number == wanted


def test_an_eventfd_is_counted_up(daemon, connect):
    client = connect()
    one, both = client.ask_fd("eventfd used 2000"), client.ask_fd("eventfd used 1500 active 1500")
    reached = client.ask_fd("eventfd used 500")
    assert [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (one, both)] == [os.O_NONBLOCK] * 2
    assert not is_ready(reached), "what is reached already is no event"
    for _ in range(3):
        daemon.simulate("used 2500 active 2500")
        daemon.simulate("used 1000 active 1000")
    wait_count(one, 6)
    wait_count(both, 12)
    assert client.is_silent() and not is_ready(reached)
    for fd in one, both, reached:
        os.close(fd)


def eventfds(paths):
    return paths.count("anon_inode:[eventfd]")


def test_an_eventfd_lasts_until_the_connection_ends(daemon, connect):
    witness = connect().ask_fd("eventfd used 2000")
    for end in (lambda client: client.send("quit\n"), SocketClient.close, lambda client: client.send("nonsense\n")):
        client = connect()
        eventfd = client.ask_fd("eventfd used 2000")
        daemon.simulate("used 2500")
        wait_count(eventfd, 1)
        end(client)
        wait_until(lambda: eventfds(daemon.fds()) == eventfds(daemon.first_fds) + 1, "its end")
        daemon.simulate("used 7")
        wait_count(witness, 2)
        assert count(eventfd) == 0
        os.close(eventfd)
    os.close(witness)


def test_an_eventfd_when_its_client_sends_no_more(daemon, connect):
    client = connect()
    eventfd = client.ask_fd("eventfd used 2000")
    client.socket.shutdown(socket.SHUT_WR)
    daemon.simulate("used 2500")
    wait_count(eventfd, 1)
    os.close(eventfd)


ELSEWHERE = """
import array, os, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(b"watch used 2000\\neventfd used 2000\\n")
text = b""
while text != b"ok\\nok\\n":
    piece, control, _, _ = client.recvmsg(100, socket.CMSG_SPACE(4))
    text += piece
    if control:
        (eventfd,) = array.array("i", control[0][2])
print(os.getpid(), os.getuid(), flush=True)
os.set_blocking(eventfd, True)
print(os.eventfd_read(eventfd), client.recv(100).split()[3].decode(), flush=True)
"""


def test_a_client_in_other_namespaces(daemon):
    """Of pids, users and mounts."""
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "--kill-child"]
    if subprocess.run([*command, "true"], capture_output=True, check=False, user=STRANGER).returncode != 0:
        pytest.skip("namespaces are not permitted to users here")
    with subprocess.Popen([*command, sys.executable, "-c", ELSEWHERE, path_of(daemon)], stdout=subprocess.PIPE,
                          user=STRANGER, group=STRANGER, extra_groups=[]) as client:
        assert client.stdout.readline() == b"1 0\n"
        assert f"\n{STRANGER} " in read_text(daemon / "users")
        daemon.simulate("used 2500")
        assert client.stdout.readline() == b"1 reached\n"
        assert client.wait(TIMEOUT_S) == 0


# ---- by hand -----------------------------------------------------------------------------------------------------

needs_socat = pytest.mark.skipif(not shutil.which("socat"), reason="socat is not installed")


@needs_socat
def test_socat_that_is_given_all_at_once(daemon):
    done = subprocess.run(["socat", "-t", "30", "-", f"UNIX:{path_of(daemon)}"], input=b"read\nquit\n",
                          capture_output=True, timeout=TIMEOUT_S, check=True)
    assert b"used 1000\n" in done.stdout and done.stdout.endswith(b"ok\n") and done.stderr == b""


@needs_socat
def test_socat_by_hand(daemon):
    with subprocess.Popen(["socat", "-", f"UNIX:{path_of(daemon)}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          bufsize=0) as socat:
        socat.stdin.write(b"watch used 2000\n")
        assert socat.stdout.readline() == b"ok\n"
        daemon.simulate("used 2500")
        assert re.fullmatch(rb"\d+\.\d{6} - used reached 2500 2000\n", socat.stdout.readline())
        socat.stdin.write(b"nonsense\n")
        assert socat.stdout.readline().decode() == NO_SUCH_REQUEST + "\n"
        assert socat.wait(TIMEOUT_S) == 0


# ---- what it costs -----------------------------------------------------------------------------------------------

def demand_held(daemon, **numbers):
    """That a stranger has just this, and how many bytes besides."""
    found = held(daemon, STRANGER)
    n_bytes = found.pop("bytes")
    assert {name: number for name, number in found.items() if number} == {"uid": STRANGER, **numbers}
    return n_bytes


def test_what_the_peer_has_is_charged_to_him_and_given_back(daemon, connect):
    client = connect(daemon, STRANGER)
    client.meters()
    assert demand_held(daemon, opens=1, descriptors=1) == 0
    client.watch("used 5 active 5")
    client.send(TRIGGER + "\n")
    eventfd = client.ask_fd("eventfd used 5 active 5 total 5")
    n_bytes = demand_held(daemon, opens=1, descriptors=2, limits=5, triggers=1)
    assert n_bytes > 0
    client.watch("")
    client.send("read")
    client.wait_taken()
    assert demand_held(daemon, opens=1, descriptors=2, limits=3, triggers=1) == n_bytes + REQUEST_MAX
    client.send("\nquit\n")
    assert client.rest().endswith("ok\n")
    assert demand_held(daemon, opens=1, descriptors=1) == 0, "he has not closed it"
    client.close()
    wait_until(lambda: held(daemon, STRANGER) == {}, "everything to be given back")
    os.close(eventfd)


def test_connections_and_signals_are_counted(daemon, connect):
    clients = [connect() for _ in range(5)]
    eventfd = clients[0].ask_fd("eventfd used 2000")
    for client in clients:
        client.meters()
    assert metric(daemon, "connections") == 5
    daemon.simulate("used 2500")
    wait_count(eventfd, 1)
    assert metric(daemon, "eventfd_signals_total") == 1
    os.close(eventfd)
    for client in clients:
        client.close()
    wait_until(lambda: metric(daemon, "connections") == 0, "them to go")


def test_a_thousand_who_come_and_go_while_another_is_told(daemon, connect):
    """Some in the middle of what they ask for."""
    client = connect().watch("used 2000")
    for i in range(1000):
        with SocketClient(path_of(daemon)) as other:
            other.send("watch used 5\npage\neventfd used 5\nread\n"[:i % 50])
            if i % 100 == 0:
                daemon.simulate("used 2500")
                daemon.simulate("used 7")
    assert [client.event() for _ in range(20)] == ["used reached 2500 2000", "used left 7 2000"] * 10
    assert client.is_silent()


def test_a_thousand_at_once(daemon, connect):
    clients = [connect().watch(f"used {2000 + i}") for i in range(1000)]
    daemon.simulate("used 2500")
    for i, client in enumerate(clients[:501]):
        assert client.event() == f"used reached 2500 {2000 + i}"
    daemon.simulate("used 7")
    assert all(client.event().startswith("used left 7 ") for client in clients[:501])
    assert all(client.is_silent() for client in clients)
