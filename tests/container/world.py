# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests find around them, made in the mount namespace that `run` gives them: two users who exist nowhere else,
with ranges of ids for rootless podman, a /dev/fuse that they may open, a cgroup v2 for crun, and an image."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from process import output_of

PROGRAM = os.environ["MEMNOTIFYFS"]
RUN = os.environ["MEMNOTIFY_RUN"]
CLIENT = os.environ["MEMNOTIFY_CLIENT"]
TRIM = os.environ["TRIM"]

APPLETS = ["cat", "echo", "env", "false", "grep", "id", "kill", "ls", "mkdir", "mount", "rm", "sh", "sleep", "test",
           "true", "umount", "unshare"]


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def is_mounted(directory):
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(line.split()[1] == str(directory) for line in mounts)


class User:
    def __init__(self, world, name, uid, first_subid):
        self.name, self.uid, self.first_subid = name, uid, first_subid
        self.home = world.path / name
        self.runtime = self.home / "runtime"
        self.environment = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime), "USER": name,
                            "PATH": f"{world.bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
        self.make_directory(self.home)
        self.make_directory(self.runtime)

    def make_directory(self, path):
        path.mkdir(mode=0o700)
        os.chown(path, self.uid, self.uid)
        return path

    def __call__(self, *command, env=None):
        """The command that runs `command` as this user."""
        return ["setpriv", "--reuid", str(self.uid), "--regid", str(self.uid), "--clear-groups", "--",
                "env", "-i", "-C", str(self.home),
                *(f"{key}={value}" for key, value in {**self.environment, **(env or {})}.items()), *map(str, command)]


class World:
    def __init__(self, path):
        self.path = Path(path)
        self.path.chmod(0o755)
        self.bin = self.path / "bin"
        self.bin.mkdir()
        for source, name in (PROGRAM, "memnotifyfs"), (RUN, "memnotify-run"), (CLIENT, "client"):
            shutil.copy(source, self.bin / name)
        shutil.copy(TRIM, self.bin)
        self.users = [User(self, "mn-ann", 60077, 2000000), User(self, "mn-bob", 60078, 2100000)]
        self.write_accounts()
        self.make_device()
        self.make_cgroup()
        self.root_environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def cover(self, path, text):
        """Another text for a file, for us alone."""
        file = self.path / Path(path).name
        file.write_text(text)
        mount("--bind", file, path)

    def write_accounts(self):
        lines = "".join(f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/bin/sh\n" for user in self.users)
        self.cover("/etc/passwd", Path("/etc/passwd").read_text() + lines)
        lines = "".join(f"{user.name}:x:{user.uid}:\n" for user in self.users)
        self.cover("/etc/group", Path("/etc/group").read_text() + lines)
        lines = "".join(f"{user.name}:{user.first_subid}:65536\n" for user in self.users)
        for path in "/etc/subuid", "/etc/subgid":
            if os.path.exists(path):
                self.cover(path, lines)

    def make_device(self):
        number = os.stat("/dev/fuse").st_rdev
        os.mknod(self.path / "fuse", 0o600 | 0o020000, number)
        (self.path / "fuse").chmod(0o666)
        mount("--bind", self.path / "fuse", "/dev/fuse")

    def make_cgroup(self):
        """Where v1 and v2 are mixed crun does not start; a plain v2 can be mounted beside them. The groups that memory
        is counted by can still be seen."""
        self.groups = Path("/sys/fs/cgroup")
        if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            return
        if os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes"):
            self.groups = self.path / "groups"
            self.groups.mkdir()
            mount("--bind", "/sys/fs/cgroup/memory", self.groups)
        subprocess.run(["umount", "-R", "/sys/fs/cgroup"], check=False)
        mount("-t", "cgroup2", "none", "/sys/fs/cgroup")

    def make_image(self, owner):
        """A root directory with busybox and our programs, for the user who is to own it."""
        image = self.path / f"image-{owner.uid if owner else 0}"
        for directory in "bin", "dev", "etc", "mnt", "proc", "run", "sys", "tmp":
            (image / directory).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), image / "bin" / "busybox")
        for applet in APPLETS:
            (image / "bin" / applet).symlink_to("busybox")
        for program in "memnotifyfs", "memnotify-run", "client":
            shutil.copy(self.bin / program, image / "bin" / program)
            for library in re.findall(r"(/\S+) \(0x", output_of(["ldd", self.bin / program])):
                place = image / library.lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    shutil.copy(library, place)
        if owner:
            subprocess.run(["chown", "-R", f"{owner.uid}:{owner.uid}", image], check=True)
        return image
