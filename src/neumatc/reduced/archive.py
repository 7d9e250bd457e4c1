"""A reduced fit as a file. The caller's coefficients are code and are not in it: they come back with ``load``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc import store
from neumatc.__about__ import __version__
from neumatc.archive import describe_box, describe_event, number_of
from neumatc.arrays import Array
from neumatc.bases import CURVES
from neumatc.errors import InputError

from .learned import LearnedModel
from .model import AffineModel, AssembledModel, Model
from .system import AffineSystem, GeneralSystem, System
from .tensors import Tensors

if TYPE_CHECKING:
    from neumatc.reduced.eigh import ReducedEigh
    from neumatc.reduced.fit import ReducedFit

WITNESSES = 3
"""Stored points at which A(p) and b(p) are compared when a fit is loaded."""

SAME = 1e-9
"""Relative difference up to which they are the same."""

COMPARED = {
    "witness.products": "A(p)",
    "witness.right": "b(p)",
    "witness.energy": "the energy product",
    "witness.theta": "the list of coefficients of A",
    "witness.psi": "the list of coefficients of b",
}
"""What the witnesses are of, for messages."""

COEFFICIENTS = ("witness.theta", "witness.psi")
"""Witnesses that files of earlier versions lack."""


def save(fit: ReducedFit, path: str | PathLike[str]) -> None:
    """Write ``fit`` to one file."""
    manifest = {"kind": "reduced", "model": _kind(fit.model), "projection": fit.model.projection, **described(fit)}
    arrays = {"C": fit.C, "samples": fit.samples.points, "excluded": fit.excluded}
    if isinstance(fit.model, AffineModel | LearnedModel):
        tensors = fit.model.tensors
        arrays |= {f"model.{each.name}": getattr(tensors, each.name) for each in fields(tensors)[:-1]}
    if isinstance(fit.model, LearnedModel):
        arrays |= {f"curve.{name}": array for name, array in fit.model.curve.arrays().items()}
    points = fit.samples.points[:WITNESSES]
    store.write(path, manifest, arrays | {"witness.points": points, **witness(fit.system, points)})


def described(fit: ReducedFit | ReducedEigh) -> dict[str, Any]:
    """What the manifests of all reduced fits hold."""
    return {
        "box": describe_box(fit.box),
        "matrix": {"shape": [fit.system.n] * 2, "dtype": str(fit.system.dtype)},
        "history": [describe_event(event) for event in fit.history],
        "status": fit.status,
        "error": number_of(fit.error),
        "tol": fit.tol,
        "cost": asdict(fit.cost),
        "versions": {"neumatc": __version__, "numpy": np.__version__},
    }


def witness(system: System, points: Array) -> dict[str, Array]:
    """``A(p) z`` with a fixed z, and b(p), at points: what tells one system from another."""
    z = np.random.default_rng(0).standard_normal(system.n)
    found = {
        "witness.products": np.stack([system.matrix(point) @ z for point in points]),
        "witness.right": np.stack([system.vector(point) for point in points]),
    }
    if isinstance(system, AffineSystem):  # the sums alone would hide another order of their terms
        found |= {"witness.theta": system.theta(points), "witness.psi": system.psi(points)}
    energy = system.family.energy if isinstance(system, AffineSystem) else None
    # Residuals are stored in the norm of E: under another E they would be wrong, and nothing else would show it.
    return found if energy is None else {**found, "witness.energy": energy @ z}


def restored(manifest: Mapping[str, Any], arrays: Mapping[str, Array], system: System) -> Model:
    """The model of a file for the system that was given, after comparing both."""
    _compare(manifest, arrays, system)
    if manifest["model"] == "assembled":
        assert isinstance(system, GeneralSystem)
        return AssembledModel(system, arrays["C"], manifest["projection"])
    assert isinstance(system, AffineSystem)
    tensors, projection = Tensors(**_branch(arrays, "model.")), manifest["projection"]
    if manifest["model"] == "learned":  # the projection is the name of a curve there
        return LearnedModel(system, tensors, CURVES[projection].from_arrays(_branch(arrays, "curve.")))
    return AffineModel(system, tensors.with_projection(projection))


def _kind(model: Model) -> str:
    if isinstance(model, LearnedModel):
        return "learned"
    return "affine" if isinstance(model, AffineModel) else "assembled"


def _branch(arrays: Mapping[str, Array], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _compare(manifest: Mapping[str, Any], arrays: Mapping[str, Array], system: System) -> None:
    kind = "affine" if isinstance(system, AffineSystem) else "assembled"
    fitted = "assembled" if manifest["model"] == "assembled" else "affine"
    if kind != fitted:
        raise _wrong(f"it is {kind}, the fit {fitted} (an nmc.Affine is one, a function the other)")
    n, dtype = manifest["matrix"]["shape"][0], manifest["matrix"]["dtype"]
    if (system.n, str(system.dtype)) != (n, dtype):
        raise _wrong(f"{system.n} unknowns of {system.dtype} came, the fit has {n} of {dtype}")
    points = arrays["witness.points"]
    products = witness(system, points)
    if ("witness.energy" in products) != ("witness.energy" in arrays):
        raise _wrong("one has an energy product and the other has none")
    for name, came in products.items():
        if name in COEFFICIENTS and name not in arrays:
            continue
        seen, what = arrays[name], COMPARED[name]
        if came.shape != seen.shape:
            raise _wrong(f"{what} has the shape {came.shape[1:]} at every p, and had {seen.shape[1:]}")
        size = max(float(np.abs(seen).max()), float(np.finfo(float).tiny))
        difference = float(np.abs(came - seen).max()) / size
        if not difference <= SAME:
            raise _wrong(f"{what} differs by {difference:.1e} (relative) at {system.box.describe(points[0])}")


def _wrong(what: str) -> InputError:
    return InputError(
        f"The matrix given to load is not the family of the saved fit: {what}. "
        "Answers and certificates for another A or b would be worthless. Pass matrix=(A, b) as they were fitted."
    )
