# SPDX-License-Identifier: LGPL-2.1-or-later
"""From the command line to the last client: starting, refusing to start, stopping, being killed."""

import ctypes
import errno
import fcntl
import os
import re
import select
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import TIMEOUT_S, Child, opened, read_text, wait_ready, wait_until, write_text
from daemon import KNOWN_WARNING, PROGRAM, daemons_of, environment, is_mounted
from memcg_client import MIB, USAGE, Client


def run(*arguments, **settings):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S,
                          stdin=subprocess.DEVNULL, env=environment(), check=False, **settings)


def refuses(status, pattern, *arguments):
    """It ends with `status` and one line that matches: what is wrong and what to do."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert re.fullmatch(rf"memnotifyfs: .*{pattern}.*\n", done.stderr), done.stderr
    return True


def mounts_at(directory):
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return mounts.read().count(f" {directory} ")


def test_help_and_version():
    for option in ("--help", "-h"):
        done = run(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: ")
        for word in ("--proc", "--simulate", "ack=poll", "update_period", "max_update_period", "update_space",
                     "fill_rate"):
            assert word in done.stdout
    for option in ("--version", "-V"):
        done = run(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(r"memnotifyfs \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("option", ["--help", "-h", "--version", "-V"])
def test_help_and_version_that_do_not_arrive(option):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, option], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(),
                              check=False)
    assert done.returncode == 1
    assert done.stderr == "memnotifyfs: cannot write to standard output: No space left on device\n"


def test_usage_errors(directory):
    assert refuses(2, "no mount point.*--help")
    assert refuses(2, "unexpected argument 'c'.*--help", "a", "b", "c")
    assert refuses(2, "--nonsense.*--help", "--nonsense", directory)
    assert refuses(2, "nonsense.*--help", "-o", "nonsense", directory)
    assert refuses(2, "update_period=0.*needed", "-o", "update_period=0", directory)
    assert refuses(2, "update_space=1x.*needed", "-o", "update_space=1x", directory)
    assert refuses(2, "fill_rate=.*needed", "-o", "fill_rate=", directory)
    assert refuses(2, "ack=never.*needed", "-o", "ack=never", directory)
    assert not is_mounted(directory)


def test_mount_points_that_will_not_do(directory, tmp_path):
    assert refuses(1, "does not exist.*mkdir -p", "-f", tmp_path / "missing")
    assert refuses(1, "does not exist.*mkdir -p", "-f", tmp_path / "missing" / "deeper")
    (tmp_path / "file").write_text("")
    assert refuses(1, "not a directory", "-f", tmp_path / "file")
    (directory / "something").write_text("")
    assert refuses(1, "not empty.*-o nonempty", "-f", directory)
    assert (directory / "something").exists()


def test_no_such_proc_directory(directory, tmp_path):
    assert refuses(1, "cannot use '.*nowhere'", "-f", f"--proc={tmp_path / 'nowhere'}", directory)
    assert refuses(1, "cannot use '.*meminfo'", "-f", f"--proc={tmp_path}", directory)


def test_a_second_one_at_the_same_place_is_refused(daemon):
    assert refuses(1, "mounted already.*umount", "-f", daemon.mountpoint)
    assert refuses(1, "mounted already.*umount", "-f", f"{daemon.mountpoint}/")
    assert read_text(daemon / "memnotify")


def test_a_mount_over_files_where_that_is_wanted(directory):
    (directory / "something").write_text("")
    assert run("-o", "nonempty", directory).returncode == 0
    assert "memnotify" in os.listdir(directory)
    subprocess.run(["umount", directory], check=True)
    assert os.listdir(directory) == ["something"]


def test_the_background_is_entered_when_all_is_served(directory):
    done = run(directory)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read_text(directory / "memnotify").startswith("used ")
    (pid,) = daemons_of(directory)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_mounted(directory) and not daemons_of(directory), "the end of the daemon")


def start_with_lock(directory, lock, *options):
    """It gets the locked file twice, and the lock is no longer ours."""
    with open(lock, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.dup2(file.fileno(), 777)
        process = subprocess.Popen([PROGRAM, *options, directory], pass_fds=(file.fileno(), 777), env=environment())
        os.close(777)
    wait_until(lambda: is_mounted(directory), "the mount")
    return process


def demand_no_lock(lock):
    with open(lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_background_keeps_nothing_of_who_started_it(directory, tmp_path):
    assert start_with_lock(directory, tmp_path / "lock").wait(TIMEOUT_S) == 0
    demand_no_lock(tmp_path / "lock")
    subprocess.run(["umount", directory], check=True)


def test_the_foreground_keeps_nothing_of_who_started_it(directory, tmp_path):
    process = start_with_lock(directory, tmp_path / "lock", "-f")
    demand_no_lock(tmp_path / "lock")
    process.terminate()
    assert process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(directory, closed):
    """Nothing of ours is opened there and taken for standard output."""
    process = subprocess.Popen(["sh", "-c", f'exec "$0" "$@" {closed}', PROGRAM, "-f", directory],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    wait_until(lambda: is_mounted(directory) or process.poll() is not None, "the mount")
    assert read_text(directory / "memnotify").startswith("used ")
    for fd, redirection in enumerate(("<&-", ">&-", "2>&-")):
        target = os.readlink(f"/proc/{process.pid}/fd/{fd}")
        assert target == "/dev/null" if redirection in closed.split() else target.startswith("pipe:")
    process.terminate()
    assert process.wait(TIMEOUT_S) == 0


def test_the_background_when_standard_descriptors_are_closed(directory):
    subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', PROGRAM, directory], env=environment(), check=True)
    assert read_text(directory / "memnotify").startswith("used ")
    (pid,) = daemons_of(directory)
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
    subprocess.run(["umount", directory], check=True)


def test_mount_calls_it_with_a_source_and_options(directory):
    done = run("anything", directory, "-o", "rw,nosuid,nodev,noexec,update_period=25,allow_other,default_permissions")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_text(directory / "parameters" / "update_period") == "25\n"
    subprocess.run(["umount", directory], check=True)
    wait_until(lambda: not daemons_of(directory), "the end of the daemon")


@pytest.fixture(params=["absolute", "relative", "chain", "beside a link", "upwards"])
def link(request, directory, tmp_path):
    """Another name of the directory, by a symbolic link."""
    path = tmp_path / "link"
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    targets = {"absolute": directory, "relative": os.path.relpath(directory, tmp_path),
               "chain": "second", "beside a link": f"elsewhere/link/{directory.name}", "upwards": "deep/../mount"}
    (tmp_path / "second").symlink_to(directory)
    (tmp_path / "elsewhere" / "link").symlink_to(directory.parent)
    (tmp_path / "deep").symlink_to(tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere" / "mount").symlink_to(directory)
    path.symlink_to(targets[request.param])
    return path


def test_a_mount_point_behind_a_link(link, directory):
    """It is the directory, by either name."""
    assert run(link).returncode == 0
    assert is_mounted(directory)
    for name in (directory, link, f"{link}/"):
        assert refuses(1, f"'{directory}' is mounted already", "-f", name)
    with Client(link / "memcg") as client:
        assert client.register(USAGE, 5 * MIB) == 0
    subprocess.run(["umount", link], check=True)
    wait_until(lambda: not daemons_of(link), "the end of the daemon")
    assert not is_mounted(directory)


def test_a_dead_mount_behind_a_link_is_cleared(link, directory):
    for name in (link, directory, link):
        assert run(name).returncode == 0
        assert mounts_at(directory) == 1, "the dead one is gone"
        (pid,) = daemons_of(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not daemons_of(name), "the end of the daemon")
    subprocess.run(["umount", "-l", directory], check=True)


def test_an_end_behind_a_link(link, directory, orphans):
    pid = in_background(link)
    os.kill(pid, signal.SIGTERM)
    assert end_of_orphan(pid) == 0
    assert not is_mounted(directory)


def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "dangling").symlink_to("missing")
    (tmp_path / "loop").symlink_to("loop")
    assert refuses(1, f"'{tmp_path}/missing' does not exist.*mkdir -p", "-f", tmp_path / "dangling")
    assert refuses(1, f"'{tmp_path}/loop': Too many levels of symbolic links", "-f", tmp_path / "loop")


@pytest.mark.parametrize("foreground", [["-f"], []], ids=["foreground", "background"])
def test_an_option_that_is_refused_when_it_is_mounted(directory, foreground):
    """By libfuse, in answer to the kernel's first request. Its reason is part of the one line."""
    assert refuses(1, "cannot serve '.*' .*max", *foreground, "-o", "max_read=4096", directory)
    assert not is_mounted(directory)
    assert not daemons_of(directory)


@pytest.mark.parametrize("foreground", [["-f"], []], ids=["foreground", "background"])
def test_an_unmount_before_it_is_served(directory, foreground):
    with opened("/dev/fuse") as fd:
        mount_on(fd, directory)
        assert libc.umount(os.fsencode(directory)) == 0
        done = run(*foreground, "-o", "device=0:1", f"/dev/fd/{fd}", pass_fds=(fd,))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"memnotifyfs: '/dev/fd/{fd}' was unmounted before it was served; start memnotifyfs again\n"


def test_mount_points_with_strange_names(tmp_path):
    for name in ("with blank", "with\nnewline", "ü", "back\\slash", "trailing "):
        path = tmp_path / name
        path.mkdir()
        done = run(path)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert "memnotify" in os.listdir(path)
        assert refuses(1, "mounted already", "-f", path)
        subprocess.run(["umount", path], check=True)
        wait_until(lambda: not daemons_of(path), "the end of the daemon")


def test_a_relative_mount_point(directory):
    assert run("mount", cwd=directory.parent).returncode == 0
    assert is_mounted(directory)
    subprocess.run(["umount", directory], check=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_cleanly(daemon, number):
    daemon.stop(number)


def test_sigpipe_does_not(daemon):
    daemon.process.send_signal(signal.SIGPIPE)
    assert read_text(daemon / "memnotify")


def test_a_stop_does_not_wait_for_clients(daemon):
    write_text(daemon / "thresholds" / "low", "used 5")
    with opened(daemon / "memnotify") as fd, opened(daemon / "thresholds" / "low") as other, \
            opened(daemon / "events", os.O_RDONLY) as events:
        os.write(fd, b"used 1")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.demand_clean_end()
        for one in (fd, other, events):
            with pytest.raises(OSError) as caught:
                os.read(one, 100)
            assert caught.value.errno == errno.ENOTCONN


def test_an_unmount_from_outside_ends_it(daemon):
    subprocess.run(["umount", daemon.mountpoint], check=True)
    daemon.demand_clean_end()


def test_a_lazy_unmount_ends_it_when_the_last_client_has_gone(daemon):
    with opened(daemon / "memnotify") as fd:
        subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
        assert os.read(fd, 100).startswith(b"used ")
        assert daemon.process.poll() is None
    daemon.demand_clean_end()


def test_a_lazy_unmount_in_the_middle_of_requests_is_a_clean_end(serve):
    for _ in range(5):
        daemon = serve()
        with ExitStack() as files:
            for _ in range(300):
                files.enter_context(opened(daemon / "memnotify"))
            subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
        daemon.demand_clean_end()  # RELEASE is still read when the last one has gone


def test_a_busy_mount_is_not_unmounted_and_goes_on(daemon):
    with opened(daemon / "memnotify"):
        assert subprocess.run(["umount", daemon.mountpoint], capture_output=True, check=False).returncode != 0
    assert read_text(daemon / "memnotify")


def test_a_dead_mount_of_ours_is_cleared(daemon, serve, directory):
    daemon.kill()
    with pytest.raises(OSError) as caught:
        os.stat(daemon / "memnotify")
    assert caught.value.errno == errno.ENOTCONN
    for _ in range(2):
        assert run(daemon.mountpoint).returncode == 0
        assert read_text(daemon / "memnotify")
        assert mounts_at(daemon.mountpoint) == 1, "the dead one is gone"
        (pid,) = daemons_of(daemon.mountpoint)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not daemons_of(daemon.mountpoint), "the end of the daemon")


@pytest.fixture
def abort(tmp_path):
    """abort(device): ends the connection of this mount, as an administrator does through fusectl."""
    fusectl = tmp_path / "fusectl"
    fusectl.mkdir()
    subprocess.run(["mount", "-t", "fusectl", "fusectl", fusectl], check=True)
    yield lambda device: write_text(fusectl / str(os.minor(device)) / "abort", "1")
    subprocess.run(["umount", fusectl], check=True)


libc = ctypes.CDLL(None)
PR_SET_CHILD_SUBREAPER = 36
ABORTED = "the connection of '{}' was aborted, as by 'umount -f'; start memnotifyfs again"


def demand_aborted(daemon):
    """Status 1, one line that says so, no dead mount."""
    assert daemon.wait() == 1
    assert not is_mounted(daemon.mountpoint)
    daemon.expected.append(re.escape(ABORTED.format(daemon.mountpoint)))
    assert daemon.unexpected_messages() == ([], [])


def test_an_aborted_connection_is_a_failure(daemon, abort):
    abort(os.stat(daemon.mountpoint).st_dev)
    demand_aborted(daemon)


def test_an_aborted_connection_with_clients(daemon, abort):
    with opened(daemon / "memnotify") as fd, opened(daemon / "events", os.O_RDONLY):
        abort(os.fstat(fd).st_dev)
        demand_aborted(daemon)
        with pytest.raises(OSError) as caught:
            os.read(fd, 100)
        assert caught.value.errno == errno.ENOTCONN


def test_a_forced_unmount_of_a_busy_mount_is_a_failure(daemon):
    with opened(daemon / "memnotify"):
        done = subprocess.run(["umount", "-f", daemon.mountpoint], capture_output=True, check=False)
        assert done.returncode != 0
        demand_aborted(daemon)


def test_an_aborted_connection_behind_a_strange_name(tmp_path, abort):
    path = tmp_path / "blank \n\\134 \x1b ü"
    path.mkdir()
    with subprocess.Popen([PROGRAM, "-f", path], stderr=subprocess.PIPE, text=True, env=environment()) as process:
        wait_until(lambda: os.stat(path).st_dev != os.stat(tmp_path).st_dev, "the mount")
        abort(os.stat(path).st_dev)
        assert process.wait(TIMEOUT_S) == 1
        was_left = subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL, check=False).returncode == 0
        assert not was_left
        last = process.stderr.read().splitlines()[-1]
        assert last.endswith("was aborted, as by 'umount -f'; start memnotifyfs again")


@pytest.fixture
def orphans():
    """Who goes to the background becomes our child, so that we see how it ends."""
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0


def end_of_orphan(pid):
    status = []

    def has_ended():
        found, how = os.waitpid(pid, os.WNOHANG)
        status.extend([os.waitstatus_to_exitcode(how)] if found else [])
        return found

    wait_until(has_ended, "the end of the daemon")
    return status[0]


def in_background(directory, *options):
    assert run(*options, directory).returncode == 0
    (pid,) = daemons_of(directory)
    return pid


def test_an_aborted_connection_in_the_background(directory, abort, orphans):
    pid = in_background(directory)
    abort(os.stat(directory).st_dev)
    assert end_of_orphan(pid) == 1
    assert not is_mounted(directory)


@pytest.mark.parametrize("how", [
    lambda directory, pid: subprocess.run(["umount", directory], check=True),
    lambda directory, pid: subprocess.run(["umount", "-l", directory], check=True),
    lambda directory, pid: os.kill(pid, signal.SIGTERM),
], ids=["umount", "umount -l", "SIGTERM"])
def test_an_end_in_the_background_that_was_asked_for(directory, orphans, how):
    pid = in_background(directory)
    how(directory, pid)
    assert end_of_orphan(pid) == 0
    assert not is_mounted(directory)


def start_on_descriptor(fd, *options):
    return subprocess.Popen([PROGRAM, "-f", *options, f"/dev/fd/{fd}"], pass_fds=(fd,), stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env=environment())


def mount_on(fd, directory):
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other"
    assert libc.mount(b"memnotifyfs", os.fsencode(directory), b"fuse.memnotifyfs", 0, options.encode()) == 0


def start_mounted(directory):
    """On a descriptor that we have mounted for it."""
    with opened("/dev/fuse") as fd:
        mount_on(fd, directory)
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            (device,) = [line.split()[2] for line in mounts if line.split()[4] == str(directory)]
        process = start_on_descriptor(fd, "-o", f"device={device}")
    assert read_text(directory / "memnotify")
    return process


def said_by(process):
    said = process.communicate(timeout=TIMEOUT_S)[1].splitlines()
    return [line for line in said if not KNOWN_WARNING.fullmatch(line)]


def test_an_aborted_connection_that_somebody_else_has_mounted(directory, abort):
    """It may be his to clear."""
    process = start_mounted(directory)
    abort(os.stat(directory).st_dev)
    assert said_by(process) == [f"memnotifyfs: the connection of '{directory}' was aborted, as by 'umount -f'; "
                                "unmount it with 'umount -l' and start memnotifyfs again"]
    assert process.returncode == 1
    assert is_mounted(directory)


def test_an_unmount_by_somebody_who_has_mounted(directory):
    process = start_mounted(directory)
    subprocess.run(["umount", directory], check=True)
    assert (said_by(process), process.returncode) == ([], 0)


def test_a_device_that_nobody_has_mounted(directory):
    """It cannot be read. The program does not try for ever."""
    with opened("/dev/fuse") as fd:
        process = start_on_descriptor(fd)
    (*_, line) = said_by(process)
    assert line == (f"memnotifyfs: cannot read /dev/fuse for '/dev/fd/{fd}': Operation not permitted; "
                    "start memnotifyfs again")
    assert process.returncode == 1


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full"])
def test_a_descriptor_of_another_device_is_refused(path):
    with opened(path) as fd:
        process = start_on_descriptor(fd)
    assert said_by(process) == [f"memnotifyfs: '/dev/fd/{fd}' is not an open /dev/fuse"]
    assert process.returncode == 1


def test_a_mount_at_the_same_place_right_after_is_left_alone(directory, orphans):
    """The old daemon may hear of its end when the new one serves, even under the same number."""
    pid = in_background(directory)
    for _ in range(5):
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: state_of(pid) == "T", "the daemon to stop")
        assert libc.umount(os.fsencode(directory)) == 0  # umount(8) would ask the daemon
        assert run(directory).returncode == 0
        os.kill(pid, signal.SIGCONT)
        assert end_of_orphan(pid) == 0
        assert read_text(directory / "memnotify")
        (pid,) = daemons_of(directory)


def waits_by_poll(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll()[0][1] & select.POLLERR)


def waits_by_epoll(fd, flags=select.EPOLLIN):
    with select.epoll() as epoll:
        epoll.register(fd, flags)
        return bool(epoll.poll()[0][1] & select.EPOLLERR)


def waits_by_edge(fd):
    return waits_by_epoll(fd, select.EPOLLIN | select.EPOLLET)


def waits_for_pri(fd):
    return waits_by_epoll(fd, select.EPOLLPRI)


def waits_by_select(fd):
    return bool(select.select([fd], [], [])[0])


@pytest.mark.parametrize("name", ["memnotify", "meters/used", "thresholds/low", "events"])
@pytest.mark.parametrize("way", [waits_by_poll, waits_by_epoll, waits_by_edge, waits_for_pri, waits_by_select])
def test_sleepers_are_told_at_once_when_it_is_killed(daemon, name, way):
    daemon.simulate("used 1")
    write_text(daemon / "thresholds" / "low", "used 2000")

    def client(say):
        fd = os.open(daemon / name, os.O_RDONLY if name == "events" else os.O_RDWR)
        if name in ("memnotify", "meters/used"):
            os.write(fd, b"used 2000" if name == "memnotify" else b"2000")
        if name != "events":
            os.read(fd, 4096)
        say("waiting")
        say(way(fd))
        try:
            os.read(fd, 100)
        except OSError as error:
            say(errno.errorcode[error.errno])

    with Child(client) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        daemon.kill()
        assert child.hear() is True
        assert child.hear() == "ENOTCONN"


def test_a_client_that_dies_with_everything_open_leaves_nothing(daemon):
    def client(say):
        write_text(daemon / "thresholds" / "low", "used 2000")
        for name in ("memnotify", "meters/used", "thresholds/low"):
            os.write(os.open(daemon / name, os.O_RDWR), b"used 5" if name != "meters/used" else b"5")
        os.open(daemon / "events", os.O_RDONLY)
        say("open")
        signal.pause()

    with Child(client) as child:
        assert child.hear() == "open"
        child.signal(signal.SIGKILL)
        child.wait()
    daemon.simulate("used 3000")
    assert "reached=1" in read_text(daemon / "thresholds" / "low")


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_stopped_daemon_loses_nothing(serve, make_machine):
    """Who asks it something meanwhile hangs, but can be killed; who waits sleeps on and is told afterwards."""
    machine = make_machine("debian-6.1")
    daemon = serve(machine=machine)
    limit = daemon.meter("mlocked") + 10000  # a part of the machine

    def waiter(say):
        fd = os.open(daemon / "memnotify", os.O_RDWR)
        os.write(fd, b"mlocked %d" % limit)
        say("waiting")
        say(wait_ready(fd) == select.POLLIN)

    with Child(waiter) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: state_of(daemon.pid) == "T", "the daemon to stop")
            machine.replace("vmstat", machine.with_number("vmstat", "nr_mlock", limit))
            with Child(lambda _say: read_text(daemon / "memnotify")) as reader:
                reader.wait_reading()
                reader.signal(signal.SIGKILL)
                assert reader.wait() == -signal.SIGKILL
            assert child.is_silent()
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        assert child.hear() is True
        assert child.wait() == 0
    assert daemon.meter("mlocked") == limit
