"""Tables 1, 2, 3, 7 and 12: dense operations of one parameter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.baselines import (
    ZNNSVD,
    BestInverse,
    BestSVD,
    ConstantSketchSVD,
    Interpolant,
    InterpolatedInverse,
    NeuralNewtonInversion,
    RandomizedSVD,
    SklearnRandomizedSVD,
    WarmNewtonSchulz,
    WarmSubspaceIteration,
    ZNNInversion,
)
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.paper.contest import Contest, rows
from benchmarks.paper.families import SyntheticSVD
from benchmarks.paper.players import Player, baseline, lapack, numpy, ours
from benchmarks.paper.tasks import TASKS, Task, svd
from neumatc.gallery import Channel, ControlledRank, Growth, RegularisedGram, SyntheticInverse

__all__ = ["TABLE1", "TABLE2", "TABLE3", "TABLE7", "TABLE12"]

SOLVES, TESTS, SETS = 40, 100, 20
"""The paper's: training points, test points on a uniform grid, data sets."""

FURTHER, SLOW = 20, 12
"""Test points of all data sets but the first, and answers of baselines that take seconds for each, on the first."""

EPOCHS = 1000
"""Of joint training on synthetic inverses and SVDs; the paper has 500 in its table 5 and none elsewhere."""

LONG = {"epochs": 5000}
"""Of joint training where a thousand epochs are too few: channels, two parameters, controlled rank."""

BETTER = {"joint": 1.0, "default": 1e3}
"""By how much our squared errors must undercut the paper's."""

TOL = 1e-6
"""Of the default way: squared, it is a hundred million times below the paper's errors."""

WIDE = {"d": 40}
"""Of joint training, for results with more than thirty modes; the paper takes 10 to 40."""


def uniform(setting: Setting, seed: int) -> Any:
    """Return the test points: a uniform grid, as methods that go along p need it."""
    count = setting.count(FURTHER if seed else TESTS, 12)
    return (np.arange(count) + 0.5) / count


def pair(task: Task, samples: int, tol: float = TOL, **joint: Any) -> list[Player]:
    """Both of our ways with as many exact solves."""
    return [
        ours("joint", task, samples=samples, tol=1e-3, training=nmc.Joint(**joint)),
        ours("default", task, samples=samples, tol=tol),
    ]


def inverses(setting: Setting, seed: int) -> list[Player]:
    """The paper's baselines for the inverse, and a skeptic's; on the first data set only."""
    if seed:
        return []
    slow = setting.count(SLOW, 3)
    return [
        baseline(BestInverse()),
        baseline(NeuralNewtonInversion(), "NNI", slow),
        baseline(InterpolatedInverse(), "COI", slow),
        baseline(ZNNInversion(), "ZNNI", slow),
        baseline(WarmNewtonSchulz(), None, slow),
        baseline(Interpolant("chebyshev", "inv", count=setting.count(SOLVES, 12))),
    ]


def decompositions(
    setting: Setting, seed: int, rank: int, interval: tuple[float, float] = (0.0, 1.0), real: bool = True
) -> list[Player]:
    """The paper's baselines for the SVD, and a skeptic's."""
    # scikit-learn refuses complex matrices.
    randomized = SklearnRandomizedSVD(rank) if real else RandomizedSVD(rank)
    quick = [baseline(randomized, "RSVD"), baseline(ConstantSketchSVD(rank), "CRSVD")]
    if seed:
        return quick
    return [
        *quick,
        baseline(BestSVD(rank)),
        baseline(ZNNSVD(rank), "ZNN-SVD", setting.count(SLOW, 3)),
        baseline(WarmSubspaceIteration(rank)),
        baseline(Interpolant("chebyshev", "svd", rank, setting.count(SOLVES, 12), interval=interval)),
    ]


def lu_flops(n: int) -> float:
    """``8 n³ / 3``: factors, and two triangular solves with n right-hand sides."""
    return 8e-9 * n**3 / 3


def svd_flops(n: int) -> float:
    """About ``22 n³``: a thin SVD with vectors by divide and conquer."""
    return 22e-9 * n**3


def table1(setting: Setting) -> Iterator[Case]:
    """Inverse, n = 1024."""
    n, rank, samples, task = setting.count(1024, 24), setting.count(20, 4), setting.count(SOLVES, 12), TASKS["inv"]
    for seed in setting.draws(SETS):
        family = SyntheticInverse(n=n, rank=rank, cond=10, seed=seed)
        players = [
            numpy("LU (NumPy)", task, lu_flops),
            *inverses(setting, seed),
            *pair(task, samples, **epochs(setting)),
        ]
        yield contested("table1", "table1", f"{family.name}, seed {seed}", family, task, seed, players, setting)


def table2(setting: Setting) -> Iterator[Case]:
    """SVD, n = 512, rank 20."""
    n, rank, samples = setting.count(512, 24), setting.count(20, 4), setting.count(SOLVES, 12)
    task = svd(rank)
    for seed in setting.draws(SETS):
        family = SyntheticSVD(n=n, rank=rank, seed=seed)
        players = [
            numpy("SVD (NumPy)", task, svd_flops),
            *decompositions(setting, seed, rank),
            *pair(task, samples, **WIDE, **epochs(setting)),
        ]
        yield contested("table2", "table2", f"{family.name}, seed {seed}", family, task, seed, players, setting)


def table3(setting: Setting) -> Iterator[Case]:
    """Ray-traced channels, n = 256: the regularised Gram matrix is inverted, the channel itself decomposed."""
    side = (setting.count(16, 3), setting.count(16, 3))
    samples, rank = setting.count(SOLVES, 12), setting.count(10, 2)
    channel = Channel("canyon_diff", transmit=side, receive=side, bandwidth=20e6)
    gram = RegularisedGram(channel)
    inverse, task = TASKS["inv"], svd(rank)
    players = [
        numpy("LU (NumPy)", inverse, lu_flops),
        *inverses(setting, 0)[:-1],
        *pair(inverse, samples, **WIDE, **epochs(setting, LONG)),
    ]
    yield contested("table3", "table3 inverse", f"inverse of {gram.name}", gram, inverse, 0, players, setting)
    lo, hi = np.ravel(channel.box)
    players = [
        numpy("SVD (NumPy)", task, svd_flops),
        *decompositions(setting, 0, rank, (float(lo), float(hi)), real=False),
        *pair(task, samples, **WIDE, **epochs(setting, LONG)),
    ]
    yield contested("table3", "table3 SVD", f"rank {rank} of {channel.name}", channel, task, 0, players, setting)


def table7(setting: Setting) -> Iterator[Case]:
    """QR, Cholesky, exponential, n = 512."""
    n, rank, samples = setting.count(512, 24), setting.count(20, 4), setting.count(SOLVES, 12)
    for seed in setting.draws(SETS // 4):
        families = {
            "qr": SyntheticInverse(n=n, rank=rank, cond=10, seed=seed),
            "cholesky": SyntheticInverse(n=n, rank=rank, cond=10, variant="spd", seed=seed),
            "expm": Growth(n=n, norm=5.0, seed=seed),
        }
        for verb, family in families.items():
            task = TASKS[verb]
            reference = numpy(f"{verb} (NumPy)", task)
            players = [reference, *rival(task, seed), *pair(task, samples, **WIDE, **epochs(setting))]
            case = f"{verb} of {family.name}, seed {seed}"
            yield contested("table7", f"table7 {verb}", case, family, task, seed, players, setting)


def table12(setting: Setting) -> Iterator[Case]:
    """Controlled parametric rank: rank 100 of n = 512, 20 solves."""
    n, rank, samples = setting.count(512, 24), setting.count(100, 6), setting.count(20, 8)
    for modes in (10, 20, 30):
        for seed in setting.draws(2):
            family = ControlledRank(n=n, rank=rank, modes=modes if not setting.quick else 4, seed=seed)
            task = svd(rank)
            players = [
                numpy("SVD (NumPy)", task, svd_flops),
                *rival(task, seed),
                baseline(SklearnRandomizedSVD(setting.count(85, 5)), "RSVD"),
                *pair(task, samples, **WIDE, **epochs(setting, LONG)),
            ]
            case = f"{family.name}, seed {seed}"
            yield contested("table12", f"table12 {modes}", case, family, task, seed, players, setting)


def rival(task: Task, seed: int) -> list[Player]:
    """The fastest LAPACK call, on the first data set."""
    return [] if seed else [lapack(task)]


def epochs(setting: Setting, full: Mapping[str, Any] = MappingProxyType({"epochs": EPOCHS})) -> dict[str, Any]:
    """Options of joint training: fewer Adam steps where only the way is tried."""
    return {"epochs": 60, "width": 20, "collocation": 8, "candidates": 8} if setting.quick else dict(full)


def contested(
    measurement: str,
    table: str,
    case: str,
    family: Any,
    task: Task,
    seed: int,
    players: Sequence[Player],
    setting: Setting,
) -> Case:
    """One data set; times are compared on the first, and NumPy answers there only: the truth is computed anyhow."""
    if seed:
        players = [replace(players[0], most=1), *players[1:]]
    lo, hi = np.ravel(family.box)
    points = lo + (hi - lo) * uniform(setting, seed)
    contest = Contest(measurement, table, case, family, task, seed, players, points, BETTER, timed=seed == 0)
    return Case(case, partial(rows, contest))


TABLE1 = Measurement("table1", "Table 1: inverse, n = 1024", lambda setting: list(table1(setting)))
TABLE2 = Measurement("table2", "Table 2: SVD, n = 512, rank 20", lambda setting: list(table2(setting)))
TABLE3 = Measurement("table3", "Table 3: ray-traced channels, n = 256", lambda setting: list(table3(setting)))
TABLE7 = Measurement("table7", "Table 7: QR, Cholesky, exponential, n = 512", lambda setting: list(table7(setting)))
TABLE12 = Measurement("table12", "Table 12: controlled parametric rank", lambda setting: list(table12(setting)))
