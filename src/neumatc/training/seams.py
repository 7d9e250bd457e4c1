"""Whether vectors that are followed one by one can be followed at all, and how certain they are."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning, GaugeError
from neumatc.gauge import EQUAL, Factors, Gauge, Vectors
from neumatc.operations.separated import nearest, smallest_gap

from .suspects import neighbours

SAME = 0.9
"""Overlap that two neighbouring columns can reach by alignment from which they are the same vector."""

TURNED = 0.3
"""Overlap that they have below which they do not continue each other."""

CHUNK = 64
"""Pairs of neighbours compared at once."""

UNCERTAIN = 1e-3
"""Error of a vector, by residual over gap, from which a user is warned."""

NEAR, ILL = 0.1, 3.0
"""Distance of levels over their mean distance, and condition of an eigenvalue, at which vectors become delicate."""


def aligned_apart(
    x: Array, F: Factors, gauge: Gauge, levels: Array, align: Callable[[Array, Factors, Gauge], Factors] = aligned
) -> Factors:
    """Align samples whose levels are apart, and then each of the others to the nearest of them.

    ``align`` brings factors at x into one gauge. A sample at which levels coincide has an arbitrary basis there; its
    neighbours must not be aligned to it.
    """
    apart = nearest(levels) > EQUAL * np.abs(levels).max(-1)
    if apart.all() or not apart.any():
        return align(x, F, gauge)
    made = {name: np.array(X) for name, X in F.items()}
    places = np.flatnonzero(apart)
    for name, X in align(x[places], {name: X[places] for name, X in F.items()}, gauge).items():
        made[name][places] = X
    for i in np.flatnonzero(~apart):
        j = places[((x[places] - x[i]) ** 2).sum(-1).argmin()]
        one, other = ({name: X[k : k + 1] for name, X in made.items()} for k in (i, j))
        for name, X in gauge.align(one, other).items():
            made[name][i] = X[0]
    return made


def refuse_seam(x: Array, F: Factors, gauge: Vectors, describe: Callable[[Array], str]) -> None:
    """Raise GaugeError when aligned vectors still turn round between neighbours: they come back changed from a loop.

    Around a degeneracy a real eigenvector returns with the other sign (Berry 1984, doi:10.1098/rspa.1984.0023), so that
    no choice of signs is continuous. Along one parameter there are no loops.
    """
    if x.shape[1] < 2:
        return
    pairs = neighbours(x)
    first, second = gauge.vectors[0], gauge.dual or gauge.vectors[0]
    for start in range(0, len(pairs), CHUNK):
        i, j = pairs[start : start + CHUNK].T
        here, there = ({name: X[k] for name, X in F.items()} for k in (i, j))
        overlap = (here[second].conj() * there[first]).sum(-2).real
        best = (here[second].conj() * gauge.align(there, here)[first]).sum(-2).real
        turned = (best > SAME) & (overlap < TURNED)
        if turned.any():
            row, column = np.argwhere(turned)[0]
            raise GaugeError(
                f"Vector {column} has no continuous phase on this box: between {describe(x[i[row]])} and "
                f"{describe(x[j[row]])} it turns round, although every sample was aligned to its neighbours. "
                "Two levels probably meet inside the box (a Dirac point), and vectors come back changed from a loop "
                "around it. Shrink the box, or pass rank=k so that the levels which meet are both inside or outside, "
                "or ask for their projector with projector=True."
            )


def warn_uncertain(
    score: float, tol: float, x: Array, levels: Array, conditions: Array, describe: Callable[[Array], str]
) -> None:
    """Warn where levels come close and single vectors are worth little for it.

    That is when the fit has not converged, or when at half of all points residual over gap is above `UNCERTAIN`.

    Parameters
    ----------
    score, tol : relative residual reached, and aimed at
    x, levels, conditions : (M, D) points, (M, n) levels and (M,) conditions of the worst of them
    """
    gaps, ill = smallest_gap(levels), conditions.argmax()
    if gaps.min() > NEAR and conditions[ill] < ILL:
        return
    norms = np.linalg.norm(levels, axis=-1)
    errors = score * conditions * norms / np.maximum(nearest(levels), np.finfo(float).tiny)
    if score <= tol and np.median(errors) <= UNCERTAIN:
        return
    where, advice = f"at {describe(x[gaps.argmin()])}", "Pass rank=k for a subspace that keeps close levels together."
    if np.iscomplexobj(levels):
        where += f", with condition {conditions[ill]:.1e} at {describe(x[ill])}: an exceptional point may be near"
        advice = "Shrink the box so that it stays away, or use svd, whose vectors always exist."
    warnings.warn(
        f"Levels come as near as {gaps.min():.1e} of their mean distance {where}. The residual is {score:.1e}, and "
        "vectors are certain to that over the gap only; values are not concerned, nor is the space that close vectors "
        f"span. {advice}",
        AccuracyWarning,
        stacklevel=6,
    )
