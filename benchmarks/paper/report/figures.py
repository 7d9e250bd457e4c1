"""The paper's figures, and pictures of its tables, drawn from our rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from benchmarks.paper.published import TABLES
from benchmarks.paper.report.contests import OURS, Contest
from benchmarks.paper.report.drawing import BLUE, COLOURS, GREY, INK, ORANGE, canvas, inked, svg
from benchmarks.paper.report.rows import Record, mean, real
from benchmarks.paper.report.special import by
from benchmarks.paper.report.text import CURVES

__all__ = ["bars", "decays", "entries", "factors", "growth", "hyperparameters", "inverses", "strip", "tradeoff"]

FLOOR = 1e-17
"""What stands for zero on a logarithmic axis."""

MIXED = {("inverse", "A"): "A(p), inverted", ("SVD", "A"): "A(p), decomposed"}
"""Where both are in one panel."""

LETTERS = {"layers": "L, layers", "width": "W, width", "d": "d, latent slices", "omega": "ω", "balance": "λ"}


def tradeoff(contests: Sequence[Contest], titles: Sequence[str], name: str) -> str:
    """Time against squared error, ours filled and the paper's hollow."""
    with inked():
        figure, panels = canvas(1, len(contests), height=3.6)
        named: list[list[tuple[float, float, str]]] = [[] for _ in panels]
        for axes, contest, title, labels in zip(panels, contests, titles, named, strict=True):
            for entrant in contest.entrants:
                colour = {"default": BLUE, "joint": ORANGE}.get(entrant.method, GREY)
                error = max(real(entrant.mean_squared) or 0.0, FLOOR**2)
                if not np.isfinite(error) or entrant.alone_us is None or entrant is contest.reference:
                    continue
                x, y = entrant.alone_us / 1e3, max(error, 1e-30)
                size = 55 if entrant.method in OURS else 24
                axes.scatter(x, y, size, colour, zorder=3)
                labels.append((x, y, entrant.method))
                if entrant.batch_us is not None:
                    axes.scatter(entrant.batch_us / 1e3, y, size, colour, marker="s", zorder=3)
                    axes.plot([x, entrant.batch_us / 1e3], [y, y], color=colour, linewidth=1)
            for method, printed in TABLES[contest.table].items():
                if printed.milliseconds and printed.squared_error:
                    axes.scatter(printed.milliseconds, printed.squared_error, 30, "none", edgecolors=INK, zorder=2)
                    labels.append((printed.milliseconds, printed.squared_error, f"{method}, paper"))
            if contest.reference and contest.reference.alone_us:
                axes.axvline(contest.reference.alone_us / 1e3, color=GREY, linewidth=1, linestyle="--")
            if contest.printed.squared_error:
                axes.axhline(contest.printed.squared_error, color=INK, linewidth=0.8, linestyle=":")
            axes.set(xscale="log", yscale="log", xlabel="ms an answer", title=title)
            axes.margins(x=0.18, y=0.1)
        panels[0].set_ylabel("squared error")
        figure.draw_without_rendering()  # lays the panels out
        for axes, labels in zip(panels, named, strict=True):
            lettered(axes, labels)
        return svg(figure, name)


def lettered(axes: Axes, labels: Sequence[tuple[float, float, str]]) -> None:
    """Write names beside points, one above the other where they would meet."""
    taken: list[tuple[float, float, float]] = []
    places = axes.transData.transform([(x, y) for x, y, _ in labels])
    for (x, y, text), (left, bottom) in sorted(zip(labels, places, strict=True), key=lambda each: each[1][1]):
        low, right = bottom + 4, left + 5.2 * len(text)
        while any(abs(low - other) < 10 and left < stop and start < right for start, stop, other in taken):
            low += 2
        taken.append((left, right, low))
        axes.annotate(text, (x, y), (5, 0.72 * (low - bottom) - 1), textcoords="offset points", fontsize=7)


def decays(records: Sequence[Record]) -> str:
    """Figure 2: all stacks of the synthetic families, and all of the channel."""
    return stacked(records, "figure2", lambda name: name != "U sorted", ("synthetic", "channel"))


def inverses(records: Sequence[Record]) -> str:
    """Figure 6: matrices and inverses."""
    return stacked(records, "figure6", lambda name: name != "U sorted", ("synthetic inverse", "channel inverse"))


def factors(records: Sequence[Record]) -> str:
    """Figure 7: matrices and factors, smooth and sorted."""
    return stacked(records, "figure7", lambda _: True, ("synthetic SVD", "channel SVD"))


def stacked(records: Sequence[Record], name: str, wanted: Any, starts: Sequence[str]) -> str:
    """Draw one panel for each beginning of a case."""
    with inked():
        figure, panels = canvas(1, len(starts))
        for axes, start in zip(panels, starts, strict=True):
            mixed = start in ("synthetic", "channel")
            own = [record for record in records if record["case"].startswith(start)]
            curves = [
                (CURVES.get(curve, curve), MIXED.get((record["case"].split()[-1], curve)), values)
                for record in own
                for curve, values in record["extra"]["decay"].items()
                if wanted(curve)
            ]
            for (label, apart, values), colour in zip(curves, [*COLOURS, GREY] * 2, strict=False):
                shown = np.maximum(np.array(values, dtype=float), FLOOR)
                name_of = apart if mixed and apart else label
                axes.semilogy(range(1, len(shown) + 1), shown, color=colour, label=name_of, marker=".", markersize=3)
            axes.set(title={"synthetic": "synthetic", "channel": "real channel"}.get(start, start), xlabel="index")
            axes.legend()
        panels[0].set_ylabel("singular value / largest")
        return svg(figure, name)


def entries(records: Sequence[Record], kind: str) -> str:
    """Figure 3: entries along p; ``kind`` is "channel" or "synthetic"."""
    panels_of = [
        (record, curve, values)
        for record in records
        if record["case"].startswith(kind)
        for curve, values in record["extra"]["entries"].items()
    ]
    with inked():
        columns = 4
        figure, panels = canvas(-(-len(panels_of) // columns), columns, width=9.6, height=2.0)
        for axes, (record, curve, values) in zip(panels, panels_of, strict=False):
            for line, colour in zip(values, COLOURS, strict=False):
                axes.plot(record["extra"]["points"], np.array(line, dtype=float), color=colour, linewidth=1.1)
            title = CURVES.get(curve, curve)
            axes.set_title(f"{title} ({record['case'].split()[-1]})" if curve == "A" else title)
            axes.tick_params(labelsize=7)
            axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
            axes.xaxis.get_offset_text().set_fontsize(7)
            axes.locator_params(nbins=4)
        for axes in panels[len(panels_of) :]:
            axes.set_axis_off()
        return svg(figure, f"figure3-{kind}")


def growth(records: Sequence[Record]) -> str:
    """Figure 4: time against n, and against the number of points."""
    with inked():
        figure, panels = canvas(1, 2, height=3.1)
        for axes, sweep, label in zip(panels, ("n", "count"), ("n", "number of points"), strict=True):
            own = sorted(
                (row for row in records if row["extra"].get("sweep") == sweep), key=lambda row: row["extra"]["value"]
            )
            at = [row["extra"]["value"] for row in own]
            timed(axes, at, own, "baseline", "NumPy", INK)
            timed(axes, at, own, "online", "ours, alone" if sweep == "n" else "ours, in batches", BLUE)
            batched = [
                (value, row["extra"]["batch_us"])
                for value, row in zip(at, own, strict=True)
                if "batch_us" in row["extra"]
            ]
            if batched:
                x, y = np.array(batched).T
                axes.plot(x, y / 1e3, color="#2fa37c", marker="s", label="ours, in a batch, each")
            axes.set(xscale="log", yscale="log", xlabel=label, ylabel="ms", title=f"time against {label}")
            axes.set_xticks(at, [str(value) for value in at])
            axes.minorticks_off()
            axes.legend()
        return svg(figure, "figure4")


def timed(axes: Axes, at: Sequence[float], records: Sequence[Record], name: str, label: str, colour: str) -> None:
    """Draw medians with their quartiles."""
    middle = np.array([row[f"{name}_us"] for row in records]) / 1e3
    low, high = np.array([row[f"{name}_spread"] for row in records]).reshape(-1, 2).T / 1e3
    bars_of = np.maximum([middle - low, high - middle], 0.0)
    axes.errorbar(at, middle, bars_of, color=colour, marker="o", label=label, capsize=2, elinewidth=1)


def hyperparameters(records: Sequence[Record]) -> str:
    """Figure 5: squared error against each hyperparameter."""
    groups = by(records, lambda row: row["extra"]["hyperparameter"])
    finite = [error for row in records if np.isfinite(error := float(row["squared_error"]))]
    with inked():
        figure, panels = canvas(1, len(groups), width=9.6, height=2.6)
        for axes, (name, own) in zip(panels, groups.items(), strict=True):
            values = by(own, lambda row: float(row["extra"]["value"]))
            x = sorted(values)
            for i, value in enumerate(x):
                errors = [float(row["squared_error"]) for row in values[value]]
                axes.scatter([i] * len(errors), errors, 14, ORANGE, alpha=0.8, zorder=3)
            middle = [mean([float(row["squared_error"]) for row in values[value]]) for value in x]
            axes.plot(range(len(x)), middle, color=ORANGE)  # type: ignore[arg-type]
            axes.axhline(1e-2, color=INK, linewidth=0.8, linestyle="--")
            axes.set(yscale="log", title=LETTERS.get(name, name), xlim=(-0.5, len(x) - 0.5))
            axes.set_xticks(range(len(x)), [f"{value:g}" for value in x])
            axes.set_ylim(0.5 * min([*finite, 1e-2]), 2 * max([*finite, 1e-2]))
        panels[0].set_ylabel("squared error")
        return svg(figure, "figure5")


def strip(records: Sequence[Record]) -> str:
    """Table 8: one dot for each seed."""
    return seeds(records, "table8", "sampling", filled=False)


def bars(records: Sequence[Record]) -> str:
    """Table 9: bars of means."""
    return seeds(records, "table9", "activation", filled=True)


def seeds(records: Sequence[Record], table: str, name: str, filled: bool) -> str:
    """Draw squared errors by variant, the paper's beside them."""
    groups: Mapping[str, list[Record]] = by(records, lambda row: row["extra"][name])
    with inked():
        figure, (axes,) = canvas(1, 1, width=6.0, height=3.0)
        rng = np.random.default_rng(0)
        for i, (variant, own) in enumerate(groups.items()):
            errors = np.array([float(row["squared_error"]) for row in own])
            if filled:
                axes.bar(i, errors.mean(), 0.55, color=ORANGE, alpha=0.55)
            else:
                axes.hlines(errors.mean(), i - 0.22, i + 0.22, color=INK)
            at = i + (rng.uniform(-0.12, 0.12, len(errors)) if len(errors) > 1 else 0.0)
            axes.scatter(np.broadcast_to(at, errors.shape), errors, 18, ORANGE, zorder=3)
            printed = TABLES[table].get(variant)
            if printed and printed.squared_error:
                axes.scatter(i + 0.34, printed.squared_error, 36, "none", marker="D", edgecolors=INK, zorder=3)
        axes.scatter([], [], 18, ORANGE, label="ours, one seed")
        axes.scatter([], [], 36, "none", marker="D", edgecolors=INK, label="paper")
        axes.set(yscale="log", ylabel="squared error", xlim=(-0.6, len(groups) - 0.3))
        axes.set_xticks(range(len(groups)), list(groups))
        axes.grid(visible=False, axis="x")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return svg(figure, table)
