"""One clock for all: calls in turns, so that a disturbance of the machine hits them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

FEWEST = 3
"""Runs that are made however long they take."""


def race(calls: Mapping[str, Callable[[int], Any]], runs: int, limit: float) -> dict[str, float]:
    """Median seconds of each call, called with the number of the run; no new round begins after ``limit`` seconds.

    Examples
    --------
    >>> sorted(race({"sum": lambda run: sum(range(run))}, 3, 1.0))
    ['sum']
    """
    for call in calls.values():
        call(0)  # warm: memory, caches, and libraries that load at the first call
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    names, rng, begin = list(calls), np.random.default_rng(0), time.perf_counter()
    for run in range(runs):
        if run >= FEWEST and time.perf_counter() - begin > limit:
            break
        # Another order each time: whoever always follows the same call finds the cache as that one leaves it.
        for turn in rng.permutation(len(names)):
            before = time.perf_counter()
            calls[names[turn]](run)
            seconds[names[turn]].append(time.perf_counter() - before)
    return {name: float(np.median(taken)) for name, taken in seconds.items()}
