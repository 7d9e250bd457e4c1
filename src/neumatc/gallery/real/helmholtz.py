"""Waves in a room with a slow inclusion and one absorbing wall: few modes, but poles close to the real axis."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.real.sparse import combined, frozen

__all__ = ["Helmholtz"]

Float64: TypeAlias = npt.NDArray[np.float64]
Complex128: TypeAlias = npt.NDArray[np.complex128]


@final
@dataclass(frozen=True)
class Helmholtz:
    """``-Δu - k² ε(x) u = f`` on the unit square, ``∂u/∂x = i k u`` at x = 1 and u = 0 on the other three walls.

    ε is a constant inside a disc around (1/2, 1/2) and 1 outside. Second-order central differences, h = 1 / N, at the
    points (i h, j h), i = 1 … N, j = 1 … N - 1, i fastest; the absorbing wall is among them, its rows halved after the
    ghost point is eliminated, so that A is complex symmetric. With time as exp(-i k t), A(k) is singular only at
    resonances with Im k < 0; waves trapped in the disc bring them close to the axis::

        A(k) = K - k² M - i k B

    K is symmetric positive definite, M diagonal with ε, and B diagonal with 1 / h at the absorbing wall.

    Parameters
    ----------
    intervals : N; A(k) has N (N - 1) rows. A wave in the disc has ``2π N / (k √ε)`` points per length.
    permittivity : ε inside the disc.
    radius : of the disc; 0 for an empty room.

    Examples
    --------
    >>> family = Helmholtz(intervals=12)
    >>> A = family(5.0)
    >>> A.shape, float(abs(A - A.T).max()), len(family.matrices)
    ((132, 132), 0.0, 3)
    >>> bool((family.resonances().imag < 0).all())
    True
    """

    intervals: int = 24
    permittivity: float = 4.0
    radius: float = 0.25

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.intervals < 3 or not 0 < self.permittivity < np.inf or not 0 <= self.radius < 0.5:
            raise InputError(
                f"expected intervals >= 3, a positive permittivity and a radius from 0 to below 1/2, but came "
                f"intervals={self.intervals!r}, permittivity={self.permittivity!r}, radius={self.radius!r}. "
                "The disc lies in the middle of a room of side one. Try intervals=24, permittivity=4, radius=0.25."
            )

    @property
    def name(self) -> str:
        """Size and inclusion."""
        return f"Helmholtz n={self.size}, eps={self.permittivity:g}, r={self.radius:g}"

    @property
    def box(self) -> BoxLike:
        """(2, 12), wave numbers: up to about two waves across the empty room."""
        return (2.0, 12.0)

    @property
    def smooth(self) -> bool:
        """Always: A(k) is a polynomial of degree two."""
        return True

    @property
    def size(self) -> int:
        """The number of unknowns, N (N - 1)."""
        return self.intervals * (self.intervals - 1)

    def __call__(self, p: Point, /) -> Any:
        """Return A(k), a fresh sparse CSR matrix (n, n), complex symmetric."""
        return combined(self.coefficients(p), self.matrices)

    def dense(self, p: Point) -> Array:
        """Return A(k) as an array (n, n): for small grids."""
        A: Array = self(p).toarray()
        return A

    def coefficients(self, p: Point) -> Complex128:
        """Return ``(1, -k², -i k)``."""
        k = coordinates(p, 1, self.name)[0]
        return np.array([1.0, -(k**2), -1j * k])

    @cached_property
    def matrices(self) -> tuple[Any, Any, Any]:
        """K, M, B as real symmetric sparse CSR matrices (n, n) with read-only memory."""
        from scipy import sparse

        N, h = self.intervals, 1 / self.intervals
        wall = np.append(np.ones(N - 1), 0.5)
        # Half a cell at the wall: twice the weight is the diagonal of its row too.
        along = sparse.diags([-np.ones(N - 1), 2 * wall, -np.ones(N - 1)], [-1, 0, 1]) / h**2
        across = sparse.diags([-np.ones(N - 2), 2 * np.ones(N - 1), -np.ones(N - 2)], [-1, 0, 1]) / h**2
        weight, last = sparse.diags(wall), sparse.diags(np.append(np.zeros(N - 1), 1 / h))
        eye = sparse.identity(N - 1)
        K = sparse.kron(eye, along) + sparse.kron(across, weight)
        M = sparse.kron(eye, weight) @ sparse.diags(self.medium)
        return frozen(K), frozen(M), frozen(sparse.kron(eye, last))

    @property
    def grid(self) -> tuple[Float64, Float64]:
        """The coordinates x and y of the unknowns, (n,) each."""
        N = self.intervals
        y, x = np.meshgrid(np.arange(1, N) / N, np.arange(1, N + 1) / N, indexing="ij")
        return x.ravel(), y.ravel()

    @property
    def medium(self) -> Float64:
        """ε at the unknowns, (n,)."""
        x, y = self.grid
        return np.where(np.hypot(x - 0.5, y - 0.5) < self.radius, self.permittivity, 1.0)

    @property
    def rhs(self) -> Float64:
        """The source f = 1 at the unknowns, (n,): 1, and 1/2 at the absorbing wall, whose rows are halved."""
        return np.where(self.grid[0] == 1, 0.5, 1.0)

    def resonances(self) -> Complex128:
        """Return every complex k at which A(k) is singular, (2 n,), by the distance from zero: for small grids.

        With ``k = i s``, ``s² M + s B + K`` is a damped oscillator, and its 2 n eigenvalues s have Re s < 0.
        """
        K, M, B = (part.toarray() for part in self.matrices)
        mass = M.diagonal()[:, None]
        zero, eye = np.zeros_like(K), np.eye(self.size)
        s = np.linalg.eigvals(np.block([[zero, eye], [-K / mass, -B / mass]]))
        k: Complex128 = 1j * s[np.argsort(np.abs(s))]
        return k
