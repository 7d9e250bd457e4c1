"""Results as rows, and rows as a table: nothing is shown that is not in the file of results."""

from __future__ import annotations

import itertools
import json
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neumatc.demo.check import Findings
from neumatc.demo.jobs import Job
from neumatc.demo.timing import OURS, Times
from neumatc.fitted import Fit

Row = dict[str, Any]

FOLD = 32
"""Widest cell of the table for a terminal."""


def row(job: Job, fit: Fit, found: Findings, times: Times, seed: int, machine: Mapping[str, Any]) -> Row:
    """Everything about one job, as plain numbers and text."""
    rank = getattr(job.reference.operation, "rank", None)
    return {
        "title": job.title,
        "family": job.matrix.name,
        "operation": fit.operation.name,
        "shape": list(fit.shape),
        "rank": rank,
        "exact_solves": len(fit.samples),
        "d": fit.surrogate.d,
        "megabytes": fit.surrogate.nbytes / 1e6,
        "basis": fit.basis.name,
        "tol": fit.tol,
        "status": fit.status,
        "held_out_residual": fit.error,
        "subcarriers": job.subcarriers,
        **_accuracy(found),
        **_speed(times),
        **_cost(fit, times),
        "seed": seed,
        **machine,
    }


def _accuracy(found: Findings) -> Row:
    shares = {f"share_{path}": float(np.mean(found.path == path)) for path in ("surrogate", "corrected", "exact")}
    return {
        "checked": len(found.p),
        "worst_residual": float(found.residual.max()),
        "median_residual": float(np.median(found.residual)),
        "bounds_below_residual": int(np.sum(found.bound < found.residual)),
        "worst_error": float(found.error.max()),
        "median_error": float(np.median(found.error)),
        "worst_excess": None if found.excess is None else float(found.excess.max()),
        **shares,
        "certified_worst_residual": float(found.certified_residual.max()),
        "certified_seconds": found.certified_seconds,
    }


def _speed(times: Times) -> Row:
    return {
        "alone": {name: asdict(seconds) for name, seconds in times.alone.items()},
        "batch": {name: asdict(seconds) for name, seconds in times.batch.items()},
        "rival_error": dict(times.error),
        "best_alone": times.best_alone,
        "best_batch": times.best_batch,
        "sweep_seconds": times.sweep,
    }


def _cost(fit: Fit, times: Times) -> Row:
    """Offline seconds and after how many matrices they are earned back, against the best LAPACK call in a batch."""
    cost = fit.cost
    build = cost.build_seconds / max(cost.built, 1)
    rival, ours = times.batch[times.best_batch].median, times.batch[OURS].median
    offline = cost.total_seconds - cost.build_seconds
    return {
        "offline_seconds": offline,
        "build_seconds": cost.build_seconds,
        "built": cost.built,
        "build_seconds_each": build,
        # LAPACK needs A(p) at every p, the fit only where it learns: where A(p) must be built both sides pay for it.
        "break_even_given": _break_even(offline, rival - ours),
        "break_even_built": _break_even(cost.total_seconds, rival + build - ours),
    }


def _break_even(spent: float, gain: float) -> int | None:
    return math.ceil(spent / gain) if gain > 0 else None


def dumps(rows: Sequence[Row]) -> str:
    """Rows as JSON."""
    return json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Line:
    """One line of the table: its label and how a row fills it."""

    label: str
    text: Callable[[Row], str]


LINES = (
    Line("A(p)", lambda r: r["family"]),
    Line("n", lambda r: _size(r)),
    Line("exact solves", lambda r: str(r["exact_solves"])),
    Line("d (latent tensor)", lambda r: f"{r['d']} ({r['megabytes']:.1f} MB)"),
    Line("basis chosen", lambda r: r["basis"]),
    Line("status", lambda r: f"{r['status']} (tol {r['tol']:.0e})"),
    Line("held-out residual", lambda r: f"{r['held_out_residual']:.1e}"),
    Line("subcarriers, checked", lambda r: f"{r['subcarriers']}, {r['checked']}"),
    Line("true residual, worst (median)", lambda r: _worst(r, "residual")),
    Line("true error, worst (median)", lambda r: _worst(r, "error")),
    Line("truncation excess, worst", lambda r: "-" if r["worst_excess"] is None else f"{r['worst_excess']:.1e}"),
    Line("certified: as is", lambda r: _percent(r["share_surrogate"])),
    Line("certified: corrected", lambda r: _percent(r["share_corrected"])),
    Line("certified: exact", lambda r: _percent(r["share_exact"])),
    Line("certified: true residual, worst", lambda r: f"{r['certified_worst_residual']:.1e}"),
    Line("certified: time per answer", lambda r: _time(r["certified_seconds"])),
    Line("one p: NeuMatC", lambda r: _time(r["alone"][OURS]["median"])),
    Line("one p: best LAPACK", lambda r: _best(r, "alone")),
    Line("one p: ratio", lambda r: _ratio(r, "alone")),
    Line("batch: NeuMatC, per matrix", lambda r: _time(r["batch"][OURS]["median"])),
    Line("batch: best LAPACK, per matrix", lambda r: _best(r, "batch")),
    Line("batch: ratio", lambda r: _ratio(r, "batch")),
    Line("beside: inexact rival in a batch", lambda r: _inexact(r)),
    Line("offline, without A(p)", lambda r: f"{r['offline_seconds']:.1f} s"),
    Line(
        "offline, building A(p)",
        lambda r: f"{r['build_seconds']:.1f} s ({r['built']} × {_time(r['build_seconds_each'])})",
    ),
    Line("break-even, A(p) given", lambda r: _count(r["break_even_given"])),
    Line("break-even, A(p) built", lambda r: _count(r["break_even_built"])),
)


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """The table as text cells, a header first; one column for each job."""
    return [["", *(r["title"] for r in rows)], *([line.label, *(line.text(r) for r in rows)] for line in LINES)]


def text(rows: Sequence[Row]) -> str:
    """The table for a terminal; long cells are folded."""
    table = [part for line in cells(rows) for part in _folded(line)]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    return "\n".join([lines[0], "-" * len(max(lines, key=len)), *lines[1:], "", footnote(rows[0])])


def _folded(line: Sequence[str]) -> list[tuple[str, ...]]:
    parts = [textwrap.wrap(cell, FOLD) for cell in line]
    return list(itertools.zip_longest(*parts, fillvalue="")) or [tuple(line)]


def markdown(rows: Sequence[Row]) -> str:
    """The table for a README."""
    header, *body = ["| " + " | ".join(line) + " |" for line in cells(rows)]
    rule = "|" + "---|" * (len(rows) + 1)
    return "\n".join([header, rule, *body, "", footnote(rows[0]), ""])


def footnote(r: Row) -> str:
    """Where the numbers come from."""
    versions = ", ".join(f"{name} {version}" for name, version in r["versions"].items())
    return (
        f"Times on {r['cpu']}, {r['threads']} thread(s) of {r['cores']} core(s), medians of interleaved runs with A(p) "
        f"given; {versions}; seed {r['seed']}."
    )


def _size(r: Row) -> str:
    n1, n2 = r["shape"]
    rank = "" if r["rank"] is None else f", rank {r['rank']}"
    return (f"{n1}" if n1 == n2 else f"{n1} × {n2}") + rank


def _worst(r: Row, what: str) -> str:
    return f"{r[f'worst_{what}']:.1e} ({r[f'median_{what}']:.0e})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _best(r: Row, how: str) -> str:
    name = r[f"best_{how}"]
    return f"{_time(r[how][name]['median'])} ({name})"


def _ratio(r: Row, how: str) -> str:
    ratio = r[how][r[f"best_{how}"]]["median"] / r[how][OURS]["median"]
    return f"{ratio:.1f} × faster" if ratio >= 1 else f"{1 / ratio:.1f} × slower"


def _inexact(r: Row) -> str:
    rest = [name for name in r["batch"] if name != OURS and r["rival_error"][name] > 1e-10]
    return ", ".join(f"{_time(r['batch'][n]['median'])} ({n}, error {r['rival_error'][n]:.0e})" for n in rest) or "-"


def _count(count: int | None) -> str:
    return "never" if count is None else f"{count} matrices"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
