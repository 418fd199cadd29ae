# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs give memory back by their own commands: the recipes of docs/giveback.md, each with the real program
while a server pretends that memory is short."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from clients import TIMEOUT_S, wait_until
from command import status_of
from program import Program
from prometheus import UNPACKED, free_port
from recipe import Recipe, recipe

HERE = Path(__file__).parent
MIB_KIB = 1024
ENOUGH = "used 10% available 60%"
SHORT = "available 2%"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def need(program, package, folder=""):
    """Where it is; skips the test if it is nowhere."""
    places = os.pathsep.join([os.environ["PATH"], folder, UNPACKED + folder])
    path = shutil.which(program, path=places)
    if not path:
        pytest.skip(f"{program} is not there ({package})")
    return path


def resident_kib(pid):
    return int(status_of(pid)["VmRSS"].split()[0])


@pytest.fixture
def server(daemon):
    daemon.simulate(ENOUGH)
    return daemon


@pytest.fixture
def follow(start, server, tmp_path):
    """follow("Java", PID=…): the recipe is waiting."""
    def begin(heading, **variables):
        folder = tmp_path / "recipe"
        folder.mkdir(exist_ok=True)
        return start(Recipe(folder, heading, server, **variables))

    return begin


def folder_of(tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    return path


# --- garbage collectors ---


@pytest.fixture
def java(start, tmp_path):
    """java("-XX:+UseG1GC"): a program whose heap is garbage."""
    need("jcmd", "openjdk-17-jdk-headless")

    def begin(*options):
        program = start(Program(folder_of(tmp_path, "java"), ["java", "-Xmx1g", *options, HERE / "Garbage.java"],
                                stdin=subprocess.PIPE))
        program.wait_lines(1)
        return program

    return begin


def test_java_gives_back_its_heap(java, server, follow):
    program = java("-XX:+UseG1GC")
    before = resident_kib(program.pid)
    assert before > 200 * MIB_KIB
    followed = follow("Java", PID=str(program.pid))
    server.simulate(SHORT)
    wait_until(lambda: resident_kib(program.pid) < before / 2, "the heap to be given back")
    assert followed.messages() == program.messages() == ""


def test_node_collects_at_a_signal(server, follow, tmp_path):
    need("node", "nodejs")
    folder = folder_of(tmp_path, "recipe")
    shutil.copy(HERE / "garbage.js", folder / "program.js")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "memnotifyfs").symlink_to(HERE.parents[1] / "clients" / "node")
    followed = follow("Node")
    followed.wait_lines(1)
    pid = int(followed.output())
    before = resident_kib(pid)
    server.simulate(SHORT)
    wait_until(lambda: resident_kib(pid) < before - 100 * MIB_KIB, "garbage to be collected")
    assert followed.messages() == ""


def test_go_compiles_what_the_page_shows():
    example = HERE.parents[1] / "clients" / "go" / "example_test.go"
    assert recipe("Go", "go").strip() in example.read_text(encoding="utf-8")


# --- servers ---


def redis_cli(port, *words):
    return subprocess.run(["redis-cli", "-e", "-p", str(port), *words], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False).stdout.strip()


def test_a_cache_in_redis_is_evicted_from(server, start, follow, tmp_path):
    program = need("redis-check-rdb", "redis-tools")  # which is redis-server, if it is called so
    port = free_port()
    words = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--enable-debug-command", "yes",
             "--maxmemory-policy", "allkeys-lru"]
    redis = start(Program(folder_of(tmp_path, "redis"), words, executable=program, stdin=subprocess.DEVNULL))
    wait_until(lambda: redis_cli(port, "PING") == "PONG" or redis.process.poll() is not None, "redis to serve")
    assert redis_cli(port, "DEBUG", "POPULATE", "40000", "key", "8000") == "OK", redis.output()
    before = resident_kib(redis.pid)

    followed = follow("Redis, as a cache", PORT=str(port))
    server.simulate(SHORT)
    wait_until(lambda: resident_kib(redis.pid) < before - 100 * MIB_KIB, "values to be evicted, and given back")
    assert 0 < int(redis_cli(port, "DBSIZE")) < 40000
    server.simulate(ENOUGH)
    wait_until(lambda: redis_cli(port, "CONFIG", "GET", "maxmemory").split() == ["maxmemory", "0"], "no limit")
    assert followed.messages() == ""


# Those that were only unpacked may be where nobody else can look.
BOUND = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', UNPACKED]


class Postgres(Program):
    """A server of nobody's, as it refuses to be root's, in a directory that goes with it."""

    def __init__(self, directory):
        program = os.path.realpath(need("postgres", "postgresql-15", "/usr/lib/postgresql/15/bin"))
        need("psql", "postgresql-client")
        self.place = tempfile.mkdtemp(prefix="postgres.")
        os.chown(self.place, 65534, 65534)
        start = NOBODY
        if UNPACKED and program.startswith(UNPACKED):
            bound = f"{self.place}/packages"
            os.mkdir(bound)
            program = program.replace(UNPACKED, bound, 1)
            start = [*BOUND, bound, *NOBODY]
        self.environment = {"PGHOST": self.place, "PGUSER": "postgres", "PGDATABASE": "postgres"}
        data = f"{self.place}/data"
        initdb = f"{os.path.dirname(program)}/initdb"
        made = subprocess.run([*start, initdb, "--pgdata", data, "--auth=trust", "--no-sync",
                               "--username=postgres", "--locale=C", "--encoding=UTF8"],
                              cwd=self.place, capture_output=True, text=True, timeout=4 * TIMEOUT_S, check=False)
        assert made.returncode == 0, made.stderr
        super().__init__(directory, [*start, program, "-D", data, "-k", self.place,
                                     "-c", "listen_addresses=", "-c", "fsync=off"],
                         cwd=self.place, stdin=subprocess.DEVNULL)

    def ask(self, text):
        return subprocess.run(["psql", "-Xqtc", text], env={**os.environ, **self.environment}, capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False).stdout.strip()

    def session(self, directory):
        return Program(directory, ["psql", "-Xqt"], stdin=subprocess.PIPE, text=True,
                       env={**os.environ, **self.environment})

    def close(self):
        try:
            if self.process.poll() is None:
                self.stop(signal.SIGINT)  # it ends its sessions
        finally:
            super().close()
            shutil.rmtree(self.place, ignore_errors=True)


def test_postgresql_takes_less_and_ends_idle_sessions(server, start, follow, tmp_path):
    postgres = start(Postgres(folder_of(tmp_path, "postgres")))
    wait_until(lambda: postgres.ask("SELECT 1") == "1" or postgres.process.poll() is not None, "postgres to serve")
    assert postgres.ask("SHOW work_mem") == "4MB", postgres.messages()
    sessions = []
    for name, text in (("idle", "SELECT 1;\n"), ("busy", "SELECT 1; SELECT pg_sleep(3600);\n")):
        session = start(postgres.session(folder_of(tmp_path, name)))
        session.process.stdin.write(text)
        session.process.stdin.flush()
        sessions.append(session)
    states = "SELECT string_agg(state, ' ' ORDER BY state) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND " \
             "backend_type = 'client backend' AND query LIKE '%SELECT%'"
    wait_until(lambda: postgres.ask(states) == "active idle", "both sessions")

    followed = follow("PostgreSQL", IDLE="0 s", **postgres.environment)
    server.simulate(SHORT)
    wait_until(lambda: postgres.ask("SHOW work_mem") == "1MB", "less memory for a sort")
    wait_until(lambda: postgres.ask(states) == "active", "the end of the idle session")
    server.simulate(ENOUGH)
    wait_until(lambda: postgres.ask("SHOW work_mem") == "4MB", "as much as before")
    assert followed.messages() == ""
