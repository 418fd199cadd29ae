# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-oomd, called as systemd-oomd calls its hooks: io.systemd.oom.Prekill.Notify, over a Varlink socket."""

import json
import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack

import pytest

from clients import TIMEOUT_S, Child, is_ready, opened, wait_until
from memcg_client import removed_at_end, v1_group
from program import Program

PROGRAM = os.environ["OOMD"]
NOTIFY = "io.systemd.oom.Prekill.Notify"
NOBODY = 65534


class Oomd:
    """What systemd-oomd is to a hook."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.connect(str(path))
        self.socket.settimeout(TIMEOUT_S)
        self.text = b""

    def send(self, method, **parameters):
        self.send_text(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")

    def send_text(self, text):
        self.socket.sendall(text)

    def receive(self):
        while b"\0" not in self.text:
            piece = self.socket.recv(4096)
            if not piece:
                return None
            self.text += piece
        message, self.text = self.text.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.send(method, **parameters)
        return self.receive()

    def close(self):
        self.socket.close()


class Hook(Program):
    def __init__(self, directory, *options, place=None):
        self.path = directory / "hook"
        self.options = [PROGRAM, "--socket", self.path, *options] + (["--at", place] if place else [])
        super().__init__(directory, self.options)
        wait_until(self.is_there, "the hook")

    def is_there(self):
        assert self.process.poll() is None, self.messages()
        try:
            Oomd(self.path).close()
            return True
        except OSError:
            return False

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.wait() == 0


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def daemon(serve):
    return serve(simulate=True)


@pytest.fixture
def start(stack, tmp_path):
    def start(*options, place=None):
        hook = Hook(tmp_path, *options, place=place)
        stack.callback(hook.close)
        return hook

    return start


@pytest.fixture
def group(stack):
    """(directory, name)."""
    directory = stack.enter_context(removed_at_end(v1_group()))
    return directory, "/" + directory.name


def call(hook, method, **parameters):
    oomd = Oomd(hook.path)
    try:
        return oomd.call(method, **parameters)
    finally:
        oomd.close()


def reads_events(daemon, group):
    def read(say):
        (group / "cgroup.procs").write_text(str(os.getpid()))
        with opened(daemon / "events", os.O_RDONLY) as fd:
            say("ready")
            say(os.read(fd, 4096).decode())
            signal.pause()
    return read


def test_members_know_before_the_call_is_answered(daemon, start, group, stack):
    hook = start("--grace", "0", place=daemon.mountpoint)
    child = Child(reads_events(daemon, group[0]))
    stack.callback(lambda: (child.signal(signal.SIGKILL), child.wait()))
    assert child.hear() == "ready"
    assert call(hook, NOTIFY, cgroup=group[1]) == {"parameters": {}}
    assert re.fullmatch(r"\d+\.\d{6} - - last_call\n", child.hear())
    assert f"memnotify-oomd: '{group[1]}' is about to be killed: 1 told\n" in hook.messages()


def test_they_have_time_and_nobody_is_waited_for(daemon, start):
    """A call that is not answered before others that came later."""
    hook = start("--grace", "1m", place=daemon.mountpoint)
    with opened(daemon / "events", os.O_RDONLY) as fd:
        first = Oomd(hook.path)
        first.send(NOTIFY, cgroup="/")
        wait_until(lambda: is_ready(fd), "the last call")
        for _ in range(3):
            assert call(hook, NOTIFY, cgroup="/nobody/is/here") == {"parameters": {}}
        assert not is_ready(first.socket.fileno())
        first.close()  # it does not wait any longer
    assert call(hook, NOTIFY, cgroup="/") == {"parameters": {}}


def test_it_says_what_it_is(daemon, start):
    hook = start(place=daemon.mountpoint)
    info = call(hook, "org.varlink.service.GetInfo")["parameters"]
    assert info["product"] == "memnotify-oomd" and "io.systemd.oom.Prekill" in info["interfaces"]
    text = call(hook, "org.varlink.service.GetInterfaceDescription", interface="io.systemd.oom.Prekill")
    assert "method Notify(cgroup: string) -> ()" in text["parameters"]["description"]


@pytest.mark.parametrize("method, parameters, error", [
    ("io.systemd.oom.Prekill.Other", {}, "MethodNotFound"),
    ("org.varlink.service.GetInterfaceDescription", {"interface": "x.y"}, "InterfaceNotFound"),
    (NOTIFY, {}, "InvalidParameter"),
    (NOTIFY, {"cgroup": 5}, "InvalidParameter"),
    (NOTIFY, {"cgroup": "user.slice"}, "InvalidParameter"),
])
def test_what_is_wrong_is_an_error(daemon, start, method, parameters, error):
    hook = start(place=daemon.mountpoint)
    oomd = Oomd(hook.path)
    for _ in range(2):
        assert oomd.call(method, **parameters)["error"] == f"org.varlink.service.{error}"
    oomd.close()


def test_no_parameters_and_several_messages_at_once(daemon, start):
    hook = start(place=daemon.mountpoint)
    oomd = Oomd(hook.path)
    message = json.dumps({"method": NOTIFY, "parameters": {"cgroup": "/nobody"}}).encode() + b"\0"
    oneway = json.dumps({"method": NOTIFY, "oneway": True, "parameters": {"cgroup": "/nobody"}}).encode() + b"\0"
    oomd.send_text(message[:10])
    oomd.send_text(message[10:] + oneway + message + b'{"method":"org.varlink.service.GetInfo"}\0')
    assert oomd.receive() == oomd.receive() == {"parameters": {}}
    assert oomd.receive()["parameters"]["product"] == "memnotify-oomd"
    oomd.close()


@pytest.mark.parametrize("text", [b"\0", b"junk\0", b"[]\0", b"{}\0", b'{"method":5}\0',
                                  b'{"method":"x","parameters":[]}\0', b"x" * 70000], ids=range(7))
def test_who_does_not_speak_varlink_is_disconnected(daemon, start, text):
    hook = start(place=daemon.mountpoint)
    oomd = Oomd(hook.path)
    try:
        oomd.send_text(text)
        assert oomd.receive() is None
    except (BrokenPipeError, ConnectionResetError):  # while it still sent
        pass
    oomd.close()
    assert call(hook, NOTIFY, cgroup="/nobody") == {"parameters": {}}


def test_others_may_not_call(daemon, start, tmp_path):
    hook = start("--user", "nobody", place=daemon.mountpoint)
    for directory in [tmp_path, *tmp_path.parents][:-2]:
        directory.chmod(0o755)

    def ask(say):
        say(call(hook, NOTIFY, cgroup="/"))

    def crowd(say):
        crowded = [Oomd(hook.path) for _ in range(100)]
        say(len(crowded))
        signal.pause()

    with opened(daemon / "events", os.O_RDONLY) as fd:
        stranger = Child(ask, uid=54321)
        assert stranger.hear()["error"] == "org.varlink.service.PermissionDenied"
        assert stranger.wait() == 0
        assert not is_ready(fd)
        many = Child(crowd, uid=54321)
        assert many.hear() == 100
        named = Child(ask, uid=NOBODY)
        assert named.hear() == {"parameters": {}}
        assert named.wait() == 0
        assert is_ready(fd)
        many.signal(signal.SIGKILL)
        many.wait()


def test_a_server_that_comes_later_or_again(serve, start, tmp_path):
    """What cannot be told is said, and the kill is not held up."""
    place = tmp_path / "mount"
    place.mkdir()
    hook = start("--grace", "0", place=place)
    assert "there is no memnotifyfs" in hook.messages()
    assert call(hook, NOTIFY, cgroup="/") == {"parameters": {}}
    wait_until(lambda: "cannot tell the members of '/'" in hook.messages(), "that it could not tell")


def test_after_a_restart_of_the_server(serve, start):
    daemon = serve(simulate=True)
    hook = start("--grace", "0", place=daemon.mountpoint)
    for _ in range(2):
        with opened(daemon / "events", os.O_RDONLY) as fd:
            assert call(hook, NOTIFY, cgroup="/") == {"parameters": {}}
            assert is_ready(fd)
        daemon.stop()
        daemon.start()


def test_a_stale_socket_is_replaced_and_a_served_one_is_not(daemon, start, tmp_path):
    hook = start(place=daemon.mountpoint)
    done = subprocess.run(hook.options, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (1, f"memnotify-oomd: cannot listen at '{hook.path}': somebody serves it "
                                              "already\n")
    hook.process.kill()
    hook.process.wait()
    hook.process = subprocess.Popen(hook.options, stderr=subprocess.DEVNULL)
    wait_until(hook.is_there, "the hook")
    hook.close()
    assert not hook.path.exists()


@pytest.mark.parametrize("options, message", [
    (["--grace", "2m"], "--grace: '2m' is too long; 1m is the longest"),
    (["--user", "nobody-of-that-name"], "--user: there is no user 'nobody-of-that-name'"),
    (["--nothing"], "Unknown option --nothing; see 'memnotify-oomd --help'"),
    (["more"], "there is an argument too many; see 'memnotify-oomd --help'"),
])
def test_what_it_is_told_wrongly(options, message):
    done = subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (2, f"memnotify-oomd: {message}\n")
