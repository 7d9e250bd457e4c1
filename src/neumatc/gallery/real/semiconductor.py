"""Silicon and gallium arsenide in the sp3s* tight-binding model: ten bands along L-Γ-X, with every kind of crossing."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import unknown
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["Zincblende"]

Float64: TypeAlias = npt.NDArray[np.float64]

# Anion and cation at home (s, p, s*), then Vss, Vxx, Vxy, and V(sa pc), V(sc pa), V(s*a pc), V(s*c pa), all in eV.
MATERIALS = MappingProxyType(
    {
        "Si": (-4.2, 1.715, 6.685, -4.2, 1.715, 6.685, -8.3, 1.715, 4.575, 5.7292, 5.7292, 5.3749, 5.3749),
        "GaAs": (
            *(-8.3431, 1.0414, 8.5914),
            *(-2.6569, 3.6686, 6.7386),
            *(-6.4513, 1.9546, 5.0779),
            *(4.48, 5.7839, 4.8422, 4.8077),
        ),
    }
)
ENDS = MappingProxyType({"Γ": (0.0, 0.0, 0.0), "X": (1.0, 0.0, 0.0), "L": (0.5, 0.5, 0.5)})
PATHS = ("L-Γ-X", "Γ-X", "Γ-L")
NEIGHBOURS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])  # in quarters of the lattice constant


@final
@dataclass(frozen=True)
class Zincblende:
    """H(p) in eV along a line of wave vectors, Hermitian (10, 10): orbitals s, p_x, p_y, p_z, s* of anion, then cation.

    With the phases ``e_j = exp(i k·d_j)`` of the four neighbours d_j and ``g_0 = Σ e_j / 4``, ``g_x = Σ ± e_j / 4``
    with the sign of the x component of d_j, and so on, the block between anion and cation is::

        [[Vss g_0, V(sa pc) g_x, …],  [-V(pa sc) g_x, Vxx g_0, Vxy g_z, …],  …]

    The top of the valence bands is at 0 eV, at Γ. Bands along Γ-X and Γ-L are degenerate in pairs and cross.

    Parameters
    ----------
    material : "Si" or "GaAs".
    path : "L-Γ-X" with p in [-1, 1] and Γ at p = 0, where H is continuous but has a corner; "Γ-X" or "Γ-L" with p in
        [0, 1], where H is entire.

    Examples
    --------
    >>> import numpy as np
    >>> np.linalg.eigvalsh(Zincblende("Si")(0.0))[:5].round(2)
    array([-12.5 ,   0.  ,   0.  ,   0.  ,   3.43])

    References
    ----------
    Vogl, Hjalmarson, Dow (1983), doi:10.1016/0022-3697(83)90064-1.
    """

    material: str = "Si"
    path: str = "L-Γ-X"

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.material not in MATERIALS:
            raise unknown("material", self.material, MATERIALS)
        if self.path not in PATHS:
            raise unknown("path", self.path, PATHS)

    @property
    def name(self) -> str:
        """Material and path."""
        return f"sp3s* {self.material} {self.path}"

    @property
    def box(self) -> BoxLike:
        """(-1, 1) for the path through Γ, (0, 1) for one that starts there."""
        return (-1.0, 1.0) if self.path == "L-Γ-X" else (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Whether the path is straight."""
        return self.path != "L-Γ-X"

    def wavevector(self, p: Point) -> Float64:
        """Return k (3,) in units of 2π over the lattice constant; X is (1, 0, 0) and L is (1/2, 1/2, 1/2)."""
        at = coordinates(p, 1, self.name)[0]
        end = ENDS["L" if at < 0 else "X"] if self.path == "L-Γ-X" else ENDS[self.path[-1]]
        k: Float64 = abs(at) * np.array(end)
        return k

    def __call__(self, p: Point, /) -> Array:
        """Return H, shape (10, 10), complex Hermitian."""
        values = MATERIALS[self.material]
        (sa, pa, ta, sc, pc, tc), (ss, xx, xy), (sapc, scpa, tapc, tcpa) = values[:6], values[6:9], values[9:]
        phase = np.exp(0.5j * np.pi * (NEIGHBOURS @ self.wavevector(p)))
        g_0, g = phase.mean(), phase @ NEIGHBOURS / 4
        block = np.zeros((5, 5), dtype=np.complex128)
        block[0, 0], block[0, 1:4], block[1:4, 0] = ss * g_0, sapc * g, -scpa * g
        block[4, 1:4], block[1:4, 4] = tapc * g, -tcpa * g
        # p_x of one atom meets p_y of the other through the third direction.
        block[1:4, 1:4] = xx * g_0 * np.eye(3) + xy * np.array([[0, g[2], g[1]], [g[2], 0, g[0]], [g[1], g[0], 0]])
        H = np.diag(np.array([sa, pa, pa, pa, ta, sc, pc, pc, pc, tc], dtype=np.complex128))
        H[:5, 5:], H[5:, :5] = block, block.conj().T
        return H
