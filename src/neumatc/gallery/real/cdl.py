"""Clustered delay line channels of 3GPP TR 38.901: three parameters, frequency, delay spread and time."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, cast, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.mimo import Channel, RegularisedGram, check_array, check_bandwidth, count, text
from neumatc.gallery.real.cdl_table import Rays, draw
from neumatc.gallery.steering import powers

__all__ = ["CDLChannel"]

Complex128: TypeAlias = npt.NDArray[np.complex128]

LIGHT = 299_792_458.0  # m/s
SPREADS = (30e-9, 300e-9)


@final
@dataclass(frozen=True)
class CDLChannel:
    """``H(Δf)`` or ``H(Δf, DS, t)`` between two planar arrays, complex (receive, transmit).

    Over the rays l with gains a_l of norm one, normalised delays τ_l, unit vectors u_l, f = fc + Δf, element positions
    x of half-wavelength arrays in the y-z plane (z fastest), and the velocity v of the receiver along the x axis::

        H[m, k] = Σ_l a_l exp(-2πi Δf DS τ_l) exp(2πi (fc / c) t v·u_l^arr) exp(2πi (f / c) (x_m·u_l^arr + x_k·u_l^dep))

    Delays turn with Δf and not with f: the phases exp(-2πi fc DS τ_l) are part of the random ones of a_l, as in the
    standard. Kept apart, they would make thousands of turns while DS goes through its box.

    One polarisation and isotropic elements; the standard's cross-polar ratio is not used. Rays are paired and their
    phases drawn from the seed.

    Parameters
    ----------
    model : "A", "B", "C" (no line of sight), "D", "E" (line of sight).
    receive, transmit : elements along y and z.
    bandwidth : width of the box in Δf, in Hz.
    spread : delay spread DS in seconds, where it is no parameter.
    speed : |v| in m/s.
    parameters : 1 for Δf alone at t = 0, 3 for (Δf, DS, t), DS from 30 to 300 ns and t from 0 to one millisecond.
    carrier : fc in Hz.
    seed : of phases and pairing.

    Examples
    --------
    >>> import numpy as np
    >>> H = CDLChannel(receive=(4, 4), transmit=(4, 2), parameters=3)
    >>> H(np.array([1e6, 100e-9, 0.0])).shape, len(H.box)
    ((16, 8), 3)
    >>> A = CDLChannel(receive=(2, 2), transmit=(4, 4)).gram(snr_db=20.0)
    >>> A(1e6).shape
    (4, 4)

    References
    ----------
    3GPP TR 38.901, section 7.7.1.
    """

    model: str = "C"
    receive: tuple[int, int] = (16, 16)
    transmit: tuple[int, int] = (16, 16)
    bandwidth: float = 10e6
    spread: float = 100e-9
    speed: float = 30 / 3.6
    parameters: Literal[1, 3] = 1
    carrier: float = 3.5e9
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        draw(self.model, self.seed)
        check_array(self.receive)
        check_array(self.transmit)
        check_bandwidth(self.bandwidth, self.carrier)
        if self.parameters not in (1, 3):
            raise InputError(
                f"expected 1 or 3 parameters, but came {self.parameters!r}. "
                "They are the frequency alone, or frequency, delay spread and time. Try parameters=3."
            )
        if not (0 <= self.spread < 1e-3 and 0 <= self.speed < LIGHT):
            raise InputError(
                f"expected a delay spread from 0 to below 1 ms and a speed below that of light, but came spread="
                f"{self.spread!r}, speed={self.speed!r}. Delay spreads are in seconds, 100 ns is 100e-9, and speeds in "
                "m/s. Try spread=100e-9, speed=8.3."
            )

    @property
    def name(self) -> str:
        """Model, array sizes, bandwidth and parameters."""
        rest = f"{self.spread * 1e9:g} ns" if self.parameters == 1 else "D=3"
        return f"CDL-{self.model} {text(self.receive)} to {text(self.transmit)}, {self.bandwidth / 1e6:g} MHz, {rest}"

    @property
    def box(self) -> BoxLike:
        """Δf in Hz; for three parameters also DS and t in seconds."""
        band = (-self.bandwidth / 2, self.bandwidth / 2)
        return band if self.parameters == 1 else [band, SPREADS, (0.0, 1e-3)]

    @property
    def smooth(self) -> bool:
        """Always: H is entire."""
        return True

    @property
    def doppler(self) -> float:
        """The largest Doppler shift ``|v| fc / c`` in Hz."""
        return self.speed * self.carrier / LIGHT

    def gram(self, snr_db: float = 20.0) -> RegularisedGram:
        """Return the family ``H Hᴴ + K 10^(-SNR/10) I``, K the number of receive elements."""
        # RegularisedGram asks its channel for a matrix, a name and a box, which this one has.
        return RegularisedGram(cast("Channel", self), snr_db)

    def __call__(self, p: Point, /) -> Array:
        """Return H, shape (receive, transmit), complex."""
        at, rays = coordinates(p, self.parameters, self.name), self._rays
        offset = at[0]
        spread, time = (at[1], at[2]) if self.parameters == 3 else (self.spread, 0.0)
        delayed = rays.gain * np.exp(-2j * np.pi * offset * spread * rays.delay)
        moved = delayed * np.exp(2j * np.pi * self.doppler * time * rays.arrival[0])
        angle = np.pi * (1 + offset / self.carrier)
        H: Array = (steering(angle, rays.arrival, self.receive) * moved) @ steering(
            angle, rays.departure, self.transmit
        ).T
        return H

    @cached_property
    def _rays(self) -> Rays:
        return draw(self.model, self.seed)


def steering(angle: float, direction: npt.NDArray[np.float64], shape: tuple[int, int]) -> Complex128:
    """Return ``exp(i angle x·u)`` for the elements x of a planar array in half-wavelengths, (elements, L)."""
    y, z = (powers(angle * u, size) for u, size in zip(direction[1:], shape, strict=True))
    return (y[:, None] * z).reshape(count(shape), -1)
