"""Matrix families with known answers, and real ones: for tests, documents and benchmarks.

Every family is a frozen dataclass called as ``family(p)``; `INVERSE` and `SVD` list ready-made ones by name, with the
operation each is shown with, and `GALLERY` holds both. An entry is called without arguments::

    for name, exhibit in neumatc.gallery.INVERSE.items():
        family = exhibit()
        fit = neumatc.inv(family, family.box)

`DEMANDING` holds what shows limits: in three parameters the results of an ordinary family span thousands of
dimensions, and no tight tolerance can be reached. `GALLERY` leaves it out.

`CORNERS` holds the hard places by name (crossings, poles, cones, noise, holes, …), each with what must happen there: an
entry says which operations it is made for, and whether a fit is expected to solve it, to refuse it or to flag it. Its
families know their truth by a second route. `Spike`, `Jump`, `Noisy` and `NaNHole` wrap a family and spoil it, so that
certificates and warnings have something to find.
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType

from neumatc.gallery.affine import AffineInverse as AffineInverse
from neumatc.gallery.affine_spd import AffineSPD as AffineSPD
from neumatc.gallery.bands import ChernBand as ChernBand
from neumatc.gallery.base import Exhibit as Exhibit
from neumatc.gallery.base import GalleryFamily as GalleryFamily
from neumatc.gallery.clusters import Clusters as Clusters
from neumatc.gallery.clusters import Wilkinson as Wilkinson
from neumatc.gallery.cones import ConicalIntersection as ConicalIntersection
from neumatc.gallery.controlled_rank import ControlledRank as ControlledRank
from neumatc.gallery.corners import Jump as Jump
from neumatc.gallery.corners import Spike as Spike
from neumatc.gallery.crossings import AvoidedCrossing as AvoidedCrossing
from neumatc.gallery.crossings import ExactCrossing as ExactCrossing
from neumatc.gallery.dynamics import Stable as Stable
from neumatc.gallery.expectations import CORNERS as CORNERS
from neumatc.gallery.expectations import Corner as Corner
from neumatc.gallery.faults import NaNHole as NaNHole
from neumatc.gallery.faults import Noisy as Noisy
from neumatc.gallery.fourier import FourierGram as FourierGram
from neumatc.gallery.growth import Growth as Growth
from neumatc.gallery.kahan import Kahan as Kahan
from neumatc.gallery.loops import Moebius as Moebius
from neumatc.gallery.mimo import CellChannel as CellChannel
from neumatc.gallery.mimo import Channel as Channel
from neumatc.gallery.mimo import RegularisedGram as RegularisedGram
from neumatc.gallery.multipath import MultipathMIMO as MultipathMIMO
from neumatc.gallery.nonnormal import ExceptionalPoint as ExceptionalPoint
from neumatc.gallery.peaks import MovingPeak as MovingPeak
from neumatc.gallery.rank import RankChange as RankChange
from neumatc.gallery.resolvent import Resolvent as Resolvent
from neumatc.gallery.rotating import RotatingSpectrum as RotatingSpectrum
from neumatc.gallery.rotating import RotatingSVD as RotatingSVD
from neumatc.gallery.spectra import LowRankSVD as LowRankSVD
from neumatc.gallery.synthetic import SyntheticInverse as SyntheticInverse

__all__ = [
    "CORNERS",
    "DEMANDING",
    "GALLERY",
    "INVERSE",
    "SVD",
    "AffineInverse",
    "AffineSPD",
    "AvoidedCrossing",
    "CellChannel",
    "Channel",
    "ChernBand",
    "Clusters",
    "ConicalIntersection",
    "ControlledRank",
    "Corner",
    "ExactCrossing",
    "ExceptionalPoint",
    "Exhibit",
    "FourierGram",
    "GalleryFamily",
    "Growth",
    "Jump",
    "Kahan",
    "LowRankSVD",
    "Moebius",
    "MovingPeak",
    "MultipathMIMO",
    "NaNHole",
    "Noisy",
    "RankChange",
    "RegularisedGram",
    "Resolvent",
    "RotatingSVD",
    "RotatingSpectrum",
    "Spike",
    "Stable",
    "SyntheticInverse",
    "Wilkinson",
]


def _gram(channel: Callable[[], Channel | CellChannel]) -> RegularisedGram:
    # The channel is made here and not in the table, which would read the data file at import.
    return RegularisedGram(channel())


_CANYON_64 = partial(_gram, partial(Channel, receive=(8, 8), transmit=(8, 8), bandwidth=10e6))

INVERSE = MappingProxyType(
    {
        "affine": Exhibit("inv", AffineInverse, "small"),
        "affine-complex": Exhibit("inv", partial(AffineInverse, complex=True), "small"),
        "affine-hermitian": Exhibit("inv", partial(AffineInverse, complex=True, hermitian=True), "small"),
        "affine-2d": Exhibit("inv", partial(AffineInverse, dimensions=2), "small"),
        "easy-64": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8), "small"),
        "easy-64-complex": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, complex=True), "small"),
        "spd-64": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, variant="spd"), "small"),
        "near-pole-64": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, variant="near-pole"), "small"),
        "oscillating-64": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, variant="oscillating"), "small"),
        "canyon-64": Exhibit("inv", _CANYON_64, "small"),
        "cell-64": Exhibit("inv", partial(_gram, CellChannel), "small"),
        "easy-256": Exhibit("inv", SyntheticInverse, "real"),
        "spd-256": Exhibit("inv", partial(SyntheticInverse, variant="spd"), "real"),
        "near-pole-256": Exhibit("inv", partial(SyntheticInverse, variant="near-pole"), "real"),
        "oscillating-256": Exhibit("inv", partial(SyntheticInverse, variant="oscillating"), "real"),
        "canyon-256": Exhibit("inv", partial(_gram, Channel), "real"),
        "canyon-256-10mhz": Exhibit("inv", partial(_gram, partial(Channel, bandwidth=10e6)), "real"),
        "easy-512": Exhibit("inv", partial(SyntheticInverse, n=512), "real"),
        "easy-1024": Exhibit("inv", partial(SyntheticInverse, n=1024), "real"),
        "easy-64-2d": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, dimensions=2), "real"),
        "easy-128-2d": Exhibit("inv", partial(SyntheticInverse, n=128, dimensions=2), "real"),
        "gentle-64-3d": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, dimensions=3, band=(0.1, 0.3)), "real"),
    }
)

SVD = MappingProxyType(
    {
        "gap-48": Exhibit("svd", partial(LowRankSVD, n=48, rank=6, tail=10), "small", rank=6),
        "gap-48-complex": Exhibit("svd", partial(LowRankSVD, n=48, rank=6, tail=10, complex=True), "small", rank=6),
        "avoided-48": Exhibit("svd", partial(LowRankSVD, n=48, rank=6, tail=10, crossing="avoided"), "small", rank=6),
        "exact-48": Exhibit("svd", partial(LowRankSVD, n=48, rank=6, tail=10, crossing="exact"), "small", rank=6),
        "controlled-64": Exhibit("svd", partial(ControlledRank, n=64, rank=10, modes=5), "small", rank=10),
        "gap-512": Exhibit("svd", LowRankSVD, "real", rank=20),
        "narrow-gap-512": Exhibit("svd", partial(LowRankSVD, ratio=0.6), "real", rank=20),
        "avoided-512": Exhibit("svd", partial(LowRankSVD, crossing="avoided"), "real", rank=20),
        "exact-512": Exhibit("svd", partial(LowRankSVD, crossing="exact"), "real", rank=20),
        "controlled-512": Exhibit("svd", ControlledRank, "real", rank=100),
        "canyon-svd-256": Exhibit("svd", Channel, "real", rank=8),
        "cell-svd-64x256": Exhibit("svd", CellChannel, "real", rank=8),
    }
)

DEMANDING = MappingProxyType(
    {"easy-64-3d": Exhibit("inv", partial(SyntheticInverse, n=64, rank=8, dimensions=3), "real")}
)

GALLERY = MappingProxyType({**INVERSE, **SVD})
