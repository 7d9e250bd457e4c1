"""An array of half-wave dipoles: its impedance matrix over frequency, the friendliest of the real problems."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["DipoleArray"]

Float64: TypeAlias = npt.NDArray[np.float64]
Complex128: TypeAlias = npt.NDArray[np.complex128]

IMPEDANCE = 376.730313668  # of free space, in ohm
NODES = 16  # Gauss-Legendre nodes per piece of a dipole
PIECES = 32  # pieces of half a dipole, each half as long as the one before towards both of its ends


@final
@dataclass(frozen=True)
class DipoleArray:
    """``Z(f) + R I`` of parallel thin dipoles side by side on a rectangular grid, complex symmetric, in ohm.

    With ``k = 2π f / c`` and lengths in wavelengths at the design frequency, a dipole of length l = 1/2 with the
    current ``sin k(l/2 - |z|)`` and one at the distance ρ have, by the induced-EMF method, referred to their feeds::

        Z(ρ) = (i η / 4π sin²(kl/2)) ∫ sin k(l/2 - |z|) [g(R₊) + g(R₋) - 2 cos(kl/2) g(R₀)] dz over the dipole
        g(R) = exp(-i k R) / R,    R± = √(ρ² + (z ∓ l/2)²),    R₀ = √(ρ² + z²)

    The self impedance is Z(radius of the wire). R = 50 ohm is the resistance of the generators, so the inverse of the
    family is the admittance that turns source voltages into currents.

    Parameters
    ----------
    shape : dipoles along x and along y; numbered with y fastest.
    spacing : distance of neighbours, in wavelengths.
    radius : of the wire, in wavelengths; small against the spacing.
    band : lowest and highest frequency, relative to the design frequency.
    load : R in ohm.

    Examples
    --------
    >>> A = DipoleArray(shape=(4, 4))
    >>> A(1.0).shape, A.box
    ((16, 16), (0.9, 1.1))
    >>> pair = A.mutual(1.0, 0.5)
    >>> print(f"{pair:.1f}")
    -12.5-29.9j

    References
    ----------
    Balanis, Antenna Theory, chapter 8 (induced EMF method); Carter, Proceedings of the IRE 20 (1932), 1004.
    """

    shape: tuple[int, int] = (16, 16)
    spacing: float = 0.5
    radius: float = 1e-5
    band: tuple[float, float] = (0.9, 1.1)
    load: float = 50.0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if min(self.shape) < 1 or not 0 < 2 * self.radius < self.spacing < np.inf:
            raise InputError(
                f"expected at least one dipole per direction and 0 < 2 radius < spacing, but came "
                f"shape={self.shape!r}, spacing={self.spacing!r}, radius={self.radius!r}. Wires must not touch, and "
                "lengths are in wavelengths at the design frequency. Try spacing=0.5, radius=1e-5."
            )
        lo, hi = self.band
        if not 0.2 <= lo < hi <= 1.8:
            raise InputError(
                f"expected a band inside [0.2, 1.8], but came {self.band!r}. Frequencies are relative to the one at "
                "which a dipole is half a wave long; at twice it the current at the feed is zero. Try (0.9, 1.1)."
            )
        if not 0 <= self.load < np.inf:
            raise InputError(
                f"expected a finite load that is not negative, but came {self.load!r} ohm. "
                "A negative resistance can make the array oscillate. Try load=50."
            )

    @property
    def name(self) -> str:
        """Size, spacing and band."""
        return f"dipoles {self.shape[0]}x{self.shape[1]}, {self.spacing:g} waves, {self.band[0]:g} to {self.band[1]:g}"

    @property
    def box(self) -> BoxLike:
        """The band, relative to the design frequency."""
        return self.band

    @property
    def smooth(self) -> bool:
        """Always: Z(f) is analytic where ``sin(kl/2)`` is not zero."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return ``Z(f) + R I``, shape (n, n), complex symmetric to the last bit."""
        frequency = float(coordinates(p, 1, self.name)[0])
        distance, place = self._distances
        Z = impedance(frequency, np.concatenate([[self.radius], distance[1:]]))[place]
        Z.reshape(-1)[:: len(Z) + 1] += self.load
        return Z

    def mutual(self, frequency: float, distance: float) -> complex:
        """Return Z of two dipoles at a distance in wavelengths; the radius of the wire gives the self impedance."""
        return complex(impedance(frequency, np.array([distance]))[0])

    @cached_property
    def _distances(self) -> tuple[Float64, npt.NDArray[np.int64]]:
        """The different distances, ascending from zero, and which of them stands at (m, k)."""
        x, y = (index.ravel() for index in np.meshgrid(*map(np.arange, self.shape), indexing="ij"))
        square, place = np.unique((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2, return_inverse=True)
        return self.spacing * np.sqrt(square), place.reshape(len(x), len(x))


def impedance(frequency: float, distance: Float64) -> Complex128:
    """Return Z(ρ) of half-wave dipoles in ohm, (m,) from distances (m,) in wavelengths at frequency one."""
    k, half = 2 * np.pi * frequency, 0.25
    z, weight = rule(half)
    rho = distance[:, None]
    waves = np.zeros((len(distance), len(z)), dtype=np.complex128)
    for shift, factor in ((half, 1.0), (-half, 1.0), (0.0, -2 * np.cos(k * half))):
        R = np.hypot(rho, z - shift)
        waves += factor * np.exp(-1j * k * R) / R
    # Both halves of the dipole give the same.
    integral = 2 * waves @ (weight * np.sin(k * (half - z)))
    Z: Complex128 = 1j * IMPEDANCE / (4 * np.pi * np.sin(k * half) ** 2) * integral
    return Z


def rule(half: float) -> tuple[Float64, Float64]:
    """Return nodes and weights of a quadrature on [0, half] that resolves kernels peaked at its two ends."""
    # Pieces that halve towards the ends see 1 / R as smooth at every distance down to 2^-PIECES/2 of the dipole.
    steps = half / 2 * 0.5 ** np.arange(PIECES // 2)
    edges = np.concatenate([[0.0], steps[::-1], half - steps[1:], [half]])
    x, w = np.polynomial.legendre.leggauss(NODES)
    width = np.diff(edges)[:, None]
    return (edges[:-1, None] + width * (x + 1) / 2).ravel(), (width * w / 2).ravel()
