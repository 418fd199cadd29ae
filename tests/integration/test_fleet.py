# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many machines and one Prometheus: what docs/ has for that, and who is told."""

import json
import re
from pathlib import Path

import pytest

from clients import read_text, wait_until, write_text
from exposition import parse
from exporter import PROMETHEUS
from fleet import DOCS, Fleet
from prometheus import find, run_tool

HERE = Path(__file__).resolve().parent
RULES = DOCS / "memnotifyfs.fleet.rules.yml"
DASHBOARD = DOCS / "memnotifyfs.fleet.dashboard.json"
ALERTMANAGER = DOCS / "alertmanager.example.yml"
GUIDE = DOCS / "fleet.md"
WEB1, WEB2, WEB3 = HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


# ---- what the tools say ------------------------------------------------------------------------------------------

def test_the_rules_have_no_fault():
    done = run_tool("promtool", "check", "rules", RULES)
    assert done.returncode == 0 and "10 rules found" in done.stdout, done.stdout


def test_the_rules_fire_when_they_should_and_only_then():
    done = run_tool("promtool", "test", "rules", HERE / "memnotifyfs.fleet.rules.test.yml")
    assert done.returncode == 0, done.stdout


def test_the_example_for_alertmanager_has_no_fault():
    done = run_tool("amtool", "check-config", ALERTMANAGER)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout


@pytest.mark.parametrize("severity, receiver", [("critical", "page"), ("warning", "mail"), ("info", "nobody")])
def test_who_is_told(severity, receiver):
    done = run_tool("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}")
    assert done.returncode == 0 and receiver in done.stdout.split(), done.stdout


# ---- what is asked for -------------------------------------------------------------------------------------------

def dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def guide_expressions():
    blocks = re.findall(r"```promql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return [line.split(" #")[0] for block in blocks for line in block.splitlines()]


def test_what_is_asked_for_is_there(daemon, export):
    write_text(daemon / "thresholds" / "low", "available<10%")
    names = set(parse(export("--listen=0", f"--mount=m={daemon.mountpoint}").get(Accept=PROMETHEUS), True))
    assert names == set(parse(read_text(daemon / "metrics"), True)) | {"memnotifyfs_up"}
    rules = RULES.read_text(encoding="utf-8")
    recorded = set(re.findall(r"record: (\S+)", rules))
    for text in rules, DASHBOARD.read_text(encoding="utf-8"), "\n".join(guide_expressions()):
        asked = set(re.findall(r"\bmount:\w+:\w+", text))
        assert asked and asked <= recorded, asked - recorded
        asked = set(re.findall(r"(?<!:)\bmemnotifyfs_\w+", text))
        assert asked and asked <= names, asked - names


def test_the_dashboard_leads_to_that_of_one_machine():
    other = json.loads((DOCS / "memnotifyfs.dashboard.json").read_text(encoding="utf-8"))
    text = DASHBOARD.read_text(encoding="utf-8")
    assert f"/d/{other['uid']}/" in text and json.loads(text)["uid"] != other["uid"]
    for variable in re.findall(r"var-(\w+)=", text):
        assert variable in [item["name"] for item in other["templating"]["list"]]


def test_what_the_guide_has_for_the_rules_is_what_they_are():
    """Each line of MemoryWillBeFull that it explains."""
    rules = " ".join(RULES.read_text(encoding="utf-8").split())
    explained = re.findall(r"^\| `(.*?)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(explained) == 11
    for line in explained:
        assert line.replace("\\|", "|") in rules, line


# ---- the whole way -----------------------------------------------------------------------------------------------

class Machines(dict):
    """{host: {name of the mount: its Daemon}}; there is a container on the first."""

    def set_available(self, percent, *places):
        for host, mount in places:
            self[host][mount].simulate(f"available {percent}%")


@pytest.fixture
def machines(serve, make_machine):
    for program in "prometheus", "promtool", "alertmanager", "amtool":
        find(program)
    mounts = {WEB1: ["host", "box"], WEB2: ["host"], WEB3: ["host"]}
    found = Machines({host: {name: serve("-o", "update_space=4", machine=make_machine("debian-6.1"), simulate=True)
                             for name in names} for host, names in mounts.items()})
    for daemon in (daemon for mounts in found.values() for daemon in mounts.values()):
        daemon.simulate("total 1000000 available 900000 swap_total 0 swap_free 0")
        write_text(daemon / "thresholds" / "low", "available<10%")
    return found


def shares(fleet):
    return {(labels["instance"], labels["mount"]): value
            for labels, value in fleet.prometheus.query("mount:memnotifyfs_available:ratio")}


def test_a_shortage_is_one_message_that_names_the_machines(machines, start, tmp_path):
    fleet = Fleet(machines, start, tmp_path)
    everywhere = [(host, "host") for host in HOSTS]
    wait_until(lambda: shares(fleet) == dict.fromkeys([*everywhere, (WEB1, "box")], 0.9), "all machines")
    assert fleet.about("MemoryRunsShort") == []

    machines.set_available(8, (WEB1, "box"))
    fleet.wait_told("MemoryRunsShort", firing=[(WEB1, "box")])
    assert shares(fleet)[WEB1, "box"] == 0.08
    machines.set_available(90, (WEB1, "box"))
    fleet.wait_told("MemoryRunsShort", firing=[], resolved=[(WEB1, "box")])

    machines.set_available(8, *everywhere)
    fleet.wait_told("MemoryRunsShort", firing=everywhere)
    assert {(message["receiver"], message["groupKey"], *message["groupLabels"].items())
            for message in fleet.about("MemoryRunsShort")} == \
        {("mail", '{}:{alertname="MemoryRunsShort", cluster="web"}',
          ("alertname", "MemoryRunsShort"), ("cluster", "web"))}
    for host in HOSTS:
        wait_until(lambda host=host: fleet.state("MemoryThresholdReached", host) == ["suppressed"], "the inhibition")

    check_silence(fleet, machines)
    for expression in dashboard_expressions() + guide_expressions():
        concrete = expression.replace("$instance", ".+").replace("$cluster", ".*").replace("$__rate_interval", "1m")
        assert fleet.prometheus.ask("query", query=concrete)["resultType"] == "vector", concrete


def check_silence(fleet, machines):
    """All three run short and have been told of."""
    silence = fleet.amtool("silence", "add", "--duration=2h", "--author=test", "--comment=more memory",
                           f"instance={WEB2}").strip()
    assert silence in fleet.amtool("silence", "query", f"instance={WEB2}")
    before = len(fleet.messages)
    machines.set_available(90, (WEB1, "host"))
    fleet.wait_told("MemoryRunsShort", before, firing=[(WEB3, "host")], resolved=[(WEB1, "host")])
    assert all(alert["labels"]["instance"] != WEB2
               for message in fleet.messages[before:] for alert in message["alerts"])

    fleet.amtool("silence", "expire", silence)
    fleet.wait_told("MemoryRunsShort", before, firing=[(WEB2, "host"), (WEB3, "host")])
    machines.set_available(90, (WEB2, "host"))
    fleet.wait_told("MemoryRunsShort", before, firing=[(WEB3, "host")], resolved=[(WEB2, "host")])
    machines.set_available(90, (WEB3, "host"))
    fleet.wait_told("MemoryRunsShort", before, firing=[], resolved=[(WEB3, "host")])


def is_told_once(fleet, host):
    return sorted(fleet.state("MemoryRunsShort", host)) == ["active", "suppressed"]


def test_a_machine_that_is_gone_is_told_once(machines, start, tmp_path):
    """It has not recovered, and its thresholds are not told besides; nor is it critical and a warning."""
    fleet = Fleet(machines, start, tmp_path, resolves_at_once=False)
    machines.set_available(4, (WEB2, "host"), (WEB3, "host"))
    fleet.wait_told("MemoryRunsShort", firing=[(WEB2, "host"), (WEB3, "host")])
    for host in WEB2, WEB3:
        wait_until(lambda host=host: is_told_once(fleet, host), "the inhibition of the warning")

    fleet.exporters[WEB3].end()  # while it is being scraped
    fleet.wait_told("MachineGone", firing=[(WEB3, None)])
    assert fleet.state("MemoryRunsShort", WEB3) == ["suppressed", "suppressed"]
    assert is_told_once(fleet, WEB2)
    assert {message["status"] for message in fleet.about("MemoryRunsShort")} == {"firing"}
    assert [message["receiver"] for message in fleet.about("MachineGone")] == ["page"]


def test_a_mount_that_is_gone_is_told(machines, start, tmp_path):
    fleet = Fleet(machines, start, tmp_path)
    wait_until(lambda: len(shares(fleet)) == 4, "all mounts")
    machines[WEB1]["box"].stop()
    fleet.wait_told("MemnotifyfsUnreadable", firing=[(WEB1, "box")])
    assert (WEB1, "box") not in shares(fleet) and (WEB1, "host") in shares(fleet)
