"""A few eigenpairs as a file. The caller's coefficients are code and are not in it: they come back with ``load``."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc import store
from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import InputError
from neumatc.family import Affine

from .archive import SAME, WITNESSES, described
from .eigensystem import Eigensystem
from .pencil import Pencil

if TYPE_CHECKING:
    from neumatc.reduced.eigh import ReducedEigh

NAMES = {
    "witness.A": "the matrices of A",
    "witness.B": "the matrices of B",
    "witness.theta": "the coefficients of A",
    "witness.psi": "the coefficients of B",
}
"""What the witnesses are of, for messages."""


def save(fit: ReducedEigh, path: str | PathLike[str]) -> None:
    """Write ``fit`` to one file."""
    system, pencil = fit.system, fit.pencil
    manifest = {
        "kind": "reduced_eigh",
        "rank": system.rank,
        "which": system.which,
        "generalised": not system.euclidean,
        "terms": pencil.terms,
        "checked": fit.checked,
        **described(fit),
    }
    points = fit.samples.points[:WITNESSES]
    arrays = {"C": fit.C, "samples": fit.samples.points, "witness.points": points, **_witness(system, points)}
    store.write(path, manifest, {**arrays, "pencil.factor": pencil.factor, "pencil.galerkin": pencil.galerkin})


def system_of(manifest: Mapping[str, Any], arrays: Mapping[str, Array], matrix: Any, box: Box) -> Eigensystem:
    """The system that was given, after comparing it with that of the file."""
    A, B = matrix if isinstance(matrix, tuple) and len(matrix) == 2 else (matrix, None)
    if not isinstance(A, Affine) or not A.sparse:
        came = "none" if matrix is None else f"a {type(A).__name__}"
        raise InputError(
            "The file holds eigenpairs of a sparse family, which answer only with A(p) beside it; matrix=A or (A, B), "
            f"A an nmc.Affine of sparse matrices, was expected and {came} came. Its coefficients are code, and code is "
            "never read from a file. Pass what was fitted: neumatc.load(path, matrix=A)."
        )
    if manifest["generalised"] != (B is not None):
        raise _wrong("one has a B and the other has none")
    system = Eigensystem.of(A, B, box, manifest["rank"], manifest["which"])
    _compare(manifest, arrays, system)
    return system


def pencil_of(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> Pencil:
    """The reduced tensors of a file."""
    return Pencil(arrays["pencil.factor"], arrays["pencil.galerkin"], manifest["terms"], manifest["rank"])


def _witness(system: Eigensystem, points: Array) -> dict[str, Array]:
    """Every matrix times a fixed z, and coefficients at points: their sums alone would hide another order of terms."""
    z = np.random.default_rng(0).standard_normal(system.n)
    return {
        "witness.A": np.stack([part @ z for part in system.A.matrices]),
        "witness.B": np.stack([part @ z for part in system.B.matrices]),
        "witness.theta": system.theta(points),
        "witness.psi": system.psi(points),
    }


def _compare(manifest: Mapping[str, Any], arrays: Mapping[str, Array], system: Eigensystem) -> None:
    n, dtype = manifest["matrix"]["shape"][0], manifest["matrix"]["dtype"]
    if (system.n, str(system.dtype)) != (n, dtype):
        raise _wrong(f"{system.n} unknowns of {system.dtype} came, the fit has {n} of {dtype}")
    for name, came in _witness(system, arrays["witness.points"]).items():
        seen = arrays[name]
        what = NAMES[name]
        if came.shape != seen.shape:
            raise _wrong(f"{what}: {came.shape[0]} terms came, the fit has {seen.shape[0]}")
        size = max(float(np.abs(seen).max()), float(np.finfo(float).tiny))
        difference = float(np.abs(came - seen).max()) / size
        if not difference <= SAME:
            raise _wrong(f"{what} differ by {difference:.1e} (relative), or stand in another order")


def _wrong(what: str) -> InputError:
    return InputError(
        f"The matrix given to load is not the family of the saved fit: {what}. Eigenpairs of another A or B would be "
        "worthless. Pass matrix=A, or matrix=(A, B), as they were fitted."
    )
