"""The corners of the gallery: solved, refused or flagged as their entries say, and never certified wrongly."""

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.answers import in_chunks
from benchmarks.breadth.judge import Task, constant
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import argument, described, places
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import AccuracyWarning, NeuMatCError
from neumatc.gallery import CORNERS, Corner, GalleryFamily, MultipathMIMO, Stable

__all__ = ["CORNER_CHECK", "task_of"]

POINTS = 100_000
"""Over all corners and operations together."""

TOL = 1e-8
WITHIN = 3.0
"""How far the true residual may lie above tol where a fit converged."""

BUDGETS: dict[int, tuple[int, ...]] = {1: (96, 160, 256), 2: (256, 512), 3: (256, 2197, 9261)}
"""Budgets to try one after the other until a fit converges; the default one in more parameters."""

PATHS = ("surrogate", "corrected", "exact")
QUICK = ("affine-spd", "rank-change", "spike")
CHUNK = 1 << 22
"""Matrix entries answered in one call."""


def task_of(operation: str, family: GalleryFamily) -> Task:
    """Return an operation of a corner, with the further matrices that it needs."""
    n = len(family(argument(Box.of(family.box).middle[0])))
    rng = np.random.default_rng(47)
    if operation == "solve":
        return Task(operation, family, {"b": constant(rng.standard_normal((n, 1)))})
    if isinstance(family, MultipathMIMO):
        return Task(operation, family, rank=family.paths)  # singular vectors of zero are arbitrary
    if not isinstance(family, Stable):
        return Task(operation, family)
    if operation == "lyapunov":
        return Task(operation, family, {"Q": partial(_minus_weight, family)})
    if operation == "sylvester":
        other = replace(family, seed=family.seed + 1)
        return Task(operation, family, {"B": other, "Q": constant(rng.standard_normal((n, n)))})
    return Task(operation, family, {"B": family.control, "Q": family.state_cost, "R": family.effort})


def _minus_weight(family: Stable, p: Any) -> Array:
    return -family.weight(p)


def pairs(names: Any) -> list[tuple[str, str, Corner]]:
    """Return name, operation and entry of every corner."""
    return [(name, operation, CORNERS[name]) for name in names for operation in CORNERS[name].operations]


def attempted(task: Task, budgets: tuple[int, ...]) -> tuple[nmc.Fit | None, str]:
    """Return the first fit that converges, or that of the largest budget, and what it raised or warned of."""
    said, fit = "", None
    for samples in budgets:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                fit = task.fit_aloud(samples=samples, tol=TOL, rng=0)
            except NeuMatCError as error:
                return None, f"{type(error).__name__}: {error}"
        told = [each for each in caught if issubclass(each.category, AccuracyWarning)]
        said = f"AccuracyWarning: {told[0].message}" if told else ""
        if fit.status == "converged":
            break
    return fit, said


def plain(task: Task, fit: nmc.Fit, points: Array) -> tuple[Array, int]:
    """Return the true residuals of uncertified answers, and how many wrong ones no certificate would have caught.

    Wrong is an answer beyond three times tol.
    """
    true, uncaught = [], 0
    for point in points:
        p = argument(point)
        F = {name: X[0] for name, X in fit.map.factors(fit.box.to_unit(point[None])).items()}
        true.append(task.residual(task.given(p), F))
        if not true[-1] <= WITHIN * TOL and fit.certify(p).passed:
            uncaught += 1
    return np.array(true), uncaught


def named(fit: nmc.Fit, value: Any, i: int) -> dict[str, Array]:
    """Return answer i of a batch as factors by name."""
    names = [part.name for part in fit.surrogate.layout.parts]
    if not isinstance(value, tuple):
        return {names[0]: np.asarray(value)[i]}
    found = {field: np.asarray(part)[i] for field, part in value._asdict().items()}
    if "S" in found:
        return {"U": found["U"], "s" if "s" in names else "M": np.diag(found["S"]), "V": found["Vh"].conj().T}
    if "eigenvalues" in found:
        return {"V": found["eigenvectors"], "w": np.diag(found["eigenvalues"])}
    return dict(zip(names, found.values(), strict=True))


def certified(task: Task, fit: nmc.Fit, points: Array) -> dict[str, float]:
    """Ask for certified answers, and judge each by its true residual."""
    answering, paths, wrong, refused, worst = fit.certified(TOL), [], 0, 0, 0.0
    for chunk in in_chunks(points, max(1, CHUNK // int(np.prod(fit.shape)))):
        found, failed = answers(answering, chunk)
        refused += failed
        for point, value, i, path in found:
            true = task.residual(task.given(argument(point)), named(fit, value, i))
            wrong += not true <= TOL
            worst = max(worst, true) if true == true else math.inf  # NaN is another branch
            paths.append(path)
    share = {path: float(np.mean([each == path for each in paths])) if paths else 0.0 for path in PATHS}
    return {"wrong": wrong, "refused": refused, "answered": len(paths), "certified_worst": worst, **share}


def answers(answering: Callable[[Any], Any], points: Array) -> tuple[list[tuple[Array, Any, int, str]], int]:
    """Return ``(point, batch of values, place in it, path)`` for every answer, and how many points were refused."""
    try:
        answer = answering(points[:, 0] if points.shape[1] == 1 else points)
    except NeuMatCError:  # no certificate, or no exact answer either
        if len(points) > 1:
            half = len(points) // 2
            first, second = answers(answering, points[:half]), answers(answering, points[half:])
            return first[0] + second[0], first[1] + second[1]
        return [], 1
    return [(p, answer.value, i, str(answer.path[i])) for i, p in enumerate(points)], 0


def rows(name: str, operation: str, corner: Corner, points: int) -> Iterator[Row]:
    """Fit one corner; see whether it goes as its entry says; and answer everywhere with a certificate."""
    case, family = f"{name}: {operation}", corner()
    task = task_of(operation, family)
    dimension = Box.of(family.box).dimension
    budgets = BUDGETS.get(dimension, BUDGETS[2][:1])
    # What cannot be solved need not be granted more than the default.
    fit, said = attempted(task, budgets if corner.expect == "solved" else budgets[:1])
    if fit is None:
        row = Row(CORNER_CHECK.name, case, family.name, 0, dimension, operation, "fit", seed=0, status="refused")
        yield row.having(
            Check(f"not {corner.expect}", float(corner.expect == "solved"), 0.0),
            extra={"expect": corner.expect, "said": said, "named": said.split(":", 1)[0]},
        )
        return
    at = places(family, points, 0)
    true, uncaught = plain(task, fit, at[: max(points // 10, 3)])
    found = certified(task, fit, at)
    row = described(CORNER_CHECK.name, case, family, fit, "certified", 0)
    worst = float(np.nan_to_num(true, nan=np.inf).max())
    outcome = "solved" if fit.status == "converged" and worst <= WITHIN * TOL and not said else "flagged"
    if not said and fit.status == "converged" and uncaught:
        outcome = "wrong, and silent"
    met = outcome == corner.expect or (corner.expect == "flagged" and outcome == "solved")
    yield replace(row, operation=operation).having(
        Check(f"not {corner.expect}", float(not met), 0.0),
        Check("certified answers beyond tol", float(found["wrong"]), 0.0),
        Check("wrong answers that no certificate would catch", float(uncaught), 0.0),
        points=len(at),
        residual_worst=worst,
        residual_median=float(np.median(true)),
        certified_share=found["surrogate"] + found["corrected"],
        fallback_share=found["exact"],
        extra={
            **row.extra,
            **found,
            "expect": corner.expect,
            "outcome": outcome,
            "said": said,
            "named": said.split(":", 1)[0] or fit.status,
        },
    )


def cases(setting: Setting) -> list[Case]:
    """One case per corner and operation; those that have answers share the points evenly."""
    listed = pairs(QUICK if setting.quick else CORNERS)
    answering = sum(corner.expect != "refused" for _, _, corner in listed)
    points = setting.count(math.ceil(POINTS / answering), 12)
    return [Case(f"{name}: {op}", partial(rows, name, op, corner, points)) for name, op, corner in listed]


CORNER_CHECK = Measurement("corners", "The corners: as their entries say, and 100,000 certified answers", cases)
