"""What a fit found out about the gauge of its factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from neumatc.gauge import Gauge, NoGauge, Unitary, Vectors
from neumatc.history import Event

NEAR = 0.1
"""Distance of levels over their mean distance at which single vectors become delicate."""

TURNS = 1.0
"""Holonomy of a small loop in rad from which its samples are far apart for a smooth frame."""


@dataclass(frozen=True)
class Cluster:
    """Levels that are followed as one space: how many, their width over the mean distance, where they are closest."""

    size: int
    width: float
    at: tuple[float, ...]


@dataclass(frozen=True)
class GaugeReport:
    """How the freedom of the factors was removed, and how near the fit came to places where it cannot be.

    Parameters
    ----------
    kind : "none", "vectors" (order and phase), "scale" (order, phase and length of vectors of a non-normal matrix), or
        "unitary blocks" (any basis of a subspace)
    aligned : along what the samples were aligned; empty for no gauge
    gap, gap_at : smallest distance of two levels at the samples over the mean distance, and where; None where levels
        are not followed one by one, or there is one only
    condition : largest condition of an eigenvalue; one for normal matrices
    crossings, crossings_at : between how many neighbours levels that are followed cross, and up to 16 places
    clusters : what is followed as blocks
    subspace : buffer and gap (or ratio) of a subspace with a rank
    loops, holonomy : how many closed loops of samples were gone round, and the largest angle in rad by which a frame
        came back turned
    holonomy_at : two samples on that loop
    advice : what to do, if anything

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> f = nmc.eigh(lambda p: np.diag([1.0 + p, 2.0 - p, 4.0]), (0.0, 1.0), rng=0)
    >>> report = f.gauge_report()
    >>> report.kind, report.crossings, [round(p, 6) for (p,) in report.crossings_at]
    ('vectors', 1, [0.5])
    >>> nmc.inv(lambda p: np.eye(2) * (2 + p), (0.0, 1.0), rng=0).gauge_report()
    gauge          none: the factors are unique
    advice         nothing to do
    """

    kind: str
    aligned: str = ""
    gap: float | None = None
    gap_at: tuple[float, ...] | None = None
    condition: float = 1.0
    crossings: int = 0
    crossings_at: tuple[tuple[float, ...], ...] = ()
    clusters: tuple[Cluster, ...] = ()
    subspace: str = ""
    loops: int = 0
    holonomy: float = 0.0
    holonomy_at: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    advice: str = "nothing to do"

    @staticmethod
    def of(gauge: Gauge, history: Sequence[Event], converged: bool) -> GaugeReport:
        """From the gauge of an operation and the recorded events of its fit."""
        if isinstance(gauge, NoGauge):
            return GaugeReport("none")
        last = {event.stage: event for event in history}
        numbers: dict[str, Mapping[str, float]] = {stage: event.numbers for stage, event in last.items()}
        gap, met, loops = (numbers.get(stage, {}) for stage in ("gap", "crossings", "loops"))
        places = [_place(met, str(k)) for k in range(sum(name.endswith(".0") for name in met))]
        first, second = _place(loops, "from"), _place(loops, "to")
        clusters = [
            Cluster(int(event.numbers["size"]), float(event.numbers["width"]), _place(event.numbers, "at"))
            for event in history
            if event.stage == "cluster"
        ]
        report = GaugeReport(
            kind=_kind(gauge),
            aligned=last["align"].text if "align" in last else "",
            gap=float(gap["gap"]) if "gap" in gap else None,
            gap_at=_place(gap, "at") or None,
            condition=float(gap.get("condition", 1.0)),
            crossings=int(met.get("count", 0)),
            crossings_at=tuple(places),
            clusters=tuple(clusters),
            subspace=last["adapt"].text if "adapt" in last else "",
            loops=int(loops.get("count", 0)),
            holonomy=float(loops.get("angle", 0.0)),
            holonomy_at=(first, second) if first and second else None,
        )
        advice = report._advice(converged)
        return replace(report, advice=" ".join(advice)) if advice else report

    def __repr__(self) -> str:
        if self.kind == "none":
            rows = [("gauge", "none: the factors are unique")]
        else:
            rows = [("gauge", self.kind), ("aligned", self.aligned or "by the trainer of the operation")]
        if self.gap is not None:
            rows += [("smallest gap", f"{self.gap:.1e} of the mean distance{_at(self.gap_at)}")]
        if self.condition > 1:
            rows += [("condition", f"{self.condition:.1e}")]
        if self.crossings:
            more = f", and {self.crossings - 4} more" if self.crossings > 4 else ""
            where = ", ".join(_text(place) for place in self.crossings_at[:4])
            rows += [("crossings", f"{self.crossings} followed, at p = {where}{more}")]
        for cluster in self.clusters[:4]:
            text = f"{cluster.size} levels within {cluster.width:.1e} of the mean distance{_at(cluster.at)}"
            rows += [("cluster", f"{text}, followed as one space")]
        if len(self.clusters) > 4:
            rows += [("clusters", f"{len(self.clusters)} in all")]
        if self.subspace:
            rows += [("subspace", self.subspace)]
        if self.loops:
            ends = " and ".join(_text(place) for place in self.holonomy_at or ())
            where = f", between p = {ends}" if self.holonomy > 0 else ""
            rows += [("loops", f"{self.loops} checked, largest holonomy {self.holonomy:.2e} rad{where}")]
        return "\n".join(f"{label:<15}{text}" for label, text in [*rows, ("advice", self.advice)])

    def _advice(self, converged: bool) -> list[str]:
        found = []
        if self.clusters:
            found.append("Vectors inside a cluster are one basis of its space, certain to residual over gap only.")
        if self.gap is not None and self.gap < NEAR and not self.clusters and not (self.crossings and converged):
            found.append("Levels come close: pass rank=k, or projector=True, to keep close ones together.")
        if self.crossings and not converged:
            found.append(
                "The fit did not converge: a crossing may be one that is avoided more narrowly than samples see."
            )
        if self.condition > 10:
            found.append("An exceptional point may be near: vectors are as uncertain as condition times residual.")
        if self.holonomy > TURNS:
            found.append("Frames turn far between neighbouring samples: projectors (projector=True) have no gauge.")
        return found


def _kind(gauge: Gauge) -> str:
    if isinstance(gauge, Vectors):
        return "scale" if gauge.dual else "vectors"
    return "unitary blocks" if isinstance(gauge, Unitary) else type(gauge).__name__


def _place(numbers: Mapping[str, float], name: str) -> tuple[float, ...]:
    """The point that is stored as ``name.0``, ``name.1``, …."""
    axes = sum(key.startswith(f"{name}.") for key in numbers)
    return tuple(float(numbers[f"{name}.{axis}"]) for axis in range(axes))


def _text(place: tuple[float, ...]) -> str:
    numbers = ", ".join(f"{value:.6g}" for value in place)
    return numbers if len(place) == 1 else f"({numbers})"


def _at(place: tuple[float, ...] | None) -> str:
    return f", at p = {_text(place)}" if place else ""
