"""Certified answers from coefficients: surrogate, correction, exact solve; the latent tensor is multiplied once.

Every point is judged by its φ. Where only the larger safety factor of the latent certificate stands between a bound and
tol, the formed answer is checked as well, with one-sided probes. What passes by its φ is formed at the end, together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.certify import PROBES, Certificate, Checker, safety_factor
from neumatc.gauge import Factors
from neumatc.latent.checker import shared
from neumatc.latent.model import Latent, Places
from neumatc.operations import Operation, Refinable

LOOKS = 6
"""Answers of one point that may be checked: two by φ, both of these formed, a refined one, an exact one."""

NOISE = 1.5
"""By how much estimates of one residual through different probes may differ."""

Repair: TypeAlias = Callable[[Array, Array, Array], Factors]
"""``(A, points, phi) -> stored factors``, each ``(B, ...)``."""


@dataclass
class Verdict:
    """What is known about a batch while it is worked on.

    Parameters
    ----------
    phi : (B, m) real coefficients
    certificate : of B answers
    path : (B,) numbers of `PATHS`
    formed : canonical factors ``(1, rows, columns)``, of the scaled matrices, of the points where these were checked
    """

    phi: Array
    certificate: Certificate
    path: Array
    formed: dict[int, Factors] = field(default_factory=dict)

    @property
    def failed(self) -> Array:
        """Numbers of the points that have not passed."""
        return np.flatnonzero(~self.certificate.passed)

    def take(self, rows: Array, update: Certificate) -> Array:
        """Merge the certificates of ``rows`` where they are better; which of them are, as a mask."""
        taken: Array = ~(update.bound >= self.certificate.bound[rows])
        self.certificate = merged(self.certificate, update, rows, taken)
        return taken


@dataclass(frozen=True)
class Answers:
    """The cascade of one fit for one tolerance."""

    latent: Latent
    checker: Checker
    tol: float
    pays: bool
    exact: bool

    def verdict(self, points: Array, x: Array) -> Verdict:
        """Judge, correct and solve ``points (B, D)``, which are ``x (B, D)`` in the unit cube."""
        together, places = LOOKS * max(len(points), 1), self.latent.at(points)
        phi = self.latent.surrogate.curve(x)
        certificate, formed = self._judged(places, phi, together)
        state = Verdict(phi, certificate, np.zeros(len(points), int), formed)
        if len(state.failed) and self.pays:
            self._correct(state, places, together)
        if isinstance(self.operation, Refinable):
            self._form(state, points, together, 1, self._refined)
        if self.exact:
            self._form(state, points, together, 2, self._solved)
        return state

    @property
    def operation(self) -> Operation:
        return self.latent.problem.operation

    def judged(self, points: Array, x: Array, looks: int) -> Certificate:
        """Certificates of the surrogate's answers, where each of ``looks`` answers may be checked."""
        together = looks * max(len(points), 1)
        return self._judged(self.latent.at(points), self.latent.surrogate.curve(x), together)[0]

    def _judged(self, places: Places, phi: Array, together: int) -> tuple[Certificate, dict[int, Factors]]:
        """By φ, and by the formed answer where that may pass with its smaller factor.

        What was formed is kept: formed again in another batch it would be rounded in another way.
        """
        certificate = self.latent.certificate(places, phi, self.tol, together)
        formed: dict[int, Factors] = {}
        hopeful = certificate.residual * safety_factor(shared(together), PROBES) <= NOISE * self.tol
        for some in self._chunks(np.flatnonzero(~certificate.passed & hopeful)):
            A = self.latent.problem.matrices(places.points[some])
            F = self.operation.canonical(self.latent.factors(phi[some]))
            update = self.checker.certificate(A, F, self.tol, together)
            taken = ~(update.bound >= certificate.bound[some])
            certificate = merged(certificate, update, some, taken)
            formed |= {int(some[i]): _row(F, i) for i in np.flatnonzero(taken)}
        return certificate, formed

    def _correct(self, state: Verdict, places: Places, together: int) -> None:
        rows = state.failed
        phi = self.latent.corrected(places[rows], state.phi[rows])
        certificate, formed = self._judged(places[rows], phi, together)
        taken = state.take(rows, certificate)
        state.phi = state.phi.copy()
        state.phi[rows[taken]], state.path[rows[taken]] = phi[taken], 1
        for i in np.flatnonzero(taken):
            state.formed.pop(int(rows[i]), None)
            if i in formed:
                state.formed[int(rows[i])] = formed[int(i)]

    def _form(self, state: Verdict, points: Array, together: int, number: int, repair: Repair) -> None:
        """Form the answers that failed in another way, and keep those that are better; ``number`` is their path."""
        for some in self._chunks(state.failed):
            A = self.latent.problem.matrices(points[some])
            found = self._cast(self.operation.canonical(repair(A, points[some], state.phi[some])))
            taken = state.take(some, self.checker.certificate(A, found, self.tol, together))
            state.path[some[taken]] = number
            state.formed |= {int(some[i]): _row(found, i) for i in np.flatnonzero(taken)}

    def _refined(self, A: Array, points: Array, phi: Array) -> Factors:
        del points
        operation: Any = self.operation
        twice: Factors = operation.refine(A, operation.refine(A, self.latent.factors(phi)))
        return twice

    def _solved(self, A: Array, points: Array, phi: Array) -> Factors:
        del phi
        return self.latent.problem.solve(A, points)

    def _cast(self, F: Factors) -> Factors:
        """In the precision of the answers, which is what is certified."""
        dtype = self.latent.surrogate.C.dtype
        return {name: np.asarray(X).astype(dtype, copy=False) for name, X in F.items()}

    def _chunks(self, rows: Array) -> Iterator[Array]:
        size = self.latent.problem.held
        for i in range(0, len(rows), size):
            yield rows[i : i + size]


def _row(F: Factors, i: Any) -> Factors:
    """A copy: a view would keep the whole piece."""
    return {name: X[i : i + 1].copy() for name, X in F.items()}


def merged(old: Certificate, new: Certificate, rows: Array, taken: Array) -> Certificate:
    """``old`` with the entries ``rows[taken]`` replaced by ``new[taken]``."""

    def pick(name: str) -> Any:
        values = getattr(old, name)
        if values is None:
            return None
        values = values.copy()
        values[rows[taken]] = getattr(new, name)[taken]
        return values

    return replace(
        old,
        residual=pick("residual"),
        bound=pick("bound"),
        confidence=min(old.confidence, new.confidence),
        passed=pick("passed"),
        error_bound=pick("error_bound"),
        angle_bound=pick("angle_bound"),
    )
