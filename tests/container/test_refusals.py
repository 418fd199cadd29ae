# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where it cannot be mounted there is one line that says what is missing."""

import json
import re
import shutil

import pytest

from process import run

ONLY_THE_DEVICE = ["--device", "/dev/fuse"]
WITHOUT_DEVICE = ["unshare", "-m", "sh", "-c",
                  'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"', "sh"]


def demand(command, status, line):
    judge(run(command), status, line)


def judge(done, status, line):
    assert (done.returncode, done.stdout) == (status, ""), done
    assert re.fullmatch(line + "\n", done.stderr), done.stderr


@pytest.fixture
def own(place, user):
    shutil.chown(place, user.uid, user.uid)
    return place


def test_no_device(world, own, user):
    line = "there is no /dev/fuse; load the kernel module with 'modprobe fuse', or give it to the container with .*"
    demand([*WITHOUT_DEVICE, world.bin / "memnotifyfs", own], 1, f"memnotifyfs: cannot mount at '{own}' .*; {line}")
    demand([*WITHOUT_DEVICE, *user("memnotifyfs", own)], 1, f"memnotifyfs: cannot mount at '{own}' .*; {line}")
    demand([*WITHOUT_DEVICE, *user("memnotify-run", "true")], 125, "memnotify-run: " + line)


def test_device_of_root_only(own, user):
    line = "/dev/fuse may not be opened by this user; .*0666.*"
    close = ["unshare", "-m", "sh", "-c",
             'mknod -m 600 "$0"/fuse c 10 229 && mount --bind "$0"/fuse /dev/fuse && exec "$@"', own]
    demand([*close, *user("memnotify-run", "true")], 125, "memnotify-run: " + line)
    (own / "fuse").unlink()
    demand([*close, *user("memnotifyfs", "-o", "nonempty", own)], 1, f"memnotifyfs: cannot mount at '{own}' .*; {line}")
    (own / "fuse").unlink()
    demand([*close, *user("unshare", "-Urm", "memnotifyfs", "-o", "nonempty", own)], 1,
           f"memnotifyfs: cannot mount at '{own}' .*; {line}")


def test_unmapped_user(own, user):
    demand(user("unshare", "-U", "memnotifyfs", own), 1,
           f"memnotifyfs: cannot mount at '{own}' .*; this user namespace does not map the user and group; "
           ".*unshare -r.*")
    demand(user("unshare", "-U", "memnotify-run", "true"), 125,
           "memnotify-run: the user or group is not mapped in this user namespace, so it can have no other")


def test_user_namespace_without_a_mount_namespace(own, user):
    demand(user("unshare", "-Ur", "memnotifyfs", own), 1,
           f"memnotifyfs: cannot mount at '{own}' .*; root may mount only in a mount namespace of its own "
           ".*unshare -Urm.*")


def test_no_new_privileges(own, user):
    demand(user("setpriv", "--no-new-privs", "memnotifyfs", own), 1,
           f"memnotifyfs: cannot mount at '{own}' .*; fusermount3 cannot mount where no_new_privs is set; "
           ".*memnotify-run")


def test_no_fusermount(own, user):
    hide = ["unshare", "-m", "sh", "-c", 'mount --bind /dev/null "$(command -v fusermount3)" && exec "$@"', "sh"]
    demand([*hide, *user("memnotifyfs", own)], 1,
           f"memnotifyfs: cannot mount at '{own}' .*; fusermount3 is needed; install fuse3, or .*memnotify-run")


def test_somebody_elses_directory(place, user):
    demand(user("memnotifyfs", place), 1,
           f"memnotifyfs: cannot mount at '{place}' \\(fusermount3: user has no write access to mountpoint {place}\\)")


def test_no_more_user_namespaces(user):
    limit = ("echo 0 >/proc/sys/user/max_user_namespaces && "
             "exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin -- \"$@\"")
    demand(user("unshare", "-Ur", "sh", "-c", limit, "sh", "memnotify-run", "true"), 125,
           "memnotify-run: cannot make a user namespace: No space left on device; "
           "the sysctl user.max_user_namespaces .*")


def test_container_without_the_device(podman):
    judge(podman.run("memnotifyfs", "/mnt"), 1,
          "memnotifyfs: cannot mount at '/mnt' .*; there is no /dev/fuse; .*--device /dev/fuse.*")
    judge(podman.run("memnotify-run", "true"), 125, "memnotify-run: there is no /dev/fuse; .*--device /dev/fuse.*")


def test_container_without_sys_admin(podman):
    judge(podman.run("memnotifyfs", "/mnt", options=ONLY_THE_DEVICE), 1,
           "memnotifyfs: cannot mount at '/mnt' .*; CAP_SYS_ADMIN is needed; .*--cap-add SYS_ADMIN.*memnotify-run")


def forbid(world, *calls):
    profile = {"defaultAction": "SCMP_ACT_ALLOW",
               "syscalls": [{"names": list(calls), "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
    path = world.path / f"seccomp-{'-'.join(calls)}.json"
    path.write_text(json.dumps(profile))
    path.chmod(0o644)
    return ["--security-opt", f"seccomp={path}"]


def test_mount_forbidden_by_seccomp(podman, world):
    options = [*ONLY_THE_DEVICE, "--cap-add", "SYS_ADMIN", *forbid(world, "mount")]
    judge(podman.run("memnotifyfs", "/mnt", options=options), 1,
          "memnotifyfs: cannot mount at '/mnt' .*; root may mount only .* where seccomp and AppArmor permit it")
    judge(podman.run("memnotify-run", "true", options=[*ONLY_THE_DEVICE, *forbid(world, "mount")]), 125,
           "memnotify-run: cannot keep mounts from getting out of the namespace: Operation not permitted; .*seccomp.*")


def test_user_namespaces_forbidden_by_seccomp(podman, world):
    judge(podman.run("memnotify-run", "true", options=[*ONLY_THE_DEVICE, *forbid(world, "unshare")]), 125,
           "memnotify-run: cannot make a user namespace: Operation not permitted; .*seccomp.*")


def test_root_without_setfcap(podman):
    judge(podman.run("memnotify-run", "true", options=[*ONLY_THE_DEVICE, "--cap-drop", "all"]), 125,
           "memnotify-run: cannot write '0 0 1' to /proc/self/uid_map: Operation not permitted; "
          "root needs CAP_SETFCAP .*")
