# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a user cannot make the daemon, or a program that uses it, do to what is not his."""

import ctypes
import os
import re
import signal
import subprocess

import pytest

from clients import Child, opened, read_all, read_text, wait_ready, wait_until, write_text
from devices import Zone
from hostile import ATTACKER, LIMIT_S, PROGRAMS, VICTIM, answer

PR_SET_NAME = 15


# ---- signals to who has become root meanwhile ------------------------------------------------------------------

def demand_alive(root):
    """The set-user-id program still does what it is told."""
    root.tell("alive")
    assert root.hear() == "alive"


def wait_for_signal(daemon, say):
    """As an honest program asks for one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    with opened(daemon / "oom_notify") as fd:
        os.write(fd, b"signal USR1")
        say("asked")
        say(signal.sigwait([signal.SIGUSR1]))


def test_a_signal_is_not_sent_to_a_set_user_id_program(serve, make_machine, attack):
    machine = make_machine("debian-6.1-zram")
    Zone(machine).set(free=20000)
    daemon = serve(machine=machine)
    root = attack("shared_memory", daemon.mountpoint, "signal KILL", PROGRAMS / "setuid_root")
    assert int(root.hear()) > 0
    with Child(lambda say: wait_for_signal(daemon, say), uid=VICTIM) as honest:
        assert honest.hear() == "asked"
        Zone(machine).set(free=1)
        assert honest.hear() == signal.SIGUSR1  # he asked later, so is told later
    demand_alive(root)


def list_and_execute(daemon, other):
    """Lists himself as the first to be ended, and becomes a program of root's."""
    write_text(daemon / "oom", f"{os.getpid()} {other}")
    os.execl(PROGRAMS / "setuid_root", "setuid_root")


def sleep(say):
    say("sleeping")
    while True:
        signal.pause()


def test_a_listed_program_that_has_become_roots_is_not_killed(serve, make_machine):
    daemon = serve("-o", "oom=kill,oom_limit=available<10%,oom_grace=600000,update_space=4",
                   machine=make_machine("debian-6.1"), simulate=True)
    step = r"oom: available is \d+ pages, limit < \d+: SIGTERM to \d+ \(.*\), of 2 listed"
    daemon.expected += [step + ": Operation not permitted", step]
    stdin, tell = os.pipe()
    hear, stdout = os.pipe()

    def become_root(_say):
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        list_and_execute(daemon, honest.pid)

    answer(lambda: daemon.simulate("available 50%"), 0)
    with Child(sleep, uid=ATTACKER) as honest:
        assert honest.hear() == "sleeping"  # and is the attacker's by now, who may list it
        with Child(become_root, uid=ATTACKER) as root:
            wait_ready(hear)
            assert int(os.read(hear, 80)) == root.pid
            answer(lambda: daemon.simulate("available 5%"), 0)
            assert honest.wait() == -signal.SIGTERM
            os.write(tell, b"alive\n")
            wait_ready(hear)
            assert os.read(hear, 80) == b"alive\n"
    for fd in stdin, tell, hear, stdout:
        os.close(fd)


# ---- names ------------------------------------------------------------------------------------------------------

STRANGE = b"\x1b[2J\x07\x01\x7fx\r"
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")  # but the newline


def with_strange_name(say):
    ctypes.CDLL(None).prctl(PR_SET_NAME, STRANGE, 0, 0, 0)
    sleep(say)


def test_a_name_brings_no_control_characters_into_the_ranking(daemon):
    with Child(with_strange_name, uid=ATTACKER) as attacker:
        attacker.hear()
        ranking = answer(lambda: read_all(daemon / "oom_ranking").decode("latin-1"))
    assert re.search(rf"^{attacker.pid} ", ranking, re.MULTILINE)
    assert CONTROLS.findall(ranking.encode("latin-1")) == []


def test_a_name_brings_no_control_characters_into_the_log(serve, make_machine):
    daemon = serve("-o", "oom=kill,oom_limit=available<10%,update_space=4", machine=make_machine("debian-6.1"),
                   simulate=True)
    daemon.expected += [r"oom: available is \d+ pages, limit < \d+: SIGTERM to \d+ \(.*\), of 1 listed"]
    answer(lambda: daemon.simulate("available 50%"), 0)
    with Child(with_strange_name, uid=ATTACKER) as attacker:
        attacker.hear()
        answer(lambda: write_text(daemon / "oom", str(attacker.pid)), ATTACKER)
        answer(lambda: daemon.simulate("available 5%"), 0)
        assert attacker.wait() == -signal.SIGTERM
    assert CONTROLS.findall(daemon.read_messages().encode()) == []


# ---- processes ---------------------------------------------------------------------------------------------------

LOOK = """
mount -t proc -o hidepid="$1" proc /proc || exit
exec setpriv --reuid "$2" --regid "$2" --clear-groups sh -c '
    cut -d" " -f1 <"$1/oom_ranking" | paste -sd" "; echo $$' sh "$3"
"""


def start_sleeper(uid):
    return subprocess.Popen(["sleep", "1000"], user=uid, group=uid, extra_groups=[])


def owner_of(pid):
    """None of a process that has ended."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("hidepid", ["1", "2"])
def test_the_ranking_shows_a_user_what_his_proc_does(daemon, hidepid):
    """Also just after root has seen all."""
    own, other = start_sleeper(ATTACKER), start_sleeper(VICTIM)
    command = ["unshare", "--mount", "sh", "-c", LOOK, "sh", hidepid, str(ATTACKER), daemon.mountpoint]
    shown_to_root = answer(lambda: read_text(daemon / "oom_ranking").splitlines(), 0)
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    pids, shell = map(str.split, done.stdout.splitlines())
    assert {str(own.pid), str(other.pid)} <= {line.split()[0] for line in shown_to_root}
    assert {str(own.pid), *shell} <= set(pids)
    assert {owner_of(pid) for pid in pids} <= {ATTACKER, None}
    for sleeper in own, other:
        sleeper.kill()
        sleeper.wait()


# ---- user-oom ---------------------------------------------------------------------------------------------------

AHEAD = 250  # as many thresholds as one user may have, nearly


@pytest.fixture
def start_user_oom():
    started = []

    def start(*arguments):
        started.append(subprocess.Popen([os.environ["USER_OOM"], *map(str, arguments)]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def take_names(daemon):
    """All thresholds that the next user-oom might want, as his own."""
    first = Child(lambda say: say("there"))  # its pid comes next
    first.hear()
    first.wait()

    def take():
        for pid in range(first.pid + 1, first.pid + 1 + AHEAD):
            write_text(daemon / "thresholds" / f"user-oom.{pid}", "free<1")
        return AHEAD

    assert answer(take, ATTACKER) == AHEAD


def thresholds_of(daemon, uid):
    return [name for name in os.listdir(daemon / "thresholds") if os.stat(daemon / "thresholds" / name).st_uid == uid]


def test_the_threshold_of_user_oom_is_its_own(daemon, start_user_oom):
    answer(lambda: daemon.simulate("available 50%"), 0)
    take_names(daemon)
    helper = start_user_oom(daemon.mountpoint, "available<5%", 5)
    wait_until(lambda: answer(lambda: len(thresholds_of(daemon, 0)), 0) == 1, "the threshold of root's user-oom")

    def steer():
        for name in thresholds_of(daemon, ATTACKER):
            write_text(daemon / "thresholds" / name, "available<99%")
        with opened(daemon / "thresholds" / name) as fd:
            return b" reached=1 " in os.read(fd, 200)

    assert answer(steer, ATTACKER) is True
    assert answer(lambda: read_text(daemon / "oom"), 0) == "\n"
    with Child(sleep) as candidate:
        assert candidate.hear() == "sleeping"
        answer(lambda: daemon.simulate("available 3%"), 0)
        wait_until(lambda: answer(lambda: read_text(daemon / "oom"), 0) != "\n", "the list of root's user-oom")
    helper.terminate()
    assert helper.wait() == 0
