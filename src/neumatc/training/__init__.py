"""Offline: exact results and collocation points become a latent tensor and a curve."""

from __future__ import annotations

from typing import Any

from neumatc.gauge import NoGauge
from neumatc.operations import Followed, Operation, Refinable

from .bootstrap import Bootstrap as Bootstrap
from .collocation import Collocation as Collocation
from .greedy import Greedy as Greedy
from .interpolation import Interpolation as Interpolation
from .plan import Plan as Plan
from .plan import Trained as Trained

MOST_SPAN = 512
"""Exact solves in several parameters beyond which labels by least squares cost more than the solves they replace."""


def trainer_of(operation: Operation, dimension: int = 1, samples: int = 0) -> Any:
    """Which trainer an operation gets: decided by its equations and abilities, never by its name.

    Whoever grants more than `MOST_SPAN` solves in two or three parameters has cheap ones: they go on a grid.
    """
    unique = isinstance(operation.gauge, NoGauge)
    if isinstance(operation, Followed):
        return Interpolation
    if not all(e.polynomial for e in operation.equations()) or (unique and dimension in (2, 3) and samples > MOST_SPAN):
        return Interpolation
    if isinstance(operation, Refinable):
        return Bootstrap
    if unique and all(e.linear for e in operation.equations()):
        return Greedy
    return Collocation
