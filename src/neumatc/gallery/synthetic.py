"""``H(p) = I + s A(p) B(p)ᵀ``: smooth, full rank, with a condition number that is chosen, not met by chance."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError, unknown
from neumatc.gallery.base import BoxLike, Point, coordinates, unit_box
from neumatc.gallery.condition import compressed, conditions, smallest_scale
from neumatc.gallery.waves import ColumnWaves, EntryWaves, SharedWaves

__all__ = ["VARIANTS", "SyntheticInverse", "Variant"]

Waves: TypeAlias = EntryWaves | ColumnWaves | SharedWaves


@dataclass(frozen=True)
class Variant:
    """What distinguishes one kind of synthetic family.

    Parameters
    ----------
    cond : condition number unless the user names another one.
    band : frequencies in waves per unit of p.
    symmetric : whether B := A, which makes H(p) symmetric positive definite.
    """

    cond: float
    band: tuple[float, float] = (0.5, 1.5)
    symmetric: bool = False


VARIANTS = {
    "easy": Variant(cond=10.0),
    "spd": Variant(cond=1e3, symmetric=True),
    "near-pole": Variant(cond=1e3),
    "oscillating": Variant(cond=10.0, band=(2.0, 6.0)),
}

GRIDS = {1: 401, 2: 20, 3: 8}  # points per axis on which the condition number is controlled


@final
@dataclass(frozen=True)
class SyntheticInverse:
    """``H(p) = I + s A(p) B(p)ᴴ`` on [0, 1]^D with ``max_p cond_2 H(p)`` given.

    With one parameter ``A = A0 ∘ sin(2π F_A p + Φ_A)`` and ``B = B0 ∘ sin(2π F_B p + Φ_B)``, both (n, r), F drawn
    uniformly from [0.5, 1.5] ([2, 6] for "oscillating"), Φ from [0, 2π], and the variance of column k is
    ``0.8^k / n``. With more parameters every column sums six waves (`neumatc.gallery.waves.ColumnWaves`), or, if they
    are shared, all columns the same six cosines (`neumatc.gallery.waves.SharedWaves`). The smallest s > 0 that reaches
    the condition number is taken, so in the nonsymmetric variants it is an eigenvalue of H(p) coming close to zero that
    makes it large: the inverse then has poles near the real axis.

    Parameters
    ----------
    n : size of H(p).
    cond : ``max_p cond_2 H(p)``; by default 10 for "easy" and "oscillating", 1000 for "spd" and "near-pole".
    variant : "easy", "spd" (B := A), "near-pole" or "oscillating".
    rank : r, below n.
    dimensions : number D of parameters, 1, 2 or 3.
    seed : of everything random.
    complex : whether A0 and B0 are complex.
    band : frequencies in waves per unit of p, ``0 <= low <= high``, for example (0.0, 0.3) for gentle problems in two
        and three parameters, where only ``high`` counts; by default that of the variant.
    shared : whether a factor has the same six cosines in all its entries; needs two or three parameters.

    Examples
    --------
    >>> import numpy as np
    >>> H = SyntheticInverse(n=32, cond=10.0, rank=8)
    >>> H(0.3).shape, H.box
    ((32, 32), (0.0, 1.0))
    >>> bool(np.allclose(H(0.3) @ H.inverse(0.3), np.eye(32)))
    True
    >>> round(max(H.condition(p) for p in np.linspace(0, 1, 801)), 1)
    10.0
    """

    n: int = 256
    cond: float | None = None
    variant: str = "easy"
    rank: int = 20
    dimensions: int = 1
    seed: int = 0
    complex: bool = False
    band: tuple[float, float] | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.variant not in VARIANTS:
            raise unknown("variant", self.variant, VARIANTS)
        if self.dimensions not in GRIDS:
            raise InputError(
                f"dimensions must be 1, 2 or 3, but came {self.dimensions!r}. The condition number is controlled on a "
                "grid, which is too expensive in more dimensions. Choose another family."
            )
        if not 0 < self.rank < self.n:
            raise InputError(
                f"the rank must lie between 1 and n - 1 = {self.n - 1}, but came {self.rank!r}. "
                "At full rank no part of H stays an identity, so cond is not free. Choose a smaller rank or a larger n."
            )
        if not self.target > 1:
            raise InputError(
                f"cond must be larger than 1, but came {self.cond!r}. "
                "A condition number is never below 1, and only the identity has 1. Choose for example cond=10."
            )
        if self.band is not None and not (np.shape(self.band) == (2,) and 0 <= self.band[0] <= self.band[1] < np.inf):
            raise InputError(
                f"expected a band (low, high) of frequencies with 0 <= low <= high, but came band={self.band!r}. "
                "Frequencies are counted in waves per unit of p. Choose for example band=(0.0, 0.3)."
            )
        if self.shared and self.dimensions == 1:
            raise InputError(
                "shared=True needs two or three parameters, but came dimensions=1. "
                "With one parameter every entry has a sine of its own. Leave out shared, or choose dimensions=2."
            )

    @property
    def name(self) -> str:
        """Kind, variant, size and condition number."""
        kind = "complex " if self.complex else ""
        band = "" if self.band is None else f" band={self.band[0]:g}..{self.band[1]:g}"
        shared = " shared" if self.shared else ""
        return f"synthetic {kind}{self.variant} n={self.n} cond={self.target:g} D={self.dimensions}{band}{shared}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]^D."""
        return unit_box(self.dimensions)

    @property
    def smooth(self) -> bool:
        """Always: H(p) is entire."""
        return True

    @property
    def target(self) -> float:
        """The condition number aimed at."""
        return VARIANTS[self.variant].cond if self.cond is None else self.cond

    def __call__(self, p: Point, /) -> Array:
        """Return H(p), shape (n, n)."""
        A, B = self.factors(p)
        H: Array = (self.scale * A) @ B.conj().T
        if VARIANTS[self.variant].symmetric:
            # B := A only makes the product symmetric up to rounding; a Cholesky solver may ask for more.
            H = (H + H.conj().T) / 2
        H.reshape(-1)[:: self.n + 1] += 1
        return H

    def factors(self, p: Point) -> tuple[Array, Array]:
        """Return A(p) and B(p), each (n, r), without the scale s."""
        left, right = self._waves
        at = coordinates(p, self.dimensions, self.name)
        A = left(at)
        return A, A if right is left else right(at)

    def inverse(self, p: Point) -> Array:
        """Return H(p)⁻¹ by the Woodbury identity ``I - s A (I + s Bᴴ A)⁻¹ Bᴴ``: a reference made from r x r solves."""
        A, B = self.factors(p)
        small = np.eye(self.rank) + self.scale * (B.conj().T @ A)
        inverse: Array = -self.scale * A @ np.linalg.solve(small, B.conj().T)
        inverse.reshape(-1)[:: self.n + 1] += 1
        return inverse

    def condition(self, p: Point) -> float:
        """Return cond_2 H(p), from a small singular value problem."""
        return float(conditions(compressed(*self.factors(p))[None], self.scale, self.n)[0])

    @cached_property
    def scale(self) -> float:
        """The number s."""
        axis = np.linspace(0, 1, GRIDS[self.dimensions])
        grid = np.stack(np.meshgrid(*[axis] * self.dimensions, indexing="ij"), axis=-1).reshape(-1, self.dimensions)
        return smallest_scale(lambda p: compressed(*self.factors(p)), grid, float(axis[1]), self.n, self.target)

    @cached_property
    def _waves(self) -> tuple[Waves, Waves]:
        """The smooth factors; the same object twice when B := A."""
        rng = np.random.default_rng(self.seed)
        left = self._draw(rng)
        return left, left if VARIANTS[self.variant].symmetric else self._draw(rng)

    def _draw(self, rng: np.random.Generator) -> Waves:
        """Draw one factor (n, r)."""
        shape, band = (self.n, self.rank), VARIANTS[self.variant].band if self.band is None else self.band
        if self.dimensions == 1:
            return EntryWaves.draw(shape, band, rng, self.complex)
        waves = SharedWaves if self.shared else ColumnWaves
        return waves.draw(shape, band, self.dimensions, rng, self.complex)
