"""A fit as a file; loading is in loading.py, the format itself in store.py."""

from __future__ import annotations

import math
from dataclasses import asdict
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc import store
from neumatc.__about__ import __version__
from neumatc.box import Box
from neumatc.history import Event
from neumatc.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from neumatc.fitted import Fit


def save(fit: Fit, path: str | PathLike[str]) -> None:
    """Write ``fit`` to one file."""
    surrogate = fit.surrogate
    manifest = {
        "operation": _describe_operation(fit.operation),
        "box": describe_box(fit.box),
        "matrix": {"shape": list(fit.shape), "dtype": str(fit.dtype)},
        "layout": [asdict(part) for part in surrogate.layout.parts],
        "complex_coefficients": surrogate.complex_coefficients,
        "curve": surrogate.curve.name,
        "basis": {
            "name": fit.basis.name,
            "score": number_of(fit.basis.score),
            "tried": [{**asdict(trial), "score": number_of(trial.score)} for trial in fit.basis.tried],
        },
        "history": [describe_event(event) for event in fit.history],
        "status": fit.status,
        "error": number_of(fit.error),
        "tol": fit.tol,
        "cost": asdict(fit.cost),
        "seed": str(fit.seed),
        "seeded": fit.seeded,
        "versions": {"neumatc": __version__, "numpy": np.__version__},
    }
    arrays = {"C": surrogate.C, "samples": fit.samples.points}
    arrays |= {f"curve.{name}": value for name, value in surrogate.curve.arrays().items()}
    arrays |= {f"witness.{name}": value for name, value in fit.witness.items()}
    if len(fit.excluded):
        arrays["excluded"] = fit.excluded
    store.write(path, manifest, arrays)


def describe_box(box: Box) -> dict[str, Any]:
    """The box as JSON; of a hole only that there is one, for ``where`` is the caller's code."""
    described = {name: value for name, value in asdict(box.whole).items() if name != "hole"}
    if box.hole is not None:
        described["hole"] = {"where": box.hole.where is not None, "failures": bool(box.hole.failures)}
    return described


def number_of(x: float) -> float | str:
    """JSON knows neither infinity nor NaN: the score of a basis that could not be fitted becomes "inf"."""
    return float(x) if math.isfinite(x) else repr(float(x))


def describe_event(event: Event) -> dict[str, Any]:
    """An event of the history as JSON."""
    numbers = {name: number_of(value) for name, value in event.numbers.items()}
    return {"stage": event.stage, "text": event.text, "numbers": numbers}


def _describe_operation(operation: Operation) -> dict[str, Any]:
    if type(operation) is OPERATIONS.get(operation.name):
        options = {k: v for k, v in asdict(operation).items() if k != "name"}  # type: ignore[call-overload]
        return {"name": operation.name, "options": options}
    return {"name": operation.name, "options": None}
