"""The thermal block: heat conduction through blocks of unknown conductivity, the standard test of reduced bases."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.real.sparse import combined, frozen

__all__ = ["ThermalBlock"]

Float64: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

# Stiffness of a right-angled isosceles triangle, vertices (end, end, apex): the same for every size.
TRIANGLE = np.array([[0.5, 0.0, -0.5], [0.0, 0.5, -0.5], [-0.5, -0.5, 1.0]])


@final
@dataclass(frozen=True)
class ThermalBlock:
    """``-∇·(μ(x) ∇u) = 1`` on the unit square, u = 0 on its boundary, μ constant on each of k x l blocks.

    Piecewise linear finite elements on a grid of N x N squares, each cut into four triangles by its diagonals, as the
    reduced-basis library pyMOR builds it. With the interior hat functions φ and the blocks Ω_q::

        A(μ) = Σ_q μ_q A_q,    A_q[i, j] = ∫_{Ω_q} ∇φ_i·∇φ_j,    rhs_i = ∫ φ_i

    The unknowns are the (N - 1)² interior corners (x fastest), then the N² centres of squares. pyMOR keeps the rows of
    the boundary too and so counts 3281 unknowns for N = 40 where there are 3121 here; N = 41 gives 3281 here.
    A triangle belongs to the block of its centre of gravity, so blocks may cut squares, as N = 40 with three blocks.

    Parameters
    ----------
    blocks : (k, l), blocks along x and along y. Parameter ``q = k i_y + i_x`` is the conductivity of block (i_x, i_y).
    squares : N, squares per side.
    conductivity : lower and upper end of every parameter.

    Examples
    --------
    >>> import numpy as np
    >>> family = ThermalBlock(blocks=(2, 2), squares=40)
    >>> family.size, len(family.matrices), family.box[0]
    (3121, 4, (0.1, 1.0))
    >>> mu = np.array([0.1, 0.4, 0.7, 1.0])
    >>> A = family(mu)
    >>> A.shape, family.coercivity(mu)
    ((3121, 3121), 0.1)

    References
    ----------
    Rozza, Huynh, Patera (2008), doi:10.1007/s11831-008-9019-9; Milk, Rave, Schindler (2016), doi:10.1137/15M1026614.
    """

    blocks: tuple[int, int] = (2, 2)
    squares: int = 20
    conductivity: tuple[float, float] = (0.1, 1.0)

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if min(self.blocks) < 1 or self.squares < max(2, *self.blocks):
            raise InputError(
                f"expected two positive numbers of blocks and at least as many squares per side (two or more), but "
                f"came blocks={self.blocks!r}, squares={self.squares!r}. "
                "A block narrower than a square may hold no triangle, so that its A_q is zero. "
                "Choose for example blocks=(3, 3), squares=42."
            )
        lo, hi = self.conductivity
        if not 0 < lo < hi < np.inf:
            raise InputError(
                f"expected 0 < lo < hi for the conductivity, but came {self.conductivity!r}. "
                "Without conduction the stiffness matrix is singular. Choose for example (0.1, 1.0)."
            )

    @property
    def name(self) -> str:
        """Blocks and size."""
        return f"thermal block {self.blocks[0]}x{self.blocks[1]}, n={self.size}"

    @property
    def dimensions(self) -> int:
        """K = k l, the number of parameters."""
        return self.blocks[0] * self.blocks[1]

    @property
    def box(self) -> BoxLike:
        """The same interval for every block."""
        return self.conductivity if self.dimensions == 1 else [self.conductivity] * self.dimensions

    @property
    def smooth(self) -> bool:
        """Always: A(μ) is linear."""
        return True

    @property
    def size(self) -> int:
        """The number of unknowns, (N - 1)² + N²."""
        return (self.squares - 1) ** 2 + self.squares**2

    def __call__(self, p: Point, /) -> Any:
        """Return A(μ), a fresh sparse CSR matrix (n, n), symmetric positive definite."""
        return combined(self.coefficients(p), self.matrices)

    def dense(self, p: Point) -> Array:
        """Return A(μ) as an array (n, n): for small grids."""
        A: Array = self(p).toarray()
        return A

    def coefficients(self, p: Point) -> Float64:
        """Return μ itself, (K,)."""
        return coordinates(p, self.dimensions, self.name).copy()

    def coercivity(self, p: Point) -> float:
        """Return ``min_q μ_q``: a lower bound of ``xᵀ A(μ) x / xᵀ E x`` over all x, E the energy product at μ = 1."""
        return float(self.coefficients(p).min())

    @cached_property
    def matrices(self) -> tuple[Any, ...]:
        """The A_q as K sparse CSR matrices (n, n), symmetric positive semidefinite, with read-only memory."""
        from scipy import sparse

        triangles, block = self._triangles
        place = self._unknown[triangles]
        parts = []
        for q in range(self.dimensions):
            # Row index three times over columns and back: entry (a, b) of every triangle of the block.
            mine = place[block == q]
            row, column = np.repeat(mine, 3, axis=1).ravel(), np.tile(mine, 3).ravel()
            value = np.tile(TRIANGLE.ravel(), len(mine))
            inside = (row >= 0) & (column >= 0) & (value != 0)
            entries = (value[inside], (row[inside], column[inside]))
            parts.append(frozen(sparse.coo_matrix(entries, shape=(self.size, self.size))))
        return tuple(parts)

    @cached_property
    def energy(self) -> Any:
        """E = Σ_q A_q = A(1, …, 1), sparse (n, n): the product of the energy norm ``‖u‖_E = ‖∇u‖``."""
        return frozen(combined(np.ones(self.dimensions), self.matrices))

    @property
    def rhs(self) -> Float64:
        """``∫ φ_i``: 2h²/3 at corners and h²/3 at centres, (n,)."""
        h = 1 / self.squares
        corners = (self.squares - 1) ** 2
        return h**2 / 3 * np.where(np.arange(self.size) < corners, 2.0, 1.0)

    @property
    def grid(self) -> tuple[Float64, Float64]:
        """The coordinates x and y of the unknowns, (n,) each."""
        N = self.squares
        corners, centres = np.arange(1, N) / N, (np.arange(N) + 0.5) / N
        pairs = [np.meshgrid(at, at, indexing="ij") for at in (corners, centres)]
        return tuple(np.concatenate([pair[axis].ravel() for pair in pairs]) for axis in (1, 0))  # type: ignore[return-value]

    @property
    def _unknown(self) -> Integers:
        """The number of the unknown at every vertex, -1 on the boundary."""
        N = self.squares
        corner = np.full((N + 1, N + 1), -1, dtype=np.int64)
        corner[1:N, 1:N] = np.arange((N - 1) ** 2).reshape(N - 1, N - 1)
        return np.concatenate([corner.ravel(), (N - 1) ** 2 + np.arange(N * N)])

    @property
    def _triangles(self) -> tuple[Integers, Integers]:
        """Vertices (4 N², 3) of every triangle, its apex last, and the block (4 N²,) it belongs to."""
        N = self.squares
        j, i = (index.ravel() for index in np.meshgrid(np.arange(N), np.arange(N), indexing="ij"))
        corner, centre = j * (N + 1) + i, (N + 1) ** 2 + j * N + i
        around = [corner, corner + 1, corner + N + 2, corner + N + 1]  # counter-clockwise
        # Centres of gravity in sixths of h, relative to the corner: below, right, above, left of the centre.
        offsets = ((3, 1), (5, 3), (3, 5), (1, 3))
        triangles, blocks = [], []
        for side, (x, y) in enumerate(offsets):
            triangles.append(np.stack([around[side], around[(side + 1) % 4], centre], axis=1))
            # Whole numbers throughout: a centre of gravity on the border of two blocks is not left to rounding.
            along_x, along_y = (self.blocks[0] * (6 * i + x)) // (6 * N), (self.blocks[1] * (6 * j + y)) // (6 * N)
            blocks.append(self.blocks[0] * along_y + along_x)
        return np.concatenate(triangles), np.concatenate(blocks)
