"""Pictures of fits and of what they learn from; needs matplotlib (the extra 'plots').

Every function returns a matplotlib ``Figure`` that belongs to nobody else: pyplot, its global state and its windows are
never touched. Colours are those of Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image  # matplotlib itself needs it

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.problem import true_residual

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neumatc.fitted import Fit

__all__ = ["Track", "alignment", "decay", "entries", "errors", "save", "spectrum", "track"]

BLUE, ORANGE, GREEN, PINK, YELLOW, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#666666"
CYCLE = (BLUE, ORANGE, GREEN, PINK, YELLOW, "#56B4E9", "#000000")

FLOOR = 1e-17
"""Drawn in place of zero on logarithmic axes."""

COLOURS = 128
"""Of the palette of a PNG file."""

PIECE = 16
"""Matrices held at once while errors are measured."""


@dataclass(frozen=True)
class Track:
    """Errors of a fit along its one parameter.

    Parameters
    ----------
    p : (m,) in the units of the axis, ascending
    residual : (m,) true relative residual of the uncorrected answers
    bound : (m,) upper bound that the certificate gives
    solved : points that were solved exactly, in the same units
    tol : what was asked for
    """

    p: Array
    residual: Array
    bound: Array
    solved: Array
    tol: float


def track(fit: Fit, count: int = 400, unit: float = 1.0) -> Track:
    """Measure a fit of one parameter at ``count`` points, where A(p) is built; even in p, or in log p on such an axis.

    ``unit`` divides p for the axis (1e6 for hertz shown as megahertz).
    """
    if fit.box.dimension != 1:
        raise InputError(
            f"an error along p needs one parameter, but the box of this fit has {fit.box.dimension}. "
            "A curve cannot show several. Look at fit.certify(p).residual on a grid of your own."
        )
    p = fit.box.from_unit(np.linspace(-1.0, 1.0, count)[:, None])
    p = p[~fit.box.excluded(p), 0]
    residual, bound = np.empty(len(p)), np.empty(len(p))
    for i in range(0, len(p), PIECE):
        some = slice(i, i + PIECE)
        residual[some], bound[some] = _measured(fit, p[some])
    return Track(p / unit, residual, bound, fit.samples.points[:, 0] / unit, fit.tol)


def _measured(fit: Fit, p: Array) -> tuple[Array, Array]:
    """True residuals and certificate bounds (m,) at p (m,); the bounds hold jointly for these m points."""
    problem = fit.problem_or_raise
    # Kept for the certificate, which asks for the same matrices.
    A = problem.matrices(p[:, None], keep=True)
    F = problem.rescale(fit.map.factors(fit.box.to_unit(p[:, None])))
    bound: Array = fit.certify(p).bound
    problem.forget()
    return true_residual(fit.operation, A, F), bound


def errors(tracks: Mapping[str, Track], xlabel: str = "p") -> Figure:
    """Error over p, one panel for each named track, with the exactly solved points marked.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.linspace(0, 1, 50)
    >>> figure = errors({"inverse": Track(p, 1e-9 + 0 * p, 3e-9 + 0 * p, p[::10], 1e-8)})
    >>> figure.axes[0].get_yscale()
    'log'
    """
    figure, axes = _figure(len(tracks), 1, width=8.0, height=0.55 + 1.9 * len(tracks), sharex=True)
    for axis, (title, one) in zip(axes, tracks.items(), strict=True):
        _errors(axis, one)
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_ylabel("relative residual")
    axes[-1].set_xlabel(xlabel)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def _errors(axis: Axes, one: Track) -> None:
    # Broad and beneath: where the certificate checks everything, the bound is the residual and would be hidden.
    axis.semilogy(one.p, np.maximum(one.bound, FLOOR), color=YELLOW, lw=2.0, alpha=0.8, label="certificate's bound")
    axis.semilogy(one.p, np.maximum(one.residual, FLOOR), color=BLUE, lw=0.9, label="true residual")
    axis.axhline(one.tol, color=GREY, ls="--", lw=1.0, label="tol")
    # Marks at the lower edge and not on the curve, where they would hide how deep it dips at the solved points.
    axis.plot(
        one.solved, np.full(len(one.solved), 0.04), "|", color=ORANGE, ms=9, mew=1.2, label="solved exactly",
        transform=axis.get_xaxis_transform(),
    )  # fmt: skip
    low, high = axis.get_ylim()
    axis.set_ylim(low / 6, high)
    axis.margins(x=0.01)


def decay(panels: Mapping[str, Mapping[str, Array]]) -> Figure:
    """Singular values of stacked results (paper, fig. 2): how many matrices C a map needs.

    Parameters
    ----------
    panels : title -> label -> stack (m, ...) of results at m points p. A label that ends in "(unaligned)" is dashed.

    Examples
    --------
    >>> import numpy as np
    >>> stack = np.cos(np.linspace(0, 1, 30))[:, None, None] * np.eye(3)
    >>> line, = decay({"one mode": {"A": stack}}).axes[0].lines
    >>> bool(line.get_ydata()[1] < 1e-14)
    True
    """
    figure, axes = _figure(1, len(panels), width=4.4 * len(panels) + 0.4, height=3.6, sharey=True)
    for axis, (title, stacks) in zip(axes, panels.items(), strict=True):
        colours: dict[str, str] = {}
        for label, stack in stacks.items():
            plain = label.removesuffix(" (unaligned)")
            colour = colours.setdefault(plain, CYCLE[len(colours) % len(CYCLE)])
            values = _singular_values(stack)
            style = "--" if label != plain else "o-" if len(values) <= 16 else "-"
            axis.semilogy(np.arange(1, len(values) + 1), values, style, color=colour, ms=3.5, label=label)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("number k")
        axis.set_ylim(FLOOR, 3)
        axis.legend(fontsize=8, loc="upper right", framealpha=0.9)
    axes[0].set_ylabel("k-th singular value / largest")
    return figure


def _singular_values(stack: Array) -> Array:
    values = np.linalg.svd(stack.reshape(len(stack), -1), compute_uv=False)
    relative: Array = np.maximum(values / max(float(values[0]), np.finfo(float).tiny), FLOOR)
    return relative


def entries(p: Mapping[str, Array], panels: Mapping[str, Mapping[str, Array]], xlabel: str = "p") -> Figure:
    """Entries of A and of results along p (paper, fig. 3); real parts.

    Parameters
    ----------
    p : title -> (m,)
    panels : title -> label -> (m,)
    """
    columns = (len(panels) + 1) // 2
    figure, axes = _figure(2, columns, width=3.6 * columns, height=4.8)
    for axis, (title, curves) in zip(axes, panels.items(), strict=False):
        for number, (label, values) in enumerate(curves.items()):
            axis.plot(p[title], np.real(values), color=CYCLE[number % len(CYCLE)], lw=1.1, label=label)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(xlabel)
        axis.margins(x=0.01)
        _legend_above_data(axis)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    return figure


def _legend_above_data(axis: Axes) -> None:
    low, high = axis.get_ylim()
    axis.set_ylim(low, high + 0.24 * (high - low))
    axis.legend(fontsize=8, loc="upper center", ncols=4, frameon=False, columnspacing=1.0, handlelength=1.2)


def alignment(
    p: Array, frames: Mapping[str, Array], xlabel: str = "p", frequency: str = "cycles per unit of p", unit: str = ""
) -> Figure:
    """Singular vectors before and after alignment: entries of the last one above, the spectrum over p of all below.

    A smooth curve has a narrow spectrum; every jump of phase or order spreads it over all frequencies.

    Parameters
    ----------
    p : (m,) evenly spaced
    frames : title -> (m, n, r)
    xlabel, frequency, unit : labels of p and of the frequency, and the unit of the latter
    """
    figure, axes = _figure(2, len(frames), width=3.5 * len(frames) + 0.4, height=5.2, sharey="row")
    for number, (title, frame) in enumerate(frames.items()):
        top, bottom = axes[number], axes[len(frames) + number]
        for colour, row in ((BLUE, 0), (ORANGE, frame.shape[1] // 2)):
            top.plot(p, frame[:, row, -1].real, color=colour, lw=1.0, label=f"entry {row + 1}")
        top.set_title(title, fontsize=10)
        top.set_xlabel(xlabel)
        top.margins(x=0.01)
        _power(bottom, p, frame, unit)
        bottom.set_xlabel(f"{frequency} in {unit}" if unit else frequency)
    _legend_above_data(axes[0])
    axes[0].set_ylabel(f"vector {next(iter(frames.values())).shape[-1]}, real part")
    axes[len(frames)].set_ylabel("power of all vectors, dB")
    return figure


def _power(axis: Axes, p: Array, frame: Array, unit: str) -> None:
    frequency, power = spectrum(p, frame.reshape(len(p), -1))
    axis.plot(frequency, 10 * np.log10(np.maximum(power / power.max(), 1e-14)), color=GREEN, lw=1.0)
    reach = _reach(frequency, power, 0.999)
    axis.axvspan(-reach, reach, color=GREEN, alpha=0.15, lw=0)
    axis.set_title(f"99.9 % of the power within ±{reach:.2g} {unit}".rstrip(), fontsize=9)
    axis.set_ylim(-105, 5)
    axis.margins(x=0.01)


def spectrum(p: Array, values: Array) -> tuple[Array, Array]:
    """Frequencies (m,), ascending, and the power there of ``values (m, n)`` summed over n.

    A Hann window keeps the ends of the interval, where the curve is cut, from looking like a jump.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.arange(64) / 64
    >>> frequency, power = spectrum(p, np.exp(2j * np.pi * 5 * p)[:, None])
    >>> float(frequency[power.argmax()])
    5.0
    """
    window = np.hanning(len(p) + 1)[:-1, None]
    power = (np.abs(np.fft.fft(window * values, axis=0)) ** 2).sum(1)
    frequency = np.fft.fftfreq(len(p), float(p[1] - p[0]))
    return np.fft.fftshift(frequency), np.fft.fftshift(power)


def _reach(frequency: Array, power: Array, share: float) -> float:
    """Smallest |frequency| within which this share of the power lies."""
    order = np.argsort(np.abs(frequency), kind="stable")
    within = np.cumsum(power[order]) / power.sum()
    return float(np.abs(frequency[order][np.searchsorted(within, share)]))


def save(figure: Figure, folder: str | PathLike[str], name: str) -> list[Path]:
    """Write ``name.png`` and ``name.svg`` into ``folder`` and return their paths.

    The same picture gives the same bytes: no date is written, and identifiers inside the SVG come from its name.
    """
    paths = [Path(folder) / f"{name}.{kind}" for kind in ("png", "svg")]
    memory = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(memory, format="png", dpi=120)
        figure.savefig(paths[1], metadata={"Date": None})
    # Lines in few colours need no more than a palette: a third of the bytes, and nobody sees the difference.
    Image.open(memory).convert("RGB").quantize(COLOURS).save(paths[0], optimize=True)
    return paths


def _figure(
    rows: int, columns: int, width: float, height: float, sharex: Any = False, sharey: Any = False
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(figure.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False).ravel())
    for axis in axes:
        axis.grid(True, color="#dddddd", lw=0.6)
        axis.set_axisbelow(True)
    return figure, axes
