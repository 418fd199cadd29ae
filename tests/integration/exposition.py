# SPDX-License-Identifier: LGPL-2.1-or-later
"""A strict reader of the two text formats of metrics: OpenMetrics 1.0.0, and text 0.0.4 as node_exporter takes it.
What both allow and nobody needs (timestamps, exemplars, other types than ours) it refuses."""

import re

COMMENT = re.compile(r"# (TYPE|UNIT|HELP) ([a-z_]+) (.*)")
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {"gauge": "", "counter": "_total", "info": "_info"}
PLAIN = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def unescape(value):
    return re.sub(r"\\.", lambda match: PLAIN[match.group()], value)


class Family:
    def __init__(self):
        self.type = self.unit = self.help = None
        self.samples = {}  # by (label, value) pairs

    def sample_name(self, name, is_openmetrics):
        return name + SUFFIXES[self.type] if is_openmetrics else name


def add_comment(family, keyword, name, text):
    field = keyword.lower()
    assert getattr(family, field) is None, f"two {keyword} of {name}"
    assert not family.samples and text, name
    if keyword == "UNIT":
        assert name.endswith("_" + text), name
    if keyword == "HELP":
        assert not re.search(r'[\\"]', text), text
    setattr(family, field, text)


def add_sample(family, name, line, is_openmetrics):
    match = SAMPLE.fullmatch(line)
    assert match, line
    assert family.type and family.help and match.group(1) == family.sample_name(name, is_openmetrics), line
    labels = match.group(2) or ""
    assert not labels.endswith(","), line
    key = tuple((label, unescape(value)) for label, value in LABEL.findall(labels))
    assert len(dict(key)) == len(key) and key not in family.samples, line
    family.samples[key] = float(match.group(3))
    assert family.type != "info" or family.samples[key] == 1, line


def check_names(families, is_openmetrics):
    for name, family in families.items():
        assert family.type in SUFFIXES and family.help, name
        if is_openmetrics:
            assert not name.endswith(("_total", "_info")), name
            assert (family.unit is not None) == name.endswith(("_bytes", "_seconds")), name
        else:
            assert family.unit is None and family.type != "info", name
            assert name.endswith("_total") == (family.type == "counter"), name


def parse(text, is_openmetrics):
    """{name of the sample: {labels: value}} of a text, which has to be right in every respect."""
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if is_openmetrics:
        assert lines.pop() == "# EOF"
    families, name = {}, None
    for line in lines:
        match = COMMENT.fullmatch(line)
        if match and match.group(2) != name:
            name = match.group(2)
            assert name not in families, f"{name} comes twice"
            families[name] = Family()
        if match:
            add_comment(families[name], *match.groups())
        else:
            add_sample(families[name], name, line, is_openmetrics)
    check_names(families, is_openmetrics)
    return {family.sample_name(name, is_openmetrics): family.samples for name, family in families.items()}
