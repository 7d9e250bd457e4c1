"""Fits, and the rows that describe them."""

import warnings
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.record import Row
from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import AccuracyWarning
from neumatc.gallery import GalleryFamily

__all__ = ["SAFE", "TIGHT", "argument", "described", "fitted", "places"]

TIGHT = 1e-13
"""A tolerance that no fit of these budgets reaches, so that all exact solves are spent."""

SAFE = 0.1
"""Tolerance of an SVD as a share of its acceptance line: its solves are few whatever is asked for, and asking for more
than needed makes the latent tensor larger and the query slower."""


def fitted(family: GalleryFamily, rank: int | None = None, **options: Any) -> nmc.Fit:
    """Fit the inverse, or the SVD of the given rank."""
    with warnings.catch_warnings():
        # Budgets are too small on purpose here: what was reached stands in the row.
        warnings.simplefilter("ignore", AccuracyWarning)
        if rank is None:
            return nmc.inv(family, family.box, **options)
        return nmc.svd(family, family.box, rank, **options)


def described(measurement: str, case: str, family: GalleryFamily, fit: nmc.Fit, method: str, seed: int) -> Row:
    """Return the row of a fit, without results yet."""
    cost = fit.cost
    return Row(
        measurement=measurement,
        case=case,
        family=family.name,
        n=max(fit.shape),
        D=fit.box.dimension,
        operation=fit.operation.name,
        method=method,
        d=fit.surrogate.d,
        samples=len(fit.samples),
        seed=seed,
        tol=fit.tol,
        basis=fit.basis.name,
        status=fit.status,
        offline_seconds=cost.total_seconds - cost.build_seconds,
        build_seconds=cost.build_seconds,
        exact_seconds=cost.solve_seconds,
        extra={
            "held_out": fit.error,
            "built": cost.built,
            "stages": dict(cost.stages),
            "real_coefficients": fit.surrogate.d * (2 if fit.surrogate.complex_coefficients else 1),
        },
    )


def places(family: GalleryFamily, count: int, seed: int) -> Array:
    """Return ``(count, D)`` uniform points of the box, from a stream that no fit uses."""
    return Box.of(family.box).random(count, np.random.default_rng([seed, 2024]))


def argument(point: Array) -> Any:
    """Return what a family is called with: a float for one parameter, an array (D,) for several."""
    return float(point[0]) if point.size == 1 else point
