"""A unitary matrix that turns steadily with p, by as much as one asks for."""

from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array
from neumatc.gallery.frames import turned, unitary

__all__ = ["Rotation"]

SLOWEST = 0.5  # rate of the slowest plane; the fastest has rate one


@dataclass(frozen=True, eq=False)
class Rotation:
    """``Q(p) = exp(p G) Q(0)`` with a constant skew-Hermitian G (n, n) of known spectral norm, unitary for every p.

    With ``G = B J Bᴴ``, J turning planes (k, m + k) at the given rates, ``Q(p) = B exp(p J) C`` costs one product and
    no matrix exponential. Between p = 0 and p = 1 the fastest plane turns by the largest rate, in radians.

    Parameters
    ----------
    left : B (n, n), unitary.
    right : C (n, n), unitary.
    rates : (m,) angles of the planes per unit of p, ``m = n // 2``; an odd dimension keeps one direction.

    Examples
    --------
    >>> Q = Rotation.draw(n=5, turn=1.0, rng=np.random.default_rng(0))
    >>> bool(np.allclose(Q(0.3).T @ Q(0.3), np.eye(5)))
    True
    >>> angles = np.angle(np.linalg.eigvals(Q(1.0) @ Q(0.0).T))
    >>> round(float(angles.max()), 12)
    1.0
    """

    left: Array
    right: Array
    rates: Array

    def __call__(self, p: float) -> Array:
        """Return Q(p), shape (n, n)."""
        m = self.rates.size
        inner = self.right.copy()
        inner[: 2 * m] = turned(self.right[: 2 * m], self.rates * p)
        Q: Array = self.left @ inner
        return Q

    @classmethod
    def draw(cls, n: int, turn: float, rng: np.random.Generator, complex: bool = False) -> "Rotation":
        """Draw B and C, and rates from [turn / 2, turn] of which one is ``turn``."""
        rates = turn * rng.uniform(SLOWEST, 1, n // 2)
        rates[:1] = turn
        return cls(unitary(n, rng, complex), unitary(n, rng, complex), rates)
