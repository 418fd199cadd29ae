# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify status --why: each test makes something go wrong really, and wants it to be found by its name."""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients import TIMEOUT_S, Child, wait_until, write_text
from daemon import PROGRAM, environment, is_mounted, is_served
from memcg_client import MIB, removed_at_end, v1_group

COMMAND = os.path.abspath(os.environ.get("MEMNOTIFY", "build/clients/command/memnotify"))
USER = pwd.getpwnam("nobody")
AS_USER = ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups"]


def run(*arguments, before=(), place=None, command=COMMAND, **variables):
    """`before` are commands for a mount namespace of its own, in which it runs."""
    shell = ["unshare", "--mount", "sh", "-ec", "\n".join([*before, 'exec "$@"']), "sh"] if before else []
    settings = {name: text for name, text in environment().items() if name not in ("MEMNOTIFYFS", "XDG_RUNTIME_DIR")}
    where = ["--at", place] if place else []
    return subprocess.run([*shell, *arguments, command, "status", "--why", "--json", *where], capture_output=True,
                          text=True, timeout=2 * TIMEOUT_S, check=False, env={**settings, **variables}, cwd="/")


def findings(*arguments, **settings):
    """{id: finding}; each is whole, and the exit status says whether there is a fault."""
    done = run(*arguments, **settings)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    for finding in found:
        assert set(finding) == {"id", "severity", "text", "remedy"}
        assert finding["text"] and finding["remedy"] and "\n" not in finding["text"] + finding["remedy"]
    assert done.returncode == any(finding["severity"] == "fault" for finding in found)
    assert [finding["severity"] for finding in found] == sorted(finding["severity"] for finding in found)
    return {finding["id"]: finding for finding in found}


def faults(*arguments, **settings):
    return {name: finding for name, finding in findings(*arguments, **settings).items()
            if finding["severity"] == "fault"}


@contextmanager
def reachable():
    """A directory that other users can reach, with copies of both programs."""
    with tempfile.TemporaryDirectory(prefix="why.", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        for program in (PROGRAM, COMMAND):
            shutil.copy(program, directory)
        yield directory


# --- places ---

HIDE_RUN = "mount -t tmpfs tmpfs /run"


def test_nothing_anywhere():
    found = faults(before=[HIDE_RUN])
    assert list(found) == ["no_mount"] and "'/run/memnotify'" in found["no_mount"]["text"]
    found = faults(before=[HIDE_RUN], XDG_RUNTIME_DIR="/tmp")
    assert "'/run/memnotify' nor at '/tmp/memnotify'" in found["no_mount"]["text"]


def test_what_is_named_and_is_no_mount(tmp_path):
    (tmp_path / "file").write_text("")
    for place, name in (("", "plain_directory"), ("file", "no_directory"), ("nothing", "no_place"),
                        ("file/below", "no_place"), ("/proc", "other_filesystem")):
        found = faults(place=tmp_path / place)
        assert list(found) == [name] and "--at" in found[name]["text"]
    assert "$MEMNOTIFYFS" in faults(MEMNOTIFYFS=str(tmp_path))["plain_directory"]["text"]


def test_all_is_well(serve):
    daemon = serve("--socket")
    assert not faults(place=daemon.mountpoint)
    done = subprocess.run([COMMAND, "status", "--why", "--at", daemon.mountpoint], capture_output=True, text=True,
                          check=True)
    first = done.stdout.splitlines()[0]
    assert first.endswith(f": memnotifyfs is mounted and answers at {daemon.mountpoint}, as process {daemon.pid}")
    assert "looked at" in done.stdout and "\033" not in done.stdout


def test_a_dead_daemon(serve):
    daemon = serve()
    daemon.kill()
    wait_until(lambda: not is_served(daemon.mountpoint), "the mount to be dead")
    found = faults(place=daemon.mountpoint)
    assert list(found) == ["dead_daemon"] and f"umount -l {daemon.mountpoint}" in found["dead_daemon"]["remedy"]


def test_a_stopped_daemon(serve):
    daemon = serve("--socket")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        found = faults(place=daemon.mountpoint)
        assert list(found) == ["stopped_daemon"] and f"'kill -CONT {daemon.pid}'" in found["stopped_daemon"]["remedy"]
        found = faults("unshare", "--mount", "--pid", "--fork", "--mount-proc", place=daemon.mountpoint)
        assert list(found) == ["silent_daemon"] and "cannot be found" in found["silent_daemon"]["remedy"]
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert not faults(place=daemon.mountpoint)


# --- other users ---

FUSE_FOR_ALL = ["mount -t tmpfs -o mode=755 tmpfs /mnt", "mknod /mnt/fuse c 10 229", "chmod 0666 /mnt/fuse",
                "mount --bind /mnt/fuse /dev/fuse"]


def test_a_directory_that_may_not_be_entered(serve):
    daemon = serve()
    with reachable() as directory:
        command = directory / "memnotify"
        (directory / "closed" / "mount").mkdir(parents=True)
        (directory / "closed").chmod(0o700)
        found = faults(*AS_USER, place=directory / "closed" / "mount", command=command)
        assert f"may not enter '{directory}/closed'" in found["closed_directory"]["text"]
        daemon.mountpoint.chmod(0o755)
        daemon.mountpoint.parent.chmod(0o711)


def test_another_users_mount():
    with reachable() as directory:
        place = directory / "mount"
        place.mkdir()
        os.chown(place, USER.pw_uid, USER.pw_gid)
        start = f"setpriv --reuid={USER.pw_uid} --regid={USER.pw_gid} --clear-groups " \
                f"{directory}/memnotifyfs {place} 2>/dev/null"
        found = faults("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", start + ' && "$@"', "sh",
                       before=FUSE_FOR_ALL, place=place)
        assert f"belongs to user {USER.pw_uid}" in found["closed_mount"]["text"]


# --- sockets ---

def test_a_server_without_a_socket(serve):
    assert findings(place=serve().mountpoint)["no_socket"]["severity"] == "hint"


def test_sockets_that_are_of_no_use(tmp_path, serve):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "mount.sock"))
    (tmp_path / "mount").mkdir()
    found = findings(place=tmp_path / "mount")
    assert set(found) == {"plain_directory", "stale_socket"}
    assert list(faults(place=tmp_path / "mount.sock")) == ["no_server"]

    path = tmp_path / "removed.sock"
    daemon = serve(f"--socket={path}")
    assert not {"lost_socket", "no_socket"} & set(findings(place=daemon.mountpoint))
    assert not faults(place=path)  # is as good as the mount
    path.unlink()
    assert "lost_socket" in findings(place=daemon.mountpoint)


def test_a_socket_that_is_not_permitted(serve):
    with reachable() as directory:
        (directory / "closed").mkdir(mode=0o700)
        daemon = serve(f"--socket={directory}/closed/s")
        found = findings(*AS_USER, place=daemon.mountpoint, command=directory / "memnotify")
        assert f"may not enter {directory}/closed" in found["closed_socket"]["text"]


# --- memory and limits ---

def test_simulated_values(serve):
    daemon = serve(simulate=True)
    assert not faults(place=daemon.mountpoint)
    daemon.simulate("used 5000 low")
    found = faults(place=daemon.mountpoint)
    assert list(found) == ["simulated"] and "used 5000, low" in found["simulated"]["text"]
    assert f"simulate reset --at {daemon.mountpoint}" in found["simulated"]["remedy"]


@pytest.mark.parametrize("limits, name", [
    ("used 8T", "never_reached"), ("anon 99.9%", None), ("available<8T", "always_reached"),
    ("swap_used 5", "never_reached"), ("swap_free<5", "always_reached"), ("total<1", None), ("used 90%", None),
])
def test_limits_that_are_never_or_always_reached(serve, make_machine, limits, name):
    machine = make_machine("debian-6.1")
    for key in ("SwapTotal", "SwapFree"):
        machine.replace("meminfo", machine.with_number("meminfo", key, 0))
    daemon = serve(machine=machine)
    write_text(daemon / "thresholds" / "odd\u00fc", limits)
    found = faults(place=daemon.mountpoint)
    assert list(found) == ([name] if name else [])
    assert not name or "threshold 'odd" in found[name]["text"]


def test_free_memory_that_the_kernel_keeps(serve, make_machine):
    """Only where it is this machine's."""
    limits = {"hardly": "free<1", "seldom": "free<50%"}
    daemon, other = serve("--source=system"), serve(machine=make_machine("debian-6.1"))
    for name, text in limits.items():
        write_text(daemon / "thresholds" / name, text)
        write_text(other / "thresholds" / name, text)
    found = [finding for finding in json.loads(run(place=daemon.mountpoint).stdout)
             if finding["id"] == "hardly_reached"]
    assert len(found) == 1 and found[0]["severity"] == "hint" and "'hardly'" in found[0]["text"]
    assert "hardly_reached" not in findings(place=other.mountpoint)


def test_many_limits_are_told_in_few_words(serve):
    daemon = serve()
    for i in range(25):
        write_text(daemon / "thresholds" / f"t{i}", "used 8T")
    done = run(place=daemon.mountpoint)
    ids = [finding["id"] for finding in json.loads(done.stdout)]
    assert ids.count("never_reached") == 10 and ids.count("more_limits") == 1 and "15 more" in done.stdout


def test_a_group_that_is_removed(serve):
    with removed_at_end(v1_group()) as group:
        write_text(group / "memory.limit_in_bytes", str(64 * MIB))
        daemon = serve(f"--source=cgroup={group}")
        found = findings(place=daemon.mountpoint)
        assert "64.0M in all" in found["other_group"]["text"] and "group_removed" not in found
        daemon.expected.append(f"the control group '{re.escape(str(group))}' was removed; .*")
        group.rmdir()
        wait_until(lambda: "group_removed" in faults(place=daemon.mountpoint), "the group to be missed")


# --- the machine ---

def test_a_machine_without_the_device(tmp_path):
    found = faults(before=["mount -t tmpfs tmpfs /dev", "mknod -m 666 /dev/null c 1 3"], place=tmp_path)
    assert set(found) == {"plain_directory", "no_device"} and "modprobe fuse" in found["no_device"]["remedy"]


def test_root_without_the_right_to_mount(tmp_path):
    found = faults("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", place=tmp_path)
    assert "CAP_SYS_ADMIN" in found["may_not_mount"]["text"]


def test_a_user_without_the_program_that_mounts():
    with reachable() as directory:
        settings = {"place": directory, "command": directory / "memnotify"}
        hide = 'mount --bind /dev/null "$(command -v fusermount3)"'
        found = faults(*AS_USER, before=[*FUSE_FOR_ALL, hide], **settings)
        assert "install fuse3" in found["may_not_mount"]["remedy"]
        (directory / "fuse.conf").write_text("# user_allow_other\n")
        found = findings(*AS_USER, before=[*FUSE_FOR_ALL, f"touch /etc/fuse.conf; mount --bind {directory}/fuse.conf "
                                           "/etc/fuse.conf"], **settings)
        assert "may_not_mount" not in found and found["no_allow_other"]["severity"] == "hint"


def test_a_kernel_that_tells_no_pressure(serve):
    place = serve().mountpoint
    if Path("/proc/pressure/memory").exists():
        assert "no_pressure" not in findings(place=place)
        assert "no_pressure" in findings(before=["mount -t tmpfs tmpfs /proc/pressure"], place=place)
    else:
        assert "no_pressure" in findings(place=place)


def test_a_daemon_that_may_be_killed(serve):
    daemon = serve()
    write_text(f"/proc/{daemon.pid}/oom_score_adj", "300")
    found = findings(place=daemon.mountpoint)["unprotected"]
    assert str(daemon.pid) in found["text"] and "killed" in found["text"] and found["severity"] == "hint"


def test_a_user_who_has_his_share(serve):
    daemon = serve()
    daemon.mountpoint.parent.chmod(0o711)

    def make_all(say):
        for i in range(256):
            write_text(daemon / "thresholds" / f"t{i}", "used 90%")
        try:
            write_text(daemon / "thresholds" / "more", "used 90%")
        except OSError:
            say("refused")

    with Child(make_all, uid=USER.pw_uid) as child:
        assert child.hear() == "refused"
        assert child.wait() == 0
    found = findings(place=daemon.mountpoint)
    assert f"user {USER.pw_uid} has all the thresholds" in found["quota"]["text"]
    assert found["refusals"]["severity"] == "hint"


def test_the_mounts_are_left_alone(serve):
    daemon = serve("--socket")
    for _ in range(3):
        assert not faults(place=daemon.mountpoint)
    assert is_mounted(daemon.mountpoint)
