"""``certified``: an answer that has passed its check, by the cheapest of three paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc.arrays import Array
from neumatc.certify import Certificate, joined
from neumatc.errors import CertificateError, InputError
from neumatc.gauge import Factors
from neumatc.maps import like, shaped
from neumatc.operations import Refinable

if TYPE_CHECKING:
    from neumatc.fitted import Fit

CHUNK_BYTES = 1 << 26
"""Matrices held at once while a batch is checked."""

PATHS = np.array(["surrogate", "corrected", "exact"])

ON_FAIL = ("exact", "raise")


@dataclass(frozen=True)
class Answer:
    """A result with its certificate and the path it came by, per point: "surrogate", "corrected" or "exact"."""

    value: Any
    certificate: Certificate
    path: Any


@dataclass(frozen=True)
class Certified:
    """``p -> Answer``; no answer leaves whose bound exceeds ``tol``.

    The surrogate's answer is checked first; where it fails it is corrected (latent Gauss-Newton, or the operation's own
    refinement, with the true A(p)) and checked again; where that fails A(p) is solved exactly and checked too.
    """

    fit: Fit
    tol: float
    on_fail: str = "exact"

    def __post_init__(self) -> None:
        if self.on_fail not in ON_FAIL:
            raise InputError(
                f"`on_fail` must be one of {ON_FAIL}, got {self.on_fail!r}. "
                "It says what happens where the corrected answer still fails. Use 'exact' to solve exactly there."
            )
        if not self.tol > 0:
            raise InputError(
                f"`tol` must be a positive relative residual, got {self.tol!r}. "
                "Zero cannot be certified in floating point. Try 1e-8 for double precision, 1e-4 for single."
            )

    def __call__(self, p: Any) -> Answer:
        """Certified answers at ``p``, shaped like ``f(p)``."""
        points, batch = self.fit.box.points(p)
        size = max(1, CHUNK_BYTES // (8 * self.fit.problem_or_raise.shape[0] * self.fit.problem_or_raise.shape[1]))
        # Up to three answers are checked per point, and the confidence must hold for all of them together.
        together = len(PATHS) * len(points)
        pieces = [self._piece(points[i : i + size], together) for i in range(0, max(len(points), 1), size)]
        F = {name: np.concatenate([piece[0][name] for piece in pieces]) for name in pieces[0][0]}
        certificate = joined([piece[1] for piece in pieces], batch)
        path = PATHS[np.concatenate([piece[2] for piece in pieces])].reshape(batch)[()]
        value = shaped(self.fit.operation.present(F), batch)
        return Answer(like(value, p), certificate, str(path) if not batch else path)

    def _piece(self, points: Array, together: int) -> tuple[Factors, Certificate, Array]:
        fit = self.fit
        A = fit.problem_or_raise.matrices(points)
        x = fit.box.to_unit(points)
        stored = fit.problem_or_raise.rescale(fit.surrogate.factors(x))
        F = fit.operation.canonical(stored)
        checker = fit.checker
        certificate = checker.certificate(A, F, self.tol, together)
        path = np.zeros(len(points), int)
        for stage, repair in ((1, self._corrected), (2, self._exact)):
            bad = np.flatnonzero(~certificate.passed)
            if len(bad) == 0 or (stage == 2 and self.on_fail == "raise"):
                break
            better = repair(A[bad], x[bad], points[bad], {name: X[bad] for name, X in stored.items()})
            better = _cast(better, F)
            update = checker.certificate(A[bad], better, self.tol, together)
            taken = ~(update.bound >= certificate.bound[bad])
            F = {name: _put(X, bad[taken], better[name][taken]) for name, X in F.items()}
            certificate = _merge(certificate, update, bad, taken)
            path[bad[taken]] = stage
        self._refuse(certificate, points)
        return fit.problem_or_raise.unscale(F), certificate, path

    def _corrected(self, A: Array, x: Array, points: Array, stored: Factors) -> Factors:
        del points
        operation = self.fit.operation
        if isinstance(operation, Refinable):
            once = operation.refine(A, stored)
            return operation.canonical(operation.refine(A, once))
        if not self.fit.correction_pays:
            return operation.canonical(stored)  # on to the exact solve
        return operation.canonical(self.fit.corrected_factors(A, x))

    def _exact(self, A: Array, x: Array, points: Array, stored: Factors) -> Factors:
        del x, stored
        return self.fit.operation.canonical(self.fit.problem_or_raise.solve(A, points))

    def _refuse(self, certificate: Certificate, points: Array) -> None:
        if np.all(certificate.passed):
            return
        worst = int(np.argmax(np.where(certificate.passed, -np.inf, certificate.bound)))
        reached = f"{certificate.bound[worst]:.1e}"
        tried = "the exact solve" if self.on_fail == "exact" else "the corrected answer"
        raise CertificateError(
            f"No answer within tol = {self.tol:.1e} at {self.fit.box.describe(points[worst])}: the bound of {tried} "
            f"is {reached}. Rounding in an ill-conditioned A, or a tolerance below the precision of "
            f"{self.fit.surrogate.C.dtype}, is the usual cause. Ask for a tol of a few times {reached}, or use double "
            "precision and on_fail='exact'."
        )


def _cast(F: Factors, like_these: Factors) -> Factors:
    return {name: np.asarray(X).astype(like_these[name].dtype, copy=False) for name, X in F.items()}


def _put(X: Array, rows: Array, values: Array) -> Array:
    X = X if X.flags.writeable else X.copy()
    X[rows] = values
    return X


def _merge(old: Certificate, new: Certificate, rows: Array, taken: Array) -> Certificate:
    def pick(name: str) -> Any:
        values = getattr(old, name)
        return None if values is None else _put(values.copy(), rows[taken], getattr(new, name)[taken])

    return Certificate(
        residual=pick("residual"),
        bound=pick("bound"),
        confidence=old.confidence,
        passed=pick("passed"),
        tol=old.tol,
        error_bound=pick("error_bound"),
        theorem=old.theorem,
        angle_bound=pick("angle_bound"),
        angle_theorem=old.angle_theorem,
    )
