"""Vibration of a compressor rotor: its dynamic stiffness over the speed, and the matrix of its Campbell diagram."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.real.rotor_table import Rotor, load

__all__ = ["CampbellMatrix", "RotorStiffness"]

Float64: TypeAlias = npt.NDArray[np.float64]

SPEEDS = (420.0, 1150.0)  # rad/s
SEALS = (0.5, 2.0)


@final
@dataclass(frozen=True)
class RotorStiffness:
    """``S (K(ω) - ω² M + iω (C(ω) + ω G)) S``: dynamic stiffness to unbalance at the speed ω, complex (224, 224).

    ``S = diag(M)^(-1/2)`` makes displacements and tilts comparable. K(ω) and C(ω) hold the supports: 2 x 2 blocks,
    splines through tables over ω. The inverse has few modes but poles close to the axis, the critical speeds.

    Parameters
    ----------
    seals : whether a factor s in [0.5, 2] of the stiffness and damping of all seals (the supports between the first and
        the last) is a second parameter; p is then (ω, s).

    Examples
    --------
    >>> import numpy as np
    >>> D = RotorStiffness()
    >>> D(800.0).shape, D.box
    ((224, 224), (420.0, 1150.0))
    >>> two = RotorStiffness(seals=True)
    >>> bool(np.array_equal(two(np.array([800.0, 1.0])), D(800.0)))
    True

    References
    ----------
    Timbó et al. (2020), ROSS: Rotordynamic Open Source Software, doi:10.21105/joss.02120.
    """

    seals: bool = False

    @property
    def name(self) -> str:
        """Kind and parameters."""
        return "rotor stiffness n=224" + ", seals" * self.seals

    @property
    def box(self) -> BoxLike:
        """Speed in rad/s, and the factor of the seals where it is a parameter."""
        return [SPEEDS, SEALS] if self.seals else SPEEDS

    @property
    def smooth(self) -> bool:
        """Twice continuously differentiable: the tables are joined by cubic splines with knots in the box."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return the scaled dynamic stiffness, shape (224, 224), complex."""
        speed, scale = read(p, self.seals, self.name)
        K, damping = self._supports.matrices(speed, scale)
        rotor = self._supports.rotor
        root = 1 / np.sqrt(rotor.M.diagonal())
        D: Array = root[:, None] * (K - speed**2 * rotor.M + 1j * speed * damping) * root
        return D

    @cached_property
    def _supports(self) -> "Supports":
        return Supports.load()


@final
@dataclass(frozen=True)
class CampbellMatrix:
    """``[[0, σ I], [-M⁻¹ K(ω) / σ, -M⁻¹ (C(ω) + ω G)]]``: its eigenvalues are those of the rotor at the speed ω.

    The state is (displacement, velocity / σ); the balance σ leaves the eigenvalues alone and makes the blocks
    comparable. Real, not normal, (448, 448). Forward and backward whirl are pairs of nearby eigenvalues.

    Parameters
    ----------
    seals : whether the factor s of the seals is a second parameter.
    balance : σ in rad/s.

    Examples
    --------
    >>> A = CampbellMatrix()
    >>> A(800.0).shape
    (448, 448)

    References
    ----------
    Timbó et al. (2020), ROSS: Rotordynamic Open Source Software, doi:10.21105/joss.02120.
    """

    seals: bool = False
    balance: float = 1000.0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 0 < self.balance < np.inf:
            raise InputError(
                f"expected a positive finite balance in rad/s, but came {self.balance!r}. "
                "It divides displacements by velocities, so its size is that of a natural frequency. Try 1000."
            )

    @property
    def name(self) -> str:
        """Kind and parameters."""
        return "Campbell matrix n=448" + ", seals" * self.seals

    @property
    def box(self) -> BoxLike:
        """Speed in rad/s, and the factor of the seals where it is a parameter."""
        return [SPEEDS, SEALS] if self.seals else SPEEDS

    @property
    def smooth(self) -> bool:
        """Twice continuously differentiable: the tables are joined by cubic splines with knots in the box."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return the first-order matrix, shape (448, 448), real."""
        speed, scale = read(p, self.seals, self.name)
        K, damping = self._supports.matrices(speed, scale)
        n = len(K)
        A = np.zeros((2 * n, 2 * n))
        A[:n, n:] = self.balance * np.eye(n)
        A[n:] = np.linalg.solve(self._supports.rotor.M, np.concatenate([-K / self.balance, -damping], axis=1))
        return A

    @cached_property
    def _supports(self) -> "Supports":
        return Supports.load()


@dataclass(frozen=True, eq=False)
class Supports:
    """The rotor with its bearings and seals.

    Parameters
    ----------
    rotor : matrices and tables.
    splines : one per support, speed to (8,).
    """

    rotor: Rotor
    splines: tuple[Any, ...]

    @classmethod
    def load(cls) -> "Supports":
        """Read the file."""
        rotor = load()
        return cls(rotor, rotor.splines())

    def matrices(self, speed: float, scale: float) -> tuple[Float64, Float64]:
        """Return ``K(ω)`` and ``C(ω) + ω G``, (n, n) each, with the seals times a factor."""
        lo, hi = self.rotor.range
        if not lo <= speed <= hi:
            raise InputError(
                f"expected a speed between {lo:.1f} and {hi:.1f} rad/s, but came {speed!r}. "
                "The tables of the bearings end there, and splines are not to be trusted beyond. "
                "One revolution per minute is 0.10472 rad/s."
            )
        K, damping = self.rotor.K.copy(), self.rotor.C + speed * self.rotor.G
        last = len(self.splines) - 1
        for support, (node, spline) in enumerate(zip(self.rotor.nodes, self.splines, strict=True)):
            block = slice(4 * node, 4 * node + 2)
            values = spline(speed).reshape(2, 2, 2) * (scale if 0 < support < last else 1.0)
            K[block, block] += values[0]
            damping[block, block] += values[1]
        return K, damping


def read(p: Point, seals: bool, name: str) -> tuple[float, float]:
    """Return speed and factor of the seals."""
    at = coordinates(p, 2 if seals else 1, name)
    return float(at[0]), float(at[1]) if seals else 1.0
