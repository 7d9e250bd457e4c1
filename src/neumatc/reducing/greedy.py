"""Weak greedy: solve exactly where the reduced model's residual is largest, until it passes everywhere it is looked at.

(Veroy, Prud'homme, Rovas & Patera 2003, doi:10.2514/6.2003-3847.) Where A(p) is affine the derivatives of each solution
join the basis too: one factorisation gives several vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError, SingularError
from neumatc.history import Event
from neumatc.reduced import AffineSystem, Model, System

from .moments import order_of
from .pools import Pool, pool_of

HELD_OUT = {True: 200, False: 20}
"""Random points that decide nothing, for an affine system and for others; the worst there is reported as the error."""

MARGIN = 3.0
"""Residuals at candidates must stay below tol by this factor: between them they are larger."""

FAILURES = 8
"""Singular candidates after which the box is given up, unless something has been solved."""

IDLE = 3
"""Solutions in a row that add nothing to the basis after which rounding has the word."""


@dataclass(frozen=True)
class Grown:
    """What the greedy loop leaves: the basis, the model, the points, and the largest bound of a residual seen."""

    basis: Array
    model: Model
    points: Array
    worst: float
    excluded: Array


def grow(system: System, tol: float, samples: int, rng: np.random.Generator, tell: Callable[[Event], None]) -> Grown:
    """Run the loop."""
    pool = pool_of(system, samples, rng)
    chosen, failed = _chosen(pool, system, tol, samples, tell)
    if not pool.basis.count:
        raise _nothing(system)
    free = _free(pool, chosen, failed)
    left = pool.worst(free)[1] if free.any() else 0.0
    model = pool.model()
    held = system.box.random(HELD_OUT[isinstance(system, AffineSystem)], rng)
    bounds = model.measured(held).bound
    worst = max(left, float(np.where(np.isnan(bounds), np.inf, bounds).max()))
    order = order_of(system)
    solves = f"{len(chosen)} solves" + (f" with derivatives up to order {order}" if order else "")
    tell(Event("reduced", f"{solves}, d = {pool.basis.count}, {model.projection}, held-out {worst:.1e}"))
    return Grown(pool.basis.rows.copy(), model, pool.points[chosen], worst, pool.points[failed])


def _chosen(
    pool: Pool, system: System, tol: float, samples: int, tell: Callable[[Event], None]
) -> tuple[list[int], list[int]]:
    """Candidates that were solved, and those where A(p) is singular."""
    box, chosen, failed, idle = system.box, list[int](), list[int](), 0
    index = int((box.to_unit(pool.points) ** 2).sum(1).argmin())
    while len(chosen) < samples:
        try:
            solved, factored = system.solve_and_keep(pool.points[index])
        except SingularError:
            # A resonance at a candidate is recorded and avoided; elsewhere the map may still be needed.
            failed.append(index)
            if not chosen and len(failed) > FAILURES:
                raise
        else:
            chosen.append(index)
            idle = 0 if pool.add(index, solved.x, factored, tol / MARGIN) else idle + 1
            del factored  # two of them at once would be the largest thing in memory
            tell(Event("solve", box.describe(pool.points[index]), {"count": len(chosen)}))
        free = _free(pool, chosen, failed)
        if idle == IDLE or not free.any():
            break
        index, worst, floor = pool.worst(free)
        if worst <= max(tol / MARGIN, floor):
            break
    return chosen, failed


def _free(pool: Pool, chosen: list[int], failed: list[int]) -> Array:
    free = np.ones(len(pool.points), bool)
    free[chosen + failed] = False
    return free


def _nothing(system: System) -> InputError:
    return InputError(
        f"`solve` needs a right side that is not zero everywhere; all solutions over {system.box} are zero. "
        "b was probably never filled in, or its coefficients vanish. Check b."
    )
