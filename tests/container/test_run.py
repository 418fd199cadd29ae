# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-run, for a user without any privilege and for root."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from process import is_alive, output_of, run, wait_until

LINE = re.compile(r"used \d+ active \d+ total \d+\n")


@pytest.fixture(params=["user", "root"])
def anyone(request, world, user):
    """As user(…): both have to see the same."""
    if request.param == "user":
        return user
    return lambda *command: ["env", f"PATH={world.root_environment['PATH']}", *command]


def test_the_tree_is_at_the_usual_place(anyone):
    assert LINE.fullmatch(output_of(anyone("memnotify-run", "cat", "/run/memnotify/memnotify")))


def test_the_tree_is_where_it_was_asked_for(anyone, place):
    assert LINE.fullmatch(output_of(anyone("memnotify-run", "--at", place, "--", "cat", place / "memnotify")))
    assert os.listdir(place) == []


def test_the_command_is_told_where_the_tree_is(anyone, place):
    assert output_of(anyone("memnotify-run", "printenv", "MEMNOTIFYFS")) == "/run/memnotify\n"
    assert output_of(anyone("memnotify-run", "--at", f"{place}/", "--", "printenv", "MEMNOTIFYFS")) == f"{place}\n"


def test_the_command_gives_memory_back(anyone):
    done = run(anyone("memnotify-run", "--trim=available<20%", "-o", "simulate", "--", "sh", "-c", """
        said=$(mktemp); sleep 1000 2>$said &
        echo 'available 2%' >$MEMNOTIFYFS/simulate && until grep . $said; do sleep 0.1; done; kill $!; rm $said"""))
    assert done.returncode == 0
    assert re.fullmatch(r"memnotify-trim: sleep\[\d+\]: resident .* before, .* after \(glibc\), .*\n", done.stdout)


def test_a_scenario_is_played_to_the_command(anyone, place):
    scenario = place.parent / f"{place.name}.scenario"
    scenario.write_text("memory 4G available 50%\nover 2s available 3%\nwait 1s\navailable 60%\nwait 1s\n")
    scenario.chmod(0o644)
    try:
        text = output_of(anyone("memnotify-run", "--scenario", f"{scenario},speed=max", "--", "sh", "-c", """
            cd "$MEMNOTIFYFS" && cat meters/total && echo 'available<5%' >thresholds/low && exec <events &&
            for i in 1 2; do read -r line && echo "$line"; done"""))
        done = run(anyone("memnotify-run", "--scenario", scenario, "--", "sh", "-c", "exit 7"))
        wrong = run(anyone("memnotify-run", "--scenario", f"{scenario}.none", "--", "true"))
    finally:
        scenario.unlink()
    total, reached, left = text.splitlines()
    assert int(total) * 4096 == 4 << 30
    assert re.fullmatch(r"2\.000000 low available reached \d+ \d+", reached)
    assert re.fullmatch(r"3\.000000 low available left \d+ \d+", left)
    assert done.returncode == 7
    assert wrong.returncode == 125 and "No such file" in wrong.stderr


def test_the_tree_is_behind_a_link(anyone, place):
    link = place.parent / f"{place.name}-link"
    link.symlink_to(place.name)
    try:
        assert LINE.fullmatch(output_of(anyone("memnotify-run", "--at", link, "--", "cat", place / "memnotify")))
    finally:
        link.unlink()


def test_a_place_that_cannot_be_made_is_made_privately(user):
    """/etc belongs to root: the command sees a copy that has the place, nobody else does."""
    text = output_of(user("memnotify-run", "--at", "/etc/memnotify.test", "--", "sh", "-c",
                          "cat /etc/memnotify.test/memnotify; cat /etc/passwd; cd /etc; ls -A"))
    line, rest = text.split("\n", 1)
    assert LINE.fullmatch(line + "\n")
    expected = Path("/etc/passwd").read_text() + "".join(
        name + "\n" for name in output_of(["ls", "-A", "/etc"]).split())
    assert rest.replace("memnotify.test\n", "", 1) == expected
    assert not os.path.exists("/etc/memnotify.test")


def test_the_working_directory_stays(user):
    text = output_of(user("memnotify-run", "--at", "/etc/memnotify.test", "--dev", "--", "pwd", "-P"))
    assert text == f"{user.home}\n"


def test_a_place_whose_parent_is_missing_is_refused(user):
    done = run(user("memnotify-run", "--at", "/nonexistent/a/b", "--", "true"))
    assert done.returncode == 125
    assert re.fullmatch("memnotify-run: cannot make the directory '/nonexistent/a/b': .*\n", done.stderr)


@pytest.mark.parametrize("status", [0, 1, 7, 125, 255])
def test_exit_status(anyone, status):
    assert run(anyone("memnotify-run", "--", "sh", "-c", f"exit {status}")).returncode == status


def test_exit_status_of_a_command_that_is_not_there(anyone):
    done = run(anyone("memnotify-run", "--", "/nonexistent/command"))
    assert (done.returncode, done.stderr) == (
        127, "memnotify-run: cannot execute '/nonexistent/command': No such file or directory\n")


def test_exit_status_of_a_command_that_is_none(anyone):
    assert run(anyone("memnotify-run", "--", "/etc/passwd")).returncode == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_command_and_its_death_is_seen(user, start, number):
    """All are at their defaults, whatever whoever runs the tests ignores, as nohup does."""
    session = start(["env", "--default-signal", *user("memnotify-run", "--", "sh", "-c", "echo $$; exec sleep 1000")])
    assert int(session.hear()) == session.process.pid  # no process in between
    session.process.send_signal(number)
    assert session.wait() == -number


def test_a_signal_that_is_handled(user, start):
    session = start(user("memnotify-run", "--", "sh", "-c", 'trap "echo got it; exit 9" TERM; echo ready; read line'))
    session.expect("ready")
    session.process.send_signal(signal.SIGTERM)
    session.say("")  # dash runs traps between commands
    session.expect("got it")
    assert session.wait() == 9


def test_standard_input_and_output_are_the_commands(user):
    done = subprocess.run(user("memnotify-run", "--", "cat"), input=b"through\n", capture_output=True, timeout=60,
                          check=True)
    assert (done.stdout, done.stderr) == (b"through\n", b"")


def test_the_user_remains_who_he_is(user):
    text = output_of(user("memnotify-run", "--", "sh", "-c",
                          "id -u; id -g; stat -c %u /run/memnotify/memnotify; touch x; stat -c %u x; rm x"))
    assert text.split() == [str(user.uid)] * 4


def test_the_user_gets_no_capability(user):
    assert "CapEff:\t0000000000000000\n" in output_of(user("memnotify-run", "--", "grep", "Cap", "/proc/self/status"))


def test_root_stays_root_of_the_machine(world):
    """He may mount without a user namespace, in which he would no longer be root for other users."""
    command = ["memnotify-run", "--", "readlink", "/proc/self/ns/user"]
    assert output_of(command, env=world.root_environment).strip() == os.readlink("/proc/self/ns/user")


def test_others_do_not_see_the_mount(user, start, place):
    session = start(user("memnotify-run", "--at", place, "--", "sh", "-c", f"ls {place}; echo ready; read line"))
    while session.hear() != "ready":
        pass
    assert os.listdir(place) == []
    assert str(place) not in Path("/proc/self/mounts").read_text()


def servers_of(user):
    pids = run(["pgrep", "-U", user.uid, "-x", "memnotifyfs"]).stdout.split()
    return {int(pid) for pid in pids if is_alive(int(pid))}


def test_the_server_ends_with_the_command(user):
    seen = output_of(user("memnotify-run", "--", "pgrep", "-U", user.uid, "-x", "memnotifyfs")).split()
    assert seen
    wait_until(lambda: not servers_of(user) & set(map(int, seen)), "the server to end")


def test_the_server_ends_with_the_last_that_the_command_has_started(user, start):
    """The command ends at once; what it leaves in the background is still served."""
    session = start(user("memnotify-run", "-o", "simulate", "--", "sh", "-c",
                         'exec 3<&0; setsid sh -c "read line; cat /run/memnotify/memnotify; read line" <&3 & '
                         'echo ready'))
    session.expect("ready")
    wait_until(lambda: session.process.poll() == 0, "the command to end")
    session.say("")
    assert LINE.fullmatch(session.hear() + "\n")
    servers = servers_of(user)
    assert servers
    session.say("")
    wait_until(lambda: not servers & servers_of(user), "the server to end")


def test_the_server_is_no_child_of_the_command(user):
    text = output_of(user("memnotify-run", "--", "sh", "-c",
                          'read -r children </proc/$$/task/$$/children; echo "[$children]"'))
    assert text == "[]\n"


def test_the_server_holds_nothing_of_the_caller(user, tmp_path):
    """A lock, or the end of a pipe, would live on in it."""
    with open(tmp_path / "lock", "wb") as lock:
        os.set_inheritable(lock.fileno(), True)
        output_of(user("memnotify-run", "--", "sh", "-c",
                       'for pid in $(pgrep -U $(id -u) -x memnotifyfs); do readlink /proc/$pid/fd/*; done >list'),
                  pass_fds=[lock.fileno()])
        text = (user.home / "list").read_text()
        assert str(tmp_path / "lock") not in text
        assert "/dev/fuse" in text


def test_ignored_sigchld_is_no_hindrance_and_is_passed_on(user):
    text = output_of(["env", "--ignore-signal=CHLD",
                      *user("memnotify-run", "--", "grep", "SigIgn", "/proc/self/status")])
    assert int(text.split()[1], 16) & (1 << (signal.SIGCHLD - 1))


def test_options_for_the_server(user):
    text = output_of(user("memnotify-run", "-o", "simulate,update_period=20", "--", "sh", "-c",
                          'cd /run/memnotify; cat parameters/update_period; echo "used 1" >simulate; cat meters/used'))
    assert text == "20\n1\n"


@pytest.mark.parametrize("arguments, message", [
    (["-o", "bogus", "true"], "memnotifyfs: .*unknown option.*bogus.*"),
    ([], "memnotify-run: no command given; see --help"),
    (["--bogus", "true"], "memnotify-run: unrecognized option '--bogus'"),
    (["--at"], "memnotify-run: option '--at' requires an argument"),
])
def test_a_wrong_call_is_refused(user, arguments, message):
    done = run(user("memnotify-run", *arguments))
    assert (done.returncode, done.stdout) == (125, "")
    assert re.fullmatch(message + "\n", done.stderr)


def test_help(user):
    assert output_of(user("memnotify-run", "--help")).startswith("usage: memnotify-run ")
    done = run(user("sh", "-c", "memnotify-run --help >/dev/full"))
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == "memnotify-run: cannot write to standard output: No space left on device\n"


def test_options_of_the_command_are_the_commands(user):
    assert output_of(user("memnotify-run", "echo", "--at", "-o", "--dev")) == "--at -o --dev\n"


def test_device_for_programs_of_2012(anyone):
    """An unmodified client of the driver: opens /dev/memnotify, writes limits, polls, reads."""
    text = output_of(anyone("memnotify-run", "--dev", "-o", "simulate", "--", "sh", "-c",
                            'client /dev/memnotify "used 90%" >told & : >>told; '
                            'until grep -q waiting told; do sleep 0.01; done; '
                            'echo "used 95%" >/run/memnotify/simulate; '
                            'until grep -q IN told; do sleep 0.01; done; '
                            'kill $!; cat told; rm told', ))
    assert re.fullmatch(r"waiting\nIN used \d+ active \d+ total \d+\n", text)
    assert not os.path.exists("/dev/memnotify")


def test_the_other_devices_are_there_as_far_as_they_are_served(anyone):
    text = output_of(anyone("memnotify-run", "--dev", "--", "sh", "-c",
                            'for name in memnotify oom_notify mem_notify; do '
                            'test -e /run/memnotify/$name; echo $?; test -e /dev/$name; echo $?; done'))
    answers = text.split()
    assert answers[:2] == ["0", "0"]
    assert answers[2] == answers[3] and answers[4] == answers[5]


def test_the_rest_of_dev_stays(user):
    """A private /dev has what the real one has, and it works."""
    text = output_of(user("memnotify-run", "--dev", "--", "sh", "-c",
                          "ls -A /dev | grep -Ev '^(mem|oom)_?notify$'; echo x >/dev/null; head -c4 /dev/zero | wc -c; "
                          "readlink /dev/fd; echo y | cat /dev/stdin; ls -d /dev/pts/ptmx; "
                          ": >/dev/shm/x && rm /dev/shm/x"))
    expected = output_of(["sh", "-c", "ls -A /dev"])
    assert text == expected + "4\n/proc/self/fd\ny\n/dev/pts/ptmx\n"


def test_a_device_that_exists_is_covered(user):
    """With the kernel's own driver there, the file comes over it, and /dev stays the real one."""
    text = output_of(["unshare", "-m", "sh", "-c",
                      'mount -t tmpfs none /mnt && cp -a /dev/null /dev/zero /mnt && '
                      'mknod -m 666 /mnt/fuse c 10 229 && echo driver >/mnt/memnotify && '
                      'mount --bind /mnt /dev && exec "$@"', "sh",
                      *user("memnotify-run", "--dev", "--", "sh", "-c", "cat /dev/memnotify; stat -f -c %T /dev/null")])
    assert re.fullmatch(r"used .*\ntmpfs\n", text)


REGISTER = """
import os
directory = "/run/memnotify/memcg/"
event, usage = os.eventfd(0), os.open(directory + "memory.usage_in_bytes", os.O_RDONLY)
os.write(os.open(directory + "cgroup.event_control", os.O_WRONLY), b"%d %d 4096" % (event, usage))
"""


def test_registrations_for_a_group(anyone):
    """The server knows the open files of its clients, though it does not see the mount."""
    assert output_of(anyone("memnotify-run", "--", "/usr/bin/python3", "-c", REGISTER)) == ""


def test_inside_itself(user):
    """An application that is started like this may start another one like this."""
    text = output_of(user("memnotify-run", "--", "memnotify-run", "--", "cat", "/run/memnotify/memnotify"))
    assert LINE.fullmatch(text)


def test_beside_a_mount_of_the_host(user, host):
    text = output_of(user("memnotify-run", "--at", host, "-o", "simulate", "--", "sh", "-c",
                          f'echo "used 3" >{host}/simulate; cat {host}/meters/used'))
    assert text == "3\n"
    assert (host / "meters" / "used").read_text() != "3\n"


SOCKET = "/run/memnotify/socket"
PYTHON = Path(__file__).parents[2] / "clients" / "python" / "src"


def test_the_socket_is_below_the_place(anyone, place):
    """Whoever has run it is told by the same server as by the files, and leaves no socket behind."""
    text = output_of(anyone("memnotify-run", "--at", place, "-o", "simulate", "--", "sh", "-c",
                            f"echo 'available 2%' >{place}/simulate; python3 -c '"
                            "import socket; s = socket.socket(socket.AF_UNIX); "
                            f's.connect("{place}/socket"); s.sendall(b"read\\nquit\\n"); print(s.makefile().read())'
                            f"'; cat {place}/meters/available"))
    pages = text.split()[-1]
    assert f"available {pages}\n" in text and text.count("ok\n") == 1
    assert os.listdir(place) == []


def test_a_library_finds_that_socket(anyone, place):
    """And not the one of a server of the machine, which a mount at its usual place would lead to."""
    python = "import memnotifyfs; print(memnotifyfs.meters()['used'] > 0, memnotifyfs.wait('used>=90%', 60).meter)"
    text = output_of(anyone("memnotify-run", "--at", place, "-o", "simulate", "--", "env", f"PYTHONPATH={PYTHON}",
                            "sh", "-c", f'echo "used 95%" >{place}/simulate; python3 -c "{python}"'))
    assert text == "True used\n"


def test_the_servers_socket_is_not_the_commands_service_managers(user):
    """What a manager has handed over to memnotify-run, or wants to be told, is no affair of the server's."""
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "x", "NOTIFY_SOCKET": "/nowhere"}
    text = output_of(user("memnotify-run", "sh", "-c", f"test -S {SOCKET} && env", env=environment))
    for name, value in environment.items():
        assert f"{name}={value}\n" in text
