# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes for containers, under podman: rootless, as root, one container, two, and a server on the host."""

import os
import re
import signal

import pytest

from process import is_alive, output_of, wait_until

LINE = re.compile(r"used \d+ active \d+ total \d+\n")

MAY_MOUNT = ["--device", "/dev/fuse", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"]
ONLY_THE_DEVICE = ["--device", "/dev/fuse"]

# A server in the container, a client that polls it with busybox's shell around.
POLL_IN_CONTAINER = """
memnotifyfs -o simulate /mnt && cat /mnt/memnotify
client /mnt/meters/used 90% &
read line; echo 'used 95%' >/mnt/simulate
read line
"""


@pytest.fixture(params=["rootless", "root"])
def any_podman(request):
    return request.getfixturevalue("podman" if request.param == "rootless" else "root_podman")


def test_with_sys_admin(any_podman, start):
    session = start(any_podman.command("sh", "-c", POLL_IN_CONTAINER, options=MAY_MOUNT))
    assert LINE.fullmatch(session.hear() + "\n")
    session.expect("waiting")
    session.say("go")
    assert re.fullmatch(r"IN\|?(PRI)? \d+", session.hear())
    session.say("end")
    assert session.wait() == 0


def test_without_sys_admin(any_podman, start):
    """memnotify-run needs the device and nothing else."""
    session = start(any_podman.command("memnotify-run", "-o", "simulate", "--", "sh", "-c", """
        cat /run/memnotify/memnotify
        client /run/memnotify/meters/used 90% &
        read line; echo 'used 95%' >/run/memnotify/simulate
        read line; exit 7""", options=ONLY_THE_DEVICE))
    assert LINE.fullmatch(session.hear() + "\n")
    session.expect("waiting")
    session.say("go")
    assert session.hear().startswith("IN")
    session.say("end")
    assert session.wait() == 7


def test_device_of_2012_without_sys_admin(any_podman):
    text = any_podman.output_of("memnotify-run", "--dev", "--", "cat", "/dev/memnotify", options=ONLY_THE_DEVICE)
    assert LINE.fullmatch(text)


def test_as_a_user_of_the_container(any_podman):
    """An application that does not run as root there. The device is open to all on this host."""
    text = any_podman.output_of("memnotify-run", "--", "sh", "-c", "id -u; cat /run/memnotify/memnotify",
                                options=[*ONLY_THE_DEVICE, "--user", "1000:1000"])
    uid, line = text.splitlines(keepends=True)
    assert uid == "1000\n" and LINE.fullmatch(line)


@pytest.mark.parametrize("user", [["--user", "1000:1000", "--cap-drop", "all"],
                                  ["--cap-drop", "all", "--cap-add", "SETFCAP"]])
def test_read_only_container_without_capabilities_and_new_privileges(any_podman, user):
    text = any_podman.output_of("memnotify-run", "--", "cat", "/run/memnotify/memnotify", options=[
        *ONLY_THE_DEVICE, *user, "--read-only", "--read-only-tmpfs=false", "--security-opt", "no-new-privileges"])
    assert LINE.fullmatch(text)


def test_two_containers_at_once(podman, start):
    """Each has its own server, and its own idea of the memory."""
    sessions = [start(podman.command("sh", "-c", f"""
        memnotifyfs -o simulate /mnt; client /mnt/meters/used 90% &
        read line; echo 'used 9{number}%' >/mnt/simulate; cat /mnt/meters/used; read line""", options=MAY_MOUNT))
        for number in (1, 5)]
    for session in sessions:
        session.expect("waiting")
    values = []
    for session in sessions:
        session.say("go")
        lines = sorted([session.hear(), session.hear()])  # of cat and of the client
        assert lines[1] in (f"IN {lines[0]}", f"IN|PRI {lines[0]}")
        values.append(int(lines[0]))
    assert values[0] < values[1]


def test_killing_the_server_under_a_poll(any_podman, start):
    session = start(any_podman.command("sh", "-c", """
        memnotifyfs -f /mnt 2>/dev/null & server=$!
        until test -e /mnt/memnotify; do sleep 0.1; done
        client /mnt/memnotify 'used 100%' &
        read line; kill -9 $server; wait $!; echo $?; read line""", options=MAY_MOUNT))
    session.expect("waiting")
    session.say("go")
    session.expect("gone", "3")
    session.say("end")
    assert session.wait() == 0


def server_at(place):
    pid, = [int(pid) for pid in output_of(["pgrep", "-f", f"memnotifyfs .*{place}"]).split()]
    return pid


@pytest.fixture
def bound(host):
    """The options that give a container the directory in which the host has its mount."""
    return ["--volume", f"{host.parent}:/run/host:rslave"]


def test_a_server_on_the_host(any_podman, bound, host, start):
    """Not even the device is needed in the container."""
    session = start(any_podman.command("client", "/run/host/memnotify/meters/used", "90%", options=bound))
    session.expect("waiting")
    (host / "simulate").write_text("used 95%")
    assert session.hear().startswith("IN")


def test_a_restart_of_the_hosts_server_is_seen(any_podman, bound, host, world, start):
    """Killed, unmounted and started again: the container sees the end, and then the new mount."""
    session = start(any_podman.command("sh", "-c", """
        cd /run/host
        client memnotify/meters/used 90%; echo $?
        until test -e memnotify/memnotify; do sleep 0.1; done
        client memnotify/meters/used 90%""", options=bound))
    session.expect("waiting")

    pid = server_at(host)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), "the server to die")
    session.expect("gone", "3")

    output_of([world.bin / "memnotifyfs", "--simulate", host])  # clears the dead mount away
    session.expect("waiting")
    (host / "simulate").write_text("used 95%")
    assert session.hear().startswith("IN")


def test_a_server_that_comes_after_the_container(any_podman, place, world, start):
    session = start(any_podman.command("sh", "-c", """
        echo up; until test -e /run/host/memnotify/memnotify; do sleep 0.1; done
        cat /run/host/memnotify/memnotify; read line""",
                                       options=["--volume", f"{place.parent}:/run/host:rslave"]))
    session.expect("up")
    output_of([world.bin / "memnotifyfs", place])
    assert LINE.fullmatch(session.hear() + "\n")


def test_the_socket_of_the_host(any_podman, place, world, start):
    """Neither the device nor a mount is in the container, and a restarted server's socket is seen."""
    sockets = place.parent / "sockets"
    sockets.mkdir()
    program = [world.bin / "memnotifyfs", "--simulate", f"--socket={sockets}/memnotify.sock", place]
    output_of(program)
    session = start(any_podman.command("sh", "-c", """
        client /run/memnotify.d/memnotify.sock 'used>=90%'; echo $?
        until test -S /run/memnotify.d/memnotify.sock; do sleep 0.1; done
        client /run/memnotify.d/memnotify.sock 'used>=90%'""", options=["--volume", f"{sockets}:/run/memnotify.d"]))
    session.expect("waiting")
    (place / "simulate").write_text("used 95%")
    assert session.hear().startswith("- used reached ")
    output_of(["umount", place])
    session.expect("gone", "3")
    output_of(program)
    session.expect("waiting")
    (place / "simulate").write_text("used 95%")
    assert session.hear().startswith("- used reached ")


def test_thresholds_of_two_containers_on_one_mount(podman, root_podman, bound, host, start):
    """The container's users are users of the host, and so are their rights."""
    maker = start(podman.command("sh", "-c",
                                 'echo "used 90%" >/run/host/memnotify/thresholds/mine; echo made; read line',
                                 options=bound))
    maker.expect("made")
    assert os.stat(host / "thresholds" / "mine").st_uid == podman.user.uid
    text = root_podman.output_of("cat", "/run/host/memnotify/thresholds/mine", options=bound)
    assert text.startswith("used value=")
