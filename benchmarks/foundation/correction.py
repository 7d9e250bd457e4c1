"""The latent correction: how close it comes to the best of the span."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.answers import judged
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, argument, described, fitted, places
from benchmarks.record import Check, Row
from benchmarks.truth import Span, best_rank, inverse_residual, relative, svd_residual
from neumatc.arrays import Array
from neumatc.gallery import CellChannel, Channel, GalleryFamily, LowRankSVD, RegularisedGram, SyntheticInverse
from neumatc.products import product

__all__ = ["BEST"]

PERTURBATION = 1e-2
CLOSE = 1.5
SVD_TOL = 1e-8  # a tighter one fills the latent tensor with modes at rounding level


def corrected(fit: nmc.Fit, point: Array, phi: Array, steps: int) -> dict[str, Any]:
    """Return the stored factors after at most ``steps`` steps of the correction from ``phi``."""
    found = fit.reduced(argument(point)).solve(phi, steps)
    return stored(fit, found)


def stored(fit: nmc.Fit, phi: Array) -> dict[str, Any]:
    """Return the factors of the user's A for real coefficients ``(1, m)``."""
    surrogate = fit.surrogate
    if surrogate.complex_coefficients:
        phi = np.ascontiguousarray(phi).view(np.complex128)
    return surrogate.layout.unpack(product(phi, surrogate.C))


def figures(fit: nmc.Fit, A: Array, F: dict[str, Any], exact: Array) -> tuple[float, float]:
    """Return true residual and error of stored factors."""
    value = fit.operation.present(fit.operation.canonical(F))
    if isinstance(value, tuple):
        U, S, Vh = (X[0] for X in value)
        return svd_residual(A, U, S, Vh), relative((U * S) @ Vh, exact)
    return inverse_residual(A, value[0]), relative(value[0], exact)


def exact_of(fit: nmc.Fit, A: Array, rank: int | None) -> tuple[dict[str, Any], Array]:
    """Return LAPACK's factors, as many as the fit stores, and the result they stand for."""
    if rank is None:
        X = np.linalg.inv(A)
        return {"X": X[None]}, X
    width = fit.surrogate.slices()["M"].shape[-1]
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    core = np.diag(s[:width]).astype(A.dtype)
    V = np.ascontiguousarray(Vh[:width].conj().T)
    return {"U": U[None, :, :width].copy(), "M": core[None], "V": V[None]}, best_rank(A, rank)[0]


def best_rows(
    case: str, family: GalleryFamily, rank: int | None, samples: int, points: int, seed: int
) -> Iterator[Row]:
    """Perturb φ(p) by one per cent, correct, and compare with the projection of the exact factors."""
    fit = fitted(family, rank, samples=samples, tol=TIGHT if rank is None else SVD_TOL, rng=seed)
    span, rng = Span(fit), np.random.default_rng(seed)
    steps = 1 if rank is None else 3
    ours, best, start = [], [], []
    for point in places(family, points, seed):
        A = family(argument(point))
        phi = fit.surrogate.curve(fit.box.to_unit(point[None]))
        noise = rng.standard_normal(phi.shape)
        shaken = phi + PERTURBATION * np.linalg.norm(phi) / np.linalg.norm(noise) * noise
        factors, exact = exact_of(fit, A, rank)
        nearest = span.nearest(factors, stored(fit, phi))
        start.append(figures(fit, A, stored(fit, shaken), exact))
        ours.append(figures(fit, A, corrected(fit, point, shaken, steps), exact))
        best.append(figures(fit, A, dict(nearest), exact))
    residual, error = np.array(ours).T
    best_residual, best_error = np.array(best).T
    ratio = float(np.max(residual / best_residual))
    extra = {"steps": steps, "start_residual": float(np.max(start, axis=0)[0]), "ratio_residual": ratio}
    extra |= {"ratio_error": float(np.max(error / best_error))}
    row = described(BEST.name, case, family, fit, "corrected", seed)
    row = judged(row, residual, error, best_residual=float(best_residual.max()), best_error=float(best_error.max()))
    yield row.having(Check("residual / best in span, worst point", ratio, CLOSE), extra={**row.extra, **extra})


def best_cases(setting: Setting) -> list[Case]:
    """Linear and quadratic equations; real, complex and Hermitian families."""
    points, few = setting.count(100, 5), setting.count(10, 5)
    if setting.quick:
        problems: list[tuple[str, GalleryFamily, int | None, int, int]] = [
            ("inverse", SyntheticInverse(n=32, rank=6), None, 14, points),
            ("SVD", LowRankSVD(n=32, rank=4, tail=6), 4, 14, points),
        ]
    else:
        problems = [
            ("inverse, easy", SyntheticInverse(), None, 40, points),
            ("inverse, near a pole", SyntheticInverse(variant="near-pole"), None, 60, points),
            ("inverse, complex", SyntheticInverse(n=64, rank=8, complex=True), None, 24, points),
            ("inverse, 64 users, 10 MHz", RegularisedGram(CellChannel(bandwidth=10e6)), None, 40, points),
            ("SVD, ratio 0.1", LowRankSVD(n=256), 20, 20, points),
            ("SVD, ratio 0.5", LowRankSVD(n=256, ratio=0.5), 20, 20, points),
            ("SVD, avoided crossings", LowRankSVD(n=256, ratio=0.5, crossing="avoided"), 20, 20, points),
            # Hundreds of slices: a step takes seconds.
            ("SVD, canyon, rank 8", Channel(), 8, 20, few),
        ]
    return [
        Case(case, partial(best_rows, case, family, rank, samples, points, 0))
        for case, family, rank, samples, points in problems
    ]


BEST = Measurement(
    "correction-best", "Correction from a start perturbed by 1e-2, beside the best of the span", best_cases
)
