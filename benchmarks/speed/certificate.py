"""What a certificate costs beside the answer it is for, and what a correction costs where A(p) is not affine."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.baselines.base import Tabulated
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Row
from benchmarks.speed.clock import Turns, quartiles, turns
from benchmarks.speed.jobs import Job, answered, errors, fitted, job_of, memory, points_of, synthetic
from benchmarks.speed.limits import measured, multiplying, reading
from benchmarks.speed.targets import Figure, aimed

__all__ = ["CERTIFICATE"]

NAME = "speed-certificate"

AFFINE, GIVEN, CORRECTION = 0.02, 0.2, 0.5
"""Of one evaluation alone: a certificate for affine A(p), one for a given A(p), and a correction with a given A(p)."""

TOL = 1e-6
"""Of the certificates: all fits are better by far, so that none is looked at twice."""


def affine_rows(job: Job, batch: int, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time ``f.certify(P)``, which asks for no A(p), beside an answer alone and in a batch."""
    fit, points = fitted(job), points_of(job, batch)
    one, out = memory(fit(points[0])), memory(fit(points[0]), batch)
    p, C = float(points[0]), fit.surrogate.C
    found = turns(
        {
            "f": lambda: fit(p, out=one),
            "F": lambda: fit(points, out=out),
            "certify": lambda: fit.certify(points, TOL),
            "certify one": lambda: fit.certify(p, TOL),
            **reading(C),
            **multiplying(),
        },
        quick,
    )
    row = row_of(job, fit, f"n = {job.n}, {job.title}, affine", found, batch, many)
    figures = [
        Figure(
            "certificate, per point of a batch / f(p, out)",
            quartiles(found["certify"] / batch / found["f"]),
            most=AFFINE if targets and job.n == 512 else None,
        ),
        Figure("certificate / f(P, out), batch", found.ratio("certify", "F")),
        Figure("certificate / f(p, out), one point", found.ratio("certify one", "f")),
    ]
    yield aimed(row, figures, **facts(fit, points), limits=measured(found, read=C).record())


def given_rows(job: Job, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time a certificate at one point where A(p) is a function whose value is there already."""
    fit, points = given(job, many)
    one, p, C = memory(fit(points[0])), float(points[0]), fit.surrogate.C
    found = turns(
        {
            "f": lambda: fit(p, out=one),
            "certify": lambda: fit.certify(p, TOL),
            "build": lambda: job.family(p),
            **reading(C),
            **multiplying(),
        },
        quick,
    )
    row = row_of(job, fit, f"n = {job.n}, {job.title}, A(p) given", found, 1, many)
    ratio = found.ratio("certify", "f")
    figures = [Figure("certificate / f(p, out)", ratio, most=GIVEN if targets and job.n >= 512 else None)]
    extra = {**facts(fit, points), "build_us": 1e6 * found.median("build")}
    yield aimed(row, figures, **extra, limits=measured(found, read=C).record())


def correction_rows(job: Job, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time probing a given A(p) and solving the latent equations, beside the evaluation that follows."""
    fit, points = given(job, many)
    one, p, C = memory(fit(points[0])), float(points[0]), fit.surrogate.C
    phi = fit.surrogate.curve(fit.box.to_unit(points[:1, None]))
    found = turns(
        {
            "f": lambda: fit(p, out=one),
            "correct": lambda: fit.reduced(p).solve(phi),
            "corrected": lambda: fit.corrected(p, out=one),
            **reading(C),
            **multiplying(),
        },
        quick,
    )
    row = row_of(job, fit, f"n = {job.n}, {job.title}, correction, A(p) given", found, 1, many, corrected=True)
    figures = [
        Figure("correction / f(p, out)", found.ratio("correct", "f"), most=CORRECTION if targets else None),
        Figure("corrected answer / f(p, out)", found.ratio("corrected", "f")),
    ]
    yield aimed(row, figures, limits=measured(found, read=C).record())


def given(job: Job, many: int) -> tuple[nmc.Fit, Any]:
    """Fit a family whose matrices at some points are built beforehand; return these points, too."""
    points = points_of(job, many)
    return job.fit(Tabulated(job.family, points.tolist())), points


def row_of(job: Job, fit: nmc.Fit, case: str, found: Turns, batch: int, many: int, corrected: bool = False) -> Row:
    """Return the row with times and true errors of the answers that are certified, or corrected."""
    points = points_of(job, many)
    ours = found.timing("correct" if corrected else "certify", batch)
    evaluation = found.timing("f")
    values = fit.corrected(points) if corrected else fit(points)
    row = described(NAME, case, job.family, fit, "correction" if corrected else "certificate", 0)
    return answered(row, errors(job, points, values, many)).having(
        online_us=ours.median, online_spread=ours.spread,
        baseline="f(p, out)", baseline_us=evaluation.median, baseline_spread=evaluation.spread, calls=ours.calls,
    )  # fmt: skip


def facts(fit: nmc.Fit, points: Any) -> dict[str, Any]:
    """Return how many of the certificates passed, and the worst bound."""
    found = fit.certify(points, TOL)
    return {"passed_share": float(np.mean(found.passed)), "worst_bound": float(np.max(found.bound)), "tol": TOL}


def cases(setting: Setting) -> list[Case]:
    """Affine at several sizes, given A(p), and the correction of a complex family."""
    quick, small, batch = setting.quick, setting.count(256, 32), setting.count(100, 6)
    sizes, few, many = (24,) if quick else (128, 256, 512, 1024), setting.count(40, 12), setting.count(24, 4)
    found = [
        Case(f"n = {n}, {verb}, affine", partial(affine_rows, job_of(verb, n, True), batch, many, not quick, quick))
        for verb, n in [("inv", n) for n in sizes] + [(verb, setting.count(512, 24)) for verb in ("qr", "eigh", "svd")]
    ]
    for n in (24,) if quick else (256, 512, 1024):
        job = synthetic("inv", n, few, setting)
        found.append(Case(f"n = {n}, inv, A(p) given", partial(given_rows, job, many, not quick, quick)))
    job = synthetic("inv", small, few, setting, complex=True)
    return [*found, Case("correction, complex", partial(correction_rows, job, many, not quick, quick))]


CERTIFICATE = Measurement(NAME, "What certificates and corrections cost beside an answer", cases)
