# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that can run short, an exporter on each, and one Prometheus and one Alertmanager for all, with what docs/
has for them. A machine is an address of loopback."""

import json
import re
from pathlib import Path

from clients import wait_until
from exporter import Exporter
from prometheus import Answers, Prometheus, Service, run_tool

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES = ["memnotifyfs.rules.yml", "memnotifyfs.fleet.rules.yml"]


def doc_block(title):
    """The block of fleet.md that begins with this comment."""
    text = (DOCS / "fleet.md").read_text(encoding="utf-8")
    return re.search(rf"```yaml\n# {re.escape(title)}\n(.*?)```", text, re.DOTALL).group(1)


def mount_words(daemons):
    return [f"--mount={name}={daemon.mountpoint}" for name, daemon in daemons.items()]


class Fleet:
    def __init__(self, machines, start, directory, resolves_at_once=True):
        """machines: {host: {name of a mount: its Daemon}}"""
        self.directory = directory
        self.messages = []  # as Alertmanager's webhook has them, and the receiver as "receiver"
        self.receiver = start(Answers(self.receive))
        self.exporters = {host: start(Exporter(f"--listen={host}:0", *mount_words(mounts)))
                          for host, mounts in machines.items()}
        self.write_rules(resolves_at_once)
        self.write_machines()
        self.alertmanager = self.start_alertmanager(start)
        self.prometheus = self.start_prometheus(start)

    def receive(self, _request, body):
        self.messages.append(json.loads(body))
        return "text/plain", b""

    def write_rules(self, resolves_at_once):
        """They wait for minutes; here what they say is wanted, without the time."""
        for name in RULES:
            text = re.sub(r"^( +for:) \d+m$", r"\1 0s", (DOCS / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
            if resolves_at_once:
                text = re.sub(r"keep_firing_for: \d+m", "keep_firing_for: 0s", text)
            (self.directory / name).write_text(text)

    def write_machines(self):
        text = doc_block("machines/web.yml")
        for number, exporter in enumerate(self.exporters.values(), 1):
            text = re.sub(rf"web{number}:\d+", "{}:{}".format(*exporter.address), text)
        (self.directory / "machines").mkdir()
        (self.directory / "machines" / "web.yml").write_text(text)

    def start_alertmanager(self, start):
        text = (DOCS / "alertmanager.example.yml").read_text(encoding="utf-8")
        text = re.sub(r"group_wait: \w+", "group_wait: 1s", re.sub(r"group_interval: \w+", "group_interval: 1s", text))
        text = text[:text.index("\nreceivers:")] + "\nreceivers:\n  - name: nobody\n"
        for name in "mail", "page":
            text += f"  - {{ name: {name}, webhook_configs: [ {{ url: 'http://{self.receiver.address}/' }} ] }}\n"
        config = self.directory / "alertmanager.yml"
        config.write_text(text)
        return start(Service("alertmanager", self.directory, f"--config.file={config}", "--cluster.listen-address=",
                             f"--storage.path={self.directory / 'alertmanager'}")).wait_ready("/-/ready")

    def start_prometheus(self, start):
        text = doc_block("prometheus.yml").replace("localhost:9093", self.alertmanager.address)
        text = re.sub(r"(scrape|evaluation)_interval: \w+", r"\1_interval: 1s", text)
        config = self.directory / "prometheus.yml"
        config.write_text(text)
        checked = run_tool("promtool", "check", "config", config)
        assert checked.returncode == 0, checked.stdout
        return start(Prometheus("prometheus", self.directory, f"--config.file={config}",
                                f"--storage.tsdb.path={self.directory / 'data'}")).wait_ready("/-/ready")

    def amtool(self, *words):
        done = run_tool("amtool", f"--alertmanager.url=http://{self.alertmanager.address}", *words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def about(self, alertname, since=0):
        return [message for message in self.messages[since:] if message["groupLabels"]["alertname"] == alertname]

    def wait_told(self, alertname, since=0, **expected):
        """Until one message names just these (host, mount) as firing, or as resolved."""
        def is_told():
            return any(all(places(message, status) == set(expected[status]) for status in expected)
                       for message in self.about(alertname, since))
        wait_until(is_told, f"{alertname} {expected} among {self.messages}")

    def state(self, alertname, host):
        """active or suppressed, of each of these alerts that Alertmanager has."""
        alerts = json.loads(self.alertmanager.get("/api/v2/alerts"))
        return [alert["status"]["state"] for alert in alerts
                if (alert["labels"]["alertname"], alert["labels"]["instance"]) == (alertname, host)]


def places(message, status):
    return {(alert["labels"]["instance"], alert["labels"].get("mount"))
            for alert in message["alerts"] if alert["status"] == status}
