"""The breadth of the library: every operation, several parameters, the corners of the gallery, spectra and topology."""

from benchmarks.breadth.corners import CORNER_CHECK
from benchmarks.breadth.eigen import EIGEN
from benchmarks.breadth.operations import OPERATIONS
from benchmarks.breadth.sparse import APPENDIX_H, THERMAL
from benchmarks.breadth.two_dim import SEVERAL

__all__ = ["MEASUREMENTS"]

MEASUREMENTS = [
    OPERATIONS,
    SEVERAL,
    CORNER_CHECK,
    EIGEN,
    APPENDIX_H,
    THERMAL,
]
"""In the order in which they are run and reported."""
