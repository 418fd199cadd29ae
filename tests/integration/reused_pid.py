# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run by test_oom.py as the first process of a pid namespace: a process that gets the pid of a listed one is
never taken for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from clients import Child, read_text, wait_until, write_text
from daemon import Daemon

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
ADJUST = ("-o", "oom=adj")
KILL = ("-o", "oom=kill,oom_limit=free<1000,oom_grace=0")


def sleep(_say):
    while True:
        signal.pause()


def score_file(pid):
    return Path(f"/proc/{pid}/oom_score_adj")


def score(pid):
    return int(score_file(pid).read_text())


def start_ticks(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def replace(victim):
    """Ends it and starts another with its pid, at a later tick of the kernel's clock."""
    ticks = start_ticks(victim.pid)
    victim.signal(signal.SIGKILL)
    victim.wait()

    def later():
        with Child(sleep) as probe:
            return start_ticks(probe.pid) != ticks

    wait_until(later, "the clock to tick")
    LAST_PID.write_text(str(victim.pid - 1))
    other = Child(sleep)
    assert other.pid == victim.pid
    return other


def list_alone(daemon, victim):
    write_text(daemon / "oom", str(victim.pid))
    assert read_text(daemon / "oom") == f"{victim.pid} \n"


def check_restart(kill_first):
    """What a killed daemon has on record is of another process now, though it looks the same."""
    daemon = Daemon(*ADJUST).start()
    victim = Child(sleep)
    list_alone(daemon, victim)
    if kill_first:
        daemon.kill()
        subprocess.run(["umount", "-l", daemon.mountpoint], check=True)
    else:
        daemon.process.send_signal(signal.SIGSTOP)
    other = replace(victim)
    score_file(other.pid).write_text("1000")
    if kill_first:
        daemon.process = None
        daemon.start()
    else:
        daemon.process.send_signal(signal.SIGCONT)
    assert read_text(daemon / "oom") == "\n"
    daemon.close()
    assert score(other.pid) == 1000
    other.__exit__()


def check_kill():
    """It dies and its pid is taken while the daemon cannot look; then the limit is reached."""
    daemon = Daemon(*KILL, simulate=True).start()
    victim = Child(sleep)
    list_alone(daemon, victim)
    simulate = os.open(daemon / "simulate", os.O_WRONLY)
    daemon.process.send_signal(signal.SIGSTOP)
    other = replace(victim)
    writer = Child(lambda _say: os.write(simulate, b"free 5"))
    writer.wait_reading()  # its request is the first thing that the daemon finds
    daemon.process.send_signal(signal.SIGCONT)
    assert writer.wait() == 0
    os.close(simulate)
    assert read_text(daemon / "oom") == "\n"
    daemon.close()
    assert other.status_field("State") == "S"
    other.__exit__()


def main():
    if not LAST_PID.exists():
        print("the kernel does not let pids be chosen (CONFIG_CHECKPOINT_RESTORE)")
        return 77
    check_restart(kill_first=True)
    check_restart(kill_first=False)
    check_kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
