"""Offline: exact results and collocation points become a latent tensor and a curve."""

from __future__ import annotations

from typing import Any

from neumatc.gauge import NoGauge
from neumatc.operations import Operation, Refinable

from .bootstrap import Bootstrap as Bootstrap
from .collocation import Collocation as Collocation
from .greedy import Greedy as Greedy
from .plan import Plan as Plan
from .plan import Trained as Trained


def trainer_of(operation: Operation) -> Any:
    """Which trainer an operation gets: decided by its equations and abilities, never by its name."""
    if isinstance(operation, Refinable):
        return Bootstrap
    if isinstance(operation.gauge, NoGauge) and all(e.linear for e in operation.equations()):
        return Greedy
    return Collocation
