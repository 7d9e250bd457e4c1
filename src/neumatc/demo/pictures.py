"""The pictures of the demo, from results that the checks have kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neumatc import plots
from neumatc.align import along_path
from neumatc.arrays import Array
from neumatc.demo.check import Findings
from neumatc.demo.jobs import Job
from neumatc.fitted import Fit
from neumatc.gauge import Factors, Unitary, Vectors

MHZ = 1e6
XLABEL = "offset from the carrier in MHz"
RANK_SHOWN = 8
"""Singular vectors of the precoder; those of the buffer are not shown."""


def draw(jobs: Sequence[Job], fits: Sequence[Fit], findings: Sequence[Findings], folder: Path) -> list[Path]:
    """Write all pictures, each as PNG and SVG; returns their paths."""
    operations = {fit.operation.name: number for number, fit in reversed(list(enumerate(fits)))}
    inverse, triplets = operations["inv"], operations["svd"]
    frames = _frames(findings[triplets].pictured)
    titles = {"inv": jobs[inverse].title, "svd": jobs[triplets].title}
    written = plots.save(_errors(jobs, fits, findings), folder, "error")
    written += plots.save(_decay(findings[inverse].pictured, frames, titles), folder, "decay")
    written += plots.save(_entries(findings[inverse], findings[triplets], frames, titles), folder, "entries")
    return written + plots.save(_alignment(findings[triplets].p_pictured, frames), folder, "alignment")


def _frames(exact: Factors) -> dict[str, Factors]:
    """Exact triplets along p: as LAPACK returns them, after Algorithm 1, and as aligned subspaces."""
    order = np.arange(len(exact["U"]))
    lapack = {"V": exact["V"], "U": exact["U"], "S": exact["S"][:, None, :]}
    # V first: the precoder decides which vector is which, and U and S follow it.
    vectors = along_path(order, lapack, Vectors(("V", "U"), ("S",), assignment="greedy"))
    spaces = along_path(order, lapack, Unitary.of({"V": (None, "Q"), "U": (None, "P")}))
    return {"lapack": lapack, "vectors": vectors, "spaces": spaces}


def _errors(jobs: Sequence[Job], fits: Sequence[Fit], findings: Sequence[Findings]) -> Figure:
    tracks = {
        _counted(job.title, fit): plots.Track(
            found.p / MHZ, found.residual, found.bound, fit.samples.points[:, 0] / MHZ, fit.tol
        )
        for job, fit, found in zip(jobs, fits, findings, strict=True)
    }
    return plots.errors(tracks, XLABEL)


def _counted(title: str, fit: Fit) -> str:
    return f"{title}: {len(fit.samples)} exact solves"


def _decay(inverse: Factors, frames: Mapping[str, Factors], titles: Mapping[str, str]) -> Figure:
    aligned, raw = frames["spaces"], frames["lapack"]
    columns = aligned["V"].shape[-1]
    return plots.decay(
        {
            titles["inv"]: {"A": inverse["A"], "A⁻¹": inverse["X"]},
            f"{titles['svd']}, {columns} columns": {
                "U": aligned["U"],
                "S": raw["S"],
                "V": aligned["V"],
                "U (unaligned)": raw["U"],
                "V (unaligned)": raw["V"],
            },
        }
    )


def _entries(inverse: Findings, triplets: Findings, frames: Mapping[str, Factors], titles: Mapping[str, str]) -> Figure:
    exact, aligned, lapack = inverse.pictured, frames["vectors"], frames["lapack"]
    r = min(RANK_SHOWN, lapack["S"].shape[-1])
    learnt = {
        "A": _two(exact["A"], (0, 1), (2, exact["A"].shape[-1] // 2)),
        "A⁻¹": _two(exact["X"], (0, 1), (2, exact["X"].shape[-1] // 2)),
    }
    factored = {
        "S, descending": {f"σ{_below(k)}": lapack["S"][:, 0, k - 1] for k in range(max(1, r - 4), r)},
        "U, vectors aligned": _two(aligned["U"], (0, r // 2), (aligned["U"].shape[-2] // 2, r - 1)),
        "V, vectors aligned": _two(aligned["V"], (0, r // 2), (aligned["V"].shape[-2] // 2, r - 1)),
        "V, as LAPACK returns it": _two(lapack["V"], (0, r // 2), (lapack["V"].shape[-2] // 2, r - 1)),
    }
    left = {f"{name} ({titles['inv']})": panel for name, panel in learnt.items()}
    right = {f"{name} ({titles['svd']})": panel for name, panel in factored.items()}
    points = dict.fromkeys(left, inverse.p_pictured / MHZ) | dict.fromkeys(right, triplets.p_pictured / MHZ)
    return plots.entries(points, left | right, XLABEL)


def _two(X: Array, *places: tuple[int, int]) -> dict[str, Array]:
    return {f"entry ({i + 1}, {j + 1})": X[:, i, j] for i, j in places}


def _below(k: int) -> str:
    return chr(ord("₀") + k)


def _alignment(p: Array, frames: Mapping[str, Factors]) -> Figure:
    titles = {
        "lapack": "precoder V, as LAPACK returns it",
        "vectors": "vectors aligned (Algorithm 1)",
        "spaces": "subspaces aligned (Procrustes)",
    }
    shown = {title: frames[name]["V"][:, :, :RANK_SHOWN] for name, title in titles.items()}
    # One cycle per megahertz is a delay of one microsecond.
    return plots.alignment(p / MHZ, shown, XLABEL, "delay", "µs")
