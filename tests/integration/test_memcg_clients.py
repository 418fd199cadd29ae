# SPDX-License-Identifier: LGPL-2.1-or-later
"""memcg/: clients whose descriptors cannot be had, are not seen from everywhere, or are too many; and groups of
plain files, which the kernel would have to be made to say the same."""

import ctypes
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest

from clients import TIMEOUT_S, Child, opened, read_text, wait_until
from daemon import Daemon, environment, is_mounted, own_files
from memcg_client import MEMSW, MIB, NOBODY, OOM, PRESSURE, USAGE, Client, set_usage

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
PR_SET_PDEATHSIG = 1

WITHOUT_PTRACE = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")


def register_each(directory):
    """What a registration for each of the files answers."""
    with Client(directory) as client:
        return [client.register(USAGE, "1100M"), client.register(MEMSW, "1100M"), client.register(OOM),
                client.register(PRESSURE, "low")]


# --- whose descriptors may not be taken

@pytest.fixture
def without_ptrace(serve, make_machine):
    """A daemon of root's that may not trace everybody."""
    return serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True, wrapper=WITHOUT_PTRACE)


@pytest.mark.parametrize("uid", [NOBODY, None], ids=["another user", "a client that may more"])
def test_descriptors_that_may_not_be_taken(without_ptrace, uid):
    def register(say):
        say(register_each(without_ptrace / "memcg"))
        signal.pause()

    with Child(register, uid=uid) as child:
        assert child.hear() == [errno.EPERM] * 4
        assert without_ptrace.fds() == without_ptrace.first_fds


def test_the_errors_of_a_text_come_first(without_ptrace):
    def register(say):
        with Client(without_ptrace / "memcg") as client:
            say([client.write(b"abc"), client.write(b"-1 -1 x")])

    with Child(register, uid=NOBODY) as child:
        assert child.hear() == [errno.EINVAL, errno.EINVAL]


def register_each_by(command, directory):
    """The same in a program that the command becomes."""
    script = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; "
              "from test_memcg_clients import register_each; print(register_each(Path(sys.argv[2])))")
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run([*command, sys.executable, "-c", script, here, directory], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_descriptors_that_may_be_taken(without_ptrace):
    """Of a client that is the same user and may do no more than the daemon."""
    assert register_each_by(WITHOUT_PTRACE, without_ptrace / "memcg") == [0] * 4


# --- namespaces

def unshare(flags):
    if LIBC.unshare(flags) < 0:
        raise OSError(ctypes.get_errno(), "unshare")


def in_namespaces(flags, function, say):
    """Calls it in new namespaces; in that of PIDs it is process 1, and ends with its parent."""
    unshare(flags)
    if flags & CLONE_NEWPID:
        pid = os.fork()
        if pid > 0:
            os.waitpid(pid, 0)
            return
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        assert os.getpid() == 1
    function(say)


def need_namespaces(flags):
    def look(say):
        try:
            unshare(flags)
            say(0)
        except OSError as problem:
            say(problem.errno)

    with Child(look) as child:
        if child.hear() != 0:
            pytest.skip("namespaces of that kind cannot be made here")


NAMESPACES = {"user": CLONE_NEWUSER, "pid": CLONE_NEWPID, "mount": CLONE_NEWNS,
              "user, pid and mount": CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS}


@pytest.mark.parametrize("flags", NAMESPACES.values(), ids=NAMESPACES.keys())
@pytest.mark.parametrize("is_open_before", [False, True], ids=["opened inside", "opened before"])
def test_a_client_in_other_namespaces(still, flags, is_open_before):
    """Wherever it is: what it opened, and when, does not matter."""
    need_namespaces(flags)

    def register(say):
        with ExitStack() as stack:
            def client():
                made = stack.enter_context(Client(still / "memcg"))
                made.open(USAGE)
                return made

            before = client() if is_open_before else None

            def inside(say):
                registering = before or client()
                say(registering.register(USAGE, "1100M"))
                say(registering.wait_events())
                signal.pause()

            in_namespaces(flags, inside, say)

    with Child(register) as child:
        assert child.hear() == 0
        set_usage(still, 1200 * MIB)
        assert child.hear() == 1


def test_a_client_that_sees_no_mounts(still, tmp_path):
    """After chroot(2) its mountinfo has only what is below."""
    def register(say):
        with Client(still / "memcg") as client, opened(tmp_path, os.O_RDONLY) as fd:
            client.open(USAGE)
            os.chroot(tmp_path)
            os.chdir("/")
            say(client.register(USAGE, "1100M"))
            client.files["other"] = fd
            say(client.register("other"))

    with Child(register) as child:
        assert child.hear() == 0
        assert child.hear() == errno.EINVAL


@contextmanager
def served_from_another_pid_namespace(machine):
    """A daemon whose PIDs are not ours. Its process is the child of the one that is there to be waited for."""
    daemon = Daemon(machine=machine, simulate=True, wrapper=("unshare", "--pid", "--fork", "--kill-child"))
    try:
        daemon.process = subprocess.Popen(daemon.arguments, stdin=subprocess.DEVNULL, stdout=daemon.messages,
                                          stderr=daemon.messages, env=environment())
        wait_until(lambda: is_mounted(daemon.mountpoint) or daemon.process.poll() is not None, "the mount")
        assert daemon.process.poll() is None, daemon.read_messages()
        yield daemon
        subprocess.run(["umount", daemon.mountpoint], check=True)
        daemon.demand_clean_end()
    finally:
        daemon.close()


def test_a_client_outside_of_the_daemons_pid_namespace(make_machine):
    """It has no PID there, so nobody could say whose descriptors are meant."""
    need_namespaces(CLONE_NEWPID)
    with served_from_another_pid_namespace(make_machine("debian-6.1")) as daemon:
        os.listdir(daemon.mountpoint)
        pid = int(read_text(f"/proc/{daemon.pid}/task/{daemon.pid}/children"))
        before = own_files(pid)
        assert register_each(daemon / "memcg") == [errno.EPERM] * 4
        assert own_files(pid) == before


def test_a_client_beside_a_daemon_that_sees_another_proc(make_machine):
    """By the client's PID the daemon would find somebody else there."""
    need_namespaces(CLONE_NEWPID)
    with served_from_another_pid_namespace(make_machine("debian-6.1")) as daemon:
        os.listdir(daemon.mountpoint)
        pid = read_text(f"/proc/{daemon.pid}/task/{daemon.pid}/children").strip()
        assert register_each_by(["nsenter", "--pid", "--target", pid], daemon / "memcg") == [errno.EPERM] * 4


# --- descriptors that run out

def test_the_reserve_of_descriptors(serve, make_machine):
    """160 are kept for other things; of three a process takes one, and its eventfds two."""
    daemon = serve(machine=make_machine("debian-6.1"), simulate=True, wrapper=("prlimit", "--nofile=163:163"))
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(Client(daemon / "memcg")) for _ in range(3))
        assert first.register(USAGE, "1100M") == second.register(USAGE, "1100M") == 0
        held = daemon.fds()
        for _ in range(10):
            assert third.register(USAGE, "1100M") == errno.ENFILE
        assert second.register(OOM) == 0  # has its descriptor already
        assert daemon.fds() == held
        os.close(first.eventfd)
        assert third.register(USAGE, "1100M") == 0
        assert len(daemon.fds()) == len(held)
        first.eventfd = os.eventfd(0)


@pytest.mark.parametrize("left", range(4))
def test_no_descriptor_left_at_all(still, left):
    """Whatever it is needed for: it is our table that is full, not the client's."""
    with Client(still / "memcg") as client:
        client.open(USAGE)
        with still.descriptors_left(left):
            answer = client.register(USAGE, "1100M")
            held = still.fds()
        assert answer in ((errno.ENFILE,) if left < 2 else (0, errno.ENFILE))
        assert answer == 0 or held == still.first_fds
        assert client.register(USAGE, "1100M") == 0
        set_usage(still, 1200 * MIB)
        assert client.wait_events() >= 1


def test_what_signals_need_is_there_from_the_start(still):
    """The kernel has a number of these for the whole machine, and they may be used up later (fs.aio-max-nr)."""
    assert "/[aio]" in read_text(f"/proc/{still.pid}/maps")


# --- who ends first

def test_the_end_of_the_daemon(still):
    """Whoever waits is told, as of the removal of a group, though he has nothing of ours open any more."""
    with Client(still / "memcg") as client:
        for name, argument in ((USAGE, "1100M"), (USAGE, "-1"), (OOM, "")):
            assert client.register(name, argument) == 0
        while client.files:
            os.close(client.files.popitem()[1])
        os.dup2(client.eventfd, client.event_control)
        still.process.send_signal(signal.SIGTERM)
        still.demand_clean_end()
        assert client.wait_events(3) == 3


def test_a_client_killed_before_it_registers(still):
    def prepare(say):
        client = Client(still / "memcg")
        client.open(USAGE)
        say("ready")
        signal.pause()

    with Child(prepare) as child:
        assert child.hear() == "ready"
        child.signal(signal.SIGKILL)
        child.wait()
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")


def test_a_client_killed_while_it_registers(still):
    """The daemon has not looked yet, or does so when there is nobody any more."""
    def register(say):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        client = Client(still / "memcg")
        client.open(USAGE)
        say("ready")
        signal.sigwait({signal.SIGUSR1})
        client.register(USAGE, "1100M")

    with Child(register) as child:
        assert child.hear() == "ready"
        still.process.send_signal(signal.SIGSTOP)
        child.signal(signal.SIGUSR1)
        child.wait_reading()
        child.signal(signal.SIGKILL)
        child.wait()
        still.process.send_signal(signal.SIGCONT)
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")


# --- groups of plain files

def put(group, name, text):
    """At no moment is there half a file."""
    (group / "new").write_text(text)
    (group / "new").rename(group / name)


@pytest.fixture
def plain_group(tmp_path):
    """What a v2 group looks like, with a usage of 1000 MiB."""
    group = tmp_path / "group"
    group.mkdir()
    for name, text in {"memory.current": f"{1000 * MIB}\n", "memory.max": "max\n", "memory.events": "oom 0\n",
                       "memory.stat": "pgscan 0\npgsteal 0\n"}.items():
        put(group, name, text)
    return group


def test_thresholds_of_a_group(plain_group, serve):
    daemon = serve(f"--cgroup={plain_group}")
    with Client(daemon / "memcg") as client:
        assert client.register(USAGE, "1100M") == 0
        for size in (1100, 1099, 1200, 0):
            (plain_group / "memory.current").write_text(f"{size * MIB}\n")
            assert client.wait_events() == 1
            assert read_text(daemon / "memcg" / USAGE) == f"{size * MIB}\n"
    assert not (daemon / "memcg" / MEMSW).exists()


def test_pressure_of_a_group(plain_group, serve):
    daemon = serve(f"--cgroup={plain_group}")
    with ExitStack() as stack:
        low, medium, critical = (stack.enter_context(Client(daemon / "memcg")) for _ in range(3))
        assert low.register(PRESSURE, "low") == medium.register(PRESSURE, "medium") == 0
        assert critical.register(PRESSURE, "critical") == 0

        def check(*expected):
            for client, number in zip((low, medium, critical), expected):
                assert (client.wait_events() if number else client.events()) == number

        put(plain_group, "memory.stat", "pgscan 1000\npgsteal 1000\n")
        check(1, 0, 0)
        put(plain_group, "memory.stat", "pgscan 2000\npgsteal 1300\n")
        check(1, 1, 0)
        put(plain_group, "memory.events", "oom 1\n")  # there was nothing left to reclaim
        check(1, 1, 1)


def test_the_removal_of_a_group(plain_group, serve):
    daemon = serve(f"--cgroup={plain_group}")
    with Client(daemon / "memcg") as client, Client(daemon / "memcg") as other:
        for name, argument in ((USAGE, "1100M"), (USAGE, "-1"), (OOM, ""), (PRESSURE, "low")):
            assert client.register(name, argument) == 0
        assert other.register(OOM) == 0
        shutil.rmtree(plain_group)
        assert client.wait_events(4) == 4
        assert other.wait_events() == 1
        assert client.register(USAGE, "1100M") == errno.ENODEV
    wait_until(lambda: os.listdir(daemon / "memcg") == [], "the files to go")
    assert not [target for target in daemon.fds() if target.startswith(str(plain_group))]
    daemon.first_fds = daemon.fds()
