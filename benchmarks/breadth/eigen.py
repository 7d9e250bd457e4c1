"""Spectra that meet: Chern numbers from a map, levels followed through crossings, and Dirac points refused."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

import neumatc as nmc
from benchmarks.breadth.judge import Task, series
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described, places
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning, GaugeError
from neumatc.gallery import AvoidedCrossing, ConicalIntersection, ExactCrossing
from neumatc.gallery.real import Haldane, Zincblende

__all__ = ["EIGEN"]

TOL = 1e-8
STEP = 1.01
"""Largest step of what is followed between neighbours of a fine grid, in units of the exact one."""

REMOTE = 1.5
"""Levels beyond take no part in a crossing."""

TWO_POINTS = re.compile(r"between p = (\(.*?\)) and p = (\(.*?\))")


def chern_rows(case: str, family: Haldane, samples: int) -> Iterator[Row]:
    """The Chern number of a map of the lower band, each Brillouin zone cut in boxes on which a smooth gauge exists."""
    task = Task("eigh", family, rank=1, which="lowest")
    yield from _chern(case, task, family, samples)


def _chern(case: str, task: Task, family: Haldane, samples: int) -> Iterator[Row]:
    fit = task.fit(samples=samples, tol=1e-6, rng=0)
    found = nmc.topology.chern_number(fit)
    row = described(EIGEN.name, case, family, fit, "curve", 0)
    residual = series(task, fit, places(family, 100, 0))["curve_residual"]
    yield replace(row, operation="eigh").having(
        Check("Chern number of the map, distance from the known one", abs(found - family.chern), 0.0),
        points=len(residual),
        residual_worst=float(residual.max()),
        residual_median=float(np.median(residual)),
        extra={**row.extra, "chern": found, "known": family.chern},
    )


def steps(family: ExactCrossing | AvoidedCrossing, case: str, rank: int | None, points: int) -> Iterator[Row]:
    """Levels and subspaces on a fine grid through all crossings: no step is longer than that of the truth."""
    task = Task("eigh", family, rank=rank, which=None if rank is None else "lowest")
    fit = task.fit(tol=TOL, rng=0)
    grid = np.linspace(*np.ravel(family.box), points)
    answer = fit(grid)
    exact = np.array([family.eigenvalues(p)[: answer.eigenvalues.shape[-1]] for p in grid])
    row = described(EIGEN.name, case, family, fit, "curve", 0)
    checks = [
        Check("largest step of a sorted value / that of the exact one", _ratio(answer.eigenvalues, exact), STEP),
        Check("worst value, relative to the largest", _worst(answer.eigenvalues, exact), 10 * TOL),
    ]
    extra = {"grid": points, "gap": float(np.diff(np.array([family.eigenvalues(p) for p in grid]), axis=1).min())}
    if rank is None:
        stored = fit.surrogate.factors(fit.box.to_unit(grid[:, None]))
        leap = float(np.linalg.norm(np.diff(stored["V"], axis=0), axis=1).max())
        known = _turned(np.array([family.eigenvectors(p) for p in grid]))
        checks.append(Check("largest step of a followed vector / that of the exact one", leap / known, STEP))
        extra |= {"largest_step": leap}
    else:
        projectors = answer.eigenvectors @ answer.eigenvectors.conj().swapaxes(-1, -2)
        known = np.array([family.projector(p, rank) for p in grid])
        checks.append(Check("largest step of the projector / that of the exact one", _ratio(projectors, known), STEP))
    yield replace(row, operation="eigh").having(*checks, points=points, extra={**row.extra, **extra})


def bands(case: str, family: Zincblende, points: int) -> Iterator[Row]:
    """All bands of a crystal along a line on which pairs stay degenerate and others cross: values right, no jump.

    Inside a pair no basis is the true one, so the followed vectors are judged by themselves: without a jump, half the
    distance of neighbours makes half the largest step.
    """
    task = Task("eigh", family)
    fit = task.fit(tol=TOL, rng=0)
    grid = np.linspace(*np.ravel(family.box), points)
    exact = np.array([np.linalg.eigvalsh(family(p)) for p in grid])
    answer = fit(grid).eigenvalues
    leaps = []
    for at in (grid, np.linspace(grid[0], grid[-1], 2 * points - 1)):
        V = fit.surrogate.factors(fit.box.to_unit(at[:, None]))["V"]
        leaps.append(float(np.linalg.norm(np.diff(V, axis=0), axis=1).max()))
    row = described(EIGEN.name, case, family, fit, "curve", 0)
    yield replace(row, operation="eigh").having(
        Check("largest step of a sorted value / that of the exact one", _ratio(answer, exact), STEP),
        Check("worst value, relative to the largest", _worst(answer, exact), 10 * TOL),
        Check("largest step of a followed vector, half the distance / whole", leaps[1] / leaps[0], 0.51),
        points=points,
        extra={
            **row.extra,
            "largest_step": leaps[0],
            "gap": float(np.diff(exact, axis=1).min()),
            "report": str(fit.gauge_report()),
        },
    )


def _sizes(values: Array) -> Array:
    """Distances of neighbours along the first axis."""
    sizes: Array = np.linalg.norm(np.diff(values, axis=0).reshape(len(values) - 1, -1), axis=1)
    return sizes


def _ratio(values: Array, exact: Array) -> float:
    return float(_sizes(values).max() / _sizes(exact).max())


def _worst(values: Array, exact: Array) -> float:
    return float(np.abs(values - exact).max() / np.abs(exact).max())


def _turned(V: Array) -> float:
    """Largest step of any exact vector of V (m, n, n) to the nearest one at the next point, its phase taken out."""
    cosines = np.abs(V[:-1].conj().swapaxes(-1, -2) @ V[1:]).max(-1)
    worst, i = np.unravel_index(int(cosines.argmin()), cosines.shape)
    # From the difference itself: 1 - cosine has lost half of the digits.
    own = V[worst][:, i]
    overlaps = own.conj() @ V[worst + 1]
    j = int(np.abs(overlaps).argmax())
    return float(np.linalg.norm(V[worst + 1][:, j] * (overlaps[j].conj() / abs(overlaps[j])) - own))


def dirac(case: str, family: ConicalIntersection) -> Iterator[Row]:
    """A full spectrum around a Dirac point must be refused, with two samples beside a loop around it."""
    row = Row(EIGEN.name, case, family.name, family.n, 2, "eigh", "fit", seed=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            nmc.eigh(family, family.box, rng=0)
    except GaugeError as error:
        places_named = TWO_POINTS.search(str(error))
        missing = 0.0 if places_named else 1.0
        yield row.having(
            Check("GaugeError without two samples", missing, 0.0), status="refused", extra={"said": str(error)}
        )
        return
    yield row.having(Check("no GaugeError", 1.0, 0.0), status="not refused")


def cases(setting: Setting) -> list[Case]:
    """Chern numbers in all phases of Haldane's model; the bands of two crystals; crossings of three kinds; cones."""
    samples, points = setting.count(256, 100), setting.count(20_001, 201)
    models = [Haldane(), Haldane(mass=0.2), Haldane(mass=1.0), Haldane(phase=-np.pi / 2)]
    found = [
        Case(f"Chern number, {each.name}", partial(chern_rows, f"Chern number, {each.name}", each, samples))
        for each in (models[:1] if setting.quick else models)
    ]
    for crystal in (Zincblende("Si", "Γ-X"), Zincblende("GaAs", "Γ-L")):
        case = f"bands, {crystal.name}"
        found.append(Case(case, partial(bands, case, crystal, points)))
    n = setting.count(32, 6)
    for seed in setting.draws(3):
        families = {
            "exact crossings": ExactCrossing(n=n, seed=seed),
            "avoided crossing": AvoidedCrossing(n=n, seed=seed),
        }
        for kind, family in families.items():
            # All levels but the remote ones above: the crossings lie inside.
            below = int(np.sum(family.eigenvalues(0.5) < REMOTE))
            for rank in (None, below) if kind == "exact crossings" else (None,):
                case = f"{kind}, {'all pairs' if rank is None else 'all below the gap'}, seed {seed}"
                found.append(Case(case, partial(steps, family, case, rank, points)))
        cone = ConicalIntersection(seed=seed)
        case = f"Dirac point, seed {seed}"
        found.append(Case(case, partial(dirac, case, cone)))
    return found


EIGEN = Measurement("eigen", "Spectra that meet: Chern numbers, crossings, Dirac points", cases)
