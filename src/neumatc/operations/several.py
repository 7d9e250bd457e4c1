"""What operations of several matrices share: the shapes that a flat row has lost, and the step from residual to error.

The matrices of ``A X = b`` travel as one row per p (see `Bundle`); the operation remembers where to cut it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array, as_numpy, double, namespace
from neumatc.box import Box
from neumatc.equations import norm
from neumatc.errors import InputError
from neumatc.family import MatrixFamily
from neumatc.family.bundle import Bundle

Shapes: TypeAlias = tuple[tuple[int, int], ...]

SMALL = 64
"""Largest n for which a certificate computes singular values or eigenvalues of A(p), which costs like a solve."""


def as_shapes(shapes: Sequence[Sequence[int]]) -> Shapes:
    """Pairs of integers; a file hands back lists.

    >>> as_shapes([[2, 2], [2, 1]])
    ((2, 2), (2, 1))
    """
    return tuple((int(rows), int(columns)) for rows, columns in shapes)


def bundled(matrices: Any, names: Sequence[str], verb: str) -> Bundle:
    """One family from a tuple of what a caller may pass for each matrix."""
    if isinstance(matrices, Bundle) and tuple(matrices.members) == tuple(names):
        return matrices
    if not isinstance(matrices, tuple | list) or len(matrices) != len(names):
        came = f"{len(matrices)} entries" if isinstance(matrices, tuple | list) else f"one {type(matrices).__name__}"
        raise InputError(
            f"`{verb}` needs the matrices ({', '.join(names)}), got {came}. "
            "One of them was probably left out. Pass them as one tuple, each a function of p, a Table or an array."
        )
    return Bundle.of(dict(zip(names, matrices, strict=True)))


def shapes_of(family: MatrixFamily, box: Box, names: Sequence[str]) -> Shapes:
    """Shapes of the members of a bundle, in order."""
    assert isinstance(family, Bundle)
    shapes = family.shapes(box)
    return tuple(shapes[name] for name in names)


def cut(row: Any, shapes: Shapes, names: Sequence[str]) -> dict[str, Any]:
    """``(B, 1, N)`` as named matrices ``(B, rows, columns)``; views, NumPy or torch.

    >>> {name: M.shape for name, M in cut(np.zeros((5, 1, 6)), ((2, 2), (2, 1)), "Ab").items()}
    {'A': (5, 2, 2), 'b': (5, 2, 1)}
    """
    found, start = {}, 0
    for name, (rows, columns) in zip(names, shapes, strict=True):
        found[name] = row[:, 0, start : start + rows * columns].reshape(row.shape[0], rows, columns)
        start += rows * columns
    return found


def refuse_unless(fits: bool, verb: str, names: Sequence[str], shapes: Shapes, rule: str) -> None:
    """Raise InputError when shapes do not fit together; ``rule`` says how they would."""
    if not fits:
        came = ", ".join(f"{name} is {rows} x {columns}" for name, (rows, columns) in zip(names, shapes, strict=True))
        raise InputError(
            f"`{verb}` needs {rule}, but {came}. "
            "A transpose was probably forgotten, or two arguments were exchanged. Check the shape of each of them."
        )


def one_by_one(solver: Callable[..., Array], matrices: Mapping[str, Any]) -> Any:
    """SciPy's solver for each row of the batch, in double precision; in the library and dtype of the matrices."""
    like = next(iter(matrices.values()))
    arrays = {name: as_numpy(M, name) for name, M in matrices.items()}
    wide = [M.astype(double(M.dtype)) for M in arrays.values()]
    X = np.stack([solver(*row) for row in zip(*wide, strict=True)])
    xp = namespace(like)
    return X.astype(like.dtype) if xp is np else xp.as_tensor(X, dtype=like.dtype, device=like.device)


def relative_error(step: Array, X: Array) -> Array:
    """Bound of ``‖X - X*‖ / ‖X*‖`` from ``‖X - X*‖ <= step``, ``(B,)``: ``step / (‖X‖ - step)``, or infinity.

    >>> relative_error(np.array([0.5, 3.0]), np.array([[[2.0]], [[2.0]]])).round(3)
    array([0.333,   inf])
    """
    left = norm(X) - step
    some = left > 0
    return np.where(some, step / np.where(some, left, 1.0), np.inf)
