# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-dbus, as who listens to org.freedesktop.LowMemoryMonitor hears it: GLib, gdbus, the portal of sandboxes."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from bus import DBUS, MONITOR, NAME, OBJECT, Bus, Listener, Program, end_of
from clients import TIMEOUT_S, wait_until
from daemon import PROGRAM
from memcg_client import MIB, NOBODY, removed_at_end, v1_group

BUILT = Path(DBUS).parent  # where the files for the bus are made
POLICY = Path(__file__).resolve().parents[2] / "clients" / "bridges" / "dbus" / f"{NAME}.conf"
RUN = os.path.abspath(os.environ.get("RUN", "build/mount-helpers/memnotify-run"))
UNPACKED = os.environ.get("UNPACKED", "")
PORTAL = "/usr/libexec/xdg-desktop-portal"
LOW, MEDIUM, CRITICAL = 50, 100, 255

# A million pages, of which nothing is short; and by the preset of a machine, per cent of memory.
PLENTY = "total 1000000 swap_total 0 swap_free 0 used 100000 available 800000"
SHORT = {LOW: "available 90000", MEDIUM: "available 50000", CRITICAL: "available 20000"}

# What /usr/share/dbus-1/system.conf has for those who are not allowed more.
SYSTEM_POLICY = f"""<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
<allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
<allow send_destination="org.freedesktop.DBus"/></policy><include>{POLICY}</include>"""


@pytest.fixture
def make_server(serve, make_machine):
    """make_server("files"): the library takes the socket where there is one."""
    def make(way="socket"):
        daemon = serve("-o", "update_space=4", *["--socket"][:way == "socket"], machine=make_machine("debian-6.1"),
                       simulate=True)
        daemon.simulate(PLENTY)
        return daemon

    return make


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture(params=["files", "socket"])
def either_server(make_server, request):
    return make_server(request.param)


@pytest.fixture
def bus(start):
    return start(Bus())


def bridge_on(bus, *words, env=(), **settings):
    return Program([DBUS, *words], {**bus.environment, **dict(env)}, **settings)


@pytest.fixture
def bridge(start, bus):
    """bridge(server, "--low", "used 5"): a program that has its name."""
    def add(server, *words):
        program = start(bridge_on(bus, "--at", server.mountpoint, *words))
        wait_until(lambda: bus.owner() or program.process.poll() is not None, "the name")
        assert program.process.poll() is None, program.messages()
        return program

    return add


def says(status, *words, env=(), **settings):
    """What it says on standard error when it ends with that status; it prints nothing."""
    done = subprocess.run([DBUS, *map(str, words)], env={**os.environ, **dict(env)}, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, **settings)
    assert (done.returncode, done.stdout) == (status, ""), done
    return done.stderr


# --- who hears of it ---


def test_each_level_reaches_gmemorymonitor_in_order(either_server, bus, bridge, start):
    bridge(either_server)
    monitor = start(bus.monitor())
    heard = []
    for level, values in SHORT.items():
        either_server.simulate(values)
        heard.append(level)
        monitor.wait_levels(*heard)


@pytest.mark.parametrize("level", SHORT)
def test_each_level_can_be_the_first(server, bus, bridge, start, level):
    bridge(server)
    monitor = start(bus.monitor())
    server.simulate(SHORT[level])
    monitor.wait_levels(level)


def test_gdbus_shows_the_signal(server, bus, bridge, start):
    bridge(server)
    listener = start(bus.gdbus_monitor())
    server.simulate(SHORT[LOW])
    listener.wait_levels(LOW)
    server.simulate(SHORT[CRITICAL])
    listener.wait_levels(LOW, CRITICAL)


def test_all_hear_of_it(server, bus, bridge, start):
    bridge(server)
    listeners = [start(bus.monitor()), start(bus.monitor()), start(bus.gdbus_monitor())]
    server.simulate(SHORT[MEDIUM])
    for listener in listeners:
        listener.wait_levels(MEDIUM)


def test_who_was_there_first_hears_of_it(server, bus, bridge, start):
    """GLib waits for the name."""
    environment = {**bus.environment, "GIO_USE_MEMORY_MONITOR": "dbus"}
    monitor = start(Listener([MONITOR], environment, r"^(\d+)$"))
    bridge(server)
    wait_until(bus.listeners, "GLib to listen")
    server.simulate(SHORT[MEDIUM])
    monitor.wait_levels(MEDIUM)


def test_what_is_short_already_is_told(server, bus, bridge, start):
    listener = start(Listener(["dbus-monitor", "--system", f"interface='{NAME}'"], bus.environment, r"^   byte (\d+)$"))
    wait_until(lambda: "NameAcquired" in listener.output() or "NameLost" in listener.output(), "dbus-monitor to listen")
    server.simulate(SHORT[CRITICAL])
    bridge(server)
    listener.wait_levels(CRITICAL)


def test_what_lasts_is_repeated(server, bus, bridge, start):
    """After how long tests/unit/test-levels.c knows."""
    bridge(server)
    listener = start(bus.gdbus_monitor())
    server.simulate(SHORT[LOW])
    wait_until(lambda: listener.output().count("(byte 0x32,)") == 2, "the level to be told again")


def test_it_can_be_introspected(server, bus, bridge):
    bridge(server)
    done = bus.gdbus("introspect", "--dest", NAME, "--object-path", OBJECT)
    text = " ".join(done.stdout.split())
    assert f"interface {NAME} {{ methods: signals: LowMemoryWarning(y level); properties: }};" in text, done
    assert "LowMemoryMonitor" in bus.gdbus("introspect", "--dest", NAME, "--object-path", "/", "--recurse").stdout


@pytest.mark.skipif(not os.path.exists(PORTAL), reason=f"{PORTAL} is not installed")
def test_the_portal_passes_it_on_to_sandboxes(server, bus, bridge, start, tmp_path):
    """On a session bus without any other portal."""
    session = start(Bus("session"))
    environment = {**bus.environment, **session.environment, "GIO_USE_MEMORY_MONITOR": "dbus", "HOME": str(tmp_path),
                   "XDG_RUNTIME_DIR": str(tmp_path)}
    bridge(server)
    start(Program([PORTAL], environment))
    portal = "org.freedesktop.portal.Desktop"
    wait_until(lambda: session.owner(portal), "the portal")
    wait_until(bus.listeners, "the portal to listen")
    listener = start(Listener(["gdbus", "monitor", "--session", "--dest", portal], session.environment,
                              r"org\.freedesktop\.portal\.MemoryMonitor\.LowMemoryWarning \(byte (\w+),\)"))
    wait_until(lambda: session.listeners(portal), "gdbus to listen")
    heard = []
    for level, values in SHORT.items():
        server.simulate(values)
        heard.append(level)
        listener.wait_levels(*heard)


# --- limits ---


def test_a_level_lasts_while_any_of_its_limits_is_reached(either_server, bus, bridge, start):
    """Of what is lower then nothing is told at once; of what is higher it is."""
    either_server.simulate("dirty 0 mlocked 0")
    bridge(either_server, "--low", "used 500000 available<100000", "--medium", "dirty 10", "--critical", "mlocked 10")
    monitor = start(bus.monitor())
    either_server.simulate("used 600000")
    monitor.wait_levels(LOW)
    either_server.simulate("available 10")
    either_server.simulate("used 100")
    either_server.simulate("dirty 20")
    monitor.wait_levels(LOW, MEDIUM)
    either_server.simulate("mlocked 20")
    monitor.wait_levels(LOW, MEDIUM, CRITICAL)


def test_limits_are_shown(server, bus, bridge, start):
    assert bridge(server, "--medium", "used 80%").output() == ("low available<10%\nmedium used 80%\n"
                                                       "critical available<3% used>=95%\n")


def limits_of(bus, program):
    wait_until(lambda: bus.owner() or program.process.poll() is not None, "the name")
    return program.output().splitlines()


def test_a_preset_is_of_memory_without_swap(server, bus, bridge):
    server.simulate("total 4000000 swap_total 3000000 swap_free 3000000")
    assert bridge(server).output() == "low available<2.5%\nmedium available<1.5%\ncritical available<0.75% used>=95%\n"


def test_the_preset_of_a_group_can_be_chosen(server, bridge):
    program = bridge(server, "--preset", "group")
    assert program.output() == "low available<15%\nmedium available<10%\ncritical used>=95%\n"


@pytest.mark.parametrize("way", ["files", "socket"])
def test_a_group_has_limits_of_its_own(serve, bus, start, way):
    with removed_at_end(v1_group()) as group:
        (group / "memory.limit_in_bytes").write_text(str(64 * MIB))
        daemon = serve(f"--source=cgroup={group}", *["--socket"][:way == "socket"])
        program = start(bridge_on(bus, "--at", daemon.mountpoint))
        low, _, critical = limits_of(bus, program)
        assert re.fullmatch(r"low available<(15|\d\.\d+)%", low) and critical == "critical used>=95%"
        program.close()
        program = start(bridge_on(bus, "--at", daemon.mountpoint, "--preset=machine"))
        assert "critical available" in limits_of(bus, program)[2]
        program.close()
        daemon.stop()


def test_a_preset_follows_memory_and_swap(server, bus, bridge, start):
    """By the socket, which tells of it: 100000 pages are 10 % of memory, which is half of the total at first."""
    server.simulate("total 2000000 swap_total 1000000 swap_free 1000000")
    bridge(server)
    monitor = start(bus.monitor())
    server.simulate("available 90000 total 1000000 swap_total 0 swap_free 0")
    monitor.wait_levels(LOW)


# --- whose name it is ---


def test_another_has_the_name(server, bus, bridge):
    first = bridge(server)
    assert says(3, "--at", server.mountpoint, env=bus.environment) == (
        f"memnotify-dbus: '{NAME}' is {bus.owner()} on this bus, process {first.process.pid} (memnotify-dbus); "
        "there can be one\n")
    assert first.stop() == 0 and bus.owner() is None


def test_it_gives_way_to_low_memory_monitor(server, bus, start):
    """Debian's, which waits for pressure stalls; memnotify-run gives it such as it can wait for."""
    paths = [root + "/usr/libexec/low-memory-monitor" for root in ("", UNPACKED)]
    monitor = next(filter(os.path.exists, paths), None)
    if not monitor or not os.path.exists("/proc/pressure/memory"):
        pytest.skip("low-memory-monitor is not there, or has no pressure stalls to wait for")
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    start(Program([RUN, "--psi", "-o", "simulate", "--", monitor], {**bus.environment, "PATH": path}))
    wait_until(bus.owner, "low-memory-monitor to have its name")
    said = says(3, "--at", server.mountpoint, env=bus.environment)
    assert re.fullmatch(rf"memnotify-dbus: '{NAME}' is {bus.owner()} on this bus, process {bus.owner_pid()} "
                        r"\(low-memory-moni\); there can be one\n", said), said


def test_it_does_not_wait_for_the_name(server, bus, bridge):
    first = bridge(server)
    says(3, "--at", server.mountpoint, env=bus.environment)
    first.stop()
    assert bus.ask("ListQueuedOwners", NAME) is None and bus.owner() is None


def test_nobody_takes_its_name_away(server, bus, bridge):
    """4 does not wait, 2 replaces whoever allows it: the name exists."""
    bridge(server)
    owner = bus.owner()
    assert bus.ask("RequestName", NAME, "6") == 3
    assert bus.owner() == owner


# --- as installed ---


def test_the_bus_starts_it(server, start, tmp_path):
    """By the file that is installed, but for the path; for GLib, which asks for the name."""
    text = (BUILT / f"{NAME}.service").read_text(encoding="utf-8")
    (tmp_path / f"{NAME}.service").write_text(re.sub("(?m)^Exec=.*", f"Exec={DBUS}", text), encoding="utf-8")
    # A bus of the system's type would start it by a helper that is root by its bits, and by the user's number alone.
    bus = start(Bus(rest=f"<servicedir>{tmp_path}</servicedir>{SYSTEM_POLICY}", kind_said="session",
                    environment={"MEMNOTIFYFS": str(server.mountpoint)}))
    assert bus.owner() is None
    monitor = start(bus.monitor())
    pid = bus.owner_pid()
    assert Path(f"/proc/{pid}/comm").read_text(encoding="ascii") == "memnotify-dbus\n"
    server.simulate(SHORT[MEDIUM])
    monitor.wait_levels(MEDIUM)
    bus.end()
    end_of(pid)


def test_others_may_listen_and_have_no_name(server, start):
    bus = start(Bus("system", SYSTEM_POLICY))
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    said = says(1, "--at", server.mountpoint, env=bus.environment, **as_nobody)
    assert said.startswith(f"memnotify-dbus: cannot be '{NAME}' on this bus: Connection "), said
    assert said.count("\n") == 1 and "is not allowed to own the service" in said

    program = start(bridge_on(bus, "--at", server.mountpoint))
    wait_until(bus.owner, "the name")
    listeners = [start(bus.gdbus_monitor(**as_nobody)), start(bus.monitor(**as_nobody))]
    assert bus.gdbus("introspect", "--dest", NAME, "--object-path", OBJECT, **as_nobody).returncode == 0
    server.simulate(SHORT[CRITICAL])
    for listener in listeners:
        listener.wait_levels(CRITICAL)
    assert program.stop() == 0


def test_the_unit_is_as_systemd_has_it(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there")
    unit = tmp_path / "memnotify-dbus.service"
    text = (BUILT / "memnotify-dbus.service").read_text(encoding="utf-8")
    assert f"\nBusName={NAME}\n" in text and "\nRestartPreventExitStatus=3\n" in text
    unit.write_text(re.sub("(?m)^ExecStart=.*", f"ExecStart={DBUS}", text), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- ends ---


def test_it_goes_on_with_the_next_server(either_server, bus, bridge, start):
    program = bridge(either_server)
    monitor = start(bus.monitor())
    either_server.simulate(SHORT[LOW])
    monitor.wait_levels(LOW)
    first_fds = either_server.first_fds
    either_server.kill()
    either_server.start()
    either_server.first_fds = first_fds
    either_server.simulate(PLENTY)
    either_server.simulate(SHORT[CRITICAL])
    monitor.wait_levels(LOW, CRITICAL)
    assert program.stop() == 0 and program.messages() == ""


@pytest.mark.parametrize("way", ["files", "socket"])
def test_a_group_that_is_removed_and_made_anew(serve, bus, bridge, start, way):
    with removed_at_end(v1_group()) as group:
        limit = group / "memory.limit_in_bytes"
        limit.write_text(str(64 * MIB))
        daemon = serve("-o", "update_period=1,max_update_period=20", f"--source=cgroup={group}",
                       *["--socket"][:way == "socket"])
        program = bridge(daemon, "--low", "total<100M", "--medium", "total<50M")
        monitor = start(bus.monitor())
        daemon.expected += [".* was removed; .*", ".* is there again"]
        group.rmdir()
        wait_until(lambda: "was removed" in daemon.read_messages(), "the end of the group")
        group.mkdir()
        limit.write_text(str(32 * MIB))
        wait_until(lambda: MEDIUM in monitor.levels(), "the limits to hold for the new group")
        assert program.stop() == 0 and program.messages() == ""
        daemon.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(server, bus, bridge, number):
    program = bridge(server)
    server.simulate(SHORT[LOW])
    assert program.stop(number) == 0
    assert program.messages() == "" and bus.owner() is None


def test_a_bus_that_ends(server, bus, bridge):
    program = bridge(server)
    bus.end()
    assert program.wait() == 1
    assert program.messages() == "memnotify-dbus: the bus has closed the connection\n"


def test_there_is_no_bus(server, tmp_path):
    said = says(1, "--at", server.mountpoint, env={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"})
    assert re.fullmatch("memnotify-dbus: cannot connect to the system bus: .*\n", said), said
    said = says(1, "--at", server.mountpoint, "--session",
                env={"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"})
    assert re.fullmatch("memnotify-dbus: cannot connect to the session bus: .*\n", said), said


def test_there_is_no_server(bus, tmp_path):
    assert says(1, "--at", tmp_path / "nothing", env=bus.environment) == (
        f"memnotify-dbus: there is no memnotifyfs at '{tmp_path}/nothing'; 'memnotify serve' starts one\n")
    assert bus.owner() is None


@pytest.mark.parametrize("words, message", [
    (["--low", "used 80%, foo<3"],
     "limits not understood: there is no meter of that name\n    used 80%, foo<3\n              ^\n"),
    (["--critical", " "], "there are no limits in ' '; 'available<10%' is one\n"),
])
def test_limits_that_are_wrong(either_server, bus, words, message):
    assert says(2, "--at", either_server.mountpoint, *words, env=bus.environment) == f"memnotify-dbus: {message}"


@pytest.mark.parametrize("words, message", [
    (["--preset", "small"], "there is no preset 'small'; there are 'machine' and 'group'"),
    (["used 5"], "there is an argument too many; see 'memnotify-dbus --help'"),
    (["--high", "used 5"], "Unknown option --high; see 'memnotify-dbus --help'"),
])
def test_a_command_line_that_is_wrong(words, message):
    assert says(2, *words) == f"memnotify-dbus: {message}\n"


def test_help_fits_a_screen():
    done = subprocess.run([DBUS, "--help"], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert len(done.stdout.splitlines()) <= 24 and max(map(len, done.stdout.splitlines())) <= 80
    assert subprocess.run([DBUS, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=True).stdout.startswith("memnotify-dbus ")
