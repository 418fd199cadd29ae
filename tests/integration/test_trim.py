# SPDX-License-Identifier: LGPL-2.1-or-later
"""libmemnotify-trim: what it does when it is told, and that it is in nobody's way, whatever programs do with their
descriptors, signals and children."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, read_text, wait_until
from holey import (HOLES_MIB, LIBRARY, PLENTY, PYTHON, SHORT, TOTAL_PAGES, HoleyProgram, helper_of, n_waiting,
                   resident_mib, serve_plenty, told)

RUN = os.environ["RUN"]
USER = 54321


@pytest.fixture
def daemon(serve):
    return serve_plenty(serve)


@pytest.fixture
def run(daemon, start, tmp_path):
    """run("what it does", 2): a program, when it and one that it has forked wait at the daemon."""

    def run(text="rest()", number=1, **environment):
        program = start(HoleyProgram(tmp_path, daemon, text, **environment))
        program.wait_ready(number)
        return program

    return run


def wait_given_back(pid, before_mib):
    wait_until(lambda: resident_mib(pid) < before_mib - HOLES_MIB + 10, "less memory")


def test_what_is_not_used_is_given_back(daemon, run):
    program = run()
    before = resident_mib(program.pid)
    assert before > HOLES_MIB
    daemon.simulate(SHORT)
    [(pid, mib)] = program.told(1)
    assert pid == program.pid and mib > HOLES_MIB - 10
    wait_given_back(pid, before)


def test_nothing_is_given_back_unless_it_is_told(daemon, run):
    program = run()
    before = resident_mib(program.pid)
    helper = helper_of(program.pid)
    calls = read_text(f"{helper}/syscall")
    daemon.simulate(f"available {TOTAL_PAGES // 4}")
    daemon.simulate(PLENTY)
    assert read_text(f"{helper}/syscall") == calls, "it sleeps in the same call, with the same arguments"
    assert resident_mib(program.pid) > before - 1 and program.messages() == ""


def test_the_limits_are_chosen(daemon, run):
    program = run(MEMNOTIFY_TRIM="available<40%")
    daemon.simulate(f"available {TOTAL_PAGES // 4}")
    wait_until(program.messages, "a line")
    assert "available reached 2048.0M, limit 3276.8M" in program.messages()


def test_what_is_reached_already_is_told_at_the_start(daemon, run):
    daemon.simulate(SHORT)
    assert run().told(1)[0][1] > HOLES_MIB - 10


def test_what_comes_in_the_cool_down_is_answered_at_its_end(daemon, run):
    program = run("on(signal.SIGUSR1, lambda: kept.extend(fill()) or print('filled', flush=True)); rest()")
    daemon.simulate(SHORT)
    program.told(1)
    os.kill(program.pid, signal.SIGUSR1)
    wait_until(lambda: "filled" in program.output(), "a heap full of holes")
    for text in PLENTY, SHORT, PLENTY, SHORT:
        daemon.simulate(text)
    assert len(told(program.messages())) == 1
    assert [mib > HOLES_MIB - 10 for _, mib in program.told(2)] == [True, True]


def test_what_has_passed_in_the_cool_down_is_not_answered(daemon, run):
    program = run()
    daemon.simulate(SHORT)
    program.told(1)
    for text in PLENTY, SHORT:
        daemon.simulate(text)
    helper = helper_of(program.pid)
    wait_until(lambda: "poll" in read_text(f"{helper}/stack"), "its sleep")
    timed = read_text(f"{helper}/syscall")
    daemon.simulate(PLENTY)
    wait_until(lambda: read_text(f"{helper}/syscall").split()[:4] != timed.split()[:4], "a sleep without end")
    assert read_text(f"{helper}/syscall").split()[3] == "0xffffffff"
    assert len(told(program.messages())) == 1


# ---- descriptors ------------------------------------------------------------------------------------------------

def test_the_program_sees_none_of_its_descriptors(run):
    program = run("print(sorted(os.listdir('/proc/self/fd'))); rest()")
    assert program.lines()[0] == "['0', '1', '2', '3']"


def test_it_holds_none_of_the_program_s_descriptors(run):
    """Or who waits for the end of a pipe would wait for ever."""
    program = run("""
end, other_end = os.pipe()
os.close(other_end)
assert os.read(end, 1) == b""
rest()""")
    paths = [os.readlink(f"{helper_of(program.pid)}/fd/{fd}") for fd in os.listdir(f"{helper_of(program.pid)}/fd")]
    assert paths and all(re.match(r"anon_inode:\[(eventpoll|timerfd)\]|socket:", path) for path in paths), paths


def test_a_program_that_closes_all_and_opens_others(daemon, run, tmp_path):
    """What has number 2 then is not written to."""
    other = tmp_path / "other"
    program = run(f"""
print("ready", flush=True)
os.closerange(0, 1000)
assert [os.open({str(other)!r}, os.O_RDWR | os.O_CREAT) for _ in range(20)] == list(range(20))
while True:
    signal.pause()""")
    before = resident_mib(program.pid)
    daemon.simulate(SHORT)
    wait_given_back(program.pid, before)
    wait_until(lambda: "poll" in read_text(f"{helper_of(program.pid)}/stack"), "its sleep")
    assert program.messages() == "" and other.read_bytes() == b""


# ---- signals ----------------------------------------------------------------------------------------------------

def test_a_program_that_has_blocked_all_signals(daemon, run):
    program = run("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); rest()")
    daemon.simulate(SHORT)
    program.told(1)


def test_no_signal_is_handled_by_its_thread(run):
    """Whose stack is small. Those of the C library are 32 and 33; two cannot be blocked."""
    program = run()
    status = read_text(f"{helper_of(program.pid)}/status")
    blocked = int(re.search(r"^SigBlk:\s+(\w+)", status, re.MULTILINE).group(1), 16)
    assert {number for number in range(1, 65) if not blocked >> (number - 1) & 1} == {9, 19, 32, 33}


# ---- identity ---------------------------------------------------------------------------------------------------

def identity(task):
    """Of a thread: its users, groups and capabilities, and its user namespace."""
    lines = re.findall(r"^(?:[UG]id|Groups|CapInh|CapPrm|CapEff):.*", read_text(f"{task}/status"), re.MULTILINE)
    assert len(lines) == 6
    return lines, os.readlink(f"{task}/ns/user")


CAPSET = """
import ctypes
c = ctypes.CDLL(None, use_errno=True)
keep = ctypes.create_string_buffer(24)
def capset():
    assert c.capset(ctypes.byref(ctypes.create_string_buffer(b"\\x22\\x05\\x08\\x20", 8)), keep) == 0
"""


@pytest.mark.parametrize("change", [
    "os.setgroups([7]); os.setgid(54321); os.setuid(54321)",
    "os.initgroups('nobody', 7); os.setresgid(1, 2, 3); os.setresuid(54321, 54321, 54321)",
    "os.setregid(1, 2); os.setegid(1); os.setreuid(54321, 2); os.seteuid(2)",
    "capset()",
    "assert c.prctl(8, 1, 0, 0, 0) == 0; os.setuid(54321); capset()",
    "assert c.unshare(0x10000000) == 0",
    "assert c.syscall(117, 54321, 54321, 54321) == 0",
    "assert c.unshare(0x10020000) == 0; assert c.setns(os.open('/proc/self/ns/mnt', os.O_RDONLY), 0) == 0",
])
def test_its_thread_is_who_the_program_has_become(daemon, run, change):
    """Also where the C library would abort, because a thread may not what another may."""
    program = run(CAPSET + change + "; rest()")
    assert identity(helper_of(program.pid)) == identity(f"/proc/{program.pid}/task/{program.pid}")
    assert len(os.listdir(f"/proc/{program.pid}/task")) == 2
    daemon.simulate(SHORT)
    program.told(1)


def test_a_program_that_nobody_reads_is_told_all_the_same(daemon, run):
    """What is said has no place in a pipe that is full."""
    program = run("""
end, error = os.pipe()
os.set_blocking(error, False)
if "again" not in os.environ:
    os.environ["again"] = ""
    try:
        while True:
            os.write(error, bytes(4096))
    except BlockingIOError:
        pass
    os.set_blocking(error, True)
    os.dup2(error, 2)
    os.set_inheritable(end, True)
    os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2]])
on(signal.SIGUSR1, lambda: print("user", os.setuid(54321), flush=True))
rest()""")
    before = resident_mib(program.pid)
    daemon.simulate(SHORT)
    wait_given_back(program.pid, before)
    os.kill(program.pid, signal.SIGUSR1)
    wait_until(lambda: "user" in program.output(), "another user")


def test_a_user_is_changed_by_a_child_that_has_borrowed_the_memory(daemon, run):
    """posix_spawn(3) of another user, by vfork(2)."""
    program = run("""
import subprocess
subprocess.run(["id", "-u"], user=54321, extra_groups=[], group=54321, check=True)
subprocess._USE_VFORK = False
subprocess.run(["id", "-u"], user=54321, extra_groups=[], group=54321, check=True)
rest()""")
    assert program.lines()[:2] == ["54321", "54321"]
    assert identity(helper_of(program.pid)) == identity(f"/proc/{program.pid}/task/{program.pid}")


# ---- children ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("depth", [1, 3])
def test_forked_children_give_back_too(daemon, run, depth):
    program = run(f"""
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
for _ in range({depth}):
    child = os.fork()
    if child:
        on(signal.SIGTERM, lambda: os.kill(child, signal.SIGTERM))
        os.waitpid(child, 0)
        os._exit(0)
rest()""", depth + 1)
    daemon.simulate(SHORT)
    assert len({pid for pid, _ in program.told(depth + 1)}) == depth + 1
    assert program.stop() == 0


def test_a_daemon(daemon, run):
    """It has forked twice, a session of its own, and nothing open."""
    program = run("""
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
print(os.getpid())
print("ready", flush=True)
null = os.open("/dev/null", os.O_RDWR)
for number in range(3):
    os.dup2(null, number)
while True:
    signal.pause()""")
    pid = int(program.lines()[0])
    try:
        before = resident_mib(pid)
        daemon.simulate(SHORT)
        wait_given_back(pid, before)
        assert program.messages() == ""
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_program_that_executes_another_in_its_place(daemon, run):
    program = run("""
if "again" not in os.environ:
    os.environ["again"] = ""
    os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2]])
rest()""")
    daemon.simulate(SHORT)
    assert [pid for pid, _ in program.told(1)] == [program.pid]


# ---- the server -------------------------------------------------------------------------------------------------

def test_a_server_that_is_killed_and_comes_back(daemon, run, serve):
    program = run()
    daemon.kill()
    subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
    daemon.start()
    daemon.simulate(f"total {TOTAL_PAGES} {PLENTY}")
    wait_until(lambda: n_waiting(daemon) == 1, "it to be found")
    daemon.simulate(SHORT)
    program.told(1)


def test_a_server_that_comes_late(daemon, start, tmp_path):
    place = daemon.mountpoint
    daemon.stop()
    settings = {**os.environ, "LD_PRELOAD": LIBRARY, "MEMNOTIFYFS": str(place)}
    with subprocess.Popen([PYTHON, "-c", "import time; print('up', flush=True); time.sleep(1000)"], env=settings,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            assert program.stdout.readline() == b"up\n"
            daemon.start()
            daemon.simulate(f"total {TOTAL_PAGES} {SHORT}")
            assert len(told(program.stderr.readline().decode())) == 1
        finally:
            program.kill()


def test_limits_that_are_not_understood(daemon):
    settings = {**os.environ, "LD_PRELOAD": LIBRARY, "MEMNOTIFYFS": str(daemon.mountpoint), "MEMNOTIFY_TRIM": "usd<1"}
    with subprocess.Popen(["sleep", "1000"], env=settings, stderr=subprocess.PIPE) as program:
        try:
            assert program.stderr.readline().decode() == (
                f"memnotify-trim: sleep[{program.pid}]: gives nothing back: cannot wait for 'usd<1': "
                "there is no meter of that name\n")
            wait_until(lambda: helper_of(program.pid) is None, "the end of its thread")
        finally:
            program.kill()


# ---- rights -----------------------------------------------------------------------------------------------------

@pytest.fixture
def trusted(tmp_path_factory):
    """A directory for a shell in a mount namespace of its own: (program, directory of the C library)."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        copy = Path(directory) / "sleep"
        shutil.copy(shutil.which("sleep"), copy)
        yield copy, Path(os.path.realpath(read_loader(copy))).parent


def read_loader(program):
    return re.search(rb"/lib[^\0]*/ld-[^\0]*", Path(program).read_bytes()).group().decode()


@pytest.mark.parametrize("has_rights", [False, True])
def test_a_program_with_rights_of_its_own_is_left_alone(trusted, has_rights):
    """Where the dynamic loader does not see to it: a library that is set-user-ID, in a directory that it trusts."""
    program, libraries = trusted
    os.chmod(program, 0o4755 if has_rights else 0o755)
    script = f"""
        mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/upper /mnt/work &&
        mount -t overlay -o lowerdir={libraries},upperdir=/mnt/upper,workdir=/mnt/work none {libraries} &&
        cp {LIBRARY} {libraries} && chmod 4755 {libraries}/{os.path.basename(LIBRARY)} &&
        LD_PRELOAD={os.path.basename(LIBRARY)} exec setpriv --reuid {USER} --clear-groups {program} 1000"""
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script]) as process:
        try:
            wait_until(lambda: read_text(f"/proc/{process.pid}/comm") == "sleep\n" and
                       "nanosleep" in read_text(f"/proc/{process.pid}/stack"), "its sleep")
            assert LIBRARY.split("/")[-1] in read_text(f"/proc/{process.pid}/maps")
            assert len(os.listdir(f"/proc/{process.pid}/task")) == (1 if has_rights else 2)
        finally:
            process.kill()


# ---- memnotify-run ----------------------------------------------------------------------------------------------

def run_under(*words, **settings):
    """memnotify-run from the build tree, which finds the server in PATH."""
    path = f"{os.path.dirname(os.environ['MEMNOTIFYFS'])}:{os.environ['PATH']}"
    return subprocess.run([RUN, *map(str, words)], env={**os.environ, "PATH": path}, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, **settings)


def test_the_command_is_preloaded():
    text = "from time import sleep\nfor _ in range(200):\n    sleep(.05)\nprint('not told')"
    done = run_under("--trim", "-o", "simulate", "--", "sh", "-c", f"""
        echo 'available 2%' >$MEMNOTIFYFS/simulate
        {PYTHON} -c "{text}" 2>&1 & read -r line </dev/null; wait $!""")
    assert "memnotify-trim: python3[" in done.stdout, done


def test_its_limits_are_checked_first():
    done = run_under("--trim=availabel<3%", "echo", "run")
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == ("memnotify-run: cannot wait for 'availabel<3%': column 1: there is no meter of that name\n")


def test_what_else_is_preloaded_stays():
    done = run_under("--trim=free<1", "printenv", "LD_PRELOAD", "MEMNOTIFY_TRIM")
    assert done.stdout == f"{LIBRARY}\nfree<1\n"
    done = run_under("--trim", "env", f"LD_PRELOAD={LIBRARY}", RUN, "--trim", "printenv", "LD_PRELOAD")
    assert done.stdout == f"{LIBRARY}:{LIBRARY}\n"


@pytest.mark.parametrize("name, why", [
    ("static", "it is static, nothing can be preloaded"),
    ("foreign", "it is for another C library or processor"),
    ("rights", "it has rights that its user does not have"),
    ("script", "it is static, nothing can be preloaded"),
])
def test_a_command_that_cannot_be_preloaded_runs_and_is_named(tmp_path, name, why):
    program = tmp_path / name
    shutil.copy(shutil.which("busybox" if name == "static" else "true"), program)
    if name == "foreign":
        program.write_bytes(program.read_bytes().replace(read_loader(program).encode(), b"/lib/ld.so\0".ljust(
            len(read_loader(program)), b"\0")))
    elif name == "rights":
        os.chown(program, USER, USER)
        program.chmod(0o4755)
    elif name == "script":
        program.write_text(f"#! {shutil.which('busybox')} true\n")
    done = run_under("--trim", program)
    assert done.stderr.splitlines()[0] == f"memnotify-run: '{program}' gives nothing back: {why}"


def elf(**changes):
    """The first bytes of a program of ours, of which some are changed."""
    text = bytearray(Path(RUN).read_bytes()[:4096])
    for at, value in changes.items():
        text[int(at[1:])] = value
    return bytes(text)


@pytest.mark.parametrize("text", [
    b"", b"#", b"#!", b"#! \t\n", b"#!/nowhere", b"#!" + b"/" * 5000, b"#!" + b"x" * 300 + b"\n", b"exit 7\n",
    b"\x7fELF", elf()[:63], elf()[:64], elf()[:100], elf(), elf(x56=0), elf(x56=0xff, x57=0xff), elf(x54=0),
    elf(x39=0xff), elf(x4=1), elf(x18=3), b"#!ITSELF\n",
])
def test_whatever_the_command_is_it_fares_as_without(tmp_path, text):
    """What cannot be executed as well; and one that is a script of itself."""
    program = tmp_path / "program"
    program.write_bytes(text.replace(b"ITSELF", os.fsencode(program)))
    program.chmod(0o755)
    done, without = run_under("--trim", program), run_under(program)
    assert (done.returncode, done.stdout) == (without.returncode, without.stdout)
    assert done.stderr.splitlines()[-1:] == without.stderr.splitlines()[-1:] or "gives nothing back" in done.stderr
