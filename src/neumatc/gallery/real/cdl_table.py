"""The clustered delay line models A to E of 3GPP TR 38.901 as rays: the table behind `neumatc.gallery.real.cdl`."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.errors import unknown

__all__ = ["FILE", "MODELS", "Rays", "draw"]

Float64: TypeAlias = npt.NDArray[np.float64]
Complex128: TypeAlias = npt.NDArray[np.complex128]

FILE = "cdl_tables.npz"
MODELS = ("A", "B", "C", "D", "E")
# Offsets of the 20 rays of a cluster, in units of the spread of the cluster (table 7.5-3 of the standard).
HALVES = (0.0447, 0.1413, 0.2492, 0.3715, 0.5129, 0.6797, 0.8844, 1.1481, 1.5195, 2.1551)
OFFSETS = np.array([side * half for half in HALVES for side in (1, -1)])


@dataclass(frozen=True, eq=False)
class Rays:
    """The L rays of one model, with random phases and pairing.

    Parameters
    ----------
    gain : (L,) complex, of norm one.
    delay : (L,) normalised: to be multiplied with the delay spread.
    departure, arrival : unit vectors (3, L), ``u(θ, φ) = (sin θ cos φ, sin θ sin φ, cos θ)``.
    """

    gain: Complex128
    delay: Float64
    departure: Float64
    arrival: Float64


@lru_cache
def draw(model: str, seed: int) -> Rays:
    """Draw the rays of a model: 20 per cluster, and a single one for the line of sight of D and E."""
    if model not in MODELS:
        raise unknown("model", model, MODELS)
    source = resources.files("neumatc.gallery").joinpath("data", FILE)
    with source.open("rb") as file, np.load(file, allow_pickle=False) as table:
        clusters, (sight, *spread, _) = table[model], table[f"{model}.spread"]
    rng = np.random.default_rng(seed)
    rays = []
    for number, (delay, power_db, *centre) in enumerate(clusters):
        single = bool(sight) and number == 0
        count = 1 if single else len(OFFSETS)
        # Departure and arrival azimuth and zenith, each in its own random order: the standard's coupling of rays.
        angles = [a if single else a + s * rng.permutation(OFFSETS) for a, s in zip(centre, spread, strict=True)]
        amplitude = np.sqrt(10 ** (power_db / 10) / count)
        phase = np.exp(2j * np.pi * rng.uniform(size=count))
        rays.append(np.stack([np.broadcast_to(x, count) for x in (amplitude * phase, delay, *angles)]))
    gain, delays, *angles = np.concatenate(rays, axis=1)
    away, home, away_zenith, home_zenith = (np.deg2rad(angle.real) for angle in angles)
    return Rays(gain / np.linalg.norm(gain), delays.real, unit(away_zenith, away), unit(home_zenith, home))


def unit(zenith: Float64, azimuth: Float64) -> Float64:
    """Return the unit vectors (3, L)."""
    flat = np.sin(zenith)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.cos(zenith)])
