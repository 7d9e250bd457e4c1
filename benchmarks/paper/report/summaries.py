"""Each table and figure in a sentence or two: what was done, what came out, who won. Every figure is from the rows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.paper.published import TABLES
from benchmarks.paper.report.contests import Contest, Entrant
from benchmarks.paper.report.rows import Record, mean
from benchmarks.paper.report.special import all_ms, by, krylov, quotient
from benchmarks.paper.report.text import CURVES
from benchmarks.paper.report.words import counted, factor, listed, named, number, times

__all__ = [
    "average", "contest", "decay", "entries", "gpu", "growth", "hyperparameters", "jumps", "modes", "sampling",
    "sparse", "variants",
]  # fmt: skip

LEVEL = 1e-4
"""Relative to the largest, below which a singular value of a stack is not counted as a mode."""


def contest(found: Contest) -> str:
    """Sum up a contest."""
    ours = [each for each in found.ours if each]
    if not ours:
        return "None of our two ways has rows here yet."
    solves = listed([str(count) for count in sorted({each.timed["samples"] for each in ours})])
    sets = max(len(each.rows) for each in ours)
    start = (
        f"{counted(len(found.entrants), 'method')} answered the same {counted(ours[0].timed['points'], 'point')}, ours "
        f"{counted(sets, 'data set')} in all (n = {ours[0].timed['n']}); they had {solves} exact solves."
    )
    return " ".join(filter(None, (start, accuracy(found, ours), speed(found, ours))))


def accuracy(found: Contest, ours: Sequence[Entrant]) -> str:
    """Who is most accurate, and how we stand to the paper's figure."""
    printed = found.printed.squared_error
    parts = []
    for each in ours:
        error = each.mean_squared
        compared = f", {times(printed / error, 'smaller', 'larger')} than the paper's" if printed and error else ""
        parts.append(f"{named(each.method)} {number(error)}{compared}")
    best = min(found.approximate, key=lambda each: finite(each.mean_squared))
    paper = f" (the paper: {number(printed)})" if printed else ""
    return f"Mean squared error{paper}: {'; '.join(parts)}. Most accurate approximation: **{named(best.method)}**."


def finite(value: float | None) -> float:
    """Return a number that can be compared."""
    return math.inf if value is None or math.isnan(value) else value


def speed(found: Contest, ours: Sequence[Entrant]) -> str:
    """Who is fastest, and how the ratio to NumPy stands to the paper's."""
    reference = found.reference
    if reference is None or reference.alone_us is None:
        return ""
    fastest = min(found.entrants, key=lambda each: each.fastest_us)
    parts = []
    for each in ours:
        ratios = zip(found.faster(each, reference), ("alone", "in a batch"), strict=True)
        parts.append(f"{named(each.method)} {listed([f'{factor(value)} {how}' for value, how in ratios if value])}")
    paper = f" (the paper: {factor(found.printed_ratio)})" if found.printed_ratio else ""
    return (
        f"NumPy takes {number(reference.alone_us / 1e3)} ms an answer; relative speed{paper}: {'; '.join(parts)}. "
        f"Fastest: **{named(fastest.method)}** with {number(fastest.fastest_us / 1e3)} ms."
    )


def variants(records: Sequence[Record], table: str, name: str) -> str:
    """Sum up table 9."""
    means = {each: average(own) for each, own in by(records, lambda row: row["extra"][name]).items()}
    order = sorted(means, key=lambda each: means[each])
    paper = sorted((each for each in TABLES[table]), key=lambda each: finite(TABLES[table][each].squared_error))
    agree = "as in" if order[0] == paper[0] else f"not {paper[0]} as in"
    return (
        f"Joint training of the same inverse with {counted(len(order), name)}. **{order[0]}** is most accurate, "
        f"{agree} the paper (mean squared error {number(means[order[0]])}); from best to worst: {', '.join(order)} "
        f"(the paper: {', '.join(paper)})."
    )


def average(records: Sequence[Record]) -> float:
    """Return the mean squared error over seeds."""
    return finite(mean([float(row["squared_error"]) for row in records]))


def sampling(records: Sequence[Record]) -> tuple[str, bool]:
    """Sum up table 8, and say whether adaptive sampling is ahead in every seed."""
    groups = by(records, lambda row: row["extra"]["sampling"])
    errors = {name: [float(row["squared_error"]) for row in own] for name, own in groups.items()}
    if set(errors) != {"random", "adaptive"}:
        return f"Only {listed(sorted(errors))} collocation has rows yet.", False
    adaptive, random = errors["adaptive"], errors["random"]
    spans = {name: f"{number(min(values))} to {number(max(values))}" for name, values in errors.items()}
    apart = max(adaptive) < min(random)
    ahead = "adaptive" if mean(adaptive) < mean(random) else "random" if mean(random) < mean(adaptive) else "neither"  # type: ignore[operator]
    verdict = (
        "adaptive sampling beats random sampling in every seed, and the spreads do not overlap"
        if apart
        else f"the spreads overlap, so adaptive sampling is not shown to be better; smaller mean: **{ahead}**"
    )
    return (
        f"Joint training with {counted(len(adaptive), 'seed')} each. Squared errors are {spans['adaptive']} with "
        f"adaptive and {spans['random']} with random collocation: {verdict}."
    ), apart


def sparse(records: Sequence[Record]) -> str:
    """Sum up table 11."""
    ours = [row for row in records if row["method"].startswith(("joint", "default"))]
    slow = all_ms(krylov(records))
    if not ours:
        return "Our ways have no rows here yet."
    parts = []
    for row in ours:
        ratio = quotient(slow, all_ms(row))
        faster = f", {times(ratio, 'faster', 'slower')} than Krylov recycling" if ratio else ""
        parts.append(
            f"Our {row['method']} mode: worst relative residual {number(float(row['residual_worst']))}, all systems in "
            f"{number(all_ms(row))} ms{faster}"
        )
    others = [row for row in records if row not in ours]
    accurate = min([*ours, *others], key=lambda row: finite(float(row["residual_worst"])))
    fast = min([*ours, *others], key=lambda row: finite(all_ms(row)))
    return (
        f"{counted(ours[0]['points'], 'system')} of {ours[0]['n']:,} unknowns. {'. '.join(parts)}. Most accurate: "
        f"**{accurate['method']}**; fastest, preparation aside: **{fast['method']}**."
    )


def gpu(records: Sequence[Record]) -> str:
    """Sum up a table of a GPU."""
    devices = sorted({row["extra"]["device"] for row in records if row["extra"]["device"] != "cpu"})
    ratios = [
        float(row["baseline_us"]) / float(row["online_us"])
        for row in records
        if row["baseline_us"] and "all_in_seconds" not in row["extra"]
    ]
    ratios += [
        float(row["extra"]["baseline_seconds"]) / float(row["extra"]["all_in_seconds"])
        for row in records
        if "all_in_seconds" in row["extra"]
    ]
    text = f"Measured on {listed(devices) if devices else 'a CPU, to try the way'}. "
    if not ratios:
        errors = [float(row["error_worst"]) for row in records if row["error_worst"] is not None]
        sizes = sorted({row["n"] for row in records})
        return text + f"Sizes {sizes[0]} to {sizes[-1]}; the relative error is at most {number(max(errors))}."
    won = sum(ratio > 1 for ratio in ratios)
    return (
        text
        + f"The default mode is faster than the solver beside it in {won} of {len(ratios)} lines, "
        + (f"{number(min(ratios))} to {number(max(ratios))} times.")
    )


def modes(values: Sequence[Any]) -> str:
    """Return how many singular values are above the level."""
    count = sum(float(value) >= LEVEL for value in values)
    return f"more than {count}" if count == len(values) else str(count)


def decay(records: Sequence[Record]) -> str:
    """Sum up figures 2, 6 and 7."""
    parts = []
    for row in records:
        curves = row["extra"]["decay"]
        needs = [
            f"{modes(values)} of {CURVES.get(name, name)}" for name, values in curves.items() if name != "U sorted"
        ]
        parts.append(f"{row['case']}: {listed(needs)}")
    return (
        f"Matrices and results along p were stacked, and the singular values of the stack computed. Above "
        f"{number(LEVEL)} of the largest are: {'; '.join(parts)}."
    )


def jumps(curves: Sequence[Sequence[Any]]) -> float:
    """Return the largest step between neighbouring points, as a share of the range of the entry."""
    values = np.array(curves, dtype=float)
    ranges = np.maximum(np.ptp(values, axis=1), np.finfo(float).tiny)
    return float((np.abs(np.diff(values, axis=1)).max(axis=1) / ranges).max())


def entries(records: Sequence[Record]) -> str:
    """Sum up figure 3."""
    parts = []
    for row in records:
        curves: Mapping[str, Any] = row["extra"]["entries"]
        if "U sorted" in curves:
            smooth, raw = jumps(curves["U"]), jumps(curves["U sorted"])
            parts.append(f"{row['case']} {number(100 * smooth)}% instead of {number(100 * raw)}%")
    start = "Entries of matrices and results were followed along p, in a smooth choice of order and phase. "
    return start + (f"Largest step of U between neighbours, of its range: {listed(parts)}." if parts else "")


def growth(records: Sequence[Record]) -> str:
    """Sum up figure 4."""
    parts = []
    for sweep, what in (("n", "the size"), ("count", "the number of points")):
        own = sorted(
            (row for row in records if row["extra"].get("sweep") == sweep), key=lambda row: row["extra"]["value"]
        )
        if len(own) > 1:
            at = [row["extra"]["value"] for row in own]
            theirs, ours = (slope(at, [row[name] for row in own]) for name in ("baseline_us", "online_us"))
            ratio = own[-1]["baseline_us"] / (own[-1]["extra"].get("batch_us") or own[-1]["online_us"])
            end = f"{at[-1]} points" if sweep == "count" else f"n = {at[-1]}, in a batch,"
            parts.append(
                f"With {what}, NumPy's time grows like the power {number(theirs)}, ours like {number(ours)}; at {end} "
                f"we are {times(ratio, 'faster', 'slower')}."
            )
    start = "One inverse was timed at several sizes, and many inverses at once. The paper's picture shows a "
    return start + "nearly constant time of its method in n. " + " ".join(parts)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the power of x that y follows over the upper half, where overheads have died away."""
    some = max(2, (len(x) + 1) // 2)
    return float(np.polyfit(np.log(x[-some:]), np.log(y[-some:]), 1)[0])


def hyperparameters(records: Sequence[Record]) -> str:
    """Sum up figure 5."""
    parts, below = [], True
    for name, own in by(records, lambda row: row["extra"]["hyperparameter"]).items():
        means = {value: average(rows) for value, rows in by(own, lambda row: row["extra"]["value"]).items()}
        best, least = min(means, key=lambda v: means[v]), max(means, key=lambda v: means[v])
        below = below and means[least] < 1e-2
        parts.append(f"{name} {best:g} to {least:g} ({number(means[best])} to {number(means[least])})")
    stays = "stays" if below else "does **not** stay"
    return (
        f"Joint training of the same inverse, one hyperparameter changed at a time. The mean squared error {stays} "
        f"below the paper's 10⁻² everywhere; best to worst value: {'; '.join(parts)}."
    )
