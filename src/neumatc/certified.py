"""``certified``: an answer that has passed its check, by the cheapest of three paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.certify import Certificate, joined
from neumatc.direct import copied
from neumatc.errors import CertificateError, InputError
from neumatc.gauge import Factors
from neumatc.latent.answers import merged
from neumatc.maps import like, shaped
from neumatc.operations import Refinable

if TYPE_CHECKING:
    from neumatc.fitted import Fit

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
    refinement, with the true A(p)) and checked again; where that fails A(p) is solved exactly and checked too. Checks
    and corrections work on the coefficients φ where A(p) is affine and these tell everything (see
    `neumatc.latent.eligible`), else on the factors.
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

    def __call__(self, p: Any, out: Any = None) -> Answer:
        """Certified answers at ``p``, shaped like ``f(p)``; written into ``out`` as by ``f(p, out)``."""
        points, batch = self.fit.box.points(p)
        # An answer is formed anyhow. Probing it takes less time than probing A(p) for the coefficients,
        # unless A(p) is a sum of known terms.
        if self.fit.latent.terms is not None and self.fit.latent.certifies:
            value, certificate, path = self._by_coefficients(points, batch, out)
        else:
            value, certificate, path = self._by_factors(points)
            value = shaped(value, batch) if out is None else copied(shaped(value, batch), out)
        certificate, path = joined([certificate], batch), PATHS[path].reshape(batch)[()]
        return Answer(like(value, p) if out is None else out, certificate, path if batch else str(path))

    def _by_coefficients(self, points: Array, batch: tuple[int, ...], out: Any) -> tuple[Any, Certificate, Array]:
        """Judged by φ; the latent tensor is multiplied once, for the coefficients that are returned."""
        fit = self.fit
        state = fit.answers(self.tol, self.on_fail == "exact").verdict(points, fit.box.to_unit(points))
        self._refuse(state.certificate, points)
        value = fit.map.expand(state.phi, batch, out)
        for i, F in state.formed.items():
            _write(
                value if out is None else out, i, fit.operation.present(fit.problem_or_raise.unscale(F)), len(points)
            )
        return value, state.certificate, state.path

    def _by_factors(self, points: Array) -> tuple[Any, Certificate, Array]:
        """Judged by the factors, which are formed before they are checked, in pieces."""
        problem = self.fit.problem_or_raise
        size = problem.held
        # Up to three answers are checked per point, and the confidence must hold for all of them together.
        together = len(PATHS) * len(points)
        pieces = [self._piece(points[i : i + size], together) for i in range(0, max(len(points), 1), size)]
        F = {name: np.concatenate([piece[0][name] for piece in pieces]) for name in pieces[0][0]}
        certificate = joined([piece[1] for piece in pieces], (len(points),))
        return self.fit.operation.present(F), certificate, np.concatenate([piece[2] for piece in pieces])

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
            certificate = merged(certificate, update, bad, taken)
            path[bad[taken]] = stage
        self._refuse(certificate, points)
        return fit.problem_or_raise.unscale(F), certificate, path

    def _corrected(self, A: Array, x: Array, points: Array, stored: Factors) -> Factors:
        operation, latent = self.fit.operation, self.fit.latent
        if isinstance(operation, Refinable):
            once = operation.refine(A, stored)
            return operation.canonical(operation.refine(A, once))
        if not self.fit.correction_pays:
            return operation.canonical(stored)  # on to the exact solve
        return operation.canonical(latent.factors(latent.corrected(latent.at(points), self.fit.surrogate.curve(x), A)))

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


def _write(value: Any, row: int, replacement: Any, count: int) -> None:
    """Write ``replacement (1, ...)`` into one of the ``count`` points of a result: an array, or several of them."""
    parts = value if isinstance(value, tuple | list) else (value,)
    others = replacement if isinstance(replacement, tuple) else (replacement,)
    for part, other in zip(parts, others, strict=True):
        array = as_numpy(part, "the result")  # a caller's buffer may be a tensor
        array.reshape(count, *other.shape[1:])[row] = other[0]
