"""Candidates on a grid: the nodes nested in it, where a trainer solves first, its neighbours, and finer grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Basis, Chebyshev, Curve, SineNetwork, lobatto
from neumatc.sampling import Design, FailureInformed

from .plan import Ground, Plan
from .suspects import neighbours

MANY = 1500
"""Points beyond which costs that grow with their square or cube are not paid."""

SEVERAL = (2, 3)
"""Numbers of parameters in which candidates are doubled beyond those of all trainers."""

REFINED = 64
"""Candidates that are refined then for each exact solve that the budget allows."""

NUMBERS = 1 << 25
"""Most numbers in all labels together: half a gigabyte, of which there are a few copies."""

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
    side = side_of(x)
    if side is None:
        return sorted(Design("sobol" if x.shape[1] > 3 else "chebyshev").first(x, budget))
    steps = [k for k in range(1, side) if (side - 1) % k == 0 and ((side - 1) // k + 1) ** x.shape[1] <= budget]
    if not steps:
        return sorted(Design("chebyshev").first(x, budget))
    axis = np.arange(0, side, min(steps))
    grids = np.meshgrid(*[axis] * x.shape[1], indexing="ij")
    return [int(i) for i in np.ravel_multi_index([g.ravel() for g in grids], (side,) * x.shape[1])]


def side_of(x: Array) -> int | None:
    """Points per axis of candidates that are a Lobatto grid; None where they are not, or lack some of its points."""
    side = round(len(x) ** (1 / x.shape[1]))
    on_grid = side ** x.shape[1] == len(x) and np.array_equal(x, lobatto(*[side] * x.shape[1]))
    return side if on_grid else None


def finer(plan: Plan, ground: Ground, size: int) -> tuple[Ground, Array] | None:
    """The next finer candidates, and which old one (or -1) each of them is; None where there are none.

    Beyond the grids of all trainers that is half the spacing in several parameters, for polynomials, as long as labels
    of ``size`` numbers each are not too many (`NUMBERS`), and each exact solve that is allowed pays for `REFINED`.
    """
    if ground.level < ground.finest:
        made, _, old = ground.finer(plan)
        return made, old
    side = _next_side(plan, ground, size)
    return None if side is None or _unpaid(plan, ground, side) else _doubled(ground, side)


def held_back(plan: Plan, ground: Ground, size: int) -> bool:
    """Whether a larger budget would buy finer candidates."""
    side = _next_side(plan, ground, size)
    return ground.level >= ground.finest and side is not None and _unpaid(plan, ground, side)


def _next_side(plan: Plan, ground: Ground, size: int) -> int | None:
    """Points per axis of the grid of half the spacing, as far as polynomials are wanted and labels fit."""
    side, dimension = side_of(ground.candidates), ground.candidates.shape[1]
    if side is None or dimension not in SEVERAL or all(basis.name != "chebyshev" for basis in plan.bases):
        return None
    fine = 2 * side - 1
    return fine if size * fine**dimension <= NUMBERS else None


def _unpaid(plan: Plan, ground: Ground, side: int) -> bool:
    return bool(side ** ground.candidates.shape[1] > REFINED * plan.samples)


def _doubled(ground: Ground, side: int) -> tuple[Ground, Array]:
    """Candidates on a grid of ``side`` points per axis, every other one of which is an old one."""
    shape = (side,) * ground.candidates.shape[1]
    axes = np.meshgrid(*[np.arange(0, side, 2)] * len(shape), indexing="ij")
    old = np.full(shape, -1)
    old[tuple(axes)] = np.arange(len(ground.candidates)).reshape(axes[0].shape)
    return replace(ground, candidates=lobatto(*shape), level=ground.level + 1), old.ravel()


def adjacent(x: Array) -> Array:
    """Pairs ``(k, 2)`` of `neighbours`; on a grid of thousands the next along each axis, without all distances."""
    side = side_of(x) if len(x) > MANY else None
    if side is None:
        return neighbours(x)
    index = np.arange(len(x)).reshape((side,) * x.shape[1])
    pairs = [(np.delete(index, -1, axis).ravel(), np.delete(index, 0, axis).ravel()) for axis in range(x.shape[1])]
    return np.concatenate([np.stack(pair, axis=1) for pair in pairs])


def most_nodes(ground: Ground) -> int:
    """How many first nodes a large enough budget would buy."""
    return min(FIRST.get(ground.candidates.shape[1], 200), len(ground.candidates))


def first_curve(x: Array, y: Array, rng: np.random.Generator) -> Curve:
    """A first guess through few nodes: Chebyshev where they allow it, a sine network elsewhere."""
    bases: tuple[Basis, ...] = (Chebyshev(), SineNetwork())
    basis = next(b for b in bases if b.unsuited(x) is None)
    return basis.fit(x, y, rng)


def bases_for(plan: Plan, ground: Ground, size: int) -> Sequence[Basis]:
    """Bases in the order in which they are tried; in several parameters polynomials first on a grid, made for them.

    They stand alone where the others would take minutes, and where a finer grid can follow, which costs less.
    """
    ordered = sorted(plan.bases, key=lambda basis: basis.name != "chebyshev")
    if ground.candidates.shape[1] == 1 or ordered[0].unsuited(ground.candidates) is not None:
        return plan.bases
    alone = len(ground.candidates) > MANY or (ground.level > 0 and finer(plan, ground, size) is not None)
    return ordered[:1] if alone else ordered
