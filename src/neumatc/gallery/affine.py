"""A small friendly family: three constant matrices, smooth coefficients, a condition number below 5."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates, unit_box

__all__ = ["AffineInverse"]

SIZE = 0.25  # spectral norm of the two matrices that vary


@final
@dataclass(frozen=True)
class AffineInverse:
    """``A(p) = A_0 + θ_1(p) A_1 + θ_2(p) A_2`` with ``1 <= σ(A_0) <= 2`` and ``‖A_1‖ = ‖A_2‖ = 1/4``.

    For one parameter ``θ = (cos 2πp, sin 2πp)``, the shape of the paper's equation 12; for two ``θ = (cos πp_1,
    sin πp_2)``. A_0 is Hermitian positive definite, so ``cond A(p) <= 2.5 / 0.5 = 5`` everywhere.

    Parameters
    ----------
    n : size of A(p), at least 2.
    dimensions : number of parameters, 1 or 2; the box is [0, 1]^D.
    complex : whether the matrices are complex.
    hermitian : whether A_1 and A_2 are Hermitian too, which makes A(p) Hermitian positive definite.
    seed : of the matrices.

    Examples
    --------
    >>> import numpy as np
    >>> A = AffineInverse(n=6, hermitian=True)
    >>> theta = A.coefficients(0.1)
    >>> theta.shape, A.matrices.shape
    ((3,), (3, 6, 6))
    >>> bool(np.allclose(A(0.1), np.tensordot(theta, A.matrices, 1)))
    True
    >>> bool(np.linalg.cond(A(0.1)) <= 5)
    True
    """

    n: int = 16
    dimensions: int = 1
    complex: bool = False
    hermitian: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.dimensions not in (1, 2) or self.n < 2:
            raise InputError(
                f"expected dimensions 1 or 2 and n >= 2, but came dimensions={self.dimensions!r}, n={self.n!r}. "
                "The family has two coefficient functions. Choose for example n=16, dimensions=1."
            )

    @property
    def name(self) -> str:
        """Kind and size."""
        words = ["affine", "complex" * self.complex, "hermitian" * self.hermitian, f"n={self.n}"]
        return " ".join([word for word in words if word] + ["D=2"] * (self.dimensions == 2))

    @property
    def box(self) -> BoxLike:
        """[0, 1]^D."""
        return unit_box(self.dimensions)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        theta = self.coefficients(p)
        A_0, A_1, A_2 = self.matrices
        A: Array = A_0 + theta[1] * A_1 + theta[2] * A_2
        return A

    def coefficients(self, p: Point) -> Array:
        """Return ``(1, θ_1(p), θ_2(p))``."""
        at = coordinates(p, self.dimensions, self.name)
        first, last = at[0], at[-1]
        wave = 2 * np.pi if self.dimensions == 1 else np.pi
        return np.array([1.0, np.cos(wave * first), np.sin(wave * last)])

    @cached_property
    def matrices(self) -> Array:
        """A_0, A_1, A_2 as one read-only array (3, n, n)."""
        rng = np.random.default_rng(self.seed)
        basis = np.linalg.qr(self._draw(rng))[0]
        middle = (basis * np.linspace(1, 2, self.n)) @ basis.conj().T
        parts = [(middle + middle.conj().T) / 2]
        for _ in range(2):
            part = self._draw(rng)
            if self.hermitian:
                part = part + part.conj().T
            parts.append(SIZE * part / np.linalg.norm(part, 2))
        matrices = np.stack(parts)
        matrices.setflags(write=False)
        return matrices

    def _draw(self, rng: np.random.Generator) -> Array:
        """Draw a matrix (n, n) of normal numbers."""
        numbers: Array = rng.standard_normal((self.n, self.n))
        return numbers + 1j * rng.standard_normal((self.n, self.n)) if self.complex else numbers
