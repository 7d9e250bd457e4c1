"""The curves: cost against n, batch, d and parameters; how much of each target is used; rates by size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from benchmarks.paper.report.drawing import BLUE, COLOURS, GREY, INK, ORANGE, canvas, inked
from benchmarks.paper.report.rows import Record, of
from benchmarks.paper.report.words import number
from benchmarks.speed.report.figures import Said, said
from benchmarks.speed.targets import ALONE

__all__ = ["Drawing", "drawings"]

GREEN, VIOLET, RED = COLOURS[2], COLOURS[3], COLOURS[4]


@dataclass(frozen=True)
class Drawing:
    """A picture, its name in file names, and its caption."""

    name: str
    figure: Figure
    caption: str


def drawings(records: Sequence[Record]) -> list[Drawing]:
    """Return those for which there are rows."""
    scaling, found = of(records, "speed-scaling"), []
    with inked():
        if any(each.passed is not None for record in records for each in said(record)):
            found.append(Drawing("targets", used(records), USED))
        if sweep(scaling, "n"):
            found.append(Drawing("size", sizes(sweep(scaling, "n")), SIZES))
        if scaling:
            found.append(Drawing("sweeps", sweeps(scaling), SWEEPS))
        if any("limits" in record["extra"] for record in records):
            found.append(Drawing("limits", rates(records), RATES))
    return found


def sweep(records: Sequence[Record], name: str, batch: int | None = None) -> list[Record]:
    """Return the rows of a sweep in order; those with one point, or with more than one, where ``batch`` says so."""
    own = [record for record in records if record["extra"]["sweep"] == name]
    if batch is not None:
        own = [record for record in own if (record["extra"]["batch"] == 1) == (batch == 1)]
    return sorted(own, key=lambda record: (record["extra"]["value"], record["extra"]["batch"]))


def used(records: Sequence[Record]) -> Figure:
    """Every target as a line: quartiles of what was measured over what is allowed, hollow for a lone thread.

    Targets of the growth of costs are left to their own picture.
    """
    targets: dict[str, list[Said]] = {}
    for record in records:
        for each in said(record):
            if each.passed is not None and each.share > 0 and record["measurement"] != "speed-scaling":
                targets.setdefault(named(each).replace(ALONE, ""), []).append(each)
    figure, (axes,) = canvas(1, 1, width=9.6, height=0.8 + 0.21 * len(targets))
    for i, several in enumerate(targets.values()):
        for each in several:
            colour, scale = (GREEN if each.passed else RED), each.share / each.median
            ends = sorted((each.share, *_ends(each, scale)))
            inside = "white" if ALONE in each.record["case"] else colour
            axes.plot([ends[0], ends[-1]], [i, i], color=colour, linewidth=2, alpha=0.4)
            axes.plot(each.share, i, "o", color=colour, markersize=4.5, markerfacecolor=inside)
    axes.axvline(1.0, color=INK, linewidth=1, linestyle="--")
    axes.set(xscale="log", xlabel="share of the target that is used (left of the line: held)", ylim=(len(targets), -1))
    numbered(axes.xaxis)
    axes.set_yticks(range(len(targets)), list(targets), fontsize=7)
    axes.grid(visible=False, axis="y")
    return figure


def _ends(each: Said, scale: float) -> tuple[float, float]:
    if each.least is not None:
        return each.least / max(each.low, 1e-12), each.least / max(each.high, 1e-12)
    return each.low * scale, each.high * scale


def named(each: Said) -> str:
    """Return a target in one line."""
    group = each.record["measurement"].removeprefix("speed-")
    return f"{group} · {each.record['case']} · {each.text}"


def sizes(records: Sequence[Record]) -> Figure:
    """Seconds of everything against n, and answers beside the model."""
    figure, (left, right) = canvas(1, 2, width=9.6, height=3.8)
    one, many = sweep(records, "n", 1), sweep(records, "n", 2)
    n = [record["n"] for record in one]
    timed(left, n, one, BLUE, "an answer, alone")
    timed(left, n, many, GREEN, "an answer, in a batch")
    for key, colour, label in (
        ("exact_us", INK, "exact solve"),
        ("correction_us", ORANGE, "correction, in a batch"),
        ("certificate_us", VIOLET, "certificate, in a batch"),
    ):
        shown(left, [(r["n"], r["extra"][key]) for r in many if key in r["extra"]], colour, label)
    shown(left, [(r["n"], 1e6 * r["extra"]["fit_seconds"]) for r in one], GREY, "the whole fit")
    left.set(xscale="log", yscale="log", xlabel="n", ylabel="µs", title="cost against n")
    for own, colour, label in ((one, BLUE, "alone"), (many, GREEN, "in a batch")):
        timed(right, n, own, colour, f"measured, {label}")
        shown(right, [(r["n"], r["baseline_us"]) for r in own], colour, f"model, {label}", dashed=True)
    right.set(xscale="log", yscale="log", xlabel="n", title="an answer beside the model")
    for axes in (left, right):
        ticks(axes, n)
        axes.legend(fontsize=7)
    return figure


def sweeps(records: Sequence[Record]) -> Figure:
    """The other three sweeps beside the model, and the error against d."""
    figure, panels = canvas(1, 3, width=9.6, height=3.2)
    batch = sweep(records, "batch, n")
    timed(panels[0], [r["extra"]["batch"] for r in batch], batch, BLUE, "measured")
    shown(panels[0], [(r["extra"]["batch"], r["baseline_us"]) for r in batch], BLUE, "model", dashed=True)
    title = f"a point against the batch, n = {batch[0]['n']}" if batch else ""
    panels[0].set(xscale="log", yscale="log", xlabel="points of a batch", ylabel="µs a point", title=title)
    for axes, name in zip(panels[1:], ("d", "parameters"), strict=True):
        for own, colour, label in (
            (sweep(records, name, 1), BLUE, "alone"),
            (sweep(records, name, 2), GREEN, "in a batch"),
        ):
            at = [r["d"] if name == "d" else r["extra"]["value"] for r in own]
            timed(axes, at, own, colour, label)
            modelled = [(x, r["baseline_us"]) for x, r in zip(at, own, strict=True)]
            shown(axes, modelled, colour, f"model, {label}", dashed=True)
        size = f", n = {own[0]['n']}" if own else ""
        axes.set(yscale="log", xlabel=name, title=f"a point against {name}{size}")
    panels[2].xaxis.set_major_locator(MaxNLocator(integer=True))
    ends = sweep(records, "d", 1)
    if ends:
        errors = panels[1].twinx()
        errors.semilogy([r["d"] for r in ends], [float(r["error_worst"]) for r in ends], "x:", color=RED, label="error")
        errors.set_ylabel("worst true error (crosses)", color=RED)
        errors.grid(visible=False)
    for axes in panels:
        numbered(axes.yaxis)
    for axes in (panels[0], panels[2]):  # the two panels on the right share their colours
        axes.legend(fontsize=7)
    return figure


def rates(records: Sequence[Record]) -> Figure:
    """Reading and writing by the size of the array, as measured beside the answers."""
    figure, (axes,) = canvas(1, 1, width=6.0, height=3.0)
    for kind, colour in (("read", BLUE), ("fill", ORANGE)):
        every = [record["extra"].get("limits", {}) for record in records]
        own = [found for found in every if f"{kind}_gbs" in found]
        points = sorted((found[f"{kind}_bytes"] / 1e6, found[f"{kind}_gbs"]) for found in own)
        if points:
            x, y = np.array(points).T
            axes.scatter(x, y, 16, colour, label={"read": "reading", "fill": "writing"}[kind], alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="MB", ylabel="GB/s", title="memory, by the size of the array")
    numbered(axes.yaxis)
    axes.legend()
    return figure


def timed(axes: Axes, at: Sequence[float], records: Sequence[Record], colour: str, label: str) -> None:
    """Draw medians with quartiles."""
    if not records:
        return
    middle = np.array([record["online_us"] for record in records])
    low, high = np.array([record["online_spread"] for record in records]).T
    bars = np.maximum([middle - low, high - middle], 0.0)
    axes.errorbar(at, middle, bars, color=colour, marker="o", label=label, capsize=2, elinewidth=1)


def shown(axes: Axes, points: Sequence[tuple[float, float]], colour: str, label: str, dashed: bool = False) -> None:
    """Draw a line; one that is a model is dashed."""
    if points:
        x, y = np.array(points).T
        style = {"linestyle": "--", "linewidth": 1.0} if dashed else {"marker": "."}
        axes.plot(x, y, color=colour, label=label, **style)


def numbered(axis: Axis) -> None:
    """Write plain numbers on a logarithmic axis that spans a few decades at most."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def ticks(axes: Axes, at: Sequence[float]) -> None:
    """Name every size."""
    axes.set_xticks(at, [number(value) for value in at], rotation=45)
    axes.minorticks_off()


USED = (
    "Every target: the dot is the median of what was measured, as a share of what is allowed, the bar its quartiles; "
    "filled with two threads, hollow with one. Right of the dashed line a target is missed."
)
SIZES = (
    "Left: one answer, its correction and its certificate, the exact solve and the whole fit against n, all with about "
    "the same number of slices. Right: answers beside the model, whose rates were measured in the same turns."
)
SWEEPS = (
    "Microseconds a point against the batch, the number of slices d, and the number of parameters. Dashed: the model. "
    "Crosses: the worst true error, which falls with d."
)
RATES = (
    "Rates of reading and writing beside the answers of this page: caches are faster than memory, and a batch is "
    "written to memory."
)
