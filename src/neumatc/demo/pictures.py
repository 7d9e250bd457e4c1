"""The pictures of the demo, from results that the checks have kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neumatc import plots
from neumatc.align import along_path
from neumatc.arrays import Array
from neumatc.demo.check import Findings
from neumatc.demo.jobs import Job
from neumatc.fitted import Fit
from neumatc.gauge import Factors, Unitary, Vectors

MHZ = 1e6
XLABEL = "offset from the carrier in MHz"
SHOWN = ("U", "S", "V")


def draw(jobs: Sequence[Job], fits: Sequence[Fit], findings: Sequence[Findings], folder: Path) -> list[Path]:
    """Write all pictures, each as PNG and SVG; returns their paths."""
    operations = {fit.operation.name: number for number, fit in reversed(list(enumerate(fits)))}
    inverse, triplets = operations["inv"], operations["svd"]
    frames = _frames(findings[triplets].pictured)
    titles = {"inv": jobs[inverse].title, "svd": jobs[triplets].title}
    written = plots.save(_errors(jobs, fits, findings), folder, "error")
    written += plots.save(_decay(findings[inverse].pictured, frames, titles), folder, "decay")
    written += plots.save(_entries(findings[inverse], findings[triplets], frames), folder, "entries")
    return written + plots.save(_alignment(findings[triplets].p_pictured, frames), folder, "alignment")


def _frames(exact: Factors) -> dict[str, Factors]:
    """Exact triplets along p: as LAPACK returns them, after Algorithm 1, and as aligned subspaces."""
    order = np.arange(len(exact["U"]))
    lapack = {"V": exact["V"], "U": exact["U"], "S": exact["S"][:, None, :]}
    # V first: the precoder decides which vector is which, and U and S follow it.
    vectors = along_path(order, lapack, Vectors(("V", "U"), ("S",), assignment="greedy"))
    spaces = along_path(order, lapack, Unitary.of({"V": (None, "Q"), "U": (None, "P")}))
    return {"lapack": lapack, "vectors": vectors, "spaces": spaces}


def _errors(jobs: Sequence[Job], fits: Sequence[Fit], findings: Sequence[Findings]) -> plots.Figure:
    tracks = {
        _counted(job.title, fit): plots.Track(
            found.p / MHZ, found.residual, found.bound, fit.samples.points[:, 0] / MHZ, fit.tol
        )
        for job, fit, found in zip(jobs, fits, findings, strict=True)
    }
    return plots.errors(tracks, XLABEL)


def _counted(title: str, fit: Fit) -> str:
    return f"{title}: {len(fit.samples)} exact solves"


def _decay(inverse: Factors, frames: Mapping[str, Factors], titles: Mapping[str, str]) -> plots.Figure:
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


def _entries(inverse: Findings, triplets: Findings, frames: Mapping[str, Factors]) -> plots.Figure:
    A, X = inverse.pictured["A"], inverse.pictured["X"]
    vectors = frames["vectors"]
    n, m = A.shape[-1], vectors["U"].shape[-2]
    panels: dict[str, dict[str, Array]] = {
        "A": {"(1, 2)": A[:, 0, 1], f"(3, {n // 2})": A[:, 2, n // 2 - 1]},
        "A⁻¹": {"(1, 2)": X[:, 0, 1], f"(3, {n // 2})": X[:, 2, n // 2 - 1]},
        "U, aligned": {"(1, 1)": vectors["U"][:, 0, 0], f"({m // 2}, 2)": vectors["U"][:, m // 2 - 1, 1]},
        "S, in descending order": {f"σ{_below(k)}": frames["lapack"]["S"][:, 0, k - 1] for k in (1, 2)},
        "V, aligned": {"(1, 1)": vectors["V"][:, 0, 0], f"({m // 2}, 2)": vectors["V"][:, m // 2 - 1, 1]},
    }
    points = {title: (inverse if title in ("A", "A⁻¹") else triplets).p_pictured / MHZ for title in panels}
    return plots.entries(points, panels, XLABEL)


def _below(k: int) -> str:
    return chr(ord("₀") + k)


def _alignment(p: Array, frames: Mapping[str, Factors]) -> plots.Figure:
    shown = {
        "precoder V as LAPACK returns it": frames["lapack"]["V"],
        "vectors aligned (Algorithm 1)": frames["vectors"]["V"],
        "subspaces aligned (Procrustes)": frames["spaces"]["V"],
    }
    # One cycle per MHz is a delay of one microsecond.
    return plots.alignment(p / MHZ, shown, XLABEL, "delay in µs")
