"""Real ray-traced MIMO channels H(Δf) over a frequency band, and the regularised Gram matrices of precoding.

A link of few paths (canyon_spec) has ``rank H <= paths``: the inverse of a 256 x 256 channel of 157 paths is an inverse
of rounding noise. Use the regularised Gram matrix for inverses, and H itself for truncated singular value
decompositions.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError, unknown
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.multipath import MultipathMIMO
from neumatc.gallery.paths import CELL, LINKS, Paths, load
from neumatc.gallery.steering import halves, powers, unfolded

__all__ = ["CellChannel", "Channel", "RegularisedGram"]


@final
@dataclass(frozen=True)
class Channel:
    """One link between two planar arrays, ``H(Δf)`` (receive, transmit) for an offset Δf in Hz from the carrier.

    With f = fc + Δf, delays τ measured from the first path, and element positions x of the half-wavelength arrays::

        H(Δf)[m, k] = Σ_l a_l exp(-2πi f τ_l) exp(2πi f x_m·u_l^arr / c) exp(2πi f x_k·u_l^dep / c) / ‖a‖

    Parameters
    ----------
    link : "canyon_diff" (2000 paths with diffuse scattering) or "canyon_spec" (157 paths) at 3.5 GHz,
        "canyon28_diff" or "canyon28_spec" at 28 GHz.
    receive, transmit : elements along y and z; z runs fastest in the numbering.
    bandwidth : width of the box, in Hz. The number of modes grows in proportion to it.

    Examples
    --------
    >>> H = Channel(receive=(4, 4), transmit=(4, 8))
    >>> H.box, H(0.0).shape
    ((-10000000.0, 10000000.0), (16, 32))
    """

    link: str = "canyon_diff"
    receive: tuple[int, int] = (16, 16)
    transmit: tuple[int, int] = (16, 16)
    bandwidth: float = 20e6

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.link not in LINKS:
            raise unknown("link", self.link, LINKS)
        check_array(self.receive)
        check_array(self.transmit)
        check_bandwidth(self.bandwidth, load(self.link).carrier)

    @property
    def name(self) -> str:
        """Link, array sizes and bandwidth."""
        return f"{self.link} {text(self.receive)} to {text(self.transmit)}, {self.bandwidth / 1e6:g} MHz"

    @property
    def box(self) -> BoxLike:
        """Offsets from minus to plus half the bandwidth, in Hz."""
        return (-self.bandwidth / 2, self.bandwidth / 2)

    @property
    def smooth(self) -> bool:
        """Always: H(Δf) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return H(Δf), shape (receive, transmit), complex."""
        offset, paths = coordinates(p, 1, self.name)[0], self._paths
        stretch = 1 + offset / paths.carrier
        arrival = halves(paths.arrival[:, 0], stretch, self.receive)
        departure = halves(paths.departure[:, 0], stretch, self.transmit)
        weight = gains(paths, offset)[0]
        # Real and imaginary weights side by side: one real product does the work of the complex sum over paths.
        both = arrival @ np.concatenate([departure * weight.real, departure * weight.imag]).T
        real, imaginary = np.split(both, 2, axis=1)
        rows = unfolded(real + 1j * imaginary, count(self.receive))
        return np.ascontiguousarray(unfolded(rows.T, count(self.transmit)).T)

    @cached_property
    def _paths(self) -> Paths:
        return load(self.link)


@final
@dataclass(frozen=True)
class CellChannel:
    """A base station array and users of one antenna each, ``H(Δf)`` (users, transmit), Δf in Hz from 3.5 GHz.

    Row u is the sum of `Channel` over the 60 paths of user u without the receive array; each user has its own first
    path and its own ‖a‖, so all rows are of comparable size (perfect power control).

    Parameters
    ----------
    users : an integer K takes the users ``floor(256 k / K)``, k = 0 … K - 1, evenly spread over the 256 of the table
        (whose positions are in random order); a tuple names the users.
    transmit : elements of the base station along y and z; z runs fastest in the numbering.
    bandwidth : width of the box, in Hz.

    Examples
    --------
    >>> H = CellChannel(users=8, transmit=(4, 4))
    >>> H(1e6).shape, H.rows
    ((8, 16), (0, 32, 64, 96, 128, 160, 192, 224))
    """

    users: int | tuple[int, ...] = 64
    transmit: tuple[int, int] = (16, 16)
    bandwidth: float = 20e6

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_array(self.transmit)
        check_bandwidth(self.bandwidth, load(CELL).carrier)
        known = len(load(CELL).position)
        if not self.rows or min(self.rows) < 0 or max(self.rows) >= known or len(set(self.rows)) < len(self.rows):
            raise InputError(
                f"expected between 1 and {known} different users, numbered from 0 to {known - 1}, but came users="
                f"{self.users!r}. The table of the cell has {known} users. Ask for fewer, or name them from that range."
            )

    @property
    def name(self) -> str:
        """Number of users, array size and bandwidth."""
        return f"{CELL} {len(self.rows)} users to {text(self.transmit)}, {self.bandwidth / 1e6:g} MHz"

    @property
    def box(self) -> BoxLike:
        """Offsets from minus to plus half the bandwidth, in Hz."""
        return (-self.bandwidth / 2, self.bandwidth / 2)

    @property
    def smooth(self) -> bool:
        """Always: H(Δf) is entire."""
        return True

    @property
    def rows(self) -> tuple[int, ...]:
        """The users of the table, one per row of H."""
        if isinstance(self.users, tuple):
            return self.users
        known = len(load(CELL).position)
        return tuple(known * k // self.users for k in range(self.users))

    def __call__(self, p: Point, /) -> Array:
        """Return H(Δf), shape (users, transmit), complex."""
        offset, paths = coordinates(p, 1, self.name)[0], self._paths
        angle = np.pi * (1 + offset / paths.carrier) * paths.departure
        users, (n_y, n_z) = len(self.rows), self.transmit
        y = powers(angle[0].ravel(), n_y).reshape(n_y, users, -1) * gains(paths, offset)
        z = powers(angle[1].ravel(), n_z).reshape(n_z, users, -1)
        # Per user a product (n_y, 60) (60, n_z): the steering vectors of the whole array are never formed.
        H: Array = y.transpose(1, 0, 2) @ z.transpose(1, 2, 0)
        return H.reshape(users, -1)

    @cached_property
    def _paths(self) -> Paths:
        return load(CELL).rows(self.rows)


@final
@dataclass(frozen=True)
class RegularisedGram:
    """``A(Δf) = H Hᴴ + K 10^(-SNR/10) I`` with K the number of rows of H: what an MMSE precoder inverts.

    Parameters
    ----------
    channel : gives H(Δf).
    snr_db : signal-to-noise ratio in decibels.

    Examples
    --------
    >>> import numpy as np
    >>> A = RegularisedGram(CellChannel(users=8, transmit=(4, 4)))
    >>> G = A(1e6)
    >>> bool(np.array_equal(G, G.conj().T)), bool(np.linalg.eigvalsh(G).min() >= 8 * 0.01)
    (True, True)
    """

    channel: Channel | CellChannel | MultipathMIMO
    snr_db: float = 20.0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not np.isfinite(self.snr_db):
            raise InputError(
                f"the signal-to-noise ratio must be a finite number of decibels, but came {self.snr_db!r}. "
                "Without noise the Gram matrix may be singular. Choose for example snr_db=20."
            )

    @property
    def name(self) -> str:
        """The channel and the signal-to-noise ratio."""
        return f"Gram of {self.channel.name}, {self.snr_db:g} dB"

    @property
    def box(self) -> BoxLike:
        """The box of the channel."""
        return self.channel.box

    @property
    def smooth(self) -> bool:
        """Always."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(Δf), shape (K, K), Hermitian to the last bit and positive definite."""
        H: npt.NDArray[np.complex128] = self.channel(p)
        K = len(H)
        parts = np.concatenate([H.real, H.imag], axis=1)
        mixed = H.imag @ H.real.T
        A = np.empty((K, K), dtype=np.complex128)
        # X Xᵀ and M - Mᵀ are symmetric and antisymmetric in every bit, which H Hᴴ by one complex product is not.
        A.real = parts @ parts.T
        A.imag = mixed - mixed.T
        A.reshape(-1)[:: K + 1] += K * 10 ** (-self.snr_db / 10)
        return A


def gains(paths: Paths, offset: float) -> Array:
    """Return ``a_l exp(-2πi f τ_l) / ‖a‖``, shape (users, L)."""
    weights: Array = paths.gain * np.exp(-2j * np.pi * (paths.carrier + offset) * paths.delay)
    return weights


def count(shape: tuple[int, int]) -> int:
    """Return the number of elements of an array."""
    return shape[0] * shape[1]


def text(shape: tuple[int, int]) -> str:
    """Return a shape as words, "16x16"."""
    return f"{shape[0]}x{shape[1]}"


def check_array(shape: tuple[int, ...]) -> None:
    """Raise an error unless there is at least one element along each axis."""
    if len(shape) != 2 or min(shape) < 1:
        raise InputError(
            f"an array has two positive numbers of elements, along y and along z, but came {shape!r}. "
            "A linear array is written with a one. Try for example (16, 16) or (1, 64)."
        )


def check_bandwidth(bandwidth: float, carrier: float) -> None:
    """Raise an error unless the band lies around the carrier, at positive frequencies."""
    if not 0 < bandwidth < 2 * carrier:
        raise InputError(
            f"expected a bandwidth between 0 and {2 * carrier:g} Hz, but came {bandwidth!r}. "
            "Frequencies of the band must be positive. Bandwidths are given in Hz: 20 MHz is 20e6."
        )
