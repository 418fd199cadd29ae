# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs that are measured: started for one row, each at a mount point of its own, and always ended."""

import atexit
import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_SECONDS = 10
WHERE = {"memnotifyfs": "src", "attacks": "tests/hostile"}  # in the build tree; the others are in bench


class Unmeasurable(Exception):
    """The row cannot be had here; says why."""


class Bench:
    """Where the programs are, and how thorough to be."""

    def __init__(self, build, scale, is_smoke):
        self.build = Path(build).resolve()
        self.scale = 0.01 if is_smoke else scale
        self.is_smoke = is_smoke
        cpus = sorted(os.sched_getaffinity(0))
        self.one_cpu = (cpus[-1], cpus[-1])
        self.two_cpus = (cpus[0], cpus[-1])

    def count(self, full):
        return max(2, round(full * self.scale))

    def program(self, name):
        path = self.build / WHERE.get(name, "bench") / name
        if not path.exists():
            raise Unmeasurable(f"'{path}' is not built; run 'meson compile -C {self.build}'")
        return str(path)

    def run(self, name, *arguments, cpu=None, timeout=1800):
        """The output of one of our measuring programs."""
        command = [self.program(name), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=timeout, preexec_fn=by_itself(cpu))
        if done.returncode != 0:
            raise Unmeasurable(f"{name} has failed")
        return done.stdout


AUTOGROUP = Path("/proc/self/autogroup")


def autogroup_nice():
    """Of a line like "/autogroup-17 nice 0"."""
    return AUTOGROUP.read_text().split()[-1]


def come_first():
    """Others who work on this machine get what we leave: what is measured, and the process that fills memory, all have
    the same priority and compete with each other as usual. Whether we may. At our end the session that we were started
    from is as it was, or whatever else is started there would come first, too."""
    try:
        os.nice(-20)
        if AUTOGROUP.exists():
            atexit.register(AUTOGROUP.write_text, autogroup_nice())
            AUTOGROUP.write_text("-20")
        return True
    except OSError:
        return False


def by_itself(cpu=None, uid=None, has_priority=True):
    """What a child does to be a program of its own: in a session of its own, among which the scheduler shares the CPUs
    (autogroup), with our priority or with that of everybody. On one CPU, if that is asked for: wake-ups then do not
    depend on the scheduler's mood. As another user, if that is asked for."""

    def prepare():
        nice = autogroup_nice() if AUTOGROUP.exists() else None
        os.setsid()
        if not has_priority:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
        elif nice not in (None, "0"):
            AUTOGROUP.write_text(nice)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        if uid is not None:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)

    return prepare


def peer(name):
    path = shutil.which(name)
    if not path:
        raise Unmeasurable(f"{name} is not installed; try 'apt-get install {name}'")
    return path


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def mounted(command, cpu=None):
    """Runs a file system in the foreground: (its mount point, its process)."""
    directory = tempfile.mkdtemp(prefix="memnotifyfs-bench-")
    messages = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        [part.format(mount=directory) for part in command], preexec_fn=by_itself(cpu), stderr=messages
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not os.path.ismount(directory):
            if process.poll() is not None or time.monotonic() > deadline:
                messages.seek(0)
                raise Unmeasurable(f"'{command[0]}' does not mount: {messages.read().strip()}")
            time.sleep(0.01)
        yield directory, process
    finally:
        end(process)
        if os.path.ismount(directory):
            subprocess.run(["umount", "-l", directory], check=False)
        os.rmdir(directory)
        messages.close()


def ours(bench, *options, cpu=None):
    return mounted([bench.program("memnotifyfs"), "-f", *options, "{mount}"], cpu)


def bare(bench, line_bytes, cpu=None):
    return mounted([bench.program("bare-server"), "{mount}", str(line_bytes)], cpu)


def bare_with_socket(bench, answer_bytes, cpu=None):
    return mounted([bench.program("bare-server"), "{mount}", "1", "{mount}.sock", str(answer_bytes)], cpu)


@contextmanager
def pair(bench, cpu=None):
    """Ours, able to simulate, and the bare server that answers with as many bytes: (mount, mount, our process)."""
    with ours(bench, "--simulate", cpu=cpu) as (our_mount, process):
        line = Path(our_mount, "memnotify").read_bytes()
        with bare(bench, len(line), cpu=cpu) as (bare_mount, _):
            yield our_mount, bare_mount, process


@contextmanager
def running(*command):
    """A peer that is no file system."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=by_itself()
    )
    try:
        time.sleep(2)
        if process.poll() is not None:
            raise Unmeasurable(f"'{command[0]}' does not run here")
        yield process
    finally:
        if process.poll() is None:
            end(process)


@contextmanager
def crowd(bench, n):
    """So many processes that sleep."""
    process = subprocess.Popen(
        [bench.program("crowd"), str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=by_itself()
    )
    try:
        if not process.stdout.readline():
            raise Unmeasurable(f"there is no room for {n} processes")
        yield
    finally:
        process.communicate()


def earlyoom(*arguments):
    """As Debian starts it, with a report an hour; it is told to kill nothing."""
    return running(peer("earlyoom"), "--dryrun", "-r", "3600", *arguments)


MEMORY_CGROUP = Path("/sys/fs/cgroup/memory")


def remove_group(directory):
    """Processes in it that were killed may not have ended yet."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            directory.rmdir()
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def cgroups_v1(n=1):
    """Memory cgroups of our own, each but the first below the one before; none where there is no version 1."""
    if not os.access(MEMORY_CGROUP / "cgroup.event_control", os.W_OK):
        yield []
        return
    top = MEMORY_CGROUP / f"memnotifyfs-bench-{os.getpid()}"
    groups = [top.joinpath(*["below"] * depth) for depth in range(n)]
    with ExitStack() as stack:
        for group in groups:
            group.mkdir()
            stack.callback(remove_group, group)
            if group == top and (top / "memory.use_hierarchy").exists():
                (top / "memory.use_hierarchy").write_text("1")  # before 5.11, memory of a group below is not its own
        yield groups


def meminfo():
    """/proc/meminfo as {key: KiB}."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}
