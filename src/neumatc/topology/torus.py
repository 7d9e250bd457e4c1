"""The Chern number of bands on a torus, with cells that are cut until their flux is small."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.box import Box, BoxLike
from neumatc.errors import GaugeError, InputError
from neumatc.gauge import adjoint

from .frames import Bands, Frames, checked, chosen, evaluated, named, phases

SAMPLES = 24
"""Points along each axis of the torus."""

SMALL = 0.2 * np.pi
"""Flux up to which a cell is believed. Round a Dirac point it is π at any size, or π/4 in one of the four that meet."""

CUTS = 16
"""How often a cell is halved before a flux that does not fall counts as a closed gap."""

AMBIGUOUS = 0.9 * np.pi
"""Flux beyond which its sign is left to chance, where cells cannot be cut."""

WHOLE = 0.1
"""Departure of the sum from a whole number that rounding to one may hide."""

CLOSED = 1e-2
"""Distance of the projectors on opposite sides of a torus, a fit's error included."""

CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def chern_number(frames: Frames, box: BoxLike | None = None, *, bands: Bands = None, samples: int = SAMPLES) -> int:
    """Chern number of the bands on a torus, ``(1 / 2π) ∫ (∂_1 𝒜_2 - ∂_2 𝒜_1) dp_1 dp_2``.

    The flux through each cell of a grid is the phase of the product of four overlaps round it; their sum is 2π times a
    whole number at any resolution, and the right one where every flux is less than π (Fukui, Hatsugai & Suzuki 2005,
    doi:10.1143/JPSJ.74.1674). Where p can be asked anywhere, cells with a larger flux than 0.2 π are cut in four, again
    and again; a flux that does not fall encloses a point where the gap closes.

    Parameters
    ----------
    frames : a callable p -> orthonormal frame (n, k), or p -> a result with ``eigenvectors``; or frames on a periodic
        grid (m_1, m_2, n, k), the far sides of the torus not repeated
    box : the torus for a callable, opposite sides the same; by default its own ``box``
    bands : columns taken together, all by default
    samples : points along each axis, for a callable

    Returns
    -------
    int

    Raises
    ------
    GaugeError
        Where the bands touch others (a Dirac point), or come so close that a grid cannot tell; the two samples on
        either side are named.
    InputError
        When opposite sides of the box differ, or all n bands are taken, whose Chern number is zero.

    Examples
    --------
    >>> import neumatc as nmc
    >>> A = nmc.gallery.ChernBand(n=4, mass=1.0)
    >>> nmc.topology.chern_number(A.eigenvectors, A.box, bands=A.lower), A.chern
    (-1, -1)
    """
    if callable(frames):
        call, points = frames, _grid(frames, box, samples)
        V = evaluated(call, points.reshape(-1, 2), bands)
        V = V.reshape(*points.shape[:2], *V.shape[1:])
        _check_bands(V)
        for axis in (0, 1):
            _check_closed(np.take(V, 0, axis), np.take(V, -1, axis), np.take(points, 0, axis))
        V = V[:-1, :-1]
        flux = _fluxes(V, lambda i, j: named(points[i, j]))
        for cell in np.argwhere(np.abs(flux) > SMALL):
            i, j = cell
            ends = points[i, j], points[i + 1, j + 1]
            corners = np.stack([V[(i + a) % samples, (j + b) % samples] for a, b in CORNERS])
            flux[i, j] = _cut(call, bands, ends, corners, CUTS)
    else:
        V = as_numpy(frames, "frames")
        if V.ndim != 4 or min(V.shape[:2]) < 3:
            raise InputError(
                f"frames on a torus must have shape (m_1, m_2, n, k) with m_1, m_2 >= 3, got {V.shape}. "
                "An axis was probably lost. Stack the frames over a grid of both parameters."
            )
        V = checked(chosen(V, bands))
        _check_bands(V)
        flux = _fluxes(V, lambda i, j: f"sample ({i}, {j})")
        _refuse_ambiguous(flux)
    total = float(flux.sum() / (2 * np.pi))
    if abs(total - round(total)) > WHOLE:
        # A cut edge has a sample that its uncut neighbour does not know of; nothing else fails to cancel.
        raise GaugeError(
            f"The fluxes through cells of different sizes sum up to {total:.3f}, which is too far from a whole number. "
            "The gap is probably narrow on the sides of a cell. Take more points along each axis: samples=100."
        )
    return round(total)


def _fluxes(V: Array, name: Callable[[int, int], str]) -> Array:
    """Flux ``-arg(U_1 U_2 U_1'* U_2'*)`` through each cell of a periodic grid (m_1, m_2, n, k), (m_1, m_2)."""
    sizes, links = V.shape[:2], []
    flat = V.reshape(-1, *V.shape[2:])

    def place(index: int) -> str:
        i, j = np.unravel_index(index, sizes)
        return name(int(i), int(j))

    for axis in (0, 1):
        ahead = np.roll(np.arange(len(flat)).reshape(sizes), -1, axis).ravel()
        links.append(phases(flat, flat[ahead], place, partial(_at, place, ahead)).reshape(sizes))
    right, up = links
    flux: Array = -np.angle(right * np.roll(up, -1, 0) * np.conj(np.roll(right, -1, 1) * up))
    return flux


def _at(place: Callable[[int], str], ahead: Array, index: int) -> str:
    return place(int(ahead[index]))


def _cut(call: Callable[[Any], Any], bands: Bands, ends: tuple[Array, Array], corners: Array, cuts: int) -> float:
    """Flux through the cell from ``ends[0]`` to ``ends[1]`` with frames at its `CORNERS` (4, n, k), cut until small."""
    places = ends[0] + CORNERS * (ends[1] - ends[0])
    around = phases(corners, np.roll(corners, -1, 0), lambda i: named(places[i]), lambda i: named(places[(i + 1) % 4]))
    flux = -float(np.angle(np.prod(around)))
    if abs(flux) <= SMALL:
        return flux
    if cuts == 0:
        raise GaugeError(
            f"The flux between {named(ends[0])} and {named(ends[1])} is {flux / np.pi:.2f} π, however small the cell. "
            "The gap closes there (a Dirac point), and the bands have no Chern number. "
            "Open the gap, or take the touching bands together."
        )
    steps = np.stack(np.meshgrid([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], indexing="ij"), axis=-1)
    points = ends[0] + steps * (ends[1] - ends[0])
    new = [(1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]
    V = np.empty((3, 3, *corners.shape[1:]), corners.dtype)
    for (a, b), frame in zip(2 * CORNERS, corners, strict=True):
        V[a, b] = frame
    for (a, b), frame in zip(new, evaluated(call, np.array([points[a, b] for a, b in new]), bands), strict=True):
        V[a, b] = frame
    quarters = [(a, b) for a in (0, 1) for b in (0, 1)]
    return sum(
        _cut(
            call, bands, (points[a, b], points[a + 1, b + 1]), np.stack([V[a + i, b + j] for i, j in CORNERS]), cuts - 1
        )
        for a, b in quarters
    )


def _grid(frames: Any, box: BoxLike | None, samples: int) -> Array:
    """Points (samples + 1, samples + 1, 2): both sides of the torus, which must close."""
    own: Any = getattr(frames, "box", None)
    box = Box.of(own if box is None else box)
    if box.dimension != 2 or samples < 3:
        raise InputError(
            f"a torus has two parameters and at least 3 samples along each, got the box {box} and samples={samples!r}. "
            "In more parameters a Chern number belongs to two of them at a time. Fix the others in a function of two."
        )
    x = 2 * np.arange(samples + 1) / samples - 1
    return box.from_unit(np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1))


def _check_bands(V: Array) -> None:
    if V.shape[-1] == V.shape[-2]:
        raise InputError(
            f"a Chern number needs fewer bands than rows, but came frames of {V.shape[-2]} x {V.shape[-1]}. "
            "All bands together span the whole space, and nothing can turn. Choose some, for example bands=0."
        )


def _check_closed(near: Array, far: Array, points: Array) -> None:
    """Raise when the subspaces on opposite sides of the torus are not the same."""
    apart = np.linalg.norm(near - far @ (adjoint(far) @ near), axis=(-2, -1))
    if apart.max() <= CLOSED:
        return
    where = int(np.argmax(apart))
    came = f"the subspaces at {named(points[where])} and one period further differ by {apart[where]:.1e}"
    if np.median(apart) <= CLOSED:
        beside = named(points[where - 1 if where else 1])
        raise GaugeError(
            f"A torus must close, but {came}, unlike those at {beside}. The gap probably closes there (a Dirac point), "
            "and the subspace is arbitrary. Open the gap, or take the touching bands together."
        )
    raise InputError(
        f"A torus must close, but {came}. The box is probably no full period of each parameter. "
        "Pass one period, and bands with a gap to the others."
    )


def _refuse_ambiguous(flux: Array) -> None:
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(np.abs(flux))), flux.shape))
    if np.abs(flux[i, j]) > AMBIGUOUS:
        opposite = (i + 1) % flux.shape[0], (j + 1) % flux.shape[1]
        raise GaugeError(
            f"The flux between sample ({i}, {j}) and sample {opposite} is {flux[i, j] / np.pi:.2f} π, too near to π "
            "for its sign to be known. The gap probably closes there (a Dirac point), or almost. "
            "Open the gap, use a finer grid, or pass a callable, for which the cell can be cut."
        )
