"""Advection that turns around the compass, with diffusion and reaction: large, sparse, affine in three terms.

The problem of appendix H of the NeuMatC paper. What the paper leaves open is decided here and stated in the class.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.real.sparse import combined, frozen

__all__ = ["AdvectionDiffusionReaction"]


@final
@dataclass(frozen=True)
class AdvectionDiffusionReaction:
    """``-Δu + v(p)·∇u + u = f`` on the unit square, u = 0 on its boundary, ``v(p) = D (cos 2πp, sin 2πp)``.

    Second-order central differences on N x N interior points, h = 1 / (N + 1), point (i h, j h) in row
    ``(j - 1) N + i - 1``. With the one-dimensional matrices ``T = tridiag(-1, 2, -1) / h²`` and ``S = tridiag(-1, 0,
    1) / 2h``::

        A(p) = A_0 + cos(2πp) A_1 + sin(2πp) A_2
        A_0 = I⊗T + T⊗I + I,    A_1 = D I⊗S,    A_2 = D S⊗I

    The paper names diffusion, advection and reaction as the three parts; its equation 12 leaves this one reading: both
    constant terms in A_0, one direction of advection each in A_1 and A_2. It does not give f; here ``f = 1``.

    A_1 and A_2 are antisymmetric and A_0 is symmetric positive definite, so at every p ``σ_min(A(p)) >= coercivity``,
    the smallest eigenvalue of A_0, which is known exactly.

    Parameters
    ----------
    points : N, interior points per side; A(p) has N² rows. The paper's size 10^5 is N = 316.
    speed : D, the length of the advection vector. The mesh Péclet number D h / 2 is below one, and the solution free
        of wiggles, from N = 25 on for the paper's D = 50.

    Examples
    --------
    >>> family = AdvectionDiffusionReaction(points=30)
    >>> A = family(0.125)
    >>> A.shape, A.nnz, family.rhs.shape, round(family.peclet, 3)
    ((900, 900), 4380, (900,), 0.806)
    >>> theta = family.coefficients(0.125)
    >>> parts = sum(t * part for t, part in zip(theta, family.matrices))
    >>> float(abs(A - parts).max())
    0.0

    References
    ----------
    Solver it was compared with: Parks et al. (2006), doi:10.1137/040607277.
    """

    points: int = 40
    speed: float = 50.0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.points < 2 or not np.isfinite(self.speed):
            raise InputError(
                f"expected points >= 2 and a finite speed, but came points={self.points!r}, speed={self.speed!r}. "
                "The grid counts interior points per side, not unknowns. Choose for example points=40, speed=50."
            )

    @property
    def name(self) -> str:
        """Kind, size and speed."""
        return f"advection-diffusion-reaction n={self.points**2}, D={self.speed:g}"

    @property
    def box(self) -> BoxLike:
        """(0, 1): one turn of the wind."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    @property
    def step(self) -> float:
        """h, the distance of two neighbours."""
        return 1 / (self.points + 1)

    @property
    def peclet(self) -> float:
        """``|D| h / 2``, the mesh Péclet number."""
        return abs(self.speed) * self.step / 2

    @property
    def coercivity(self) -> float:
        """``1 + (8 / h²) sin²(πh/2)``, a lower bound of the smallest singular value of A(p) at every p."""
        return float(1 + 8 * (np.sin(np.pi * self.step / 2) / self.step) ** 2)

    def __call__(self, p: Point, /) -> Any:
        """Return A(p), a fresh sparse CSR matrix (N², N²)."""
        return combined(self.coefficients(p), self.matrices)

    def dense(self, p: Point) -> Array:
        """Return A(p) as an array (N², N²): for small grids."""
        A: Array = self(p).toarray()
        return A

    def coefficients(self, p: Point) -> npt.NDArray[np.float64]:
        """Return ``(1, cos 2πp, sin 2πp)``."""
        angle = 2 * np.pi * coordinates(p, 1, self.name)[0]
        return np.array([1.0, np.cos(angle), np.sin(angle)])

    @cached_property
    def matrices(self) -> tuple[Any, Any, Any]:
        """A_0, A_1, A_2 as sparse CSR matrices (N², N²) with read-only memory."""
        from scipy import sparse

        N, h = self.points, self.step
        eye, ones = sparse.identity(N), np.ones(N - 1)
        T = sparse.diags([-ones, 2 * np.ones(N), -ones], [-1, 0, 1]) / h**2
        S = sparse.diags([-ones, ones], [-1, 1]) * (self.speed / (2 * h))
        constant = sparse.kron(eye, T) + sparse.kron(T, eye) + sparse.identity(N * N)
        return frozen(constant), frozen(sparse.kron(eye, S)), frozen(sparse.kron(S, eye))

    @property
    def grid(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The coordinates x and y of the unknowns, (N²,) each."""
        at = self.step * np.arange(1, self.points + 1)
        y, x = np.meshgrid(at, at, indexing="ij")
        return x.ravel(), y.ravel()

    @property
    def rhs(self) -> npt.NDArray[np.float64]:
        """The source f = 1 at the unknowns, (N²,)."""
        return np.ones(self.points**2)
