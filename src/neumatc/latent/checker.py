"""A certificate from the coefficients φ: neither the factors nor, for affine families, A(p) are formed.

The residual of every equation is seen through Gaussian probes on both sides, ``est = ‖Wᴴ R Z‖_F / sqrt(k1 k2)``, whose
n-sized products with the latent slices were made once. The probes are drawn for this purpose alone. The bound holds for
the numbers that are returned: it allows for the rounding of the sum over slices, of A(p), and of the sketch itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array, double, is_complex
from neumatc.certify import DELTA, Certificate, safety_factor
from neumatc.correct import Corrector
from neumatc.equations import Equation, Values
from neumatc.gauge import Factors
from neumatc.latent.eligible import diagonals, proportional
from neumatc.latent.quantile import bilinear_factor
from neumatc.latent.reduction import Reduction, monomial_values, with_one
from neumatc.latent.scales import Scale, measured_matrices, of_identity, scales_of
from neumatc.latent.sizes import Parts, Size, Slices, gamma, rounding
from neumatc.latent.terms import Terms
from neumatc.operations import Operation
from neumatc.probes import Probes
from neumatc.problem import Problem
from neumatc.processor import torch_if_faster
from neumatc.products import square
from neumatc.sketch import Sketch
from neumatc.surrogate import Surrogate

FREEDOM = 16
"""Real degrees of freedom of the probes on each side: factor 2.6 at 99.9 % for one point, 5.3 for 10,000 jointly."""

FEWER = 12
"""Of the left ones where A(p) is multiplied with them at every query: 2.9 and 6.3."""

TENSOR_NUMBERS = 1 << 24
"""Numbers of the largest quadratic tensor that is made for a certificate: 128 MB."""

UNIT = float(np.finfo(float).eps) / 2

Measure: TypeAlias = float | tuple[str, float] | None
"""What residuals of an equation are measured against: a number, a multiple of the norm of a given matrix, or else."""


@dataclass(frozen=True)
class Affinity:
    """What an affine family adds: residuals as a product ``M y`` of monomials, and norms from θ."""

    M: Array
    pairs: tuple[Array, Array]
    quadratic: bool
    scales: tuple[Scale, ...]
    parts: Mapping[str, Parts]
    gamma: float


@dataclass(frozen=True)
class LatentChecker:
    """Certificates from φ for one surrogate.

    Parameters
    ----------
    operation, corrector : the equations, and their sketch under probes of the certificate's own
    owners : (E, equations), which numbers of the sketch belong to which equation
    freedoms : per equation, degrees of freedom of the probes on the sides where it is not the identity that stands
    slices, diagonals : norms of the latent factors, and what must stay positive of them
    theorem : constant and text that turn the bound into one of the error
    gamma : relative rounding error of ``Σ_j φ_j C_j``
    longest : rows or columns of the largest matrix
    measures : per equation
    affinity : for affine families
    """

    operation: Operation
    corrector: Corrector
    equations: tuple[Equation, ...]
    owners: Array
    freedoms: tuple[tuple[int, ...], ...]
    slices: Mapping[str, Slices]
    diagonals: Array
    theorem: tuple[float, str]
    gamma: float
    longest: int
    measures: tuple[Measure, ...]
    stand_ins: Factors
    affinity: Affinity | None

    @staticmethod
    def of(
        problem: Problem, surrogate: Surrogate, A: Array, terms: Terms | None, rng: np.random.Generator
    ) -> LatentChecker | None:
        """None where answers must be formed to be checked; ``A (1, n1, n2)`` is any matrix of the problem."""
        operation, dtype = problem.operation, double(problem.dtype)
        stored = problem.rescale(surrogate.slices())
        slices = {name: X.astype(double(X.dtype), copy=False) for name, X in stored.items()}
        known, some = operation.given(A), {name: X[:1] for name, X in slices.items()}
        positive, theorem = diagonals(operation, surrogate, slices), proportional(operation, known, some)
        if positive is None or theorem is None:
            return None
        equations, k = operation.equations(), FREEDOM // 2 if is_complex(dtype) else FREEDOM
        few = k * (FREEDOM if terms is not None else FEWER) // FREEDOM
        if (
            not all(e.linear for e in equations)
            and len(equations) * FREEDOM**2 * surrogate.unknowns**2 > TENSOR_NUMBERS
        ):
            return None
        drawn = Sketch.draw(equations, {**known, **some}, (few, k), dtype, rng)
        sketch = Sketch(drawn.equations, drawn.probes, (1.0,) * len(equations))
        corrector = Corrector.of(operation, sketch, slices, surrogate.complex_coefficients, known)
        counts = [p.left.shape[0] * p.right.shape[1] for p in sketch.probes]
        owners = np.repeat(np.eye(len(equations)), counts, axis=0)
        unit = float(np.finfo(surrogate.C.dtype).eps) / 2
        # Both parts of a complex product are sums of twice as many real ones.
        longer = 2 * 2**0.5 if surrogate.complex_coefficients else 1.0
        longest = max(max(X.shape[1:]) for X in (*known.values(), *slices.values()))
        return LatentChecker(
            operation,
            corrector,
            equations,
            np.concatenate([owners, owners]) if corrector.complex_numbers else owners,
            tuple(_freedoms(p, FREEDOM // k) for p in sketch.probes),
            {name: Slices.of(X) for name, X in slices.items()},
            positive,
            theorem,
            gamma(1, longer * surrogate.d * unit),
            longest,
            tuple(_measure(equation, {**known, **some}) for equation in equations),
            some,
            None if terms is None else _affinity(corrector, operation, terms, some),
        )

    def certificate(
        self,
        phi: Array,
        tol: float,
        together: int,
        theta: Array | None = None,
        A: Array | None = None,
        squares: Array | None = None,
    ) -> Certificate:
        """Certificate of the answers with real coefficients ``phi (B, m)``, given θ ``(B, Q)`` or A ``(B, n1, n2)``.

        ``together`` is how many answers share the confidence; ``squares (B,)`` are ``‖A‖_F²`` where they are known.
        """
        t = None if theta is None else with_one(theta)
        known = None if A is None else self.operation.given(A)
        norms = None if known is None else {name: _norms(K, A, squares) for name, K in known.items()}
        residuals = self._residual(phi, t, known) ** 2 @ self.owners
        scales, sizes = self._surroundings(phi, t, known, norms)
        changes, terms = rounding(self.equations, sizes, len(phi))
        noise = 2 * UNIT * (self.longest + phi.shape[1] ** 2) ** 0.5 * terms
        size = np.sqrt(residuals) / scales
        bound = self.factors(together) * (size + noise / scales) + changes / scales
        # Rounded upwards, as the sums above are not exact.
        total = np.sqrt((bound**2).sum(1)) * (1 + 1e-12)
        total = np.where(self._positive(phi), total, np.inf)
        c, text = self.theorem
        return Certificate(
            residual=np.sqrt((size**2).sum(1)),
            bound=total,
            confidence=1.0 - DELTA if any(self.freedoms) else 1.0,
            passed=total <= tol,
            tol=tol,
            error_bound=c * total if text else None,
            theorem=text,
        )

    def factors(self, together: int) -> Array:
        """The safety factor of each equation."""
        count = max(sum(len(sides) > 0 for sides in self.freedoms), 1)
        return np.array([_factor(shared(together) / count, sides) for sides in self.freedoms])

    def _residual(self, phi: Array, t: Array | None, known: Mapping[str, Array] | None) -> Array:
        if t is None:
            assert known is not None
            return self.corrector.reduce(known).residual(phi)
        assert self.affinity is not None
        affinity = self.affinity
        torch: Any = torch_if_faster()
        y = np.concatenate(monomial_values(phi, t, affinity.quadratic, affinity.pairs), axis=1)
        if len(y) == 1 or torch is None:
            return y @ affinity.M
        with torch.no_grad():
            product: Array = (torch.from_numpy(y) @ torch.from_numpy(affinity.M)).numpy()
        return product

    def _surroundings(
        self,
        phi: Array,
        t: Array | None,
        known: Mapping[str, Array] | None,
        norms: Mapping[str, Array] | None,
    ) -> tuple[Array, dict[str, Size]]:
        """Scales ``(B, equations)``, and norms of every matrix in the equations."""
        moduli = np.abs(phi.view(complex)) if self.corrector.complex_coefficients else np.abs(phi)
        sizes = {name: X.size(moduli, self.gamma) for name, X in self.slices.items()}
        if t is not None:
            assert self.affinity is not None
            sizes |= {name: K.size(t, self.affinity.gamma) for name, K in self.affinity.parts.items()}
            return np.stack([scale.at(t) for scale in self.affinity.scales], axis=1), sizes
        assert known is not None
        assert norms is not None
        sizes |= {name: Size(size, size, np.zeros_like(size)) for name, size in norms.items()}
        scales = np.empty((len(phi), len(self.equations)))
        for e, (equation, measure) in enumerate(zip(self.equations, self.measures, strict=True)):
            scales[:, e] = self._scale(equation, measure, known, norms)
        return scales, sizes

    def _scale(
        self, equation: Equation, measure: Measure, known: Mapping[str, Array], norms: Mapping[str, Array]
    ) -> Any:
        if measure is None:
            return equation.scale({**known, **self.stand_ins})
        if isinstance(measure, float):
            return measure
        name, coefficient = measure
        size = abs(coefficient) * norms[name]
        return np.where(size > 0, size, 1.0)

    def _positive(self, phi: Array) -> Any:
        """Whether rounding cannot make a diagonal entry negative or zero that must be positive, ``(B,)``."""
        if not self.diagonals.shape[1]:
            return True
        values, moduli = phi @ self.diagonals, np.abs(phi) @ np.abs(self.diagonals)
        return (values > (self.gamma + gamma(phi.shape[1], UNIT)) * moduli).all(1)


def shared(together: int) -> float:
    """Probability of a miss that is left to each of so many answers.

    The next power of two is on the safe side: few different quantiles are needed then, and these are kept.

    >>> shared(1) / shared(1000)
    1024.0
    """
    return DELTA / (1 << max(together - 1, 0).bit_length())


def _measure(equation: Equation, values: Values) -> Measure:
    if of_identity(equation):
        return float(equation.scale(values))
    measured = measured_matrices(equation)
    return next(iter(measured.items())) if measured is not None and len(measured) == 1 else None


def _norms(K: Array, A: Array | None, squares: Array | None) -> Array:
    """``‖K‖_F (B,)``, from ``‖A‖_F²`` where K is A and that is known."""
    if K is A and squares is not None:
        return squares**0.5
    return np.array([square(matrix) for matrix in K]) ** 0.5


def _freedoms(probes: Probes, each: int) -> tuple[int, ...]:
    """Where the identity stands its count equals its size, and nothing is probed."""
    (left, rows), (columns, right) = probes.left.shape, probes.right.shape
    return tuple(each * count for count, size in ((left, rows), (right, columns)) if count < size)


def _factor(delta: float, sides: tuple[int, ...]) -> float:
    if not sides:
        return 1.0
    return safety_factor(delta, sides[0]) if len(sides) == 1 else bilinear_factor(delta, *sides)


def _affinity(corrector: Corrector, operation: Operation, terms: Terms, some: Factors) -> Affinity | None:
    reduction = Reduction.of(corrector, operation, terms)
    if reduction is None or not reduction.steady:
        return None
    nothing = operation.given(np.zeros_like(terms.matrices[:1]))
    found = operation.given(terms.matrices)
    parts = {name: np.concatenate([nothing[name], found[name] - nothing[name]]) for name in nothing}
    theta = np.random.default_rng(1).standard_normal((2, len(terms.matrices)))
    checks = operation.given(np.tensordot(theta, terms.matrices, 1))
    scales = scales_of(operation.equations(), parts, {**checks, **some}, with_one(theta))
    if scales is None:
        return None
    return Affinity(
        np.ascontiguousarray(reduction.monomials().T),
        np.triu_indices(reduction.unknowns),
        reduction.T is not None,
        tuple(scales),
        {name: Parts.of(K) for name, K in parts.items()},
        gamma(len(terms.matrices) + 1, terms.rounding),
    )
