"""Ray-traced propagation paths of a street canyon: the table behind the channels of `neumatc.gallery.mimo`."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import unknown

__all__ = ["CELL", "LINKS", "Paths", "load"]

Float64: TypeAlias = npt.NDArray[np.float64]

LINKS = ("canyon_spec", "canyon_diff", "canyon28_spec", "canyon28_diff")
CELL = "canyon_mu"
FILE = "mimo_paths_canyon.npz"


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of K users with L paths each, in double precision.

    Parameters
    ----------
    carrier : fc in Hz.
    gain : (K, L) complex, every row divided by its norm.
    delay : (K, L) in seconds, measured from the first path of the user.
    departure, arrival : (2, K, L), the y and z components of the unit vectors
        ``u(θ, φ) = (sin θ cos φ, sin θ sin φ, cos θ)``; a planar array in the y-z plane sees no others.
    position : (K, 3) of the users, in metres.
    """

    carrier: float
    gain: Array
    delay: Float64
    departure: Float64
    arrival: Float64
    position: Float64

    def rows(self, users: tuple[int, ...]) -> "Paths":
        """Return the paths of some users, in that order."""
        k = list(users)
        return Paths(
            self.carrier,
            self.gain[k],
            self.delay[k],
            self.departure[:, k],
            self.arrival[:, k],
            self.position[k],
        )


@lru_cache
def load(link: str) -> Paths:
    """Return the paths of a link of `LINKS` (K = 1) or of the cell `CELL` (K = 256)."""
    if link not in (*LINKS, CELL):
        raise unknown("link", link, (*LINKS, CELL))
    source = resources.files("neumatc.gallery").joinpath("data", FILE)
    with source.open("rb") as file, np.load(file, allow_pickle=False) as table:
        columns = {key: table[f"{link}.{key}"] for key in ("fc", "a", "tau", "ang", "ue")}
    return tabulated(columns)


def tabulated(columns: dict[str, npt.NDArray[Any]]) -> Paths:
    """Bring the columns of the file, users one after another, into the shape (K, L)."""
    users = len(columns["ue"])
    gain = columns["a"].astype(np.complex128).reshape(users, -1)
    delay = columns["tau"].astype(np.float64).reshape(users, -1)
    zenith, azimuth, zenith_in, azimuth_in = columns["ang"].astype(np.float64).reshape(users, -1, 4).transpose(2, 0, 1)
    return Paths(
        float(columns["fc"]),
        gain / np.linalg.norm(gain, axis=1, keepdims=True),
        delay - delay.min(axis=1, keepdims=True),
        directions(zenith, azimuth),
        directions(zenith_in, azimuth_in),
        columns["ue"].astype(np.float64),
    )


def directions(zenith: Float64, azimuth: Float64) -> Float64:
    """Return the y and z components (2, K, L) of the unit vectors."""
    return np.stack([np.sin(zenith) * np.sin(azimuth), np.cos(zenith)])
