# SPDX-License-Identifier: LGPL-2.1-or-later
"""oom: who may be listed by whom, what becomes of the listed, and that all is as before in the end."""

import contextlib
import ctypes
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from clients import TIMEOUT_S, Child, error_of, open_files, opened, read_text, wait_ready, wait_until, write_text
from daemon import Daemon, helpers_of

# Nobody else's, also when this runs twice at once: user-oom lists all processes of its user.
USER, OTHER = 40000 + os.getpid() % 10000, 50000 + os.getpid() % 10000
HERE = Path(__file__).resolve().parent


def score(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def set_score(pid, value):
    Path(f"/proc/{pid}/oom_score_adj").write_text(str(value))


def sleep(_say):
    while True:
        signal.pause()


def listed(daemon):
    text = read_text(daemon / "oom")
    assert text.endswith("\n")
    return [int(word) for word in text.split()]


def write_list(daemon, *pids):
    write_text(daemon / "oom", " ".join(str(pid) for pid in pids) + "\n")


def try_as(uid, daemon, text):
    """The errno of a user's write."""
    with Child(lambda say: say(error_of(write_text, daemon / "oom", text)), uid=uid) as child:
        return child.hear()


def state_of(daemon):
    """Where it records what it has changed, or None. The first line of a record is "BOOT PID START" of the daemon."""
    for path in Path("/run").glob("memnotifyfs-oom.*"):
        with contextlib.suppress(FileNotFoundError):  # another daemon's, which has ended
            if path.read_text().split()[1:2] == [str(daemon.pid)]:
                return path
    return None


@pytest.fixture
def start_victim():
    victims = []

    def start(uid=None, function=sleep):
        victim = Child(function, uid=uid)
        victims.append(victim)
        if uid is not None:
            wait_until(lambda: victim.status_field("Uid") == str(uid), "the victim to be of its user")
        return victim

    yield start
    for victim in victims:
        victim.__exit__()


@pytest.fixture
def three(start_victim):
    return [start_victim(USER) for _ in range(3)]


# ---- the text -------------------------------------------------------------------------------------------------


def test_a_list_is_read_as_it_was_in_2005(serve, three):
    daemon = serve()
    pids = [victim.pid for victim in three]
    assert read_text(daemon / "oom") == "\n"
    write_text(daemon / "oom", "{} {} {}".format(*pids))
    assert read_text(daemon / "oom") == "{} {} {} \n".format(*pids)
    write_text(daemon / "oom", "  {2}   {0} \n".format(*pids))
    assert read_text(daemon / "oom") == "{2} {0} \n".format(*pids)
    write_text(daemon / "oom", read_text(daemon / "oom"))
    assert read_text(daemon / "oom") == "{2} {0} \n".format(*pids)
    write_text(daemon / "oom", "\n")
    assert read_text(daemon / "oom") == "\n"


def test_each_write_on_one_descriptor_replaces_all(serve, three):
    daemon = serve()
    with opened(daemon / "oom") as fd:
        for victim in three:
            os.write(fd, str(victim.pid).encode())
            assert listed(daemon) == [victim.pid]


@pytest.mark.parametrize("text, error", [
    ("{} x", errno.EINVAL), ("0", errno.EINVAL), ("-1", errno.EINVAL), ("{},{}", errno.EINVAL),
    ("{} 99999999999", errno.EINVAL), ("{} " + 65536 * " ", errno.EINVAL),
    ("{} 2147483647", errno.ESRCH), ("1", errno.EPERM), ("{} 1", errno.EPERM), ("2", errno.EPERM),
])
def test_what_is_refused_leaves_the_list(serve, three, text, error):
    if text == "2" and Path("/proc/2/comm").read_text() != "kthreadd\n":
        pytest.skip("no kernel thread is to be seen from here")
    daemon = serve()
    first, second, third = [victim.pid for victim in three]
    write_list(daemon, first, second)
    assert error_of(write_text, daemon / "oom", text.format(third, first)) == error
    assert listed(daemon) == [first, second]
    assert [score(victim.pid) for victim in three] == [1000, 999, 0]


def test_the_daemon_is_refused(serve):
    daemon = serve()
    assert error_of(write_list, daemon, daemon.pid) == errno.EPERM


def test_its_helper_is_refused_and_has_another_name(serve, three):
    daemon = serve()
    write_list(daemon, three[0].pid)
    (helper,) = helpers_of(daemon.pid)
    assert error_of(write_list, daemon, helper) == errno.EPERM
    assert Path(f"/proc/{helper}/comm").read_text() == "mn-helper\n"
    assert Path(f"/proc/{helper}/cmdline").read_bytes().split(b"\0")[0] == b"mn-helper"
    assert str(helper) not in [line.split()[0] for line in read_text(daemon / "oom_ranking").splitlines()]


def test_a_thread_is_no_process(serve, start_victim):
    def with_thread(say):
        import threading
        thread = threading.Thread(target=signal.pause, daemon=True)
        thread.start()
        say(thread.native_id)
        sleep(say)

    daemon = serve()
    victim = start_victim(function=with_thread)
    assert error_of(write_list, daemon, victim.hear()) == errno.ESRCH
    write_list(daemon, victim.pid)


def test_a_long_list(serve, start_victim):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # what the daemon is given; it takes more
    daemon = serve()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1024), hard))
    pids, text = [], ""
    while len(text) <= 4096:
        pids.append(start_victim().pid)
        text += f"{pids[-1]} "
    with opened(daemon / "oom") as fd:
        assert os.write(fd, text.encode()) == len(text)
    assert listed(daemon) == pids
    for cat in (["cat"], ["busybox", "cat"], ["dd", "bs=7", "status=none"]):
        path = str(daemon / "oom")
        done = subprocess.run(cat + ["if=" + path if cat[0] == "dd" else path], capture_output=True, check=True)
        assert done.stdout.decode() == text + "\n", cat
    assert [score(pid) for pid in pids] == list(range(1000, 1000 - len(pids), -1))
    write_list(daemon)
    assert {score(pid) for pid in pids} == {0}


def test_a_process_with_many_groups(serve, start_victim):
    """The more it has, the longer is its status."""
    def join_all(say):
        os.setgroups(range(100000, 102000))
        os.setresuid(USER, USER, USER)
        say("joined")
        sleep(say)

    daemon = serve()
    victim = start_victim(function=join_all)
    assert victim.hear() == "joined"
    assert len(Path(f"/proc/{victim.pid}/status").read_text()) > 3 * 4096
    write_list(daemon, victim.pid)
    assert listed(daemon) == [victim.pid]


# ---- rights ---------------------------------------------------------------------------------------------------


def test_a_user_lists_his_own_and_nobody_elses(serve, start_victim):
    daemon = serve()
    own, others, roots = start_victim(USER), start_victim(OTHER), start_victim()
    assert try_as(USER, daemon, str(own.pid)) == 0
    assert listed(daemon) == [own.pid]
    for text in (f"{others.pid}", f"{roots.pid}", f"{own.pid} {others.pid}", f"{roots.pid} {own.pid}",
                 f"{os.getpid()}", "1", f"{daemon.pid}"):
        assert try_as(USER, daemon, text) == errno.EPERM, text
        assert listed(daemon) == [own.pid]
    assert [score(own.pid), score(others.pid), score(roots.pid)] == [1000, 0, 0]
    assert try_as(OTHER, daemon, str(others.pid)) == 0
    assert listed(daemon) == [own.pid, others.pid]
    write_list(daemon, others.pid, roots.pid)
    assert listed(daemon) == [others.pid, roots.pid, own.pid]


@pytest.mark.parametrize("uids, may", [
    ((USER, 0, 0), True),    # started by the user, set-user-id
    ((0, USER, USER), True),  # its saved one is his
    ((0, USER, 0), False),   # root that goes by his name for a moment
    ((OTHER, USER, OTHER), False),
])
def test_real_and_saved_user_decide(serve, start_victim, uids, may):
    def disguised(say):
        os.setresuid(*uids)
        say("done")
        sleep(say)

    daemon = serve()
    victim = start_victim(function=disguised)
    victim.hear()
    assert try_as(USER, daemon, str(victim.pid)) == (0 if may else errno.EPERM)


def test_a_descriptor_of_a_user_lends_him_nothing_of_roots(serve, start_victim):
    """As if he had started a set-user-id program with its output sent to the file."""
    def open_and_become_root(say):
        os.setresuid(USER, USER, 0)
        fd = os.open(daemon / "oom", os.O_WRONLY)
        os.setresuid(0, 0, 0)
        say([error_of(os.write, fd, str(pid).encode()) for pid in (roots.pid, own.pid)])

    daemon = serve()
    own, roots = start_victim(USER), start_victim()
    with Child(open_and_become_root) as child:
        assert child.hear() == [errno.EPERM, 0]
    assert listed(daemon) == [own.pid]


def test_a_descriptor_of_root_lends_a_user_nothing(serve, start_victim):
    def become_user(say):
        fd = os.open(daemon / "oom", os.O_WRONLY)
        os.setresuid(USER, USER, USER)
        say([error_of(os.write, fd, str(pid).encode()) for pid in (roots.pid, own.pid)])

    daemon = serve()
    own, roots = start_victim(USER), start_victim()
    with Child(become_user) as child:
        assert child.hear() == [errno.EPERM, 0]
    assert listed(daemon) == [own.pid]


def test_the_owner_can_keep_users_out(serve, start_victim):
    daemon = serve()
    own = start_victim(USER)
    os.chmod(daemon / "oom", 0o644)
    assert try_as(USER, daemon, str(own.pid)) == errno.EACCES


# ---- each user's own list -------------------------------------------------------------------------------------


def listed_by(uid, daemon):
    """The list that this user sees."""
    with Child(lambda say: say(listed(daemon)), uid=uid) as child:
        return child.hear()


def test_a_write_replaces_the_list_of_its_user_only(serve, start_victim):
    daemon = serve()
    roots, first, second, others = start_victim(), start_victim(USER), start_victim(USER), start_victim(OTHER)
    assert try_as(USER, daemon, f"{first.pid} {second.pid}") == 0
    assert try_as(OTHER, daemon, str(others.pid)) == 0
    write_list(daemon, roots.pid)
    assert listed(daemon) == [roots.pid, first.pid, second.pid, others.pid]
    assert [score(victim.pid) for victim in (roots, first, second, others)] == [1000, 999, 998, 997]
    assert listed_by(USER, daemon) == [first.pid, second.pid]
    assert listed_by(OTHER, daemon) == [others.pid]

    assert try_as(USER, daemon, str(second.pid)) == 0
    assert [score(victim.pid) for victim in (roots, first, second, others)] == [1000, 0, 999, 998]
    assert try_as(USER, daemon, "\n") == 0
    assert listed(daemon) == [roots.pid, others.pid]
    assert listed_by(USER, daemon) == []
    write_list(daemon)
    assert listed(daemon) == listed_by(OTHER, daemon) == [others.pid]
    assert [score(victim.pid) for victim in (roots, first, second, others)] == [0, 0, 0, 1000]


def test_who_is_listed_twice_is_there_until_both_have_taken_it_off(serve, start_victim):
    daemon = serve()
    first, second = start_victim(USER), start_victim(USER)
    set_score(first.pid, 100)
    assert try_as(USER, daemon, f"{first.pid} {second.pid}") == 0
    fds = daemon.fds()
    write_list(daemon, second.pid, first.pid)
    assert len(daemon.fds()) == len(fds)
    assert listed(daemon) == [second.pid, first.pid]
    assert [score(first.pid), score(second.pid)] == [999, 1000]
    write_list(daemon)
    assert listed(daemon) == listed_by(USER, daemon) == [first.pid, second.pid]
    assert [score(first.pid), score(second.pid)] == [1000, 999]
    write_list(daemon, first.pid)
    assert try_as(USER, daemon, "\n") == 0
    assert [score(first.pid), score(second.pid)] == [1000, 0]
    write_list(daemon)
    assert listed(daemon) == []
    assert [score(first.pid), score(second.pid)] == [100, 0]


def test_only_who_has_another_place_gets_another_score(serve, start_victim):
    """What somebody has set by himself meanwhile stays where nobody writes it anew."""
    daemon = serve()
    roots, own = start_victim(), start_victim(USER)
    write_list(daemon, roots.pid)
    set_score(roots.pid, 300)
    assert try_as(USER, daemon, str(own.pid)) == 0
    assert [score(roots.pid), score(own.pid)] == [300, 999]
    write_list(daemon, roots.pid)
    assert [score(roots.pid), score(own.pid)] == [1000, 999]
    write_list(daemon)
    assert [score(roots.pid), score(own.pid)] == [300, 1000]


def test_a_descriptor_changes_the_list_of_who_has_opened_it(serve, start_victim):
    """As a set-user-id program that prints what its user likes."""
    def open_and_become_root(say):
        os.setresuid(USER, USER, 0)
        fd = os.open(daemon / "oom", os.O_WRONLY)
        os.setresuid(0, 0, 0)
        os.write(fd, b"\n")
        say("written")

    daemon = serve()
    own, roots = start_victim(USER), start_victim()
    assert try_as(USER, daemon, str(own.pid)) == 0
    write_list(daemon, roots.pid)
    with Child(open_and_become_root) as child:
        assert child.hear() == "written"
    assert listed(daemon) == [roots.pid]


def test_a_user_may_list_128(serve, start_victim):
    daemon = serve()
    pids = [start_victim(USER).pid for _ in range(129)]
    assert try_as(USER, daemon, " ".join(map(str, pids))) == errno.EDQUOT
    assert listed(daemon) == []
    assert try_as(USER, daemon, " ".join(map(str, pids[:128]))) == 0
    assert try_as(USER, daemon, " ".join(map(str, pids))) == errno.EDQUOT
    assert listed_by(USER, daemon) == pids[:128]
    write_list(daemon, *pids)
    assert listed(daemon) == pids


def test_the_killer_goes_by_the_merged_list(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=600000", machine=make_machine("debian-6.1"),
                   simulate=True)
    own, roots = start_victim(USER), start_victim()
    daemon.expected += [STEP.format("SIGTERM", roots.pid, 2), STEP.format("SIGTERM", own.pid, 1)]
    daemon.simulate("free 100000\n")
    assert try_as(USER, daemon, str(own.pid)) == 0
    write_list(daemon, roots.pid)
    daemon.simulate("free 999\n")
    assert roots.wait() == -signal.SIGTERM
    assert own.wait() == -signal.SIGTERM
    wait_until(lambda: listed(daemon) == [], "both lists to be empty")


# ---- lifetime -------------------------------------------------------------------------------------------------


def test_who_ends_leaves_the_list(serve, three):
    daemon = serve()
    pids = [victim.pid for victim in three]
    write_list(daemon, *pids)
    fds = daemon.fds()
    three[1].signal(signal.SIGKILL)
    wait_until(lambda: three[1].status_field("State") == "Z", "the victim to end")
    assert listed(daemon) == [pids[0], pids[2]]  # though nobody has waited for it yet
    assert len(daemon.fds()) == len(fds) - 2  # its pidfd and its score
    assert error_of(write_list, daemon, pids[1]) == errno.ESRCH
    three[1].wait()
    assert error_of(write_list, daemon, pids[1]) == errno.ESRCH
    assert [score(pids[0]), score(pids[2])] == [1000, 998]


def test_a_pid_that_is_used_again_is_left_alone():
    """In a pid namespace of its own, where the next pid can be chosen."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, HERE / "reused_pid.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * TIMEOUT_S, check=False)
    if done.returncode == 77:
        pytest.skip(done.stdout)
    assert (done.returncode, done.stderr) == (0, ""), done


# ---- the scores -----------------------------------------------------------------------------------------------


def test_scores_follow_the_order_and_come_back(serve, three):
    daemon = serve()
    first, second, third = [victim.pid for victim in three]
    set_score(second, 200)
    write_list(daemon, first, second, third)
    assert [score(first), score(second), score(third)] == [1000, 999, 998]
    write_list(daemon, third, first)
    assert [score(first), score(second), score(third)] == [999, 200, 1000]
    write_list(daemon, second)
    assert [score(first), score(second), score(third)] == [0, 1000, 0]
    write_list(daemon)
    assert [score(first), score(second), score(third)] == [0, 200, 0]
    assert state_of(daemon) is None


def test_what_somebody_else_has_set_stays(serve, three):
    daemon = serve()
    first, second, third = [victim.pid for victim in three]
    write_list(daemon, first, second, third)
    set_score(first, 300)
    set_score(second, 400)
    write_list(daemon, second, third)
    assert [score(first), score(second), score(third)] == [300, 1000, 999]
    write_list(daemon)
    assert [score(first), score(second), score(third)] == [300, 400, 0]


def test_the_process_may_lower_its_score_as_far_as_before(serve, start_victim):
    """Also where the daemon has CAP_SYS_RESOURCE, with which the kernel would move the floor."""
    def raised(say):
        ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: to own its files below /proc again
        set_score(os.getpid(), 500)
        say("ready")
        signal.sigwait([signal.SIGUSR1])
        say(error_of(set_score, os.getpid(), 0))
        sleep(say)

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        daemon = serve()
        victim = start_victim(USER, raised)
        assert victim.hear() == "ready"
        write_list(daemon, victim.pid)
        assert score(victim.pid) == 1000
        write_list(daemon)
        assert score(victim.pid) == 500
        victim.signal(signal.SIGUSR1)
        assert victim.hear() == 0
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "SIGHUP", "umount"])
def test_a_clean_end_puts_all_back(serve, three, way):
    daemon = serve()
    pids = [victim.pid for victim in three]
    set_score(pids[2], 300)
    write_list(daemon, *pids)
    assert state_of(daemon).stat().st_mode & 0o777 == 0o600
    if way == "umount":
        subprocess.run(["umount", daemon.mountpoint], check=True)
    else:
        daemon.process.send_signal(getattr(signal, way))
    daemon.demand_clean_end()
    assert [score(pid) for pid in pids] == [0, 0, 300]
    assert state_of(daemon) is None


@pytest.fixture
def start_again():
    """A new daemon on the mount point of a killed one."""
    running = []

    def start(daemon, *options, expected=()):
        again = Daemon(*options)
        subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
        again.mountpoint.rmdir()
        again.mountpoint = daemon.mountpoint
        again.arguments[-1] = str(daemon.mountpoint)
        again.expected += expected
        daemon.close = daemon.messages.close  # the directory goes with the new one
        running.append(again)
        return again.start()

    yield start
    for again in running:
        again.close()


@pytest.mark.parametrize("options", [(), ("-o", "oom=off")])
def test_a_killed_daemon_is_cleaned_up_after_by_the_next(serve, start_again, three, options):
    daemon = serve()
    pids = [victim.pid for victim in three]
    set_score(pids[0], 200)
    write_list(daemon, *pids)
    daemon.kill()
    assert [score(pid) for pid in pids] == [1000, 999, 998]
    set_score(pids[1], 700)
    again = start_again(daemon, *options)
    assert [score(pid) for pid in pids] == [200, 700, 0]
    assert state_of(daemon) is state_of(again) is None
    assert listed(again) == []


def test_a_daemon_killed_between_two_lists(serve, start_again, three):
    """Every state that a replacement goes through is on record."""
    daemon = serve()
    first, second, third = [victim.pid for victim in three]
    write_list(daemon, first, second)
    state = state_of(daemon)
    before = state.read_text()
    write_list(daemon, second, third)
    after = state.read_text()
    daemon.kill()
    # As it is on record while the scores change: what was and what will be.
    state.write_text(before + after.split("\n", 1)[1])
    set_score(first, 1000)
    set_score(second, 999)
    start_again(daemon)
    assert [score(first), score(second), score(third)] == [0, 0, 0]


@pytest.mark.parametrize("damage, expected", [
    (lambda path: path.write_text("rubbish\n"), ["cannot use '/run/memnotifyfs-oom..*': it is damaged; .*"]),
    (lambda path: path.write_text(path.read_text()[:-1]), ["cannot use '/run/memnotifyfs-oom..*': it is damaged; .*"]),
    (lambda path: os.chown(path, USER, USER), ["cannot use '/run/memnotifyfs-oom..*': Operation not permitted; .*"]),
    (lambda path: path.chmod(0o620), ["cannot use '/run/memnotifyfs-oom..*': Operation not permitted; .*"]),
    (lambda path: path.write_text("0" + path.read_text()[1:] if path.read_text()[0] != "0"
                                  else "1" + path.read_text()[1:]), []),  # of another boot
])
def test_a_record_that_cannot_be_trusted_is_not_used(serve, start_again, start_victim, damage, expected):
    daemon = serve()
    victim = start_victim()
    write_list(daemon, victim.pid)
    daemon.kill()
    state = state_of(daemon)
    damage(state)
    start_again(daemon, expected=expected)
    assert score(victim.pid) == 1000
    state.unlink(missing_ok=True)  # who does not own it does not remove it


# ---- oom=kill -------------------------------------------------------------------------------------------------

STEP = r"oom: free is \d+ pages, limit < 1000: {} to {} \(.*\), of {} listed"


def stubborn(say):
    """Says that it was asked to end, and does not."""
    signal.signal(signal.SIGTERM, lambda *_: say("asked"))
    say("ready")
    sleep(say)


def test_the_first_is_asked_then_killed_then_the_next(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=50", machine=make_machine("debian-6.1"), simulate=True)
    first, second = start_victim(USER, stubborn), start_victim(USER, stubborn)
    assert (first.hear(), second.hear()) == ("ready", "ready")
    daemon.expected += [STEP.format("SIGTERM", first.pid, 2), STEP.format("SIGKILL", first.pid, 2),
                        STEP.format("SIGTERM", second.pid, 1), STEP.format("SIGKILL", second.pid, 1)]
    daemon.simulate("free 100000\n")
    write_list(daemon, first.pid, second.pid)
    assert [score(first.pid), score(second.pid)] == [0, 0]
    assert state_of(daemon) is None
    daemon.simulate("free 999\n")
    assert first.hear() == "asked"
    assert first.wait() == -signal.SIGKILL
    assert second.is_silent()
    assert listed(daemon) == [second.pid]
    assert second.hear() == "asked"
    assert second.wait() == -signal.SIGKILL
    assert read_text(daemon / "oom") == "\n"


def test_a_daemon_whose_table_is_full_kills_all_the_same(serve, start_victim):
    """What it needs for that it has beforehand: the moment itself is one of shortage."""
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=50", simulate=True)
    victim = start_victim(USER, stubborn)
    assert victim.hear() == "ready"
    daemon.expected += [STEP.format("SIGTERM", victim.pid, 1), STEP.format("SIGKILL", victim.pid, 1)]
    daemon.simulate("free 100000\n")
    write_list(daemon, victim.pid)
    assert len(helpers_of(daemon.pid)) == 2
    with opened(daemon / "simulate", os.O_WRONLY) as fd, daemon.descriptors_left(0):
        os.write(fd, b"free 999\n")
        assert victim.hear() == "asked"
        assert victim.wait() == -signal.SIGKILL


def test_nobody_is_touched_while_the_limit_is_not_reached(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=0", machine=make_machine("debian-6.1"), simulate=True)
    victim = start_victim(USER, stubborn)
    assert victim.hear() == "ready"
    daemon.simulate("free 999\n")  # before anybody is listed
    daemon.simulate("free 1000\n")
    write_list(daemon, victim.pid)
    with opened(daemon / "meters" / "free") as fd:  # told after the killer was
        os.write(fd, b"<1001")
        assert wait_ready(fd)
    assert victim.is_silent()
    assert listed(daemon) == [victim.pid]


def test_who_has_been_asked_is_spared_when_memory_is_back(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=600000,update_space=4",
                   machine=make_machine("debian-6.1"), simulate=True)
    victim = start_victim(USER, stubborn)
    assert victim.hear() == "ready"
    daemon.expected += 2 * [STEP.format("SIGTERM", victim.pid, 1)]
    daemon.simulate("free 100000\n")
    write_list(daemon, victim.pid)
    daemon.simulate("free 999\n")
    assert victim.hear() == "asked"
    daemon.simulate("free 100000\n")
    daemon.simulate("free 999\n")
    assert victim.hear() == "asked"  # and so begins anew, instead of being killed
    daemon.simulate("reset\n")


def test_who_is_listed_again_is_not_asked_again(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,oom_grace=1000", machine=make_machine("debian-6.1"),
                   simulate=True)
    victim, other = start_victim(USER, stubborn), start_victim(USER)
    assert victim.hear() == "ready"
    daemon.expected += [STEP.format("SIGTERM", victim.pid, 1), STEP.format("SIGKILL", victim.pid, 2)]
    daemon.simulate("free 100000\n")
    write_list(daemon, victim.pid)
    daemon.simulate("free 999\n")
    assert victim.hear() == "asked"
    write_list(daemon, other.pid, victim.pid)
    assert victim.wait() == -signal.SIGKILL
    write_list(daemon)


def test_hysteresis_kills_nobody(serve, make_machine, start_victim):
    """The limit counts as reached until memory is well above it, but a step needs it to be met."""
    daemon = serve("-o", "oom=kill,oom_limit=free<1000,update_space=400", machine=make_machine("debian-6.1"),
                   simulate=True)
    first, second = start_victim(USER), start_victim(USER, stubborn)
    assert second.hear() == "ready"
    daemon.expected += [STEP.format("SIGTERM", first.pid, 2).replace(r"\d+", "999", 1),
                        STEP.format("SIGTERM", second.pid, 1).replace(r"\d+", "998", 1)]
    daemon.simulate("free 100000\n")
    write_list(daemon, first.pid, second.pid)
    daemon.simulate("free 999\n")
    assert first.wait() == -signal.SIGTERM
    daemon.simulate("free 1000\n")
    due = time.monotonic() + 5.5  # when the next would have its turn
    wait_until(lambda: time.monotonic() > due, "the turn of the next")
    assert second.is_silent()
    daemon.simulate("free 998\n")
    assert second.hear() == "asked"
    daemon.simulate("reset\n")


def test_a_limit_that_is_met_already_counts(serve, make_machine, start_victim):
    daemon = serve("-o", "oom=kill,oom_limit=free<1000", machine=make_machine("debian-6.1"), simulate=True)
    victim = start_victim(USER)
    daemon.simulate("free 5\n")
    daemon.expected += [STEP.format("SIGTERM", victim.pid, 1)]
    write_list(daemon, victim.pid)
    assert victim.wait() == -signal.SIGTERM
    assert listed(daemon) == []


def test_off(serve, three):
    daemon = serve("-o", "oom=off")
    assert error_of(write_list, daemon, three[0].pid) == errno.EROFS
    assert error_of(write_text, daemon / "oom", "\n") == errno.EROFS
    assert try_as(USER, daemon, str(three[0].pid)) == errno.EROFS
    assert read_text(daemon / "oom") == "\n"
    assert score(three[0].pid) == 0


@pytest.mark.parametrize("options", [
    "oom=maybe", "oom=", "oom=kill", "oom_limit=free<5", "oom=adj,oom_limit=free<5", "oom=kill,oom_limit=",
    "oom=kill,oom_limit=nonsense<5", "oom=kill,oom_limit=free<0", "oom=kill,oom_limit=free<5,oom_grace=x",
    "oom=kill,oom_limit=free<5,oom_grace=-1", "oom=kill,oom_limit=free<5,oom_grace=600001",
])
def test_bad_options(options):
    daemon = Daemon("-o", options)
    try:
        done = subprocess.run(daemon.arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("memnotifyfs: ") and done.stderr.count("\n") == 1, done.stderr
    finally:
        daemon.mountpoint.rmdir()


# ---- pid namespaces -------------------------------------------------------------------------------------------


def in_new_pid_namespace(script, *arguments):
    return subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script,
                             "bash", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_writer_in_a_container_names_its_own_processes(serve, three):
    daemon = serve()
    write_list(daemon, three[0].pid)
    script = """
        sleep 1000 & echo $!
        while read -r pid; do { echo "$pid" >"$1"; } 2>&1 && echo done; done | sed -u 's/.*: //'
        kill $!
    """
    container = in_new_pid_namespace(script, daemon / "oom")

    def try_inside(pid):
        container.stdin.write(f"{pid}\n")
        container.stdin.flush()
        return container.stdout.readline().strip()

    inside = int(container.stdout.readline())
    assert try_inside(1) == "Operation not permitted"
    assert try_inside(three[0].pid) == "No such process"  # it has no number in there
    assert listed(daemon) == [three[0].pid]
    assert try_inside(inside) == "done"
    outside, = listed(daemon)
    assert outside != inside
    assert f"NSpid:\t{outside}\t{inside}\n" in Path(f"/proc/{outside}/status").read_text()
    assert score(outside) == 1000
    container.communicate(timeout=TIMEOUT_S)
    assert listed(daemon) == []


def test_a_user_in_a_container_reads_what_he_has_written(serve):
    """Root outside sees the same process by the number that it has there."""
    daemon = serve()
    script = """
        setpriv --reuid "$2" --regid "$2" --clear-groups bash -c '
            echo $$ >"$1"; echo $$ $(cat "$1"); read -r _' bash "$1"
        exit
    """
    container = in_new_pid_namespace(script, daemon / "oom", str(USER))
    inside, seen = container.stdout.readline().split()
    outside, = listed(daemon)
    assert seen == inside != str(outside)
    assert f"NSpid:\t{outside}\t{inside}\n" in Path(f"/proc/{outside}/status").read_text()
    container.communicate("\n", timeout=TIMEOUT_S)
    assert listed(daemon) == []


def test_a_writer_whose_pids_cannot_be_seen_is_refused(start_victim):
    """The mount is a container's; the writer is outside and reaches in."""
    victim = start_victim()
    script = """
        mountpoint=$(mktemp -d); "$MEMNOTIFYFS" "$mountpoint" 2>/dev/null || exit
        sleep 1000 & victim=$!
        echo $victim >"$mountpoint/oom"
        echo "$mountpoint $(cat "$mountpoint/oom")"
        read -r _
        cat "$mountpoint/oom"; umount "$mountpoint"; rmdir "$mountpoint"; kill $victim
    """
    container = in_new_pid_namespace(script)
    mountpoint, inside = container.stdout.readline().split()
    shell = int(Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text())
    path = f"/proc/{shell}/root{mountpoint}/oom"
    assert os.stat(f"/proc/{shell}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino
    errors = [error_of(write_text, path, text) for text in (str(victim.pid), inside, "\n")]
    rest, _ = container.communicate("\n", timeout=TIMEOUT_S)
    assert errors == 3 * [errno.EPERM]
    assert rest == f"{inside} \n"
    assert score(victim.pid) == 0


# ---- user-oom -------------------------------------------------------------------------------------------------


@pytest.fixture
def user_oom():
    """The program where everybody may run it; the build may be where others may not look."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield shutil.copy(os.environ["USER_OOM"], directory)


def test_user_oom_lists_the_worst_while_memory_is_short(serve, make_machine, start_victim, user_oom):
    daemon = serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)
    own = [start_victim(USER) for _ in range(3)]
    start_victim(OTHER)
    daemon.simulate("free 100000\n")

    def become_helper(_say):
        os.execv(user_oom, ["user-oom", str(daemon.mountpoint), "free<1000", "5"])

    with Child(become_helper, uid=USER) as helper:
        wait_until(lambda: os.listdir(daemon / "thresholds"), "its threshold")
        daemon.simulate("free 999\n")
        wait_until(lambda: listed(daemon), "a list")
        assert sorted(listed(daemon)) == sorted(victim.pid for victim in own)  # neither itself nor of others
        daemon.simulate("free 100000\n")
        wait_until(lambda: not listed(daemon), "an empty list")
        daemon.simulate("free 999\n")
        wait_until(lambda: listed(daemon), "a list")
        helper.signal(signal.SIGTERM)
        assert helper.wait() == 0
    assert listed(daemon) == []
    assert os.listdir(daemon / "thresholds") == []
    assert [score(victim.pid) for victim in own] == [0, 0, 0]


def start_user_oom(program, daemon, limit, prepare=lambda pid: None, uid=None):
    """user-oom as a Child, and its threshold; prepare() is told its pid before it runs."""
    def become_helper(_say):
        os.read(ready, 1)
        os.execv(program, ["user-oom", str(daemon.mountpoint), limit, "1"])

    ready, is_ready = os.pipe()
    helper = Child(become_helper, uid=uid)
    prepare(helper.pid)
    others = set(os.listdir(daemon / "thresholds"))
    os.write(is_ready, b"x")
    os.close(ready)
    os.close(is_ready)

    def own():
        return [name for name in os.listdir(daemon / "thresholds") if name not in others]

    wait_until(lambda: own() and read_text(daemon / "thresholds" / own()[0]), "its threshold")
    helper.wait_polling()
    return helper, daemon / "thresholds" / own()[0]


def test_user_oom_does_not_take_what_a_stranger_has_prepared(serve, make_machine, user_oom):
    """As root; so that nobody's process is listed, memory never is short in this test, but by the stranger's limit."""
    daemon = serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)
    daemon.simulate("free 100000\n")
    names = []

    def prepare(pid):
        names.extend([f"user-oom.{other}" for other in range(pid - 20, pid + 20)] + ["user-oom."])
        with Child(lambda _say: write_all("free<1000"), uid=OTHER) as stranger:
            assert stranger.wait() == 0

    def write_all(text):
        for name in names:
            write_text(daemon / "thresholds" / name, text)

    helper, own = start_user_oom(user_oom, daemon, "free<1000", prepare)
    with helper:
        assert own.stat().st_uid == 0
        with Child(lambda say: say(error_of(write_text, own, "free>=0")), uid=OTHER) as stranger:
            assert stranger.hear() == errno.EACCES
        with Child(lambda _say: write_all("free>=1"), uid=OTHER) as stranger:
            assert stranger.wait() == 0
        assert [path for path in open_files(helper.pid) if "/thresholds/" in path] == [str(own)]
        assert " op=< limit=1000 reached=0 crossings=0" in read_text(own)
        helper.wait_polling()
        assert listed(daemon) == []
        helper.signal(signal.SIGTERM)
        assert helper.wait() == 0
    assert sorted(os.listdir(daemon / "thresholds")) == sorted(names)


def test_user_oom_leaves_a_threshold_that_is_not_its_own(serve, user_oom):
    """Removed, and made anew by somebody else, while it could not look."""
    daemon = serve()
    helper, own = start_user_oom(user_oom, daemon, "free<1", uid=USER)
    with helper:
        helper.signal(signal.SIGSTOP)
        with Child(lambda _say: (own.unlink(), write_text(own, "used 5")), uid=USER) as other:
            assert other.wait() == 0
        helper.signal(signal.SIGCONT)
        assert helper.wait() == 1
    assert read_text(own).startswith("used ")


def test_user_oom_says_what_is_wrong(serve):
    daemon = serve()
    for arguments, status, said in [([], 2, "usage"), (["/nowhere", "free<5"], 1, "No such file"),
                                    ([daemon.mountpoint, "nonsense<5"], 1, "Invalid argument"),
                                    ([daemon.mountpoint, "free<5", "0"], 2, "usage")]:
        done = subprocess.run([os.environ["USER_OOM"], *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == status and said in done.stderr and done.stderr.count("\n") == 1
    assert os.listdir(daemon / "thresholds") == []
