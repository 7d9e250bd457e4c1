"""Figures 2, 3, 4, 6 and 7: why the results are compressible, that they are continuous, and how times grow."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.paper.ablation import channel
from benchmarks.paper.families import SyntheticSVD
from benchmarks.paper.tasks import TASKS
from benchmarks.record import Row
from benchmarks.timing import interleaved
from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.gallery import RegularisedGram, SyntheticInverse
from neumatc.operations import TruncatedSVD

__all__ = ["FIGURE2", "FIGURE3", "FIGURE4"]

SAMPLES, KEPT = 100, 60
"""Matrices that are stacked, and singular values of the stack that are kept."""

ENTRIES = 4
"""Entries drawn along p."""

SIZES = (64, 128, 256, 512, 1024, 2048)
COUNTS = (1, 10, 100, 1000)
CALLS = 20


def decay(stack: Array) -> list[float]:
    """Return the singular values of the flattened matrices ``(m, ...)``, relative to the largest."""
    s = np.linalg.svd(stack.reshape(len(stack), -1), compute_uv=False)
    return [float(value) for value in s[:KEPT] / s[0]]


def results(family: Any, rank: int | None, points: Array) -> dict[str, Array]:
    """Return A(p) and its inverse, or A(p) and its leading triplets in one smooth gauge, stacked."""
    A = np.stack([family(float(p)) for p in points])
    if rank is None:
        return {"A": A, "inverse": np.linalg.inv(A)}
    U, S, Vh = np.linalg.svd(A, full_matrices=False)
    operation = TruncatedSVD(rank)
    core = np.zeros((len(A), rank, rank), dtype=A.dtype)  # a gauge turns the phases of its rows
    core[:, range(rank), range(rank)] = S[:, :rank]
    raw = {"U": U[..., :rank], "M": core, "V": Vh[:, :rank].conj().swapaxes(-1, -2)}
    lo, hi = np.ravel(family.box)
    smooth = aligned((2 * (points - lo) / (hi - lo) - 1)[:, None], raw, operation.gauge)
    return {"A": A, "U": smooth["U"], "core": smooth["M"], "V": smooth["V"], "U sorted": U[..., :rank]}


def families(setting: Setting) -> list[tuple[str, Any, int | None]]:
    """Return synthetic and real families, each with the rank of its SVD or None for the inverse."""
    n, rank, real = setting.count(256, 16), setting.count(20, 3), channel(setting)
    return [
        ("synthetic inverse", SyntheticInverse(n=n, rank=rank, cond=10), None),
        ("channel inverse", RegularisedGram(real), None),
        ("synthetic SVD", SyntheticSVD(n=n, rank=rank), rank),
        ("channel SVD", real, setting.count(10, 2)),
    ]


def grid(family: Any, count: int) -> Array:
    """Return equidistant points of the box of one parameter."""
    points: Array = np.linspace(*np.ravel(family.box), count)
    return points


def plain(measurement: str, case: str, family: Any, **extra: Any) -> Row:
    """Return a row that holds curves."""
    n = len(family(float(np.mean(family.box))))
    return Row(measurement, case, family.name, n, 1, "", "exact", seed=0, extra=extra)


def decays(setting: Setting, case: str, family: Any, rank: int | None) -> Iterator[Row]:
    """Singular values of stacked matrices and results."""
    found = results(family, rank, grid(family, setting.count(SAMPLES, 12)))
    yield plain("figure2", case, family, decay={name: decay(stack) for name, stack in found.items()})


def entries(setting: Setting, case: str, family: Any, rank: int | None) -> Iterator[Row]:
    """A few entries along p, real parts."""
    points = grid(family, setting.count(SAMPLES, 12))
    curves = {}
    for name, stack in results(family, rank, points).items():
        flat = stack.reshape(len(stack), -1).real
        some = np.random.default_rng(5).choice(flat.shape[1], min(ENTRIES, flat.shape[1]), replace=False)
        curves[name] = flat[:, some].T.tolist()
    yield plain("figure3", case, family, points=points.tolist(), entries=curves)


def sizes(setting: Setting, n: int) -> Iterator[Row]:
    """One inverse, by LAPACK and by a fit, alone and in a batch of a hundred."""
    family = SyntheticInverse(n=n, rank=min(20, n // 4), cond=10)
    fit = nmc.inv(family, family.box, samples=40, tol=1e-6, rng=0)
    A = family(0.37)
    batch = np.linspace(0, 1, max(1, min(100, (1 << 28) // A.nbytes)))
    out = np.empty((len(batch), n, n))
    exact, alone, many = interleaved(
        [lambda: np.linalg.inv(A), lambda: fit(0.37), lambda: fit(batch, out=out)], setting.count(CALLS, 2)
    )
    yield timed("figure4", f"n = {n}", family, fit, exact, alone).having(
        extra={"sweep": "n", "value": n, "batch_us": many.median / len(batch), "batch": len(batch)},
    )


def counts(setting: Setting, count: int) -> Iterator[Row]:
    """Many inverses of n = 512 at once: LAPACK one after the other, and a fit in batches that fit in memory."""
    n = setting.count(512, 24)
    family = SyntheticInverse(n=n, rank=min(20, n // 4), cond=10)
    fit = nmc.inv(family, family.box, samples=40, tol=1e-6, rng=0)
    A, points = family(0.37), np.linspace(0, 1, count)
    chunk = np.array_split(points, -(-count // 100))
    out = np.empty((len(chunk[0]), n, n))

    def ours() -> None:
        for some in chunk:
            fit(some, out=out[: len(some)])

    def lapack() -> None:
        for _ in points:
            np.linalg.inv(A)

    calls = setting.count(3 if count >= 100 else CALLS, 2)
    exact, many = interleaved([lapack, ours], calls)
    yield timed("figure4", f"{count} points", family, fit, exact, many).having(extra={"sweep": "count", "value": count})


def timed(measurement: str, case: str, family: Any, fit: nmc.Fit, exact: Any, ours: Any) -> Row:
    """Return the row of two timings, with the true error of what was timed."""
    at = np.random.default_rng(3).uniform(0, 1, 5)
    errors = [TASKS["inv"].error(fit(float(p)), np.linalg.inv(family(float(p)))) for p in at]
    return Row(
        measurement,
        case,
        family.name,
        fit.shape[0],
        1,
        "inv",
        "curve",
        d=fit.surrogate.d,
        samples=len(fit.samples),
        seed=0,
        tol=fit.tol,
        status=fit.status,
        offline_seconds=fit.cost.total_seconds - fit.cost.build_seconds,
        online_us=ours.median,
        online_spread=ours.spread,
        baseline="numpy.linalg.inv",
        baseline_us=exact.median,
        baseline_spread=exact.spread,
        calls=ours.calls,
        points=len(errors),
        error_worst=max(errors),
    )


def each(run: Callable[..., Iterator[Row]], setting: Setting) -> list[Case]:
    """One case per family."""
    return [Case(name, partial(run, setting, name, family, rank)) for name, family, rank in families(setting)]


def figure4(setting: Setting) -> list[Case]:
    """Both sweeps."""
    listed = [Case(f"n = {n}", partial(sizes, setting, n)) for n in (SIZES[:1] if setting.quick else SIZES)]
    many = COUNTS[:2] if setting.quick else COUNTS
    return listed + [Case(f"{count} points", partial(counts, setting, count)) for count in many]


FIGURE2 = Measurement("figure2", "Figures 2, 6, 7: decay of stacked matrices and results", partial(each, decays))
FIGURE3 = Measurement("figure3", "Figure 3: entries along p, with and without a smooth gauge", partial(each, entries))
FIGURE4 = Measurement("figure4", "Figure 4: time against n, and against the number of points", figure4)
