# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs that are asked to give memory back, and what they do before that. Each life is a context manager, whose
process has filled memory, has freed most of it, and waits. Debian's programs are looked for in PATH and where
./quickstart test has unpacked them."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from measure.daemons import Unmeasurable, by_itself, end

LIVES = Path(__file__).resolve().parent.parent / "lives"
READY_SECONDS = 120


@dataclass
class Place:
    """Where one life takes place."""

    bench: object
    mount: Path  # of the server that tells
    directory: Path
    environment: dict
    messages: Path  # the standard error of who is told, or where he leads it
    mib: int  # to fill

    def find(self, program):
        places = [os.environ["PATH"], "/usr/sbin", f"{self.unpacked()}/usr/bin", f"{self.unpacked()}/usr/sbin"]
        path = shutil.which(program, path=os.pathsep.join(places))
        if not path:
            raise Unmeasurable(f"there is no {program}; './quickstart test' unpacks it")
        return path

    def unpacked(self):
        return self.bench.build / "packages"

    def library(self, name):
        """An allocator, to be preloaded."""
        found = [path for top in (self.unpacked(), Path("/")) for path in top.glob(f"usr/lib/*/{name}")]
        if not found:
            raise Unmeasurable(f"there is no {name}; './quickstart test' unpacks it")
        return found[0]

    def libraries(self):
        """Where those of unpacked programs are."""
        return ":".join(str(path) for path in self.unpacked().glob("usr/lib/*-linux-*"))

    @contextmanager
    def running(self, *command, has_told=True, **settings):
        """A process of its own; its libraries may be among what is unpacked."""
        with open(self.messages, "ab") as messages:
            environment = self.environment if has_told else {}
            process = subprocess.Popen(
                list(map(str, command)), preexec_fn=by_itself(has_priority=False), cwd=self.directory,
                env={**os.environ, "LD_LIBRARY_PATH": self.libraries(), **environment},
                **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": messages, **settings})
        try:
            yield process
        finally:
            end(process)
            for file in process.stdin, process.stdout:
                if file:
                    file.close()


def wait_until(condition, what, process=None):
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            raise Unmeasurable(f"waited in vain for {what}")
        time.sleep(0.02)


# ---- programs that say "ready"


def heap(*command):
    @contextmanager
    def life(place):
        words = [word.format(mib=place.mib, lives=LIVES) for word in command]
        with place.running(place.find(words[0]), *words[1:]) as process:
            if process.stdout.readline().strip() != b"ready":
                raise Unmeasurable(f"{words[0]} has failed: {place.messages.read_text()}")
            yield process

    return life


def churn(threads, allocator=None):
    @contextmanager
    def life(place):
        if allocator:
            library = f"{place.library(allocator)}:{place.environment['LD_PRELOAD']}"
            place.environment = {**place.environment, "LD_PRELOAD": library}
        with place.running(place.bench.program("churn"), place.mib, threads) as process:
            process.stdout.readline()
            yield process

    return life


@contextmanager
def go(place):
    program = place.directory / "heap"
    done = subprocess.run([place.find("go"), "build", "-o", program, LIVES / "heap.go"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unmeasurable(f"go cannot build: {done.stderr.strip()}")
    with heap(str(program), "{mib}")(place) as process:
        yield process


# ---- servers


def connect(path, process):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(READY_SECONDS)

    def is_connected():
        try:
            client.connect(str(path))
            return True
        except OSError:
            return False

    wait_until(is_connected, path.name, process)
    return client


def bulk_string(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


def send_commands(client, commands):
    """Redis's protocol; each command is answered by a number or a short line."""
    for n in range(0, len(commands), 1000):
        batch = commands[n:n + 1000]
        client.sendall(b"".join(b"*%d\r\n%s" % (len(words), b"".join(map(bulk_string, words))) for words in batch))
        answers = b""
        while answers.count(b"\r\n") < len(batch):
            answers += client.recv(65536)


def redis(is_removed):
    """Keys with values of 100 to 1900 bytes, half of which are deleted."""
    @contextmanager
    def life(place):
        path = place.directory / "redis.sock"
        with place.running(place.find("redis-server"), "--port", 0, "--unixsocket", path, "--save", "", "--appendonly",
                           "no", "--dir", place.directory, stdout=subprocess.DEVNULL) as process:
            with connect(path, process) as client:
                n = place.mib << 10
                send_commands(client, [(b"SET", b"key:%d" % i, b"x" * (100 + i * 7919 % 1800)) for i in range(n)])
                send_commands(client, [(b"DEL", b"key:%d" % i) for i in range(n) if is_removed(i, n)])
            yield process

    return life


# It clears its environment but for what it is told to keep.
NGINX = """
env MEMNOTIFYFS;
daemon off; worker_processes 1; worker_rlimit_nofile 8192; pid {directory}/nginx.pid; error_log {messages};
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_buffer_size 100k; client_max_body_size 1m;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{ listen unix:{directory}/nginx.sock; location / {{ proxy_pass http://unix:{directory}/nobody.sock; }} }}
}}
"""
UPLOAD_BYTES = 96 << 10


@contextmanager
def nginx(place):
    """Many clients send a body at once, which is kept in memory, and all but a few leave in the middle of it."""
    configuration = place.directory / "nginx.conf"
    configuration.write_text(NGINX.format(directory=place.directory, messages=place.messages))
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (UPLOAD_BYTES + 1)
    with ExitStack() as stack:
        command = (place.find("nginx"), "-c", configuration, "-p", place.directory, "-e", place.messages)
        process = stack.enter_context(place.running(*command))
        clients = []
        for _ in range((place.mib << 20) // UPLOAD_BYTES):
            clients.append(stack.enter_context(connect(place.directory / "nginx.sock", process)))
            clients[-1].sendall(head + b"x" * UPLOAD_BYTES)
        for n, client in enumerate(clients):
            if n % 50 or n == 0:
                client.close()
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        wait_until(lambda: len(os.listdir(f"/proc/{worker}/fd")) < len(clients) // 10, "its clients to leave", process)
        yield process


SESSION = """
SET SESSION group_concat_max_len = 8388608, tmp_memory_table_size = 33554432, sort_buffer_size = 8388608;
SELECT LENGTH(GROUP_CONCAT(REPEAT(seq, 20) ORDER BY seq DESC)) FROM seq_1_to_40000;
CREATE TEMPORARY TABLE one ENGINE=MEMORY AS SELECT seq, REPEAT('x', 200) AS text FROM seq_1_to_20000;
SELECT text, COUNT(*) FROM one GROUP BY text ORDER BY 2;
"""


@contextmanager
def mariadb(place):
    """Sessions sort and group at once, each with some dozen megabytes, and end."""
    data, path = place.directory / "data", place.directory / "mariadb.sock"
    (data / "life").mkdir(parents=True)  # a database
    with place.running(place.find("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={path}", "--user=root",
                       "--skip-networking", "--skip-grant-tables", f"--pid-file={data}/pid") as process:
        connect(path, process).close()
        command = [place.find("mariadb"), "--no-defaults", f"--socket={path}", "-e", SESSION, "life"]
        with ExitStack() as stack:
            sessions = [stack.enter_context(place.running(*command, has_told=False, stdout=subprocess.DEVNULL))
                        for _ in range(max(1, place.mib // 20))]
            if any(session.wait(READY_SECONDS) for session in sessions):
                raise Unmeasurable(f"a session has failed: {place.messages.read_text()}")
        yield process


# ---- the table


@dataclass
class Life:
    what: str
    start: Callable
    processes: int = 1  # who are told; 0 if it cannot have the library


TABLE = {
    "churn": Life("C++, `std::map` of strings; glibc", churn(1)),
    "churn-threads": Life("the same, 4 threads", churn(4)),
    "churn-jemalloc": Life("the same, jemalloc preloaded", churn(4, "libjemalloc.so.2")),
    "churn-tcmalloc": Life("the same, tcmalloc preloaded", churn(4, "libtcmalloc_minimal.so.4")),
    "churn-mimalloc": Life("the same, mimalloc preloaded", churn(4, "libmimalloc.so.2")),
    "python": Life("Python 3, documents of JSON", heap("/usr/bin/python3", "{lives}/heap.py", "{mib}")),
    "perl": Life("Perl, a hash of texts", heap("/usr/bin/perl", "{lives}/heap.pl", "{mib}")),
    "redis-old": Life("Redis (jemalloc), the older half of the keys is deleted", redis(lambda i, n: i < n // 2)),
    "redis-every": Life("Redis, every second key is deleted", redis(lambda i, n: i % 2)),
    "nginx": Life("nginx, uploads that end", nginx, 2),
    "mariadb": Life("MariaDB, ten sessions that end", mariadb),
    "node": Life("Node.js, objects and Buffers", heap("node", "{lives}/heap.js", "{mib}")),
    "java": Life("Java", heap("java", "{lives}/Heap.java", "{mib}")),
    "go": Life("Go", go, 0),
}
