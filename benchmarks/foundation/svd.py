"""The truncated SVD of synthetic families: with a gap, and through avoided crossings."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

import neumatc as nmc
from benchmarks.answers import Series, judged, svds
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import SAFE, described, fitted, places
from benchmarks.record import Check, Row
from benchmarks.timing import interleaved
from benchmarks.truth import best_rank, jump_of, relative
from neumatc.arrays import Array
from neumatc.gallery import LowRankSVD

__all__ = ["CROSSING", "GAP"]

BOUNDS = {0.1: 1e-10, 0.5: 5e-8}
"""Largest error against the best rank r, by the ratio of the first value left out to the last one kept."""

SOLVES = 20
QUERY_US = 2000.0


def svd_row(measurement: str, case: str, family: LowRankSVD, fit: nmc.Fit, series: Series, seed: int) -> Row:
    """Return the row of a fit whose answers are `series`."""
    row = described(measurement, case, family, fit, "curve", seed)
    worst = {name: float(values.max()) for name, values in series.items()}
    row = judged(row, series["residual"], series["error"])
    return row.having(
        Check("worst error against the best rank", worst["error"], BOUNDS[family.ratio]),
        Check("‖UᴴU - I‖, ‖VᴴV - I‖", worst["orthonormality"], 1e-13),
        Check("largest rise in the sorted values", worst["disorder"], 0.0),
        extra={**row.extra, "excess": worst["excess"]},
    )


def known_answer_error(family: LowRankSVD, points: Array) -> float:
    """Return how far the family's own A_r is from LAPACK's: the reference is checked, too."""
    found = [relative(family.best_rank(p), best_rank(family(p), family.rank)[0]) for p in points[:3, 0]]
    return max(found)


def gap_rows(family: LowRankSVD, case: str, seed: int, points: int, calls: int) -> Iterator[Row]:
    """Accuracy at random points, and one query beside LAPACK's full SVD."""
    fit = fitted(family, family.rank, samples=SOLVES, tol=SAFE * BOUNDS[family.ratio], rng=seed)
    at = places(family, points, seed)
    series = svds(fit, family, at, family.rank, best=family.best_rank)
    row = svd_row(GAP.name, case, family, fit, series, seed)
    extra = {**row.extra, "reference_error": known_answer_error(family, at)}
    p = float(at[0, 0])
    A = family(p)
    T = torch.from_numpy(A)
    ours, numpy_svd, torch_svd = interleaved(
        [
            lambda: fit(p),
            lambda: np.linalg.svd(A, full_matrices=False),
            lambda: torch.linalg.svd(T, full_matrices=False),
        ],
        calls,
    )
    name, best = min(("numpy.linalg.svd", numpy_svd), ("torch.linalg.svd", torch_svd), key=lambda pair: pair[1].median)
    yield row.having(
        Check("one query, µs", ours.median, QUERY_US),
        online_us=ours.median,
        online_spread=ours.spread,
        baseline=name,
        baseline_us=best.median,
        baseline_spread=best.spread,
        calls=ours.calls,
        extra=extra,
    )


def meetings(family: LowRankSVD, count: int) -> Array:
    """Return the points, as (count, 1), where two leading values come closest: local minima of the gap."""
    grid = np.linspace(0, 1, 2001)
    gaps = np.array([family.gap(p) for p in grid])
    inner = np.flatnonzero((gaps[1:-1] < gaps[:-2]) & (gaps[1:-1] < gaps[2:])) + 1
    return grid[inner[np.argsort(gaps[inner])][:count], None]


def crossing_rows(family: LowRankSVD, case: str, seed: int, points: int, steps: int) -> Iterator[Row]:
    """Accuracy at random points, and on fine paths through the closest encounters of two values."""
    fit = fitted(family, family.rank, samples=SOLVES, tol=SAFE * BOUNDS[family.ratio], rng=seed)
    centres = meetings(family, 5)
    paths = [np.clip(c + np.linspace(-0.01, 0.01, steps), 0, 1)[:, None] for c in centres[:, 0]]
    at = np.concatenate([places(family, points, seed), *paths])
    series = svds(fit, family, at, family.rank, best=family.best_rank)
    row = svd_row(CROSSING.name, case, family, fit, series, seed)
    leaps = []
    for path in paths:
        answers = [fit(float(p)) for p in path[:, 0]]
        ours = jump_of([(F.U * F.S) @ F.Vh for F in answers])
        leaps.append(ours / jump_of([family.best_rank(p) for p in path[:, 0]]))
    extra = {**row.extra, "smallest_gap": float(min(family.gap(float(c)) for c in centres[:, 0]))}
    yield row.having(Check("largest step of U S Vh / that of A_r", max(leaps), 1.01), extra=extra)


def gap(setting: Setting) -> list[Case]:
    """Ratios 0.1 and 0.5."""
    cases = []
    for ratio in BOUNDS:
        for seed in setting.draws(3):
            family = _family(setting, ratio, seed, None)
            case = f"ratio {ratio:g}, seed {seed}"
            run = partial(gap_rows, family, case, seed, setting.count(200, 6), setting.count(20, 3))
            cases.append(Case(case, run))
    return cases


def crossing(setting: Setting) -> list[Case]:
    """Avoided and exact crossings at both ratios."""
    cases = []
    for kind in ("avoided", "exact"):
        for ratio in BOUNDS:
            for seed in setting.draws(2):
                family = _family(setting, ratio, seed, kind)
                case = f"{kind}, ratio {ratio:g}, seed {seed}"
                run = partial(crossing_rows, family, case, seed, setting.count(200, 6), setting.count(41, 5))
                cases.append(Case(case, run))
    return cases


def _family(setting: Setting, ratio: float, seed: int, kind: str | None) -> LowRankSVD:
    n, rank, tail = (32, 4, 6) if setting.quick else (512, 20, 40)
    return LowRankSVD(n=n, rank=rank, ratio=ratio, tail=tail, seed=seed, crossing=kind)  # type: ignore[arg-type]


GAP = Measurement("svd-gap", "Truncated SVD, 20 exact solves: accuracy by gap, and one query beside LAPACK", gap)
CROSSING = Measurement("svd-crossing", "Truncated SVD through avoided and exact crossings", crossing)
