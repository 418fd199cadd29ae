# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounting for oneself: with fusermount3, in a user namespace, under bubblewrap, or through somebody else."""

import mmap
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from process import is_alive, output_of, run, wait_until
from world import is_mounted, mount

LINE = re.compile(r"used \d+ active \d+ total \d+\n")


@pytest.fixture
def own_place(place, user):
    os.chown(place, user.uid, user.uid)
    return place


def test_plain_user_by_fusermount3(world, own_place, user):
    output_of(user("memnotifyfs", own_place))
    assert LINE.fullmatch(output_of(user("cat", own_place / "memnotify")))
    others = run(world.users[1]("cat", own_place / "memnotify"))
    assert others.returncode == 1 and "Permission denied" in others.stderr
    output_of(user("fusermount3", "-u", own_place))
    assert not is_mounted(own_place)


def test_others_are_let_in_where_fuse_conf_permits_it(world, own_place, user):
    (world.path / "fuse.conf").write_text("# user_allow_other is what it is about\n  user_allow_other\n")
    mount("--bind", world.path / "fuse.conf", "/etc/fuse.conf")
    try:
        output_of(user("memnotifyfs", own_place))
        assert LINE.fullmatch(output_of(world.users[1]("cat", own_place / "memnotify")))
        output_of(user("fusermount3", "-u", own_place))
    finally:
        output_of(["umount", "/etc/fuse.conf"])


def test_a_text_that_another_filesystem_serves(world, place):
    """As lxcfs, which is started again and mounted anew: what is open by then is of no use any more."""
    texts = [world.path / "meminfo.0", world.path / "meminfo.1"]
    for i, path in enumerate(texts):
        path.write_text(re.sub(r"(MemTotal|MemFree|MemAvailable|SwapTotal|SwapFree):.*", rf"\1: {400000 * (i + 1)} kB",
                               Path("/proc/meminfo").read_text()))
    totals = [2 * 400000 * (i + 1) * 1024 // mmap.PAGESIZE for i in range(2)]
    mount("--bind", texts[0], "/proc/meminfo")
    try:
        output_of([world.bin / "memnotifyfs", "--source=system", place])
        assert int((place / "meters" / "total").read_text()) == totals[0]
        texts[0].write_text("")
        assert int((place / "meters" / "total").read_text()) == totals[0]
        output_of(["umount", "-l", "/proc/meminfo"])
        mount("--bind", texts[1], "/proc/meminfo")
        wait_until(lambda: int((place / "meters" / "total").read_text()) == totals[1], "what is served now")
        output_of(["umount", place])
    finally:
        output_of(["umount", "-l", "/proc/meminfo"])


def test_numbers_of_two_machines_are_not_mixed(world, place):
    """lxcfs serves meminfo, and passes on what is locked, while vmstat is the kernel's."""
    (world.path / "meminfo.c").write_text("".join(f"{key + ':':16}{kib:8} kB\n" for key, kib in {
        "MemTotal": 1000000, "MemFree": 400000, "MemAvailable": 500000, "Buffers": 0, "Cached": 200000, "SwapCached": 0,
        "Active(anon)": 40000, "Active(file)": 80000, "Unevictable": 4000, "Mlocked": 999999, "SwapTotal": 0,
        "SwapFree": 0, "AnonPages": 36000, "Shmem": 8000, "SReclaimable": 0}.items()))  # and no "Dirty"
    mount("--bind", world.path / "meminfo.c", "/proc/meminfo")
    try:
        output_of([world.bin / "memnotifyfs", "--source=system", place])
        assert output_of(["cat", place / "oom_notify"]) == "ok\n"  # which needs vmstat
        meters = {path.name: int(path.read_text()) * mmap.PAGESIZE // 1024 for path in (place / "meters").iterdir()}
        assert meters == {"used": 412000, "active": 120000, "total": 1000000, "free": 400000, "available": 500000,
                          "anon": 36000, "file": 200000, "shmem": 8000, "slab_reclaimable": 0, "mlocked": 4000,
                          "swap_total": 0, "swap_free": 0, "swap_used": 0}
        output_of(["umount", place])
    finally:
        output_of(["umount", "-l", "/proc/meminfo"])


def test_without_vmstat(world, own_place, user):
    """Android does not show it to applications."""
    (world.path / "vmstat").write_text("")
    (world.path / "vmstat").chmod(0)
    mount("--bind", world.path / "vmstat", "/proc/vmstat")
    try:
        done = run(user("memnotifyfs", "--source=system", own_place))
        assert done.returncode == 0 and done.stderr.count("\n") == 1
        assert "there is no '/proc/vmstat' for us" in done.stderr
        assert LINE.fullmatch(output_of(user("cat", own_place / "memnotify")))
        assert output_of(user("cat", own_place / "oom_notify")) == "ok\n"
        output_of(user("fusermount3", "-u", own_place))
    finally:
        output_of(["umount", "-l", "/proc/vmstat"])


@pytest.mark.parametrize("source,status", [("auto", 0), ("cgroup", 1)])
def test_a_group_that_is_not_mounted(place, world, source, status):
    """Whether it has a limit is not known, which is not the same as none."""
    done = run(["unshare", "-C", "-m", "sh", "-c", 'umount -alt cgroup,cgroup2; "$1/memnotifyfs" --source="$2" "$0" '
                '&& cat "$0/memnotify" && umount "$0"', place, world.bin, source])
    assert done.returncode == status and bool(LINE.fullmatch(done.stdout)) == (status == 0)
    assert done.stderr.count("\n") == 1 and "not among those that are mounted here" in done.stderr


def test_nobody_with_unshare(world, own_place, user):
    """Root of his own user namespace mounts by himself, without fusermount3."""
    text = output_of(user("unshare", "-Urm", "sh", "-c",
                          'memnotifyfs "$0" && cat "$0/memnotify" && grep "$0" /proc/self/mounts && umount "$0"',
                          own_place, env={"FUSERMOUNT_DIR": "/nonexistent"}))
    line, mounted = text.splitlines(keepends=True)
    assert LINE.fullmatch(line)
    assert "user_id=0,group_id=0,default_permissions,allow_other" in mounted


def test_the_real_nobody_with_unshare(world, place):
    os.chown(place, 65534, 65534)
    text = output_of(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                      "unshare", "-Urm", "sh", "-c",
                      '"$1/memnotifyfs" "$0" && cat "$0/memnotify"; umount "$0"', place, world.bin])
    assert LINE.fullmatch(text)


# With a /dev of its own and another user than root bwrap makes a second user namespace, which may not mount.
@pytest.mark.parametrize("device", [
    ["--dev-bind", "/dev", "/dev"],
    ["--dev", "/dev", "--dev-bind", "/dev/fuse", "/dev/fuse", "--uid", "0", "--gid", "0"],
])
def test_bubblewrap(world, user, device):
    if not shutil.which("bwrap"):
        pytest.skip("bwrap is not installed (package bubblewrap)")
    text = output_of(user("bwrap", "--ro-bind", "/", "/", *device,
                          "--proc", "/proc", "--tmpfs", "/mnt", "--unshare-user", "--unshare-pid",
                          "--die-with-parent", "--cap-add", "CAP_SYS_ADMIN",
                          "sh", "-c", "memnotifyfs /mnt && cat /mnt/memnotify"))
    assert LINE.fullmatch(text)


def test_bubblewrap_with_memnotify_run_inside(world, user):
    if not shutil.which("bwrap"):
        pytest.skip("bwrap is not installed (package bubblewrap)")
    text = output_of(user("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--dev-bind", "/dev/fuse", "/dev/fuse",
                          "--proc", "/proc", "--tmpfs", "/run", "--unshare-user", "--unshare-pid",
                          "memnotify-run", "--", "cat", "/run/memnotify/memnotify"))
    assert LINE.fullmatch(text)


MOUNT_FOR_ANOTHER = """
import ctypes, os, sys
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id={sys.argv[2]},group_id={sys.argv[2]},default_permissions,allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"memnotifyfs", sys.argv[1].encode(), b"fuse.memnotifyfs", 0, options.encode()) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
with open("/proc/self/mountinfo") as mounts:
    device, = [line.split()[2] for line in mounts if line.split()[4] == sys.argv[1]]
os.set_inheritable(fd, True)
command = [word.replace("FD", f"/dev/fd/{fd}").replace("DEVICE", device) for word in sys.argv[3:]]
os.execvp(command[0], command)
"""


def test_a_descriptor_that_somebody_else_has_mounted(world, place, user):
    """As mount.fuse3 does it with drop_privileges, or a privileged part of a container for its other parts."""
    output_of(["/usr/bin/python3", "-c", MOUNT_FOR_ANOTHER, place, user.uid,
               *user("memnotifyfs", "-o", "device=DEVICE", "FD")])
    assert LINE.fullmatch((place / "memnotify").read_text())
    assert os.stat(place / "memnotify").st_uid == user.uid
    output_of(["umount", place])


def test_a_descriptor_that_is_none_is_refused(user):
    done = run(user("memnotifyfs", "/dev/fd/9"))
    assert (done.returncode, done.stderr) == (1, "memnotifyfs: '/dev/fd/9' is not an open /dev/fuse\n")


def test_two_users_on_one_mount(world, host):
    """thresholds/ is everybody's, a threshold is its maker's."""
    ann, bob = world.users
    low = host / "thresholds" / "low"
    (host / "simulate").write_text("used 5")
    output_of(ann("sh", "-c", 'echo "used 80%" >"$0"', low))
    assert os.stat(low).st_uid == ann.uid
    assert output_of(bob("cat", low)) == output_of(ann("cat", low)) != ""

    assert "Permission denied" in run(bob("sh", "-c", 'echo "used 1" >"$0"', low)).stderr
    assert "Operation not permitted" in run(bob("rm", "-f", low)).stderr
    assert "Operation not permitted" in run(bob("chmod", "666", low)).stderr
    assert "Permission denied" in run(bob("sh", "-c", 'echo 50 >"$0"', host / "parameters" / "update_period")).stderr
    assert "Permission denied" in run(bob("sh", "-c", 'echo "used 1" >"$0"', host / "simulate")).stderr

    output_of(ann("sh", "-c", 'echo "used 70%" >"$0"; rm "$0"', low))
    assert not low.exists()


def test_both_users_are_told(world, host, start):
    sessions = [start(user("client", host / "meters" / "used", "90%")) for user in world.users]
    for session in sessions:
        session.expect("waiting")
    (host / "simulate").write_text("used 95%")
    for session in sessions:
        assert session.hear().startswith("IN ")


def test_a_client_in_a_user_namespace_below(world, host, user):
    assert LINE.fullmatch(output_of(user("unshare", "-Urm", "cat", host / "memnotify")))


def test_a_client_without_a_mapped_id(world, host, user):
    """He has none in his own user namespace, but in that of the mount."""
    assert LINE.fullmatch(output_of(user("unshare", "-U", "cat", host / "memnotify")))


def test_a_client_from_above(user, start):
    """The kernel keeps even root out of a mount whose user namespace is not his or above his. He gets an error; nobody
    hangs, and those inside notice nothing."""
    session = start(user("memnotify-run", "--", "sh", "-c", "echo $$; read line; cat /run/memnotify/memnotify"))
    done = run(["nsenter", "--mount", "--target", session.hear(), "cat", "/run/memnotify/memnotify"])
    assert done.returncode == 1 and "Permission denied" in done.stderr
    session.say("")
    assert LINE.fullmatch(session.hear() + "\n")


def test_a_server_that_was_killed_is_replaced(world, place, user):
    os.chown(place, user.uid, user.uid)
    output_of(user("memnotifyfs", place))
    pid, = [int(pid) for pid in output_of(["pgrep", "-f", f"memnotifyfs {place}"]).split()]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), "the server to die")
    assert "not connected" in run(user("cat", place / "memnotify")).stderr
    output_of(user("memnotifyfs", place))
    assert LINE.fullmatch(output_of(user("cat", place / "memnotify")))
