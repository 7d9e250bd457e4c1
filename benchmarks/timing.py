"""Warm calls, interleaved: whatever disturbs the machine disturbs all candidates alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Timing", "interleaved"]

WARM = 3


@dataclass(frozen=True)
class Timing:
    """Microseconds of one call: median and quartiles, and how many calls they come from."""

    median: float
    spread: tuple[float, float]
    calls: int


def interleaved(functions: Sequence[Callable[[], Any]], calls: int) -> list[Timing]:
    """Time the functions in turns, after a few calls to warm up."""
    for function in functions:
        for _ in range(WARM):
            function()
    spent = np.empty((len(functions), calls))
    for j in range(calls):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            spent[i, j] = time.perf_counter() - start
    low, middle, high = 1e6 * np.quantile(spent, (0.25, 0.5, 0.75), axis=1)
    return [Timing(float(m), (float(a), float(b)), calls) for a, m, b in zip(low, middle, high, strict=True)]
