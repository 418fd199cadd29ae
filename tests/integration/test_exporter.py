# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify-exporter: metrics by HTTP, and what it says to those who ask for something else."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys

import pytest

import manager
from clients import TIMEOUT_S, read_text, wait_until, write_text
from exporter import OPENMETRICS, PROMETHEUS, TEXT, environment, exporter, reset_at_the_end
from exposition import parse
from machine import PAGE_KIB
from prometheus import Prometheus, find

HOSTILE = "# TYPE memnotifyfs_a gauge\n# HELP memnotifyfs_a A.\n"
FAMILIES = re.compile(r"^# TYPE (\w+)", re.MULTILINE)
MOVING = re.compile(r"(cpu_seconds|wakeups|samples|open_files|connections).* ")


@pytest.fixture
def several(serve, export, make_machine):
    """Two mounts, and who serves them as `one` and `two`."""
    daemons = [serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True) for _ in range(2)]
    return daemons, export("--listen=0", *(f"--mount={name}={daemon.mountpoint}"
                                           for name, daemon in zip(("one", "two"), daemons)))


def scrape(server, is_openmetrics=True):
    return parse(server.get(Accept=PROMETHEUS if is_openmetrics else "*/*"), is_openmetrics)


def ups(server):
    return {dict(labels).get("mount"): value for labels, value in scrape(server)["memnotifyfs_up"].items()}


def still(text):
    """The lines whose values do not move."""
    return [line for line in text.splitlines() if not MOVING.search(line)]


# ---- metrics -----------------------------------------------------------------------------------------------------

def test_one_mount_is_as_its_file_with_whether_it_is_up(served, daemon):
    write_text(daemon / "thresholds" / 'a"b\\c', "used 5")
    for accept, kind, file, end in (PROMETHEUS, OPENMETRICS, "metrics", ["# EOF"]), ("*/*", TEXT, "metrics.prom", []):
        answer, text = served.ask("/metrics", Accept=accept)
        assert (answer.status, answer.getheader("Content-Type")) == (200, kind)
        lines, own = still(text), still(read_text(daemon / file))
        assert lines[:len(own) - len(end)] == own[:len(own) - len(end)]
        assert lines[len(own) - len(end):] == ["# TYPE memnotifyfs_up gauge",
                                               "# HELP memnotifyfs_up Whether the mount could be read.",
                                               "memnotifyfs_up 1", *end]
        parse(text, bool(end))


def test_promtool_finds_no_fault(several):
    daemons, server = several
    write_text(daemons[0] / "thresholds" / 'a"b\\c', "used 5")
    done = subprocess.run([find("promtool"), "check", "metrics"], input=server.get(), text=True, timeout=TIMEOUT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, "")


PROMETHEUS_YML = """
global: {{ scrape_interval: 1s }}
scrape_configs: [ {{ job_name: memory, static_configs: [ {{ targets: [ '{}:{}' ] }} ] }} ]
"""


@pytest.fixture
def prometheus(several, tmp_path):
    find("prometheus")
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS_YML.format(*several[1].address), encoding="ascii")
    started = Prometheus("prometheus", tmp_path, "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp_path}/data")
    yield started.wait_ready("/-/ready")
    started.close()


def test_prometheus_scrapes_it(several, prometheus):
    """And takes all of it: `up` would be 0."""
    daemons, _ = several

    def values(name):
        return {labels.get("mount"): value for labels, value in prometheus.query(name)}

    daemons[0].simulate("used 1000")
    used = [float(daemon.meter("used") * PAGE_KIB * 1024) for daemon in daemons]
    wait_until(lambda: values("memnotifyfs_used_bytes") == dict(zip(("one", "two"), used)), "what is used")
    assert values("up") == {None: 1}
    daemons[1].stop()
    wait_until(lambda: values("memnotifyfs_up") == {"one": 1, "two": 0}, "one to be away")
    assert values("up") == {None: 1}


def test_several_mounts_have_labels(several):
    daemons, server = several
    for number, daemon in enumerate(daemons, 1):
        daemon.simulate(f"used {number}000")
        write_text(daemon / "thresholds" / f"low{number}", "used 5")
    for is_openmetrics in True, False:
        metrics = scrape(server, is_openmetrics)
        used = metrics["memnotifyfs_used_bytes"]
        assert used[(("mount", "two"),)] == 2 * used[(("mount", "one"),)] > 0 and len(used) == 2
        assert set(metrics["memnotifyfs_threshold_reached"]) == {
            (("mount", name), ("threshold", f"low{number}"), ("meter", "used"), ("op", ">="))
            for number, name in enumerate(("one", "two"), 1)}
        assert metrics["memnotifyfs_up"] == {(("mount", "one"),): 1, (("mount", "two"),): 1}
        assert all(labels[0][0] == "mount" for family in metrics.values() for labels in family)


def test_a_mount_comes_and_goes(serve, export, directory):
    server = export("--listen=0", "--at", directory)
    assert ups(server) == {None: 0}
    for _ in range(2):
        daemon = serve(simulate=True)
        subprocess.run(["mount", "--bind", daemon.mountpoint, directory], check=True)
        assert ups(server) == {None: 1}
        daemon.kill()
        assert ups(server) == {None: 0}
        subprocess.run(["umount", directory], check=True)
        assert ups(server) == {None: 0}


def test_one_that_hangs_is_waited_for_once(several):
    """And not one that is away beside it, which answers at once that it is not there."""
    daemons, server = several
    daemons[0].process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            assert ups(server) == {"one": 0, "two": 1}
    finally:
        daemons[0].process.send_signal(signal.SIGCONT)
    wait_until(lambda: ups(server) == {"one": 1, "two": 1}, "both to be up")


def test_one_that_is_away_while_another_hangs_is_seen_when_it_is_back(serve, export, directory):
    hung, other = serve(simulate=True), serve(simulate=True)
    server = export("--listen=0", f"--mount=hung={hung.mountpoint}", f"--mount=other={directory}")
    hung.process.send_signal(signal.SIGSTOP)
    try:
        assert ups(server) == {"hung": 0, "other": 0}
        subprocess.run(["mount", "--bind", other.mountpoint, directory], check=True)
        assert ups(server) == {"hung": 0, "other": 1}
    finally:
        hung.process.send_signal(signal.SIGCONT)
    wait_until(lambda: ups(server) == {"hung": 1, "other": 1}, "both to be up")


@pytest.mark.parametrize("text", [
    "", "nonsense\n", "\0", "\xff", "# EOF\n" * 2, HOSTILE + 'memnotifyfs_a{mount="one"} 1\n# EOF\n',
    "# TYPE node_a gauge\nnode_a 1\n# EOF\n", HOSTILE + "memnotifyfs_a 1\n",
    "# TYPE memnotifyfs_up gauge\nmemnotifyfs_up 1\n# EOF\n", HOSTILE + "memnotifyfs_a 1e999\n# EOF\n"])
def test_a_hostile_text_is_left_out(serve, export, tmp_path, text):
    daemon = serve(simulate=True)
    for file in "metrics", "metrics.prom":
        (tmp_path / file).write_text(text, encoding="latin-1")
    server = export("--listen=0", f"--mount=bad={tmp_path}", f"--mount=good={daemon.mountpoint}")
    metrics = scrape(server)
    assert metrics["memnotifyfs_up"] == {(("mount", "bad"),): 0, (("mount", "good"),): 1}
    assert all(labels[0] == ("mount", "good") for name, family in metrics.items() if name != "memnotifyfs_up"
               for labels in family)


def make_endless(path):
    path.symlink_to("/dev/zero")


def make_large(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def make_directory(path):
    path.mkdir()


@pytest.mark.parametrize("make", [os.mkfifo, make_endless, make_large, make_directory])
def test_a_hostile_file_is_left_out(serve, export, directory, make):
    """What takes its place is seen, whatever it was."""
    make(directory / "metrics")
    daemon = serve(simulate=True)
    server = export("--listen=0", f"--mount=bad={directory}", f"--mount=good={daemon.mountpoint}")
    assert ups(server) == {"bad": 0, "good": 1}
    subprocess.run(["mount", "--bind", daemon.mountpoint, directory], check=True)
    wait_until(lambda: ups(server) == {"bad": 1, "good": 1}, "the mount in its place")


def test_what_is_there_and_right_is_taken_from_anywhere(export, tmp_path):
    (tmp_path / "metrics").write_text(HOSTILE + "memnotifyfs_a 5\n# EOF\n", encoding="ascii")
    server = export("--listen=0", f"--mount=own={tmp_path}")
    assert scrape(server) == {"memnotifyfs_a": {(("mount", "own"),): 5}, "memnotifyfs_up": {(("mount", "own"),): 1}}


# ---- HTTP --------------------------------------------------------------------------------------------------------

def test_head(served):
    answer, text = served.ask("/metrics", "HEAD", Accept=PROMETHEUS)
    assert (answer.status, answer.getheader("Content-Type"), text) == (200, OPENMETRICS, "")
    assert int(answer.getheader("Content-Length")) > 1000
    for path in "/", "/page.css", "/page.js":
        answer, text = served.ask(path, "HEAD")
        assert (answer.status, text) == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "NONSENSE"])
def test_nothing_can_be_written(served, method):
    for path in "/", "/metrics", "/events", "/other":
        answer, text = served.ask(path, method, body=b"x" * 100000)
        assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")
        assert text == "there is nothing to write here\n"


@pytest.mark.parametrize("path", ["/other", "/metrics/", "//metrics", "/../metrics", "/page/index.html",
                                  "/%2e%2e/etc/passwd", "/page.js/", "*"])
def test_unknown_paths(served, path):
    answer, text = served.ask(path)
    assert (answer.status, text) == (404, "there is /, /metrics and /events\n")


def status_for(server, host, place=None):
    return server.ask("/metrics", place=place, Host=host)[0].status


def test_names_of_others_are_no_way_in(export, daemon, tmp_path):
    """A page of somebody else's, whose name leads here: its browser sends that name."""
    path = f"{tmp_path}/a.sock"
    server = export("--listen=0", "--listen", path, "--at", daemon.mountpoint)
    for host in "attacker.example", "attacker.example:80", "localhost.attacker.example", "":
        for url in "/", "/metrics", "/events":
            answer, text = server.ask(url, Host=host)
            assert (answer.status, text) == (421, "this is not what it is called here; see --host in "
                                             "memnotify-exporter(1)\n"), host
    for host in "127.0.0.1:80", "localhost", "[::1]:80", "memory.localhost":
        assert status_for(server, host) == 200, host
    assert status_for(server, "attacker.example", place=path) == 200  # which no browser reaches


def test_names_that_it_is_called_by(export, daemon):
    named = export("--listen=0", "--host=memory.example.org", "--host", "web1", "--at", daemon.mountpoint)
    assert [status_for(named, host) for host in ("memory.example.org", "Web1:443", "web2")] == [200, 200, 421]
    public = export("--listen=0.0.0.0:0", "--at", daemon.mountpoint)
    assert status_for(public, "web1.example.org") == 200


def test_headers(served):
    for path, kind in {"/": "text/html; charset=utf-8", "/page.css": "text/css; charset=utf-8",
                       "/page.js": "text/javascript; charset=utf-8", "/metrics": TEXT,
                       "/other": "text/plain; charset=utf-8"}.items():
        answer, _ = served.ask(path)
        assert answer.getheader("Content-Type") == kind
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Cache-Control") == "no-cache"
        policy = answer.getheader("Content-Security-Policy").split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert answer.getheader("Access-Control-Allow-Origin") is None
        assert (answer.getheader("Vary") == "Accept") == (path == "/metrics")


GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
BROKEN = {
    "empty": b"\r\n\r\n", "nonsense": b"nonsense\r\n\r\n", "no path": b"GET\r\n\r\n",
    "no version": b"GET /metrics\r\n\r\n",
    "another version": b"GET /metrics HTTP/9.9\r\n\r\n", "no host": b"GET /metrics HTTP/1.1\r\n\r\n",
    "an old version": b"GET /metrics HTTP/1.0\r\n\r\n", "NUL": b"\0\0\0\0\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "half": GET,
    "a length below 0": GET + b"Content-Length: -5\r\n\r\n", "a long body": GET + b"Content-Length: 9999999\r\n\r\nx",
    "a length too large": GET + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "no chunk": GET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a long path": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n",
    "many headers": GET + b"A: b\r\n" * 20000 + b"\r\n", "many ranges": GET + b"Accept: " + b"," * 7000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_requests(served, name):
    """Whatever he is told, others are served meanwhile."""
    with served.connect() as client:
        try:
            client.sendall(BROKEN[name])
            client.shutdown(socket.SHUT_WR)
        except OSError:  # he was sent away already
            pass
        assert ups(served) == {None: 1}
        reset_at_the_end(client)


def test_requests_in_a_row(served):
    """Also those that come before the first was answered."""
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    text = served.send(request * 20 + b"GET /other HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert text.count(b"HTTP/1.1 200 ") == 20 and text.count(b"memnotifyfs_up 1\n") == 20
    assert text.count(b"HTTP/1.1 404 ") == 1


def test_who_leaves_before_he_is_answered(served, daemon):
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            with served.connect() as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert ups(served) == {None: 0}
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: ups(served) == {None: 1}, "the mount")


# ---- where it listens --------------------------------------------------------------------------------------------

def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


@pytest.mark.parametrize("text, host", [("0", "127.0.0.1"), (":0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"),
                                        ("0.0.0.0:0", "0.0.0.0"), ("[::1]:0", "[::1]"), ("[::]:0", "[::]")])
def test_addresses(export, daemon, text, host):
    if ":]" in text and not has_ipv6() or "::" in text and not has_ipv6():
        pytest.skip("there is no IPv6 here")
    server = export("--listen", text, "--at", daemon.mountpoint)
    assert re.fullmatch(rf"http://{re.escape(host)}:[1-9]\d*/", server.places[0])
    assert ups(server) == {None: 1}


def test_several_addresses(export, daemon, tmp_path):
    path = f"{tmp_path}/a.sock"
    server = export("--listen=0", "-l", path, "-l", "127.0.0.1:0", "--at", daemon.mountpoint)
    for place in [*server.places, server.read_place(), server.read_place()]:
        answer, text = server.ask("/metrics", place=place)
        assert answer.status == 200 and "\nmemnotifyfs_up 1\n" in text
    server.stop()
    assert not os.path.exists(path)


def test_a_socket_that_nobody_serves_is_replaced(export, daemon, tmp_path):
    path = f"{tmp_path}/a.sock"
    first = export("--listen", path, "--at", daemon.mountpoint)
    first.process.kill()
    first.process.wait()
    assert os.path.exists(path)
    second = export("--listen", path, "--at", daemon.mountpoint)
    assert second.places == [path] and ups(second) == {None: 1}


def test_the_socket_of_another_is_left_alone(export, daemon, tmp_path):
    path = tmp_path / "a.sock"
    first = export("--listen", path, "--at", daemon.mountpoint)
    path.unlink()
    second = export("--listen", path, "--at", daemon.mountpoint)
    first.stop()
    assert ups(second) == {None: 1}


def test_what_is_taken(export, daemon, tmp_path):
    path = tmp_path / "a.sock"
    server = export("-l", "0", "-l", path, "--at", daemon.mountpoint)
    port = server.address[1]
    (tmp_path / "file").touch()
    for place, why in {path: "somebody serves it already", f"127.0.0.1:{port}": "Address already in use",
                       tmp_path / "file": "File exists", tmp_path / "no" / "a": "No such file or directory",
                       tmp_path / ("a" * 200): "File name too long"}.items():
        done = exporter("--listen", place)
        assert (done.returncode, done.stderr) == (1, f"memnotify-exporter: cannot listen at '{place}': {why}\n")
    assert os.path.exists(path) and (tmp_path / "file").exists()


def activated(sockets, *words):
    """Started by a service manager that hands these over."""
    fds = [made.fileno() for made in sockets]
    return {"wrapper": [sys.executable, manager.__file__, ",".join(map(str, fds))], "pass_fds": fds,
            "env": environment(LISTEN_FDS=str(len(fds)))}


def test_sockets_of_a_service_manager(export, daemon, tmp_path):
    """In the place of those of the command line; the manager's are not removed."""
    path = f"{tmp_path}/a.sock"
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_UNIX) as two:
        two.bind(path)
        two.listen()
        server = export("--listen", f"{tmp_path}/other.sock", "--at", daemon.mountpoint, **activated([one, two]))
        assert [*server.places, server.read_place()] == [f"http://127.0.0.1:{one.getsockname()[1]}/", path]
        for place in server.places[0], path:
            assert server.ask("/metrics", place=place)[0].status == 200
        server.stop()
        assert os.path.exists(path) and not os.path.exists(f"{tmp_path}/other.sock")


def test_what_is_no_listening_socket(daemon):
    with socket.socket() as made:
        settings = activated([made])
        done = subprocess.run([*settings["wrapper"], os.environ.get("EXPORTER", ""), "--at", daemon.mountpoint],
                              capture_output=True, text=True, timeout=TIMEOUT_S, env=settings["env"], check=False,
                              pass_fds=settings["pass_fds"])
    assert (done.returncode, done.stderr) == (
        1, "memnotify-exporter: what the service manager hands over is no listening socket\n")


# ---- the command line, and the process ---------------------------------------------------------------------------

LISTEN = "is not PORT, HOST:PORT, [IPV6]:PORT or the path of a socket"
MOUNT = "is not NAME=PATH, with letters, digits and _.:@/- in the name"


@pytest.mark.parametrize("words, message", [
    (["--listen=x"], f"--listen: 'x' {LISTEN}"),
    (["--listen="], f"--listen: '' {LISTEN}"),
    (["--listen=65536"], f"--listen: '65536' {LISTEN}"),
    (["--listen=127.0.0.1"], f"--listen: '127.0.0.1' {LISTEN}"),
    (["--listen=::1"], f"--listen: '::1' {LISTEN}"),
    (["--listen=[::1]"], f"--listen: '[::1]' {LISTEN}"),
    (["--listen=::1:80"], f"--listen: '::1:80' {LISTEN}"),
    (["--listen=a.sock"], f"--listen: 'a.sock' {LISTEN}"),
    (["--mount=x"], f"--mount: 'x' {MOUNT}"),
    (["--mount=/run/memnotify"], f"--mount: '/run/memnotify' {MOUNT}"),
    (["--mount=a="], f"--mount: 'a=' {MOUNT}"),
    (["--mount==/a"], f"--mount: '=/a' {MOUNT}"),
    (['--mount=a"b=/a'], f"--mount: 'a\"b=/a' {MOUNT}"),
    (["--mount=a b=/a"], f"--mount: 'a b=/a' {MOUNT}"),
    ([f"--mount={'a' * 65}=/a"], f"--mount: '{'a' * 65}=/a' {MOUNT}"),
    (["--mount=a=/a", "--mount=a=/b"], "--mount: there are two of the name 'a'"),
    (["--mount=a=/a", "--at=/b"], "there is --at or --mount, not both"),
    (["--interval=99ms"], "--interval: '99ms' is not between 100ms and 30s"),
    (["--interval=31s"], "--interval: '31s' is not between 100ms and 30s"),
    (["--processes=-1"], "--processes: -1 is not between 0 and 1000"),
    (["--processes=1001"], "--processes: 1001 is not between 0 and 1000"),
])
def test_what_is_misunderstood(words, message):
    done = exporter(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"memnotify-exporter: {message}"


@pytest.mark.parametrize("words", [["--nonsense"], ["argument"], ["--interval=x"], ["--processes=x"], ["--at"]])
def test_what_is_not_understood(words):
    done = exporter(*words)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("memnotify-exporter: ")


def test_help_and_version():
    done = exporter("--help")
    assert (done.returncode, done.stderr) == (0, "") and "--listen=ADDRESS" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert exporter("--version").stdout.startswith("memnotify-exporter ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_while_clients_wait(export, daemon, number):
    """For metrics of a mount that hangs, for events, for nothing, and in the middle of a request. A search for leaks
    would wait for the mount."""
    served = export("--listen=0", "--at", daemon.mountpoint, env=environment(ASAN_OPTIONS="detect_leaks=0"))
    host = b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    requests = [b"GET /metrics" + host, b"GET /events" + host, b"", b"GET /m"]
    daemon.process.send_signal(signal.SIGSTOP)
    clients = [served.connect() for _ in requests]
    try:
        for client, text in zip(clients, requests):
            client.sendall(text)
        served.get("/")
        served.end(number)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
        for client in clients:
            client.close()


def test_as_another_user(export, daemon):
    """It needs no right but to read."""
    server = export("--listen=0", "--at", daemon.mountpoint,
                    wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"])
    assert ups(server) == {None: 1}
    assert "memnotifyfs_used_bytes" in scrape(server)


def test_it_has_as_many_descriptors_as_it_may(export, daemon):
    server = export("--listen=0", "--at", daemon.mountpoint,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024)))
    assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) == (1024, 1024)
    assert ups(server) == {None: 1}
