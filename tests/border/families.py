"""Families and mistakes that the tests of A(p) share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from neumatc.box import Box
from neumatc.family import Affine, Family, MatrixFamily, Table

BOX = Box.of((0.0, 1.0))
SQUARE = Box.of({"k": (0.0, 1.0), "z": (0.0, 2.0)})
POINTS = np.array([[0.0], [0.25], [1.0]])
BASE, SLOPE = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0]]), np.arange(6.0).reshape(2, 3)


def line(p: float) -> Any:
    return BASE + p * SLOPE


def plane(p: Any) -> Any:
    return BASE + p[0] * SLOPE + 1j * p[1]


def exact_line(points: Any) -> Any:
    return BASE + points[:, :, None] * SLOPE


FAMILIES: dict[str, Callable[[], MatrixFamily]] = {
    "function": lambda: Family(line),
    "vectorized": lambda: Family(lambda p: BASE + p[:, None, None] * SLOPE, vectorized=True),
    "table": lambda: Table(POINTS[:, 0], exact_line(POINTS)),
    "affine": lambda: Affine([BASE, SLOPE], lambda p: [1.0, p]),
}


def late(good: Any, bad: Any) -> Callable[[float], Any]:
    """Answer well up to p = 0.9 and badly beyond: mistakes hide from a look at the middle."""
    return lambda p: bad if p > 0.9 else good


def spoiled(value: complex) -> Any:
    matrix = np.ones((2, 2), dtype=type(value))
    matrix[1, 0] = value
    return matrix


def unsteady(answers: list[Any]) -> Callable[[float], Any]:
    remaining = iter(answers)
    return lambda _: next(remaining)
