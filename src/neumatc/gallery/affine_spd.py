"""Affine positive definite families in one to eight parameters, with a condition number that is chosen."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates, unit_box
from neumatc.gallery.frames import unitary
from neumatc.gallery.hermitian import hermitian

__all__ = ["AffineSPD"]

LARGEST = 8  # parameters
RATE = 3.0  # θ_d(p) = sin(3 p_d): zero at p = 0, entire, and not monotone, so that no polynomial is exact
PART = 0.5  # bound of the varying part of the core, so that 1/2 <= core <= 3/2


@final
@dataclass(frozen=True)
class AffineSPD:
    """``A(p) = A_0 + Σ_d θ_d(p) A_d`` on [0, 1]^D, Hermitian positive definite, with ``cond_2 A(0)`` given.

    Written as ``A(p) = T (I + W Θ(p) Wᴴ) Tᴴ`` with ``T = Q diag(t)``, Q unitary, t falling evenly in the logarithm from
    1 to ``cond^(-1/2)``, W (n, rank D) and ``θ_d(p) = sin(3 p_d)`` times fixed signs and sizes on the diagonal of Θ.
    The core I + W Θ Wᴴ has its eigenvalues in [1/2, 3/2] everywhere, hence by Ostrowski's theorem::

        cond_2 A(0) = cond,      cond / 3 <= cond_2 A(p) <= 3 cond    on the whole box.

    The inverse is known from the Woodbury identity of the core and the explicit T⁻¹. For a cond beyond about 1e8 it
    is known better than A(p) as stored: entries rounded to double precision move the inverse by cond · 1e-16.

    Parameters
    ----------
    n : size of A(p), at least 2.
    dimensions : number D of parameters, 1 to 8.
    cond : condition number at p = 0, from 1 to 1e12.
    rank : rank of the part each parameter adds, at most n.
    complex : whether the matrices are complex Hermitian.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = AffineSPD(n=12, dimensions=3, cond=1e6)
    >>> p = np.array([0.2, 0.5, 0.9])
    >>> bool(np.allclose(np.tensordot(A.coefficients(p), A.matrices, 1), A(p)))
    True
    >>> round(float(np.log10(np.linalg.cond(A(np.zeros(3))))), 4)
    6.0
    >>> bool(np.linalg.norm(A(p) @ A.inverse(p) - np.eye(12)) < 1e-8)
    True
    """

    n: int = 32
    dimensions: int = 1
    cond: float = 10.0
    rank: int = 4
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.dimensions <= LARGEST or not 1 <= self.rank <= self.n or self.n < 2:
            raise InputError(
                f"expected dimensions 1 to {LARGEST}, n >= 2 and 1 <= rank <= n, but came "
                f"dimensions={self.dimensions!r}, n={self.n!r}, rank={self.rank!r}. Every parameter adds a part of "
                "that rank. Choose for example n=32, dimensions=3, rank=4."
            )
        if not 1 <= self.cond <= 1e12:
            raise InputError(
                f"expected a condition number from 1 to 1e12, but came cond={self.cond!r}. Beyond that, rounding "
                "leaves the smallest eigenvalue of A(p) no correct digit to speak of. Choose for example cond=1e6."
            )

    @property
    def name(self) -> str:
        """Kind, size, condition number and number of parameters."""
        kind = "complex " if self.complex else ""
        return f"affine {kind}spd n={self.n} cond={self.cond:g} D={self.dimensions}"

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
        A: Array = np.tensordot(self.coefficients(p), self.matrices, 1)
        return A

    def coefficients(self, p: Point) -> Array:
        """Return ``(1, θ_1(p), …, θ_D(p))``, shape (D + 1,)."""
        at = coordinates(p, self.dimensions, self.name)
        return np.concatenate([[1.0], np.sin(RATE * at)])

    def inverse(self, p: Point) -> Array:
        """Return A(p)⁻¹ (n, n): ``T⁻ᴴ (I - W Θ (I + WᴴW Θ)⁻¹ Wᴴ) T⁻¹``."""
        _, size, W, half = self._parts
        theta = np.repeat(self.coefficients(p)[1:], self.rank) * size
        small = np.eye(theta.size) + (W.conj().T @ W) * theta
        core = np.eye(self.n) - (W * theta) @ np.linalg.solve(small, W.conj().T)
        return hermitian(half.conj().T @ core @ half)

    @cached_property
    def matrices(self) -> Array:
        """A_0, …, A_D as one read-only array (D + 1, n, n), Hermitian in every bit."""
        T, size, W, _ = self._parts
        parts = [hermitian(T @ T.conj().T)]
        for d in range(self.dimensions):
            own = slice(d * self.rank, (d + 1) * self.rank)
            factor = T @ W[:, own]
            parts.append(hermitian((factor * size[own]) @ factor.conj().T))
        matrices = np.stack(parts)
        matrices.setflags(write=False)
        return matrices

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array, Array]:
        """T (n, n), the sizes (rank D,), W (n, rank D) and T⁻¹ (n, n)."""
        rng = np.random.default_rng(self.seed)
        basis, t = unitary(self.n, rng, self.complex), np.geomspace(1, self.cond**-0.5, self.n)
        W = np.hstack([unitary(self.n, rng, self.complex)[:, : self.rank] for _ in range(self.dimensions)])
        # Both signs from p_d = 0 on: a part that only adds would make the smallest eigenvalue indifferent to p.
        size = rng.uniform(0.5, 1, W.shape[1]) * np.resize([1.0, -1.0], W.shape[1])
        # ±Σ θ_d C_d <= Σ |C_d| for all |θ_d| <= 1, so this norm bounds the varying part on the whole box.
        size *= PART / np.linalg.norm((W * np.abs(size)) @ W.conj().T, 2)
        return basis * t, size, W, (basis / t).conj().T
