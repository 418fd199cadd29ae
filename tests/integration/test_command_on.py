# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify on: a command is run when limits are reached."""

import mmap
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from clients import has_open, wait_until
from command import MEMNOTIFY, Memnotify, children_of, is_alive, name_of, status_of
from fixtures import close_all

UNIT = Path(__file__).parent.parent.parent / "examples" / "memnotify-on.service"

LIMIT = "available<1000"
REACHED = "available 500"
LEFT = "available 5000"


@pytest.fixture(params=["socket", "files"])
def server(request, serve, make_machine, tmp_path):
    """A machine that stands still and has memory; `place` leads to its socket, or to its files."""
    path = tmp_path / "server"
    daemon = serve("-o", "update_space=4", f"--socket={path}", machine=make_machine("debian-6.1"), simulate=True)
    daemon.place = path if request.param == "socket" else daemon.mountpoint
    daemon.simulate(LEFT)
    return daemon


@pytest.fixture
def one(serve, make_machine, tmp_path):
    """The socket alone, where it does not matter, or where no crossing may be missed, as it is by files."""
    path = tmp_path / "server"
    daemon = serve("-o", "update_space=4", f"--socket={path}", machine=make_machine("debian-6.1"), simulate=True)
    daemon.place = path
    daemon.simulate(LEFT)
    return daemon


@pytest.fixture
def on(tmp_path):
    """on(server, "--once", "--", "true"): a memnotify whose process waits; on(..., is_ready=False) may have ended."""
    running = []

    def start(server, *words, limits=LIMIT, is_ready=True, **settings):
        folder = tmp_path / f"on{len(running)}"
        folder.mkdir()
        memnotify = Memnotify(folder, "on", "--at", server.place, limits, *words, **settings)
        running.append(memnotify)
        if is_ready:
            wait_until(lambda: standby_of(memnotify.pid) or memnotify.process.poll() is not None, "the standby")
            assert memnotify.process.poll() is None, memnotify.messages()
        return memnotify

    yield start
    close_all(running)


def standby_of(pid):
    """The process that waits, once it has prepared all."""
    for child in children_of(pid):
        if name_of(child) == "mn-standby" and status_of(child)["SigBlk"].strip("0") == "":
            return child
    return None


def cross(server, times=1):
    for _ in range(times):
        server.simulate(LEFT)
        server.simulate(REACHED)


def shell(text):
    return ["--", "sh", "-c", text]


def until(path):
    """Shell text that waits for a file of that name, and tells its pid by one."""
    return f"echo $$ >{path}.tmp; mv {path}.tmp {path}.pid; until [ -e {path} ]; do sleep 0.02; done"


def pid_in(path):
    file = Path(f"{path}.pid")
    wait_until(file.exists, "the command to begin")
    return int(file.read_text(encoding="ascii"))


def wait_gone(*pids):
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid), f"the end of {pid}: {status_of(pid)}")


# --- what is run, and what it is told ---


def test_a_command_is_run_when_a_limit_is_reached(one, on):
    memnotify = on(one, "--", "echo", "low", "--", "on memory")
    assert memnotify.output() == ""
    for number in (1, 2, 3):
        cross(one)
        memnotify.wait_lines(number)
    assert memnotify.lines() == ["low -- on memory"] * 3
    assert memnotify.stop() == 0
    assert memnotify.messages() == ""


def test_what_is_reached_at_the_start_counts(server, on):
    server.simulate(REACHED)
    memnotify = on(server, "--once", "--", "echo", "low", is_ready=False)
    assert memnotify.wait() == 0
    assert memnotify.output() == "low\n"


def test_it_is_told_why(server, on):
    before = time.time()
    memnotify = on(server, *shell("env | grep ^MEMNOTIFY_ | sort"), env={**os.environ, "MEMNOTIFY_METER": "stale"})
    server.simulate(REACHED)
    memnotify.wait_lines(5)
    told = dict(line.split("=", 1) for line in memnotify.lines())
    assert re.fullmatch(r"\d+\.\d{6}", told["MEMNOTIFY_TIME"])
    assert before - 1 < float(told.pop("MEMNOTIFY_TIME")) < time.time() + 1
    assert told == {"MEMNOTIFY_METER": "available", "MEMNOTIFY_STATE": "reached",
                    "MEMNOTIFY_VALUE": str(500 * mmap.PAGESIZE), "MEMNOTIFY_LIMIT": str(1000 * mmap.PAGESIZE)}


def test_it_has_the_environment_and_directory(one, on, tmp_path):
    memnotify = on(one, *shell("echo $KEPT; pwd"), env={**os.environ, "KEPT": "as it was"}, cwd=tmp_path)
    cross(one)
    memnotify.wait_lines(2)
    assert memnotify.lines() == ["as it was", str(tmp_path)]


def test_another_is_run_when_one_is_left(server, on):
    memnotify = on(server, "--left", "echo $MEMNOTIFY_STATE $MEMNOTIFY_VALUE", "--", "echo", "low")
    for number in (1, 3):
        server.simulate(REACHED)
        memnotify.wait_lines(number)
        server.simulate(LEFT)
        memnotify.wait_lines(number + 1)
    assert memnotify.lines() == ["low", f"left {5000 * mmap.PAGESIZE}"] * 2


def test_of_several_limits_each_counts(one, on):
    one.simulate("free 5000")
    memnotify = on(one, *shell("echo $MEMNOTIFY_METER"), limits="available<1000 free<1000")
    one.simulate(REACHED)
    memnotify.wait_lines(1)
    one.simulate("free 400")
    memnotify.wait_lines(2)
    assert memnotify.lines() == ["available", "free"]


def test_several_do_not_disturb_each_other(one, on):
    several = [on(one, "--", "echo", number) for number in range(5)]
    several[4].process.kill()
    cross(one)
    for number, memnotify in enumerate(several[:4]):
        memnotify.wait_lines(1)
        assert memnotify.output() == f"{number}\n"
        assert memnotify.stop() == 0


def test_it_has_nothing_of_ours(one, on, tmp_path):
    """Standard descriptors, signals, its own group, the score."""
    with open(tmp_path / "inherited", "w", encoding="ascii") as inherited:
        def prepare():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
            for number in (signal.SIGCHLD, signal.SIGUSR2, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)

        before = Path("/proc/self/oom_score_adj").read_text(encoding="ascii")
        memnotify = on(one, "--", "grep", "", "/proc/self/status", "/proc/self/oom_score_adj", prepare=prepare,
                       pass_fds=[inherited.fileno()], is_ready=False)
        wait_until(lambda: standby_of(memnotify.pid), "the process that waits")
        one.simulate(REACHED)
        wait_until(lambda: "oom_score_adj:" in memnotify.output(), "the command")
    assert f"/proc/self/oom_score_adj:{before}" in memnotify.output()
    assert re.search(r"^/proc/self/status:SigBlk:\t0+$", memnotify.output(), re.MULTILINE)
    assert re.search(r"^/proc/self/status:SigIgn:\t0+$", memnotify.output(), re.MULTILINE)
    assert f"/proc/self/status:PPid:\t{memnotify.pid}\n" in memnotify.output()  # and not what has waited


def test_its_descriptors(one, on, tmp_path):
    go = tmp_path / "go"
    memnotify = on(one, *shell(until(go)))
    one.simulate(REACHED)
    pid = pid_in(go)
    assert set(os.listdir(f"/proc/{pid}/fd")) - {"10", "255"} == {"0", "1", "2"}  # but for those that shells have
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    assert has_open(pid, memnotify.output_path) and has_open(pid, memnotify.messages_path)
    assert os.getpgid(pid) == pid
    go.touch()


# --- when ---


def test_what_comes_meanwhile_is_one_more_run(one, on, tmp_path):
    go = tmp_path / "go"
    one.simulate("free 5000")
    memnotify = on(one, *shell(f"echo $MEMNOTIFY_METER; {until(go)}; echo end"), limits="available<1000 free<1000")
    one.simulate(REACHED)
    pid_in(go)
    for value in (400, 5000, 300):
        one.simulate(f"free {value}")
    other = on(one, *shell("echo told"), limits="free<1000")  # by then all of them are there
    other.wait_lines(1)
    go.touch()
    memnotify.wait_lines(4)
    assert memnotify.lines() == ["available", "end", "free", "end"]
    one.simulate("available 5000 free 5000")
    one.simulate(REACHED)
    memnotify.wait_lines(6)
    assert memnotify.lines()[4:] == ["available", "end"]


def test_never_two_at_a_time(one, on, tmp_path):
    memnotify = on(one, *shell(f"mkdir {tmp_path}/alone || echo two; sleep 0.02; rmdir {tmp_path}/alone; echo end"))
    wait_until(lambda: cross(one) or len(memnotify.lines()) > 10, "ten runs")
    assert set(memnotify.lines()) == {"end"}


def test_cooldown(one, on):
    """The date is of the event; the command takes its own."""
    memnotify = on(one, "--cooldown", "300ms", *shell("date +%s.%N"))
    wait_until(lambda: cross(one) or len(memnotify.lines()) > 3, "some runs")
    times = [float(line) for line in memnotify.lines()]
    assert all(after - before >= 0.25 for before, after in zip(times, times[1:]))


def test_a_long_cooldown_keeps_what_has_come(one, on):
    memnotify = on(one, "--cooldown", "1d", "--", "echo", "low")
    cross(one)
    memnotify.wait_lines(1)
    wait_until(lambda: [name_of(child) for child in children_of(memnotify.pid)] == ["mn-standby"], "the end of the run")
    cross(one, 3)
    other = on(one, "--", "echo", "told")
    other.wait_lines(1)
    assert memnotify.stop() == 0
    assert memnotify.lines() == ["low"]


@pytest.mark.parametrize("command, status", [
    ("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 128 + 9), ("kill -TERM $$", 128 + 15)])
def test_once(one, on, command, status):
    memnotify = on(one, "--once", *shell(command))
    cross(one)
    assert memnotify.wait() == status
    assert memnotify.messages() == ""


def test_timeout(one, on):
    assert on(one, "--timeout", "10ms", "--", "echo", "low", is_ready=False).wait() == 124
    memnotify = on(one, "--timeout", "1d", "--once", "--", "echo", "low")
    cross(one)
    assert memnotify.wait() == 0


def test_a_timeout_is_over_when_something_was_run(one, on):
    one.simulate(REACHED)
    memnotify = on(one, "--timeout", "1s", "--", "sleep", "1.5", is_ready=False)
    wait_until(lambda: "sleep" in map(name_of, children_of(memnotify.pid)), "the command")
    wait_until(lambda: "sleep" not in map(name_of, children_of(memnotify.pid)), "its end")
    assert memnotify.process.poll() is None
    assert memnotify.stop() == 0


# --- commands that fail ---


def test_a_command_that_fails_is_told(one, on):
    memnotify = on(one, *shell("exit 3"))
    for number in (1, 2):
        cross(one)
        wait_until(lambda number=number: memnotify.messages().count("\n") == number, "the message")
    assert memnotify.messages() == "memnotify: 'sh -c exit 3' has ended with status 3\n" * 2
    assert memnotify.stop() == 0


def test_a_command_that_is_killed_is_told(one, on):
    memnotify = on(one, *shell("kill -KILL $$"))
    cross(one)
    memnotify.wait_said("memnotify: 'sh -c kill -KILL $$' was ended by signal 9")


def test_a_name_is_one_line(one, on):
    memnotify = on(one, "--left", "false\n4\033", *shell(f"exit 3 # {'long ' * 100}"))
    one.simulate(REACHED)
    memnotify.wait_said("...' has ended with status 3\n")
    one.simulate(LEFT)
    memnotify.wait_said("'false\\n4\\033' has ended with status")
    assert memnotify.messages().count("\n") >= 2
    assert max(map(len, memnotify.messages().splitlines())) < 150


@pytest.mark.parametrize("mode, status, said", [
    (None, 127, "there is no program"), (0o644, 126, "may not be executed")])
def test_a_command_that_cannot_be_run_is_refused(one, on, tmp_path, mode, status, said):
    program = tmp_path / "program"
    if mode is not None:
        program.touch(mode)
    memnotify = on(one, "--", program, is_ready=False)
    assert memnotify.wait() == status
    assert said in memnotify.messages() and memnotify.messages().count("\n") == 1


def test_a_command_that_has_gone_meanwhile(one, on, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    memnotify = on(one, "--once", "--", program)
    program.unlink()
    cross(one)
    assert memnotify.wait() == 127
    assert memnotify.messages() == f"memnotify: cannot execute '{program}': No such file or directory\n"


def test_a_script_without_a_first_line_is_one_of_the_shell(one, on, tmp_path):
    program = tmp_path / "program"
    program.write_text("echo $0 $1\n", encoding="ascii")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    memnotify = on(one, "--once", "--", "program", "word", env={**os.environ, "PATH": path})
    cross(one)
    assert memnotify.wait() == 0
    assert memnotify.output() == f"{program} word\n"


def test_kill_after(one, on, tmp_path):
    """A command that ignores SIGTERM, with a child that does so, too. It has 2 s to begin with that."""
    go = tmp_path / "go"
    memnotify = on(one, "--once", "--kill-after", "2s", *shell(f"trap '' TERM; sleep 1000 & echo $!; {until(go)}"))
    cross(one)
    pid = pid_in(go)
    assert memnotify.wait() == 128 + 9
    wait_gone(pid, int(memnotify.output()))
    assert [line.rsplit(" ", 1)[1] for line in memnotify.messages().splitlines()] == ["SIGTERM", "SIGKILL"]


def test_kill_after_of_one_that_ends_as_told(one, on, tmp_path):
    memnotify = on(one, "--kill-after", "100ms", "--", "sleep", "1000")
    cross(one)
    memnotify.wait_said("'sleep 1000' was ended by signal 15")
    assert "SIGKILL" not in memnotify.messages()
    cross(one)
    wait_until(lambda: memnotify.messages().count("was ended") == 2, "the next")


def test_a_child_in_the_background_does_not_hold_it(one, on):
    """It has ended when its process has, and who goes on is left alone."""
    memnotify = on(one, *shell("sleep 1000 & echo $!"))
    cross(one)
    memnotify.wait_lines(1)
    cross(one)
    memnotify.wait_lines(2)
    open_when_idle(memnotify)
    assert memnotify.stop() == 0
    for pid in map(int, memnotify.lines()):
        assert is_alive(pid)
        os.kill(pid, signal.SIGKILL)


# --- its end ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_what_runs(one, on, tmp_path, number):
    go = tmp_path / "go"
    memnotify = on(one, *shell(f"sleep 1000 & echo $!; {until(go)}"))
    cross(one)
    pid = pid_in(go)
    standby = wait_for_standby(memnotify)
    assert memnotify.stop(number) == 0
    wait_gone(pid, int(memnotify.output()), standby)
    assert memnotify.messages() == ""


def wait_for_standby(memnotify):
    wait_until(lambda: standby_of(memnotify.pid), "the process that waits")
    return standby_of(memnotify.pid)


@pytest.mark.parametrize("is_impatient", [False, True])
def test_it_ends_what_does_not_end_by_itself(one, on, tmp_path, is_impatient):
    go = tmp_path / "go"
    memnotify = on(one, *shell(f"trap 'echo asked' TERM; (trap '' TERM; exec sleep 1000) & echo $!; "
                               f"while :; do {until(go)}; done"))
    cross(one)
    pid = pid_in(go)
    memnotify.wait_lines(1)
    memnotify.process.send_signal(signal.SIGTERM)
    memnotify.wait_lines(2)
    if is_impatient:
        memnotify.process.send_signal(signal.SIGTERM)
    assert memnotify.wait() == 0
    wait_gone(pid, int(memnotify.lines()[0]))
    assert is_impatient or "is sent SIGKILL" in memnotify.messages()


def test_what_is_ignored_does_not_end_it(one, on):
    memnotify = on(one, *shell("echo low"), prepare=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    memnotify.process.send_signal(signal.SIGHUP)
    cross(one)
    memnotify.wait_lines(1)
    assert memnotify.stop() == 0


def test_it_is_killed(one, on, tmp_path):
    """The command is asked to end, and what waits ends."""
    go = tmp_path / "go"
    memnotify = on(one, *shell(f"trap 'echo asked; exit' TERM; {until(go)}"))
    cross(one)
    pid, standby = pid_in(go), wait_for_standby(memnotify)
    memnotify.process.kill()
    memnotify.wait()
    wait_gone(pid, standby)
    assert memnotify.output() == "asked\n"


def test_what_waits_is_killed(one, on):
    memnotify = on(one, "--", "echo", "low")
    first = wait_for_standby(memnotify)
    os.kill(first, signal.SIGKILL)
    cross(one)  # maybe before that is known
    memnotify.wait_lines(1)
    second = wait_for_standby(memnotify)
    os.kill(second, signal.SIGKILL)
    wait_until(lambda: standby_of(memnotify.pid) not in (None, first, second), "another")
    assert not status_of(first) and not status_of(second)
    cross(one)
    memnotify.wait_lines(2)
    assert memnotify.stop() == 0


def test_what_waits_is_killed_as_it_is_told(one, on):
    """It has not begun, and so another is told."""
    memnotify = on(one, "--", "echo", "low")
    first = wait_for_standby(memnotify)
    os.kill(first, signal.SIGSTOP)
    cross(one)
    wait_until(lambda: len(children_of(memnotify.pid)) == 2, "the next that waits")
    os.kill(first, signal.SIGKILL)
    memnotify.wait_lines(1)
    assert memnotify.stop() == 0
    assert memnotify.messages() == ""


def test_what_waits_is_locked_and_has_nothing_of_ours(server, on):
    memnotify = on(server, "--", "true")
    standby = wait_for_standby(memnotify)
    wait_until(lambda: int(status_of(standby)["VmLck"].split()[0]) > 0, "the lock")
    assert int(status_of(memnotify.pid)["VmLck"].split()[0]) > 0
    files = [os.readlink(f"/proc/{standby}/fd/{fd}") for fd in os.listdir(f"/proc/{standby}/fd")]
    assert sorted(file for file in files if not file.startswith("/proc/")) == sorted([
        "/dev/null", "/dev/null", str(memnotify.output_path), str(memnotify.messages_path),
        next(file for file in files if file.startswith("socket:"))])


def test_nothing_is_leaked(one, on):
    memnotify = on(one, "--", "echo", "low")
    cross(one)
    memnotify.wait_lines(1)
    idle = open_when_idle(memnotify)
    for number in range(2, 202):
        cross(one)
        memnotify.wait_lines(number)
    assert open_when_idle(memnotify) == idle
    assert memnotify.stop() == 0


def open_when_idle(memnotify):
    """How many descriptors it has when there is but the process that waits."""
    wait_until(lambda: [name_of(child) for child in children_of(memnotify.pid)] == ["mn-standby"], "the end of the run")
    return len(os.listdir(f"/proc/{memnotify.pid}/fd"))


# --- the server ---


def test_the_server_goes_and_comes(server, on):
    memnotify = on(server, "--", "echo", "low")
    first_fds = server.first_fds
    server.kill()
    memnotify.wait_said("memnotifyfs has ended")
    subprocess.run(["umount", "-l", server.mountpoint], check=True)
    server.start()
    server.first_fds = first_fds
    server.simulate(LEFT)
    memnotify.wait_said("again")
    cross(server)
    memnotify.wait_lines(1)
    assert memnotify.stop() == 0
    assert memnotify.messages() == ("memnotify: memnotifyfs has ended; waiting for it to come back\n"
                                    "memnotify: memnotifyfs is there again\n")


# --- the command line ---


@pytest.mark.parametrize("words, status, said", [
    (["available<10%", "echo"], 2, "'--' is missing before the command"),
    (["--left", "-h", "available<10%"], 2, "'--' is missing before the command"),
    (["available<10%"], 2, "'--' is missing before the command"),
    (["available<10%", "--"], 2, "there is no command"),
    (["available<10%", "--", ""], 127, "there is no program ''"),
    ([" ", "--", "echo"], 2, "there are no limits in ' '"),
    (["--", "echo"], 2, "an argument is missing"),
    (["available<10%", "free<1%", "--", "echo"], 2, "an argument too many"),
    (["--cooldown", "soon", "available<10%", "--", "echo"], 2, "--cooldown: 'soon' is no time"),
    (["--timeout", "-1", "available<10%", "--", "echo"], 2, "--timeout: '-1' is no time"),
    (["--kill-after", "0", "available<10%", "--", "echo"], 2, "--kill-after: '0' leaves a run no time"),
    (["--twice", "available<10%", "--", "echo"], 2, "--twice"),
])
def test_what_is_not_understood(one, words, status, said):
    run = subprocess.run([MEMNOTIFY, "on", "--at", one.place, *words], stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, check=False)
    assert (run.returncode, run.stdout) == (status, "")
    assert said in run.stderr and run.stderr.count("\n") == 1


def test_limits_that_are_not_understood(one):
    run = subprocess.run([MEMNOTIFY, "on", "--at", one.place, "available<10X", "--", "echo"], capture_output=True,
                         text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.splitlines()[0].startswith("memnotify: limits not understood: ")
    assert run.stderr.splitlines()[-1].endswith("^")


def test_help_needs_no_command():
    run = subprocess.run([MEMNOTIFY, "on", "--help"], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "--cooldown" in run.stdout and run.stderr == ""


# --- as a service ---


@pytest.fixture
def unit(tmp_path):
    """The example, for the program under test."""
    text = UNIT.read_text(encoding="utf-8").replace("/usr/bin/memnotify", MEMNOTIFY)
    path = tmp_path / UNIT.name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_example_is_a_unit(unit):
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit], capture_output=True,
                         text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_the_example_does_what_it_says(one, unit, tmp_path):
    """Its line, as systemd takes it apart, with a systemctl of ours."""
    line = re.search("^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE).group(1)
    words = shlex.split(line.replace("%%", "%"))
    systemctl = tmp_path / "systemctl"
    systemctl.write_text("#!/bin/sh\necho systemctl $*\n", encoding="ascii")
    systemctl.chmod(0o755)
    assert words[0] == MEMNOTIFY
    one.simulate("available 50%")
    memnotify = Memnotify(tmp_path, *words[1:], env={**os.environ, "MEMNOTIFYFS": str(one.place),
                                                     "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    try:
        wait_until(lambda: standby_of(memnotify.pid), "the process that waits")
        assert memnotify.output() == ""
        one.simulate("available 9%")
        memnotify.wait_lines(1)
        assert memnotify.output() == "systemctl stop batch.slice\n"
        assert memnotify.stop() == 0
    finally:
        memnotify.close()


def test_no_server(tmp_path):
    run = subprocess.run([MEMNOTIFY, "on", "--at", tmp_path, LIMIT, "--", "echo"], capture_output=True, text=True,
                         check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
