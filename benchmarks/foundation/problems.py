"""The gallery as the long measurements walk through it."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import neumatc as nmc
from benchmarks.cases import Setting
from benchmarks.fits import argument, places
from benchmarks.truth import inverse_residual, svd_residual
from neumatc.arrays import Array
from neumatc.gallery import DEMANDING, GALLERY, Exhibit, GalleryFamily

__all__ = ["Exhibited", "problems"]

QUICK = ("affine", "gap-48")
SLOW = 0.01
"""Seconds of one A(p) above which fewer points are drawn."""

ENOUGH = {1: (96, 160, 256), 2: (256, 4225), 3: (9261,)}
"""Budgets by dimension of the box; beyond 512 a grid is solved."""


@dataclass(frozen=True)
class Exhibited:
    """One problem of the gallery, its family made at the first use."""

    name: str

    @cached_property
    def family(self) -> GalleryFamily:
        """A(p)."""
        return self.exhibit()

    @property
    def exhibit(self) -> Exhibit:
        """Its entry in the gallery."""
        return GALLERY[self.name] if self.name in GALLERY else DEMANDING[self.name]

    @property
    def rank(self) -> int | None:
        """Of the SVD; None for an inverse."""
        return self.exhibit.rank

    @property
    def budgets(self) -> tuple[int, ...]:
        """Numbers of exact solves to try one after the other until a fit converges."""
        box = self.family.box
        return ENOUGH[1 if isinstance(box, tuple) else len(box)]

    def build_seconds(self) -> float:
        """Return the median seconds of one A(p)."""
        spent = []
        for point in places(self.family, 6, 1):
            start = time.perf_counter()
            self.family(argument(point))
            spent.append(time.perf_counter() - start)
        return float(np.median(spent[1:]))


def problems(setting: Setting) -> list[Exhibited]:
    """Return all problems of the gallery, small matrices first, or a few."""
    names = QUICK if setting.quick else sorted(GALLERY, key=lambda name: GALLERY[name].size != "small")
    return [Exhibited(name) for name in names]


def true_residual(A: Array, value: object) -> float:
    """Return the residual of what a fit answers at one point."""
    if isinstance(value, tuple):
        return svd_residual(A, *value)
    return inverse_residual(A, np.asarray(value))


def picked(value: object, i: int) -> object:
    """Return point i of an answer for a batch."""
    if isinstance(value, tuple):
        return tuple(part[i] for part in value)
    return np.asarray(value)[i]


def residuals(fit: nmc.Fit, family: GalleryFamily, points: Array) -> Array:
    """Return the true residuals of a fit, one query at a time."""
    found = [true_residual(family(argument(p)), fit(argument(p))) for p in points]
    return np.array(found)
