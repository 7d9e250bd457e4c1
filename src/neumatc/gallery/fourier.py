"""The paper's families in several parameters: positive definite, with tensor Fourier modes in every entry."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates, unit_box
from neumatc.gallery.condition import compressed, conditions, smallest_scale
from neumatc.gallery.waves import amplitudes

__all__ = ["FourierGram"]

GRIDS = {1: 401, 2: 24, 3: 8}  # points per axis on which the condition number is controlled


@final
@dataclass(frozen=True)
class FourierGram:
    """``H(p) = I + s B(p) B(p)ᵀ`` on [0, 1]^D, ``B_ij(p) = Σ_k α_ijk φ_k(p)``, with ``max_p cond_2 H(p)`` given.

    The φ_k are all 3^D products of ``{1, sin 2πp_d, cos 2πp_d}``, one factor for each parameter, as in the paper's
    experiment with two parameters (arXiv:2511.22934, table 6; there ``H = B Bᵀ + ε I``, which is the same up to a
    factor). The α_ijk are normal; the variance of column j of B, on average over the torus, is ``0.8^j / n``.

    Parameters
    ----------
    n : size of H(p).
    cond : ``max_p cond_2 H(p)``, above 1.
    rank : number of columns of B, below n.
    dimensions : number D of parameters, 1 to 3.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> H = FourierGram(n=16, rank=4)
    >>> p = np.array([0.2, 0.7])
    >>> bool(np.allclose(H(p), H(p + [1, 0]))), bool(np.allclose(H(p) @ H.inverse(p), np.eye(16)))
    (True, True)
    >>> axis = np.linspace(0, 1, 60)
    >>> round(max(H.condition(np.array([x, y])) for x in axis for y in axis))
    10
    """

    n: int = 128
    cond: float = 10.0
    rank: int = 20
    dimensions: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.dimensions not in GRIDS or not 0 < self.rank < self.n or not 1 < self.cond < np.inf:
            raise InputError(
                f"expected dimensions 1, 2 or 3, 0 < rank < n and cond > 1, but came dimensions={self.dimensions!r}, "
                f"rank={self.rank!r}, n={self.n!r}, cond={self.cond!r}. The condition number is controlled on a grid, "
                "and needs a part of H that stays an identity. Choose for example n=128, rank=20, cond=10."
            )

    @property
    def name(self) -> str:
        """Size, rank, condition number and number of parameters."""
        return f"Fourier Gram n={self.n} r={self.rank} cond={self.cond:g} D={self.dimensions}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]^D."""
        return unit_box(self.dimensions)

    @property
    def smooth(self) -> bool:
        """Always: H(p) is a trigonometric polynomial."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return H(p), shape (n, n), symmetric in every bit."""
        B = self.factor(p)
        H: Array = (self.scale * B) @ B.T
        H = (H + H.T) / 2
        H.reshape(-1)[:: self.n + 1] += 1
        return H

    def factor(self, p: Point) -> Array:
        """Return B(p), shape (n, rank), without the scale s."""
        angle = 2 * np.pi * coordinates(p, self.dimensions, self.name)
        modes = np.ones(1)
        for a in angle:
            modes = np.outer(modes, [1.0, np.sin(a), np.cos(a)]).reshape(-1)
        B: Array = np.tensordot(modes, self._coefficients, 1)
        return B

    def inverse(self, p: Point) -> Array:
        """Return H(p)⁻¹ by the Woodbury identity ``I - s B (I + s Bᵀ B)⁻¹ Bᵀ``, shape (n, n)."""
        B = self.factor(p)
        small = np.eye(self.rank) + self.scale * (B.T @ B)
        inverse: Array = -self.scale * B @ np.linalg.solve(small, B.T)
        inverse.reshape(-1)[:: self.n + 1] += 1
        return inverse

    def condition(self, p: Point) -> float:
        """Return cond_2 H(p), from a small singular value problem."""
        B = self.factor(p)
        return float(conditions(compressed(B, B)[None], self.scale, self.n)[0])

    @cached_property
    def scale(self) -> float:
        """The number s."""
        axis = np.linspace(0, 1, GRIDS[self.dimensions])
        grid = np.stack(np.meshgrid(*[axis] * self.dimensions, indexing="ij"), axis=-1).reshape(-1, self.dimensions)

        def small(p: Array) -> Array:
            B = self.factor(p)
            return compressed(B, B)

        return smallest_scale(small, grid, float(axis[1]), self.n, self.cond)

    @cached_property
    def _coefficients(self) -> Array:
        """α, shape (3^D, n, rank)."""
        rng = np.random.default_rng([self.seed, 1])
        count = 3**self.dimensions
        drawn = np.stack([amplitudes((self.n, self.rank), rng, complex=False) for _ in range(count)])
        # Every factor sin or cos has the mean square one half.
        size: Array = drawn / np.sqrt(2.0**self.dimensions)
        return size
