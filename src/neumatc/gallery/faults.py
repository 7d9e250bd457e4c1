"""Faults of a caller's function: answers with noise, and a hole in which there is no answer.

Both wrap a family, as `neumatc.gallery.corners` does with spikes and jumps.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, GalleryFamily, Point, coordinates, sides
from neumatc.gallery.corners import check_ball, squared_distance

__all__ = ["NaNHole", "Noisy"]


@final
@dataclass(frozen=True)
class Noisy:
    """``base(p) + level ‖base(p)‖_F E(p)`` with a random E(p) of Frobenius norm one, the same twice at the same p.

    E is drawn from the bits of p, so two points next to each other have nothing in common: no fit gets below the
    level, and more samples bring nothing.

    Parameters
    ----------
    base : the family to spoil.
    level : relative size of the noise in the Frobenius norm, at least 0.
    hermitian : whether E is Hermitian, which keeps a Hermitian base Hermitian.
    seed : of the noise.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.gallery import AffineInverse
    >>> base = AffineInverse(n=6)
    >>> A = Noisy(base, level=1e-3)
    >>> bool(np.array_equal(A(0.4), A(0.4)))
    True
    >>> round(float(np.linalg.norm(A(0.4) - base(0.4)) / np.linalg.norm(base(0.4))), 9)
    0.001
    """

    base: GalleryFamily
    level: float = 1e-6
    hermitian: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 0 <= self.level < np.inf:
            raise InputError(
                f"expected a finite noise level >= 0, but came level={self.level!r}. "
                "It is relative to the norm of each A(p). Choose for example level=1e-6."
            )

    @property
    def name(self) -> str:
        """The base and the level."""
        return f"{self.base.name} with noise {self.level:g}"

    @property
    def box(self) -> BoxLike:
        """The box of the base."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """Never, however small the noise."""
        return False

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        A = self.base(p)
        at = coordinates(p, len(sides(self.box)), self.name)
        # Adding zero turns -0.0 into 0.0: equal points must have equal bits.
        rng = np.random.default_rng([self.seed, *(at + 0.0).view(np.uint32).tolist()])
        E: Array = rng.standard_normal(A.shape)
        if np.iscomplexobj(A):
            E = E + 1j * rng.standard_normal(A.shape)
        if self.hermitian:
            E = E + E.conj().T
        noisy: Array = A + self.level * np.linalg.norm(A) / np.linalg.norm(E) * E
        return noisy


@final
@dataclass(frozen=True)
class NaNHole:
    """NaN where ``t² = Σ_i (2 (p_i - c_i) / (w L_i))² <= 1``, and ``base(p)`` everywhere else; L_i are the box's sides.

    It stands for a solver that breaks down on a part of the box. A fit that samples in the hole must say where.

    Parameters
    ----------
    base : the family to spoil.
    centre : c, a float for one parameter and D of them for several.
    width : w, the full width of the hole as a share of the box.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.gallery import AffineInverse
    >>> A = NaNHole(AffineInverse(n=6), centre=0.4, width=0.1)
    >>> bool(np.isnan(A(0.44)).all()), bool(np.isfinite(A(0.46)).all())
    (True, True)
    """

    base: GalleryFamily
    centre: float | tuple[float, ...]
    width: float = 1e-3

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_ball("hole", self.centre, self.width, self.base.box)

    @property
    def name(self) -> str:
        """The base and the width."""
        return f"{self.base.name} with a hole of width {self.width:g}"

    @property
    def box(self) -> BoxLike:
        """The box of the base."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """Never: outside the hole it is, but A(p) is not defined on the box."""
        return False

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2), all NaN inside the hole."""
        at = coordinates(p, len(sides(self.box)), self.name)
        A = self.base(p)
        if squared_distance(at, self.centre, self.width, self.box) <= 1:
            A[...] = np.nan
        return A
