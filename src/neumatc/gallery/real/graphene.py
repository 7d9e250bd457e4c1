"""Twisted bilayer graphene in the continuum model of Bistritzer and MacDonald: flat bands at the magic angle."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["TwistedBilayer"]

Float64: TypeAlias = npt.NDArray[np.float64]
Complex128: TypeAlias = npt.NDArray[np.complex128]

LATTICE = 2.46  # lattice constant a of graphene, in ångström
VELOCITY = 5253.0  # ħv in meV ångström
HALF = np.sqrt(3) / 2
TRANSFER = np.array([[0.0, -1.0], [HALF, 0.5], [-HALF, 0.5]])  # q_j / k_θ
CORNER = np.array([[HALF, -0.5], [HALF, 0.5]])  # Dirac points of the two layers, in k_θ


@final
@dataclass(frozen=True)
class TwistedBilayer:
    """Two graphene sheets twisted by θ, one valley and spin: H(k) or H(k, θ) in meV, Hermitian (4 N, 4 N).

    Plane waves ``k + g`` with N moiré vectors ``|g| <= shells √3 k_θ``, ``k_θ = (8π / 3a) sin(θ/2)``; basis order
    layer, g, sublattice. With ``δ_l = k + g - κ_l`` from the Dirac point of layer l = 1, 2 and z = δ_x - i δ_y::

        diagonal blocks   ħv [[0, z e^{∓iθ/2}], [z* e^{±iθ/2}, 0]]       (upper sign for l = 1)
        coupling g → g'   T_j = [[w0, w1 e^{-2πij/3}], [w1 e^{2πij/3}, w0]]   where g' - g = q_j - q_0, j = 0, 1, 2

    The parameters k_x, k_y are in units of k_θ, from the centre Γ of the moiré zone; Dirac points are `dirac`.
    At fixed θ, H is affine in k: three matrices span the family. Bands cross; ask for subspaces, not single vectors.

    Parameters
    ----------
    angle : θ in degrees, or None to make θ in [1, 2] degrees the third parameter.
    shells : cut-off, in lengths of the shortest moiré vector; 4 gives N = 61.
    same, across : w0 and w1 in meV, the interlayer coupling of equal and of different sublattices.

    Examples
    --------
    >>> import numpy as np
    >>> H = TwistedBilayer(angle=1.05)(np.zeros(2))
    >>> E = np.linalg.eigvalsh(H)
    >>> E[121:123].round(1)
    array([-2.5,  4.9])

    References
    ----------
    Bistritzer, MacDonald (2011), doi:10.1073/pnas.1108174108; values of Koshino et al. (2018),
    doi:10.1103/PhysRevX.8.031087.
    """

    angle: float | None = None
    shells: float = 4.0
    same: float = 79.7
    across: float = 97.5

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.angle is not None and not 0 < self.angle < 30:
            raise InputError(
                f"expected a twist between 0 and 30 degrees, or None, but came angle={self.angle!r}. "
                "The continuum model is one of small twists, and its angle is not in radians. Try angle=1.05."
            )
        if not 0 <= self.shells <= 20:
            raise InputError(
                f"expected a cut-off between 0 and 20 moiré vectors, but came shells={self.shells!r}. "
                "The matrix has about 14.5 shells² rows. Try shells=4, which keeps 61 vectors."
            )

    @property
    def name(self) -> str:
        """Size and twist."""
        twist = "" if self.angle is None else f", {self.angle:g} degrees"
        return f"twisted bilayer graphene n={4 * len(self.vectors)}{twist}"

    @property
    def box(self) -> BoxLike:
        """k_x and k_y from -1 to 1 in units of k_θ, and θ from 1 to 2 degrees where it is a parameter."""
        return [(-1.0, 1.0)] * 2 + [(1.0, 2.0)] * (self.angle is None)

    @property
    def smooth(self) -> bool:
        """Always: H is entire."""
        return True

    @property
    def dirac(self) -> Float64:
        """Where the two flat bands touch: k (2, 2) in units of k_θ, one point per row."""
        return CORNER.copy()

    def wavenumber(self, angle: float) -> float:
        """Return k_θ in 1 / ångström, for θ in degrees."""
        return float(8 * np.pi / (3 * LATTICE) * np.sin(np.deg2rad(angle) / 2))

    @cached_property
    def vectors(self) -> npt.NDArray[np.int64]:
        """The N moiré vectors as whole multiples (N, 2) of ``q_1 - q_0`` and ``q_2 - q_0``, read-only."""
        reach = int(2 * self.shells) + 1
        m, n = (index.ravel() for index in np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"))
        # The two vectors stand at 60 degrees, so lengths are whole numbers under a root.
        chosen: npt.NDArray[np.int64] = np.stack([m, n], axis=1)[m * m + m * n + n * n <= self.shells**2 + 1e-9]
        chosen.setflags(write=False)
        return chosen

    def __call__(self, p: Point, /) -> Array:
        """Return H, shape (4 N, 4 N), complex Hermitian, in meV."""
        at = coordinates(p, 2 if self.angle is not None else 3, self.name)
        angle = float(at[2]) if self.angle is None else self.angle
        g = self.vectors @ (TRANSFER[1:] - TRANSFER[0])
        N = len(g)
        H = self._coupling.copy().reshape(2, N, 2, 2, N, 2)
        every = np.arange(N)
        for layer, turn in enumerate((-1, 1)):
            delta = at[:2] + g - CORNER[layer]
            phase = np.exp(0.5j * turn * np.deg2rad(angle))
            z = VELOCITY * self.wavenumber(angle) * (delta[:, 0] - 1j * delta[:, 1]) * phase
            H[layer, every, 0, layer, every, 1] = z
            H[layer, every, 1, layer, every, 0] = z.conj()
        return H.reshape(4 * N, 4 * N)

    @cached_property
    def _coupling(self) -> Complex128:
        """The part that holds the T_j alone, (4 N, 4 N)."""
        place = {(int(m), int(n)): row for row, (m, n) in enumerate(self.vectors)}
        N = len(place)
        H = np.zeros((2, N, 2, 2, N, 2), dtype=np.complex128)
        for j, (right, up) in enumerate([(0, 0), (1, 0), (0, 1)]):
            turn = self.across * np.exp(2j * np.pi * j / 3)
            T = np.array([[self.same, turn.conj()], [turn, self.same]])
            for (m, n), row in place.items():
                column = place.get((m + right, n + up))
                if column is not None:
                    H[0, row, :, 1, column, :] = T
                    H[1, column, :, 0, row, :] = T.conj().T
        return H.reshape(4 * N, 4 * N)
