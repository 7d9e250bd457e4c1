"""``certified`` for sparse solves: an answer leaves only when its residual is known to be small enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc.arrays import Array
from neumatc.certified import ON_FAIL, PATHS, Answer
from neumatc.certify import Certificate, joined
from neumatc.errors import CertificateError, InputError
from neumatc.maps import like

from .memory import buffer, expanded

if TYPE_CHECKING:
    from neumatc.reduced.fit import ReducedFit

EXACT = 2
"""Place of "exact" among the paths."""


@dataclass(frozen=True)
class CertifiedSolve:
    """``p -> Answer``; no answer leaves whose bound exceeds ``tol``.

    The bound is that of the residual: of the model's answer, and where that fails of an exact solve.
    """

    fit: ReducedFit
    tol: float
    on_fail: str = "exact"

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.on_fail not in ON_FAIL:
            raise InputError(
                f"`on_fail` must be one of {ON_FAIL}, got {self.on_fail!r}. "
                "It says what happens where the model's answer fails. Use 'exact' to solve exactly there."
            )
        if not self.tol > 0:
            raise InputError(
                f"`tol` must be a positive relative residual, got {self.tol!r}. "
                "Zero cannot be certified in floating point. Try 1e-8."
            )

    def __call__(self, p: Any, out: Any = None) -> Answer:
        """Certified solutions at ``p``, shaped like ``f(p)``; written into ``out`` when it is given."""
        points, batch = self.fit.box.points(p)
        value = buffer(out, (*batch, *self.fit.shape), self.fit.C.dtype)
        rows = value.reshape(len(points), *self.fit.shape)
        found = self.fit.model.measured(points)
        certificate = self.fit.certificate(points, found, self.tol, (len(points),))
        failed = np.flatnonzero(~certificate.passed)
        if len(failed) and self.on_fail == "raise":
            raise self._refused(certificate, points, "the model's answer")
        expanded(found.phi, self.fit.C, rows)
        if len(failed):
            certificate = self._exact(certificate, points, failed, rows)
        path = np.where(np.isin(np.arange(len(points)), failed), EXACT, 0)
        names = PATHS[path].reshape(batch)[()]
        answer = value if out is not None else like(value, p)
        return Answer(answer, joined([certificate], batch), names if batch else str(names))

    def _exact(self, certificate: Certificate, points: Array, failed: Array, rows: Array) -> Certificate:
        """Replace the rows that failed, and what is known of them."""
        residual, bound = certificate.residual.copy(), certificate.bound.copy()
        error = None if certificate.error_bound is None else certificate.error_bound.copy()
        for i in failed:
            solved = self.fit.system.solve(points[i])
            rows[i], residual[i], bound[i] = solved.x, solved.residual, solved.residual + solved.rounding
            if error is not None:
                known = (np.array([self.fit.energy_of(solved.x)]), np.array([bound[i] * solved.size]))
                error[i : i + 1] = self.fit.error_bound(points[i : i + 1], *known)
        updated = replace(certificate, residual=residual, bound=bound, passed=bound <= self.tol, error_bound=error)
        if not updated.passed.all():
            raise self._refused(updated, points, "the exact solve")
        return updated

    def _refused(self, certificate: Certificate, points: Array, tried: str) -> CertificateError:
        worst = int(np.argmax(np.where(certificate.passed, -np.inf, np.nan_to_num(certificate.bound, nan=np.inf))))
        reached = f"{certificate.bound[worst]:.1e}"
        return CertificateError(
            f"No answer within tol = {self.tol:.1e} at {self.fit.box.describe(points[worst])}: the bound of {tried} is "
            f"{reached}. Rounding in an ill-conditioned A is the usual cause where A(p) was solved exactly, too few "
            f"samples elsewhere. Ask for a tol of a few times {reached}, or use on_fail='exact'."
        )
