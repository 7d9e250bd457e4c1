"""Records of a fit: what happened, which curve was kept, what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from neumatc.bases import Trial


@dataclass(frozen=True)
class Event:
    """One thing that happened during a fit."""

    stage: str
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.stage}: {self.text}"


@dataclass(frozen=True)
class Basis:
    """Which curve was kept, its held-out residual, and the bases that were tried."""

    name: str
    score: float
    tried: tuple[Trial, ...] = ()

    def __str__(self) -> str:
        others = ", ".join(f"{t.name} {t.reason or f'{t.score:.1e}'}" for t in self.tried if t.name != self.name)
        return f"{self.name} (held-out {self.score:.1e}{'; ' + others if others else ''})"


@dataclass(frozen=True, repr=False)
class Cost:
    """Seconds, offline and per query; shown as a table.

    Parameters
    ----------
    build_seconds, built : assembling A(p), and how many times
    solve_seconds, solved : exact solves, and how many
    stages : further offline seconds by stage (span, curve, check)
    total_seconds : the whole fit
    query_seconds, batch_seconds : one evaluation alone, and per point in a batch of up to 16
    exact_seconds : one exact solve on this machine; of those that ran side by side, their share of the time

    Examples
    --------
    >>> print(Cost(0.2, 100, 0.8, 40, {"span": 0.5, "curve": 0.1}, 1.75, 2e-3, 5e-4, 2e-2))
    stage            seconds    count     each
    A(p)                0.20      100     2 ms
    exact solves        0.80       40    20 ms
    span                0.50
    curve               0.10
    other               0.15
    the fit             1.75
    <BLANKLINE>
    an answer                             each    pays off after
    exact solve                          20 ms
    query alone                           2 ms        98 queries
    query in a batch                    500 µs        90 queries
    """

    build_seconds: float
    built: int
    solve_seconds: float
    solved: int
    stages: Mapping[str, float]
    total_seconds: float
    query_seconds: float
    batch_seconds: float
    exact_seconds: float

    @property
    def break_even(self) -> float:
        """Queries in a batch after which the fit has paid for itself against exact solves; inf when it never does."""
        return self._after(self.batch_seconds)

    @property
    def break_even_alone(self) -> float:
        """The same for queries one by one."""
        return self._after(self.query_seconds)

    def _after(self, seconds: float) -> float:
        gain = self.exact_seconds - seconds
        return math.ceil(self.total_seconds / gain) if gain > 0 else math.inf

    def __repr__(self) -> str:
        counted = [("A(p)", self.build_seconds, self.built), ("exact solves", self.solve_seconds, self.solved)]
        other = self.total_seconds - self.build_seconds - self.solve_seconds - sum(self.stages.values())
        rows = [f"{'stage':<16}{'seconds':>8}{'count':>9}{'each':>9}"]
        rows += [f"{name:<16}{spent:>8.2f}{n:>9}{duration(spent / max(n, 1)):>9}" for name, spent, n in counted]
        rows += [f"{name:<16}{spent:>8.2f}" for name, spent in self.stages.items()]
        rows += [f"{'other':<16}{max(other, 0.0):>8.2f}", f"{'the fit':<16}{self.total_seconds:>8.2f}", ""]
        rows += [f"{'an answer':<33}{'each':>9}{'pays off after':>18}"]
        rows += [f"{'exact solve':<33}{duration(self.exact_seconds):>9}"]
        queries = [("query alone", self.query_seconds), ("query in a batch", self.batch_seconds)]
        rows += [f"{name:<33}{duration(spent):>9}{_queries(self._after(spent)):>18}" for name, spent in queries]
        return "\n".join(rows)


def duration(seconds: float) -> str:
    """Seconds with three digits in the unit that suits them.

    >>> duration(2.5e-5), duration(0.0123), duration(41.0)
    ('25 µs', '12.3 ms', '41 s')
    """
    for unit, size in (("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


def _queries(count: float) -> str:
    return "never" if math.isinf(count) else f"{count:,.0f} queries"
