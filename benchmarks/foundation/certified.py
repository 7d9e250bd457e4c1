"""`certified`: no answer may leave whose true residual exceeds the tolerance, spikes included."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.answers import in_chunks
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import argument, described, fitted, places
from benchmarks.foundation.problems import SLOW, Exhibited, picked, problems, true_residual
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.errors import CertificateError
from neumatc.gallery import GalleryFamily, LowRankSVD, Spike, SyntheticInverse

__all__ = ["GALLERY_CHECK", "SPIKES"]

TOLS = (1e-6, 1e-9)
FIT_TOL = 1e-6
"""Of the fit: at 1e-9 most answers must then be repaired or solved exactly, so that all paths are walked."""

BELOW = 1e-3
"""Largest share of bounds that may lie below the true residual."""

GRID = 384
"""Intervals of the finest grid of candidates on which a fit places its solves."""

CHUNK = 1 << 24
"""Matrix entries answered in one call."""


@dataclass
class Count:
    """What became of the points at one tolerance."""

    true: list[float] = field(default_factory=list)
    bound: list[float] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    dominance: list[float] = field(default_factory=list)
    refused: int = 0

    def share(self, path: str) -> float:
        """Share of the answers that came by this path."""
        return float(np.mean([each == path for each in self.path])) if self.path else 0.0

    def row(self, row: Row, tol: float) -> Row:
        """Return the row with counts and lines."""
        true, bound = np.array(self.true), np.array(self.bound)
        wrong = float(np.sum(~(true <= tol)))
        below = float(np.mean(bound < true)) if len(true) else 0.0
        extra = {path: self.share(path) for path in ("surrogate", "corrected", "exact")}
        extra |= {"refused": self.refused, "smallest_bound_over_true": float(np.min(bound / true))}
        checks = [
            Check("answers beyond tol", wrong, 0.0),
            Check("share of bounds below the truth", below, BELOW),
        ]
        if self.dominance:
            checks.append(Check("values not the largest ones, / ‖A‖_F", max(self.dominance), tol))
        return row.having(
            *checks,
            points=len(true) + self.refused,
            residual_worst=float(true.max()),
            residual_median=float(np.median(true)),
            certified_share=extra["surrogate"] + extra["corrected"],
            fallback_share=extra["exact"],
            extra={**row.extra, **extra, "tol_certified": tol},
        )


def answered(certified: Any, points: Array) -> tuple[list[Any], int]:
    """Return ``(point, value, bound, path)`` for every point, and how many were refused."""
    try:
        answer = certified(points[:, 0] if points.shape[1] == 1 else points)
    except CertificateError:
        if len(points) == 1:
            return [], 1
        pieces = [answered(certified, points[i : i + 1]) for i in range(len(points))]
        return [each for found, _ in pieces for each in found], sum(refused for _, refused in pieces)
    bounds = answer.certificate.bound
    return [(p, picked(answer.value, i), bounds[i], str(answer.path[i])) for i, p in enumerate(points)], 0


def examined(fit: nmc.Fit, family: GalleryFamily, points: Array, tol: float, full: int) -> Count:
    """Answer all points with a certificate and look at each by formulas of its own.

    The first ``full`` values of an SVD are compared with LAPACK's, too: equations hold for any triplets.
    """
    certified, count = fit.certified(tol), Count()
    size = max(1, CHUNK // int(np.prod(fit.shape)))
    for chunk in in_chunks(points, size):
        found, refused = answered(certified, chunk)
        count.refused += refused
        for point, value, bound, path in found:
            A = family(argument(point))
            count.true.append(true_residual(A, value))
            count.bound.append(float(bound))
            count.path.append(path)
            if isinstance(value, tuple) and len(count.dominance) < full:
                exact = np.linalg.svd(A, compute_uv=False)[: len(value[1])]
                count.dominance.append(float(np.abs(value[1] - exact).max() / np.linalg.norm(A)))
    return count


def gallery_rows(problem: Exhibited, points: int, full: int) -> Iterator[Row]:
    """One fit, both tolerances."""
    fit = fitted(problem.family, problem.rank, tol=FIT_TOL, rng=0, samples=problem.budgets[-1])
    if problem.build_seconds() > SLOW:
        points = min(points, 1000)
    at = places(problem.family, points, 3)
    for tol in TOLS:
        count = examined(fit, problem.family, at, tol, full)
        case = f"{problem.name}, tol {tol:g}"
        yield count.row(described(GALLERY_CHECK.name, case, problem.family, fit, "certified", 0), tol)


def gallery_cases(setting: Setting) -> list[Case]:
    """One case per problem."""
    points, full = setting.count(10_000, 20), setting.count(200, 3)
    return [Case(problem.name, partial(gallery_rows, problem, points, full)) for problem in problems(setting)]


def spike_rows(case: str, family: Spike, rank: int | None, points: int, inside: int, seed: int) -> Iterator[Row]:
    """Uniform points, and further ones inside the spike."""
    fit = fitted(family, rank, tol=FIT_TOL, rng=seed)
    rng = np.random.default_rng([seed, 7])
    half = family.width * (family.box[1] - family.box[0]) / 2  # type: ignore[operator]  # one parameter
    within = np.asarray(family.centre) + half * rng.uniform(-1, 1, (inside, 1))
    at = np.concatenate([places(family, points, seed), within])
    hit = int(np.sum(np.abs(fit.samples.points - family.centre) < half))
    for tol in TOLS:
        row = described(SPIKES.name, f"{case}, tol {tol:g}", family, fit, "certified", seed)
        row = examined(fit, family, at, tol, 0).row(row, tol)
        uncertified = max(true_residual(family(argument(p)), fit(argument(p))) for p in within)
        extra = {"inside": inside, "uncertified_worst": uncertified}
        yield row.having(Check("solves inside the spike", float(hit), 0.0), extra={**row.extra, **extra})


def unseen(seed: int) -> float:
    """Return a centre in [0, 1] halfway between two candidates of the finest grid, and so of every coarser one."""
    k = np.random.default_rng([seed, 11]).integers(GRID // 4, 3 * GRID // 4)
    return float((1 - np.cos(np.pi * (k + 0.5) / GRID)) / 2)


def spike_cases(setting: Setting) -> list[Case]:
    """Two widths, both operations."""
    n = setting.count(64, 16)
    bases: list[tuple[str, GalleryFamily, int | None]] = [
        ("inverse", SyntheticInverse(n=n, rank=4 if setting.quick else 8), None),
        ("SVD", LowRankSVD(n=n, rank=4, tail=3), 4),
    ]
    points, inside, cases = setting.count(10_000, 20), setting.count(1000, 5), []
    for width in (1e-3, 1e-6):
        for kind, base, rank in bases:
            for seed in setting.draws(3):
                family = Spike(base, centre=unseen(seed), width=width, seed=seed)
                case = f"{kind}, width {width:g}, seed {seed}"
                cases.append(Case(case, partial(spike_rows, case, family, rank, points, inside, seed)))
    return cases


GALLERY_CHECK = Measurement("certified", "certified(tol) on every problem of the gallery", gallery_cases)
SPIKES = Measurement("spikes", "certified(tol) where A(p) has spikes no sampler sees", spike_cases)
