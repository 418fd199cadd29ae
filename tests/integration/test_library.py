# SPDX-License-Identifier: LGPL-2.1-or-later
"""libmemnotifyfs with the real server, by its socket and by its files."""

import array
import itertools
import os
import signal
import socket
import time
from contextlib import contextmanager

import pytest

from clients import Child, wait_until
from daemon import is_mounted
from fixtures import close_all
from library import Client
from memcg_client import MIB, removed_at_end, v1_group

LIMIT = "available<1000"


@pytest.fixture
def client():
    """client(place): a Client, which has to end well."""
    running = []

    def start(*arguments, **settings):
        running.append(Client(*arguments, **settings))
        return running[-1]

    yield start
    close_all(running)


@pytest.fixture
def with_socket(serve, make_machine, tmp_path):
    """A machine that stands still, with a socket."""
    path = tmp_path / "server"
    daemon = serve("-o", "update_space=4", f"--socket={path}", machine=make_machine("debian-6.1"), simulate=True)
    daemon.place = path
    daemon.simulate("available 5000")
    return daemon


@pytest.fixture(params=["socket", "files"])
def server(request, with_socket):
    """The same; `place` leads to its socket, or to its files."""
    if request.param == "files":
        with_socket.place = with_socket.mountpoint
    return with_socket


def start_again(daemon, simulated="available 5000"):
    """Clients may be there before it is looked at what it has open."""
    first_fds = daemon.first_fds
    daemon.start()
    daemon.first_fds = first_fds
    daemon.simulate(simulated)


def restart(daemon, simulated="available 5000"):
    daemon.kill()
    start_again(daemon, simulated)


def test_a_limit_is_reached_and_left(server, client):
    one = client(server.place)
    assert one("limits", LIMIT) == "ok"
    assert one("next") == "nothing"
    assert one("reached", "available") == "no"
    before_us = time.monotonic_ns() // 1000
    server.simulate("available 900")
    event = one("wait")
    assert event[:5] == ("reached", "available", 900, 1000, 0)
    assert before_us <= event.time_us <= time.monotonic_ns() // 1000
    assert one("reached", "available") == "yes"
    server.simulate("available 5000")
    assert one("wait")[:5] == ("left", "available", 5000, 1000, 0)
    assert one("reached", "available") == "no"
    assert one("next") == "nothing"
    wait_until(lambda: one("poll", "0") == 0, "the descriptor to rest")


def test_what_is_reached_already_is_told_first(server, client):
    server.simulate("available 900")
    one = client(server.place)
    assert one("limits", f"used<1 {LIMIT}") == "ok"
    assert one("poll", "0") == 1
    assert one("reached", "available") == "yes"
    assert one("wait")[:4] == ("reached", "available", 900, 1000)
    assert one("next") == "nothing"


def test_limits_as_people_write_them(server, client):
    one = client(server.place)
    total = server.meter("total")
    server.simulate("available 1 used 123 free 1 swap_free 7 anon 9")
    assert one("limits", "used>=123, available<=1 free:<4097B") == "EINVAL"
    text = "# mine: used 1\\nused>=123 , available<=1  # more\\n free<4K swap_free < 50.5% anon=0"
    assert one("limits", text) == "ok"
    events = sorted([one("wait")[:4] for _ in range(3)])
    share = (total * 505 + 999) // 1000
    assert events == [("reached", "available", 1, 2), ("reached", "swap_free", 7, share), ("reached", "used", 123, 123)]
    assert one("next") == "nothing"
    assert one("limits", "") == "ok"
    server.simulate("used 1")
    assert one("reached", "used") == "no"
    assert one("meter", "used") == 1
    assert one("next") == "nothing"


def test_a_threshold_is_understood_as_it_is_shown(server, client):
    one = client(server.place)
    assert one("limits", "available value=5000 op=< limit=5001 reached=1 crossings=3\\n") == "ok"
    assert one("wait")[:4] == ("reached", "available", 5000, 5001)


def test_other_limits_begin_anew(server, client):
    one = client(server.place)
    assert one("limits", LIMIT) == "ok"
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    server.simulate("available 5000")
    assert one("limits", "available<6000") == "ok"
    assert one("wait")[:4] == ("reached", "available", 5000, 6000), "what there was to tell before is dropped"
    assert one("next") == "nothing"


@pytest.mark.parametrize("text, column, reason", [
    ("usd 80%", 1, "there is no meter of that name"),
    ("used 80% available<<1", 20, "a number is needed here"),
    ("# used 1\\n used", 15, "a number is missing at the end"),
    ("used " + 4090 * "1" + "1", 4096, "the text is too long"),
])
def test_what_is_refused_has_a_reason_and_changes_nothing(server, client, text, column, reason):
    one = client(server.place)
    assert one("limits", LIMIT) == "ok"
    assert one("limits", text) == "EINVAL"
    assert one("error") == f"{column} {reason}"
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    assert one("limits", LIMIT) == "ok"
    assert one("error") == 0


def test_meters(server, client):
    one = client(server.place)
    assert one("meter", "available") == 5000
    server.simulate("available 4711")
    wait_until(lambda: one("meter", "available") == 4711, "the value")
    assert one("meter", "avail") == "ENOENT"
    assert one("meter", "../memnotify") == "ENOENT"
    assert one("meter", "") == "ENOENT"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_is_one_event(server, client, number):
    one = client(server.place)
    assert one("limits", f"{LIMIT} used>90000000") == "ok"
    descriptors = one.descriptors()
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    server.process.send_signal(number)
    server.wait()
    wait_until(lambda: one("meter", "used") == "ENOTCONN", "it to notice")
    assert one("limits", LIMIT) == "ENOTCONN"
    assert one("next") == "nothing"
    assert one("reached", "available") == "yes", "as it was"
    start_again(server)
    assert one.wait() == ("reconnected", "-")
    assert one.wait() == ("left", "available")
    assert one("reached", "available") == "no"
    assert one("next") == "nothing"
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    assert one.descriptors() == descriptors


def test_a_restart_in_which_nothing_changes(server, client):
    one = client(server.place)
    assert one("limits", "available<90000000") == "ok"
    assert one.wait() == ("reached", "available")
    for _ in range(3):
        restart(server)
        assert one.wait() == ("reconnected", "-")
        assert one("reached", "available") == "yes"
        assert one("next") == "nothing"


def test_a_restart_of_who_waits_for_nothing(server, client):
    one = client(server.place)
    restart(server)
    assert one.wait() == ("reconnected", "-")
    assert one("meter", "used") > 0


def test_who_only_asks_finds_the_server_again(server, client):
    one = client(server.place)
    restart(server, "available 4711")
    wait_until(lambda: one("meter", "available") == 4711, "the new server")
    assert one("next").kind == "reconnected"


def test_while_it_is_away_a_client_sleeps(server, client):
    """At most a few calls for each look, of which there are fewer and fewer."""
    one = client(server.place)
    assert one("limits", LIMIT) == "ok"
    server.kill()
    one.begin("wait")
    time.sleep(3)
    with open(f"/proc/{one.pid}/stat", encoding="ascii") as stat:
        ticks = sum(map(int, stat.read().rpartition(")")[2].split()[11:13]))
    assert ticks * 1000 // os.sysconf("SC_CLK_TCK") < 500, "milliseconds of CPU time"
    start_again(server)
    assert one.end().kind == "reconnected"


def test_two_clients_at_once(server, client):
    one, other = client(server.place), client(server.place)
    assert one("limits", LIMIT) == "ok"
    assert other("limits", "available<2000") == "ok"
    server.simulate("available 1500")
    assert other.wait() == ("reached", "available")
    assert one("next") == "nothing"
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    assert other("next") == "nothing"
    assert other("close") == "ok"
    server.simulate("available 5000")
    assert one.wait() == ("left", "available")


def test_a_child_leaves_the_client_alone(server, client):
    one = client(server.place)
    if server.place != server.mountpoint:
        assert one("page") == "ok"
    assert one("limits", LIMIT) == "ok"
    assert one("child") == 0
    server.simulate("available 900")
    assert one.wait() == ("reached", "available")
    restart(server)
    assert one.wait() == ("reconnected", "-")


def test_many_that_come_and_go(server, client):
    one = client()
    before = None
    for _ in range(50):
        assert one("open", server.place) == "ok"
        assert one("limits", "used>1 available<1") == "ok"
        assert one("close") == "ok"
        before = before or one.descriptors()
    assert one.descriptors() == before


def test_crossings_that_nobody_has_looked_at(server, client):
    """However many there were: in the end what was told comes to what is so, and reached and left alternate."""
    one = client(server.place)
    assert one("limits", f"{LIMIT} free<1000") == "ok"
    server.simulate("free 5000")
    one.rest()
    for i in range(1500):
        server.simulate(f"available {900 if i % 2 == 0 else 5000}")
    server.simulate("free 900 available 900")
    one("meter", "used")
    told = {"available": "left", "free": "left"}
    wait_until(lambda: one("poll", "0") == 1, "something to tell")
    kinds = set()
    while one("poll", "0") == 1:
        for kind, meter in one.rest():
            kinds.add(kind)
            if meter in told:
                assert told[meter] != kind
                told[meter] = kind
    assert told == {"available": "reached", "free": "reached"}
    assert one("reached", "free") == one("reached", "available") == "yes"
    assert ("lost" in kinds) == (server.place != server.mountpoint)


def test_a_mount_point_leads_to_its_socket(serve, client):
    daemon = serve("--socket", simulate=True)
    one = client(f"{daemon.mountpoint}//")
    assert one("page") == "ok", "files have none"


def test_where_a_server_is_looked_for(with_socket, client, tmp_path):
    one = client(environment={"MEMNOTIFYFS": str(with_socket.place)})
    assert one("open") == "ok"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "memnotify.sock").symlink_to(with_socket.place)
    if os.path.exists("/run/memnotify.sock") or is_mounted("/run/memnotify"):
        pytest.skip("there is a server at /run/memnotify")
    other = client(environment={"MEMNOTIFYFS": "", "XDG_RUNTIME_DIR": str(tmp_path / "run")})
    assert other("open") == "ok"
    assert other("page") == "ok"


def test_where_nobody_serves(with_socket, client, tmp_path):
    one = client()
    (tmp_path / "file").write_text("")
    assert one("open", tmp_path / "missing") == "ENOENT"
    assert one("open", tmp_path) == "ENOENT"
    assert one("open", tmp_path / "file") == "ECONNREFUSED"
    assert one("open", tmp_path / ("x" * 200)) == "ENOENT"
    assert one("open", "x" * 4096) == "ENAMETOOLONG"
    with_socket.kill()
    assert one("open", with_socket.place) == "ECONNREFUSED"
    assert one("open", with_socket.mountpoint) == "ENOTCONN"
    start_again(with_socket)


def test_the_page(with_socket, client):
    one = client(with_socket.place)
    assert one("page") == "ok"
    assert one("page") == "ok", "and at the same address"
    assert one("limits", LIMIT) == "ok"
    assert one("peek", "nonsense") == "ENOENT"
    wait_until(lambda: one("peek", "available") == "5000 alive", "the value")
    with_socket.simulate("available 900")
    wait_until(lambda: one("peek", "available") == "900 alive", "the value")
    with_socket.kill()
    wait_until(lambda: one("peek", "available") == "900 ended", "the end")
    start_again(with_socket, "available 4711")
    while one.wait() != ("reconnected", "-"):
        pass
    wait_until(lambda: one("peek", "available") == "4711 alive", "the value of the new server")
    assert one("page") == "ok", "and still there"


def test_files_have_no_page(with_socket, client):
    one = client(with_socket.mountpoint)
    assert one("page") == "ENOTSUP"


def test_a_server_that_is_stopped(with_socket, client):
    one = client(with_socket.place)
    assert one("limits", LIMIT) == "ok"
    with_socket.process.send_signal(signal.SIGSTOP)
    try:
        assert one("meter", "used") == "ETIMEDOUT"
        assert one("meter", "used") == "ENOTCONN"
        assert one("next") == "nothing"
    finally:
        with_socket.process.send_signal(signal.SIGCONT)
    assert one.wait() == ("reconnected", "-")
    assert one("meter", "available") == 5000


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        (path / "memory.limit_in_bytes").write_text(str(256 * MIB))
        yield path


@pytest.mark.parametrize("transport", ["socket", "files"])
def test_a_group_that_is_removed_and_made_anew(group, serve, client, tmp_path, transport):
    path = tmp_path / "server"
    daemon = serve("-o", "update_period=1,max_update_period=20", f"--source=cgroup={group}", f"--socket={path}")
    one = client(path if transport == "socket" else daemon.mountpoint)
    assert one("limits", "total<100M") == "ok"
    group.rmdir()
    daemon.expected += [".* was removed; .*", ".* is there again"]
    assert one.wait() == ("removed", "-")
    assert one("meter", "total") == "ENODEV"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(64 * MIB))
    seen = [one.wait()]
    while seen[-1] != ("reached", "total"):
        seen.append(one.wait())
    assert seen[0] == ("returned", "-")
    one.rest()
    daemon.kill()
    daemon.start()
    assert one.wait() == ("reconnected", "-")
    assert one("reached", "total") == "yes"
    assert one("next") == "nothing"


# --- what no server of ours does: one of a line or two ---

@contextmanager
def answering(path, answer):
    """A server at the path, for which answer(connection, n) serves the connection number n."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve_all(_say):
            for n in itertools.count():
                with listener.accept()[0] as connection:
                    answer(connection, n)

        child = Child(serve_all)
    with child:
        yield path


def until_end(connection):
    """Lines that come in."""
    with connection.makefile("r") as file:
        yield from file


@pytest.mark.parametrize("said, error", [
    (b"hello\n", "EPROTO"),
    (b"x" * 5000, "EPROTO"),
    (b"available x\nok\n", "EPROTO"),
    (b"", "ENOTCONN"),
    (b"error EDQUOT: it is more than one user may have\n", "EDQUOT"),
    (b"error ENFILE: the server has no room for more\n", "ENFILE"),
    (b"error ESOMETHING: of a newer server\n", "EPROTO"),
])
def test_servers_that_are_none(client, tmp_path, said, error):
    with answering(tmp_path / "socket", lambda connection, n: connection.sendall(said)) as path:
        assert client()("open", path) == error


def test_a_server_that_never_answers(client, tmp_path):
    with answering(tmp_path / "socket", lambda connection, n: signal.pause()) as path:
        assert client()("open", path) == "ETIMEDOUT"


def test_limits_that_a_new_server_does_not_understand(client, tmp_path):
    def answer(connection, n):
        for line in until_end(connection):
            if not line.startswith("watch"):
                connection.sendall(b"ok\n")
            elif n == 0:
                connection.sendall(b"ok\n1.000000 - new reached 7 5\nnew 7 reached 5\nok\n")
                return
            else:
                connection.sendall(b"error EINVAL: column 7: there is no meter of that name\n")

    with answering(tmp_path / "socket", answer) as path:
        one = client(path)
        assert one("limits", "new>5") == "ok"
        assert one("wait")[:4] == ("reached", "new", 7, 5)
        one.begin("wait")
        assert one.end() == "EINVAL"
        assert one("error") == "1 there is no meter of that name"
        assert one.wait() == ("reconnected", "-")
        assert one("reached", "new") == "no"
        assert one("next") == "nothing"


def test_lines_of_a_newer_server(client, tmp_path):
    def answer(connection, n):
        for line in until_end(connection):
            if line == "read\n":
                connection.sendall(b"used 7 limit 9 more words\nok\n")
            else:
                connection.sendall(b"ok\n1.5 what\n2.000000 - used trembles 7\n3.000000 - used reached 9 9 and more\n")

    with answering(tmp_path / "socket", answer) as path:
        one = client(path)
        assert one("meter", "used") == 7
        assert one("limits", "used 9") == "ok"
        assert one("wait")[:4] == ("reached", "used", 9, 9)
        assert one("reached", "used") == "no", "as it was read last"
        assert one.wait() == ("left", "used")


def test_a_page_that_can_be_cut_off_is_not_mapped(client, tmp_path):
    def answer(connection, n):
        memory = os.memfd_create("page", os.MFD_ALLOW_SEALING)
        os.truncate(memory, 4096)
        for line in until_end(connection):
            if line == "page\n":
                connection.sendmsg([b"ok\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))])
            else:
                connection.sendall(b"ok\n")
        os.close(memory)

    with answering(tmp_path / "socket", answer) as path:
        one = client(path)
        before = one.descriptors()
        assert one("page") == "EPROTO"
        assert one.descriptors() == before
