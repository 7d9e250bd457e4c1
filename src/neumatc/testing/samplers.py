"""Laws of samplers: whoever decides where to solve names candidates, once each, and knows when to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import lobatto
from neumatc.sampling import Sampler

from .require import require, stream

Law: TypeAlias = Callable[[Sampler, Array, np.random.Generator], None]

TOL, LEFT = 1e-6, 40


def check_sampler(sampler: Sampler, rng: Any = None, x: Any = None) -> None:
    """Run every law of `SAMPLER_LAWS`.

    Parameters
    ----------
    sampler : to be checked
    rng : None, an integer or a numpy Generator; a failure is repeated by the same one
    x : (M, D) candidates in the unit cube, M >= 20; a Lobatto grid of the interval by default

    Raises
    ------
    AssertionError
        For the first law that does not hold, with what came instead.

    Examples
    --------
    >>> from neumatc.sampling import Design
    >>> check_sampler(Design("chebyshev"), x=lobatto(9, 9))
    """
    points = lobatto(33) if x is None else np.asarray(x, float)
    for law, own in zip(SAMPLER_LAWS.values(), stream(rng).spawn(len(SAMPLER_LAWS)), strict=True):
        law(sampler, points, own)


def law_first_names_candidates(sampler: Sampler, x: Array, _rng: np.random.Generator) -> None:
    """``first`` gives between one and ``count`` different indices, the same ones every time."""
    for count in (2, 5, 16):
        chosen = sampler.first(x, count)
        law = f"first(x, {count}) must name 1 to {count} different candidates of {len(x)}."
        require(_indices(chosen, len(x)) and 1 <= len(chosen) <= count, law, f"{chosen}")
        require(sampler.first(x, count) == chosen, "first must answer alike twice.", "another answer")


def law_select_names_free_candidates(sampler: Sampler, x: Array, rng: np.random.Generator) -> None:
    """``select`` names different candidates that are not solved yet, no more than the budget allows."""
    for _ in range(20):
        residuals, free = 10.0 ** rng.uniform(-8, 0, len(x)), rng.random(len(x)) < 0.5
        left = int(rng.integers(1, 40))
        chosen = sampler.select(x, residuals, free, TOL, left)
        law = f"select must name at most {left} different candidates that are free."
        named = _indices(chosen, len(x)) and len(chosen) <= left
        require(named and free[np.array(chosen, int)].all(), law, f"{chosen}")
        again = sampler.select(x, residuals, free, TOL, left)
        require(again == chosen, "select must answer alike twice.", "another answer")


def law_select_takes_the_worst(sampler: Sampler, x: Array, rng: np.random.Generator) -> None:
    """What ``select`` names comes worst first, and begins with the worst of all."""
    residuals, free = 10.0 ** rng.uniform(-5, 0, len(x)), rng.random(len(x)) < 0.5
    chosen = sampler.select(x, residuals, free, TOL, LEFT)
    worst = sorted(chosen, key=lambda i: -residuals[i])
    require(chosen == worst, "select must name candidates worst first.", f"residuals {residuals[chosen]}")
    begins = not chosen or residuals[chosen[0]] == residuals[free].max()
    require(begins, "select must begin with the worst free candidate.", f"candidate {chosen[:1]}")


def law_select_stops(sampler: Sampler, x: Array, _rng: np.random.Generator) -> None:
    """Nothing is asked for when every candidate is exact, or none is free."""
    everywhere, nowhere = np.ones(len(x), bool), np.zeros(len(x), bool)
    chosen = sampler.select(x, np.zeros(len(x)), everywhere, TOL, LEFT)
    require(chosen == [], "select must ask for nothing when all residuals are zero.", f"{chosen}")
    chosen = sampler.select(x, np.ones(len(x)), nowhere, TOL, LEFT)
    require(chosen == [], "select must ask for nothing when no candidate is free.", f"{chosen}")


def law_inputs_are_left_alone(sampler: Sampler, x: Array, rng: np.random.Generator) -> None:
    """Candidates, residuals and marks stay as they are; a residual may be NaN."""
    residuals = 10.0 ** rng.uniform(-8, 0, len(x))
    residuals[0] = np.nan
    arrays = [x.copy(), residuals, np.ones(len(x), bool)]
    before = [each.copy() for each in arrays]
    sampler.first(arrays[0], 5)
    sampler.select(arrays[0], arrays[1], arrays[2], TOL, LEFT)
    same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, arrays, strict=True))
    require(same, "first and select must not change the arrays they are given.", "changed ones")


SAMPLER_LAWS: Mapping[str, Law] = MappingProxyType(
    {
        law.__name__.removeprefix("law_"): law
        for law in (
            law_first_names_candidates,
            law_select_names_free_candidates,
            law_select_takes_the_worst,
            law_select_stops,
            law_inputs_are_left_alone,
        )
    }
)
"""Every law by name, each called as ``law(sampler, x, rng)``."""


def _indices(chosen: Sequence[Any], count: int) -> bool:
    return len(set(chosen)) == len(chosen) and all(isinstance(i, int) and 0 <= i < count for i in chosen)
