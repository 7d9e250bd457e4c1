"""Where joint training looks: samples on a design, collocation points and candidates at random."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import lobatto
from neumatc.sampling import Design, FailureInformed
from neumatc.sampling.base import nearest
from neumatc.sampling.designs import sobol, uniform
from neumatc.sampling.failure import failing

from .excluded import admitted
from .plan import Ground, Plan


def sample_places(plan: Plan, ground: Ground, count: int) -> Array:
    """At most ``count`` points ``(Ns, D)`` of the unit cube to solve at; those of a table that lie nearest to them."""
    if not isinstance(plan.sampler, FailureInformed | Design):
        return ground.candidates[plan.sampler.first(ground.candidates, count)]
    kind = plan.sampler.kind if isinstance(plan.sampler, Design) else "uniform"
    wanted = design(kind, count, plan.problem.box.dimension)
    if plan.problem.tabulated is not None:
        return ground.candidates[sorted(nearest(ground.candidates, wanted))]
    return wanted[admitted(plan, wanted)]


def design(kind: str, count: int, dimension: int) -> Array:
    """The largest grid of at most ``count`` points with the ends, or exactly as many of a Sobol sequence."""
    if kind == "sobol":
        return sobol(count, dimension, np.random.default_rng(0))
    each = int((count + 0.5) ** (1 / dimension))
    if each < 2:
        return sobol(count, dimension, np.random.default_rng(0))
    return lobatto(*[each] * dimension) if kind == "chebyshev" else uniform(each, dimension)


def random_places(plan: Plan, ground: Ground, count: int) -> Array:
    """``count`` random points ``(M, D)`` of the unit cube outside of the hole; of a table, fewer where it is short."""
    rng, box = plan.rng(12), plan.problem.box
    if plan.problem.tabulated is not None:
        some = rng.permutation(len(ground.candidates))[:count]
        return ground.candidates[some]
    x = box.to_unit(box.random(count, rng)) if count else np.empty((0, box.dimension))
    return x[admitted(plan, x)]


def worst(scores: Array, free: Array, tolerance: float, add: int) -> tuple[float, Array]:
    """Failure probability, and the free candidates to collocate at: the ``add`` with the largest positive scores.

    Parameters
    ----------
    scores : (M,) ``g(p) = ‖R(p)‖² - ε_r`` at the candidates; NaN has failed
    free : (M,) whether a candidate is no collocation point yet
    tolerance : ε_p; below it nothing is added

    Examples
    --------
    >>> import numpy as np
    >>> worst(np.array([0.5, -1.0, 2.0, 1.0]), np.array([True, True, False, True]), 0.1, 2)
    (0.75, array([3, 0]))
    """
    failed, order = failing(scores)
    probability = float(failed.mean()) if len(scores) else 0.0
    if probability < tolerance:
        return probability, np.empty(0, int)
    chosen: Array = order[(failed & free)[order]][:add]
    return probability, chosen
