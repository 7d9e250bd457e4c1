"""All measurements, and the file of rows that each package of them writes."""

from pathlib import Path
from types import MappingProxyType

from benchmarks import breadth, foundation, paper, speed
from benchmarks.record import RESULTS

__all__ = ["FILES", "MEASUREMENTS", "file_of"]

_PACKAGES = {
    "foundation": tuple(foundation.MEASUREMENTS.values()),
    "breadth": tuple(breadth.MEASUREMENTS),
    "speed": speed.MEASUREMENTS,
    "paper": paper.MEASUREMENTS,
}

MEASUREMENTS = MappingProxyType({each.name: each for package in _PACKAGES.values() for each in package})
"""By name, in the order in which they are run."""

FILES = tuple(RESULTS / f"{name}.jsonl" for name in _PACKAGES)
"""Of rows, one for each package."""


def file_of(name: str) -> Path:
    """Return the file to which a measurement writes."""
    package = next(package for package, several in _PACKAGES.items() if name in {each.name for each in several})
    return RESULTS / f"{package}.jsonl"
