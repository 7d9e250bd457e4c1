"""What fits answer at random points, beside the exact result and the best the span contains."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.fits import argument
from benchmarks.record import Row, summary
from benchmarks.truth import Span, best_rank, inverse_residual, orthonormality, relative, svd_residual
from neumatc.arrays import Array
from neumatc.gallery import GalleryFamily

__all__ = ["WAYS", "Series", "inverses", "judged", "svds"]

WAYS = ("curve", "corrected", "best")
"""The curve as fitted; after latent Gauss-Newton; the projection of the exact result on the span."""

Series = dict[str, Array]
"""Figures by name, one number per point."""


def inverses(fit: nmc.Fit, family: GalleryFamily, points: Array) -> Series:
    """Return residual and error of the inverse by all three `WAYS`, under names such as ``corrected_residual``."""
    span, rows = Span(fit), []
    for point in points:
        p = argument(point)
        A = family(p)
        exact = np.linalg.inv(A)
        x = fit.box.to_unit(point[None])
        problem = fit.problem_or_raise
        corrected = problem.unscale(fit.corrected_factors(problem.matrices(point[None]), x))
        answers = {"curve": fit(p), "corrected": corrected["X"][0], "best": span.best({"X": exact[None]})["X"][0]}
        row = {"exact_residual": inverse_residual(A, exact)}
        for way, X in answers.items():
            row |= {f"{way}_residual": inverse_residual(A, X), f"{way}_error": relative(X, exact)}
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def svds(fit: nmc.Fit, family: GalleryFamily, points: Array, rank: int, best: Any = None) -> Series:
    """Return error, residual, excess and orthonormality of truncated SVDs against A_r.

    ``best`` gives A_r at p where the family knows it; LAPACK's full SVD does otherwise. The excess is
    ``‖A - U S Vh‖_F / ‖A - A_r‖_F - 1``.
    """
    rows = []
    for point in points:
        p = argument(point)
        A = family(p)
        A_r = best(p) if best else best_rank(A, rank)[0]
        U, S, Vh = fit(p)
        X = (U * S) @ Vh
        left, least = np.linalg.norm(A - X), np.linalg.norm(A - A_r)
        rows.append(
            {
                "error": relative(X, A_r),
                "residual": svd_residual(A, U, S, Vh),
                "excess": float(left / least - 1) if least > 0 else 0.0,
                "orthonormality": orthonormality(U, Vh),
                "disorder": float(np.max(np.diff(S), initial=0.0)),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def judged(row: Row, residual: Array, error: Array, **values: Any) -> Row:
    """Return the row with worst and median of residual and error, and the paper's squared error."""
    residual_worst, residual_median = summary(residual)
    error_worst, error_median = summary(error)
    return row.having(
        points=len(residual),
        residual_worst=residual_worst,
        residual_median=residual_median,
        error_worst=error_worst,
        error_median=error_median,
        squared_error=float(np.mean(error**2)),
        **values,
    )


def ratios(series: Series) -> dict[str, float]:
    """Return how much worse the correction is than the best of the span, at the worst point."""
    return {
        "ratio_residual": float(np.max(series["corrected_residual"] / series["best_residual"])),
        "ratio_error": float(np.max(series["corrected_error"] / series["best_error"])),
    }


def in_chunks(points: Array, size: int) -> Iterator[Array]:
    """Cut a long list of points."""
    for i in range(0, len(points), size):
        yield points[i : i + size]
