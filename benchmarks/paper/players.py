"""Who takes part in a table: this library in two ways, the paper's baselines, and what a skeptic would use."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.baselines import Baseline
from benchmarks.baselines.dense import fastest
from benchmarks.paper.tasks import Task
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning

__all__ = ["Player", "Ready", "baseline", "lapack", "numpy", "ours"]

Answers = Iterator[Any]


@dataclass(frozen=True)
class Ready:
    """A prepared method.

    Parameters
    ----------
    answers : from points in order to what the method finds there, one after the other, so that each can be timed.
    batch : all points at once, where the method can; None elsewhere.
    smooth : the same for the three factors of a product as the map holds them; None where answers are no such factors.
    fit : of this library.
    gflops : of one answer, counted from shapes; None where nobody counted.
    """

    answers: Callable[[Sequence[Any]], Answers]
    batch: Callable[[Array], Any] | None = None
    smooth: Callable[[Array], Any] | None = None
    fit: nmc.Fit | None = None
    gflops: float | None = None


@dataclass(frozen=True)
class Player:
    """A method of a table.

    Parameters
    ----------
    name : in our rows: "default", "joint", or that of the baseline.
    printed : in the paper's table; None where the paper has none.
    prepare : spends what comes before the first answer; family and seed to a prepared method.
    most : answers it is asked for, where one takes seconds; None for all.
    """

    name: str
    printed: str | None
    prepare: Callable[[Any, int], Ready]
    most: int | None = None


def ours(name: str, task: Task, **options: Any) -> Player:
    """Take part as this library, with the given options of a fit."""
    return Player(name, "NeuMatC", partial(_fitted, task, options))


def _fitted(task: Task, options: dict[str, Any], family: Any, seed: int) -> Ready:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # the budget is the paper's; what it reaches is in the row
        fit = task.fit(family, rng=seed, **options)
    # A product and a sum for every entry of C; the network and, of an SVD, the small core are left out.
    real = 2 if np.iscomplexobj(fit.surrogate.C) else 1
    gflops = 2e-9 * real * fit.surrogate.C.size
    smooth = _smooth(fit) if task.verb == "svd" else None
    return Ready(lambda points: (fit(p) for p in points), fit, smooth, fit, gflops)


def _smooth(fit: nmc.Fit) -> Callable[[Array], Any]:
    """U, M, V of a batch in memory that is used again."""
    kept: dict[int, Array] = {}

    def answer(points: Array) -> Any:
        C = fit.surrogate.C
        memory = kept.setdefault(len(points), np.empty((len(points), C.shape[1]), C.dtype))
        return fit.smooth(points, out=memory)

    return answer


def numpy(name: str, task: Task, gflops: Callable[[int], float] | None = None) -> Player:
    """What the paper's own baseline is: NumPy at every p; ``gflops`` from n, where they are counted."""

    def prepare(family: Any, seed: int) -> Ready:
        del seed
        counted = gflops(len(family(_first(family)))) if gflops else None
        return Ready(lambda points: (task.numpy(family(p)) for p in points), gflops=counted)

    return Player(name, name, prepare)


def lapack(task: Task) -> Player:
    """The fastest call that computes the same on this machine, by a race before the first answer."""

    def prepare(family: Any, seed: int) -> Ready:
        del seed
        calls = {"numpy": task.numpy, **task.rivals}
        call = calls[fastest(calls, family(_first(family)))]
        return Ready(lambda points: (call(family(p)) for p in points))

    return Player("best LAPACK", None, prepare)


def _first(family: Any) -> Any:
    middle = np.mean(np.atleast_2d(family.box), axis=1)
    return float(middle[0]) if middle.size == 1 else middle


def baseline(method: Baseline, printed: str | None = None, most: int | None = None) -> Player:
    """A baseline of `benchmarks.baselines`."""

    def prepare(family: Any, seed: int) -> Ready:
        del seed
        solver = method.prepare(family)
        return Ready(lambda points: (_plain(answer.factors) for answer in solver(points)))

    return Player(method.name, printed, prepare, most)


def _plain(factors: Any) -> Any:
    """An inverse or a solution as an array, triplets as a tuple."""
    values = tuple(factors.values())
    return values[0] if len(values) == 1 else (factors["U"], factors["S"], factors["Vh"])
