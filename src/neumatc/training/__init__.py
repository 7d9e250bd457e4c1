"""Offline: exact results and collocation points become a latent tensor and a curve."""

from __future__ import annotations

from typing import Any

from neumatc.gauge import NoGauge
from neumatc.operations import Followed, Operation, Refinable

from .bootstrap import Bootstrap as Bootstrap
from .collocation import Collocation as Collocation
from .greedy import Greedy as Greedy
from .interpolation import Interpolation as Interpolation
from .labels import seeks_exponent
from .plan import Plan as Plan
from .plan import Trained as Trained

MOST_SPAN = 512
"""Exact solves in several parameters beyond which labels by least squares cost more than the solves they replace."""

MOST_EXPONENTS = 128
"""The same for unknown exponents, in any number of parameters: each label is given a derivative of its own."""


def trainer_of(operation: Operation, dimension: int = 1, samples: int = 0) -> Any:
    """Which trainer an operation gets: decided by its equations and abilities, never by its name.

    Whoever grants more than `MOST_SPAN` solves in two or three parameters has cheap ones: they go on a grid.
    """
    unique, equations = isinstance(operation.gauge, NoGauge), operation.equations()
    if isinstance(operation, Followed):
        return Interpolation
    if seeks_exponent(operation) and unique and samples <= MOST_EXPONENTS:
        return Collocation
    if not all(e.polynomial for e in equations) or (unique and dimension in (2, 3) and samples > MOST_SPAN):
        return Interpolation
    if isinstance(operation, Refinable):
        return Bootstrap
    if unique and all(e.linear for e in equations):
        return Greedy
    return Collocation
