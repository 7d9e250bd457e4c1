"""Tables 6, 8, 9 and figure 5: two parameters, where to collocate, and the choices inside of joint training."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.paper.contest import Contest, rows
from benchmarks.paper.dense import LONG, epochs, lu_flops, rival
from benchmarks.paper.players import Player, numpy, ours
from benchmarks.paper.published import TABLES
from benchmarks.paper.tasks import TASKS, svd
from benchmarks.record import Check, Row
from neumatc.gallery import Channel, FourierGram, RegularisedGram

__all__ = ["FIGURE5", "TABLE6", "TABLE8", "TABLE9"]

PLANE = {"joint": 1.0, "default": 300.0}
"""By how much our squared errors must undercut the paper's in two parameters."""

ACTIVATIONS = ("sigmoid", "gelu", "relu", "tanh", "sine")

SWEEPS: dict[str, tuple[float, ...]] = {
    "layers": (2, 3, 4),
    "width": (50, 100, 150, 200),
    "d": (10, 20, 30, 40),
    "omega": (0.1, 2.0, 4.0, 6.0, 10.0, 15.0),
    "balance": (0.1, 1.0, 10.0),
}
"""The paper's values; ω in radians per unit of x in [-1, 1], for which the paper's own figures cannot be meant."""

BASE: dict[str, Any] = {"layers": 2, "width": 100, "d": 40, "omega": 6.0, "balance": 1.0}

SOLVES, SEEDS = 40, 5


def table6(setting: Setting) -> Iterator[Case]:
    """Inverse in two parameters, n = 128: a twentieth of a 50 x 50 grid is solved."""
    n, rank, samples, task = setting.count(128, 16), setting.count(20, 4), setting.count(125, 30), TASKS["inv"]
    axis = np.linspace(0, 1, 50)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    for seed in setting.draws(SEEDS):
        family = FourierGram(n=n, rank=rank, seed=seed)
        at = grid[
            np.random.default_rng([seed, 2024]).choice(len(grid), setting.count(20 if seed else 100, 6), replace=False)
        ]
        players = [
            numpy("LU (NumPy)", task, lu_flops),
            *rival(task, seed),
            ours(
                "joint",
                task,
                samples=samples,
                tol=1e-3,
                training=nmc.Joint(**{"d": 40, "width": 200, "omega": 4.0, **epochs(setting, LONG)}),
            ),
            ours("default", task, samples=samples, tol=1e-6),
        ]
        case = f"{family.name}, seed {seed}"
        contest = Contest("table6", "table6", case, family, task, seed, players, at, PLANE, timed=seed == 0)
        yield Case(case, partial(rows, contest))


def channel(setting: Setting) -> Channel:
    """The real channel of tables 3, 8 and 9."""
    side = (setting.count(16, 3), setting.count(16, 3))
    return Channel("canyon_diff", transmit=side, receive=side, bandwidth=20e6)


def contested(table: str, case: str, family: Any, task: Any, seed: int, player: Player, setting: Setting) -> Contest:
    """One training, judged on a uniform grid; times do not matter."""
    lo, hi = np.ravel(family.box)
    count = setting.count(100, 8)
    points = lo + (hi - lo) * (np.arange(count) + 0.5) / count
    reference = replace(numpy("NumPy", task), most=1)
    return Contest(table, table, case, family, task, seed, [reference, player], points, timed=False)


def against(contest: Contest, printed: str, **extra: Any) -> Iterator[Row]:
    """The row of one training beside the paper's figure."""
    for row in rows(contest):
        if row.method != contest.players[0].name:
            known = TABLES[contest.table][printed].squared_error if contest.table in TABLES else None
            found = row.having(extra={**row.extra, **extra, "printed": printed, "printed_squared_error": known})
            if known is not None and row.squared_error is not None:
                found = found.having(Check("squared error / the paper's", row.squared_error / known, 1.0))
            yield found


def table8(setting: Setting) -> Iterator[Case]:
    """Random against adaptive collocation: 50 points, ten more in each of ten rounds; 50 exact SVDs of rank 10."""
    family, rank = channel(setting), setting.count(10, 2)
    task, samples = svd(rank), setting.count(50, 12)
    schedule = (
        epochs(setting)
        if setting.quick
        else {"epochs": 2200, "interval": 200, "collocation": 50, "add": 10, "candidates": 200}
    )
    for seed in setting.draws(10):
        for sampling in ("random", "adaptive"):
            training = nmc.Joint(**{**schedule, "d": 40, "sampling": sampling, "tolerance": 0.0})
            player = ours("joint", task, samples=samples, tol=1e-6, training=training)
            case = f"{sampling} collocation, seed {seed}"
            contest = contested("table8", case, family, task, seed, player, setting)
            yield Case(case, partial(against, contest, sampling, sampling=sampling))


def table9(setting: Setting) -> Iterator[Case]:
    """Activations, on the regularised Gram inverse of the real channel."""
    family, task = RegularisedGram(channel(setting)), TASKS["inv"]
    for activation in ACTIVATIONS:
        for seed in setting.draws(3):
            training = nmc.Joint(**{**BASE, **epochs(setting, LONG), "activation": activation})
            player = ours("joint", task, samples=setting.count(SOLVES, 12), tol=1e-3, training=training)
            case = f"{activation}, seed {seed}"
            contest = contested("table9", case, family, task, seed, player, setting)
            yield Case(case, partial(against, contest, activation, activation=activation))


def figure5(setting: Setting) -> Iterator[Case]:
    """One hyperparameter at a time, on the same inverse."""
    family, task = RegularisedGram(channel(setting)), TASKS["inv"]
    for name, values in SWEEPS.items():
        for value in values[:2] if setting.quick else values:
            for seed in setting.draws(1):
                number = int(value) if isinstance(BASE[name], int) else value
                training = nmc.Joint(**{**BASE, **epochs(setting, LONG), name: number})
                player = ours("joint", task, samples=setting.count(SOLVES, 12), tol=1e-3, training=training)
                case = f"{name} {value:g}, seed {seed}"
                contest = contested("figure5", case, family, task, seed, player, setting)
                yield Case(case, partial(against, contest, name, hyperparameter=name, value=value))


TABLE6 = Measurement("table6", "Table 6: inverse in two parameters, n = 128", lambda setting: list(table6(setting)))
TABLE8 = Measurement("table8", "Table 8: random and adaptive collocation", lambda setting: list(table8(setting)))
TABLE9 = Measurement("table9", "Table 9: activation functions", lambda setting: list(table9(setting)))
FIGURE5 = Measurement("figure5", "Figure 5: hyperparameters of joint training", lambda setting: list(figure5(setting)))
