"""The jobs of the demo: real, ray-traced channels over 20 MHz, as a base station meets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from neumatc.arrays import Array
from neumatc.demo.lapack import Inverses, Reference, Triplets
from neumatc.fitted import Fit
from neumatc.fitting import fit
from neumatc.gallery import CellChannel, Channel, RegularisedGram
from neumatc.history import Event
from neumatc.problem import Problem

SUBCARRIERS = 3276
"""A full 100 MHz carrier of 5G NR: 273 resource blocks of 12; spread over the box here."""

REMEMBERED = 64
"""Matrices kept by a family: at least as many as are checked in one piece."""


class Remembered:
    """A family that builds A(p) once for each of the last few p, for jobs and checks that ask for the same ones."""

    def __init__(self, family: Any) -> None:
        self.name: str = family.name
        self.box: tuple[float, float] = family.box
        self._family = family
        self._kept = lru_cache(REMEMBERED)(self._build)

    def __call__(self, p: float) -> Array:
        """Return A(p); shared memory, therefore read-only."""
        return self._kept(p)

    def _build(self, p: float) -> Array:
        A = cast(Array, self._family(p))
        A.setflags(write=False)
        return A


@dataclass(frozen=True)
class Job:
    """One parametric matrix operation.

    Parameters
    ----------
    title : for tables and pictures
    matrix : A(p), p in hertz from the carrier
    reference : what LAPACK does, and how answers are compared with it
    samples, tol : of the fit
    every : every how manieth subcarrier is compared with LAPACK
    sharing : jobs of one name are checked together because they share the channel that is expensive to build
    pictured : every how manieth exact result is kept for pictures; 0 for none
    weight : seconds of fitting, checking and timing on a slow core, for the estimate of the time left
    """

    title: str
    matrix: Remembered
    reference: Reference
    samples: int
    tol: float
    subcarriers: int
    every: int
    sharing: str
    pictured: int = 0
    weight: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def p(self) -> Array:
        """All subcarriers, (subcarriers,)."""
        return np.linspace(*self.matrix.box, self.subcarriers)

    @property
    def p_checked(self) -> Array:
        """Those that are compared with LAPACK, evenly spaced so that a Fourier transform may follow."""
        return self.p[:: self.every]

    def fit(self, seed: int, tell: Callable[[Event], None]) -> Fit:
        """Fit it, with the library's own choices of basis, buffer and candidates."""
        problem = Problem.of(self.matrix, self.matrix.box, self.reference.operation)
        return fit(problem, tol=self.tol, samples=self.samples, rng=seed, progress=tell)


def full() -> tuple[Job, ...]:
    """The main job."""
    cell = Remembered(RegularisedGram(CellChannel()))
    canyon = Remembered(Channel())
    return (
        Job("inverse, 64 users", cell, Inverses(), 80, 1e-5, SUBCARRIERS, 1, "cell", 16, (2.3, 8.6, 0.5)),
        Job("inverse, 256 × 256", _gram(canyon), Inverses(), 60, 1e-6, SUBCARRIERS, 8, "canyon", 0, (6.1, 10.7, 3.6)),
        Job("SVD, 256 × 256", canyon, Triplets(8), 20, 1e-6, SUBCARRIERS, 8, "canyon", 1, (9.6, 10.7, 9.6)),
    )


def quick() -> tuple[Job, ...]:
    """A few seconds' worth, to see whether everything is in place; its numbers mean little."""
    cell = CellChannel(users=64, bandwidth=2e6)
    small = Remembered(Channel(receive=(4, 4), transmit=(4, 4), bandwidth=2e6))
    return (
        Job("inverse, 64 users", Remembered(RegularisedGram(cell)), Inverses(), 16, 1e-4, 120, 1, "cell", 2),
        Job("SVD, 16 × 16", small, Triplets(2), 12, 1e-4, 120, 2, "small", 1),
    )


def _gram(channel: Remembered) -> Remembered:
    # The Gram matrix asks nothing of a channel but to be called, so the one that remembers stands in for it.
    return Remembered(RegularisedGram(cast(Channel, channel)))
