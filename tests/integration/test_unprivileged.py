# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another user's mount, and machines that do not let one mount. Each test is a shell script in a mount namespace of
its own, with a /dev/fuse of its own: the machine's is left alone."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S
from daemon import PROGRAM, environment
from machine import FIXTURES

USER = pwd.getpwnam("nobody")  # fusermount3 wants a user with a name

# $program, $dir (of the user, with an empty mount/) and as_user are there for the scripts.
PROLOGUE = r"""
set -u
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$scratch"
mknod "$scratch/fuse" c 10 229
mount --bind "$scratch/fuse" /dev/fuse
chmod 0666 /dev/fuse
as_user() { setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"; }
fail() { echo "failed: $*"; exit 1; }
mounted() { grep -q " $dir/mount fuse.memnotifyfs " /proc/self/mounts; }
until_not() {
    n=0
    while "$@"; do n=$((n + 1)); [ $n -lt 3000 ] || fail "waited in vain for: not $*"; sleep 0.01; done
}
"""


@pytest.fixture
def place():
    """A directory that the user can reach (pytest keeps its own to root), with a copy of the program."""
    with tempfile.TemporaryDirectory(prefix="memnotifyfs-test.") as name:
        directory = Path(name)
        directory.chmod(0o755)
        shutil.copy(PROGRAM, directory / "memnotifyfs")
        (directory / "scratch").mkdir()
        (directory / "user" / "mount").mkdir(parents=True)
        for path in (directory / "user", directory / "user" / "mount"):
            os.chown(path, USER.pw_uid, USER.pw_gid)
        yield directory


def run(place, script):
    variables = {**environment(), "program": str(place / "memnotifyfs"), "dir": str(place / "user"),
                 "scratch": str(place / "scratch"), "uid": str(USER.pw_uid), "gid": str(USER.pw_gid)}
    # A PID namespace too, so that no daemon outlives its test.
    done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                           "sh", "-c", PROLOGUE + script],
                          capture_output=True, text=True, timeout=2 * TIMEOUT_S, env=variables, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_plain_user_mounts_uses_and_unmounts(place):
    run(place, r"""
as_user "$program" "$dir/mount" 2>"$dir/messages" || fail "start: $(cat "$dir/messages")"
mounted || fail "not mounted"
[ -s "$dir/messages" ] && fail "said: $(cat "$dir/messages")"
as_user sh -c 'grep -q "^used " "$1/memnotify" && echo "used 80%" >"$1/thresholds/low" && cat "$1/thresholds/low" &&
    echo 20 >"$1/parameters/update_period"' sh "$dir/mount" >/dev/null || fail "use"
[ "$(as_user stat -c %u "$dir/mount/memnotify" "$dir/mount/thresholds/low" | sort -u)" = "$uid" ] || fail "owner"
as_user fusermount3 -u "$dir/mount" || fail "fusermount3 -u"
mounted && fail "still mounted"
until_not pidof memnotifyfs
""")


def test_a_plain_users_daemon_ends_on_sigterm(place):
    run(place, r"""
as_user "$program" -f "$dir/mount" 2>"$dir/messages" &
until_not eval '! mounted'
as_user cat "$dir/mount/memnotify" >/dev/null || fail "cat"
kill "$(pidof memnotifyfs)"
wait $! || fail "exit status $?"
mounted && fail "still mounted"
grep -Ev 'cannot lower oom_score_adj|cannot lock memory' "$dir/messages" && fail "messages"
[ "$(wc -l <"$dir/messages")" -le 1 ] || fail "more than one warning"
""")


def test_others_are_kept_out_of_a_plain_users_mount(place):
    run(place, r"""
as_user "$program" "$dir/mount" || fail "start"
setpriv --reuid=61999 --regid=61999 --clear-groups cat "$dir/mount/memnotify" 2>/dev/null && fail "a stranger came in"
as_user cat "$dir/mount/memnotify" >/dev/null || fail "the owner did not"
as_user fusermount3 -u "$dir/mount"
""")


def test_a_plain_user_clears_his_dead_mount(place):
    run(place, r"""
as_user "$program" "$dir/mount" || fail "start"
kill -9 "$(pidof memnotifyfs)"
until_not as_user ls "$dir/mount" >/dev/null 2>&1
as_user "$program" "$dir/mount" 2>"$dir/messages" || fail "second start: $(cat "$dir/messages")"
as_user cat "$dir/mount/memnotify" >/dev/null || fail "cat"
[ "$(grep -c " $dir/mount " /proc/self/mounts)" = 1 ] || fail "the dead one is still there"
as_user fusermount3 -u "$dir/mount"
""")


def test_a_plain_users_aborted_mount_is_cleared(place):
    run(place, r"""
as_user "$program" -f "$dir/mount" 2>"$dir/messages" &
daemon=$!
until_not eval '! mounted'
as_user sh -c 'cd "$1" && echo >"$2" && exec sleep 1000' sh "$dir/mount" "$dir/inside" &
until_not [ ! -e "$dir/inside" ]
umount -f "$dir/mount" 2>/dev/null && fail "it was not busy"
wait $daemon
[ $? -eq 1 ] || fail "exit status"
mounted && fail "still mounted"
[ "$(grep -c "was aborted, as by 'umount -f'; start memnotifyfs again" "$dir/messages")" = 1 ] || fail "messages"
""")


def refusal(place, script):
    """The one line with which the program refuses: status 1."""
    done = run(place, script + r"""
as_user "$program" -f "$dir/mount" >"$dir/messages" 2>&1
[ $? -eq 1 ] || fail "exit status"
mounted && fail "mounted"
cat "$dir/messages"
""")
    lines = done.stdout.splitlines()
    assert len(lines) == 1 and lines[0].startswith("memnotifyfs: "), done.stdout
    assert "could not determine username" not in lines[0]
    return lines[0]


def test_no_device(place):
    line = refusal(place, 'umount /dev/fuse; mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3')
    assert "there is no /dev/fuse" in line and "modprobe fuse" in line


def test_no_permission_on_the_device(place):
    line = refusal(place, "chmod 0600 /dev/fuse")
    assert "/dev/fuse" in line and "Permission denied" in line and "check the rights" in line


def test_no_helper(place):
    line = refusal(place, 'mount --bind /dev/null "$(command -v fusermount3)"')
    assert "fusermount3" in line and "install fuse3" in line


def test_somebody_elses_mount_point(place):
    line = refusal(place, 'chown 0:0 "$dir/mount"')
    assert "cannot mount at" in line


def test_a_mount_point_that_cannot_be_looked_at(place):
    line = refusal(place, 'chown 0:0 "$dir"; chmod 0700 "$dir"; touch "$dir/messages"')
    assert "Permission denied" in line


def test_allow_other_that_is_not_allowed(place):
    run(place, r"""
as_user "$program" -o allow_other "$dir/mount" 2>"$dir/messages"
[ $? -eq 1 ] || fail "exit status"
grep -q "user_allow_other" "$dir/messages" || fail "$(cat "$dir/messages")"
""")


def test_root_without_the_right_to_mount(place):
    done = run(place, r"""
setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$program" -f "$dir/mount" 2>&1
[ $? -eq 1 ] || fail "exit status"
""")
    assert done.stdout.count("\n") == 1 and "CAP_SYS_ADMIN" in done.stdout


def test_a_plain_users_daemon_signals_his_programs(place):
    """It may look at its user's processes and signal them, and no other."""
    proc = place / "user" / "proc"
    shutil.copytree(FIXTURES / "debian-6.1", proc)
    for path in (proc, *proc.iterdir()):
        os.chown(path, USER.pw_uid, USER.pw_gid)
    run(place, r"""
as_user "$program" --proc="$dir/proc" "$dir/mount" 2>/dev/null || fail "start"
cat >"$scratch/ask" <<'END'
trap 'exit 0' USR1
exec 3<>"$1/mount/oom_notify"
echo 'signal USR1' >&3 || exit 1
sed 's/pages free .*/pages free 1/' "$1/proc/zoneinfo" >"$1/proc/new"
mv "$1/proc/new" "$1/proc/zoneinfo"
n=0
while [ $n -lt 3000 ]; do sleep 0.01; n=$((n + 1)); done
exit 1
END
as_user sh "$scratch/ask" "$dir" || fail "no signal"
""")
