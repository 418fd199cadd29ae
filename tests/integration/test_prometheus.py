# SPDX-License-Identifier: LGPL-2.1-or-later
"""metrics and metrics.prom as Prometheus sees them, and what docs/ has for it: rules, and a dashboard."""

import json
import re
from pathlib import Path

import pytest

from clients import read_all, read_text, wait_until, write_text
from exposition import parse
from machine import PAGE_KIB
from prometheus import Answers, Prometheus, Service, find, run_tool

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
RULES = DOCS / "memnotifyfs.rules.yml"
DASHBOARD = DOCS / "memnotifyfs.dashboard.json"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
USED_BYTES = 1000 * PAGE_KIB * 1024
TOTAL_PAGES = 1000000

ALERTMANAGER_YML = """
route: {{ receiver: test, group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}
receivers: [ {{ name: test, webhook_configs: [ {{ url: 'http://{receiver}/', send_resolved: true }} ] }} ]
"""
PROMETHEUS_YML = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [ '{rules}' ]
alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: [ '{alertmanager}' ] }} ] }} ] }}
scrape_configs:
  - {{ job_name: node, static_configs: [ {{ targets: [ '{node}' ] }} ] }}
  - {{ job_name: openmetrics, static_configs: [ {{ targets: [ '{openmetrics}' ] }} ] }}
"""


@pytest.fixture
def low(daemon):
    daemon.simulate(f"used 1000 total {TOTAL_PAGES}")
    write_text(daemon / "thresholds" / "low", "used 80%")
    return daemon


# ---- what promtool says ------------------------------------------------------------------------------------------

def test_the_text_has_no_fault(low):
    write_text(low / "thresholds" / 'a"b\\c', "used 5")
    done = run_tool("promtool", "check", "metrics", text=read_text(low / "metrics.prom"))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_rules_have_no_fault():
    done = run_tool("promtool", "check", "rules", RULES)
    assert done.returncode == 0 and "5 rules found" in done.stdout, done.stdout


def test_the_rules_fire_when_they_should():
    done = run_tool("promtool", "test", "rules", HERE / "memnotifyfs.rules.test.yml")
    assert done.returncode == 0, done.stdout


# ---- the dashboard -----------------------------------------------------------------------------------------------

def expressions():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_the_dashboard_and_the_rules_ask_for_what_there_is(low):
    names = set(parse(read_text(low / "metrics"), True))
    for text in DASHBOARD.read_text(encoding="utf-8"), RULES.read_text(encoding="utf-8"):
        asked = set(re.findall(r"memnotifyfs_\w+", text))
        assert asked and asked <= names, asked - names
    assert len(expressions()) > 20


# ---- the whole way -----------------------------------------------------------------------------------------------

class Way:
    """From the files to who is alerted."""

    def __init__(self, daemon, start, directory):
        self.daemon = daemon
        self.alerts = []  # (status, labels), as they came
        self.accepted = set()
        self.receiver = start(Answers(self.receive))
        self.server = start(Answers(self.serve))
        self.node = self.start_node(start, directory)
        self.alertmanager = self.start_alertmanager(start, directory)
        self.prometheus = self.start_prometheus(start, directory)

    def receive(self, _request, body):
        self.alerts += [(alert["status"], alert["labels"]) for alert in json.loads(body)["alerts"]]
        return "text/plain", b""

    def serve(self, request, _body):
        self.accepted.add(request.headers["Accept"])
        return OPENMETRICS, read_all(self.daemon / "metrics")

    def start_node(self, start, directory):
        textfiles = directory / "textfiles"
        textfiles.mkdir()
        (textfiles / "memnotifyfs.prom").symlink_to(self.daemon / "metrics.prom")
        return start(Service("node_exporter", directory, "--collector.disable-defaults", "--collector.textfile",
                             f"--collector.textfile.directory={textfiles}")).wait_ready("/metrics")

    def start_alertmanager(self, start, directory):
        config = directory / "alertmanager.yml"
        config.write_text(ALERTMANAGER_YML.format(receiver=self.receiver.address))
        return start(Service("alertmanager", directory, f"--config.file={config}", "--cluster.listen-address=",
                             f"--storage.path={directory / 'alertmanager'}")).wait_ready("/-/ready")

    def start_prometheus(self, start, directory):
        config = directory / "prometheus.yml"
        config.write_text(PROMETHEUS_YML.format(rules=RULES, alertmanager=self.alertmanager.address,
                                                node=self.node.address, openmetrics=self.server.address))
        return start(Prometheus("prometheus", directory, f"--config.file={config}",
                                f"--storage.tsdb.path={directory / 'data'}")).wait_ready("/-/ready")

    def value(self, metric, job):
        """None before the first scrape."""
        samples = self.prometheus.query(f'{metric}{{job="{job}"}}')
        return samples[0][1] if samples else None

    def heard(self, status, job):
        return any(alert == (status, {**labels, "alertname": "MemoryThresholdReached", "threshold": "low",
                                      "meter": "used", "op": ">=", "job": job})
                   for alert in self.alerts for labels in [alert[1]])


@pytest.fixture
def way(low, start, tmp_path):
    for program in "prometheus", "alertmanager", "node_exporter":
        find(program)
    return Way(low, start, tmp_path)


def test_prometheus_scrapes_both_and_an_alert_reaches_who_is_to_know(way):
    for job in "node", "openmetrics":
        wait_until(lambda job=job: way.value("memnotifyfs_used_bytes", job) == USED_BYTES, f"the values of {job}")
        assert way.value("up", job) == 1
        assert way.value("memnotifyfs_threshold_reached", job) == 0
        assert way.value("memnotifyfs_threshold_limit_bytes", job) == TOTAL_PAGES * 8 // 10 * PAGE_KIB * 1024
    assert way.value("node_textfile_scrape_error", "node") == 0
    assert all("application/openmetrics-text" in accepted for accepted in way.accepted)
    wait_until(lambda: way.prometheus.ask("targets/metadata", metric="memnotifyfs_used_bytes",
                                          match_target='{job="openmetrics"}')[0]["unit"] == "bytes", "the metadata")
    assert way.alerts == []

    way.daemon.simulate(f"used {TOTAL_PAGES * 9 // 10}")
    for job in "node", "openmetrics":
        wait_until(lambda job=job: way.heard("firing", job), f"the alert of {job}")
    assert not way.heard("resolved", "node")

    way.daemon.simulate("used 1000")
    for job in "node", "openmetrics":
        wait_until(lambda job=job: way.heard("resolved", job), f"the end of the alert of {job}")

    for expression in expressions():
        concrete = expression.replace("$instance", ".+").replace("$mount", ".*").replace("$__rate_interval", "1m")
        assert way.prometheus.ask("query", query=concrete)["resultType"] == "vector", concrete


def test_node_exporter_tells_that_the_program_has_gone(low, start, tmp_path):
    """The other files in the directory are not concerned."""
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    (textfiles / "memnotifyfs.prom").symlink_to(low / "metrics.prom")
    (textfiles / "other.prom").write_text("# TYPE other gauge\nother 1\n")
    node = start(Service("node_exporter", tmp_path, "--collector.disable-defaults", "--collector.textfile",
                         f"--collector.textfile.directory={textfiles}")).wait_ready("/metrics")
    assert "\nnode_textfile_scrape_error 0\n" in node.get("/metrics")
    low.stop()
    text = node.get("/metrics")
    assert "\nnode_textfile_scrape_error 1\n" in text and "\nother 1\n" in text
    assert "memnotifyfs_used_bytes" not in text
