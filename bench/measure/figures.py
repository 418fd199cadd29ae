# SPDX-License-Identifier: LGPL-2.1-or-later
"""From durations to figures. A ratio is the median of the ratios of neighbouring batches, so that what the machine does
meanwhile is in both; its quartiles say how steady it was."""

from dataclasses import asdict, dataclass, field
from statistics import median, quantiles


def percentile(values, per_cent):
    """The smallest value that so many per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * per_cent // 100) - 1)]


@dataclass
class Row:
    """One line of the table. Times and sizes are in `unit`."""

    name: str
    what: str
    unit: str = "us"
    n: int = 0
    p50: float = None
    p99: float = None
    against: str = ""
    peer_p50: float = None
    peer_p99: float = None
    ratio: float = None
    ratio_quartiles: list = field(default_factory=list)
    target: str = ""
    reached: bool = None
    note: str = ""

    def as_json(self):
        return asdict(self)


def parse_series(text):
    """Lines of "NAME NUMBER NUMBER ..." -> {name: [batch, ...]}."""
    series = {}
    for line in text.splitlines():
        name, *numbers = line.split()
        series.setdefault(name, []).append([int(number) for number in numbers])
    return series


def flat(batches):
    return [value for batch in batches for value in batch]


def batch_ratios(ours, peer):
    return [median(a) / median(b) for a, b in zip(ours, peer)]


def compare(name, what, ours, against, peer, most, note=""):
    """A row for two series of batches in ns, of which ours may take `most` times as long, if that is not None."""
    ratios = batch_ratios(ours, peer)
    ratio = median(ratios)
    return Row(
        name,
        what,
        n=len(flat(ours)),
        p50=percentile(flat(ours), 50) / 1000,
        p99=percentile(flat(ours), 99) / 1000,
        against=against,
        peer_p50=percentile(flat(peer), 50) / 1000,
        peer_p99=percentile(flat(peer), 99) / 1000,
        ratio=ratio,
        ratio_quartiles=quantiles(ratios, n=4) if len(ratios) > 1 else [ratio] * 3,
        target=f"<= {most}x" if most else "",
        reached=ratio <= most if most else None,
        note=note,
    )


def in_ms(row):
    row.unit = "ms"
    for name in ("p50", "p99", "peer_p50", "peer_p99"):
        setattr(row, name, getattr(row, name) / 1000)
    return row
