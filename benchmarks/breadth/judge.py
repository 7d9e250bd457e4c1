"""One operation on one family: how it is fitted, what the exact answer is, and how far off each way of answering is."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.answers import Series
from benchmarks.breadth.verbs import VERBS, Factors, Given, Verb
from benchmarks.fits import argument
from benchmarks.truth import Span, relative
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning
from neumatc.gallery import GalleryFamily
from neumatc.gauge import NoGauge
from neumatc.operations import Refinable

__all__ = ["Task", "canonical", "corrected", "series", "smallest_gap"]

Matrix = Callable[[Any], Array]

WAYS = ("curve", "corrected", "best")
"""The curve as fitted; what `certified` repairs it to; the projection of the exact factors on the span."""


@dataclass(frozen=True)
class Task:
    """One operation on one family.

    Parameters
    ----------
    name : the verb.
    family : A(p).
    others : the further matrices by name, functions of p.
    rank, which : of a partial decomposition.
    """

    name: str
    family: GalleryFamily
    others: Mapping[str, Matrix] = field(default_factory=dict)
    rank: int | None = None
    which: str | None = None

    @property
    def verb(self) -> Verb:
        """Reference and residual."""
        return VERBS[self.name]

    @property
    def matrices(self) -> dict[str, Matrix]:
        """All that is given, in the order of the arguments."""
        every = {"A": self.family, **self.others}
        return {name: every[name] for name in self.verb.names}

    def fit(self, **options: Any) -> nmc.Fit:
        """Fit; what was reached stands in the row, so nobody is warned."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            return self.fit_aloud(**options)

    def fit_aloud(self, **options: Any) -> nmc.Fit:
        """Fit, with all warnings."""
        if self.rank is not None:
            options |= {"rank": self.rank}
        if self.which is not None:
            options |= {"which": self.which}
        found: nmc.Fit = getattr(nmc, self.name)(*self.matrices.values(), self.family.box, **options)
        return found

    def given(self, p: Any) -> Given:
        """All matrices at p."""
        return {name: matrix(p) for name, matrix in self.matrices.items()}

    def exact(self, M: Given, width: int | None = None) -> Factors:
        """Reference factors, canonical; of a partial decomposition ``width`` triplets or pairs instead of all."""
        F = self.verb.exact(M)
        if width is None:
            return F
        kept = slice(-width, None) if self.which == "highest" else slice(0, width)
        values = np.diag(np.diag(F["s" if self.name == "svd" else "w"])[kept])
        return {**{name: np.ascontiguousarray(F[name][:, kept]) for name in self.verb.vectors}, "M": values}

    def residual(self, M: Given, F: Factors) -> float:
        """By the formulas of `VERBS`, with the core of a partial decomposition, which is diagonal once canonical.

        Its equations hold for any triplets or pairs: values other than the wanted ones count as an error, too.
        """
        if self.rank is None:
            return self.verb.residual(M, F)
        missed = np.abs(np.diag(F["M"]) - np.diag(self.exact(M, self.rank)["M"])).max() / np.linalg.norm(M["A"])
        return max(self.verb.residual(M, {"s": F["M"], "w": F["M"], **F}), float(missed))

    def error(self, F: Factors, exact: Factors) -> float:
        """Largest relative error of any factor, free phases taken out.

        Of a partial decomposition: of the matrix it stands for and of the projectors on its subspaces.
        """
        if self.rank is not None:
            vectors = self.verb.vectors
            parts = [relative(F[name] @ F[name].conj().T, exact[name] @ exact[name].conj().T) for name in vectors]
            return max(relative(_product(F, vectors), _product(exact, vectors)), *parts)
        F = _in_phase(F, exact, self.verb.vectors)
        return max(relative(F[name], exact[name]) for name in exact)


def _product(F: Factors, vectors: tuple[str, ...]) -> Array:
    """``U M Vᴴ``."""
    found: Array = F[vectors[0]] @ F["M"] @ F[vectors[-1]].conj().T
    return found


def _in_phase(F: Factors, exact: Factors, vectors: tuple[str, ...]) -> Factors:
    """Columns turned by one common phase each, towards the exact ones."""
    if not vectors:
        return F
    overlap = sum((F[name].conj() * exact[name]).sum(0) for name in vectors)
    size = np.abs(overlap)
    phase = np.where(size > 0, overlap / np.where(size > 0, size, 1), 1)
    return {name: X * phase if name in vectors else X for name, X in F.items()}


def canonical(fit: nmc.Fit, stored: Mapping[str, Array]) -> Factors:
    """Stored factors ``(1, rows, columns)`` as the user receives them, without the batch axis."""
    return {name: np.asarray(X[0]) for name, X in fit.operation.canonical(stored).items()}


def corrected(fit: nmc.Fit, point: Array) -> dict[str, Array]:
    """Stored factors as `certified` repairs them: by the operation's own refinement, or latent Gauss-Newton.

    An operation that has neither, as it is no polynomial equation, keeps its curve.
    """
    problem, x = fit.problem_or_raise, fit.box.to_unit(point[None])
    A = problem.matrices(point[None])
    if isinstance(fit.operation, Refinable):
        stored = problem.rescale(fit.surrogate.factors(x))
        return problem.unscale(fit.operation.refine(A, fit.operation.refine(A, stored)))
    if all(equation.polynomial for equation in fit.operation.equations()):
        return problem.unscale(fit.corrected_factors(A, x))
    return fit.surrogate.factors(x)


def series(task: Task, fit: nmc.Fit, points: Array) -> Series:
    """Residual and error of all `WAYS` at all points, and the residual of the reference itself."""
    span, rows, slices = Span(fit), [], fit.surrogate.slices()
    width = slices["M"].shape[-1] if task.rank is not None else None
    for point in points:
        p = argument(point)
        M = task.given(p)
        exact = task.exact(M, task.rank)
        wide = {name: X[None] for name, X in (task.exact(M, width) if width else exact).items()}
        curve = fit.surrogate.factors(fit.box.to_unit(point[None]))
        free = isinstance(fit.operation.gauge, NoGauge)
        ways = {
            "curve": curve,
            "corrected": corrected(fit, point),
            "best": span.best(wide) if free else span.nearest(wide, curve),
        }
        row = {"exact_residual": task.residual(M, exact)}
        for way, stored in ways.items():
            F = canonical(fit, stored)
            row |= {f"{way}_residual": task.residual(M, F), f"{way}_error": task.error(F, exact)}
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def smallest_gap(task: Task, points: Array) -> float | None:
    """Least distance of neighbouring values in units of the mean distance, over the points; None without values."""
    if not task.verb.vectors:
        return None
    return min(_gap(task, argument(point)) for point in points)


def _gap(task: Task, p: Any) -> float:
    F = task.exact(task.given(p), task.rank)
    values = np.diag(next(F[name] for name in ("M", "s", "w") if name in F))
    steps = np.abs(np.diff(values))
    return float(steps.min() / steps.mean())


def constant(value: Array) -> Matrix:
    """A matrix that does not follow p."""
    return partial(_always, value)


def _always(value: Array, p: Any) -> Array:
    del p
    return value.copy()
