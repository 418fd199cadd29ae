# SPDX-License-Identifier: LGPL-2.1-or-later
"""What users must not be able to do to each other by the socket. Whoever has a connection waits for LIMIT_S at most."""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time

import pytest

from clients import Child, error_of, is_ready, wait_ready, wait_until
from hostile import ATTACK_S, ATTACKER, LIMIT_S, VICTIM
from page import Page
from socket_client import SocketClient, held, metric, path_of, serve_with_socket
from test_shares import METERS as ALL_METERS

ATTACKS = ["connects", "middle", "many", "deaf", "unreceived", "halves", "junk", "endless", "empty", "reads", "limits",
           "descriptors"]
METERS = [meter for meter in ALL_METERS if meter != "total"]
MEMORY_KIB = 16 * 1024  # private memory that one attacker may cost
DESCRIPTORS, LIMITS, TRIGGERS = 3072, 2048, 512  # the share of a user
TOO_MUCH = "error EDQUOT: it is more than one user may have"


@pytest.fixture
def daemon(serve, make_machine):
    """A machine that stands still, every meter of which can be moved."""
    return serve_with_socket(serve, "-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)


def connect(daemon, uid=VICTIM):
    client = SocketClient(path_of(daemon), uid)
    client.socket.settimeout(LIMIT_S)
    return client


def set_all(daemon, pages):
    daemon.simulate(" ".join(f"{meter} {pages}" for meter in METERS))


def demand_service(daemon):
    """Another user is let in, answered, told, and given descriptors; and the files are served."""
    set_all(daemon, 4000)
    with connect(daemon) as client:
        eventfd = client.watch("used 5000").ask_fd("eventfd used 5000")
        set_all(daemon, 6000)
        assert client.event() == "used reached 6000 5000"
        assert wait_ready(eventfd)
        os.close(eventfd)
        os.close(client.ask_fd("page"))
        assert client.meters()["used"] == "6000 reached 5000"
    assert daemon.is_used_well()


def give_back(daemon, before):
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")
    wait_until(lambda: daemon.belongings() == before, "its descriptors to be closed")


def slack_kib(daemon):
    """What may be left of an attack; AddressSanitizer keeps more of what was freed."""
    with open(f"/proc/{daemon.pid}/maps", encoding="utf-8") as maps:
        return MEMORY_KIB if "libasan" in maps.read() else 1024


@pytest.mark.parametrize("names", [[name] for name in ATTACKS] + [ATTACKS], ids=[*ATTACKS, "all together"])
def test_another_user_is_served(daemon, attack, names):
    demand_service(daemon)
    wait_until(lambda: daemon.fds() == daemon.first_fds, "the victim's own to be given back")
    before, before_kib, worst_kib = daemon.belongings(), daemon.status_number("RssAnon"), 0

    attackers = [attack("socket_attacks", name, path_of(daemon)) for name in names]
    for attacker in attackers:
        assert attacker.hear() == "attacking"
    end = time.monotonic() + ATTACK_S / 3
    while time.monotonic() < end:
        demand_service(daemon)
        worst_kib = max(worst_kib, daemon.status_number("RssAnon") - before_kib)
    for attacker in attackers:
        attacker.kill()
        attacker.wait()

    give_back(daemon, before)
    demand_service(daemon)
    assert worst_kib <= MEMORY_KIB * len(names)
    most_kib = before_kib + slack_kib(daemon)
    wait_until(lambda: daemon.status_number("RssAnon") < most_kib, "the machine to have its memory again")


# ---- the share of a user -----------------------------------------------------------------------------------------

def as_attacker(daemon, function):
    """A child of the attacker's that has done this and stays, with as many descriptors as there are."""
    def stay(say):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        say(function())
        signal.pause()

    return Child(stay, ATTACKER)


def fill(daemon, request="read\n", most=100000):
    """Connects, and asks each time, until that is refused: how often it was not, and what was said then."""
    fill.kept = []
    for n in range(most):
        client = SocketClient(path_of(daemon))
        fill.kept.append(client)
        with contextlib.suppress(BrokenPipeError):  # who is refused at the start is not heard any more
            client.send(request)
        line = client.answer()[-1]
        if line != "ok":
            return n, line
    return most, None


def test_connections(daemon):
    before = daemon.belongings()
    with as_attacker(daemon, lambda: [*fill(daemon), fill.kept[-1].rest()]) as attacker:
        assert attacker.hear() == [DESCRIPTORS, TOO_MUCH, ""]
        assert held(daemon, ATTACKER)["descriptors"] == DESCRIPTORS
        demand_service(daemon)
    give_back(daemon, before)


def test_limits(daemon):
    """What a connection had before it was refused more it still has."""
    text = " ".join(f"{meter} 5000" for meter in METERS)

    def take():
        n, line = fill(daemon, f"watch {text}\n")
        first, last = fill.kept[0], fill.kept[-1]
        last.watch("used 5000")
        return n, line, last.ask(f"watch {text}"), last.meters()["used"], first.meters()["used"]

    set_all(daemon, 4000)
    with as_attacker(daemon, take) as attacker:
        assert attacker.hear() == [LIMITS // len(METERS), TOO_MUCH, [TOO_MUCH]] + ["4000 limit 5000"] * 2
        set_all(daemon, 6000)
        demand_service(daemon)
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_eventfds_of_one_connection(daemon):
    def take():
        with connect(daemon, None) as client:
            for n in range(DESCRIPTORS):
                answer = client.ask("eventfd used 5000")
                if answer != ["ok"]:
                    return n, answer, client.meters()["used"] != ""
                os.close(client.take_fd())
        return None

    with as_attacker(daemon, take) as attacker:
        assert attacker.hear() == [LIMITS, [TOO_MUCH], True]
        demand_service(daemon)
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_triggers(daemon):
    """They answer only where something is wrong."""
    with as_attacker(daemon, lambda: fill(daemon, "some 150000 10000000\nread\n")) as attacker:
        n, line = attacker.hear()
        assert (n, line) == (TRIGGERS, TOO_MUCH)
        demand_service(daemon)
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_half_lines(daemon):
    """Each takes the room of a whole one. Who is refused that is told so, and goes."""
    most = (8 << 20) // 4111

    def take():
        take.kept = clients = [connect(daemon, None) for _ in range(most + 1)]
        for client in clients:
            client.send("watch used")
        wait_until(lambda: any(is_ready(client.fileno()) for client in clients), "one to be refused")
        return [client.rest() for client in clients if is_ready(client.fileno())]

    with as_attacker(daemon, take) as attacker:
        assert attacker.hear() == [TOO_MUCH + "\n"]
        assert held(daemon, ATTACKER)["bytes"] == most * 4111
        demand_service(daemon)
    wait_until(lambda: held(daemon, ATTACKER) == {}, "everything to be given back")


def test_a_crossing_that_is_told_to_thousands(daemon):
    """Another is told meanwhile, and none of them is lost."""
    def take():
        n, _ = fill(daemon, "watch used 5000\n", LIMITS)
        return n

    set_all(daemon, 4000)
    with as_attacker(daemon, take) as attacker:
        assert attacker.hear() == LIMITS
        for _ in range(5):
            demand_service(daemon)


# ---- what the daemon lacks ---------------------------------------------------------------------------------------

def test_without_descriptors(serve):
    """Who is there is served, who comes waits, and is let in when there are some."""
    daemon = serve_with_socket(serve, simulate=True)  # of this machine, whose texts it keeps open
    with connect(daemon) as client:
        client.meters()
        with daemon.descriptors_left(0):
            with connect(daemon) as other:
                other.send("read\nquit\n")
                for _ in range(3):
                    assert client.meters()
                    assert client.ask("eventfd used 5000") == ["error ENFILE: the server has no room for more"]
                    os.close(client.ask_fd("page"))  # it is there already
                assert not is_ready(other.fileno())
                assert daemon.is_used_well()
                gone = connect(daemon)
                gone.send("read\n")
                gone.close()
                before = daemon.status_number("voluntary_ctxt_switches")
                time.sleep(0.5)
                assert daemon.status_number("voluntary_ctxt_switches") - before < 50, "it does not try all the time"
                resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (4096, resource.prlimit(
                    daemon.pid, resource.RLIMIT_NOFILE)[1]))
                assert other.rest().endswith("\nok\n")


# ---- what a client does with what he was given ---------------------------------------------------------------------

def test_an_eventfd_that_is_full_and_waits(daemon):
    set_all(daemon, 4000)
    with connect(daemon, ATTACKER) as attacker, connect(daemon) as client:
        full = [attacker.ask_fd("eventfd used 5000") for _ in range(50)]
        eventfd = client.ask_fd("eventfd used 5000")
        for fd in full:
            os.set_blocking(fd, True)
            os.eventfd_write(fd, 2**64 - 2)
        for _ in range(3):
            set_all(daemon, 6000)
            set_all(daemon, 4000)
        wait_ready(eventfd)
        total = 0
        while total < 6:
            wait_ready(eventfd)
            total += os.eventfd_read(eventfd)
        assert total == 6 and daemon.is_used_well()
        for fd in (*full, eventfd):
            os.close(fd)


LIBC = ctypes.CDLL(None, use_errno=True)
PUNCH_HOLE, ZERO_RANGE = 3, 16
F_ADD_SEALS, F_SEAL_WRITE = 1033, 8


def call(function, *arguments):
    """0, or the errno, of a function of the C library."""
    ctypes.set_errno(0)
    return ctypes.get_errno() if function(*arguments) < 0 else 0


def spoil(fd):
    """The errnos of all ways to change the page by a descriptor."""
    size = os.fstat(fd).st_size

    def allocate(mode, length):
        return call(LIBC.fallocate, fd, mode, ctypes.c_long(0), ctypes.c_long(length))

    return {
        "write": error_of(os.pwrite, fd, b"spoilt", 0),
        "append": error_of(os.pwrite, fd, b"spoilt", size),
        "shrink": error_of(os.ftruncate, fd, 0),
        "grow": error_of(os.ftruncate, fd, 1 << 20),
        "hole": allocate(PUNCH_HOLE, 4096),
        "zero": allocate(ZERO_RANGE, 4096),
        "beyond": allocate(0, 1 << 20),
        "map": error_of(mmap.mmap, fd, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
        "seal": error_of(fcntl.fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE),
    }


def spoil_mapping(fd):
    """What can be mapped for reading does not become writable, nor can it be taken out."""
    protect, advise = LIBC.mprotect, LIBC.madvise
    LIBC.mmap.restype = ctypes.c_void_p
    address = ctypes.c_void_p(LIBC.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0))
    return {
        "protect": call(protect, address, 4096, mmap.PROT_READ | mmap.PROT_WRITE),
        "remove": call(advise, address, 4096, 9),  # MADV_REMOVE
        "memory": error_of(write_memory, address.value),
    }


def write_memory(address):
    """As a debugger would."""
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(b"spoilt")


@pytest.mark.parametrize("uid", [0, ATTACKER])
def test_nobody_changes_the_page(daemon, uid):
    """Root neither. What each way fails with does not matter."""
    set_all(daemon, 4000)
    with connect(daemon) as victim, connect(daemon, uid) as connection:
        theirs, his = victim.ask_fd("page"), connection.ask_fd("page")
        page = Page(theirs)

        def attack(say):
            results = [spoil(his), spoil_mapping(his)]
            for flags in os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_TRUNC:
                try:
                    with open(f"/proc/self/fd/{his}", opener=lambda path, _, how=flags: os.open(path, how)) as file:
                        results.append(spoil(file.fileno()))
                except OSError:
                    continue
            say([name for result in results for name, error in result.items() if error == 0])

        with Child(attack, uid) as child:
            assert child.hear() == []
            assert child.wait() == 0
        assert {page.values()[meter] for meter in METERS} == {4000}
        set_all(daemon, 6000)
        assert {page.values()[meter] for meter in METERS} == {6000}
        page.close()
        os.close(his)


# ---- descriptors that nobody has asked for -------------------------------------------------------------------------

class Slow:
    """A connection whose last close takes an hour, or until this is released."""

    def __init__(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.socket = socket.create_connection(listener.getsockname())
            self.deaf, _ = listener.accept()
        self.socket.setblocking(False)
        while error_of(self.socket.send, bytes(1 << 16)) == 0:
            pass
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))

    def give(self, client, text=b"read\n"):
        """0, or the errno; there is no copy of it here after that."""
        error = error_of(socket.send_fds, client, [text], [self.socket.fileno()])
        if error:
            self.deaf.close()  # or we would wait
        self.socket.close()
        return error

    def release(self):
        self.deaf.close()


def test_descriptors_are_not_taken(daemon):
    """Where the kernel cannot refuse them they are let go of elsewhere."""
    client, slow = connect(daemon, ATTACKER), Slow()
    error = slow.give(client.socket)
    assert error in (0, errno.EPERM)
    if error:
        assert client.ask("read")[-1] == "ok"
    else:
        assert client.rest() == "error EPROTO: descriptors are not taken\n"
    demand_service(daemon)
    client.close()
    slow.release()
    wait_until(lambda: held(daemon, ATTACKER) == {}, "the connection to go")
    wait_until(lambda: metric(daemon, "connections") == 0, "all to be given back")
    daemon.first_fds = daemon.fds()  # the helper's may be among them


HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("are_released", [True, False])
def test_descriptors_that_were_sent_before_it_was_started(serve, make_machine, are_released):
    """To a socket that it is handed over: so that the kernel refuses them nowhere. It ends at once, whoever waits."""
    path = f"{os.environ['WORLD']}/handed-over-{are_released}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        os.chmod(path, 0o666)
        clients = [SocketClient(path) for _ in range(6)]
        slow = [Slow() for _ in clients]
        for client, text in zip(clients, ("", "read\n", "junk\n", "quit\n", "watch used", "x" * 10000)):
            client.send(text)
        assert [one.give(client.socket) for one, client in zip(slow, clients)] == [0] * len(slow)
        clients.pop(0).close()  # which leaves it to the daemon alone
        number = listener.fileno()
        rescue = threading.Timer(LIMIT_S, lambda: [one.release() for one in slow])  # or a failure would be a hang
        rescue.start()
        daemon = serve(machine=make_machine("debian-6.1"), simulate=True, pass_fds=[number],
                       wrapper=[sys.executable, "-c", HAND_OVER, str(number)])
    assert [client.rest() for client in clients] == ["error EPROTO: descriptors are not taken\n"] * len(clients)
    assert rescue.is_alive(), "it has waited for what clients have sent"
    for _ in range(5):
        with SocketClient(path, VICTIM) as other:
            assert other.ask("read")[-1] == "ok"
        assert daemon.is_used_well()
    assert rescue.is_alive()
    rescue.cancel()
    for client in clients:
        client.close()
    if are_released:
        for one in slow:
            one.release()
        wait_until(lambda: metric(daemon, "connections") == 0, "all to be let go of")
    daemon.first_fds = daemon.fds()
    daemon.stop()
    for one in slow:
        one.release()
