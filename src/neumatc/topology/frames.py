"""What callers hand over as frames, brought into arrays and checked; and the phase between two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array, as_numpy, check_finite
from neumatc.errors import GaugeError, InputError
from neumatc.gauge import adjoint

Frames: TypeAlias = Callable[[Any], Any] | npt.ArrayLike
"""A callable p -> frame (n, k), or a result with ``eigenvectors``; or frames that were computed already."""

Bands: TypeAlias = int | slice | Sequence[int] | None
"""Columns taken together; None for all."""

VANISHES = 0.05
"""Cosine of the largest angle between neighbouring subspaces below which they count as orthogonal."""

ORTHONORMAL = 1e-2
"""Departure of frames from orthonormal columns that a fit may show."""


def evaluated(call: Callable[[Any], Any], points: Array, bands: Bands) -> Array:
    """The chosen columns at points (m, D), (m, n, k), one call for each."""
    frames = []
    for row in points:
        answer = call(float(row[0]) if len(row) == 1 else row.copy())
        vectors = getattr(answer, "eigenvectors", answer)
        if isinstance(vectors, tuple):
            raise InputError(
                f"a map of frames must return an array (n, k), or a result with eigenvectors; {type(answer).__name__} "
                "came. A decomposition has several factors, and only the caller knows which one is meant. "
                "Pass a function of p that returns it, such as lambda p: f(p).U."
            )
        frames.append(chosen(as_numpy(vectors, f"the frame at {named(row)}"), bands))
    return checked(np.stack(frames))


def chosen(V: Array, bands: Bands) -> Array:
    """Columns ``(..., n, k)``; one band keeps its axis."""
    if V.ndim == 1:
        return V[:, None]
    if bands is None:
        return V
    columns = [bands] if isinstance(bands, int | np.integer) else bands
    return V[..., columns]


def checked(V: Array) -> Array:
    """Frames ``(..., n, k)`` that are finite and orthonormal."""
    check_finite(V, "frames")
    off = float(np.abs(adjoint(V) @ V - np.eye(V.shape[-1])).max())
    if not off <= ORTHONORMAL:
        raise InputError(
            f"frames must have orthonormal columns, but VᴴV departs from the identity by {off:.1e}. "
            "Eigenvectors of a non-normal matrix, or of a pencil A, B, are not orthonormal; or rows came for columns. "
            "Orthonormalise the subspaces with np.linalg.qr first."
        )
    return V


def phases(V: Array, ahead: Array, name: Callable[[int], str], name_ahead: Callable[[int], str]) -> Array:
    """``det(Vᴴ V') / |det(Vᴴ V')|`` for pairs of frames (m, n, k), (m,); the names say where a link vanishes."""
    overlaps = adjoint(V) @ ahead
    cosines = np.linalg.svd(overlaps, compute_uv=False)[..., -1]
    worst = int(np.argmin(cosines))
    if not cosines[worst] > VANISHES:
        raise GaugeError(
            f"The subspaces at {name(worst)} and {name_ahead(worst)} are all but orthogonal (smallest cosine "
            f"{cosines[worst]:.1e}), and the phase between them has no meaning. "
            "The gap probably closes between them (a Dirac point), or the steps are too long. "
            "Go round that place, or take more points."
        )
    determinants: Array = np.linalg.det(overlaps)
    return determinants / np.abs(determinants)


def named(row: Array) -> str:
    """One point (D,) in a message."""
    numbers = ", ".join(f"{float(value):.8g}" for value in row)
    return f"p = {numbers}" if len(row) == 1 else f"p = ({numbers})"
