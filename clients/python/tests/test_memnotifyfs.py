# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package against the real server."""

import asyncio
import errno
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

import memnotifyfs
from clients import TIMEOUT_S, Child, open_files, wait_until
from conftest import ENOUGH, SCARCE, SOURCE
from memnotifyfs import Event, Kind
from memnotifyfs._connection import Connection, find_sockets

NOBODY = 65534

pytestmark = pytest.mark.filterwarnings("error")


def run(main):
    """The result of a coroutine, which must not take for ever."""
    return asyncio.run(asyncio.wait_for(main, TIMEOUT_S))


def watch(server, limits="available<10%"):
    return memnotifyfs.watch(limits, server=server.socket)


async def next_of(events):
    return await events.__anext__()


def told(event):
    return event.kind.value, event.meter


def test_a_shortage_and_its_end(server):
    async def main():
        async with watch(server) as events:
            server.simulate(SCARCE)
            reached = await next_of(events)
            server.simulate(ENOUGH)
            return reached, await next_of(events)

    begun = time.monotonic()
    reached, left = run(main())
    total = server.meter("total")
    assert (told(reached), told(left)) == (("reached", "available"), ("left", "available"))
    assert reached.value_pages == pytest.approx(total * 0.02, abs=1)
    assert left.value_pages == pytest.approx(total * 0.6, abs=1)
    assert reached.value_bytes == reached.value_pages * os.sysconf("SC_PAGE_SIZE")
    assert reached.limit_pages == pytest.approx(total * 0.1, abs=1)
    assert reached.limit_bytes == reached.limit_pages * memnotifyfs.PAGE_BYTES
    assert begun - 1e-6 <= reached.time <= left.time <= time.monotonic()
    assert (reached.lost, reached.state, reached.old_pages, reached.old_bytes) == (0, None, None, None)
    assert reached.kind == "reached" and str(reached.kind) == "reached"


def test_what_is_reached_already_comes_first_and_once(server):
    async def main():
        server.simulate(SCARCE)
        seen = []
        async for event in watch(server, "used 80% available<10% free 100%"):
            seen.append(event)
            if len(seen) == 2:
                server.simulate(ENOUGH)
            if len(seen) == 4:
                return seen

    begun = time.monotonic()
    seen = run(main())
    assert sorted(map(told, seen[:2])) == [("reached", "available"), ("reached", "used")]
    assert sorted(map(told, seen[2:])) == [("left", "available"), ("left", "used")]
    assert all(event.value_pages and event.limit_pages for event in seen)
    assert begun <= seen[0].time <= time.monotonic()


def test_a_restart_is_one_event_that_brings_the_state(server):
    async def main():
        async with watch(server, "used 1 available<10%") as events:
            first = await next_of(events)
            server.end()
            waiting = asyncio.ensure_future(next_of(events))
            await asyncio.to_thread(server.start)
            back = await waiting
            server.simulate(SCARCE)
            return first, back, await next_of(events)

    first, back, after = run(main())
    assert told(first) == ("reached", "used")
    assert told(back) == ("reconnected", None)
    assert told(after) == ("reached", "available")
    assert back.state["used"].reached and back.state["used"].limit_pages == 1
    assert not back.state["available"].reached
    assert back.state["available"].limit_bytes == back.state["available"].limit_pages * memnotifyfs.PAGE_BYTES
    assert back.state["total"].bytes == server.meter("total") * memnotifyfs.PAGE_BYTES
    assert back.state["total"].limit_pages is back.state["total"].limit_bytes is None


def test_pauses_grow_while_the_server_is_away(server):
    connection = Connection("used 1", server.socket)

    def fill():
        while not connection.events:
            if connection.fileno() < 0:
                connection.open()
            else:
                connection.receive()

    connection.open()
    fill()
    assert connection.events.popleft().kind is Kind.REACHED
    server.end()
    wait_until(lambda: connection.receive() or connection.fileno() < 0, "the end of the connection")
    pauses = [connection.pause_s]
    for _ in range(6):
        connection.open()
        pauses.append(connection.pause_s)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2])
    server.start()
    fill()
    assert connection.events.popleft().kind is Kind.RECONNECTED
    assert connection.pause_s == pytest.approx(0.1)
    connection.close()


@pytest.mark.parametrize("limits, column", [
    ("available<10% nonsense 5", 15),
    ("used 200%", 6),
    ("used 80%  # high\nbad 3", 18),
    ("# ä\nbad 3", 5),
    ("used 80% ä 3", 10),
    ("used", None),
    ("used 1 used 2", 8),
    ("used 80% " * 456, None),
])
def test_bad_limits_are_told_with_their_place(server, limits, column):
    async def iterate():
        async for event in watch(server, limits):
            assert False, event

    async def enter():
        async with watch(server, limits):
            assert False

    for attempt in (lambda: run(iterate()), lambda: run(enter()), lambda: memnotifyfs.wait(limits, 30, server.socket)):
        with pytest.raises(memnotifyfs.LimitError) as caught:
            attempt()
        assert isinstance(caught.value, ValueError)
        assert caught.value.limits == limits
        assert caught.value.reason and caught.value.reason in str(caught.value)
        assert "column" not in caught.value.reason
        if column is not None:
            assert caught.value.column == column
            assert f"column {column}" in str(caught.value)


def test_after_an_error_there_is_nothing(server):
    async def main():
        events = watch(server, "bad 3")
        with pytest.raises(memnotifyfs.LimitError):
            await next_of(events)
        with pytest.raises(StopAsyncIteration):
            await next_of(events)

    run(main())


def test_without_a_server_it_fails_at_once(server, tmp_path):
    async def main():
        async for event in memnotifyfs.watch("used 80%", server=f"{tmp_path}/none.sock"):
            assert False, event

    for attempt in (lambda: run(main()), lambda: memnotifyfs.meters(f"{tmp_path}/none.sock"),
                    lambda: memnotifyfs.wait("used 80%", server=f"{tmp_path}/none")):
        with pytest.raises(FileNotFoundError) as caught:
            attempt()
        assert caught.value.filename == f"{tmp_path}/none.sock"


def test_two_clients_hear_of_their_own_limits(server):
    async def main():
        async with watch(server) as one, watch(server, "used 50%") as other:
            server.simulate("available 2%")
            first = await next_of(one)
            server.simulate("used 70%")
            return told(first), told(await next_of(other))

    assert run(main()) == (("reached", "available"), ("reached", "used"))


def test_cancelling_loses_no_event(server):
    async def main():
        seen = []
        async with watch(server) as events:
            for number in range(100):
                server.simulate(ENOUGH if number % 2 else SCARCE)
                waiting = asyncio.ensure_future(next_of(events))
                for _ in range(number % 5):
                    await asyncio.sleep(0)
                waiting.cancel()
                try:
                    seen.append(await waiting)
                except asyncio.CancelledError:
                    seen.append(await next_of(events))
        return seen

    assert [event.kind for event in run(main())] == [Kind.REACHED, Kind.LEFT] * 50


@contextmanager
def as_many_descriptors():
    before = open_files(os.getpid())
    yield
    gc.collect()
    assert open_files(os.getpid()) == before


def test_it_leaves_no_descriptor_when_it_is_left(server):
    async def leave():
        with as_many_descriptors():
            async for event in watch(server, "used 1"):
                assert event.kind is Kind.REACHED
                break

    async def cancel():
        with as_many_descriptors():
            async def follow():
                async for _ in watch(server, "used 1"):
                    heard.set()

            heard = asyncio.Event()
            task = asyncio.ensure_future(follow())
            await heard.wait()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            del task
            await asyncio.sleep(0)  # the loop has it as well

    async def close():
        with as_many_descriptors():
            events = watch(server)
            await events.__aenter__()
            waiting = asyncio.ensure_future(next_of(events))
            await asyncio.sleep(0)
            await events.aclose()
            with pytest.raises(StopAsyncIteration):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await next_of(events)

    for main in (leave, cancel, close):
        run(main())


def test_it_can_be_closed_while_the_server_is_away(server):
    async def main():
        async with watch(server) as events:
            server.end()
            waiting = asyncio.ensure_future(next_of(events))
            while events._connection.fileno() >= 0 or events._waiter is None:
                await asyncio.sleep(0.005)
        with pytest.raises(StopAsyncIteration):
            await waiting

    run(main())
    server.start()


def test_one_task_at_a_time(server):
    async def main():
        async with watch(server) as events:
            waiting = asyncio.ensure_future(next_of(events))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError):
                await next_of(events)
            server.simulate(SCARCE)
            assert (await waiting).kind is Kind.REACHED

    run(main())


def test_who_reads_too_slowly_is_told_how_much_he_has_lost(server):
    async def main():
        async with watch(server) as events:
            for _ in range(1000):
                server.simulate(SCARCE)
                server.simulate(ENOUGH)
            n_seen = n_lost = 0
            async for event in events:
                n_seen += event.kind is not Kind.LOST
                n_lost += event.lost
                if n_seen + n_lost == 2000:
                    return n_lost, event.kind

    n_lost, last = run(main())
    assert n_lost > 0 and last is Kind.LEFT


def test_wait_blocks_until_a_limit_is_reached(server):
    def client(say):
        say("waiting")
        event = memnotifyfs.wait("available<10%", server=server.socket)
        say([event.kind, event.meter])

    with Child(client) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        assert child.is_silent()
        server.simulate(SCARCE)
        assert child.hear() == ["reached", "available"]
        assert child.wait() == 0
    assert memnotifyfs.wait("available<10%", server=server.socket).meter == "available", "it is reached already"


def test_wait_ends_with_its_time(server):
    assert memnotifyfs.wait("available<10%", timeout=0.05, server=server.socket) is None
    with pytest.raises(FileNotFoundError):
        memnotifyfs.wait("available<10%", timeout=0.05, server="/nonexistent/at.sock")


def test_wait_goes_on_over_a_restart(server, monkeypatch):
    connections, heard = [], []

    def connect(*arguments):
        connections.append(Connection(*arguments))
        return connections[0]

    monkeypatch.setattr("memnotifyfs._blocking.Connection", connect)
    thread = threading.Thread(target=lambda: heard.append(memnotifyfs.wait("available<10%", server=server.socket)))
    thread.start()
    wait_until(lambda: connections and connections[0].is_started, "the client")
    server.end()
    server.start()
    server.simulate(SCARCE)
    thread.join(TIMEOUT_S)
    assert told(heard[0]) == ("reached", "available")


def test_meters_are_bytes(server):
    meters = memnotifyfs.meters(server.socket)
    assert set(meters) == set(os.listdir(server / "meters"))
    total = server.meter("total")
    assert meters["total"] == total * memnotifyfs.PAGE_BYTES
    assert meters["available"] == server.meter("available") * memnotifyfs.PAGE_BYTES


def test_it_finds_the_server(server, monkeypatch):
    link = os.fspath(server.mountpoint) + ".link"
    try:
        os.symlink(server.socket, link)
        for place in (server.socket, str(server.mountpoint), f"{server.mountpoint}/", link):
            assert memnotifyfs.meters(place)
            monkeypatch.setenv("MEMNOTIFYFS", place)
            assert memnotifyfs.meters()
    finally:
        os.unlink(link)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert find_sockets("/run/x.sock") == ["/run/x.sock"]
    monkeypatch.delenv("MEMNOTIFYFS")
    assert find_sockets() == ["/run/memnotify.sock", "/run/user/7/memnotify.sock"]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert find_sockets() == ["/run/memnotify.sock"]


def test_a_program_with_rights_that_its_user_does_not_have_ignores_the_environment():
    program = "import os; os.setresuid(%d, 0, 0); import memnotifyfs._connection as c; print(c.find_sockets())"
    for uid, expected in ((0, "['/x.sock']\n"), (NOBODY, "['/run/memnotify.sock']\n")):
        environment = {"MEMNOTIFYFS": "/x.sock", "XDG_RUNTIME_DIR": "/y", "PYTHONPATH": str(SOURCE)}
        command = [sys.executable, "-c", program % uid]
        assert subprocess.check_output(command, env=environment, text=True) == expected


SAID = b"""ok
1.5 - used reached 7 3
used 5 reached 3
free 9 limit 4
total 20
ok
2.25 - used left 2 3
3 - total changed 30 20
4 - - removed
5 - - returned
5.5 - - last_call
6 - - lost 7
7 - used trembles 1
8 - free reached 1 4
"""


def test_all_that_is_said_is_understood(tmp_path):
    async def main(server):
        events = memnotifyfs.watch("used 3 free<4", server=server)
        return [await next_of(events) for _ in range(8)]

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/other.sock")
        listener.listen()
        with Child(lambda say: serve(listener, SAID)) as child:
            first, *others = run(main(f"{tmp_path}/other.sock"))
            assert child.wait() == 0
    assert first == Event(Kind.REACHED, first.time, "used", value_pages=5, limit_pages=3)
    assert others == [
        Event(Kind.LEFT, 2.25, "used", value_pages=2, limit_pages=3),
        Event(Kind.CHANGED, 3, "total", value_pages=30, old_pages=20),
        Event(Kind.REMOVED, 4),
        Event(Kind.RETURNED, 5),
        Event(Kind.LAST_CALL, 5.5),
        Event(Kind.LOST, 6, lost=7),
        Event(Kind.REACHED, 8, "free", value_pages=1, limit_pages=4),
    ]
    assert others[1].old_bytes == 20 * memnotifyfs.PAGE_BYTES


def test_another_server_is_an_error(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/other.sock")
        listener.listen()
        for text in (b"220 mail.example ESMTP\n", b"1 2\n", b"error\n", b"x" * 70000, b""):
            with Child(lambda say: serve(listener, text)) as child:
                with pytest.raises(OSError) as caught:
                    memnotifyfs.meters(f"{tmp_path}/other.sock")
                assert caught.value.errno == (errno.EPROTO if text else errno.ECONNRESET)
                assert child.wait() == 0


def serve(listener, text):
    connection, _ = listener.accept()
    connection.recv(4111)
    connection.sendall(text)
    connection.close()
