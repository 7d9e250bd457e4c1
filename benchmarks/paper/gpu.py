"""Tables 4, 5 and 13: on a GPU. Without one a row says so; a quick run is tried on the CPU, small."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

import neumatc as nmc
from benchmarks.baselines.cusolver import DRIVERS
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.paper.families import SyntheticSVD
from benchmarks.record import Row
from neumatc.gallery import SyntheticInverse

__all__ = ["TABLE4", "TABLE5", "TABLE13"]

CALLS, WARM = 20, 2
LONG = 10.0
"""Seconds of a call that is not repeated, far beyond what setting up a library takes: some drivers need a minute."""

NO_GPU = "skipped: torch sees no CUDA device on this machine"


def device(setting: Setting) -> str | None:
    """Return where to run: the GPU, the CPU if only the way is tried, or None."""
    if torch.cuda.is_available():
        return "cuda"
    return "cpu" if setting.quick else None


def skipped(measurement: str, case: str) -> Iterator[Row]:
    """Say why nothing was measured."""
    yield Row(measurement, case, "", 0, 1, "", "", status=NO_GPU)


def median_us(function: Any, where: str, calls: int) -> tuple[float, tuple[float, float]]:
    """Return median and quartiles of warm calls, the device idle before and after each; the first if that is long."""
    wait = torch.cuda.synchronize if where == "cuda" else (lambda: None)
    spent: list[float] = []
    while len(spent) < calls + WARM and not (spent and spent[0] > LONG):
        wait()
        start = time.perf_counter()
        function()
        wait()
        spent.append(time.perf_counter() - start)
    low, middle, high = 1e6 * np.quantile(spent[WARM:] or spent, (0.25, 0.5, 0.75))
    return float(middle), (float(low), float(high))


def named(where: str) -> str:
    """Return the name of the device."""
    return torch.cuda.get_device_name() if where == "cuda" else "cpu"


def answered(measurement: str, case: str, fit: nmc.Fit, family: Any, batch: int, where: str, calls: int) -> Row:
    """Time a batch of answers: of the fit where it is, or carried to the device."""
    p = torch.linspace(0, 1, batch, dtype=torch.float64, device=where)
    query = partial(fit, p.numpy()) if where == "cpu" else partial(fit.to(where), p)
    ours, spread = median_us(query, where, calls)
    return Row(
        measurement, case, family.name, fit.shape[0], 1, fit.operation.name, "curve", d=fit.surrogate.d,
        samples=len(fit.samples), seed=0, tol=fit.tol, status=fit.status, basis=fit.basis.name,
        offline_seconds=fit.cost.total_seconds - fit.cost.build_seconds, exact_seconds=fit.cost.solve_seconds,
        online_us=ours / batch, online_spread=(spread[0] / batch, spread[1] / batch), calls=calls, points=batch,
        extra={"device": named(where), "batch": batch},
    )  # fmt: skip


def scaling(setting: Setting, n: int, where: str) -> Iterator[Row]:
    """Table 4: one answer of the inverse, on both kinds of processor."""
    family = SyntheticInverse(n=n, rank=min(20, n // 4), cond=10)
    fit = nmc.inv(family, family.box, samples=setting.count(40, 12), tol=1e-6, rng=0)
    calls = setting.count(CALLS, 2)
    for place in dict.fromkeys(("cpu", where)):
        made = answered("table4", f"n = {n}, {place}", fit, family, 1, place, calls)
        yield made.having(error_worst=error(fit, family, place))


def error(fit: nmc.Fit, family: Any, where: str) -> float:
    """Return the worst relative error of a few answers of an inverse."""
    at = np.random.default_rng(3).uniform(0, 1, 5)
    answers = fit(at) if where == "cpu" else fit.to(where)(torch.from_numpy(at).to(where)).cpu().numpy()
    exact = [np.linalg.inv(family(float(p))) for p in at]
    return max(float(np.linalg.norm(G - X) / np.linalg.norm(X)) for G, X in zip(answers, exact, strict=True))


def amortised(setting: Setting, batch: int, where: str) -> Iterator[Row]:
    """Table 5: everything counted, exact solves, training and answers, beside cuSOLVER on the whole batch."""
    n, rank = setting.count(512, 16), setting.count(20, 3)
    family = SyntheticSVD(n=n, rank=rank)
    fit = nmc.svd(family, family.box, rank, samples=setting.count(40, 12), tol=1e-6, rng=0, device=where)
    made = answered("table5", f"batch {batch}", fit, family, batch, where, setting.count(5, 1))
    A = torch.stack([torch.from_numpy(family(float(p))) for p in np.linspace(0, 1, batch)]).to(where)
    theirs, spread = median_us(lambda: torch.linalg.svd(A, full_matrices=False), where, 1)
    total = fit.cost.total_seconds + 1e-6 * (made.online_us or 0.0) * batch
    yield made.having(
        baseline="torch.linalg.svd",
        baseline_us=theirs / batch,
        baseline_spread=(spread[0] / batch, spread[1] / batch),
        extra={**made.extra, "all_in_seconds": total, "baseline_seconds": 1e-6 * theirs},
    )


def batched(setting: Setting, n: int, batch: int, verb: str, where: str) -> Iterator[Row]:
    """Table 13: a batch of answers beside every driver of cuSOLVER."""
    family: Any = SyntheticInverse(n=n, rank=min(20, n // 4), cond=10)
    samples = setting.count(40, 12)
    if verb == "inv":
        fit = nmc.inv(family, family.box, samples=samples, tol=1e-6, rng=0)
    else:
        family = SyntheticSVD(n=n, rank=min(20, n // 4))
        fit = nmc.svd(family, family.box, min(20, n // 4), samples=samples, tol=1e-6, rng=0)
    calls = setting.count(CALLS, 2)
    made = answered("table13", f"{verb}, n = {n}, batch {batch}", fit, family, batch, where, calls)
    A = torch.stack([torch.from_numpy(family(float(p))) for p in np.linspace(0, 1, batch)]).to(where)
    for driver in DRIVERS if verb == "svd" and where == "cuda" else (None,):
        for full in (False, True) if verb == "svd" else (False,):
            found = made.having(baseline=f"torch.linalg.{verb} {driver or ''}{' full matrices' * full}".strip())
            try:
                theirs, spread = median_us(partial(solver, verb, A, driver, full), where, setting.count(3, 1))
            except torch.linalg.LinAlgError as cause:
                yield found.having(status="failed: LinAlgError", extra={**made.extra, "error": str(cause)})
                continue
            yield found.having(
                baseline_us=theirs / batch,
                baseline_spread=(spread[0] / batch, spread[1] / batch),
            )


def solver(verb: str, A: torch.Tensor, driver: str | None, full: bool) -> Any:
    """Call cuSOLVER, or LAPACK on a CPU."""
    return torch.linalg.inv(A) if verb == "inv" else torch.linalg.svd(A, full_matrices=full, driver=driver)


def cases(setting: Setting, name: str) -> list[Case]:
    """The cases of one table, or one that says why there are none."""
    where = device(setting)
    if where is None:
        return [Case(name, partial(skipped, name, name))]
    small = setting.quick
    if name == "table4":
        sizes = (16,) if small else (256, 512, 1024, 2048, 4096)
        return [Case(f"n = {n}", partial(scaling, setting, n, where)) for n in sizes]
    if name == "table5":
        batches = (4,) if small else (512, 1024, 2048)
        return [Case(f"batch {b}", partial(amortised, setting, b, where)) for b in batches]
    return [
        Case(f"{verb}, n = {n}, batch {b}", partial(batched, setting, n, b, verb, where))
        for verb in ("inv", "svd")
        for n in ((16,) if small else (32, 512))
        for b in ((4,) if small else (128, 256, 512))
    ]


TABLE4 = Measurement("table4", "Table 4: larger matrices on CPU and GPU", lambda setting: cases(setting, "table4"))
TABLE5 = Measurement("table5", "Table 5: everything counted, on a GPU", lambda setting: cases(setting, "table5"))
TABLE13 = Measurement("table13", "Table 13: beside batched cuSOLVER", lambda setting: cases(setting, "table13"))
