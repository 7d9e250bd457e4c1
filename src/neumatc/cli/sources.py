"""What a command line names: matrices, boxes, points. NumPy is imported where numbers are made, not for ``--help``."""

from __future__ import annotations

import functools
import importlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import neumatc as nmc
from neumatc.errors import NeuMatCError

__all__ = ["Parts", "box_of", "matrix_of", "points_of"]

Parts = Sequence[tuple[float, ...]]
"""Values of a repeatable option."""

HINT = "SOURCE"


def matrix_of(source: str) -> Any:
    """The family that SOURCE names: a table for a file, else the function."""
    if source.endswith(".npz"):
        return _table(Path(source))
    module, _, name = source.partition(":")
    if not (module and name):
        raise click.BadParameter(f"expected a file .npz or module:function, but came {source!r}.", param_hint=HINT)
    return _imported(module, name)


def _table(path: Path) -> nmc.Table:
    import numpy as np

    if not path.is_file():
        raise click.BadParameter(f"there is no file {path}.", param_hint=HINT)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as cause:
        raise click.BadParameter(f"{path} cannot be read as .npz: {cause}.", param_hint=HINT) from cause
    if not {"p", "A"} <= set(arrays):
        raise click.BadParameter(f"{path} must hold arrays p and A, but holds {sorted(arrays)}.", param_hint=HINT)
    return nmc.Table(arrays["p"], arrays["A"])


def _imported(module: str, name: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))  # a console script does not look into the current directory by itself
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except NeuMatCError:
        raise
    except Exception as cause:  # whatever the caller's module does while it is imported
        reason = f"{type(cause).__name__}: {cause}"
        raise click.BadParameter(f"cannot get {name} from {module}: {reason}.", param_hint=HINT) from cause
    finally:
        sys.path.pop(0)


def box_of(matrix: Any, pairs: Parts) -> Any:
    """The box of the options, or that of a table."""
    if pairs:
        return list(pairs)
    if isinstance(matrix, nmc.Table):
        return list(zip(matrix.points.min(0).tolist(), matrix.points.max(0).tolist(), strict=True))
    raise click.UsageError("a function needs --box lo,hi, once for each parameter.")


def points_of(fit: nmc.Fit, points: Parts, grids: Parts) -> Any:
    """The points asked for: (m,) for one parameter, (m, D) for several."""
    import numpy as np

    if bool(points) == bool(grids):
        raise click.UsageError("say where: either --p, repeatable, or --grid lo,hi,count.")
    D = fit.box.dimension
    if any(len(p) != D for p in points) or len(grids) not in (0, D):
        raise click.UsageError(f"this fit has {D} parameter(s): give {D} number(s) to each --p, or --grid {D} time(s).")
    if points:
        rows = np.array(points)
    else:
        axes = [np.linspace(low, high, _count(count)) for low, high, count in grids]
        rows = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, D)
    return rows[:, 0] if D == 1 else rows


def _count(count: float) -> int:
    if not (count >= 1 and count.is_integer()):
        raise click.UsageError(f"the count of --grid must be a whole number of at least 1, but came {count:g}.")
    return int(count)
