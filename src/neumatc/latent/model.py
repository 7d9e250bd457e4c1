"""Everything d-sized that a fit needs to correct and to certify, each part built at its first use.

Two threads that meet a part before it is built both build it, from the same seed where there is one, and one of the two
is kept: nothing is changed afterwards.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, double, real_dtype, torch_or_none
from neumatc.certify import Certificate, joined
from neumatc.correct import STEPS, Corrector, Probed, Reduced
from neumatc.errors import InputError
from neumatc.family import Family
from neumatc.gauge import Factors
from neumatc.latent.checker import LatentChecker
from neumatc.latent.reduction import Reduction
from neumatc.latent.steps import Steps
from neumatc.latent.terms import Terms
from neumatc.probes import probe_counts
from neumatc.problem import Problem
from neumatc.products import square
from neumatc.samples import Samples
from neumatc.sketch import Sketch
from neumatc.surrogate import Surrogate

CORRECTION, MIXTURE, CERTIFICATE = 101, 103, 104
"""Branches of the seed: probes of one purpose are never those of another."""

CORRECTED_NUMBERS = 1 << 24
"""Numbers of the latent equations that are held at once."""


@dataclass(frozen=True)
class Places:
    """Points ``(B, D)`` and the coefficients θ ``(B, Q)`` there, which are asked for once; None where A is no sum."""

    points: Array
    theta: Array | None

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: Any) -> Places:
        """Some of them, by a slice, a mask or numbers."""
        return Places(self.points[rows], None if self.theta is None else self.theta[rows])


@dataclass(frozen=True)
class Latent:
    """The latent side of one fit."""

    problem: Problem
    surrogate: Surrogate
    samples: Samples
    seed: int
    seeded: bool

    @cached_property
    def terms(self) -> Terms | None:
        """A(p) as a sum of constant matrices, if it is one."""
        return Terms.of(self.problem)

    @cached_property
    def corrector(self) -> Corrector:
        """Latent tensors of the correction; InputError where no latent equations exist."""
        self.refuse_without_equations()
        operation, slices, A = self.problem.operation, self._slices(), self._some_matrix()
        known = operation.given(A)
        values = {**known, **{name: X[:1] for name, X in slices.items()}}
        rng = np.random.default_rng([self.seed, CORRECTION])
        equations = operation.equations()
        columns, doubled = sum(e.shape(values)[1] for e in equations), self.surrogate.complex_coefficients
        counts = probe_counts(self.surrogate.unknowns, known, columns, doubled)
        sketch = Sketch.draw(equations, values, counts, double(self.problem.dtype), rng)
        return Corrector.of(operation, sketch, slices, self.surrogate.complex_coefficients, known)

    @cached_property
    def reduction(self) -> Reduction | None:
        """The same for every p at once, where A(p) is affine and the equations are, too."""
        return None if self.terms is None else Reduction.of(self.corrector, self.problem.operation, self.terms)

    @cached_property
    def steps(self) -> Steps | None:
        """The batched correction, unless its tensors would be too large."""
        reduction = self.reduction
        if reduction is None or not reduction.steady:
            return None
        if reduction.rows * (reduction.unknowns + len(reduction.a)) ** 2 > CORRECTED_NUMBERS:
            return None
        return Steps.of(reduction, STEPS, np.random.default_rng([self.seed, MIXTURE]))

    @cached_property
    def checker(self) -> LatentChecker | None:
        """The certificate from φ, where there is one; fresh entropy unless a seed was given."""
        rng = np.random.default_rng([self.seed, CERTIFICATE] if self.seeded else None)
        return LatentChecker.of(self.problem, self.surrogate, self._some_matrix(), self.terms, rng)

    @property
    def certifies(self) -> bool:
        """Whether answers are certified by φ. Products in single precision that round more than it does forbid it."""
        if self.checker is None:
            return False
        return real_dtype(self.surrogate.C.dtype) != np.float32 or _multiplies_fully(torch_or_none())

    def at(self, points: Array) -> Places:
        """``points (B, D)``, and what has to be known of A there."""
        return Places(points, None if self.terms is None else self.terms.theta(points))

    def reduced(self, places: Places) -> Reduced | Probed:
        """The latent equations at B places."""
        if places.theta is not None and self.reduction is not None:
            return self.reduction.at(places.theta)
        # A product of two factors with A in between would be formed later than A(p) may be looked at.
        look = self.looked_at if self.corrector.linear else self.problem.matrices
        return self.corrector.reduce(self.problem.operation.given(look(places.points)))

    def corrected(self, places: Places, phi: Array, A: Array | None = None) -> Array:
        """Real coefficients ``(B, m)`` after latent Gauss-Newton from ``phi``; A ``(B, n1, n2)`` if it is known."""
        if places.theta is None or self.reduction is None:
            return self._in_pieces(places, phi) if A is None else self.corrected_at(A, phi)
        if self.steps is None:
            return self.solved(places, phi)
        found, sound = self.steps(phi, places.theta)
        if not sound.all():
            found = found.copy()
            found[~sound] = self.solved(places[~sound], phi[~sound])
        return found

    def solved(self, places: Places, phi: Array) -> Array:
        """`corrected` in the way that bears singular equations: QR, or a pseudo-inverse, where it must be."""
        size = max(1, CORRECTED_NUMBERS // (5 * self.surrogate.unknowns**2))
        parts = [self.reduced(places[i : i + size]).solve(phi[i : i + size]) for i in range(0, len(phi), size)]
        return np.concatenate(parts)

    def corrected_at(self, A: Array, phi: Array) -> Array:
        """`corrected` for given matrices ``A (B, n1, n2)``."""
        given, size, found = (
            self.problem.operation.given,
            max(1, CORRECTED_NUMBERS // (5 * self.surrogate.unknowns**2)),
            [],
        )
        for i in range(0, len(phi), size):
            found.append(self.corrector.reduce(given(A[i : i + size])).solve(phi[i : i + size]))
        return np.concatenate(found) if found else phi

    def certificate(self, places: Places, phi: Array, tol: float, together: int) -> Certificate:
        """Certificates of the answers with coefficients ``phi``; only where there is a `checker`."""
        checker = self.checker
        assert checker is not None
        phi = self.stored(phi)
        if checker.affinity is not None and places.theta is not None:
            return checker.certificate(phi, tol, together, theta=places.theta)
        found = []
        for i in range(0, max(len(places), 1), self.problem.held):
            some = slice(i, i + self.problem.held)
            A, squares = self._seen(places.points[some])
            found.append(checker.certificate(phi[some], tol, together, A=A, squares=squares))
        return joined(found, (len(places),))

    def looked_at(self, points: Array) -> Array:
        """`Problem.matrices` for products that follow at once: one answer of a function is not copied for them."""
        return self._seen(points)[0]

    def _seen(self, points: Array) -> tuple[Array, Array | None]:
        """What is `looked_at`, and ``‖A‖_F²`` where that had to be known.

        A copy, and a look at every number, take as long as half of the products. That all numbers are finite is seen
        from the sum of their squares; where one is not, or the answer is no plain array, nothing is spared.
        """
        problem, family, key = self.problem, self.problem.family, points.tobytes()
        if not (isinstance(family, Family) and len(points) == 1) or problem.exponent or key in problem.meter.kept:
            return problem.matrices(points), None
        if family.vectorized or problem.executor is not None:
            return problem.matrices(points), None
        start = time.perf_counter()
        try:
            answer: Any = family.function(problem.box.scalar(points[0]))
        # Asked again it fails again, with an error that says where.
        except Exception:
            return problem.matrices(points), None
        if plain(answer, problem.shape, problem.working) and math.isfinite(squares := square(answer)):
            problem.meter.build_seconds += time.perf_counter() - start
            problem.meter.built += 1
            return answer[None], np.array([squares])
        return replace(problem, family=Family(lambda _: answer)).matrices(points), None

    def factors(self, phi: Array) -> Factors:
        """Stored factors ``(B, rows, columns)`` of the scaled matrices for real coefficients ``(B, m)``."""
        return self.problem.rescale(self.surrogate.expanded(self.surrogate.coefficients(phi)))

    def stored(self, phi: Array) -> Array:
        """Real coefficients as rounded to the precision of C: those that are multiplied with it."""
        rounded: Array = self.surrogate.coefficients(phi).astype(
            np.complex128 if self.surrogate.complex_coefficients else np.float64, copy=False
        )
        return rounded.view(float)

    @cached_property
    def solvable(self) -> bool:
        """Whether there are equations, and all of them are polynomial in the factors."""
        equations = self.problem.operation.equations()
        return bool(equations) and all(equation.polynomial for equation in equations)

    def refuse_without_equations(self) -> None:
        """Raise InputError where no latent equations exist."""
        if self.solvable:
            return
        equations = self.problem.operation.equations()
        polynomial = sum(equation.polynomial for equation in equations)
        raise InputError(
            f"`corrected` needs equations that are polynomial in the factors, and `{self.problem.operation.name}` "
            f"states {len(equations)} equations of which {polynomial} are. "
            "Values alone, and functions such as the logarithm, have none. "
            "Use f.certified(tol), which solves exactly where the map fails."
        )

    def _in_pieces(self, places: Places, phi: Array) -> Array:
        parts = [
            self.corrected_at(self.looked_at(places.points[i : i + self.problem.held]), phi[i : i + self.problem.held])
            for i in range(0, len(places), self.problem.held)
        ]
        return np.concatenate(parts) if parts else phi

    def _slices(self) -> dict[str, Array]:
        """In double precision, of the scaled matrices."""
        stored = self.problem.rescale(self.surrogate.slices())
        return {name: X.astype(double(X.dtype)) for name, X in stored.items()}

    def _some_matrix(self) -> Array:
        """``(1, n1, n2)``: where a hole is, A(p) is known to exist at the samples only."""
        problem = self.problem
        middle = problem.box.middle if problem.box.hole is None else self.samples.points[:1]
        return problem.matrices(middle if problem.tabulated is None else problem.tabulated[:1])


def plain(answer: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> bool:
    """Whether an answer is an array just as it is computed with."""
    same = type(answer) is np.ndarray and answer.shape == shape and answer.dtype == dtype
    return bool(same and answer.flags.c_contiguous)


def _multiplies_fully(torch: Any) -> bool:
    """Whether products of torch in single precision, where it is loaded, round no more than that does."""
    try:
        return torch is None or torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # they were allowed to by `fp32_precision`, of which that function will not tell
        return False
