"""Inverses in two and three parameters at equal budgets: the paper's Fourier family, and waves of any direction."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.breadth.judge import Task, series
from benchmarks.breadth.operations import CLOSE, compared
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, places
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.gallery import FourierGram, GalleryFamily, SyntheticInverse

__all__ = ["SEVERAL"]

SOLVES = 125
SIDE = 50
"""Points along each axis of the grid in two parameters."""

PLANE, SPACE = 2e-3, 3e-2
"""Largest errors: in two parameters of the curve as fitted, in three after correction."""

SHARED = "shared cosines, three parameters"
"""The family in three parameters that has bounds; the other two need many more solves, and are shown as they are."""


def square(side: int) -> Array:
    """Return the points of a grid that covers the unit square, (side², 2)."""
    axis = np.linspace(0, 1, side)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def root_mean_square(values: Array) -> float:
    """Return what the square root of the paper's metric is."""
    return float(np.sqrt(np.mean(values**2)))


def rows(case: str, family: GalleryFamily, samples: int, at: Array, seed: int) -> Iterator[Row]:
    """Fit once; the error is that over all points."""
    task = Task("inv", family)
    fit = task.fit(samples=samples, tol=TIGHT, rng=seed)
    found = series(task, fit, at)
    row = compared(described(SEVERAL.name, case, family, fit, "corrected", seed), found)
    mean = {f"{way}_rms": root_mean_square(found[f"{way}_error"]) for way in ("curve", "corrected", "best")}
    seconds = row.offline_seconds + row.build_seconds  # type: ignore[operator]  # both are of a fit
    close = Check("corrected error / best in span, root mean squares", mean["corrected_rms"] / mean["best_rms"], CLOSE)
    checks: tuple[Check, ...] = ()
    if fit.box.dimension == 2:
        checks = Check("error of the curve, root mean square", mean["curve_rms"], PLANE), close
    elif SHARED in case:
        checks = Check("corrected error, root mean square", mean["corrected_rms"], SPACE), close
    yield row.having(
        *checks,
        extra={**row.extra, **mean, "fit_seconds": seconds},
    )


def cases(setting: Setting) -> list[Case]:
    """Two parameters on a grid, three at random points."""
    n, small = setting.count(128, 16), setting.count(64, 16)
    many, few = setting.count(20, 4), setting.count(8, 3)
    samples, found = setting.count(SOLVES, 30), []
    for seed in setting.draws(5):
        families: dict[str, GalleryFamily] = {
            "Fourier, two parameters": FourierGram(n=n, rank=many, seed=seed),
            "Fourier, three parameters": FourierGram(n=small, rank=few, dimensions=3, seed=seed),
            SHARED: SyntheticInverse(n=small, rank=few, dimensions=3, seed=seed, shared=True),
            "waves, three parameters": SyntheticInverse(n=small, rank=few, dimensions=3, seed=seed),
        }
        for name, family in families.items():
            flat = "two" in name
            at = square(setting.count(SIDE, 3)) if flat else places(family, setting.count(200, 5), seed)
            case = f"{name}, {samples} solves, seed {seed}"
            found.append(Case(case, partial(rows, case, family, samples, at, seed)))
    return sorted(found, key=lambda case: case.name.split(",")[:2])


SEVERAL = Measurement("two-dim", "Inverse in two and three parameters, 125 exact solves", cases)
