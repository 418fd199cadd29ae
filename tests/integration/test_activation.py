# SPDX-License-Identifier: LGPL-2.1-or-later
"""A socket that the service manager has made, and keeps while the service is away."""

import os
import socket

import pytest

from clients import TIMEOUT_S, read_text, wait_until
from manager import Manager, Service, look_at


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def service(manager):
    made = Service(manager, simulate=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(made.socket)
    listener.listen()
    manager.store = [look_at("memnotifyfs.socket", listener.detach())]
    yield made
    made.close()
    os.unlink(made.socket)


def ask(path, text):
    """A connection on which something was asked for, as a file."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT_S)
        client.connect(path)
        client.sendall(text)
        return client.makefile("rb")


def test_it_is_served_in_the_place_of_one_of_our_own(service):
    service.start()
    assert read_text(service / "socket") == f"{service.socket}\n"
    with ask(service.socket, b"watch available<10%\n") as told:
        assert told.readline() == b"ok\n"
        service.simulate("available 2%")
        assert b" - available reached " in told.readline()


def test_who_connects_while_the_service_is_away_is_answered_by_the_next(service):
    service.start()
    service.stop()
    assert os.path.exists(service.socket)
    with ask(service.socket, b"watch used>=90%\n") as told:
        service.start()
        assert told.readline() == b"ok\n"


def test_who_has_been_told_ok_is_kept(service, manager):
    """A limit that is crossed while nobody serves is told by the next."""
    service.start()
    with ask(service.socket, b"watch used>=90%\n") as told:
        assert told.readline() == b"ok\n"
        service.kill()
        wait_until(lambda: len(manager.connections()) == 2, "the connection to be kept")  # and the listening socket
        service.start()
        service.simulate("used 95%")
        assert b" - used reached " in told.readline()


def test_who_cannot_be_gone_on_with_is_told_so(service, manager):
    """And does not wait for what nobody watches any more."""
    service.start()
    with ask(service.socket, b"watch used>=90%\n") as told:
        assert told.readline() == b"ok\n"
        service.kill()
        wait_until(lambda: len(manager.connections()) == 2, "the connection to be kept")
        records = next(kept.fd for kept in manager.store if kept.name == "memnotifyfs-records")
        os.pwrite(records, bytes(os.fstat(records).st_size), 0)
        service.start()
        assert told.readline().startswith(b"error ")
        assert told.readline() == b""


def test_the_manager_is_told_when_the_files_are_there(service, manager):
    service.start()
    wait_until(lambda: manager.states, "a word to the manager")
    assert manager.states == ["READY=1"] and manager.senders == {service.pid}


def datagrams():
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).detach()


@pytest.mark.parametrize("name, made", [("file", lambda: os.open("/dev/null", os.O_RDONLY)), ("datagrams", datagrams)])
def test_what_is_no_socket_of_ours_is_closed(service, manager, name, made):
    manager.store = [*manager.store, look_at(name, made())]
    service.expected.append(f"the service manager has handed over '{name}', which is no stream socket")
    service.start()
    with ask(service.socket, b"quit\n") as told:
        assert told.read() == b""


def test_it_is_enough_without_the_option(manager, service):
    service.arguments = [word for word in service.arguments if not word.startswith("--socket")]
    service.start()
    with ask(service.socket, b"read\n") as told:
        assert told.readline().startswith(b"used ")
