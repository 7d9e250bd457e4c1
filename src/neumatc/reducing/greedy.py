"""Weak greedy: solve exactly where the reduced model's residual is largest, until it passes everywhere it is looked at.

The residual of the reduced model is exact and costs nothing n-sized, so thousands of candidates can be looked at after
every solve (Veroy, Prud'homme, Rovas & Patera 2003, doi:10.2514/6.2003-3847).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import SingularError
from neumatc.history import Event
from neumatc.reduced import Model, System
from neumatc.sampling.designs import candidates, levels, sobol

from .builder import Builder

HELD_OUT = 200
"""Random points that decide nothing; the worst residual there is reported as the error."""

COMPARABLE = 3.0
"""Galerkin is preferred while its worst residual is within this factor of the smallest there is: its error is smaller
where A is definite, and it costs a third."""


@dataclass(frozen=True)
class Grown:
    """What the greedy loop leaves: the basis, the model, and what is known of it."""

    basis: Array
    model: Model
    points: Array
    worst: float
    held_out: float
    excluded: Array


def grow(system: System, tol: float, samples: int, rng: Any, tell: Callable[[Event], None]) -> Grown:
    """Run the loop."""
    box = system.box
    x = training_points(box, rng)
    points = box.from_unit(x)
    theta, psi = system.theta(points), system.psi(points)
    builder = Builder(system.family.matrices, system.right.astype(system.dtype), samples, riesz_of(system))
    free, chosen, failed = np.ones(len(x), bool), [], []
    index, residuals, model = int((x**2).sum(1).argmin()), np.full(len(x), np.inf), None
    while len(chosen) < samples:
        free[index] = False
        try:
            solution, _ = system.solve(points[index])
        except SingularError:
            # A resonance at a candidate is recorded and avoided; elsewhere the map may still be needed.
            failed.append(index)
            solution = None
        if solution is not None:
            chosen.append(index)
            grew = builder.add(solution)
            tell(Event("solve", box.describe(points[index]), {"count": len(chosen)}))
            if grew or model is None:
                model = projected(builder.model(), theta, psi)
                residuals = _residuals(model, theta, psi)
        if model is None and len(failed) > min(8, len(x) - 1):
            system.solve(points[failed[0]])  # raises the error that names the point
        ranked = np.where(free, residuals, -1.0)
        index = int(np.argmax(np.where(np.isnan(ranked), np.inf, ranked)))
        worst = float(residuals[free].max()) if free.any() else 0.0
        if worst <= tol / 3 or not free.any():
            break
    assert model is not None
    held = box.random(HELD_OUT, rng)
    error = float(_residuals(model, system.theta(held), system.psi(held)).max())
    tell(Event("reduced", f"{len(chosen)} solves, d = {model.d}, {model.projection}, held-out {error:.1e}"))
    return Grown(builder.basis.rows.copy(), model, points[chosen], worst, error, points[failed])


def training_points(box: Box, rng: Any) -> Array:
    """Unit points that the greedy loop may choose from."""
    dimension = box.dimension
    if dimension > 3:
        return sobol(2048, dimension, rng)
    return candidates(dimension, levels(dimension) - 1, rng)


def projected(model: Model, theta: Array, psi: Array) -> Model:
    """The model with Galerkin projection where that is stable, with the smallest residual elsewhere."""
    few = slice(None, None, max(1, len(theta) // 32))
    galerkin, smallest = (model.with_projection(name) for name in ("galerkin", "residual"))
    worst = [float(_residuals(each, theta[few], psi[few]).max()) for each in (galerkin, smallest)]
    return galerkin if worst[0] <= COMPARABLE * worst[1] + 1e-14 else smallest


def riesz_of(system: System) -> Any:
    """``k -> E⁻¹ k`` of the family's energy product; None for the Euclidean one."""
    if system.family.energy is None:
        return None
    from scipy.sparse.linalg import splu

    return splu(system.family.energy.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve


def _residuals(model: Model, theta: Array, psi: Array) -> Array:
    try:
        return model.residual(model.coefficients(theta, psi), theta, psi)
    except np.linalg.LinAlgError:  # a Galerkin matrix of an indefinite A may be singular; then it is not the way
        return np.full(len(theta), np.inf)
