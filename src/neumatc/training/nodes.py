"""First exact solves of the trainers that start from a design: nodes nested in the candidate grid."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Basis, Chebyshev, Curve, SineNetwork
from neumatc.sampling import Design, FailureInformed

from .plan import Ground, Plan

FIRST = {1: 25, 2: 49, 3: 125}
"""Most exact solves before residuals are looked at, by dimension."""


def first_nodes(plan: Plan, ground: Ground, most: int | None = None) -> list[int]:
    """Indices of candidates: the largest Lobatto grid that is contained in theirs and fits the budget.

    Nested nodes need no A(p) of their own, and can be interpolated by Chebyshev polynomials at once. A sampler other
    than failure-informed places its own. In the order of the candidates, which is that of a grid. ``most`` may ask for
    fewer than `FIRST`.
    """
    x = ground.candidates
    if not isinstance(plan.sampler, FailureInformed):
        return sorted(plan.sampler.first(x, plan.samples))
    budget = min(plan.samples, most_nodes(ground), len(x) if most is None else most)
    side = round(len(x) ** (1 / x.shape[1]))
    # With a hole what is left may have the number of a grid and is none.
    scattered = plan.problem.tabulated is not None or plan.problem.box.hole is not None
    if scattered or side ** x.shape[1] != len(x) or x.shape[1] > 3:
        return sorted(Design("sobol" if x.shape[1] > 3 else "chebyshev").first(x, budget))
    steps = [k for k in range(1, side) if (side - 1) % k == 0 and ((side - 1) // k + 1) ** x.shape[1] <= budget]
    if not steps:
        return sorted(Design("chebyshev").first(x, budget))
    axis = np.arange(0, side, min(steps))
    grids = np.meshgrid(*[axis] * x.shape[1], indexing="ij")
    return [int(i) for i in np.ravel_multi_index([g.ravel() for g in grids], (side,) * x.shape[1])]


def most_nodes(ground: Ground) -> int:
    """How many first nodes a large enough budget would buy."""
    return min(FIRST.get(ground.candidates.shape[1], 200), len(ground.candidates))


def first_curve(x: Array, y: Array, rng: np.random.Generator) -> Curve:
    """A first guess through few nodes: Chebyshev where they allow it, a sine network elsewhere."""
    bases: tuple[Basis, ...] = (Chebyshev(), SineNetwork())
    basis = next(b for b in bases if b.unsuited(x) is None)
    return basis.fit(x, y, rng)
