# SPDX-License-Identifier: LGPL-2.1-or-later
"""Readers of every kind get one consistent text and an end."""

import mmap
import os
import shutil
import stat
import subprocess
import tempfile

import pytest

from clients import TIMEOUT_S, opened, read_all, write_text

STREAMS = {"events"}
OF_THE_MOMENT = {"oom_ranking", "metrics", "metrics.prom"}  # see test_oom_ranking.py, test_metrics.py
NO_TEXT = {"cgroup.event_control", "memory.pressure_level"}  # as the kernel's: no read method

# Each prints the file "$1".
COMMANDS = {
    "cat": ["cat", "--", "$1"],
    "busybox cat": ["busybox", "cat", "$1"],
    "dd, byte by byte": ["dd", "bs=1", "status=none", "if=$1"],
    "dd, blocks of 3": ["dd", "bs=3", "status=none", "if=$1"],
    "head": ["head", "-n", "9999", "$1"],
    "busybox head": ["busybox", "head", "-n", "9999", "$1"],
    "tail": ["tail", "-n", "+1", "$1"],
    "busybox tail": ["busybox", "tail", "-n", "+1", "$1"],
    "grep": ["grep", "", "$1"],
    "sed": ["sed", "", "$1"],
    "sort -s": ["sort", "-s", "-k", "99", "$1"],
    "cp": ["cp", "$1", "/dev/stdout"],
    "bash $(<file)": ["bash", "-c", 'printf "%s\\n" "$(<"$1")"', "bash", "$1"],
    "sh $(cat file)": ["sh", "-c", 'printf "%s\\n" "$(cat "$1")"', "sh", "$1"],
    "bash mapfile": ["bash", "-c", 'mapfile lines <"$1"; printf "%s" "${lines[@]}"', "bash", "$1"],
    "toybox cat": ["toybox", "cat", "$1"],
    "toybox head": ["toybox", "head", "-n", "9999", "$1"],
    "toybox tail": ["toybox", "tail", "-n", "+1", "$1"],
    "toybox sed": ["toybox", "sed", "", "$1"],
    "timeout cat": ["timeout", str(TIMEOUT_S), "cat", "$1"],
    "node": ["node", "-e", 'process.stdout.write(require("fs").readFileSync(process.argv[1]))', "$1"],
}

SHELLS = {
    "bash": ["bash"],
    "dash": ["dash"],
    "busybox ash": ["busybox", "ash"],
    "zsh": ["zsh", "-f"],
    "mksh": ["mksh"],
    "ksh93": ["ksh93"],
    "yash": ["yash", "--posix"],
    "fish": ["fish", "--no-config"],
}

# They look whether there is something before they read each byte.
LOOK_FIRST = {"busybox ash", "yash"}
DEVICES = {"oom_notify", "oom_notify_critical", "mem_notify"}

# What is said to each; the second to those that are no POSIX shells.
READ_LINE = ('IFS= read -r line <"$1"; printf "%s\\n" "$line"', 'read -l line <$argv[1]; printf "%s\\n" $line')
READ_ALL = ('while IFS= read -r line; do printf "%s\\n" "$line"; done <"$1"',
            'while read -l line; printf "%s\\n" $line; end <$argv[1]')


def by_shell(shell, script):
    """The command by which a shell runs one of these."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"{shell} is not installed")
    said = [script[1]] if shell == "fish" else [script[0], shell]
    return [*SHELLS[shell], "-c", *said, "$1"]


def run(command, path):
    words = [word.replace("$1", str(path)) if word.endswith("$1") else word for word in command]
    done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (0, b""), f"{words}: {done}"
    return done.stdout


def files_of(daemon):
    return [os.path.join(directory, name)
            for directory, _, names in os.walk(daemon.mountpoint) for name in sorted(names)
            if name not in STREAMS | OF_THE_MOMENT | NO_TEXT]


@pytest.fixture
def still(daemon):
    """Each file has a text, and none changes by itself."""
    daemon.simulate("dirty 7\n")
    write_text(daemon / "thresholds" / "low", "used 80% free <1M dirty 5\n")
    with pytest.raises(OSError):  # for the text of errors
        write_text(daemon / "memnotify", "usd 80%\n")
    return daemon


def test_each_file_has_a_text_that_ends_with_a_newline(still):
    files = files_of(still)
    assert len(files) > 20
    for path in files:
        text = read_all(path)
        assert text.endswith(b"\n") and len(text) <= os.stat(path).st_size and b"\0" not in text, path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_reads_every_file_whole(still, name):
    command = COMMANDS[name]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    for path in files_of(still):
        assert run(command, path) == read_all(path), path


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_every_file(still, shell):
    """Its first line, and all of them. Those that look first wait at the devices for a shortage; yash, which asks for
    more than there is and does not take that for the end, behind a threshold for its next state."""
    first, whole = by_shell(shell, READ_LINE), by_shell(shell, READ_ALL)
    for path in files_of(still):
        if shell in LOOK_FIRST and os.path.basename(path) in DEVICES:
            continue
        text = read_all(path)
        assert run(first, path) == text.splitlines(keepends=True)[0], path
        if shell != "yash" or "/thresholds/" not in path:
            assert run(whole, path) == text, path


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_a_descriptor_again_and_again(daemon, shell):
    """Which has no limit."""
    for name in "memnotify", "meters/used":
        script = ('exec 3<>"$1"; for i in 1 2 3; do read -r line <"$1"; printf "%s\\n" "$line"; done',
                  'for i in 1 2 3; read -l line <$argv[1]; printf "%s\\n" $line; end')
        text = read_all(daemon / name)
        assert run(by_shell(shell, script), daemon / name) == 3 * text


def test_who_maps_a_file_sees_its_text(still):
    """st_size covers it, and ends with the page in which it ends; what follows is zero."""
    for path in files_of(still):
        with opened(path, os.O_RDONLY) as fd, \
                mmap.mmap(fd, os.fstat(fd).st_size, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapping:
            text = os.pread(fd, 1 << 20, 0)
            assert mapping[:len(text)] == text and not mapping[len(text):].strip(b"\0"), path


def test_who_walks_the_tree_comes_to_an_end(still, tmp_path):
    """At events everybody would wait for an event who reads whatever he finds, so those are told to leave it out."""
    here = os.fspath(still.mountpoint)
    for command in (["find", here, "-ls"], ["du", "-a", here], ["df", here], ["ls", "-lR", here], ["stat", here],
                    ["grep", "-rs", "no such text", here], ["cp", "-a", here, tmp_path / "copy"],
                    ["tar", "-cf", tmp_path / "tar", "--exclude=events", "-C", here, "."],
                    ["rsync", "-a", "--exclude=events", f"{here}/", tmp_path / "rsync"],
                    ["busybox", "find", here, "-ls"], ["busybox", "du", "-a", here],
                    ["busybox", "tar", "-cf", tmp_path / "busybox", "--exclude=./events", "-C", here, "."],
                    ["toybox", "find", here], ["toybox", "du", "-a", here]):
        if shutil.which(command[0]):
            subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert (tmp_path / "copy" / "meters" / "used").read_bytes() == read_all(still / "meters" / "used")


def test_the_first_bytes_the_last_line_and_the_count(still):
    for path in files_of(still):
        text = read_all(path)
        assert run(["head", "-c", "3", "$1"], path) == text[:3]
        assert run(["busybox", "head", "-c", "3", "$1"], path) == text[:3]
        assert run(["tail", "-n", "1", "$1"], path) == text.splitlines(keepends=True)[-1]
        assert run(["tail", "-c", "5", "$1"], path) == text[-5:]
        assert run(["wc", "-c", "$1"], path).split()[0] == str(len(text)).encode()
        assert run(["busybox", "wc", "-c", "$1"], path).split()[0] == str(len(text)).encode()


def test_a_copy_is_equal(still, tmp_path):
    for path in files_of(still):
        for command in (["cp"], ["cp", "--reflink=never", "--sparse=never"], ["busybox", "cp"]):
            copy = tmp_path / "copy"
            subprocess.run([*command, path, copy], check=True, timeout=TIMEOUT_S)
            assert copy.read_bytes() == read_all(path)
            copy.unlink()


def test_python_reads_text_lines_and_bytes(still):
    for path in files_of(still):
        text = read_all(path)
        with open(path, encoding="ascii") as file:
            assert file.read().encode() == text
        with open(path, "rb") as file:
            assert b"".join(file) == text
        with open(path, "rb", buffering=0) as file:
            file.seek(2)
            assert file.readall() == text[2:]


def test_reads_of_any_size_until_nothing_comes(still):
    for path in files_of(still):
        text = read_all(path)
        for size in (1, 2, 7, max(len(text) - 1, 1), len(text), len(text) + 1, 8192, 1 << 20):
            with opened(path, os.O_RDONLY) as fd:
                assert b"".join(iter(lambda: os.read(fd, size), b"")) == text, (path, size)


def test_pread_at_any_offset(still):
    for path in files_of(still):
        text = read_all(path)
        with opened(path, os.O_RDONLY) as fd:
            for offset in reversed(range(len(text) + 3)):
                assert os.pread(fd, 4096, offset) == text[offset:], (path, offset)
        for offset in (0, 1, len(text) - 1, len(text), 4096, 1 << 40):
            with opened(path, os.O_RDONLY) as fd:
                assert os.pread(fd, 9, offset) == text[offset:offset + 9], (path, offset)


def sendfile_whole(path):
    with tempfile.TemporaryFile() as out, opened(path, os.O_RDONLY) as fd:
        while os.sendfile(out.fileno(), fd, None, 1 << 20) > 0:
            pass
        out.seek(0)
        return out.read()


def test_sendfile(still):
    for path in files_of(still):
        assert sendfile_whole(path) == read_all(path), path


def test_sendfile_after_writes_is_neither_cut_nor_old(still):
    low = still / "thresholds" / "low"
    for limit in range(1, 40):
        write_text(low, f"used {limit}\n")
        text = sendfile_whole(low)
        assert f"limit={limit} ".encode() in text and text.endswith(b"\n")
        still.simulate(f"dirty {limit}\n")
        assert sendfile_whole(still / "meters" / "dirty") == f"{limit}\n".encode()


def test_a_byte_wise_reader_sees_one_line_while_values_change(daemon):
    daemon.simulate("used 1000 active 77777\n")
    with opened(daemon / "memnotify", os.O_RDONLY) as fd:
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(fd, 1)
            daemon.simulate(f"used {1000 + 9999 * len(line)} active 5\n")
        assert line == b"used 1000 active 77777 total %d\n" % daemon.meter("total")
        assert os.read(fd, 1) == b""


def test_a_byte_wise_reader_of_a_threshold_sees_one_text_while_it_crosses(daemon):
    low = daemon / "thresholds" / "low"
    write_text(low, "used 1000 active <50\n")
    daemon.simulate("used 1 active 99\n")
    with opened(low, os.O_RDONLY) as fd:
        first = os.pread(fd, 4096, 0)
        text = b""
        while len(text) < len(first):
            text += os.read(fd, 1)
            daemon.simulate(f"used {2000 * (len(text) % 2)} active 1\n")
        assert text == first


def test_a_new_reader_sees_a_new_text_while_another_is_half_way(daemon):
    daemon.simulate("used 1111\n")
    with opened(daemon / "meters" / "used", os.O_RDONLY) as fd:
        assert os.read(fd, 2) == b"11"
        daemon.simulate("used 2222\n")
        assert daemon.meter("used") == 2222
        assert os.read(fd, 9) == b"11\n"
        assert os.pread(fd, 9, 0) == b"2222\n"


def test_the_tree_can_be_listed_and_looked_at(still):
    for path in files_of(still):
        status = os.stat(path)
        assert stat.S_ISREG(status.st_mode) and status.st_nlink == 1, path
        assert status.st_size == -(-len(read_all(path)) // 4096) * 4096, path
    assert stat.S_IMODE(os.stat(still / "memnotify").st_mode) == 0o666
    assert stat.S_IMODE(os.stat(still / "meters" / "used").st_mode) == 0o666
    assert stat.S_IMODE(os.stat(still / "events").st_mode) == 0o444
    assert stat.S_IMODE(os.stat(still / "parameters" / "update_period").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(still / "simulate").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(still / "thresholds").st_mode) == 0o1777
    assert os.stat(still.mountpoint).st_nlink == 2 + len([e for e in os.scandir(still.mountpoint) if e.is_dir()])

    for command in (["ls", "-laR", "$1"], ["busybox", "ls", "-laR", "$1"], ["find", "$1", "-ls"], ["stat", "$1"]):
        assert run(command, still.mountpoint)
    listing = run(["find", "$1", "-type", "f"], still.mountpoint).decode().split()
    assert sorted(listing) == sorted([*files_of(still), *(str(still / name) for name in STREAMS | OF_THE_MOMENT),
                                    *(str(still / "memcg" / name) for name in NO_TEXT)])


def test_the_meters_of_the_driver_are_listed_first(still):
    names = os.listdir(still / "meters")
    assert names[:3] == ["used", "active", "total"]
    assert len(names) == len(set(names)) == 14
