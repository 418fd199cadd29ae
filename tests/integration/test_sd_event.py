# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that waits for memory pressure with systemd's library, told by our socket: it is called back at a stall,
sleeps between, and notices nothing of a restart of the server."""

import base64
import os
import select
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, is_woken, opened, read_text, wait_until
from fixtures import close_all
from manager import Manager, Service

CLIENT = os.environ.get("PRESSURE_CLIENT", "build/tests/integration/pressure_client")
TREE = Path(os.environ.get("LIBSYSTEMD", "build/libsystemd")).absolute()
FETCH = Path(__file__).with_name("fetch-libsystemd")
PSI = "/proc/pressure/memory"

AS_SYSTEMD = b"some 200000 2000000\0"  # what the manager sets unless it is configured
SHORT = b"some 5000 50000\0"


class Client:
    """A running pressure_client."""

    def __init__(self, command, path, text):
        environment = {"MEMORY_PRESSURE_WATCH": str(path), "MEMORY_PRESSURE_WRITE": base64.b64encode(text).decode()}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env={**os.environ, **environment})
        self.turns = self.callbacks = 0
        self.text = b""
        self.look()  # its text is sent before its loop turns
        self.known_bytes = self._read_bytes()

    def _read_bytes(self):
        """How many it has read since it was started."""
        return int(read_text(f"/proc/{self.process.pid}/io").split()[1])

    def _more(self):
        assert select.select([self.process.stdout], [], [], TIMEOUT_S)[0], "the client says nothing"
        return os.read(self.process.stdout.fileno(), 65536)

    def _line(self):
        while b"\n" not in self.text:
            more = self._more()
            assert more, "the client has ended"
            self.text += more
        line, _, self.text = self.text.partition(b"\n")
        return line.decode()

    def wait_pressed(self):
        assert self._line() == "pressure"
        self.callbacks += 1

    def look(self):
        """(how often it was called back, how often its loop has turned for nothing), both since the last look."""
        self.process.stdin.write(b"\n")
        while (line := self._line()) == "pressure":
            self.callbacks += 1
        turns = int(line.removeprefix("turns "))
        seen = self.callbacks, turns - self.turns - self.callbacks - 1
        self.turns, self.callbacks = turns, 0
        return seen

    def has_read_a_byte_for_each(self):
        """Callback so far, and nothing else but our questions."""
        self.known_bytes += self.look()[0] + 1
        return self._read_bytes() == self.known_bytes

    def settle(self):
        """Once nothing more is sent: hears of what was. It may be called back for it after the first answer."""
        for _ in range(2):
            assert self.look()[1] == 0

    def connection(self):
        """What tells its socket from all others."""
        links = [os.readlink(f"/proc/{self.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{self.process.pid}/fd")]
        return next(link for link in links if link.startswith("socket:"))

    def close(self):
        """Once more, too."""
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            while self._more():
                pass
            assert self.process.wait(TIMEOUT_S) == 0
        finally:
            self.process.kill()
            self.process.stdout.close()


@pytest.fixture(scope="session")
def command():
    """The program with a libsystemd that knows memory pressure: the machine's own, else Debian 13's."""
    if subprocess.run([CLIENT], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 77:
        return [CLIENT]
    fetched = subprocess.run([FETCH, TREE], stdout=subprocess.PIPE, text=True)
    if fetched.returncode == 77:
        pytest.skip(fetched.stdout.strip())
    assert fetched.returncode == 0
    loader = next(TREE.glob("usr/lib/*/ld-linux-*.so.*"))
    return [loader, "--library-path", loader.parent, CLIENT]


@pytest.fixture
def manager(request, tmp_path):
    made = Manager(getattr(request, "param", tmp_path / "notify"))
    yield made
    made.close()


@pytest.fixture
def serve_managed(manager):
    """serve_managed("--source=system"): a running Service."""
    running = []

    def begin(*options, **settings):
        running.append(Service(manager, *options, **settings))
        return running[-1].start()

    yield begin
    close_all(running)


@pytest.fixture
def service(serve_managed, make_machine):
    """Of a machine where nothing stalls unless it is simulated."""
    return serve_managed(machine=make_machine("debian-6.1"), simulate=True)


@pytest.fixture
def start(command):
    """start(service, text): a Client that waits."""
    clients = []

    def begin(service, text=SHORT):
        clients.append(Client(command, service.socket, text))
        return clients[-1]

    yield begin
    for client in clients:
        client.close()


def end(service, number):
    if number == signal.SIGKILL:
        service.kill()
    else:
        service.process.send_signal(number)
        service.demand_clean_end()


def wait_kept(manager, number):
    wait_until(lambda: len(manager.connections()) == number, f"{number} connections in the store")


def test_a_stall_calls_back(service, start):
    """It is called back for what it is sent, and for nothing else."""
    client = start(service)
    service.simulate("stall_some 90%")
    for _ in range(3):
        client.wait_pressed()
    service.simulate("reset")
    wait_until(client.has_read_a_byte_for_each, "as many callbacks as bytes")


def test_as_systemd_sets_it(service, start):
    client = start(service, AS_SYSTEMD)
    service.simulate("stall_some 90%")
    client.wait_pressed()
    assert client.look()[1] == 0


def test_less_than_was_asked_for_is_no_event(service, start):
    """Others hear of the stalls of the same two seconds, twice."""
    client = start(service, AS_SYSTEMD)
    with opened(service / "pressure") as witness:
        os.write(witness, b"some 1000 2000000")
        service.simulate("stall_some 5%")
        for _ in range(2):
            assert is_woken(witness, select.POLLPRI) == select.POLLPRI
    assert client.look() == (0, 0)


@pytest.mark.parametrize("number, manager", [
    (signal.SIGKILL, f"@memnotifyfs-test-{os.getpid()}"),  # in no file system
    (signal.SIGTERM, f"{tempfile.gettempdir()}/memnotifyfs-test.notify"),
], indirect=["manager"])
def test_it_notices_nothing_of_a_restart(manager, service, start, number):
    some, full = start(service), start(service, b"full 5000 50000\0")
    connections = some.connection(), full.connection()
    wait_kept(manager, 2)
    for _ in range(2):
        end(service, number)
        for client in some, full:
            client.settle()
        service.start()
        assert some.look() == full.look() == (0, 0)

        service.simulate("stall_some 90%")
        some.wait_pressed()
        assert full.look() == (0, 0)
        service.simulate("stall_full 90%")
        full.wait_pressed()
        assert some.look()[1] == full.look()[1] == 0
    assert (some.connection(), full.connection()) == connections
    assert len(manager.connections()) == 2


def test_who_ends_while_the_server_is_away_is_forgotten(manager, service, start):
    stays, goes = start(service), start(service)
    wait_kept(manager, 2)
    service.kill()
    goes.close()
    wait_kept(manager, 1)
    service.start()
    service.simulate("stall_some 90%")
    stays.wait_pressed()
    assert len(manager.connections()) == 1


def test_who_ends_is_not_kept(manager, service, start):
    client = start(service)
    wait_kept(manager, 1)
    client.close()
    wait_kept(manager, 0)
    end(service, signal.SIGTERM)
    service.start()
    assert manager.connections() == []


def test_only_the_service_itself_speaks_to_the_manager(manager, service, start):
    """As a manager may demand: NotifyAccess=main."""
    start(service)
    wait_kept(manager, 1)
    assert manager.senders == {service.pid}
    assert "READY=1" in manager.states and manager.refused == 0


def test_without_a_manager_its_loop_turns_for_nothing(manager, service, start):
    """Which is why there is a store. Where this fails libsystemd has learned of servers that end."""
    service.manager.room = 0
    client = start(service)
    wait_until(lambda: manager.refused, "the offer of a connection")
    service.kill()
    wait_until(lambda: client.look()[0] > 100, "callbacks without a reason")


# real stalls

@pytest.fixture
def small_group():
    """A control group with a limit of 16 MiB."""
    root, v1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")
    controllers = root / "cgroup.subtree_control"
    if controllers.exists() and "memory" in controllers.read_text(encoding="ascii"):
        limit = "memory.max"
    elif (v1 / "memory.limit_in_bytes").exists():
        root, limit = v1, "memory.limit_in_bytes"
    else:
        pytest.skip("there is no control group of memory to be had")
    group = root / f"memnotifyfs-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit).write_text("16M", encoding="ascii")
        yield group
    finally:
        wait_until(lambda: not read_text(group / "cgroup.procs"), "the end of who is in the group")
        group.rmdir()


@pytest.fixture
def thrashing(small_group):
    """A process whose files do not fit into its memory; on a disk, since those of a tmpfs are memory themselves."""
    file = Path("/var/tmp") / small_group.name
    script = 'echo $$ >"$1/cgroup.procs" && head -c 64M /dev/zero >"$2" && while cat "$2"; do :; done'
    process = subprocess.Popen(["sh", "-c", script, "sh", small_group, file], stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()
    file.unlink(missing_ok=True)


@pytest.mark.skipif(not os.path.exists(PSI), reason="this kernel has no PSI")
def test_a_real_stall_calls_back(serve_managed, start, request):
    client = start(serve_managed("--source=system"), b"some 5000 500000\0")
    request.getfixturevalue("thrashing")
    client.wait_pressed()
    assert client.look()[1] == 0
