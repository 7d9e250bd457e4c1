"""Table 11: sparse solves along p for the turning wind of the paper's appendix H."""

import time
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.baselines import GCRODR, GCROT, Baseline, SparseLU
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.paper.published import TABLES
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning
from neumatc.gallery.real import AdvectionDiffusionReaction

__all__ = ["TABLE11"]

QUERIES, SWEPT = 200, 20
"""Systems of the table, and neighbours among them that the iterative methods solve."""

RESIDUAL = 1e-8
"""Largest relative residual of the default way."""

PRINTED = TABLES["table11"]


def residuals(family: AdvectionDiffusionReaction, points: Array, X: Any) -> Array:
    """Return ``‖A(p) x - b‖ / ‖b‖``, the error of this table."""
    b = family.rhs
    found: Array = np.array([np.linalg.norm(family(float(p)) @ x - b) for p, x in zip(points, X, strict=True)])
    return found / np.linalg.norm(b)


def row(family: AdvectionDiffusionReaction, method: str, found: Array, **values: Any) -> Row:
    """Return a row without times."""
    return Row(
        "table11", method, family.name, len(family.rhs), 1, "solve", method, seed=0, points=len(found),
        residual_worst=float(found.max()), residual_median=float(np.median(found)),
    ).having(**values)  # fmt: skip


def fitted(family: AdvectionDiffusionReaction, points: Array, solves: int, name: str, calls: int) -> Iterator[Row]:
    """Fit with a number of sparse solves, answer all systems at once."""
    A = nmc.Affine(family.matrices, family.coefficients, coercivity=lambda _: family.coercivity)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        fit = nmc.solve(A, family.rhs, family.box, rng=0, tol=RESIDUAL / 10, samples=solves)
    offline, out = time.perf_counter() - start, np.empty((len(points), len(family.rhs)))
    spent = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        fit(points, out=out)
        spent.append(time.perf_counter() - start)
    seconds, found = np.array(spent[1:]), residuals(family, points, out)
    made = row(
        family, name, found, samples=len(fit.samples), d=fit.d, tol=fit.tol, status=fit.status, basis=fit.basis.name,
        offline_seconds=offline, exact_seconds=fit.cost.solve_seconds, calls=len(seconds),
        online_us=1e6 * float(np.median(seconds)) / len(points),
        online_spread=tuple(1e6 * np.quantile(seconds, (0.25, 0.75)) / len(points)),
        extra={"all_ms": 1e3 * float(np.median(seconds)), "printed_ms": PRINTED["NeuMatC"].milliseconds,
               "printed_residual": PRINTED["NeuMatC"].squared_error},
    )  # fmt: skip
    paper = PRINTED["NeuMatC"].squared_error
    assert paper is not None  # the table has it
    bound = RESIDUAL if solves > 20 else paper
    yield made.having(Check("worst residual", float(found.max()), bound))


def iterated(family: AdvectionDiffusionReaction, points: Array, method: Baseline) -> Iterator[Row]:
    """Neighbouring systems one after the other; the time of all is extrapolated."""
    some, X, seconds = np.sort(points)[:SWEPT], [], []
    stream = method.prepare(family)(some.tolist())
    for _ in some:
        start = time.perf_counter()
        X.append(next(stream).factors["x"])
        seconds.append(time.perf_counter() - start)
    middle = float(np.median(seconds))
    yield row(
        family, method.name, residuals(family, some, X), calls=len(seconds), online_us=1e6 * middle,
        extra={"all_ms": 1e3 * middle * QUERIES, "printed_ms": PRINTED["Krylov"].milliseconds,
               "printed_residual": PRINTED["Krylov"].squared_error, "source": method.source},
    )  # fmt: skip


def table11(setting: Setting) -> list[Case]:
    """The paper's 20 solves, three times as many, and what they are compared with."""
    family = AdvectionDiffusionReaction(points=setting.count(316, 12))
    points = np.random.default_rng([0, 2024]).uniform(0, 1, setting.count(QUERIES, SWEPT))
    calls = setting.count(20, 2)
    listed = [
        Case(f"{solves} solves", partial(fitted, family, points, solves, f"default, {solves} solves", calls))
        for solves in (20, setting.count(64, 24))
    ]
    methods = (SparseLU(), GCRODR(tol=1e-3), GCROT(tol=1e-3))
    return listed + [Case(each.name, partial(iterated, family, points, each)) for each in methods]


TABLE11 = Measurement("table11", "Table 11: sparse systems, n = 99,856, 200 queries", table11)
