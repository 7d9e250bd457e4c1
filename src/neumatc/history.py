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


@dataclass(frozen=True)
class Cost:
    """Seconds, offline and per query.

    Parameters
    ----------
    build_seconds, built : assembling A(p), and how many times
    solve_seconds, solved : exact solves, and how many
    stages : further offline seconds by stage (span, curve, check)
    total_seconds : the whole fit
    query_seconds, batch_seconds : one evaluation alone, and per point in a batch of 8
    exact_seconds : one exact solve on this machine
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
        gain = self.exact_seconds - self.batch_seconds
        return math.ceil(self.total_seconds / gain) if gain > 0 else math.inf
