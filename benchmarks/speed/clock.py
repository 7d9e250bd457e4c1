"""Calls in turns, each right after some of its own: what disturbs the machine disturbs all, and caches are as warm.

A figure is the median over the turns of a quotient of two calls of the same turn, with its quartiles. Seconds of two
runs cannot be compared where a machine is shared or changes its frequency; quotients of one turn can.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.timing import Timing
from neumatc.arrays import Array

__all__ = ["Ratio", "Turns", "quartiles", "turns"]

FEWEST, MOST, SECONDS = 20, 200, 3.0
"""Turns, and how long they may take unless they are the fewest."""

SLOW, FEW, LONG = 0.2, 5, 10.0
"""Where one call takes longer than `SLOW` seconds there may be as few as `FEW` turns, once they took `LONG` seconds."""

SHORT, WARM, AWAKE = 0.02, 3, 0.005
"""Seconds of a call below which it runs unmeasured before each measurement, and how often and how long: another one has
emptied the caches, a victim cache takes more than one pass to be filled, and a processor that slept starts slowly."""

REST = 0.12
"""Seconds of sleep before each measurement where there are several threads: those of the library that was called before
turn round and round for up to 110 ms, on the cores that the next one needs."""

TRIED = 3
"""Turns of a quick run."""


@dataclass(frozen=True)
class Ratio:
    """Median and quartiles of a quotient, or of anything else."""

    median: float
    low: float
    high: float


def quartiles(values: Any) -> Ratio:
    """Return median and quartiles."""
    low, middle, high = np.quantile(np.atleast_1d(np.asarray(values, dtype=float)), (0.25, 0.5, 0.75))
    return Ratio(float(middle), float(low), float(high))


@dataclass(frozen=True)
class Turns:
    """Seconds of every call by name, one number for each turn."""

    seconds: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.seconds[name]

    @property
    def count(self) -> int:
        """How many turns there were."""
        return len(next(iter(self.seconds.values())))

    def median(self, name: str) -> float:
        """Return the median seconds of one call."""
        return float(np.median(self.seconds[name]))

    def least(self, start: str) -> str:
        """Return the name of the fastest among the calls whose names begin alike."""
        return min((name for name in self.seconds if name.startswith(start)), key=self.median)

    def ratio(self, over: str, under: str) -> Ratio:
        """Return ``over / under``, turn by turn."""
        return quartiles(self.seconds[over] / self.seconds[under])

    def timing(self, name: str, parts: int = 1) -> Timing:
        """Return microseconds, of one part where a call answers several points."""
        found = quartiles(1e6 * self.seconds[name] / parts)
        return Timing(found.median, (found.low, found.high), self.count)


def turns(calls: Mapping[str, Callable[[], Any]], quick: bool = False) -> Turns:
    """Time all calls, in another order each turn."""
    alone = {name: _alone(call) for name, call in calls.items()}
    rest = resting()
    count, names = TRIED if quick else _count(alone), list(calls)
    spent, rng = np.empty((len(names), count)), np.random.default_rng(0)
    for j in range(count):
        for i in rng.permutation(len(names)):
            call = calls[names[i]]
            time.sleep(rest)
            if alone[names[i]] < SHORT:
                for _ in range(_repeats(alone[names[i]])):
                    call()
            spent[i, j] = _seconds(call)
    return Turns(dict(zip(names, spent, strict=True)))


def resting() -> float:
    """Return the seconds to sleep before a measurement."""
    return REST if torch.get_num_threads() > 1 else 0.0


def _repeats(seconds: float) -> int:
    """How often a short call runs before it is measured."""
    return max(WARM, math.ceil(AWAKE / seconds))


def _alone(call: Callable[[], Any]) -> float:
    call()  # memory, caches, and libraries that load at the first call
    return _seconds(call)


def _count(alone: Mapping[str, float]) -> int:
    # Rests do not count: with several threads calls vary more, and need as many turns.
    turn = sum(seconds * (1 + _repeats(seconds) if seconds < SHORT else 1) for seconds in alone.values())
    if max(alone.values()) > SLOW:
        return int(np.clip(LONG / turn, FEW, FEWEST))
    return int(np.clip(SECONDS / turn, FEWEST, MOST))


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
