"""A synthetic channel of few paths, with one number that says how fast it changes over the band."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["MultipathMIMO"]


@final
@dataclass(frozen=True)
class MultipathMIMO:
    """``H(p) = Σ_l a_l exp(-2πi S τ_l p) s(θ_l) s(φ_l)ᴴ`` on [0, 1]: p is the frequency as a share of the band.

    L paths with complex gains ``Σ |a_l|² = 1``, delays τ_l in [0, 1] both ends taken, and steering vectors
    ``s(θ)_j = exp(πi j sin θ)`` of half-wavelength arrays. S is the delay spread times the bandwidth, a number without
    unit: the channel makes S turns over the band, and a fit needs about ``π S`` polynomials more than a constant one.
    The rank of H(p) is at most L. Inside `RegularisedGram` it becomes Hermitian positive definite.

    Parameters
    ----------
    receive, transmit : numbers of antennas, H(p) is (receive, transmit).
    paths : L, at least 2.
    spread : S.
    seed : of gains, delays and angles.

    Examples
    --------
    >>> import numpy as np
    >>> H = MultipathMIMO(receive=6, transmit=5, paths=3)
    >>> s = H.singular_values(0.3)
    >>> s.shape, bool(np.allclose(s, np.linalg.svd(H(0.3), compute_uv=False)))
    ((5,), True)
    >>> float(H.delays.min()), float(H.delays.max())
    (0.0, 1.0)
    """

    receive: int = 8
    transmit: int = 8
    paths: int = 6
    spread: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if min(self.receive, self.transmit) < 1 or self.paths < 2 or not 0 <= self.spread < np.inf:
            raise InputError(
                f"expected antennas on both sides, two paths or more and a finite spread >= 0, but came "
                f"receive={self.receive!r}, transmit={self.transmit!r}, paths={self.paths!r}, spread={self.spread!r}. "
                "With one path there is no delay spread. Choose for example receive=8, transmit=8, paths=6, spread=2.0."
            )

    @property
    def name(self) -> str:
        """Kind, size, number of paths and spread."""
        return f"multipath {self.receive}x{self.transmit} paths={self.paths} spread={self.spread:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1], the whole band."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: H(p) is entire."""
        return True

    @property
    def delays(self) -> Array:
        """τ (L,), the shortest 0 and the longest 1."""
        return self._paths[1].copy()

    def __call__(self, p: Point, /) -> npt.NDArray[np.complex128]:
        """Return H(p), shape (receive, transmit), complex."""
        _, _, left, right = self._paths
        H: npt.NDArray[np.complex128] = (left * self._weights(p)) @ right.conj().T
        return H

    def singular_values(self, p: Point) -> Array:
        """Return all ``min(receive, transmit)`` singular values, descending, from a problem of at most L x L."""
        left, right = self._triangles
        s = np.linalg.svd((left * self._weights(p)) @ right.conj().T, compute_uv=False)
        values = np.zeros(min(self.receive, self.transmit))
        values[: s.size] = s
        return values

    def _weights(self, p: Point) -> Array:
        """Return ``a_l exp(-2πi S τ_l p)``, shape (L,)."""
        gains, delays, _, _ = self._paths
        weights: Array = gains * np.exp(-2j * np.pi * self.spread * delays * coordinates(p, 1, self.name)[0])
        return weights

    @cached_property
    def _paths(self) -> tuple[Array, Array, Array, Array]:
        """Gains (L,), delays (L,) and steering vectors (receive, L) and (transmit, L)."""
        rng = np.random.default_rng(self.seed)
        gains = rng.standard_normal(self.paths) + 1j * rng.standard_normal(self.paths)
        delays = np.concatenate([[0.0], np.sort(rng.uniform(size=self.paths - 2)), [1.0]])
        sines = np.sin(rng.uniform(-np.pi / 2, np.pi / 2, (2, self.paths)))
        left, right = (
            np.exp(1j * np.pi * np.outer(np.arange(count), sine))
            for count, sine in zip((self.receive, self.transmit), sines, strict=True)
        )
        return gains / np.linalg.norm(gains), delays, left, right

    @cached_property
    def _triangles(self) -> tuple[Array, Array]:
        """R of the QR factorisations of both steering matrices: their Q do not change singular values."""
        _, _, left, right = self._paths
        return np.asarray(np.linalg.qr(left, mode="r")), np.asarray(np.linalg.qr(right, mode="r"))
