# SPDX-License-Identifier: LGPL-2.1-or-later
"""mount(8), fstab and umount(8), with what is installed where it is installed."""

import os
import re
import shutil
from pathlib import Path

import pytest

from process import output_of, run, wait_until
from world import is_mounted, mount

LINE = re.compile(r"used \d+ active \d+ total \d+\n")


@pytest.fixture(scope="session")
def installed(world):
    """The program and the helpers, over the directories where they belong."""
    sbin = world.path / "sbin"
    shutil.copytree(Path("/sbin").resolve(), sbin, symlinks=True)
    for name in "mount.memnotifyfs", "mount.fuse.memnotifyfs":
        shutil.copy(Path(os.environ["MOUNT_HELPERS"]) / name, sbin / name)
        (sbin / name).chmod(0o755)
    mount("--bind", sbin, Path("/sbin").resolve())

    bindir = Path(os.environ["BINDIR"])
    if bindir == Path("/usr/bin"):
        pytest.skip("configured to be installed in /usr/bin, which is in use")
    bindir.mkdir(parents=True, exist_ok=True)
    mount("--bind", world.bin, bindir)
    yield world


def fstab(world, line):
    (world.path / "fstab").write_text(line + "\n")
    if not is_mounted("/etc/fstab"):
        mount("--bind", world.path / "fstab", "/etc/fstab")


def served_by(place):
    """The pids of the programs that serve it."""
    pids = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(place) in words and words[0].endswith(b"memnotifyfs"):
            pids.append(int(directory.name))
    return pids


def demand_unmount(place, command):
    assert len(served_by(place)) == 1
    assert output_of(command) == ""
    assert not is_mounted(place)
    wait_until(lambda: not served_by(place), "the program to end")


@pytest.mark.parametrize("kind", ["memnotifyfs", "fuse.memnotifyfs"])
def test_mount_by_type(installed, place, kind):
    assert output_of(["mount", "-t", kind, "none", place]) == ""
    assert LINE.fullmatch((place / "memnotify").read_text())
    demand_unmount(place, ["umount", place])


@pytest.mark.parametrize("source", ["none", "memnotifyfs", "a,b\\c"])
def test_a_line_of_fstab_is_mounted_once(installed, place, source):
    """mount(8) looks for its source among the mounts."""
    fstab(installed, f"{source} {place} memnotifyfs nofail 0 0")
    for _ in range(2):
        output_of(["mount", "-a"])
        assert len(served_by(place)) == 1
    assert output_of(["findmnt", "-no", "SOURCE", place]) == f"{source}\n"
    demand_unmount(place, ["umount", place])


@pytest.mark.parametrize("by_link", [True, False], ids=["link", "directory"])
def test_a_mount_behind_a_link(installed, place, by_link):
    link = place.parent / f"{place.name}-link"
    link.symlink_to(place.name)
    output_of(["/sbin/mount.memnotifyfs", "none", link])
    assert LINE.fullmatch((place / "memnotify").read_text())
    assert "mounted already" in run(["/sbin/mount.memnotifyfs", "none", place]).stderr
    output_of(["umount", link if by_link else place])
    assert not is_mounted(place)
    wait_until(lambda: not served_by(link), "the program to end")
    link.unlink()


def test_fstab_line(installed, place):
    fstab(installed, f"none {place} memnotifyfs noauto,nofail,_netdev,x-systemd.automount,update_period=20 0 0")
    output_of(["mount", place])
    assert (place / "parameters" / "update_period").read_text() == "20\n"
    demand_unmount(place, ["umount", place])


def test_fstab_line_for_users(installed, place, user):
    os.chown(place, user.uid, user.uid)
    fstab(installed, f"none {place} memnotifyfs users,noauto 0 0")
    output_of(user("mount", place))
    assert LINE.fullmatch(output_of(user("cat", place / "memnotify")))
    assert os.stat(served_by(place)[0] and f"/proc/{served_by(place)[0]}").st_uid == user.uid
    demand_unmount(place, user("umount", place))


def test_options_that_mount_adds_are_understood(installed, place):
    output_of(["mount", "-v", "-s", "-r", "-t", "memnotifyfs", "none", place, "-o",
               "nosuid,nodev,noexec,relatime,lazytime,iversion,nofail,comment=x,X-mount.mkdir,x-gvfs-hide,user"])
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        line, = [line.split() for line in mounts if line.split()[1] == str(place)]
    assert line[:3] == ["none", str(place), "fuse.memnotifyfs"]
    assert {"ro", "nosuid", "nodev", "noexec", "allow_other", "default_permissions"} <= set(line[3].split(","))
    with pytest.raises(OSError):
        (place / "thresholds" / "x").write_text("used 1")
    demand_unmount(place, ["umount", place])


def test_a_fake_mount_mounts_nothing(installed, place):
    output_of(["mount", "-f", "-t", "memnotifyfs", "none", place])
    assert not is_mounted(place)


@pytest.mark.parametrize("options, message", [
    ("bogus", "memnotifyfs: .*unknown option.*bogus.*; see --help"),
    ("update_period=none", "memnotifyfs: bad value in 'update_period=none': .*"),
    ("max_read=4096", "memnotifyfs: cannot serve '.*' \\(.*max.*\\)"),
])
def test_a_wrong_option_is_refused(installed, place, options, message):
    done = run(["mount", "-t", "memnotifyfs", "none", place, "-o", options])
    assert done.returncode == 32
    assert re.fullmatch(message + "\n", done.stderr)
    assert not is_mounted(place)


def test_a_place_that_is_taken_is_refused(installed, place):
    output_of(["mount", "-t", "memnotifyfs", "none", place])
    done = run(["mount", "-t", "memnotifyfs", "none", place])
    assert (done.returncode, done.stderr.count("\n")) == (32, 1)
    assert "mounted already" in done.stderr
    demand_unmount(place, ["umount", place])


@pytest.mark.parametrize("arguments, message", [
    ([], "a source and a directory are needed"),
    (["none", "/mnt", "-x"], "unknown option '-x'"),
    (["none", "/mnt", "-N", "/proc/1/ns/mnt"], "-N is not supported.*"),
    (["none", "/mnt", "-v", "more"], "unexpected argument 'more'"),
])
def test_a_wrong_call_of_the_helper_is_refused(installed, arguments, message):
    done = run(["/sbin/mount.memnotifyfs", *arguments])
    assert done.returncode == 1
    assert re.fullmatch(f"mount.memnotifyfs: {message}\n", done.stderr)
