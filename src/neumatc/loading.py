"""A saved fit, back in memory, without torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc import store
from neumatc.bases import CURVES, Trial
from neumatc.box import Box, BoxLike
from neumatc.errors import FormatError, InputError, NeuMatCError
from neumatc.fitted import Fit
from neumatc.history import Basis, Cost, Event
from neumatc.layout import Layout, Part
from neumatc.maps import Map
from neumatc.operations import Operation, restore
from neumatc.problem import Problem
from neumatc.samples import Samples
from neumatc.surrogate import Surrogate

if TYPE_CHECKING:
    from neumatc.reduced import ReducedEigh, ReducedFit


def load(
    path: str | PathLike[str],
    matrix: Any = None,
    operation: Operation | None = None,
    box: BoxLike | None = None,
    *,
    memory_map: bool = False,
) -> Any:
    """Open a saved fit; torch is not needed.

    Parameters
    ----------
    path : file written by ``Fit.save``
    matrix : the family A(p) the fit was made for, needed to certify and to correct. It is compared with the file at
        stored points, and a different A is refused. A fit of sparse matrices needs it to answer at all: the pair
        ``(A, b)`` for `solve`, and A, or the pair ``(A, B)``, for `eigh`
    operation : the user's own operation, for a fit of one that this library does not know by name
    box : the box of the fit with its hole, ``Box.excluding(where)``. A ``where`` is code: the file only says that there
        was one, and then the box must come, with its hole, or without it to be answered everywhere
    memory_map : leave the latent tensor in the file: for one that is larger than memory, or shared by many processes

    Returns
    -------
    Fit, which answers bit for bit like the saved one (one point at a time, or with ``reproducible=True``); `ReducedFit`
    or `ReducedEigh` when that was saved.

    Raises
    ------
    FormatError
        For a damaged, truncated or foreign file.
    InputError
        When ``matrix`` is not the family of the fit, or ``box`` not its box; when there was a hole and no box came.
    """
    manifest, arrays = store.read(path, memory_map, apart="C")
    try:
        if manifest.get("kind") == "reduced":
            return _reduced(manifest, arrays, matrix, box)
        if manifest.get("kind") == "reduced_eigh":
            return _reduced_eigh(manifest, arrays, matrix, box)
        fit = _assemble(manifest, arrays, operation, box)
    except NeuMatCError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as cause:
        raise FormatError(
            f"{path} is a valid container, but its manifest does not describe a fit ({cause!r}). "
            "It was probably written by another version. Save the fit again with this version."
        ) from cause
    return fit if matrix is None else _with_matrix(fit, matrix)


def _assemble(manifest: Mapping[str, Any], arrays: Mapping[str, Any], operation: Any, box: Any) -> Fit:
    chosen = _restore_operation(manifest["operation"], operation)
    curve = CURVES[manifest["curve"]].from_arrays(_branch(arrays, "curve."))
    layout = Layout(tuple(Part(**part) for part in manifest["layout"]))
    surrogate = Surrogate(arrays["C"], curve, layout, manifest["complex_coefficients"])
    basis = manifest["basis"]
    whole = _box(manifest, arrays, box)
    return Fit(
        map=Map(surrogate, whole, chosen),
        operation=chosen,
        problem=None,
        basis=Basis(basis["name"], float(basis["score"]), tuple(_trial(trial) for trial in basis["tried"])),
        **_records(manifest, arrays),
        seed=int(manifest["seed"]),
        seeded=manifest["seeded"],
        dtype=np.dtype(manifest["matrix"]["dtype"]),
        shape=tuple(manifest["matrix"]["shape"]),
        witness=_branch(arrays, "witness."),
        excluded=arrays.get("excluded", np.empty((0, whole.dimension))),
    )


def _reduced(manifest: Mapping[str, Any], arrays: Mapping[str, Any], matrix: Any, box: Any) -> ReducedFit:
    """A reduced fit: its coefficients θ(p) are the caller's code, which no file holds."""
    if not isinstance(matrix, tuple) or len(matrix) != 2:
        came = "none" if matrix is None else f"a {type(matrix).__name__}"
        raise InputError(
            f"The file holds a sparse solve, which answers only with A(p) and b(p) beside it; matrix=(A, b) was "
            f"expected and {came} came. Their coefficients are code, and code is never read from a file. "
            "Pass what was fitted: neumatc.load(path, matrix=(A, b))."
        )
    # Only a file of such a fit pays for the import of what it needs.
    reduced: Any = importlib.import_module("neumatc.reduced")
    system = reduced.system_of(*matrix, _box(manifest, arrays, box))
    fit: ReducedFit = reduced.ReducedFit(
        system=system,
        C=arrays["C"],
        model=reduced.archive.restored(manifest, arrays, system),
        excluded=arrays["excluded"],
        **_records(manifest, arrays),
    )
    return fit


def _reduced_eigh(manifest: Mapping[str, Any], arrays: Mapping[str, Any], matrix: Any, box: Any) -> ReducedEigh:
    reduced: Any = importlib.import_module("neumatc.reduced")
    fit: ReducedEigh = reduced.ReducedEigh(
        system=reduced.eigh_archive.system_of(manifest, arrays, matrix, _box(manifest, arrays, box)),
        C=arrays["C"],
        pencil=reduced.eigh_archive.pencil_of(manifest, arrays),
        checked=manifest["checked"],
        **_records(manifest, arrays),
    )
    return fit


def _records(manifest: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What every fit knows of its own making."""
    return {
        "samples": Samples(arrays["samples"]),
        "history": tuple(_event(event) for event in manifest["history"]),
        "status": manifest["status"],
        "error": float(manifest["error"]),
        "tol": manifest["tol"],
        "cost": Cost(**manifest["cost"]),
    }


def _box(manifest: Mapping[str, Any], arrays: Mapping[str, Any], given: Any) -> Box:
    """The box of the fit, with its hole."""
    described = manifest["box"]
    lower, upper, names = (described[key] for key in ("lower", "upper", "names"))
    # Files from before there were scales know linear axes only.
    scales, periodic = (tuple(described.get(key, ())) for key in ("scales", "periodic"))
    whole = Box(tuple(lower), tuple(upper), None if names is None else tuple(names), scales, periodic)
    return _with_hole(whole, described.get("hole"), given, arrays["samples"])


def _with_hole(whole: Box, hole: Mapping[str, Any] | None, given: Any, samples: Any) -> Box:
    """The box as it was fitted: a ``where`` comes from the caller, or is given up expressly, but never forgotten."""
    if given is None:
        if hole is not None and hole["where"]:
            raise InputError(
                "The file holds a fit of a box with a hole, `excluding(where)`, and no box was given. "
                "No file holds code, and without `where` the hole would be answered like all the rest. "
                "Pass neumatc.load(path, box=Box.of(...).excluding(where)), or the box alone to be answered everywhere."
            )
        return whole if hole is None else whole.excluding(failures=True)
    box = Box.of(given)
    if box.whole != whole:
        raise InputError(
            f"The box given to load must be that of the fit, {whole}; {box} came. "
            "Ends, names, scales and periods belong to the map, and only the hole is the caller's. "
            "Pass the box that was fitted."
        )
    inside = box.excluded(samples)
    if inside.any():
        raise InputError(
            f"The hole of the box given to load must leave out no sample of the fit; {int(inside.sum())} lie in it, "
            f"the first {box.describe(samples[inside][0])}. It is probably the hole of another fit, or its negation. "
            "Pass the `where` that was fitted."
        )
    return box


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
