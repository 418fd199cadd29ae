# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman, rootless or as root, on an image that is a directory."""

import shutil
import tempfile
from pathlib import Path

import pytest

from process import run

NEEDED = {"podman": "podman", "crun": "crun", "newuidmap": "uidmap"}


class Podman:
    """For a user of the world, or for root where user is None."""

    def __init__(self, world, user):
        for program, package in NEEDED.items():
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed (package {package})")
        self.user = user
        self.image = world.make_image(user)
        self.groups = world.groups
        self.state = world.path / f"podman-{user.uid if user else 0}"
        if user:
            user.make_directory(self.state)

    def as_user(self, *command):
        return self.user(*command) if self.user else list(map(str, command))

    def command(self, *command, options=()):
        """The command that runs `command` in a container."""
        # Without CAP_SYS_RESOURCE limits cannot be raised to podman's presets.
        limits = ["--ulimit", "host"] if self.user else ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        return self.as_user("podman", "--root", self.state / "root", "--runroot", self.state / "run",
                            "--runtime", "crun", "--cgroup-manager=cgroupfs", "run", "--rm", "--interactive",
                            "--cgroups=disabled", "--network=none", "--volume", f"{self.groups}:/groups:ro",
                            *limits, *options, "--rootfs",
                            f"{self.image}:O", *command)

    def run(self, *command, options=()):
        """A container to its end. What it says goes to files: podman now and then loses the last of it."""
        with tempfile.TemporaryDirectory(dir=self.state.parent) as directory:
            out = Path(directory)
            out.chmod(0o777)
            done = run(self.command("sh", "-c", 'exec "$@" >/out/stdout 2>/out/stderr', "sh", *command,
                                    options=[*options, "--volume", f"{out}:/out"]))
            for name in "stdout", "stderr":
                if (out / name).exists():
                    setattr(done, name, getattr(done, name) + (out / name).read_text())
        return done

    def output_of(self, *command, options=()):
        """What a container says that is to succeed and to say nothing else."""
        done = self.run(*command, options=options)
        assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done}"
        return done.stdout
