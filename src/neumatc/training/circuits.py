"""What vectors and subspaces become when they are carried round small loops of samples, and round a periodic axis.

Parallel transport turns each frame as near to the one before as can be. Round a loop it comes back multiplied by a
unitary, the holonomy, which no choice of gauge removes (Wilczek & Zee 1984, doi:10.1103/PhysRevLett.52.2111). On small
loops it is near one where frames are smooth; a real vector that comes back with the other sign has no smooth gauge at
all (Berry 1984, doi:10.1098/rspa.1984.0023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import GaugeError
from neumatc.gauge import Factors, Gauge, Unitary, Vectors, adjoint, polar
from neumatc.history import Event
from neumatc.topology import chern_number

from .suspects import neighbours_by_axis

CLEAR = 0.7
"""Cosine of the largest angle between two neighbouring spaces from which one continues the other."""

FOLLOWED = 0.3
"""The same in a triangle: a real line turns round in one by steps of 60 degrees at least, whose cosine is 0.5."""

MOST = 2048
"""Most loops that are gone round."""

SAME = 1e-9
"""Distance of two points of the cube that are one, but for the side of a periodic axis."""


class Strand(NamedTuple):
    """Columns that are carried together: their name for messages, and bases ``(M, n, k)`` of right and left vectors."""

    name: str
    right: Array
    left: Array

    def overlaps(self, i: Array, j: Array) -> Array:
        """``leftᴴ(i) right(j)``, ``(m, k, k)``."""
        found: Array = adjoint(self.left[i]) @ self.right[j]
        return found


@dataclass(frozen=True)
class Circuits:
    """The loops of samples x (M, D) in the cube of a box."""

    x: Array
    box: Box

    @property
    def closed(self) -> list[tuple[int, Array]]:
        """For each periodic axis the pairs (m, 2) of samples on its two sides that are the same point."""
        found = []
        for axis, periodic in enumerate(self.box.periodic):
            low, high = (np.flatnonzero(np.abs(self.x[:, axis] - side) <= SAME) for side in (-1.0, 1.0))
            if not periodic or not len(low) or not len(high):
                continue
            rest = np.delete(self.x, axis, axis=1)
            distance = np.abs(rest[low][:, None] - rest[high][None]).max(-1, initial=0.0)
            pairs = [(i, high[row.argmin()]) for i, row in zip(low, distance, strict=True) if row.min() <= SAME]
            if pairs:
                found.append((axis, np.array(pairs)))
        return found

    @property
    def triangles(self) -> Array:
        """Loops of three neighbours (m, 3), which cover a plane of samples; none in one parameter."""
        if self.x.shape[1] < 2:
            return np.empty((0, 3), int)
        found = []
        for x in (self.x, -self.x):
            ahead = np.full((x.shape[1], len(x)), -1)
            for axis, pairs in enumerate(neighbours_by_axis(x)):
                ahead[axis, pairs[:, 0]] = pairs[:, 1]
            for a, b in combinations(range(x.shape[1]), 2):
                here = np.flatnonzero((ahead[a] >= 0) & (ahead[b] >= 0) & (ahead[a] != ahead[b]))
                found.append(np.stack([here, ahead[a, here], ahead[b, here]], axis=1))
        loops = np.concatenate(found)
        chosen: Array = loops[np.unique(np.linspace(0, len(loops) - 1, min(MOST, len(loops))).astype(int))]
        return chosen

    def check(self, F: Factors, gauge: Gauge, levels: Array | None = None) -> Event | None:
        """Go round every loop with aligned factors; what was found, or None where there are no loops.

        ``levels (M, n)`` are those of single vectors, where there are any.

        Raises
        ------
        GaugeError
            Where real vectors come back with the other sign or a real subspace with the other orientation, vectors come
            back as others, or complex ones wind about a torus: no smooth gauge exists. Two samples are named.
        """
        triangles, closed = self.triangles, self.closed
        if not len(triangles) and not closed:
            return None
        worst, where, count = -1.0, (0, 0), 0
        for strand in strands(F, gauge):
            for angle, i, j in self._round_triangles(strand, triangles):
                worst, where = max((worst, where), (angle, (i, j)))
            for axis, pairs in closed:
                angle, k = self._round_axis(strand, axis, pairs)
                worst, where = max((worst, where), (angle, (int(pairs[k, 0]), int(pairs[k, 1]))))
            self._round_torus(strand, closed)
            count += 1
        for strand in _in_order(F, gauge, levels):
            self._round_torus(strand, closed)
        self._same_columns(F, gauge, closed)
        loops = len(triangles) + sum(len(pairs) for _, pairs in closed)
        i, j = where
        text = f"{loops} loops of {count} strands, largest holonomy {max(worst, 0.0):.2e} rad"
        text += f", between {self.name(i)} and {self.name(j)}" if worst > 0 else ""
        places = {f"from.{a}": v for a, v in enumerate(self.place(i))}
        places |= {f"to.{a}": v for a, v in enumerate(self.place(j))}
        return Event("loops", text, {"count": float(loops), "angle": max(worst, 0.0), **places})

    def unwound(self, F: Factors, gauge: Gauge) -> Factors:
        """In one periodic parameter: complex vectors with their phase round the axis spread evenly along it."""
        closed = self.closed
        if self.x.shape[1] > 1 or not closed or not isinstance(gauge, Vectors):
            return F
        first = F[gauge.vectors[0]]
        if not np.iscomplexobj(first):
            return F
        i, j = closed[0][1][0]
        overlap = (F[gauge.dual or gauge.vectors[0]][i].conj() * first[j]).sum(-2)
        angle = np.where(np.abs(overlap) > CLEAR, np.angle(overlap), 0.0)
        angle[[k for block in gauge.blocks for k in block]] = 0.0
        phases = np.exp(-0.5j * angle * (self.x + 1))[:, None, :]
        return {name: X * phases if name in gauge.vectors else X for name, X in F.items()}

    def place(self, i: int) -> list[float]:
        return [float(v) for v in self.box.from_unit(self.x[i : i + 1])[0]]

    def name(self, i: int) -> str:
        return self.box.describe(self.place(i))

    def _round_triangles(self, strand: Strand, triangles: Array) -> Iterator[tuple[float, int, int]]:
        """The largest holonomy of small loops, with two of their corners."""
        if not len(triangles):
            return
        sides = [strand.overlaps(triangles[:, a], triangles[:, (a + 1) % 3]) for a in range(3)]
        clear = np.min([_cosine(side) for side in sides], axis=0) > FOLLOWED
        W = polar(sides[0]) @ polar(sides[1]) @ polar(sides[2])
        angles = np.where(clear, _angle(W), -1.0)
        flipped = clear & (np.linalg.det(W).real < 0) & (not np.iscomplexobj(W))
        k = int(np.argmax(flipped if flipped.any() else angles))
        i, j = int(triangles[k, 1]), int(triangles[k, 2])
        if flipped.any():
            raise GaugeError(
                f"{strand.name} has no smooth gauge on this box: carried round the loop between {self.name(i)} and "
                f"{self.name(j)} it comes back turned round (holonomy π). Levels touch inside of it, or all but touch "
                "(a Dirac point). Shrink the box, choose a rank with both levels inside, or ask for the projector, "
                "eigh(..., rank=k, projector=True), which needs no gauge."
            )
        if angles[k] >= 0:
            yield float(angles[k]), i, j

    def _round_axis(self, strand: Strand, axis: int, pairs: Array) -> tuple[float, int]:
        """The largest holonomy round a periodic axis, and which pair it belongs to."""
        overlaps = strand.overlaps(pairs[:, 0], pairs[:, 1])
        clear, W = _cosine(overlaps) > CLEAR, polar(overlaps)
        angles = np.where(clear, _angle(W), 0.0)
        k = int(np.argmax(angles))
        if not np.iscomplexobj(W) and (clear & (np.linalg.det(W) < 0)).any():
            k = int(np.argmax(clear & (np.linalg.det(W) < 0)))
            raise GaugeError(
                f"{strand.name} has no smooth gauge on the periodic {self._axis(axis)}: at {self.name(pairs[k, 0])} "
                f"and {self.name(pairs[k, 1])}, which are one point, it differs by its orientation (a Möbius band, "
                "holonomy π). Real vectors that make half turns are never periodic. Make the axis an open interval, "
                "or ask for the projector, eigh(..., rank=k, projector=True), which is periodic."
            )
        return float(angles[k]), k

    def _round_torus(self, strand: Strand, closed: list[tuple[int, Array]]) -> None:
        """Raise where a complex strand winds round two periodic parameters: its Chern number."""
        side = round(len(self.x) ** 0.5)
        full = strand.right.shape[-1] == strand.right.shape[-2]
        if len(closed) != 2 or self.x.shape[1] != 2 or side**2 != len(self.x) or not np.iscomplexobj(strand.right):
            return
        if full or side < 4 or strand.left is not strand.right:
            return
        order = np.lexsort(self.x.T[::-1])
        frames = strand.right[order].reshape(side, side, *strand.right.shape[1:])[:-1, :-1]
        try:
            winding = chern_number(frames)
        except GaugeError:
            return  # too coarse a grid to tell; a fit on it will not converge either
        if winding:
            i, j = (int(k) for k in closed[0][1][0])
            raise GaugeError(
                f"{strand.name} has no smooth gauge on the periodic box: its Chern number is {winding}, and along the "
                f"side from {self.name(i)} to {self.name(j)}, which are one point, its phase winds as the other "
                "parameter goes round. No choice of phases is smooth and periodic. Make one axis an open interval, or "
                "ask for the projector, eigh(..., rank=k, projector=True), which is periodic."
            )

    def _same_columns(self, F: Factors, gauge: Gauge, closed: list[tuple[int, Array]]) -> None:
        """Raise where a vector comes back from a periodic axis as another one."""
        if not isinstance(gauge, Vectors):
            return
        together = {k: block for block in gauge.blocks for k in block}
        for axis, pairs in closed:
            for i, j in pairs:
                overlap = np.abs(adjoint(F[gauge.dual or gauge.vectors[0]][i]) @ F[gauge.vectors[0]][j])
                for k, c in enumerate(overlap.argmax(0)):
                    if c != k and overlap[c, k] > CLEAR and c not in together.get(k, ()):
                        raise GaugeError(
                            f"Vector {k} cannot be followed round the periodic {self._axis(axis)}: at {self.name(i)} "
                            f"and {self.name(j)}, which are one point, it comes back as vector {c}. Levels cross on "
                            "the way an odd number of times, and each goes on as the other. Make the axis an open "
                            "interval, or ask for eigh(..., rank=k), which follows the levels together."
                        )

    def _axis(self, axis: int) -> str:
        return "axis" if self.box.dimension == 1 else f"axis {self.box.names[axis] if self.box.names else axis}"


def strands(F: Factors, gauge: Gauge) -> Iterator[Strand]:
    """What a gauge leaves free, each part with orthonormal columns (but for dual vectors)."""
    if isinstance(gauge, Unitary):
        for name, (left, right) in gauge.blocks:
            if left is None and right is not None:
                X = _orthonormal(np.asarray(F[name]))
                yield Strand(f"The subspace {name} of {X.shape[-1]} vectors", X, X)
    if isinstance(gauge, Vectors):
        names = gauge.vectors if gauge.signed and gauge.blocks else gauge.vectors[:1]
        together = {k for block in gauge.blocks for k in block}
        X, L = (np.asarray(F[name]) for name in (gauge.vectors[0], gauge.dual or gauge.vectors[0]))
        for k in range(X.shape[-1]):
            if k not in together:
                one = X[..., k : k + 1] / np.linalg.norm(X[..., k : k + 1], axis=-2, keepdims=True)
                yield Strand(f"Vector {k}", one, L[..., k : k + 1] if gauge.dual else one)
        for block in gauge.blocks:
            for name in names:
                V = _orthonormal(np.asarray(F[name])[..., list(block)])
                yield Strand(f"The cluster of vectors {list(block)}", V, V)


def _orthonormal(X: Array) -> Array:
    """An orthonormal basis with the orientation of the columns."""
    Q, R = np.linalg.qr(X)
    diagonal = R.diagonal(0, -2, -1)
    turned: Array = Q * (diagonal / np.abs(diagonal))[..., None, :]
    return turned


def _cosine(overlaps: Array) -> Array:
    """Of the largest angle between two spaces, ``(m,)``."""
    least: Array = np.linalg.svd(overlaps, compute_uv=False)[..., -1]
    return least


def _angle(W: Array) -> Array:
    """Angle in [0, π] by which unitaries ``(m, k, k)`` turn, at most: ``2 asin(‖W - I‖_F / 2)``."""
    size = np.linalg.norm(W - np.eye(W.shape[-1]), axis=(-2, -1))
    angle: Array = 2 * np.arcsin(np.minimum(size / 2, 1.0))
    return angle


def _in_order(F: Factors, gauge: Gauge, levels: Array | None) -> Iterator[Strand]:
    """Single vectors in the order of their levels: where a phase winds, following one by one may go astray."""
    if levels is None or not isinstance(gauge, Vectors) or gauge.blocks or gauge.dual or np.iscomplexobj(levels):
        return
    order = np.argsort(levels, axis=-1, kind="stable")
    ordered = np.take_along_axis(np.asarray(F[gauge.vectors[0]]), order[:, None, :], -1)
    yield from strands({gauge.vectors[0]: ordered}, Vectors(gauge.vectors[:1]))


def loops(x: Array, box: Box, F: Factors, gauge: Gauge, levels: Array | None, tell: Callable[[Any], None]) -> Factors:
    """Check all loops, tell what was found, and hand back the factors, unwound along one periodic parameter."""
    circuits = Circuits(x, box)
    event = circuits.check(F, gauge, levels)
    if event is None:
        return F
    tell(event)
    return circuits.unwound(F, gauge)
