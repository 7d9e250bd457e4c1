"""A saved fit, back in memory, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from neumatc import store
from neumatc.bases import CURVES, Trial
from neumatc.box import Box
from neumatc.errors import FormatError, InputError, NeuMatCError
from neumatc.fitted import Fit
from neumatc.history import Basis, Cost, Event
from neumatc.layout import Layout, Part
from neumatc.maps import Map
from neumatc.operations import Operation, restore
from neumatc.problem import Problem
from neumatc.samples import Samples
from neumatc.surrogate import Surrogate


def load(path: str | PathLike[str], matrix: Any = None, operation: Operation | None = None) -> Fit:
    """Open a saved fit; torch is not needed.

    Parameters
    ----------
    path : file written by ``Fit.save``
    matrix : the family A(p) the fit was made for, needed to certify and to correct. It is compared with the file at
        stored points, and a different A is refused
    operation : the user's own operation, for a fit of one that this library does not know by name

    Returns
    -------
    Fit, which answers bit for bit like the saved one (one point at a time, or with ``reproducible=True``).

    Raises
    ------
    FormatError
        For a damaged, truncated or foreign file.
    InputError
        When ``matrix`` is not the family of the fit.
    """
    manifest, arrays = store.read(path)
    try:
        fit = _assemble(manifest, arrays, operation)
    except NeuMatCError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as cause:
        raise FormatError(
            f"{path} is a valid container, but its manifest does not describe a fit ({cause!r}). "
            "It was probably written by another version. Save the fit again with this version."
        ) from cause
    return fit if matrix is None else _with_matrix(fit, matrix)


def _assemble(manifest: Mapping[str, Any], arrays: Mapping[str, Any], operation: Operation | None) -> Fit:
    chosen = _restore_operation(manifest["operation"], operation)
    curve = CURVES[manifest["curve"]].from_arrays(_branch(arrays, "curve."))
    layout = Layout(tuple(Part(**part) for part in manifest["layout"]))
    surrogate = Surrogate(arrays["C"], curve, layout, manifest["complex_coefficients"])
    basis = manifest["basis"]
    return Fit(
        map=Map(surrogate, _box(manifest["box"]), chosen),
        operation=chosen,
        problem=None,
        samples=Samples(arrays["samples"]),
        basis=Basis(basis["name"], float(basis["score"]), tuple(_trial(trial) for trial in basis["tried"])),
        history=tuple(_event(event) for event in manifest["history"]),
        status=manifest["status"],
        error=float(manifest["error"]),
        tol=manifest["tol"],
        cost=Cost(**manifest["cost"]),
        seed=int(manifest["seed"]),
        seeded=manifest["seeded"],
        dtype=np.dtype(manifest["matrix"]["dtype"]),
        shape=tuple(manifest["matrix"]["shape"]),
        witness=_branch(arrays, "witness."),
    )


def _box(described: Mapping[str, Any]) -> Box:
    lower, upper, names = (described[key] for key in ("lower", "upper", "names"))
    # Files from before there were scales know linear axes only.
    scales, periodic = (tuple(described.get(key, ())) for key in ("scales", "periodic"))
    return Box(tuple(lower), tuple(upper), None if names is None else tuple(names), scales, periodic)


def _trial(described: Mapping[str, Any]) -> Trial:
    return Trial(**{**described, "score": float(described["score"])})


def _event(described: Mapping[str, Any]) -> Event:
    numbers = {name: float(value) for name, value in described["numbers"].items()}
    return Event(described["stage"], described["text"], numbers)


def _branch(arrays: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def _restore_operation(described: Mapping[str, Any], given: Operation | None) -> Operation:
    if described["options"] is not None:
        return restore(described["name"], described["options"])
    if given is None or given.name != described["name"]:
        came = "none" if given is None else f"`{given.name}`"
        raise InputError(
            f"The file holds a fit of the user-defined operation `{described['name']}`, but {came} was given. "
            "Code is never read from a file. Pass the same operation: neumatc.load(path, operation=...)."
        )
    return given


def _with_matrix(fit: Fit, matrix: Any) -> Fit:
    """Attach A(p) after comparing it with the probes of A that the file holds."""
    problem = Problem.of(matrix, fit.box, fit.operation)
    if problem.shape != fit.shape or problem.dtype != fit.dtype:
        raise _wrong_matrix(f"{problem.shape} {problem.dtype} came, the fit has {fit.shape} {fit.dtype}")
    points, seen = fit.witness["points"], fit.witness["products"]
    came = problem.matrices(points) @ fit.witness["probes"]
    difference = float(np.max(np.abs(came - seen)) / max(float(np.max(np.abs(seen))), np.finfo(float).tiny))
    if not difference <= (1e-9 if fit.dtype.itemsize >= np.dtype(problem.working).itemsize else 1e-4):
        raise _wrong_matrix(f"it differs by {difference:.1e} (relative) at {fit.box.describe(points[0])}")
    values = {name: getattr(fit, name) for name in fit.__dataclass_fields__}
    return Fit(**{**values, "problem": problem})


def _wrong_matrix(what: str) -> InputError:
    return InputError(
        f"The matrix given to load is not the family of the saved fit: {what}. "
        "Certificates and corrections against another A would be worthless. Pass the A(p) that was fitted."
    )
