# ruff: noqa: T201 - a script may speak
"""An operation of one's own: the geometric mean ``A # B`` of two positive definite matrices over a parameter.

It is the positive definite X with ``X A⁻¹ X = B`` (Bhatia 2007, chapter 4, ISBN 978-0-691-12918-1), one quadratic
equation, stated here as a class that receives both matrices. The inverse root of one matrix, ``X A X = I``, is stated
beside it as a `Custom`: a NumPy function and an equation.

    python examples/user_operation.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy.linalg

import neumatc as nmc
from neumatc.arrays import namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.gauge import Gauge, NoGauge, adjoint
from neumatc.testing import check_operation

N, BOX = 6, (0.0, 1.0)
rng = np.random.default_rng(0)
PARTS = [0.3 * (G + G.T) / np.linalg.norm(G + G.T, 2) for G in rng.standard_normal((3, N, N))]


def first(p: float) -> np.ndarray[Any, Any]:
    """A(p), positive definite."""
    return np.diag(np.linspace(1, 2, N)) + np.cos(2 * p) * PARTS[0]


def second(p: float) -> np.ndarray[Any, Any]:
    """B(p), positive definite."""
    return np.diag(np.linspace(3, 1, N)) + np.sin(3 * p) * PARTS[1] + p * PARTS[2]


def both(p: float) -> np.ndarray[Any, Any]:
    """A(p) and B(p) side by side: one (N, 2 N) matrix for each p."""
    return np.hstack([first(p), second(p)])


# As a class: batches, NumPy or torch, whatever comes -----------------------------------------------------------------


def power(A: Any, exponent: float) -> Any:
    """``A^exponent`` of positive definite matrices (B, n, n)."""
    values, V = namespace(A).linalg.eigh((A + adjoint(A)) / 2)
    return (V * values[..., None, :] ** exponent) @ adjoint(V)


@final
@dataclass(frozen=True)
class GeometricMean(nmc.Operation):
    """``A # B = A^½ (A^-½ B A^-½)^½ A^½`` from the matrix ``[A, B]``."""

    name: str = "geometric mean"

    def exact(self, A: Any) -> dict[str, Any]:
        """Solve exactly, by eigendecompositions."""
        n = A.shape[-2]
        root, inverse = power(A[..., :n], 0.5), power(A[..., :n], -0.5)
        X = root @ power(inverse @ A[..., n:] @ inverse, 0.5) @ root
        return {"X": (X + adjoint(X)) / 2}

    def given(self, A: Any) -> dict[str, Any]:
        """``A⁻¹`` and B, by the names that the equation uses; the user's matrix stays there as A."""
        n = A.shape[-2]
        # Shapes are asked with zeros: a pseudo-inverse never fails, and is the inverse here.
        return {"A": A, "inverse": namespace(A).linalg.pinv(A[..., :n], hermitian=True), "B": A[..., n:]}

    def equations(self) -> tuple[Equation, ...]:
        """Every solution of this one, of which the positive definite one is meant."""
        X = unknown("X")
        return (equal(X @ known("inverse") @ X, known("B")),)

    @property
    def gauge(self) -> Gauge:
        """The positive definite solution is unique."""
        return NoGauge()

    @property
    def homogeneous(self) -> bool:
        """No power of two is taken out: the inverse of A scales the other way."""
        return False

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """One where X is another solution than the positive definite one, else zero; every certificate asks."""
        del A, probes
        return (np.linalg.eigvalsh((F["X"] + adjoint(F["X"])) / 2)[..., 0] <= 0).astype(float)


# As `Custom`: a NumPy function of one matrix and its equation --------------------------------------------------------

A, X = known("A"), unknown("X")
whiten = nmc.Custom("whiten", lambda M: np.linalg.inv(scipy.linalg.sqrtm(M)), (equal(X @ A @ X, identity()),))


def main() -> None:
    """Check both operations, fit them, and compare with exact solves between the samples."""
    p = np.linspace(0, 1, 50)
    check_operation(GeometricMean(), np.stack([both(q) for q in (0.1, 0.4, 0.9)]), rng=0)
    mean = nmc.fit(nmc.Problem.of(both, BOX, GeometricMean()), tol=1e-10, rng=0)
    exact = GeometricMean().exact(np.stack([both(q) for q in p]))["X"]
    print(mean)
    print(f"worst error {np.abs(mean(p) - exact).max():.0e}, certified: {mean.certify(p, tol=1e-8).passed.all()}")

    check_operation(whiten, np.stack([first(q) for q in (0.1, 0.4, 0.9)]), rng=0)
    root = nmc.fit(nmc.Problem.of(first, BOX, whiten), tol=1e-10, rng=0)
    left = [np.abs(root(q) @ first(q) @ root(q) - np.eye(N)).max() for q in p]
    print(root)
    print(f"worst error {max(left):.0e}, certified: {root.certify(p, tol=1e-8).passed.all()}")


if __name__ == "__main__":
    main()
