"""The synthetic inverse: easy and near a pole, for given numbers of exact solves."""

from collections.abc import Iterator
from functools import partial

from benchmarks.answers import inverses, judged, ratios
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, fitted, places
from benchmarks.record import Check, Row
from neumatc.gallery import GalleryFamily, SyntheticInverse

__all__ = ["EASY", "NEAR_POLE", "inverse_rows"]

Lines = dict[str, float]
"""Acceptance lines: method and figure, such as ``curve_worst``, with the bound."""

CLOSE = 1.5
"""How far a corrected answer may be from the best of the span."""


def inverse_rows(
    measurement: str, case: str, family: GalleryFamily, samples: int, seed: int, points: int, lines: Lines
) -> Iterator[Row]:
    """Fit once, and yield one row for the curve and one for its correction."""
    fit = fitted(family, samples=samples, tol=TIGHT, rng=seed)
    series = inverses(fit, family, places(family, points, seed))
    for method in ("curve", "corrected"):
        row = described(measurement, case, family, fit, method, seed)
        row = judged(
            row,
            series[f"{method}_residual"],
            series[f"{method}_error"],
            best_residual=float(series["best_residual"].max()),
            best_error=float(series["best_error"].max()),
        )
        figures = {"worst": row.residual_worst, "median": row.residual_median}
        checks = [
            Check(f"{figure} residual", float(value), lines[f"{method}_{figure}"])
            for figure, value in figures.items()
            if value is not None and f"{method}_{figure}" in lines
        ]
        extra = {**row.extra, "exact_residual": float(series["exact_residual"].max())}
        if method == "corrected":
            extra |= ratios(series)
            checks.append(Check("residual / best in span, worst point", extra["ratio_residual"], CLOSE))
        yield row.having(*checks, extra=extra)


def easy(setting: Setting) -> list[Case]:
    """Ten families of condition 10, 40 and 60 exact solves."""
    n, points = setting.count(256, 32), setting.count(200, 12)
    lines: dict[int, Lines] = {40: {"curve_worst": 1e-7, "curve_median": 1e-8}, 60: {"curve_worst": 2e-12}}
    cases = []
    for samples in [16] if setting.quick else [40, 60]:
        for seed in setting.draws(10):
            family = SyntheticInverse(n=n, rank=setting.count(20, 6), seed=seed)
            name = f"{samples} solves, seed {seed}"
            run = partial(inverse_rows, EASY.name, name, family, samples, seed, points, lines.get(samples, {}))
            cases.append(Case(name, run))
    return cases


def near_pole(setting: Setting) -> list[Case]:
    """Families of condition 1000 with poles beside the box, 60 exact solves."""
    n, points, samples = setting.count(256, 32), setting.count(200, 12), setting.count(60, 16)
    lines: Lines = {"curve_worst": 1e-5, "corrected_worst": 3e-7}
    cases = []
    for seed in setting.draws(5):
        family = SyntheticInverse(n=n, rank=setting.count(20, 6), variant="near-pole", seed=seed)
        name = f"{samples} solves, seed {seed}"
        cases.append(Case(name, partial(inverse_rows, NEAR_POLE.name, name, family, samples, seed, points, lines)))
    return cases


EASY = Measurement("inverse-easy", "Inverse, synthetic, condition 10: accuracy by number of exact solves", easy)
NEAR_POLE = Measurement("inverse-near-pole", "Inverse, synthetic, condition 1000, poles beside the box", near_pole)
