"""A photonic crystal: light between dielectric rods, and the frequencies that cannot pass."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["PhotonicCrystal"]

Float64: TypeAlias = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class PhotonicCrystal:
    """TM bands of a square lattice of round rods in air: H(k) or H(k, r), real symmetric (n, n), n = waves².

    Plane waves ``k + G`` turn ``-ΔE = (ω/c)² ε E`` into ``D(k) E = λ M E`` with ``D = diag |k + G|²`` and
    ``λ = (ω a / 2πc)²``. With f = π r², the share of the rods, and J, the Bessel function of order one::

        M[G, G'] = δ + (ε - 1) 2 f J(2π r |G - G'|) / (2π r |G - G'|)      (δ + (ε - 1) f for G = G')

    The family is the standard form ``H = L⁻¹ D L⁻ᵀ`` with the Cholesky factor ``M = L Lᵀ``. Wave vectors are in units
    of 2π/a, radii in units of a. At fixed r, H is a polynomial in k of degree two: four matrices span the family.

    Parameters
    ----------
    radius : r, or None to make r in [0.15, 0.25] the third parameter.
    permittivity : ε of the rods, 8.9 for alumina.
    waves : odd number of plane waves per direction; 15 gives n = 225.

    Examples
    --------
    >>> import numpy as np
    >>> crystal = PhotonicCrystal()
    >>> omega = crystal.frequencies(np.array([0.5, 0.0]))
    >>> omega.shape, round(float(omega[1]), 3)
    ((225,), 0.443)

    References
    ----------
    Joannopoulos, Johnson, Winn, Meade, Photonic Crystals, 2nd ed., chapter 5 (figure 2: r = 0.2 a, ε = 8.9).
    """

    radius: float | None = 0.2
    permittivity: float = 8.9
    waves: int = 15

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.radius is not None and not 0 < self.radius <= 0.5:
            raise InputError(
                f"expected a radius between 0 and 0.5, or None, but came radius={self.radius!r}. "
                "Radii are in units of the lattice constant, and rods that overlap are another crystal. Try 0.2."
            )
        if not 1 <= self.permittivity < np.inf or self.waves < 1 or self.waves % 2 == 0:
            raise InputError(
                f"expected a permittivity of at least 1 and an odd number of waves, but came permittivity="
                f"{self.permittivity!r}, waves={self.waves!r}. Plane waves run from -m to m in both directions. "
                "Try permittivity=8.9, waves=15."
            )

    @property
    def name(self) -> str:
        """Size, permittivity and radius."""
        radius = "" if self.radius is None else f", r={self.radius:g}"
        return f"photonic crystal n={self.waves**2}, eps={self.permittivity:g}{radius}"

    @property
    def box(self) -> BoxLike:
        """The quarter [0, 1/2]² of the Brillouin zone, and r from 0.15 to 0.25 where it is a parameter."""
        return [(0.0, 0.5)] * 2 + [(0.15, 0.25)] * (self.radius is None)

    @property
    def smooth(self) -> bool:
        """Always: J(x) / x is entire, and M stays positive definite."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return H, shape (n, n), real symmetric to the last bit."""
        at = coordinates(p, 2 if self.radius is not None else 3, self.name)
        left = self._fixed if self.radius is not None else self._inverse(float(at[2]))
        # B Bᵀ is symmetric in every bit, which L⁻¹ D L⁻ᵀ by two products is not; |k + G| is a norm: no root is left.
        wave = at[:2] + self._vectors
        B = np.concatenate([left * wave[:, 0], left * wave[:, 1]], axis=1)
        H: Array = B @ B.T
        return H

    def frequencies(self, p: Point) -> Float64:
        """Return all ``ω a / 2πc`` at p, ascending, (n,)."""
        values: Float64 = np.sqrt(np.clip(np.linalg.eigvalsh(self(p)), 0, None))
        return values

    def gram(self, radius: float) -> Float64:
        """Return M at a radius, shape (n, n), symmetric positive definite."""
        from scipy.special import j1

        G = self._vectors
        x = 2 * np.pi * radius * np.hypot(*(G[:, None] - G).transpose(2, 0, 1))
        # J(x) / x tends to 1/2.
        share = 2 * np.pi * radius**2 * np.where(x > 0, j1(x) / np.where(x > 0, x, 1), 0.5)
        M: Float64 = np.eye(len(G)) + (self.permittivity - 1) * share
        return M

    def _inverse(self, radius: float) -> Float64:
        """Return L⁻¹, (n, n)."""
        if not 0 < radius <= 0.5:
            raise InputError(
                f"expected a radius between 0 and 0.5 as the third parameter, but came {radius!r}. "
                "Radii are in units of the lattice constant. The box of the family is [0.15, 0.25]."
            )
        inverse: Float64 = np.linalg.inv(np.linalg.cholesky(self.gram(radius)))
        return inverse

    @cached_property
    def _fixed(self) -> Float64:
        """L⁻¹ at the fixed radius."""
        return self._inverse(float(self.radius or 0))

    @cached_property
    def _vectors(self) -> Float64:
        """G (n, 2) in units of 2π/a."""
        m = np.arange(self.waves) - self.waves // 2
        x, y = np.meshgrid(m, m, indexing="ij")
        return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)
