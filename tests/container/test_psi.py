# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of others that wait for pressure stalls, under `memnotify-run --psi` with stalls that are only simulated."""

import os
import re
import shutil

import pytest

from process import output_of, run, wait_until

KERNEL = "/proc/pressure/memory"
MONITORS = [root + "/usr/libexec/low-memory-monitor" for root in ("", os.environ.get("UNPACKED", ""))]
MONITOR = next(filter(os.path.exists, MONITORS), "low-memory-monitor")
MARIADB = "/usr/sbin/mariadbd"

pytestmark = pytest.mark.skipif(not os.path.exists(KERNEL), reason="this kernel has no PSI")

# A private message bus, which takes the place of the system's.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
<allow eavesdrop="true"/></policy></busconfig>
"""

WAITER = """
import os, select, sys
fd = os.open("/proc/pressure/memory", os.O_RDWR | os.O_NONBLOCK)
os.write(fd, sys.argv[1].encode())
poll = select.poll()
poll.register(fd, select.POLLPRI)
print("armed", flush=True)
for _ in range(2):
    print([event for _, event in poll.poll()], flush=True)
"""


def needs(path):
    return pytest.mark.skipif(not shutil.which(path), reason=f"{path} is not installed")


@pytest.fixture(params=["user", "root"])
def anyone(request, world, user):
    """As user(…): both have to see the same."""
    if request.param == "user":
        return user
    return lambda *command: ["env", f"PATH={world.root_environment['PATH']}", *command]


def simulated(*command):
    """A command that reads what to simulate line by line, beside the one that is given."""
    script = '"$@" & while read -r line; do echo "$line" >/run/memnotify/simulate; done; kill $!'
    return ["memnotify-run", "--psi", "-o", "simulate", "--", "sh", "-c", script, "sh", *command]


def hear(session, pattern):
    """The next line that is like that; what it says otherwise does not matter."""
    while not (found := re.search(pattern, line := session.hear())):
        assert line is not None
    return found


def test_the_file_is_ours_in_the_place_of_the_kernels(anyone):
    text = output_of(anyone("memnotify-run", "--psi", "-o", "simulate", "--", "sh", "-c",
                            f"stat -f -c %t {KERNEL}; cat {KERNEL}; cat /proc/pressure/io | wc -l"))
    assert re.fullmatch(r"65735546\nsome avg10=.*\nfull avg10=.*\n2\n", text)
    assert output_of(["stat", "-f", "-c", "%T", KERNEL]) == "proc\n"


@pytest.mark.parametrize("trigger", ["some 100000 1000000", "full 100000 1000000\0", "some 150000 2000000\n"])
def test_a_plain_poll(anyone, start, trigger):
    """As users too, windows that the kernel has for the privileged only."""
    session = start(anyone(*simulated("/usr/bin/python3", "-c", WAITER, trigger.replace("\0", ""))))
    session.expect("armed")
    session.say("stall_some 50% stall_full 50%")
    session.expect("[2]", "[2]")
    session.wait()


@needs(MONITOR)
@needs("dbus-daemon")
def test_low_memory_monitor_warns(start, world):
    """Debian's, on a bus of its own: some 70 ms, some 100 ms and full 100 ms within a second are its three levels. It
    wants to be root, since it locks itself in memory."""
    socket, config = world.path / "bus", world.path / "bus.conf"
    config.write_text(BUS.format(path=socket))
    environment = {**world.root_environment, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
    bus = start(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"])
    hear(bus, "unix:path=")
    listener = start(["dbus-monitor", "--system", "interface='org.freedesktop.LowMemoryMonitor'"], env=environment)
    hear(listener, "NameAcquired|NameLost")

    session = start(simulated(MONITOR, "-v"), env=environment)
    wait_until(lambda: run(["dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/",
                            "org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.LowMemoryMonitor"],
                           env=environment).returncode == 0, "its name on the bus")
    for stalls, level in ("stall_some 9%", 50), ("stall_some 40%", 100), ("stall_some 40% stall_full 20%", 255):
        session.say(stalls)
        assert hear(listener, r"byte (\d+)").group(1) == str(level)
    session.wait()


@needs("psi-notify")
def test_psi_notify_alerts(anyone, start, world):
    """It waits for nothing: every five seconds it reads averages, and tells of 10 % over ten seconds. Notifications it
    cannot show here."""
    session = start(anyone(*simulated("env", f"HOME={world.path}", "stdbuf", "-oL", "-eL", "psi-notify")))
    hear(session, "Pressure monitoring started")
    session.say("stall_some 90%")
    hear(session, "Memory alert: active")
    session.say("reset")
    hear(session, "Memory alert: inactive")
    session.wait()


# It opens its own group's file, which it takes from the first line of /proc/self/cgroup: nothing of it is there but
# what we put there.
SERVE_MARIADB = f"""
mount -t tmpfs none /sys/fs
file="/sys/fs/cgroup$(head -n 1 /proc/self/cgroup | cut -c 4-)/memory.pressure"
mkdir -p "$(dirname "$file")"
: >"$file"
mount --bind /run/memnotify/pressure "$file"
exec {MARIADB} --no-defaults --user=root --datadir="$1" --socket="$1/socket" --skip-networking --skip-grant-tables \\
     --innodb-buffer-pool-size=64M --innodb-buffer-pool-size-auto-min=16M --innodb-log-file-size=4M 2>&1
"""


@needs(MARIADB)
def test_mariadb_gives_back_its_buffer_pool(world, start):
    """10.11.12 and later, where the minimum is set. Its triggers end neither with a newline nor with a NUL."""
    if "innodb-buffer-pool-size-auto-min" not in run([MARIADB, "--no-defaults", "--verbose", "--help"]).stdout:
        pytest.skip("this version does not wait for stalls unless it always does")
    data = world.path / "mariadb"
    data.mkdir()
    session = start(simulated("sh", "-c", SERVE_MARIADB, "sh", data), env=world.root_environment)
    hear(session, "Initialized memory pressure event listener")
    hear(session, "ready for connections")
    session.say("stall_full 30%")
    assert hear(session, r"Memory pressure event shrunk innodb_buffer_pool_size=(\d+)m .* from 64m").group(1) != "64"
    session.wait()


def test_where_nothing_is_served_it_is_refused(world):
    """A copy of /proc in which nobody tells of stalls."""
    copy = world.path / "proc"
    copy.mkdir(exist_ok=True)
    for name in "meminfo", "vmstat":
        shutil.copy(f"/proc/{name}", copy / name)
    done = run(["memnotify-run", "--psi", "-o", f"proc={copy}", "--", "true"], env=world.root_environment)
    assert (done.returncode, done.stdout) == (125, "")
    assert re.fullmatch(f"memnotify-run: cannot serve {KERNEL}: .*; try '-o simulate'\n", done.stderr)
