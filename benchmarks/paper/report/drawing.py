"""Drawings that read on light and dark paper: ink takes the colour of the text around it."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["BLUE", "COLOURS", "GREY", "INK", "ORANGE", "canvas", "inked", "svg"]

INK = "#010203"
"""Becomes the colour of the text."""

BLUE, ORANGE, GREY = "#3f8ae0", "#e0802a", "#8a8f98"
"""Of the default mode, the joint mode, and baselines."""

COLOURS = (BLUE, ORANGE, "#2fa37c", "#a873dd", "#d9546b", "#b59a1e")

STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
}


@contextmanager
def inked() -> Iterator[None]:
    """Draw in the style of the page."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        yield


def canvas(rows: int, columns: int, width: float = 8.4, height: float = 2.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of equal panels, in reading order; ``height`` is of one row."""
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def svg(figure: Figure, name: str) -> str:
    """Return the figure as an element of HTML; ``name`` keeps its ids apart from those of other figures."""
    with io.StringIO() as file, mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
        text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\1{name}-", text)
    text = text.replace(INK, "currentColor").replace("xlink:href", "href")
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| version="1.1"', "", text)
    text = re.sub(r"'DejaVu Sans'(, [^;\"]*)?sans-serif", "system-ui, sans-serif", text)
    return re.sub(
        r'<svg width="([\d.]+)pt" height="[\d.]+pt"', r'<svg role="img" style="max-width:\1pt"', text, count=1
    )
