# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file of the socket, from the command line to the end of the server, and what clients see of that end."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until
from daemon import PROGRAM, daemons_of, environment, is_mounted
from memcg_client import USAGE, Client
from socket_client import SocketClient, metric, path_of, serve_with_socket


@pytest.fixture
def path():
    """Short: there is room for some hundred characters."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "socket"


def refuses(directory, path, reason):
    """It ends with one line; what is at the path stays."""
    def look():
        return os.lstat(path).st_ino if os.path.lexists(path) else None

    before = look()
    done = subprocess.run([PROGRAM, "-f", f"--socket={path}", directory], capture_output=True, text=True,
                          timeout=TIMEOUT_S, env=environment(), check=False)
    assert (done.returncode, look()) == (1, before), done
    assert done.stderr == f"memnotifyfs: cannot make the socket '{path}': {reason}\n"
    assert not is_mounted(directory)
    return True


def bind(path, kind=socket.SOCK_STREAM):
    """Another program's."""
    other = socket.socket(socket.AF_UNIX, kind)
    other.bind(str(path))
    if kind != socket.SOCK_DGRAM:
        other.listen()
    return other


def is_served(path):
    with SocketClient(path) as client:
        return client.ask("read")[-1] == "ok"


# ---- its place ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [["--socket"], ["-o", "socket"], ["-o", "update_space=4,socket"]])
def test_it_is_beside_the_mount_point(serve, options):
    daemon = serve(*options)
    assert is_served(path_of(daemon))
    daemon.stop()
    assert not os.path.exists(path_of(daemon))


@pytest.mark.parametrize("options", [["--socket={}"], ["-o", "socket={},update_space=4"], ["--socket={}", "--socket"]])
def test_it_is_where_it_is_wanted(serve, path, options):
    daemon = serve(*(option.format(path) for option in options))
    assert is_served(path)
    assert not os.path.exists(path_of(daemon))
    with SocketClient(path) as client:
        assert client.socket.getpeername() == str(path)
    daemon.stop()
    assert os.listdir(path.parent) == [], "nor is there anything else"


def test_without_being_asked_there_is_none(serve):
    daemon = serve()
    assert not os.path.exists(path_of(daemon))
    assert metric(daemon, "connections") == 0


@pytest.mark.parametrize("mask", ["000", "022", "077", "777"])
def test_it_is_for_everybody(serve, path, mask):
    """Whatever is masked out for files, and that stays as it was."""
    daemon = serve(f"--socket={path}", wrapper=["sh", "-c", f'umask {mask}; exec "$@"', "sh"])
    status = os.stat(path)
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o666
    text = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    assert int(re.search(r"Umask:\s+(\d+)", text).group(1), 8) == int(mask, 8)


def test_the_background_has_it_too(directory, path, monkeypatch):
    """By a name that goes from where it was started."""
    monkeypatch.chdir(path.parent)
    subprocess.run([PROGRAM, f"--socket={path.name}", directory], env=environment(), timeout=TIMEOUT_S, check=True)
    with SocketClient(path) as client:
        assert client.watch("used 5").meters()
        (pid,) = daemons_of(directory)
        os.kill(pid, signal.SIGTERM)
        assert client.rest() == ""
    wait_until(lambda: not is_mounted(directory) and not daemons_of(directory), "the end of the daemon")
    assert not path.exists()


def test_one_that_a_dead_server_has_left_is_replaced(serve, path):
    serve(f"--socket={path}").kill()
    assert path.exists()
    daemon = serve(f"--socket={path}")
    assert is_served(path)
    daemon.stop()
    assert not path.exists()


# ---- what is in its way ------------------------------------------------------------------------------------------

def test_one_that_is_served_is_not_taken(directory, serve, path):
    daemon = serve(f"--socket={path}")
    assert refuses(directory, path, "another program serves it")
    assert is_served(path)
    daemon.stop()
    with bind(path):
        assert refuses(directory, path, "another program serves it")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_nor_is_one_of_another_kind(directory, path, kind):
    """As that of the system's log."""
    with bind(path, kind):
        assert refuses(directory, path, "another program serves it")


def test_what_is_no_socket_stays(directory, path):
    path.write_text("mine")
    assert refuses(directory, path, "there is something else")
    assert path.read_text() == "mine"
    path.unlink()
    path.mkdir()
    assert refuses(directory, path, "there is something else")
    path.rmdir()
    path.symlink_to("nowhere")
    assert refuses(directory, path, "there is something else")


def test_a_path_that_will_not_do(directory, path):
    assert refuses(directory, path / "missing", "No such file or directory")
    assert refuses(directory, path.parent / ("x" * 100), "File name too long")
    path.write_text("a file")
    assert refuses(directory, path / "below", "Not a directory")


def test_one_that_another_has_put_there_meanwhile_stays(serve, path):
    daemon = serve(f"--socket={path}")
    path.unlink()
    with bind(path):
        daemon.stop()
        assert path.exists()


# ---- the end of the server ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_see_the_end_of_the_server(serve, number):
    daemon = serve_with_socket(serve)
    clients = [SocketClient(path_of(daemon)) for _ in range(3)]
    clients[0].watch("used 100%")
    clients[1].send("watch used")
    clients[1].wait_taken()
    eventfd = clients[2].ask_fd("eventfd used 100%")
    daemon.process.send_signal(number)
    assert [client.rest() for client in clients] == [""] * 3
    daemon.demand_clean_end()
    os.close(eventfd)
    for client in clients:
        client.close()


def test_clients_see_that_it_was_killed(serve):
    """No process that it has for other things keeps their connections."""
    daemon = serve_with_socket(serve)
    with SocketClient(path_of(daemon)) as client, Client(daemon / "memcg") as other:
        client.watch("used 100%")
        assert other.register(USAGE, "1G") == 0
        daemon.kill()
        assert client.rest() == ""


def test_clients_of_a_server_that_is_stopped_wait(serve, make_machine):
    """Also those who come meanwhile; all is answered when it goes on, in its order."""
    daemon = serve_with_socket(serve, machine=make_machine("debian-6.1"), simulate=True)
    with SocketClient(path_of(daemon)) as client:
        client.watch("used 100%")
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            client.send("read\n" * 3)
            others = [SocketClient(path_of(daemon)) for _ in range(20)]
            for other in others:
                other.send("read\nquit\n")
            with SocketClient(path_of(daemon)) as mayfly:
                mayfly.send("watch used 5\n")
            assert client.is_silent() and all(other.is_silent() for other in others)
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        answers = [client.answer() for _ in range(3)]
        assert answers[0] == answers[2] and answers[0][-1] == "ok"
        for other in others:
            assert other.rest().endswith("\nok\n")
            other.close()
