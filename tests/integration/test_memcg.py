# SPDX-License-Identifier: LGPL-2.1-or-later
"""memcg/: the notification API of cgroup v1, beside the kernel's own where that is mounted."""

import errno
import mmap
import os
import re
import select
import signal
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager

import pytest

from clients import TIMEOUT_S, Child, opened, read_text, wait_until
from daemon import PROGRAM, environment
from memcg_client import (MEMSW, MIB, NOBODY, OOM, PRESSURE, USAGE, V1, Client, removed_at_end, set_usage,
                          v1_group)

NO_LIMIT = (2 ** 63 - 1) // mmap.PAGESIZE * mmap.PAGESIZE
# Each takes several turns of three processes, which is long where others use the CPUs. By hand: 100000.
ROUNDS = int(os.environ.get("MEMNOTIFYFS_TEST_ROUNDS", 3000))


@pytest.fixture
def group():
    with removed_at_end(v1_group()) as path:
        yield path


def test_the_files_of_a_group(still):
    modes = {name: os.stat(still / "memcg" / name).st_mode & 0o7777 for name in os.listdir(still / "memcg")}
    assert modes == {"cgroup.event_control": 0o222, USAGE: 0o444, MEMSW: 0o444, "memory.limit_in_bytes": 0o444,
                     OOM: 0o644, PRESSURE: 0o444}
    assert read_text(still / "memcg" / USAGE) == f"{1000 * MIB}\n"
    assert read_text(still / "memcg" / MEMSW) == f"{1000 * MIB}\n"
    assert read_text(still / "memcg" / "memory.limit_in_bytes") == f"{NO_LIMIT}\n"
    assert re.fullmatch(r"oom_kill_disable 0\nunder_oom 0\noom_kill \d+\n", read_text(still / "memcg" / OOM))
    with pytest.raises(OSError) as problem:
        read_text(still / "memcg" / PRESSURE)
    assert problem.value.errno == errno.EINVAL
    with opened(still / "memcg" / OOM, os.O_WRONLY) as fd, pytest.raises(OSError) as problem:
        os.write(fd, b"1")
    assert problem.value.errno == errno.EOPNOTSUPP


def test_usage_follows_what_is_simulated(still):
    still.simulate("anon 100 file 20 swap_used 3")
    assert read_text(still / "memcg" / USAGE) == f"{120 * mmap.PAGESIZE}\n"
    assert read_text(still / "memcg" / MEMSW) == f"{123 * mmap.PAGESIZE}\n"
    still.simulate("reset")
    measured, used = int(read_text(still / "memcg" / USAGE)), still.meter("used")
    still.simulate(f"used {used + 1000}")  # taken for anonymous memory
    assert int(read_text(still / "memcg" / USAGE)) == measured + 1000 * mmap.PAGESIZE
    still.simulate(f"used {used - 1000}")
    assert int(read_text(still / "memcg" / USAGE)) == measured - 1000 * mmap.PAGESIZE


# What is written, with e for the eventfd and u, m, o, p for the files; and the answer.
TABLE = [
    ("{e} {u} 1M", 0),
    ("{e} {u} 4096\n", 0),
    ("{e} {u} 4096\0", 0),
    ("{e} {u} 4096\0junk", 0),
    ("{e} {u} 0x10000", 0),
    ("{e} {u} 010000", 0),
    ("{e} {u} -1", 0),
    ("{e} {u} 0", 0),
    ("{e} {u} K", 0),
    ("{e} {u} 16E", 0),
    ("{e} {u} 18446744073709551616", 0),
    ("{e} {u}", 0),
    ("{e} {u} ", 0),
    ("0{e} 0{u} 1M", 0),
    ("{e} {u} 1Mjunk", errno.EINVAL),
    ("{e} {u} 1MK", errno.EINVAL),
    ("{e} {u} 08", errno.EINVAL),
    ("{e} {u} 0x", errno.EINVAL),
    ("{e} {u} 1.5M", errno.EINVAL),
    ("{e} {u} max", errno.EINVAL),
    ("{e} {u} -2", errno.EINVAL),
    ("{e} {u} +4096", errno.EINVAL),
    ("{e} {u} 4096 8192", errno.EINVAL),
    ("{e} {u}  4096", errno.EINVAL),
    ("{e}  {u} 4096", errno.EINVAL),
    ("{e}\t{u} 4096", errno.EINVAL),
    ("{e} {u}\t4096", errno.EINVAL),
    ("{e},{u} 4096", errno.EINVAL),
    ("+{e} {u} 4096", errno.EINVAL),
    ("  {e} {u} 4096  ", 0),
    ("\v\t{e} {u} 4096\r\n\f", 0),
    ("{e} {m} 4096", 0),
    ("{e} {o}", 0),
    ("{e} {o} dummy", 0),
    ("{e} {o}  a b c", 0),
    ("{e} {p} low", 0),
    ("{e} {p} medium", 0),
    ("{e} {p} critical", 0),
    ("{e} {p} low,local", 0),
    ("{e} {p} low,hierarchy", 0),
    ("{e} {p} low,default", 0),
    ("{e} {p} low\n", 0),
    ("{e} {p} critical,hierarchy\0", 0),
    ("{e} {p} low,local,hierarchy", 0),
    ("{e} {p} low,", errno.EINVAL),
    ("{e} {p} low, local", errno.EINVAL),
    ("{e} {p} LOW", errno.EINVAL),
    ("{e} {p}  low", errno.EINVAL),
    ("{e} {p} full", errno.EINVAL),
    ("{e} {p} ", errno.EINVAL),
    ("{e} {p}", errno.EINVAL),
    ("{e} {event_control} 4096", errno.EINVAL),
    ("{e} {limit} 4096", errno.EINVAL),
    ("{e} {null} 4096", errno.EINVAL),
    ("{e} {foreign} 4096", errno.EINVAL),
    ("{e} {text} 4096", errno.EINVAL),
    ("{e} {directory} 4096", errno.EINVAL),
    ("{e} {proc} 4096", errno.EINVAL),
    ("{e} {pipe} 4096", errno.EINVAL),
    ("{e} {e} 4096", errno.EINVAL),
    ("{pipe} {u} 4096", errno.EINVAL),
    ("{null} {u} 4096", errno.EINVAL),
    ("{u} {u} 4096", errno.EINVAL),
    ("{epoll} {u} 4096", errno.EINVAL),
    ("{memfd} {u} 4096", errno.EINVAL),
    ("{socket} {u} 4096", errno.EINVAL),
    ("{pipe} {null} 4096", errno.EINVAL),
    ("999 {u} 4096", errno.EBADF),
    ("{e} 998 4096", errno.EBADF),
    ("999 {null} x", errno.EBADF),
    ("{pipe} 998 4096", errno.EINVAL),
    ("2147483647 {u} 4096", errno.EBADF),
    ("{e} {u_path} 4096", errno.EBADF),
    ("abc", errno.EINVAL),
    ("-1 -1 x", errno.EINVAL),
    ("{e} -1 x", errno.EINVAL),
    ("{e}", errno.EINVAL),
    ("\n", errno.EINVAL),
    (" ", errno.EINVAL),
    ("\0", errno.EINVAL),
    ("{e} {o} " + "x" * 4000, 0),
    ("{e} {o} " + "x" * 4097, errno.E2BIG),
]


@contextmanager
def table_names(client, directory):
    """The descriptors that the rows of TABLE name."""
    with ExitStack() as stack:
        reader, writer = os.pipe()
        pair = socket.socketpair()
        epoll = select.epoll()
        memfd = os.memfd_create("not-an-eventfd")
        for close in (lambda: os.close(reader), lambda: os.close(writer), pair[0].close, pair[1].close, epoll.close,
                      lambda: os.close(memfd)):
            stack.callback(close)
        yield {
            "e": client.eventfd, "u": client.open(USAGE), "m": client.open(MEMSW), "o": client.open(OOM),
            "p": client.open(PRESSURE), "event_control": client.event_control,
            "limit": client.open("memory.limit_in_bytes"), "pipe": writer, "socket": pair[0].fileno(),
            "epoll": epoll.fileno(), "memfd": memfd,
            "null": stack.enter_context(opened("/dev/null", os.O_RDONLY)),
            "text": stack.enter_context(opened(__file__, os.O_RDONLY)),
            "proc": stack.enter_context(opened(f"/proc/self/fdinfo/{client.eventfd}", os.O_RDONLY)),
            "directory": stack.enter_context(opened(directory, os.O_RDONLY)),
            "foreign": stack.enter_context(foreign(directory)),
            "u_path": stack.enter_context(opened(directory / USAGE, os.O_PATH)),
        }


@contextmanager
def foreign(directory):
    """The usage file of another group, or another file of ours by that name."""
    if directory.parent == V1:
        with removed_at_end(v1_group()) as other, opened(other / USAGE, os.O_RDONLY) as fd:
            yield fd
    else:
        name = directory.parent / "thresholds" / USAGE
        with opened(name, os.O_RDWR | os.O_CREAT) as fd:
            yield fd
        name.unlink()


def answers(directory):
    with Client(directory) as client, table_names(client, directory) as names:
        return {row: client.write(row.format_map(names).encode()) for row, _ in TABLE}


def check_table(directory):
    assert answers(directory) == dict(TABLE)


def test_the_table_of_the_kernel(group):
    """What TABLE says is true of the kernel itself."""
    check_table(group)


def test_the_table(still):
    check_table(still / "memcg")


def test_the_table_where_the_kernel_registers(group, serve):
    check_table(serve(f"--cgroup={group}") / "memcg")


@pytest.mark.parametrize("is_served", [False, True], ids=["the kernel", "memnotifyfs"])
def test_a_removed_group_takes_nothing(group, serve, is_served):
    daemon = serve(f"--cgroup={group}") if is_served else None
    with Client(daemon / "memcg" if daemon else group) as client:
        client.open(USAGE)
        group.rmdir()
        assert [client.register(USAGE, "1M"), client.write(b"abc")] == [errno.ENODEV] * 2
    if daemon:
        daemon.first_fds = daemon.fds()


def test_what_the_kernel_registers_outlives_the_daemon(group, serve):
    daemon = serve(f"--cgroup={group}")
    with Client(daemon / "memcg") as client:
        assert client.register(USAGE, "32M") == client.register(OOM) == 0
        daemon.kill()
        group.rmdir()
        assert client.wait_events(2) == 2


def test_oom_control_is_the_kernels(group, serve):
    control = serve(f"--cgroup={group}") / "memcg" / OOM
    for text, answer in ((b"1", 1), (b"0\n", 2), (b"0x1", 3), (b"2", errno.EINVAL), (b" 1", errno.EINVAL)):
        with opened(control, os.O_WRONLY) as fd:
            try:
                assert os.write(fd, text) == answer
            except OSError as problem:
                assert problem.errno == answer
        assert read_text(control) == (group / OOM).read_text()
    assert read_text(control).startswith("oom_kill_disable 1\n")


def test_an_empty_write_registers_nothing(still):
    with Client(still / "memcg") as client:
        assert client.write(b"") == 0
        assert client.events() == 0


def test_a_control_file_that_may_not_be_read(still):
    os.chmod(still / "memcg" / USAGE, 0o440)

    def register(say):
        with Client(still / "memcg") as client:
            client.files[USAGE] = fd
            say(client.register(USAGE, "1M"))

    with opened(still / "memcg" / USAGE, os.O_RDONLY) as fd:
        os.set_inheritable(fd, True)
        with Child(register, uid=NOBODY) as child:
            assert child.hear() == errno.EACCES


def test_another_mount_of_ours_is_another_group(still, serve, make_machine):
    other = serve(machine=make_machine("debian-6.1"))
    with Client(still / "memcg") as client, opened(other / "memcg" / USAGE, os.O_RDONLY) as fd:
        client.files[USAGE] = fd
        assert client.register(USAGE, "1M") == errno.EINVAL
        del client.files[USAGE]


def test_thresholds_in_both_directions(still):
    with Client(still / "memcg") as client:
        for megabytes in (900, 1000, 1100, 1200, 1300):
            assert client.register(USAGE, f"{megabytes}M") == 0
        assert client.events() == 0  # whether above already or not
        set_usage(still, 1100 * MIB - mmap.PAGESIZE)
        assert client.events() == 0
        set_usage(still, 1100 * MIB)
        assert client.wait_events() == 1
        set_usage(still, 1100 * MIB - mmap.PAGESIZE)  # no hysteresis
        assert client.wait_events() == 1
        set_usage(still, 1300 * MIB)
        assert client.wait_events(3) == 3
        set_usage(still, 0)
        assert client.wait_events(5) == 5


def test_swap_counts_where_it_is_asked_for(still):
    with Client(still / "memcg") as usage, Client(still / "memcg") as memsw:
        assert usage.register(USAGE, "1100M") == 0
        assert memsw.register(MEMSW, "1100M") == 0
        still.simulate(f"swap_used {200 * MIB // mmap.PAGESIZE}")
        assert memsw.wait_events() == 1
        assert usage.events() == 0


def test_the_same_threshold_many_times(still):
    with Client(still / "memcg") as client:
        for _ in range(1000):
            assert client.register(USAGE, "1100M") == 0
        set_usage(still, 1200 * MIB)
        assert client.wait_events(1000) == 1000


def test_extreme_thresholds_are_never_crossed(still):
    with Client(still / "memcg") as client:
        for argument in ("0", "", "1", "-1", "8E"):
            assert client.register(USAGE, argument) == 0
        for size in (0, 1000 * MIB, 2 ** 60, 0):
            set_usage(still, size)
            assert read_text(still / "memcg" / USAGE) == f"{size}\n"
        assert client.events() == 0


def test_ooms_of_the_system(serve, make_machine):
    machine = make_machine("debian-6.1")
    daemon = serve(machine=machine)
    with Client(daemon / "memcg") as client:
        assert client.register(OOM) == 0
        kills = int(read_text(daemon / "memcg" / OOM).split()[-1])
        machine.replace("vmstat", machine.with_number("vmstat", "oom_kill", kills + 2))
        assert client.wait_events(2) == 2
        assert read_text(daemon / "memcg" / OOM).endswith(f"oom_kill {kills + 2}\n")


def test_pressure_of_the_system(serve, make_machine):
    machine = make_machine("debian-6.1")
    daemon = serve(machine=machine)
    scanned, stolen = (int(re.search(rf"^{key} (\d+)$", machine.text("vmstat").decode(), re.M).group(1))
                       for key in ("pgscan_direct", "pgsteal_direct"))
    with ExitStack() as stack:
        low, medium, critical = (stack.enter_context(Client(daemon / "memcg")) for _ in range(3))
        assert low.register(PRESSURE, "low") == medium.register(PRESSURE, "medium,local") == 0
        assert critical.register(PRESSURE, "critical,hierarchy") == 0
        for gone, expected in ((1000, (1, 0, 0)), (300, (1, 1, 0)), (0, (1, 1, 1))):
            scanned, stolen = scanned + 1000, stolen + gone
            text = machine.with_number("vmstat", "pgscan_direct", scanned).decode()
            text = re.sub(r"(?m)^pgsteal_direct \d+$", f"pgsteal_direct {stolen}", text)
            machine.replace("vmstat", text.encode())
            for client, number in zip((low, medium, critical), expected):
                assert (client.wait_events() if number else client.events()) == number


def event_listener(control_path, argument, say):
    """tools/cgroup/cgroup_event_listener: one line with its NUL, blocking reads of 8 bytes."""
    control = os.open(control_path, os.O_RDONLY)
    event_control = os.open(control_path.parent / "cgroup.event_control", os.O_WRONLY)
    eventfd = os.eventfd(0, 0)
    line = f"{eventfd} {control} {argument}".encode() + b"\0"
    assert os.write(event_control, line) == len(line)
    say("ready")
    while True:
        assert len(os.read(eventfd, 8)) == 8
        if not os.access(control_path.parent / "cgroup.event_control", os.W_OK):
            say("removed")
            return
        say("crossed")


def test_the_kernels_listener(still):
    with Child(lambda say: event_listener(still / "memcg" / USAGE, "1100M", say), uid=NOBODY) as listener:
        assert listener.hear() == "ready"
        set_usage(still, 1100 * MIB)
        assert listener.hear() == "crossed"
        set_usage(still, 1099 * MIB)
        assert listener.hear() == "crossed"
        assert listener.is_silent()


@pytest.mark.parametrize("uid", [None, NOBODY], ids=["root: by the kernel", "a user: by samples"])
def test_the_kernels_listener_on_the_kernels_group(group, serve, uid):
    """Real memory of a process in the group; and the removal of the group, which ends the listening."""
    daemon = serve(f"--cgroup={group}")

    def allocate(say):
        (group / "cgroup.procs").write_text(str(os.getpid()))
        memory = mmap.mmap(-1, 64 * MIB)
        memory.write(b"x" * len(memory))
        say("full")
        signal.pause()

    with Child(lambda say: event_listener(daemon / "memcg" / USAGE, "32M", say), uid=uid) as listener:
        assert listener.hear() == "ready"
        with Child(allocate) as user:
            assert user.hear() == "full"
            assert listener.hear() == "crossed"
            assert int(read_text(daemon / "memcg" / USAGE)) >= 32 * MIB
        assert listener.hear() == "crossed"
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
        with opened(daemon / "memcg" / USAGE, os.O_RDONLY) as fd:
            group.rmdir()
            with pytest.raises(OSError) as problem:
                os.read(fd, 100)
            assert problem.value.errno == errno.ENODEV
        said = listener.hear()
        while said == "crossed":  # the kernel's own signal may be the first to know
            said = listener.hear()
        assert said == "removed"
    wait_until(lambda: os.listdir(daemon / "memcg") == [], "the files to go")
    assert not [target for target in daemon.fds() if group.name in target]  # the group is not kept in memory
    daemon.first_fds = daemon.fds()


def test_kubelet(still):
    """One eventfd in an epoll; each time it is crossed the threshold is put elsewhere, and the usage that is read
    then is the one that crossed."""
    with Client(still / "memcg") as client, select.epoll() as epoll:
        epoll.register(client.eventfd, select.EPOLLIN)
        threshold = 1100
        for _ in range(20):
            assert client.register(USAGE, f"{threshold}M") == 0
            set_usage(still, threshold * MIB)
            assert epoll.poll(TIMEOUT_S)
            assert client.events() == 1
            assert int(read_text(still / "memcg" / USAGE)) >= threshold * MIB
            threshold += 10


def test_registrations_outlive_the_files(still):
    with Client(still / "memcg") as client:
        assert client.register(USAGE, "1100M") == 0
        os.close(client.files.pop(USAGE))
        os.dup2(client.eventfd, client.event_control)
        set_usage(still, 1200 * MIB)
        assert client.wait_events() == 1


def test_a_dup_in_the_process_keeps_the_registration(still):
    with Client(still / "memcg") as client:
        assert client.register(USAGE, "1100M") == 0
        moved = os.dup(client.eventfd)
        os.close(client.eventfd)
        client.eventfd = os.dup2(moved, 200)
        os.close(moved)
        with Client(still / "memcg") as other:  # registers, and so has others looked at
            for _ in range(10):
                assert other.register(USAGE, "5000M") == 0
        set_usage(still, 1200 * MIB)
        assert client.wait_events() == 1


def test_the_end_of_the_client_ends_it(still):
    """Whoever has the eventfd from him is told, and hears no more."""
    eventfd = os.eventfd(0, os.EFD_NONBLOCK)
    os.set_inheritable(eventfd, True)

    def register(say):
        say(Client(still / "memcg", eventfd).register(USAGE, "1100M"))
        signal.pause()

    with Child(register) as child:
        assert child.hear() == 0
        set_usage(still, 1200 * MIB)
        assert select.select([eventfd], [], [], TIMEOUT_S)[0]
        assert os.eventfd_read(eventfd) == 1
        child.signal(signal.SIGKILL)
        child.wait()
    assert select.select([eventfd], [], [], TIMEOUT_S)[0]
    assert os.eventfd_read(eventfd) == 1
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")
    set_usage(still, 1000 * MIB)
    with pytest.raises(BlockingIOError):
        os.eventfd_read(eventfd)
    os.close(eventfd)


def test_registering_and_closing_in_a_loop_leaks_nothing(still):
    """Ten descriptors at a time may be on their way out."""
    with Client(still / "memcg") as client:
        client.open(USAGE)
        most = 0
        for number in range(ROUNDS):
            eventfd = os.eventfd(0)
            assert client.write(f"{eventfd} {client.files[USAGE]} 1100M".encode()) == 0
            os.close(eventfd)
            if number % 100 == 99:
                most = max(most, len(still.fds()) - len(still.first_fds))
        assert most <= 10
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")


def test_clients_that_are_killed_leave_nothing(still):
    def register(say):
        with Client(still / "memcg") as client:
            say("begin")
            while True:
                client.register(USAGE, "1100M")

    for _ in range(30):
        with Child(register) as child:
            child.hear()
            child.signal(signal.SIGKILL)
            child.wait()
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")


def test_a_user_has_a_quota(still):
    def register(say):
        with Client(still / "memcg") as client:
            client.open(USAGE)
            results = [client.register(USAGE, "1100M") for _ in range(1025)]
            say([results.count(0), results.index(errno.EDQUOT)])
            say(client.register(USAGE, "max"))
        signal.pause()

    with Child(register, uid=NOBODY) as child:
        assert child.hear() == [1024, 1024]
        assert child.hear() == errno.EINVAL
        with Client(still / "memcg") as client:  # root has room
            assert client.register(USAGE, "1100M") == 0
        wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")
        with Child(register, uid=NOBODY) as second:
            assert second.hear() == [1024, 1024]


def test_a_full_counter_stops_nobody(still):
    """Its owner alone has not room for more; write(2) to it would wait for ever."""
    full = os.eventfd(0, 0)
    with Client(still / "memcg", full) as hostile, Client(still / "memcg") as client:
        assert hostile.register(USAGE, "1100M") == 0
        assert client.register(USAGE, "1100M") == 0
        os.eventfd_write(full, 2 ** 64 - 2)
        for size in (1200, 1000, 1200):
            set_usage(still, size * MIB)
            assert client.wait_events() == 1


def test_descriptors_that_change_under_the_daemons_eyes(still):
    """A thread puts other things where the eventfd was, while another registers: nothing but an eventfd is held."""
    with Client(still / "memcg") as client, opened("/dev/null", os.O_RDONLY) as null:
        others = (null, client.open(USAGE))
        eventfds = [os.eventfd(0) for _ in range(200)]
        place, now, stop = 900, [eventfds[0]], threading.Event()
        os.dup2(now[0], place)

        def swap():
            while not stop.is_set():
                for fd in (*others, now[0]):
                    os.dup2(fd, place)

        thread = threading.Thread(target=swap)
        thread.start()
        found = set()
        for eventfd in eventfds:
            now[0] = eventfd
            found.update(client.write(f"{place} {client.files[USAGE]} 1100M".encode()) for _ in range(10))
        stop.set()
        thread.join()
        os.close(place)
        held = set(still.fds()) - set(still.first_fds)
        for eventfd in eventfds:
            os.close(eventfd)
        assert found <= {0, errno.EINVAL}
        assert 0 in found
        assert held <= {"anon_inode:[eventfd]", "anon_inode:[pidfd]"}
        assert still.fds().count("/dev/null") == still.first_fds.count("/dev/null")
    wait_until(lambda: still.fds() == still.first_fds, "the daemon to let go")


def test_a_group_that_is_none(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        done = subprocess.run([PROGRAM, "-f", f"--cgroup={path}", str(tmp_path)], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False, env=environment())
        assert done.returncode == 1
        assert done.stderr.startswith(f"memnotifyfs: cannot use the cgroup '{path}': ")
