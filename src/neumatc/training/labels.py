"""Which labels an operation's equations allow, and who finds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from neumatc.arrays import Array
from neumatc.equations import Equation, exponential, unknown
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
    return len(equations) == 1 and is_exponential(equations[0])


def is_exponential(equation: Equation) -> bool:
    """Whether it reads ``exp(X) = right``, with no unknown on the right."""
    sought = tuple(t for t in equation.terms if t.unknowns)
    names = {s.name for t in sought for s in t.unknowns}
    return len(names) == 1 and sought == exponential(unknown(*names)).terms


def first_count(plan: Plan, usual: int) -> int:
    """Most exact solves before residuals say where."""
    return max(usual, int(FIRST * plan.samples)) if seeks_exponent(plan.problem.operation) else usual


def labeller_of(plan: Plan, frame: Frame, x: Array) -> Labels:
    """For stations ``x (S, D)``."""
    kind = ExponentLabeller if seeks_exponent(plan.problem.operation) else Labeller
    return kind(plan, frame, x)
