"""Smooth random factors X(p) made of sines: the raw material of the synthetic families.

One parameter follows the classical recipe, a frequency of its own for every entry. Several parameters share their
frequencies within a column, because a sine per entry and wave would cost more than the matrix product it feeds.
"""

from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array

__all__ = ["ColumnWaves", "EntryWaves", "SharedWaves"]

DECAY = 0.8  # energy of column k relative to column k - 1
WAVES = 6  # waves summed in each column when there are several parameters
RADIUS = 0.7  # of their wave vectors, in units of the highest frequency: per axis milder than one parameter alone


@dataclass(frozen=True, eq=False)
class EntryWaves:
    """``X(p) = X0 ∘ sin(2π F p + Φ)``, one parameter, every entry with its own frequency and phase.

    Parameters
    ----------
    amplitude : X0 (n, r), real or complex.
    angular : 2π F (n, r).
    phase : Φ (n, r).
    """

    amplitude: Array
    angular: Array
    phase: Array

    def __call__(self, p: Array) -> Array:
        """Return X(p) of shape (n, r) for a point p (1,)."""
        X: Array = self.amplitude * np.sin(self.angular * p[0] + self.phase)
        return X

    @classmethod
    def draw(
        cls, shape: tuple[int, int], band: tuple[float, float], rng: np.random.Generator, complex: bool
    ) -> "EntryWaves":
        """Draw amplitudes N(0, 0.8^k / n) in column k, frequencies U(band) and phases U(0, 2π)."""
        amplitude = amplitudes(shape, rng, complex)
        angular = 2 * np.pi * rng.uniform(*band, shape)
        return cls(amplitude, angular, rng.uniform(0, 2 * np.pi, shape))


@dataclass(frozen=True, eq=False)
class ColumnWaves:
    """``X(p)[i, k] = X0[i, k] Σ_q cos(2π f_qk·p + Φ_qik) sqrt(2/6)``, q = 1..6, any number of parameters.

    By ``cos(α + Φ) = cos α cos Φ - sin α sin Φ`` only 12 r sines are needed at each p, not 6 n r.

    Parameters
    ----------
    weights : (12, n, r), the products of X0 with cos Φ (first six) and -sin Φ (last six).
    angular : 2π f (6, r, D).
    """

    weights: Array
    angular: Array

    def __call__(self, p: Array) -> Array:
        """Return X(p) of shape (n, r) for a point p (D,)."""
        angle = self.angular @ p
        waves = np.concatenate([np.cos(angle), np.sin(angle)])
        X: Array = np.einsum("qnr,qr->nr", self.weights, waves)
        return X

    @classmethod
    def draw(
        cls,
        shape: tuple[int, int],
        band: tuple[float, float],
        dimensions: int,
        rng: np.random.Generator,
        complex: bool,
    ) -> "ColumnWaves":
        """Draw amplitudes as in `EntryWaves`, and wave vectors uniformly in the ball of radius ``0.7 band[1]``."""
        amplitude = amplitudes(shape, rng, complex)
        phase = rng.uniform(0, 2 * np.pi, (WAVES, *shape))
        weights = amplitude * np.concatenate([np.cos(phase), -np.sin(phase)]) * np.sqrt(2 / WAVES)
        return cls(weights, wave_vectors((WAVES, shape[1]), band, dimensions, rng))


@dataclass(frozen=True, eq=False)
class SharedWaves:
    """``X(p) = Σ_q X_q cos(2π f_q·p + Φ_q) sqrt(2/6)``, q = 1..6: six cosines for all entries of the factor.

    Parameters
    ----------
    weights : X_q (6, n, r), with the scale.
    angular : 2π f (6, D).
    phase : Φ (6,).
    """

    weights: Array
    angular: Array
    phase: Array

    def __call__(self, p: Array) -> Array:
        """Return X(p) of shape (n, r) for a point p (D,)."""
        X: Array = np.tensordot(np.cos(self.angular @ p + self.phase), self.weights, 1)
        return X

    @classmethod
    def draw(
        cls,
        shape: tuple[int, int],
        band: tuple[float, float],
        dimensions: int,
        rng: np.random.Generator,
        complex: bool,
    ) -> "SharedWaves":
        """Draw amplitudes as in `EntryWaves`, and wave vectors as in `ColumnWaves`."""
        weights = np.stack([amplitudes(shape, rng, complex) for _ in range(WAVES)]) * np.sqrt(2 / WAVES)
        angular = wave_vectors((WAVES,), band, dimensions, rng)
        return cls(weights, angular, rng.uniform(0, 2 * np.pi, WAVES))


def wave_vectors(shape: tuple[int, ...], band: tuple[float, float], dimensions: int, rng: np.random.Generator) -> Array:
    """Draw 2π f (*shape, D) with f uniform in the ball of radius ``0.7 band[1]``."""
    direction = rng.standard_normal((*shape, dimensions))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    length = RADIUS * band[1] * rng.uniform(0, 1, (*shape, 1)) ** (1 / dimensions)
    vectors: Array = 2 * np.pi * direction * length
    return vectors


def amplitudes(shape: tuple[int, int], rng: np.random.Generator, complex: bool) -> Array:
    """Draw (n, r) normal numbers of variance ``0.8^k / n`` in column k."""
    numbers: Array = rng.standard_normal(shape)
    if complex:
        numbers = (numbers + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    n, r = shape
    scaled: Array = numbers * DECAY ** (np.arange(r) / 2) / np.sqrt(n)
    return scaled
