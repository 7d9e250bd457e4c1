"""Does a singular value of matrices of one rank pass through zero inside the box? Then the pseudo-inverse has a pole.

No sample meets the one p at which the rank drops. The spaces that A(p) maps between are smooth there; but carried from
one side to the other, their frames belong to a determinant of A that has changed its sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box

View: TypeAlias = tuple[Array, Array]
"""Singular vectors U (n1, r) and V (n2, r) of A at one p, in one order; positive singular values between them."""

LOOKS = 9
"""Points looked at along each axis, through the middle of the box."""

FAITHFUL = 0.3
"""Cosine of the largest angle between neighbouring spaces from which a frame can be carried over."""

NEARER = 4
"""Halvings of a step along which the spaces turn further."""

HALVINGS = 60
"""Halvings until a crossing is met, or the digits of p are used up."""


def meet_crossing(look: Callable[[Array], View], box: Box) -> None:
    """Call ``look`` where a singular value crosses zero, and let it raise; nothing where none is seen to cross.

    Two crossings between the same neighbours cancel, and a zero without a change of sign is no crossing; off the lines
    through the middle nothing is seen at all.

    Parameters
    ----------
    look : of a point (1, D) in the units of the caller; raises where the rank is not the one expected
    box : to be searched
    """

    def seen(x: Array) -> View:
        return look(box.from_unit(x))

    for axis in range(box.dimension):
        x = np.zeros((LOOKS, box.dimension))
        x[:, axis] = np.linspace(-1, 1, LOOKS)
        views = [seen(x[i : i + 1]) for i in range(LOOKS)]
        for i in range(LOOKS - 1):
            _between(seen, (x[i : i + 1], views[i]), (x[i + 1 : i + 2], views[i + 1]), NEARER)


def _between(look: Callable[[Array], View], a: tuple[Array, View], b: tuple[Array, View], halvings: int) -> None:
    """Narrow an interval whose ends disagree, or whose spaces are too far apart to tell."""
    faithful, agree = _compared(a[1], b[1])
    if faithful and not agree:
        _narrowed(look, a, b)
    elif not faithful and halvings:
        x = (a[0] + b[0]) / 2
        middle = x, look(x)
        _between(look, a, middle, halvings - 1)
        _between(look, middle, b, halvings - 1)


def _narrowed(look: Callable[[Array], View], a: tuple[Array, View], b: tuple[Array, View]) -> None:
    for _ in range(HALVINGS):
        x = (a[0] + b[0]) / 2
        middle = x, look(x)
        if not _compared(a[1], middle[1])[1]:
            b = middle
        elif not _compared(middle[1], b[1])[1]:
            a = middle
        else:
            return  # a phase that turns smoothly: a half of it is no change of sign


def _compared(a: View, b: View) -> tuple[bool, bool]:
    """Whether frames can be carried over, and whether the determinants of A then have the same sign, or a near phase.

    >>> e = np.eye(2)
    >>> _compared((e, e), (e, e)), _compared((e, e), (-e[:, ::-1], e))
    ((True, True), (True, False))
    """
    left, right = a[0].conj().T @ b[0], b[1].conj().T @ a[1]
    cosine = min(np.linalg.svd(M, compute_uv=False)[-1] for M in (left, right))
    phase = np.linalg.slogdet(left)[0] * np.linalg.slogdet(right)[0]
    return bool(cosine >= FAITHFUL), bool(phase.real >= 0)
