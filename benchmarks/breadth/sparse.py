"""Sparse solves: the advection problem of the paper's appendix H, and the thermal block of the reduced-basis world."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, gcrotmk, spilu

import neumatc as nmc
from benchmarks.baselines import ReducedBasis
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.record import Check, Row
from benchmarks.truth import relative
from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import AccuracyWarning
from neumatc.gallery.real import AdvectionDiffusionReaction, ThermalBlock
from neumatc.reduced import ReducedFit

__all__ = ["APPENDIX_H", "THERMAL"]

QUERIES, COMPARED, SWEPT, SOLVES = 200, 25, 40, 64
"""Of appendix H: the paper's number of queries, those compared with SuperLU, neighbours swept, and exact solves."""

RESIDUAL = 1e-9
"""Relative residual that is certified at every query."""

MOST_ERROR, MOST_MS = 1e-9, 150.0

KRYLOV = {"drop_tol": 1e-4, "fill_factor": 20}
"""An incomplete factorisation with which GCROT(m, k) converges; with 1e-3 and 10 it stagnates."""

BLOCK_SOLVES, BLOCK_TOL, BLOCK_ERROR = 25, 1e-6, 1e-5


def reduced(A: nmc.Affine, b: Array, box: Any, **options: Any) -> ReducedFit:
    """Fit without complaints: what was reached stands in the row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        fit = nmc.solve(A, b, box, rng=0, **options)
    assert isinstance(fit, ReducedFit)
    return fit


def described(measurement: str, family: Any, fit: ReducedFit, method: str) -> Row:
    """Return the row of a fit, without results yet."""
    cost = fit.cost
    return Row(
        measurement=measurement,
        case=family.name,
        family=family.name,
        n=fit.system.n,
        D=fit.box.dimension,
        operation="solve",
        method=method,
        d=fit.d,
        samples=len(fit.samples),
        seed=0,
        tol=fit.tol,
        basis=fit.basis.name,
        status=fit.status,
        offline_seconds=cost.total_seconds - cost.build_seconds,
        build_seconds=cost.build_seconds,
        exact_seconds=cost.solve_seconds,
        extra={"held_out": fit.error},
    )


def spent(function: Any) -> tuple[float, Any]:
    """Return the seconds of one call, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


# appendix H ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """What a Krylov method needs for queries in order, each started from the answer before it."""

    seconds: float
    iterations: int
    error: float


def krylov(family: AdvectionDiffusionReaction, points: Array, known: dict[float, Array]) -> Sweep:
    """GCROT(m, k) with one incomplete factorisation, warm starts and recycled directions, to a residual of 1e-6."""
    counted: list[int] = []
    worst, b = 0.0, family.rhs
    start = time.perf_counter()
    factors = spilu(family(float(points[0])).tocsc(), **KRYLOV)
    M = LinearOperator((len(b), len(b)), factors.solve)
    x, recycled = np.zeros_like(b), []
    for p in points:
        A = family(float(p))
        x, _ = gcrotmk(A, b, x0=x, rtol=1e-6, M=M, CU=recycled, callback=lambda _: counted.append(1))
        # Directions of this A are kept, their images under it are not: a stale image makes the method diverge.
        recycled = [(None, u) for _, u in recycled]
        if float(p) in known:
            worst = max(worst, relative(x, known[float(p)]))
    return Sweep(time.perf_counter() - start, len(counted), worst)


def appendix_rows(setting: Setting) -> Iterator[Row]:
    """Exact solves offline, then all queries with a certificate, beside SuperLU and a warm Krylov method."""
    family = AdvectionDiffusionReaction(points=setting.count(316, 16))
    A = nmc.Affine(family.matrices, family.coefficients, coercivity=lambda _: family.coercivity)
    fit = reduced(A, family.rhs, family.box, tol=RESIDUAL, samples=SOLVES)
    points = Box.of(family.box).random(setting.count(QUERIES, 10), np.random.default_rng([0, 2024]))[:, 0]
    certified, memory = fit.certified(RESIDUAL), np.empty((len(points), fit.system.n))
    certified(points, out=memory)
    timed = [spent(lambda: certified(points, out=memory)) for _ in range(setting.count(15, 2))]
    answer = timed[0][1]
    compared = points[: setting.count(COMPARED, 3)]
    exact = [spent(lambda p=p: fit.system.solve(np.array([p])).x) for p in compared]
    errors = [relative(memory[i], x) for i, (_, x) in enumerate(exact)]
    # Neighbours in p, as close as in a sweep of all queries: what a warm start lives on.
    swept = np.sort(points)[: setting.count(SWEPT, 5)]
    sweep = krylov(family, swept, {float(p): x for p, (_, x) in zip(compared, exact, strict=True)})
    seconds = np.array([each for each, _ in timed])
    low, middle, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    alone = np.quantile([each for each, _ in exact], (0.25, 0.5, 0.75))
    share = float(np.mean(answer.path == "surrogate"))
    yield described(APPENDIX_H.name, family, fit, "certified").having(
        Check("error against SuperLU", max(errors), MOST_ERROR),
        Check("answers that the model could not certify", 1.0 - share, 0.0),
        Check("all certified answers, ms, median", 1e3 * float(middle), MOST_MS),
        Check("all certified answers, ms, quickest run", 1e3 * float(seconds.min()), MOST_MS),
        online_us=1e6 * float(middle) / len(points),
        online_spread=(1e6 * float(low) / len(points), 1e6 * float(high) / len(points)),
        baseline="SuperLU",
        baseline_us=1e6 * float(alone[1]),
        baseline_spread=(1e6 * float(alone[0]), 1e6 * float(alone[2])),
        calls=len(seconds),
        points=len(points),
        error_worst=max(errors),
        error_median=float(np.median(errors)),
        residual_worst=float(np.max(answer.certificate.residual)),
        residual_median=float(np.median(answer.certificate.residual)),
        certified_share=share,
        fallback_share=1.0 - share,
        extra={
            "held_out": fit.error,
            "bound_worst": float(np.max(answer.certificate.bound)),
            "error_bound_worst": float(np.max(answer.certificate.error_bound)),
            "compared": len(compared),
            "superlu_all_seconds": float(alone[1]) * len(points),
            "krylov": "gcrotmk, one ILU(1e-4, 20), warm starts in the order of p, recycling, rtol 1e-6",
            "krylov_swept": len(swept),
            "krylov_all_seconds": sweep.seconds * len(points) / len(swept),
            "krylov_iterations": sweep.iterations,
            "krylov_error": sweep.error,
        },
    )


# thermal block -------------------------------------------------------------------------------------------------------


def norm(x: Array, energy: Any = None) -> float:
    """Return ``sqrt(xᵀ E x)``, or the Euclidean norm."""
    return float(np.sqrt(x @ (x if energy is None else energy @ x)))


def thermal_rows(setting: Setting) -> Iterator[Row]:
    """Errors and effectivities of the bound over random conductivities."""
    family = ThermalBlock(blocks=(2, 2), squares=setting.count(40, 8))
    A = nmc.Affine(family.matrices, family.coefficients, energy=family.energy, coercivity=family.coercivity)
    fit = reduced(A, family.rhs, family.box, tol=BLOCK_TOL, samples=BLOCK_SOLVES)
    points = Box.of(family.box).random(setting.count(1000, 20), np.random.default_rng([0, 2024]))
    (seconds, X), certificate = spent(lambda: fit(points)), fit.certify(points)
    solved = [spent(lambda p=p: fit.system.solve(p).x) for p in points]
    exact = [x for _, x in solved]
    energies = np.array([norm(x - y, family.energy) / norm(y, family.energy) for x, y in zip(X, exact, strict=True)])
    plain = np.array([relative(x, y) for x, y in zip(X, exact, strict=True)])
    effectivity = certificate.error_bound / energies
    theirs = pymor(family, points, exact)
    yield described(THERMAL.name, family, fit, "curve").having(
        Check("exact solves", float(len(fit.samples)), float(BLOCK_SOLVES)),
        Check("error in the energy norm", float(energies.max()), BLOCK_ERROR),
        Check("error", float(plain.max()), BLOCK_ERROR),
        Check("error over its bound", float(1 / effectivity.min()), 1.0),
        Check("effectivity of the bound", float(effectivity.max()), 10.0),
        online_us=1e6 * seconds / len(points),
        baseline="SuperLU",
        baseline_us=1e6 * float(np.median([each for each, _ in solved])),
        points=len(points),
        error_worst=float(plain.max()),
        error_median=float(np.median(plain)),
        residual_worst=float(np.max(certificate.residual)),
        residual_median=float(np.median(certificate.residual)),
        extra={
            "held_out": fit.error,
            "energy_error_worst": float(energies.max()),
            "effectivity_min": float(effectivity.min()),
            "effectivity_median": float(np.median(effectivity)),
            "effectivity_max": float(effectivity.max()),
            **theirs,
        },
    )


def pymor(family: ThermalBlock, points: Array, exact: list[Array]) -> dict[str, Any]:
    """The same by pyMOR's weak greedy with as many solves, or why it cannot be had here."""
    method = ReducedBasis(tol=0.0, largest=BLOCK_SOLVES, training=500)
    absent = method.absent()
    if absent:
        return {"pymor": absent}
    offline, solver = spent(lambda: method.prepare(family))
    answers = list(solver(points))
    E = family.energy
    energies = np.array([norm(a.factors["x"] - x, E) for a, x in zip(answers, exact, strict=True)])
    sizes = np.array([norm(x, E) for x in exact])
    effectivity = np.array([a.bound for a in answers]) / energies
    return {
        "pymor": "CoerciveRBReductor, rb_greedy over 500 random points",
        "pymor_functions": answers[0].steps,
        "pymor_offline_seconds": offline,
        "pymor_energy_error_worst": float((energies / sizes).max()),
        "pymor_effectivity_min": float(effectivity.min()),
        "pymor_effectivity_median": float(np.median(effectivity)),
        "pymor_effectivity_max": float(effectivity.max()),
    }


APPENDIX_H = Measurement(
    "appendix-h",
    "Sparse solves for a turning wind, n = 99,856 (appendix H), certified, beside SuperLU and a warm Krylov method",
    lambda setting: [Case("advection", partial(appendix_rows, setting))],
)
THERMAL = Measurement(
    "thermal-block",
    "Thermal block: errors, and effectivity of the energy bound",
    lambda setting: [Case("thermal block", partial(thermal_rows, setting))],
)
