"""Which labels an operation's equations allow, and who finds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from neumatc.arrays import Array
from neumatc.operations import Operation

from .exponent import ExponentLabeller
from .labeller import Labeller
from .plan import Plan
from .pod import Frame

FIRST = 5 / 8
"""Share of the solves that come first where the exponent is sought: from afar its labels are dear, and go astray."""


class Labels(Protocol):
    """Latent equations of all stations, numbered as they come, in a span that grows."""

    groups: list[Array]

    def probe(self, x: Array) -> None: ...

    def extend(self, first: int, x: Array) -> None: ...

    def solve(self, labels: Array, groups: Iterable[int]) -> Array: ...

    def norms(self, labels: Array) -> Array: ...


def seeks_exponent(operation: Operation) -> bool:
    """Whether all that is known of the result is ``exp(X)``."""
    equations = operation.equations()
    return len(equations) == 1 and equations[0].seeks_exponent


def first_count(plan: Plan, usual: int) -> int:
    """Most exact solves before residuals say where."""
    return max(usual, int(FIRST * plan.samples)) if seeks_exponent(plan.problem.operation) else usual


def labeller_of(plan: Plan, frame: Frame, x: Array) -> Labels:
    """For stations ``x (S, D)``."""
    kind = ExponentLabeller if seeks_exponent(plan.problem.operation) else Labeller
    return kind(plan, frame, x)
