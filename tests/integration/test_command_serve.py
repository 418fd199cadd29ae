# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify serve: starts the server where there is none, says where, and leaves nothing behind when it cannot."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, open_files, read_text, wait_until
from daemon import KNOWN_WARNING, PROGRAM, daemons_of, environment, is_mounted, is_served

COMMAND = os.path.abspath(os.environ.get("MEMNOTIFY", "build/clients/command/memnotify"))
USER = pwd.getpwnam("nobody")


def serve_at(place, *arguments, **variables):
    path = f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}"
    return subprocess.run([COMMAND, "serve", *(["--at", place] if place else []), *arguments], capture_output=True,
                          text=True, timeout=2 * TIMEOUT_S, check=False,
                          env={**environment(), "PATH": path, **variables})


def end(place):
    pids = daemons_of(place)
    subprocess.run(["umount", place], check=True)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the server to end")


@pytest.fixture
def place():
    """Where nothing is yet; short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="serve.") as name:
        path = Path(name) / "mount"
        yield path
        while is_mounted(path):
            subprocess.run(["umount", "-l", path], check=True)


def test_it_starts_one_and_says_where(place):
    done = serve_at(place)
    assert done.returncode == 0
    assert not [line for line in done.stderr.splitlines() if not KNOWN_WARNING.fullmatch(line)]
    assert is_served(place) and Path(f"{place}.sock").is_socket()
    assert done.stdout.splitlines() == [f"memnotifyfs is mounted at {place}, and served by the socket {place}.sock",
                                        f"end it with 'umount {place}'",
                                        f"programs find it with MEMNOTIFYFS={place} in their environment"]
    end(place)
    assert os.listdir(place.parent) == ["mount"]


def test_the_server_has_nothing_of_ours(place):
    """Not the pipe that our output goes to, and not a descriptor that we were given."""
    reader, writer = os.pipe()
    done = subprocess.run([COMMAND, "serve", "--at", place], capture_output=True, check=True, timeout=TIMEOUT_S,
                          pass_fds=[writer],
                          env={**environment(), "PATH": f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}"})
    os.close(writer)
    assert done.stdout
    assert os.read(reader, 1) == b""  # the last who could write has closed it
    os.close(reader)
    (pid,) = daemons_of(place)
    assert not [path for path in open_files(pid) if path.startswith("pipe:")]
    end(place)


def test_one_that_is_there_will_do(place):
    assert serve_at(place).returncode == 0
    before = daemons_of(place)
    done = serve_at(place)
    assert done.returncode == 0 and done.stdout.startswith(f"memnotifyfs is already mounted at {place}, and served by")
    assert daemons_of(place) == before
    done = serve_at(place, "--simulate")
    assert done.returncode == 1 and "without --simulate" in done.stderr
    end(place)


def test_a_dead_one_is_cleared(place):
    assert serve_at(place).returncode == 0
    (pid,) = daemons_of(place)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_served(place), "the mount to be dead")
    assert serve_at(place).returncode == 0
    assert is_served(place) and daemons_of(place) != [pid]
    end(place)


def test_simulation_and_options_are_handed_on(place):
    assert serve_at(place, "--simulate", "--", "-o", "update_period=20").returncode == 0
    assert read_text(place / "simulate") == ""
    assert read_text(place / "parameters" / "update_period") == "20\n"
    end(place)


def test_the_environment_names_the_place(place):
    done = serve_at(None, MEMNOTIFYFS=str(place))
    assert done.returncode == 0 and is_served(place)
    assert "programs find it" not in done.stdout
    end(place)


def test_what_the_server_says_comes_through(place):
    done = serve_at(place, "--", "--nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "memnotifyfs: unknown option '--nonsense'; see --help\n"
    assert not place.exists()


def test_a_directory_that_was_there_stays(place):
    place.mkdir()
    assert serve_at(place, "--", "--nonsense").returncode == 1
    assert place.is_dir()


def test_a_file_is_no_place(place):
    place.write_text("mine")
    done = serve_at(place)
    assert done.returncode == 1 and done.stderr.endswith("is not a directory\n")
    assert place.read_text() == "mine"


def test_a_link_to_the_place(place):
    place.mkdir()
    link = place.with_name("link")
    link.symlink_to("mount")
    done = serve_at(link)
    assert done.returncode == 0 and done.stdout.startswith(f"memnotifyfs is mounted at {place}, ")
    assert serve_at(link).stdout.startswith("memnotifyfs is already mounted")
    (pid,) = daemons_of(place)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_served(place), "the mount to be dead")
    assert serve_at(link).returncode == 0 and is_served(place)
    end(place)


def test_a_place_too_long_for_a_socket(place):
    long = place.with_name("x" * 100)
    done = serve_at(long)
    try:
        assert done.returncode == 0 and is_served(long)
        assert "too long" in done.stderr and "socket" not in done.stdout
        assert not (long / "socket").exists()
    finally:
        subprocess.run(["umount", long], check=True)


def test_a_name_that_a_shell_would_take_apart(place):
    odd = place.with_name("a 'b")
    done = serve_at(odd)
    try:
        assert done.returncode == 0
        command = done.stdout.splitlines()[1].removeprefix("end it with '").removesuffix("'")
        subprocess.run(command, shell=True, check=True)
        assert not is_mounted(odd)
    finally:
        while is_mounted(str(odd).replace(" ", "\\040")):
            subprocess.run(["umount", odd], check=True)


@pytest.mark.parametrize("arguments", [["word"], ["--", "word"], ["-f"], ["--json"]])
def test_a_command_line_that_is_not_understood(place, arguments):
    done = serve_at(place, *arguments)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not place.exists()


def as_user(**variables):
    """What it says to another user; nothing is mounted."""
    return subprocess.run(["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups", COMMAND,
                           "serve"], capture_output=True, text=True, check=False, timeout=TIMEOUT_S, env=variables)


def is_reachable():
    return subprocess.run(["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups", "test",
                           "-x", COMMAND], check=False).returncode == 0


def test_a_user_without_a_runtime_directory():
    if not is_reachable():
        pytest.skip("the build directory is root's alone")
    done = as_user()
    assert done.returncode == 1 and "$XDG_RUNTIME_DIR is not set" in done.stderr and "--at" in done.stderr
    done = as_user(XDG_RUNTIME_DIR="/proc")
    assert done.returncode == 1 and "cannot make the directory '/proc/memnotify'" in done.stderr


def test_a_user_serves_himself():
    """In a mount namespace whose /dev/fuse is everybody's; the server lies beside the command."""
    with tempfile.TemporaryDirectory(prefix="serve.", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "run").mkdir()
        os.chown(directory / "run", USER.pw_uid, USER.pw_gid)
        for program in (PROGRAM, COMMAND):
            shutil.copy(program, directory)
        script = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
mknod /mnt/fuse c 10 229
chmod 0666 /mnt/fuse
mount --bind /mnt/fuse /dev/fuse
as_user() {
    setpriv --reuid="$uid" --regid="$gid" --clear-groups env -u MEMNOTIFYFS XDG_RUNTIME_DIR="$dir/run" "$@"
}
cd /
as_user "$dir/memnotify" serve >"$dir/said" 2>/dev/null
as_user "$dir/memnotify" status >"$dir/status"
grep -q "end it with 'fusermount3 -u $dir/run/memnotify'" "$dir/said"
as_user fusermount3 -u "$dir/run/memnotify"
"""
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                               script], capture_output=True, text=True, timeout=2 * TIMEOUT_S, check=False,
                              env={**environment(), "dir": name, "uid": str(USER.pw_uid), "gid": str(USER.pw_gid)})
        assert done.returncode == 0, done.stdout + done.stderr
        said = (directory / "said").read_text()
        assert said.startswith(f"memnotifyfs is mounted at {name}/run/memnotify, and served by the socket ")
        assert "programs find it" not in said  # by themselves
        assert "available" in (directory / "status").read_text()
