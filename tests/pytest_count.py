# SPDX-License-Identifier: LGPL-2.1-or-later
"""pytest's last lines as the other tests have them: "skipped: TEST: REASON" for each that was skipped, "N passed, N
failed", and exit status 77 if nothing could run. A conftest.py takes it by `from pytest_count import
pytest_configure`."""

import pytest


def reason_of(report):
    """Of a skip, in one line."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
    return " ".join(text.removeprefix("Skipped: ").split())


class Count:
    """One outcome for each test, whatever number of phases it failed in."""

    def __init__(self):
        self.outcomes = {}
        self.reasons = {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped:
            self.outcomes.setdefault(report.nodeid, "skipped")
            self.reasons[report.nodeid] = reason_of(report)
        elif report.when == "call":
            self.outcomes.setdefault(report.nodeid, "passed")

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped:  # a whole file
            self.outcomes[report.nodeid] = "skipped"
            self.reasons[report.nodeid] = reason_of(report)

    def number(self, outcome):
        return list(self.outcomes.values()).count(outcome)

    def pytest_sessionfinish(self, session):
        if self.number("skipped") == len(self.outcomes) > 0:
            session.exitstatus = 77

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        skipped = self.number("skipped")
        for test, reason in self.reasons.items():
            if self.outcomes[test] == "skipped":
                print(f"skipped: {test}: {reason}")
        print(f"{self.number('passed')} passed, {self.number('failed')} failed"
              + (f", {skipped} skipped" if skipped else ""))


def pytest_configure(config):
    config.pluginmanager.register(Count())
