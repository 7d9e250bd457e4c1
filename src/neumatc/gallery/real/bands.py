"""Topological insulators on the honeycomb lattice: bands whose Chern number or Z2 invariant is known.

Momenta are angles ``k = (k_1, k_2)`` along the two lattice vectors, so H(k) is periodic on the torus [0, 2π]², while no
eigenvector of a band with a nonzero invariant can be: the family on which every smooth gauge must fail.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["Haldane", "KaneMele"]

Complex128: TypeAlias = npt.NDArray[np.complex128]

ROOT27 = 3 * np.sqrt(3)
TORUS: list[tuple[float, float]] = [(0.0, 2 * np.pi), (0.0, 2 * np.pi)]
VALLEYS = np.array([[2 * np.pi / 3, 4 * np.pi / 3], [4 * np.pi / 3, 2 * np.pi / 3]])  # K and K'

I2 = np.eye(2)
X, Y, Z = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


@final
@dataclass(frozen=True)
class Haldane:
    """Graphene with a complex second-neighbour hopping: H(k), Hermitian (2, 2), a Chern insulator.

    With ``f = 1 + e^{-ik_1} + e^{-ik_2}``, ``c = cos k_1 + cos k_2 + cos(k_1 - k_2)`` and
    ``s = sin k_1 - sin k_2 - sin(k_1 - k_2)``::

        H = [[m + 2 t_2 (c cos φ + s sin φ),  t_1 f],  [t_1 f*,  -m + 2 t_2 (c cos φ - s sin φ)]]

    Parameters
    ----------
    hopping : t_1, the unit of energy.
    second : t_2; below t_1 / 3 the two bands do not overlap.
    phase : φ in radians.
    mass : m, the energy by which the two sublattices differ from their mean.

    Examples
    --------
    >>> import numpy as np
    >>> H = Haldane(mass=0.2)
    >>> H.chern, H.gaps.round(3)
    (1, array([1.439, 0.639]))
    >>> E = np.linalg.eigvalsh(H(H.valleys[1]))
    >>> round(float(E[1] - E[0]), 3)
    0.639
    >>> Haldane(mass=1.0).chern
    0

    References
    ----------
    Haldane (1988), doi:10.1103/PhysRevLett.61.2015.
    """

    hopping: float = 1.0
    second: float = 0.1
    phase: float = np.pi / 2
    mass: float = 0.0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        values = (self.hopping, self.second, self.phase, self.mass)
        if self.hopping == 0 or not np.isfinite(values).all():
            raise InputError(
                f"expected finite numbers and a hopping that is not zero, but came {self!r}. "
                "Without nearest neighbours the lattice falls apart. Energies are in units of hopping=1."
            )

    @property
    def name(self) -> str:
        """Model and dials."""
        return f"Haldane t2={self.second:g}, phase={self.phase:.4g}, m={self.mass:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 2π]²."""
        return list(TORUS)

    @property
    def smooth(self) -> bool:
        """Always: H(k) is a trigonometric polynomial."""
        return True

    @property
    def valleys(self) -> npt.NDArray[np.float64]:
        """K and K' as rows (2, 2), where f vanishes."""
        return VALLEYS.copy()

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """``2 |m ± 3√3 t_2 sin φ|``: the distance of the two bands at K and at K'."""
        edge = ROOT27 * self.second * np.sin(self.phase)
        return 2 * np.abs(self.mass + np.array([edge, -edge]))

    @property
    def chern(self) -> int:
        """Chern number of the lower band: ``sign(t_2 sin φ)`` where ``|m| < 3√3 |t_2 sin φ|``, else 0.

        For the orientation ``dk_1 ∧ dk_2`` and curvature ``F = ∂_1 A_2 - ∂_2 A_1``, ``A = i <u|∂u>``. Where a gap
        closes there is no such number, and this is an error.
        """
        if self.gaps.min() < 1e-12 * abs(self.hopping):
            raise InputError(
                f"expected a gap at both valleys, but came the gaps {self.gaps[0]:.3g} and {self.gaps[1]:.3g} of "
                f"{self.name}. The model is at its phase transition. Move the mass away from 3√3 t_2 sin φ."
            )
        edge = ROOT27 * self.second * np.sin(self.phase)
        return int(np.sign(edge)) if abs(self.mass) < abs(edge) else 0

    def __call__(self, p: Point, /) -> Array:
        """Return H(k), shape (2, 2), complex Hermitian."""
        k_1, k_2 = coordinates(p, 2, self.name)
        f = self.hopping * (1 + np.exp(-1j * k_1) + np.exp(-1j * k_2))
        even = 2 * self.second * np.cos(self.phase) * (np.cos(k_1) + np.cos(k_2) + np.cos(k_1 - k_2))
        odd = self.mass + 2 * self.second * np.sin(self.phase) * (np.sin(k_1) - np.sin(k_2) - np.sin(k_1 - k_2))
        return np.array([[even + odd, f], [np.conj(f), even - odd]])


@final
@dataclass(frozen=True)
class KaneMele:
    """Graphene with spin-orbit coupling: H(k), Hermitian (4, 4), a quantum spin Hall insulator; two bands filled.

    The table of Kane and Mele with ``x = (k_1 - k_2)/2``, ``y = (k_1 + k_2)/2``; basis sublattice ⊗ spin. Time
    reversal ``Θ = i s_y`` and conjugation gives ``Θ H(k) Θ⁻¹ = H(-k)``, so bands meet in pairs at the four points
    ``k_i ∈ {0, π}``.

    Parameters
    ----------
    hopping : t, the unit of energy.
    spin_orbit : λ_SO.
    rashba : λ_R, which mixes the spins.
    stagger : λ_v, the energy by which the two sublattices differ from their mean.

    Examples
    --------
    >>> KaneMele(stagger=0.1).z2, KaneMele(stagger=0.4).z2
    (1, 0)
    >>> import numpy as np
    >>> KaneMele()(np.array([0.3, 0.5])).shape
    (4, 4)

    References
    ----------
    Kane, Mele (2005), doi:10.1103/PhysRevLett.95.146802.
    """

    hopping: float = 1.0
    spin_orbit: float = 0.06
    rashba: float = 0.0
    stagger: float = 0.1

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        values = (self.hopping, self.spin_orbit, self.rashba, self.stagger)
        if self.hopping == 0 or not np.isfinite(values).all():
            raise InputError(
                f"expected finite numbers and a hopping that is not zero, but came {self!r}. "
                "Without nearest neighbours the lattice falls apart. Energies are in units of hopping=1."
            )

    @property
    def name(self) -> str:
        """Model and dials."""
        return f"Kane-Mele so={self.spin_orbit:g}, rashba={self.rashba:g}, stagger={self.stagger:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 2π]²."""
        return list(TORUS)

    @property
    def smooth(self) -> bool:
        """Always: H(k) is a trigonometric polynomial."""
        return True

    @property
    def z2(self) -> int | None:
        """1 in the quantum spin Hall phase ``|λ_v| < 3√3 |λ_SO|``, 0 outside; None with Rashba coupling."""
        return int(abs(self.stagger) < ROOT27 * abs(self.spin_orbit)) if self.rashba == 0 else None

    def __call__(self, p: Point, /) -> Array:
        """Return H(k), shape (4, 4), complex Hermitian."""
        k_1, k_2 = coordinates(p, 2, self.name)
        x, y = (k_1 - k_2) / 2, (k_1 + k_2) / 2
        t, so, rashba = self.hopping, self.spin_orbit, self.rashba
        H: Complex128 = (
            t * (1 + 2 * np.cos(x) * np.cos(y)) * np.kron(X, I2)
            + 2 * t * np.cos(x) * np.sin(y) * np.kron(Y, I2)
            + self.stagger * np.kron(Z, I2)
            + so * (2 * np.sin(2 * x) - 4 * np.sin(x) * np.cos(y)) * np.kron(Z, Z)
            + rashba * (1 - np.cos(x) * np.cos(y)) * np.kron(Y, X)
            - np.sqrt(3) * rashba * np.sin(x) * np.sin(y) * np.kron(Y, Y)
            + rashba * np.cos(x) * np.sin(y) * np.kron(X, X)
            - np.sqrt(3) * rashba * np.sin(x) * np.cos(y) * np.kron(X, Y)
        )
        return H
