"""How the cost of an answer grows with n, the batch, d and the number of parameters, beside a model of four rates.

``seconds(1 point) = call + Φ + max(8 N d / read, 8 N / fill, 2 N d / product)`` with N numbers to an answer, since all
three overlap, and ``seconds(B points) = call + Φ + 8 N d / read + max(8 N B / fill, 2 N d B / product)``: there C is
brought into the cache before it is used. All that is on the right is measured in the turns of the answers: what a call
takes beside its Φ where matrices are 4 x 4, Φ at the same points, reading C, writing the results, and the same product
on columns of C that stay in the cache.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import argument, described, places
from benchmarks.record import Row
from benchmarks.speed.clock import Ratio, Turns, quartiles, turns
from benchmarks.speed.families import Update
from benchmarks.speed.jobs import SOLVES, TOL, Job, answered, fitted, memory, synthetic
from benchmarks.speed.limits import columns, filling, in_cache, measured, multiplying, reading
from benchmarks.speed.targets import Figure, aimed
from benchmarks.truth import relative
from neumatc.arrays import Array

__all__ = ["SCALING"]

NAME = "speed-scaling"

WITHIN = 1.5
"""Largest quotient of seconds and model, either way."""

HELD = 1 << 25
"""Numbers of the answers of one batch."""

TINY = Job("inv", Update(4, 1), SOLVES, TOL)
"""Matrices so small that only the call itself takes time."""

FEW = 1000
"""Points up to which corrections and certificates are timed, too."""

LARGE = 2048
"""Size above which errors are measured against the family's own formula, and that against LAPACK at one point."""


def rows(
    job: Job, case: str, batches: tuple[int, ...], value: float, many: int, bound: float | None, quick: bool
) -> Iterator[Row]:
    """Time one answer or a batch, what the model is made of, correction and certificate."""
    fit = fitted(job) if job.n <= LARGE else job.fit()
    for batch in batches:
        points = places(job.family, batch, 0)
        found = timed(fit, points, quick)
        out = memory(fit(argument(points[0])), batch)
        limits = measured(found, read=fit.surrogate.C, filled=out)
        beside, (read, fill, multiply) = modelled(found, fit, batch)
        most = max(read, fill, multiply)
        model = beside + (most if batch == 1 else read + max(fill, multiply))
        ours = found.timing("f", batch)
        several = "one" if batch == 1 else f"batch of {batch}"
        row = described(NAME, f"{case}, {several}", job.family, fit, "curve", 0).having(
            online_us=ours.median, online_spread=ours.spread, calls=ours.calls,
            baseline="model", baseline_us=1e6 * model / batch,
        )  # fmt: skip
        figures = [
            Figure("seconds and model, larger / smaller", apart(found["f"] / model), most=bound),
            Figure("the same, where all of its terms overlap", apart(found["f"] / (beside + most))),
        ]
        extra = {"sweep": case.split(" = ")[0], "value": value, "batch": batch, **others(fit, found, batch)}
        truth = answered(row, errors(job, fit, many))
        yield aimed(truth, figures, **extra, **checked(job), limits=limits.record())


def timed(fit: nmc.Fit, points: Array, quick: bool) -> Turns:
    """Time the answers and all parts of the model; correction and certificate where A(p) is affine."""
    p: Any = points[:, 0] if fit.box.dimension == 1 else points
    p = p if len(points) > 1 else argument(points[0])
    x, C, out = fit.box.to_unit(points), fit.surrogate.C, memory(fit(p))
    tiny, middle, X = fitted(TINY), np.zeros((1, 1)), np.empty((4, 4))
    calls = {
        "f": lambda: fit(p, out=out),
        "phi": lambda: fit.surrogate.phi(x),
        "tiny": lambda: tiny(0.5, out=X),
        "tiny phi": lambda: tiny.surrogate.phi(middle),
        **reading(C),
        **filling(out),
        **in_cache(fit.surrogate.phi(x), C),
        **multiplying(),
    }
    if fit.latent.terms is not None and len(points) <= FEW:
        P, curve = fit.latent.at(points), fit.surrogate.curve(x)
        calls |= {"correct": lambda: fit.latent.corrected(P, curve), "certify": lambda: fit.certify(p)}
    return turns(calls, quick)


def modelled(found: Turns, fit: nmc.Fit, batch: int) -> tuple[float, tuple[float, float, float]]:
    """Return the seconds of the call and Φ, and those of reading, writing and multiplying."""
    C = fit.surrogate.C
    multiply = C.shape[1] / columns(C, batch) * found.median("cached")
    read, fill = (found.median(found.least(kind)) for kind in ("read", "fill"))
    return found.median("tiny") - found.median("tiny phi") + found.median("phi"), (read, fill, multiply)


def apart(quotients: Array) -> Ratio:
    """Return how far quotients are from one, either way."""
    found = quartiles(quotients)
    return found if found.median >= 1 else Ratio(1 / found.median, 1 / found.high, 1 / found.low)


def others(fit: nmc.Fit, found: Turns, batch: int) -> dict[str, Any]:
    """Return microseconds per point of what was timed beside the answers, and seconds of the fit."""
    names = {"correct": "correction_us", "certify": "certificate_us"}
    some = {text: 1e6 * found.median(name) / batch for name, text in names.items() if name in found.seconds}
    parts = {
        "phi_us": 1e6 * found.median("phi") / batch,
        "call_us": 1e6 * (found.median("tiny") - found.median("tiny phi")),
    }
    return {**some, **parts, "fit_seconds": fit.cost.total_seconds, "exact_us": 1e6 * fit.cost.exact_seconds}


def errors(job: Job, fit: nmc.Fit, many: int) -> Array:
    """Return the true errors of single answers."""
    at = [argument(point) for point in places(job.family, many, 1)]
    exact = np.linalg.inv if job.n <= LARGE else None
    return np.array([relative(fit(p), exact(job.family(p)) if exact else job.family.inverse(p)) for p in at])


def checked(job: Job) -> dict[str, float]:
    """Return how far the family's own formula is from LAPACK where it stands for it."""
    if job.n <= LARGE:
        return {}
    return {"formula_error": relative(job.family.inverse(0.37), np.linalg.inv(job.family(0.37)))}


def cases(setting: Setting) -> list[Case]:
    """Four sweeps."""
    found = [case_of(f"n = {n}", n, size(n), (1, most(n, setting)), setting) for n in sizes(setting)]
    batches = (1, 10) if setting.quick else (1, 10, 100, 1000, 10_000, 100_000)
    found.append(case_of("batch, n = 32", 32, size(32), batches, setting))
    several = (1, setting.count(100, 4))
    for d in (4, 8) if setting.quick else (5, 10, 20, 40, 60):
        job = synthetic("inv", setting.count(512, 24), d, setting)
        found.append(case_of(f"d = {d}", d, job, several, setting))
    for D in (1, 2) if setting.quick else (1, 2, 3):
        gentle: dict[str, Any] = {"dimensions": D, "band": (0.0, 0.3), "shared": D > 1}
        job = synthetic("inv", setting.count(128, 16), setting.count(40, 12), setting, **gentle)
        found.append(case_of(f"parameters = {D}", D, job, several, setting))
    return found


def case_of(name: str, value: float, job: Job, batches: tuple[int, ...], setting: Setting) -> Case:
    """Return a point of a sweep."""
    many, bound = setting.count(100 if job.n <= 256 else 20, 3), None if setting.quick else WITHIN
    return Case(name, partial(rows, job, name, batches, value, many, bound, setting.quick))


def sizes(setting: Setting) -> tuple[int, ...]:
    """Return the sizes of the matrices."""
    return (16, 32) if setting.quick else (32, 64, 128, 256, 512, 1024, 2048, 4096)


def size(n: int) -> Job:
    """Return a job that needs about the same number of slices at every size."""
    return Job("inv", Update(n, min(8, n // 4)), SOLVES, TOL, affine=True)


def most(n: int, setting: Setting) -> int:
    """Return as many points as there is room for, a hundred at most."""
    return setting.count(int(np.clip(HELD // n**2, 2, 100)), 4)


SCALING = Measurement(NAME, "How the cost of an answer grows, beside a model of it", cases)
