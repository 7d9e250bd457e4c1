"""Remove gauge jumps between samples: along a path in one parameter, along a tree and by smoothing in several.

Algorithm 1 of the paper (align each sample to its predecessor) is ``along_path`` with the gauge `Vectors`; with
`Unitary` blocks it is the Procrustes alignment of subspaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from math import comb
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors, Gauge, NoGauge, Unitary

SWEEPS = 40
"""Smoothing sweeps in several parameters: a tree alone leaves jumps between branches (measured: 3e-5 to 5e-8)."""

LOW, SHARE = 6, 8
"""Most degree of the analytic reference, and least samples per polynomial: it must be blind to the seams of a tree."""


def aligned(points: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """Factors ``(m, rows, columns)`` at ``points (m, D)`` in one smooth gauge, as far as there is one."""
    if isinstance(gauge, NoGauge) or len(points) < 2:
        return dict(F)
    if points.shape[1] == 1:
        return along_path(np.argsort(points[:, 0], kind="stable"), F, gauge)
    return smoothed(points, along_tree(points, F, gauge), gauge)


def aligned_on_grid(points: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """`aligned`, with the ribs of a grid in the place of a tree where the points are one and the gauge is of subspaces.

    Vectors that are followed one by one need the nearest neighbour there is, lest they be taken for each other.
    """
    several = isinstance(gauge, Unitary) and points.shape[1] > 1
    moved = along_ribs(points, F, gauge) if several else None
    return aligned(points, F, gauge) if moved is None else smoothed(points, moved, gauge)


def along_path(order: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """Align each sample to its predecessor in ``order``, starting in the middle so that errors travel half as far."""
    moved = {name: np.array(X) for name, X in F.items()}
    middle = len(order) // 2
    for before, after in pairwise(order[middle:]):
        _align_one(moved, int(after), int(before), gauge)
    backwards = order[: middle + 1][::-1]
    for before, after in pairwise(backwards):
        _align_one(moved, int(after), int(before), gauge)
    return moved


def along_tree(points: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """Align along a minimum spanning tree of the points, from the one nearest to their centre."""
    # SciPy belongs to the fitting wing; alignment is never needed to answer.
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    root = int(((points - points.mean(0)) ** 2).sum(-1).argmin())
    order, parents = breadth_first_order(minimum_spanning_tree(_distances(points)), root, directed=False)
    return _along(order, parents, F, gauge)


def along_ribs(points: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors | None:
    """Align along a spine through the middle of a grid, and from it along ribs; None where the points are no grid.

    Two branches meet turned by the curvature that they enclose. Those of a spanning tree enclose any area, and of what
    they leave, smoothing may make a vortex where a smooth gauge exists; neighbouring ribs enclose a strip.
    """
    axes, places = zip(*(np.unique(column, return_inverse=True) for column in points.T), strict=True)
    shape, place = tuple(len(axis) for axis in axes), np.stack(places, axis=1)
    if np.prod(shape) != len(points):
        return None
    row = np.empty(shape, int)
    row[tuple(place.T)] = np.arange(len(points))
    steps = place - np.array(shape) // 2
    last = len(shape) - 1 - (steps[:, ::-1] != 0).argmax(1)
    parents = row[tuple((place - np.sign(steps) * (np.arange(len(shape)) == last[:, None])).T)]
    return _along(np.abs(steps).sum(1).argsort(kind="stable"), parents, F, gauge)


def smoothed(points: Array, F: Mapping[str, Any], gauge: Gauge, sweeps: int = SWEEPS) -> Factors:
    """Realign every sample to the Gaussian average of its neighbours, again and again.

    The width is the typical spacing of the points. Averages of orthonormal frames are not orthonormal, but only their
    direction matters: the nearest representative of each sample's own orbit is kept.
    """
    distances = _distances(points)
    spacing = np.median(np.where(np.eye(len(points)) > 0, np.inf, distances).min(1))
    weights = np.exp(-0.5 * (distances / spacing) ** 2) * (1 - np.eye(len(points)))
    weights /= weights.sum(1, keepdims=True)
    moved = dict(F)
    for _ in range(sweeps):
        average = {name: np.tensordot(weights, X, axes=1) for name, X in moved.items()}
        moved = gauge.align(moved, average)
    return moved


def straightened(points: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """Realign every sample to a polynomial of low degree through all of them.

    Parallel transport from sample to sample, and averages over neighbours, depend on where the samples lie, and what
    they leave is smooth to a few digits only. A polynomial is an analytic reference: so is the representative nearest
    to it, wherever the overlap of the two is regular.
    """
    basis = _low_degree(points)
    fitted = {name: np.tensordot(basis @ basis.T, np.asarray(X), axes=1) for name, X in F.items()}
    return gauge.align(F, fitted)


def _low_degree(points: Array) -> Array:
    """Orthonormal columns ``(M, m)`` that span the polynomials of a low total degree."""
    centre, reach = (points.max(0) + points.min(0)) / 2, np.ptp(points, axis=0) / 2
    angles = np.arccos(np.clip((points - centre) / np.where(reach > 0, reach, 1.0), -1, 1))
    degree = 0
    while degree < LOW and comb(degree + 1 + points.shape[1], points.shape[1]) <= len(points) / SHARE:
        degree += 1
    powers = [k for k in product(range(degree + 1), repeat=points.shape[1]) if sum(k) <= degree]
    columns = [
        np.prod([np.cos(k * angle) for k, angle in zip(power, angles.T, strict=True)], axis=0) for power in powers
    ]
    Q: Array = np.linalg.qr(np.stack(columns, axis=1))[0]
    return Q


def _along(order: Array, parents: Array, F: Mapping[str, Any], gauge: Gauge) -> Factors:
    """Align each sample to its parent, in an order in which parents come first; the first one stays."""
    moved = {name: np.array(X) for name, X in F.items()}
    for node in order[1:]:
        _align_one(moved, int(node), int(parents[node]), gauge)
    return moved


def _align_one(F: Factors, index: int, reference: int, gauge: Gauge) -> None:
    one = {name: X[index : index + 1] for name, X in F.items()}
    other = {name: X[reference : reference + 1] for name, X in F.items()}
    for name, X in gauge.align(one, other).items():
        F[name][index] = X[0]


def _distances(points: Array) -> Array:
    distances: Array = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    return distances
