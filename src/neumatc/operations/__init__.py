"""Matrix operations; each file is one kin."""

from __future__ import annotations

from typing import Any

from neumatc.errors import unknown

from .base import Adaptive as Adaptive
from .base import Custom as Custom
from .base import Differentiable as Differentiable
from .base import Operation as Operation
from .base import Refinable as Refinable
from .base import Selective as Selective
from .exponential import Exponential as Exponential
from .exponential import Logarithm as Logarithm
from .inverse import Inverse as Inverse
from .svd import SVDResult as SVDResult
from .svd import TruncatedSVD as TruncatedSVD

OPERATIONS: dict[str, type[Operation]] = {
    "expm": Exponential,
    "inv": Inverse,
    "logm": Logarithm,
    "svd": TruncatedSVD,
}
"""Operations that a file can name; a user's own is passed to ``load``."""


def restore(name: str, options: dict[str, Any]) -> Operation:
    """The operation of a stored fit."""
    if name not in OPERATIONS:
        raise unknown("operation", name, OPERATIONS)
    return OPERATIONS[name](**options)
