"""The corners, named: for every hard family the operations it is made for, what must happen, and who should win."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np

from neumatc.errors import unknown
from neumatc.gallery.affine import AffineInverse
from neumatc.gallery.affine_spd import AffineSPD
from neumatc.gallery.bands import ChernBand
from neumatc.gallery.base import GalleryFamily
from neumatc.gallery.clusters import Clusters, Wilkinson
from neumatc.gallery.cones import ConicalIntersection
from neumatc.gallery.corners import Jump, Spike
from neumatc.gallery.crossings import AvoidedCrossing, ExactCrossing
from neumatc.gallery.dynamics import Stable
from neumatc.gallery.faults import NaNHole, Noisy
from neumatc.gallery.growth import Growth
from neumatc.gallery.kahan import Kahan
from neumatc.gallery.loops import Moebius
from neumatc.gallery.mimo import RegularisedGram
from neumatc.gallery.multipath import MultipathMIMO
from neumatc.gallery.nonnormal import ExceptionalPoint
from neumatc.gallery.peaks import MovingPeak
from neumatc.gallery.rank import RankChange
from neumatc.gallery.resolvent import Resolvent
from neumatc.gallery.rotating import RotatingSpectrum, RotatingSVD
from neumatc.gallery.synthetic import SyntheticInverse

__all__ = ["CORNERS", "Corner"]

EXPECTATIONS = ("solved", "refused", "flagged")
WINNERS = ("chebyshev", "exact", "rational")


@dataclass(frozen=True)
class Corner:
    """One entry of `CORNERS`: a family, the operations it is made for, and what an honest method does with it.

    Parameters
    ----------
    make : constructor without arguments; calling the corner calls it.
    operations : the verbs it is made for.
    expect : "solved", a fit reaches a tight tolerance and is right; "refused", an error says why and where, as no
        answer of that kind exists on the box; "flagged", answers may come, none that is wrong without a warning.
    winner : the method expected to win: "rational" or "chebyshev" in p, or "exact", one exact operation per point.
    note : why.

    Examples
    --------
    >>> from neumatc.gallery import CORNERS
    >>> corner = CORNERS["resolvent-sharp"]
    >>> corner.operations, corner.expect, corner.winner, corner().name
    (('inv', 'solve'), 'solved', 'rational', 'complex resolvent n=32 levels=8 eta=0.003')
    """

    make: Callable[[], GalleryFamily]
    operations: tuple[str, ...]
    expect: Literal["solved", "refused", "flagged"]
    winner: Literal["chebyshev", "exact", "rational"]
    note: str

    def __post_init__(self) -> None:
        """Check the two words of the table."""
        if self.expect not in EXPECTATIONS:
            raise unknown("expectation", self.expect, EXPECTATIONS)
        if self.winner not in WINNERS:
            raise unknown("winner", self.winner, WINNERS)

    def __call__(self) -> GalleryFamily:
        """Make the family."""
        return self.make()


_INVERSES = ("inv", "solve")
_EQUATIONS = ("lyapunov", "sylvester", "riccati")
_BASE = AffineInverse(n=16)

_SOLVED = {
    "affine-spd": Corner(AffineSPD, _INVERSES, "solved", "chebyshev", "entire, condition number near 10"),
    "affine-spd-3d": Corner(
        partial(AffineSPD, dimensions=3, cond=1e3), _INVERSES, "solved", "chebyshev", "three mild parameters"
    ),
    "resolvent": Corner(
        partial(Resolvent, complex=True), _INVERSES, "solved", "rational", "eight poles at distance 0.05"
    ),
    "resolvent-sharp": Corner(
        partial(Resolvent, eta=0.003, complex=True),
        _INVERSES,
        "solved",
        "rational",
        "polynomials need thousands",
    ),
    "avoided": Corner(AvoidedCrossing, ("eigh",), "solved", "rational", "branch points at distance 0.025"),
    "crossing": Corner(
        ExactCrossing, ("eigh",), "solved", "chebyshev", "analytic when followed through, kinks when sorted"
    ),
    "conical-massive": Corner(
        partial(ConicalIntersection, mass=0.3), ("eigh",), "solved", "chebyshev", "a gap of 0.6 instead of the cone"
    ),
    "moebius": Corner(
        Moebius, ("eigh",), "solved", "chebyshev", "smooth on the interval; a periodic basis sees the sign flip"
    ),
    "chern-trivial": Corner(
        partial(ChernBand, mass=3.0), ("eigh",), "solved", "chebyshev", "Chern number 0, gap 2: a periodic frame exists"
    ),
    "exceptional-near": Corner(
        partial(ExceptionalPoint, distance=0.05), ("eig",), "solved", "rational", "branch point at distance 0.05"
    ),
    "rank-beside": Corner(
        partial(RankChange, at=1.1), ("pinv",), "solved", "rational", "one simple pole at distance 0.1 from the box"
    ),
    "clusters-open": Corner(
        partial(Clusters, gap=0.1), ("eigh", "svd"), "solved", "chebyshev", "the same clusters, wide enough to resolve"
    ),
    "kahan": Corner(Kahan, ("inv", "qr"), "solved", "chebyshev", "nearly singular without a small pivot"),
    "moving-peak": Corner(
        partial(MovingPeak, width=0.1), ("inv", "cholesky"), "solved", "chebyshev", "about twenty modes"
    ),
    "multipath": Corner(MultipathMIMO, ("svd",), "solved", "chebyshev", "two turns over the band"),
    "multipath-gram": Corner(
        partial(RegularisedGram, MultipathMIMO()), ("inv", "cholesky"), "solved", "chebyshev", "regularised at 20 dB"
    ),
    "stable": Corner(Stable, _EQUATIONS, "solved", "chebyshev", "spectral abscissa -0.69"),
    "stable-slow": Corner(partial(Stable, abscissa=-0.34), _EQUATIONS, "solved", "chebyshev", "abscissa -0.34"),
    "growth-1": Corner(Growth, ("expm",), "solved", "chebyshev", "norm 1"),
    "growth-5": Corner(partial(Growth, norm=5.0), ("expm",), "solved", "chebyshev", "norm 5, more squarings"),
    "spd-1e3": Corner(
        partial(SyntheticInverse, n=64, rank=8, variant="spd"),
        ("logm", "sqrtm"),
        "solved",
        "chebyshev",
        "eigenvalues from 1 to 1000, far from the branch cut",
    ),
    "rotating": Corner(RotatingSpectrum, ("eigh",), "solved", "chebyshev", "all gaps open, one radian"),
    "rotating-narrow": Corner(
        partial(RotatingSpectrum, gap=0.025, turn=np.pi),
        ("eigh",),
        "solved",
        "chebyshev",
        "half a turn, narrow gap",
    ),
    "rotating-svd": Corner(RotatingSVD, ("svd",), "solved", "chebyshev", "rectangular, full spectrum, one radian"),
}

_REFUSED = {
    "conical": Corner(
        ConicalIntersection,
        ("eigh",),
        "refused",
        "exact",
        "Berry's phase π: no continuous frame around the cone",
    ),
    "chern": Corner(
        ChernBand, ("eigh",), "refused", "exact", "Chern number -1: every reference for the phase fails at some p"
    ),
    "exceptional": Corner(ExceptionalPoint, ("eig",), "refused", "exact", "a Jordan block inside the box"),
    "rank-change": Corner(RankChange, ("pinv",), "refused", "exact", "a pole of the pseudoinverse inside the box"),
    "hole": Corner(
        partial(NaNHole, _BASE, centre=0.4, width=0.2), _INVERSES, "refused", "exact", "a fifth of the box is NaN"
    ),
}

_FLAGGED = {
    "resolvent-poles": Corner(
        partial(Resolvent, eta=0.0), _INVERSES, "flagged", "exact", "eight poles inside; nobody asks at a pole itself"
    ),
    "affine-spd-1e12": Corner(
        partial(AffineSPD, cond=1e12), _INVERSES, "flagged", "exact", "rounding alone moves the inverse by 1e-4"
    ),
    "affine-spd-8d": Corner(
        partial(AffineSPD, dimensions=8), _INVERSES, "flagged", "exact", "eight parameters: no grid is affordable"
    ),
    "avoided-narrow": Corner(
        partial(AvoidedCrossing, gap=1e-4), ("eigh",), "flagged", "exact", "vectors turn within 1e-4 of the box"
    ),
    "clusters": Corner(
        Clusters, ("eigh", "svd"), "flagged", "chebyshev", "vectors within a cluster are uncertain, subspaces are not"
    ),
    "wilkinson": Corner(
        Wilkinson, ("eigh",), "flagged", "chebyshev", "pairs equal to 14 digits, with no small entry to show it"
    ),
    "moving-peak-narrow": Corner(
        partial(MovingPeak, n=128, width=0.01), ("inv", "cholesky"), "flagged", "exact", "some two hundred modes"
    ),
    "multipath-wide": Corner(
        partial(MultipathMIMO, spread=40.0), ("svd",), "flagged", "exact", "forty turns over the band"
    ),
    "noisy": Corner(partial(Noisy, _BASE, level=1e-6), _INVERSES, "flagged", "exact", "no fit gets below the noise"),
    "spike": Corner(
        partial(Spike, _BASE, centre=0.4, width=1e-4), _INVERSES, "flagged", "exact", "no sampler sees the spike"
    ),
    "jump": Corner(partial(Jump, _BASE, at=0.4), _INVERSES, "flagged", "exact", "no continuous fit follows the jump"),
}

CORNERS = MappingProxyType({**_SOLVED, **_REFUSED, **_FLAGGED})
