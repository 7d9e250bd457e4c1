"""One table on one data set: all methods answer the same points in turns, each answer timed and judged at once."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.baselines import Tabulated
from benchmarks.paper.floor import floor
from benchmarks.paper.players import Player, Ready
from benchmarks.paper.published import TABLES, ratio, slowest
from benchmarks.paper.tasks import Task
from benchmarks.record import Check, Row
from neumatc.arrays import Array

__all__ = ["Contest", "rows"]

BATCHES = 20
"""Timed calls with all points of a batch at once."""

FLOOR_POINTS = 10
"""Points at which the span of joint training is looked at."""

BATCH_BYTES = 1 << 28
"""Largest result of one such call."""


@dataclass(frozen=True)
class Contest:
    """What is compared, and where.

    Parameters
    ----------
    measurement, table : of the rows, and in `TABLES`.
    case, family, task, seed : the data set.
    players : the first one is NumPy, to which the ratios of times refer.
    points : (m,) or (m, D), in the order in which they are answered; equidistant where a method goes along p.
    better : by how many times the squared error of each of our ways must be smaller than the paper's, by name.
    timed : whether times are compared; accuracy alone needs no quiet machine.
    """

    measurement: str
    table: str
    case: str
    family: Any
    task: Task
    seed: int
    players: Sequence[Player]
    points: Array
    better: dict[str, float] = field(default_factory=dict)
    timed: bool = True


@dataclass
class Tally:
    """What one method did: seconds and relative error of every answer."""

    player: Player
    ready: Ready
    offline: float
    seconds: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    died: Exception | None = None


def rows(contest: Contest) -> Iterator[Row]:
    """Prepare all methods, answer in turns, and yield a row for each; one that breaks down is a row, too."""
    points = [float(p) if np.ndim(p) == 0 else p for p in contest.points]
    family = Tabulated(contest.family, points) if np.ndim(points[0]) == 0 else contest.family
    tallies, broken = [], []
    for player in contest.players:
        start = time.perf_counter()
        try:
            ready = player.prepare(family, contest.seed)
            tallies.append(Tally(player, ready, time.perf_counter() - start))
        except Exception as error:  # whatever a method dies of is its result
            broken.append(_broken(contest, player, error))
    _play(contest, family, points, tallies)
    broken += [_broken(contest, tally.player, tally.died) for tally in tallies if tally.died]
    tallies = [tally for tally in tallies if not tally.died]
    batches = _batches(contest, tallies) if contest.timed else {}
    smooth = _smooth(contest, tallies) if contest.timed else {}
    first = float(np.median(tallies[0].seconds))
    rival = next((tally for tally in tallies if tally.player.printed == slowest(contest.table)), tallies[0])
    for tally in tallies:
        name = tally.player.name
        yield _result(contest, tally, first, float(np.median(rival.seconds)), batches.get(name), smooth.get(name))
    yield from broken


def _play(contest: Contest, family: Any, points: Sequence[Any], tallies: Sequence[Tally]) -> None:
    """Answer point by point, all methods in turns."""
    streams = [tally.ready.answers(points[: tally.player.most]) for tally in tallies]
    for i, p in enumerate(points):
        exact = contest.task.exact(family(p))
        for tally, stream in zip(tallies, streams, strict=True):
            if tally.died or (tally.player.most is not None and i >= tally.player.most):
                continue
            start = time.perf_counter()
            try:
                answer = next(stream)
            except Exception as error:  # as above
                tally.died = error
                continue
            tally.seconds.append(time.perf_counter() - start)
            if tally is not tallies[0]:  # NumPy is the reference
                tally.errors.append(contest.task.error(answer, exact))


def _batches(contest: Contest, tallies: Sequence[Tally]) -> dict[str, np.ndarray[Any, Any]]:
    """Seconds of one answer when many are asked for at once, `BATCHES` calls of each method in turns."""
    able = [tally for tally in tallies if tally.ready.batch is not None]
    if not able:
        return {}
    first = able[0].ready.batch
    assert first is not None
    probe = first(contest.points[:1])
    size = sum(np.asarray(X).nbytes for X in (probe if isinstance(probe, tuple) else (probe,)))
    chunk = contest.points[: max(1, min(len(contest.points), BATCH_BYTES // size))]
    seconds = {tally.player.name: np.empty(BATCHES) for tally in able}
    for j in range(-2, BATCHES):
        for tally in able:
            start = time.perf_counter()
            tally.ready.batch(chunk)  # type: ignore[misc]  # those that can were picked
            if j >= 0:
                seconds[tally.player.name][j] = (time.perf_counter() - start) / len(chunk)
    return seconds


def _smooth(contest: Contest, tallies: Sequence[Tally]) -> dict[str, np.ndarray[Any, Any]]:
    """Seconds of one answer as the map holds it, the three factors of the paper, of all points at once."""
    able = [tally for tally in tallies if tally.ready.smooth is not None]
    seconds = {tally.player.name: np.empty(BATCHES) for tally in able}
    for j in range(-2, BATCHES):
        for tally in able:
            start = time.perf_counter()
            tally.ready.smooth(contest.points)  # type: ignore[misc]  # those that can were picked
            if j >= 0:
                seconds[tally.player.name][j] = (time.perf_counter() - start) / len(contest.points)
    return seconds


def _broken(contest: Contest, player: Player, error: Exception) -> Row:
    """The row of a method that broke down."""
    return _row(contest, player.name, f"failed: {type(error).__name__}", {"error": str(error)})


def _row(contest: Contest, method: str, status: str, extra: dict[str, Any]) -> Row:
    return Row(
        measurement=contest.measurement,
        case=contest.case,
        family=contest.family.name,
        n=max(np.shape(contest.family(contest.points[0]))),
        D=1 if np.ndim(contest.points[0]) == 0 else len(contest.points[0]),
        operation=contest.task.verb,
        method=method,
        seed=contest.seed,
        status=status,
        extra={"table": contest.table, **extra},
    )


def _result(contest: Contest, tally: Tally, first: float, rival: float, batch: Any, smooth: Any) -> Row:
    """The row of one method: figures of ours, those printed in the paper, and the lines they decide.

    ``first`` are the seconds of NumPy, ``rival`` those of the method that the paper's own ratio of times refers to.
    """
    player, fit = tally.player, tally.ready.fit
    printed = TABLES.get(contest.table, {}).get(player.printed or "")
    seconds, errors = np.array(tally.seconds), np.array(tally.errors or [0.0])
    squared, middle = float(np.mean(errors**2)), float(np.median(seconds))
    alone = first / middle
    extra: dict[str, Any] = {
        "gflops": tally.ready.gflops,
        "ratio_alone": alone,
        "printed": player.printed,
        "printed_ms": printed.milliseconds if printed else None,
        "printed_squared_error": printed.squared_error if printed else None,
    }
    if batch is not None:
        low, middle_, high = 1e6 * np.quantile(batch, (0.25, 0.5, 0.75))
        extra |= {"batch_us": middle_, "batch_spread": [low, high], "ratio_batch": 1e6 * first / middle_}
    if smooth is not None:
        low, middle_, high = 1e6 * np.quantile(smooth, (0.25, 0.5, 0.75))
        extra |= {"smooth_us": middle_, "smooth_spread": [low, high], "ratio_smooth": 1e6 * first / middle_}
    if fit is not None and contest.task.verb == "svd" and player.name == "joint":
        extra["floor_squared_error"] = floor(fit, contest.family, contest.task, contest.points[:FLOOR_POINTS])
    row = _row(contest, player.name, fit.status if fit else "", extra).having(
        offline_seconds=tally.offline,
        online_us=1e6 * middle,
        online_spread=tuple(1e6 * np.quantile(seconds, (0.25, 0.75))),
        baseline=contest.players[0].name,
        baseline_us=1e6 * first,
        calls=len(seconds),
        points=len(errors),
        error_worst=float(errors.max()),
        error_median=float(np.median(errors)),
        squared_error=squared,
    )
    if fit is not None:
        spent = {"build_seconds": fit.cost.build_seconds, "exact_seconds": fit.cost.solve_seconds}
        row = row.having(d=fit.surrogate.d, samples=len(fit.samples), tol=fit.tol, basis=fit.basis.name, **spent)
    speed = rival / first * max(alone, extra.get("ratio_batch", 0.0), extra.get("ratio_smooth", 0.0))
    return row.having(*_checks(contest, player, squared, speed))


def _checks(contest: Contest, player: Player, squared: float, speed: float) -> Iterator[Check]:
    """Accuracy against the paper's, and, timed, the ratio to the paper's baseline against the paper's own."""
    printed = TABLES.get(contest.table, {}).get("NeuMatC")
    if player.name not in contest.better or printed is None or printed.squared_error is None:
        return
    share = 1 / contest.better[player.name]
    yield Check("squared error / the paper's", squared / printed.squared_error, share)
    wanted = ratio(contest.table)
    if contest.timed and wanted is not None:
        yield Check("the paper's ratio to its baseline / ours", wanted / speed, 1.0)
