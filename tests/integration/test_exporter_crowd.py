# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-exporter and many who mean no good: whoever asks for metrics is served."""

import resource
import socket
from contextlib import contextmanager

import pytest

from clients import is_ready, wait_until
from exporter import Viewer, reset_at_the_end, viewing

EVENTS_MAX = 256
OTHERS = 300  # descriptors of the test's own, and more
SCRAPES = 20
ASK = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def small(export, daemon):
    """Who may have 256 descriptors, and keeps 56 of them for others."""
    return export("--listen=0", "--interval=100ms", "--at", daemon.mountpoint,
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))


@contextmanager
def crowd(server, number, request=b""):
    """So many who have sent that, and do not read."""
    clients = []
    try:
        for _ in range(number):
            clients.append(server.connect())
            clients[-1].sendall(request)
        yield clients
    finally:
        for client in clients:
            reset_at_the_end(client)
            client.close()


def is_sent_away(client):
    if not is_ready(client.fileno()):
        return False
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def scrape(server):
    for _ in range(SCRAPES):
        assert "\nmemnotifyfs_up 1\n" in server.get()


SLOW = {"nothing": b"", "a byte": b"G", "half a head": ASK[:-2], "much, and read nothing": ASK * 100,
        "half a body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1"}


@pytest.mark.parametrize("name", SLOW)
def test_a_thousand_who_are_slow(served, name):
    with crowd(served, 1000, SLOW[name]):
        scrape(served)


def test_a_thousand_who_send_a_byte_at_a_time(served):
    with crowd(served, 1000) as clients:
        for byte in ASK[:8]:
            for client in clients:
                client.send(bytes([byte]))
            scrape(served)
        assert not any(map(is_sent_away, clients))


def test_a_thousand_who_ask_at_once(served):
    """None is told that the mount is not there, only because there are so many."""
    with crowd(served, 1000, ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as clients:
        for client in clients:
            text = b""
            while more := client.recv(1 << 20):
                text += more
            assert b"\nmemnotifyfs_up 1\n" in text


def check_first_go(server, number, kept):
    """Of so many who send nothing, the first are sent away, and the last stay."""
    with crowd(server, number) as clients:
        scrape(server)
        wait_until(lambda: sum(map(is_sent_away, clients)) >= number - kept, "the first to be sent away")
        assert not any(map(is_sent_away, clients[-kept // 2:]))


def test_more_than_there_are_descriptors(small):
    check_first_go(small, 500, 56)


def test_more_than_it_keeps(served):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4200 + OTHERS:
        pytest.skip("there may be no more than so many descriptors here")
    check_first_go(served, 4200, 4000)


def test_who_reads_nothing_does_not_keep_others_out(small):
    with crowd(small, 100, ASK * 100), crowd(small, 40):
        scrape(small)


# ---- those who look ----------------------------------------------------------------------------------------------

def look(server):
    return [Viewer(server) for _ in range(EVENTS_MAX)]


def refusal(server):
    """None if he was not refused."""
    client = server.connect()
    client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    text = b""
    while b"\r\n\r\n" not in text:
        text += client.recv(65536)
    reset_at_the_end(client)
    client.close()
    return None if text.startswith(b"HTTP/1.1 200 ") else text.decode()


def is_refused(server):
    text = refusal(server)
    assert text is None or (text.startswith("HTTP/1.1 503 ") and "\r\nRetry-After: 10\r\n" in text), text
    return text is not None


def test_more_than_may_look(export, daemon):
    server = export("--listen=0", "--interval=100ms", "--at", daemon.mountpoint)
    viewers = look(server)
    try:
        assert is_refused(server)
        scrape(server)
        for viewer in viewers:
            assert viewer.read()["mounts"]
    finally:
        for viewer in viewers:
            viewer.close()
    wait_until(lambda: not is_refused(server), "room")


def test_half_of_all_may_look(small):
    """So that metrics are served even where there are few descriptors."""
    viewers = [Viewer(small) for _ in range(28)]
    try:
        assert is_refused(small)
        with crowd(small, 100):
            scrape(small)
        for viewer in viewers:
            assert viewer.read()["mounts"]
    finally:
        for viewer in viewers:
            viewer.close()


def test_who_looks_and_does_not_read(export, daemon):
    """Others get theirs."""
    server = export("--listen=0", "--interval=100ms", "--at", daemon.mountpoint)
    clients = []
    for _ in range(50):
        clients.append(socket.socket())
        clients[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        clients[-1].connect(server.address)
        clients[-1].sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with viewing(server) as viewer:
        for _ in range(30):
            assert viewer.read()["mounts"]
        scrape(server)
    for client in clients:
        reset_at_the_end(client)
        client.close()
