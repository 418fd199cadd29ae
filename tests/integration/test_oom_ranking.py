# SPDX-License-Identifier: LGPL-2.1-or-later
"""oom_ranking: who is in it, with which points, and how it can be read."""

import ctypes
import errno
import mmap
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import TIMEOUT_S, Child, opened, read_all, read_text, wait_until, write_text
from daemon import Daemon, helpers_of

HERE = Path(__file__).resolve().parent
USER = 54321
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CAP_SYS_RAWIO, CAP_SYS_ADMIN = 17, 21
PR_SET_NAME = 15
LIST_ONLY = ("-o", "oom=kill,oom_limit=free<1")  # touches nobody of this machine


class Line:
    def __init__(self, text):
        pid, points, utime, stime, self.comm = text.split(b" ", 4)
        self.pid, self.points, self.utime, self.stime = int(pid), float(points), int(utime), int(stime)


def ranking(daemon):
    text = read_all(daemon / "oom_ranking")
    assert text.endswith(b"\n")
    return [Line(line) for line in text[:-1].split(b"\n")]


def line_of(daemon, pid):
    found = [line for line in ranking(daemon) if line.pid == pid]
    assert len(found) == 1
    return found[0]


def points_of(pid):
    """By the formula of 2005, from /proc/PID/stat and status."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    cpu_s = (int(fields[11]) + int(fields[12])) / TICKS
    run_s = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / TICKS
    points = int(fields[20]) / PAGE / max(1, (cpu_s / 10) ** 0.5) / max(1, (run_s / 1024) ** 0.25)
    if int(fields[16]) > 0:
        points *= 2
    capabilities = int(status["CapEff"], 16)
    if "0" in status["Uid"].split()[:2] or capabilities >> CAP_SYS_ADMIN & 1:
        points /= 4
    if capabilities >> CAP_SYS_RAWIO & 1:
        points /= 4
    return points


def pause(say):
    say("ready")
    while True:
        signal.pause()


def named(name):
    def start(say):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
        pause(say)
    return start


def niced(say):
    os.nice(5)
    pause(say)


def as_users(*uids):
    def start(say):
        os.setresuid(*uids)
        pause(say)
    return start


def test_who_is_in_it(serve):
    daemon = serve()
    with Child(pause) as child, Child(lambda _say: None) as zombie:
        assert child.hear() == "ready"
        wait_until(lambda: zombie.status_field("State") == "Z", "the child to end")
        pids = [line.pid for line in ranking(daemon)]
        assert child.pid in pids and os.getpid() in pids
        assert zombie.pid not in pids
    assert len(pids) == len(set(pids))
    assert 1 not in pids and daemon.pid not in pids
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}/exe") and not os.readlink(f"/proc/{pid}/exe")]


@pytest.mark.parametrize("function, uid", [
    (pause, None), (pause, USER), (niced, USER), (niced, None), (as_users(0, USER, USER), None),
    (as_users(USER, 0, 0), None), (as_users(USER, USER, 0), None), (as_users(0, USER, 0), None),
])
def test_points_are_those_of_2005(serve, function, uid):
    daemon = serve()
    with Child(function, uid=uid) as child:
        assert child.hear() == "ready"
        assert line_of(daemon, child.pid).points == pytest.approx(points_of(child.pid), abs=0.001)


def changes_of(pid):
    """All of /proc/PID that the points are made of, but the time; None of a process that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[11:13], fields[16], fields[19:21], [line for line in status if line.startswith(("Uid", "CapEff"))]


def test_points_of_processes_that_have_worked(serve):
    """Everybody who has not moved meanwhile."""
    daemon = serve()
    before = {int(name): changes_of(name) for name in os.listdir("/proc") if name.isdigit()}
    lines = {line.pid: line for line in ranking(daemon)}
    compared = 0
    for pid, line in lines.items():
        try:
            points = points_of(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if before.get(pid) and before[pid] == changes_of(pid):
            assert [line.utime, line.stime] == [int(ticks) for ticks in before[pid][0]]
            assert line.points == pytest.approx(points, rel=1e-3, abs=0.001), line.comm
            compared += 1
    assert compared >= 2


def test_highest_first(serve):
    points = [line.points for line in ranking(serve())]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize("name, shown", [
    (b"plain", b"plain"), (b"a b  c", b"a b  c"), (b") R 1 2", b") R 1 2"), (b"(", b"("), (b"", b""), (b" x ", b" x "),
    (b"\n1 9e9 0 0 x", b"\\n1 9e9 0 0 x"), (b"a\\n", b"a\\\\n"), (b"\xff\xfe\x01", b"\\377\\376\\001"),
    (b"\x1b]0;owned\x07", b"\\033]0;owned\\007"), ("Käse €".encode(), "Käse €".encode()),
    ("\x9b2J".encode(), b"\\302\\2332J"), ("a\u202egnp".encode(), b"a\\342\\200\\256gnp"),
])
def test_a_name_may_hold_anything(serve, name, shown):
    daemon = serve()
    with Child(named(name)) as child:
        assert child.hear() == "ready"
        assert line_of(daemon, child.pid).comm == shown


def test_it_is_made_when_it_is_opened(serve):
    daemon = serve()
    with opened(daemon / "oom_ranking", os.O_RDONLY) as fd:
        with Child(pause) as child:
            assert child.hear() == "ready"
            text = os.pread(fd, 1 << 20, 0)
            assert f"\n{child.pid} ".encode() not in b"\n" + text
            assert os.pread(fd, 1 << 20, 0) == text
            assert b"".join(os.pread(fd, 7, at) for at in range(0, len(text), 7)) == text
            # Where a ranking takes long, who opens soon after gets the same.
            wait_until(lambda: child.pid in [line.pid for line in ranking(daemon)], "the child to be ranked")


def test_every_reader_gets_all_of_many(serve):
    """More than st_size of an ordinary file. Where a reader stops short, its last line is not the last."""
    daemon = serve()
    children = [Child(pause) for _ in range(250)]
    try:
        pids = {child.pid for child in children if child.hear()}
        for command in ["cat {}", "busybox cat {}", "dd bs=100 status=none if={}", "head -n 100000 {}", "sort {}"]:
            done = subprocess.run(command.format(daemon / "oom_ranking").split(), capture_output=True, check=True)
            assert len(done.stdout) > 4096 and done.stdout.endswith(b"\n")
            assert pids <= {int(line.split()[0]) for line in done.stdout.splitlines()}, command
            assert os.stat(daemon / "oom_ranking").st_size >= len(done.stdout)
        for command in ["tail -n {n} {}", "tail -c {n} {}", "busybox tail -n {n} {}"]:
            words = command.format(daemon / "oom_ranking", n=100).split()
            done = subprocess.run(words, capture_output=True, check=True)
            lines = done.stdout.splitlines(keepends=True)
            assert done.stdout.endswith(b"\n") and (len(done.stdout) == 100 or len(lines) == 100), command
        for command in ["wc -c", "busybox wc -c"]:
            with open(daemon / "oom_ranking", "rb", buffering=0) as ranked:  # made at open: both read the same
                done = subprocess.run(command.split(), stdin=ranked, capture_output=True, check=True)
                text = os.pread(ranked.fileno(), 1 << 20, 0)
            assert int(done.stdout.split()[0]) == len(text), command
    finally:
        for child in children:
            child.__exit__()


def with_a_large_address_space(say):
    """None of it is memory; it takes part in the ranking all the same."""
    reserved = mmap.mmap(-1, 1 << 42, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)
    pause(say)
    reserved.close()


def test_the_command_of_the_manual():
    """In a pid namespace of its own: elsewhere another of the five worst could end between the ranking and the list."""
    done = subprocess.run(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c",
                           "import test_oom_ranking; test_oom_ranking.list_the_worst()"], cwd=HERE,
                          capture_output=True, text=True, timeout=4 * TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def list_the_worst():
    daemon = Daemon(*LIST_ONLY).start()
    with ExitStack() as stack:
        children = [stack.enter_context(Child(with_a_large_address_space)) for _ in range(5)]
        for child in children:
            assert child.hear() == "ready"
        done = subprocess.run(["sh", "-c", "head -5 oom_ranking | cut -d' ' -f1 | paste -sd' ' > oom"],
                              cwd=daemon.mountpoint, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), done
        assert sorted(map(int, read_text(daemon / "oom").split())) == sorted(child.pid for child in children)
        write_text(daemon / "oom", "\n")
    daemon.close()


def test_it_cannot_be_written(serve):
    daemon = serve()
    with Child(lambda say: say(os.access(daemon / "oom_ranking", os.W_OK)), uid=USER) as child:
        assert child.hear() is False
    with opened(daemon / "oom_ranking", os.O_RDWR) as fd, pytest.raises(OSError):
        os.write(fd, b"1")


# ---- who sees what --------------------------------------------------------------------------------------------


def error_of_opening(path):
    """The errno, 0 if there is none."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as problem:
        return problem.errno
    return 0


def helper_of(daemon):
    read_all(daemon / "oom_ranking")  # there is one now
    pid, = helpers_of(daemon.pid)
    return int(pid)


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_helper_without_descriptors_is_an_error(serve, more):
    """And no short list. Two are for the reader's /proc, and one is for each process."""
    daemon = serve()
    helper = helper_of(daemon)
    first_free = 4  # behind the standard ones and its socket
    wait_until(lambda: len(os.listdir(f"/proc/{helper}/fd")) == first_free, "the helper to have nothing else open")
    limits = resource.prlimit(helper, resource.RLIMIT_NOFILE)
    resource.prlimit(helper, resource.RLIMIT_NOFILE, (first_free + more, limits[1]))
    with Child(lambda say: say(error_of_opening(daemon / "oom_ranking")), uid=USER) as child:
        assert child.hear() == errno.EMFILE
    resource.prlimit(helper, resource.RLIMIT_NOFILE, limits)
    assert len(ranking(daemon)) > 0


def test_who_leaves_before_it_is_made(serve):
    """One while his view is looked for, or while it is ranked; the others get theirs."""
    daemon = serve()
    helper = helper_of(daemon)
    os.kill(helper, signal.SIGSTOP)
    with Child(lambda _say: read_all(daemon / "oom_ranking")) as leaving, \
         Child(lambda say: say(len(ranking(daemon)))) as staying:
        leaving.wait_reading()
        staying.wait_reading()
        leaving.signal(signal.SIGKILL)
        assert leaving.wait() == -signal.SIGKILL
        os.kill(helper, signal.SIGCONT)
        assert staying.hear() > 0
    assert len(ranking(daemon)) > 0


def test_a_container_sees_its_own_by_its_own_numbers(serve):
    """Also where who reads is root there."""
    daemon = serve()
    script = """
        sleep 1000 & echo $!; read -r _
        for uid in 0 "$2"; do
            setpriv --reuid "$uid" --regid "$uid" --clear-groups cat "$1" | cut -d" " -f1,5 | paste -sd,
        done
        kill $!
    """
    container = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script,
                                  "bash", daemon / "oom_ranking", str(USER)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
    inside = int(container.stdout.readline())
    text, _ = container.communicate("\n", timeout=TIMEOUT_S)
    for line in text.splitlines():
        shown = dict(field.split(" ") for field in line.split(","))
        assert shown.pop(str(inside)) == "sleep"
        assert set(shown.values()) <= {"cat", "cut", "paste", "setpriv", "bash"}, shown
    assert len(text.splitlines()) == 2


def test_who_has_no_proc_sees_nothing(serve, tmp_path):
    def leave(say):
        os.chdir(daemon.mountpoint)
        os.chroot(tmp_path)
        os.setresuid(USER, USER, USER)
        say(error_of_opening("oom_ranking"))

    daemon = serve()
    with Child(leave) as child:
        assert child.hear() == errno.EPERM
    (tmp_path / "proc").mkdir()  # but it is none
    with Child(leave) as child:
        assert child.hear() == errno.EPERM


def test_a_user_who_cannot_be_seen_sees_nothing():
    """The mount is a container's; he is outside and reaches in."""
    def reach_in(uid):
        def look(say):
            os.chdir(f"/proc/{shell}/root{mountpoint}")
            os.setresuid(uid, uid, uid)
            say(error_of_opening("oom_ranking"))

        with Child(look) as child:
            return child.hear()

    script = """
        mountpoint=$(mktemp -d); "$MEMNOTIFYFS" "$mountpoint" 2>/dev/null || exit
        echo "$mountpoint"; read -r _; umount "$mountpoint"; rmdir "$mountpoint"
    """
    container = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    mountpoint = container.stdout.readline().strip()
    shell = int(Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text())
    errors = [reach_in(USER), reach_in(0)]
    container.communicate("\n", timeout=TIMEOUT_S)
    assert errors == [errno.EPERM, 0]
