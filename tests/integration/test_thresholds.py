# SPDX-License-Identifier: LGPL-2.1-or-later
"""thresholds/: files that users make, write, wait for and remove."""

import ctypes
import errno
import os
import re
import select
import stat
import subprocess

import pytest

from clients import Child, events_now, opened, read_text, wait_ready, write_text

ALICE, BOB = 61001, 61002
READY = select.POLLIN | select.POLLPRI


@pytest.fixture
def thresholds(daemon):
    daemon.simulate("used 1 active 1 free 9999")
    return daemon / "thresholds"


def error_of(function, *arguments):
    """The name of the error that it ends with, None if with none."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def as_user(uid, *calls):
    """The errors of the calls, made by user `uid`."""
    with Child(lambda say: say([error_of(*call) for call in calls]), uid=uid) as child:
        return child.hear()


def shell(script, *arguments):
    done = subprocess.run(["bash", "-c", script, "bash", *map(str, arguments)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode()


def limits(path):
    """{"used": (">=", 2000)} of a threshold's text."""
    found = {}
    for line in read_text(path).splitlines():
        name, *pairs = line.split(" ")
        fields = dict(pair.split("=", 1) for pair in pairs)
        assert list(fields) == ["value", "op", "limit", "reached", "crossings"]
        found[name] = (fields["op"], int(fields["limit"]))
    return found


def test_echo_creates_and_cat_shows(daemon, thresholds):
    total = daemon.meter("total")
    shell('echo "used 80%" >"$1/low"', thresholds)
    limit = -(-total * 80 // 100)
    assert shell('cat "$1/low"', thresholds) == f"used value=1 op=>= limit={limit} reached=0 crossings=0\n"
    for used, state in ((limit, "1 crossings=1"), (limit + 5, "1 crossings=1"), (1, "0 crossings=2")):
        daemon.simulate(f"used {used}")
        assert read_text(thresholds / "low") == f"used value={used} op=>= limit={limit} reached={state}\n"


def test_every_way_of_writing_a_whole_set(thresholds):
    both = {"used": (">=", 2000), "free": ("<", 300)}
    for script in ('echo "used 2000 free <300" >"$1/low"',
                   'printf "used 2000\\nfree <300\\n" >"$1/low"',
                   '{ echo "used 2000"; echo "free <300"; } >"$1/low"',
                   'echo "used 2000" >"$1/low"; echo "free <300" >>"$1/low"',
                   'printf "used 5\\n" >"$1/low"; : >"$1/low"; printf "used=2000,free:<300" >"$1/low"',
                   'echo "used 2000 free <300" | dd of="$1/low" status=none',
                   'echo "used 2000 free <300" >"$2"; cp "$2" "$1/low"; rm "$2"',
                   'echo "used 2000 free <300" | tee "$1/low" >/dev/null',
                   'echo "used 2000 free <300" | busybox tee "$1/low" >/dev/null'):
        shell(script, thresholds, f"{thresholds.parent}.text")
        assert limits(thresholds / "low") == both, script
        os.unlink(thresholds / "low")


def test_a_later_write_adds_and_replaces(daemon, thresholds):
    low = thresholds / "low"
    with opened(low, os.O_RDWR | os.O_CREAT) as fd:
        os.write(fd, b"used 2000\n")
        os.write(fd, b"active 500\n")
        assert limits(low) == {"used": (">=", 2000), "active": (">=", 500)}
        os.write(fd, b"used <7\n")
        assert limits(low) == {"used": ("<", 7), "active": (">=", 500)}
        os.pwrite(fd, b"free 9", 0)
        assert limits(low) == {"free": (">=", 9)}
    with opened(low, os.O_RDWR | os.O_APPEND) as fd:
        os.write(fd, b"used 10")
        assert limits(low) == {"free": (">=", 9), "used": (">=", 10)}
        os.write(fd, b"free 0")
        assert limits(low) == {"used": (">=", 10)}
    daemon.simulate("used 10")
    assert "reached=1 crossings=1" in read_text(low)


def test_truncation_alone_changes_nothing_and_a_blank_line_clears(thresholds):
    low = thresholds / "low"
    write_text(low, "used 2000")
    shell(': >"$1"; truncate -s 0 "$1"; truncate -s 100 "$1"', low)
    assert limits(low) == {"used": (">=", 2000)}
    write_text(low, "\n")
    assert read_text(low) == ""


def test_an_empty_threshold_reads_as_empty(thresholds):
    shell('touch "$1/low"; cat "$1/low"', thresholds)
    assert read_text(thresholds / "low") == ""
    assert stat.S_ISREG(os.stat(thresholds / "low").st_mode)


def test_a_fresh_descriptor_is_ready_and_a_read_one_is_not(daemon, thresholds):
    write_text(thresholds / "low", "used 2000")
    with opened(thresholds / "low", os.O_RDONLY) as fd:
        assert events_now(fd, READY) == READY
        os.read(fd, 4096)
        assert events_now(fd, READY) == 0
        daemon.simulate("used 2000")
        assert events_now(fd, READY) == READY
        with opened(thresholds / "low", os.O_RDONLY) as other:
            assert events_now(other, READY) == READY
            os.read(other, 4096)
        assert events_now(fd, READY) == READY, "each has to read for itself"
        assert b"reached=1" in os.pread(fd, 4096, 0)
        write_text(thresholds / "low", "used 3000")
        assert events_now(fd, READY) == READY, "new limits are news"


def test_rm_wakes_pollers_with_a_hangup_and_ends_readers(thresholds):
    write_text(thresholds / "low", "used 2000")

    def client(say):
        fd = os.open(thresholds / "low", os.O_RDWR)
        os.read(fd, 4096)
        say("waiting")
        say(wait_ready(fd))
        say([error_of(os.read, fd, 100), error_of(os.pread, fd, 100, 0), error_of(os.write, fd, b"used 5")])

    with Child(client) as child:
        assert child.hear() == "waiting"
        child.wait_polling()
        shell('rm "$1/low"', thresholds)
        assert child.hear() & select.POLLHUP
        assert child.hear() == ["ENOENT"] * 3
        assert error_of(os.stat, thresholds / "low") == "ENOENT"
        assert child.wait() == 0
    assert os.listdir(thresholds) == []


def test_a_removed_name_can_be_used_again(daemon, thresholds):
    write_text(thresholds / "low", "used 2000")
    with opened(thresholds / "low") as old:
        os.unlink(thresholds / "low")
        write_text(thresholds / "low", "used 3000")
        daemon.simulate("used 2500")
        assert events_now(old, READY) & select.POLLHUP
        assert "reached=0" in read_text(thresholds / "low")


def test_names(thresholds):
    for name in ("a" * 64, "a.", "50%", "ü", "a-b_c.d:e", "--", "é" * 32):
        assert error_of(write_text, thresholds / name, "used 5") is None, name
        assert name in os.listdir(thresholds)
        os.unlink(thresholds / name)
    for name in (".low.swp", "..low", ".#low", "a b", "a\tb", "a\nb", "-", "\x01", "a\x7f", " ", "\x1b[31m",
                 "a\N{NO-BREAK SPACE}b", b"\xff"):
        path = os.path.join(os.fsencode(thresholds), os.fsencode(name))
        assert error_of(write_text, path, "used 5") == "EINVAL", name
    assert error_of(write_text, thresholds / ("a" * 65), "used 5") == "ENAMETOOLONG"
    assert error_of(write_text, thresholds / ("a" * 256), "used 5") == "ENAMETOOLONG"
    assert os.listdir(thresholds) == []


def test_a_user_may_have_256_and_root_4096(daemon, thresholds):
    def fill(say):
        for number in range(256):
            write_text(thresholds / f"alice-{number}", f"used {number + 1}")
        say(error_of(write_text, thresholds / "alice-257", "used 5"))
        os.unlink(thresholds / "alice-7")
        say(error_of(write_text, thresholds / "alice-257", "used 5"))

    with Child(fill, uid=ALICE) as child:
        assert [child.hear(), child.hear()] == ["EDQUOT", None]
        assert child.wait() == 0
    assert as_user(BOB, (write_text, thresholds / "bob", "used 5")) == [None]

    for number in range(4096 - 257):
        with opened(thresholds / f"root-{number}", os.O_WRONLY | os.O_CREAT):
            pass
    assert error_of(write_text, thresholds / "one-more", "used 5") == "EDQUOT"
    assert len(os.listdir(thresholds)) == 4096
    daemon.simulate("used 256")
    assert "reached=1" in read_text(thresholds / "alice-255")


def test_a_file_belongs_to_its_creator(thresholds):
    assert as_user(ALICE, (write_text, thresholds / "low", "used 5")) == [None]
    status = os.stat(thresholds / "low")
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (ALICE, ALICE, 0o644)
    assert as_user(BOB, (read_text, thresholds / "low"), (write_text, thresholds / "low", "used 9"),
                   (os.open, thresholds / "low", os.O_RDWR), (os.unlink, thresholds / "low"),
                   (os.chmod, thresholds / "low", 0o666), (os.chown, thresholds / "low", BOB, BOB)) == [
                       None, "EACCES", "EACCES", "EPERM", "EPERM", "EPERM"]
    assert limits(thresholds / "low") == {"used": (">=", 5)}
    assert as_user(ALICE, (os.chmod, thresholds / "low", 0o600), (os.unlink, thresholds / "low")) == [None, None]


def test_chmod_0600_keeps_others_out(thresholds):
    as_user(ALICE, (write_text, thresholds / "low", "used 5"), (os.chmod, thresholds / "low", 0o600))
    assert stat.S_IMODE(os.stat(thresholds / "low").st_mode) == 0o600
    assert as_user(BOB, (read_text, thresholds / "low")) == ["EACCES"]
    assert as_user(ALICE, (read_text, thresholds / "low")) == [None]
    assert error_of(read_text, thresholds / "low") is None


def test_the_umask_counts(thresholds):
    before = os.umask(0o077)
    try:
        write_text(thresholds / "low", "used 5")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(thresholds / "low").st_mode) == 0o600


def test_users_may_read_and_wait_but_not_set_what_is_the_owners(daemon, thresholds):
    assert as_user(BOB, (read_text, daemon / "memnotify"), (os.open, daemon / "memnotify", os.O_RDWR),
                   (os.open, daemon / "meters" / "used", os.O_RDWR), (os.open, daemon / "events", os.O_RDONLY),
                   (read_text, daemon / "parameters" / "fill_rate"), (read_text, daemon / "simulate"),
                   (os.open, daemon / "parameters" / "fill_rate", os.O_WRONLY),
                   (os.open, daemon / "simulate", os.O_WRONLY),
                   (os.open, daemon / "events", os.O_WRONLY), (write_text, daemon / "new", "used 5"),
                   (os.unlink, daemon / "memnotify"), (os.chmod, daemon / "memnotify", 0)) == [
                       None] * 6 + ["EACCES"] * 5 + ["EPERM"]


def test_nothing_but_files_can_be_made(daemon, thresholds):
    write_text(thresholds / "low", "used 5")
    refusals = {"EPERM", "ENOSYS", "ENOTSUP", "EXDEV"}
    for call in ((os.mkdir, thresholds / "dir"), (os.symlink, "low", thresholds / "link"),
                 (os.link, thresholds / "low", thresholds / "link"),
                 (os.rename, thresholds / "low", daemon / "high"),
                 (os.mkfifo, thresholds / "fifo"), (os.rmdir, daemon / "meters"), (os.unlink, daemon / "memnotify"),
                 (os.rename, daemon / "memnotify", thresholds / "memnotify"), (write_text, daemon / "new", "used 5"),
                 (write_text, daemon / "meters" / "new", "used 5"), (os.setxattr, thresholds / "low", "user.x", b"1")):
        assert error_of(*call) in refusals, call
    assert os.listdir(thresholds) == ["low"]


RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4


def rename_with(flags, old, new):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def test_mv_renames_and_who_has_it_open_keeps_it(daemon, thresholds):
    write_text(thresholds / "low", "used 2000")
    with opened(thresholds / "low") as fd, opened(daemon / "events", os.O_RDONLY) as events:
        os.read(fd, 4096)
        inode = os.stat(thresholds / "low").st_ino
        shell('mv "$1/low" "$1/high"', thresholds)
        assert os.listdir(thresholds) == ["high"]
        assert os.stat(thresholds / "high").st_ino == inode
        assert events_now(fd, READY) == 0, "its state is the same"
        daemon.simulate("used 2000")
        assert events_now(fd, READY) == READY
        assert b"reached=1 crossings=1" in os.read(fd, 4096)
        assert " high used reached 2000 2000\n" in os.read(events, 4096).decode()
    write_text(thresholds / "low", "used 5")
    assert limits(thresholds / "low") == {"used": (">=", 5)}
    assert limits(thresholds / "high") == {"used": (">=", 2000)}


def test_mv_over_another_removes_that(daemon, thresholds):
    write_text(thresholds / "low", "used 2000")
    write_text(thresholds / "high", "used 3000")
    with opened(thresholds / "high") as fd:
        os.rename(thresholds / "low", thresholds / "high")
        assert events_now(fd, READY) & select.POLLHUP
        assert error_of(os.read, fd, 100) == "ENOENT"
    assert os.listdir(thresholds) == ["high"]
    assert limits(thresholds / "high") == {"used": (">=", 2000)}
    os.rename(thresholds / "high", thresholds / "high")
    assert os.listdir(thresholds) == ["high"]
    assert re.search(r"^0 \d+ \d+ 1 1 ", (daemon / "users").read_text(), re.MULTILINE), "the other was given back"


def test_what_rename_can_be_asked_for(thresholds):
    for name in "low", "high":
        write_text(thresholds / name, "used 5")
    assert error_of(rename_with, RENAME_NOREPLACE, thresholds / "low", thresholds / "high") == "EEXIST"
    assert error_of(rename_with, RENAME_EXCHANGE, thresholds / "low", thresholds / "high") == "EINVAL"
    assert error_of(rename_with, RENAME_WHITEOUT, thresholds / "low", thresholds / "other") in ("EINVAL", "EPERM")
    assert error_of(os.rename, thresholds / "low", thresholds / ".low") == "EINVAL"
    assert error_of(os.rename, thresholds / "low", thresholds / "a b") == "EINVAL"
    assert error_of(os.rename, thresholds / "low", thresholds / ("a" * 65)) == "ENAMETOOLONG"
    assert error_of(os.rename, thresholds / "none", thresholds / "other") == "ENOENT"
    assert sorted(os.listdir(thresholds)) == ["high", "low"]
    rename_with(RENAME_NOREPLACE, thresholds / "low", thresholds / "other")
    assert sorted(os.listdir(thresholds)) == ["high", "other"]


def test_who_may_not_remove_may_not_rename(thresholds):
    assert as_user(ALICE, (write_text, thresholds / "alice", "used 5")) == [None]
    assert as_user(BOB, (write_text, thresholds / "bob", "used 6")) == [None]
    assert as_user(BOB, (os.rename, thresholds / "alice", thresholds / "other"),
                   (os.rename, thresholds / "bob", thresholds / "alice"),
                   (os.rename, thresholds / "bob", thresholds / "bobs")) == ["EPERM", "EPERM", None]
    assert limits(thresholds / "alice") == {"used": (">=", 5)}
    os.rename(thresholds / "alice", thresholds / "other")
    assert os.stat(thresholds / "other").st_uid == ALICE, "it stays his, also where root has renamed it"


def test_editors_that_replace_the_file(thresholds):
    write_text(thresholds / "low", "used 2000")
    shell('cp "$1/low" "$1/copy"; sed -i s/2000/3000/ "$1/low"', thresholds)
    assert limits(thresholds / "copy") == {"used": (">=", 2000)}
    assert limits(thresholds / "low") == {"used": (">=", 3000)}
    assert sorted(os.listdir(thresholds)) == ["copy", "low"]


def test_create_fails_on_a_name_that_is_there(thresholds):
    write_text(thresholds / "low", "used 5")
    assert error_of(os.open, thresholds / "low", os.O_WRONLY | os.O_CREAT | os.O_EXCL) == "EEXIST"


def test_a_listing_is_right_while_files_go(thresholds):
    names = [f"threshold-with-a-long-name-{number:04}" for number in range(1500)]  # several getdents(2)
    for name in names:
        write_text(thresholds / name, "used 5")
    assert os.listdir(thresholds) == names

    seen = []
    with os.scandir(thresholds) as entries:
        for entry in entries:
            seen.append(entry.name)
            number = int(entry.name[-4:])
            if number % 3 == 0:
                os.unlink(entry.path)
            if number % 3 == 1 and number > 1:
                os.unlink(thresholds / names[number - 2])
    assert len(seen) == len(set(seen))
    stay = [name for number, name in enumerate(names) if number % 3 == 1 or number == 1499]
    assert set(stay) <= set(seen)
    assert sorted(os.listdir(thresholds)) == sorted(stay)
    shell('rm -rf "$1"/*; test -z "$(ls -A "$1")"', thresholds)


def test_a_threshold_that_nobody_has_open_is_up_to_date_when_looked_at(daemon, thresholds):
    write_text(thresholds / "low", "used 2000")
    daemon.simulate("used 5000")
    assert "reached=1 crossings=1" in read_text(thresholds / "low")
    daemon.simulate("used 1")
    assert "reached=0 crossings=2" in read_text(thresholds / "low")
