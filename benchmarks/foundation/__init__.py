"""The foundation: one file per group of acceptance lines, and the table of all measurements."""

from types import MappingProxyType

from benchmarks.foundation import (
    certified,
    channels,
    correction,
    inverse,
    svd,
    tolerance,
)

__all__ = ["MEASUREMENTS"]

MEASUREMENTS = MappingProxyType(
    {
        each.name: each
        for each in (
            inverse.EASY,
            inverse.NEAR_POLE,
            svd.GAP,
            svd.CROSSING,
            channels.INVERSE,
            channels.SVD,
            correction.BEST,
            tolerance.TOLERANCE,
            certified.GALLERY_CHECK,
            certified.SPIKES,
        )
    }
)
"""In the order in which they are run: quick ones first."""
