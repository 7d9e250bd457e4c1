"""Matrix operations; each file is one kin.

A loaded fit needs one of them, and importing all takes longer than opening its file: so each file is imported at the
first use of a name that it defines.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, final

from neumatc.errors import unknown

from .base import Adaptive as Adaptive
from .base import Custom as Custom
from .base import Differentiable as Differentiable
from .base import Followed as Followed
from .base import Operation as Operation
from .base import Refinable as Refinable
from .base import Selective as Selective
from .base import Tangential as Tangential

if TYPE_CHECKING:
    from .determinant import LogDeterminant as LogDeterminant
    from .determinant import SlogdetResult as SlogdetResult
    from .eig import Eig as Eig
    from .eigh import Eigh as Eigh
    from .exponential import Exponential as Exponential
    from .exponential import Logarithm as Logarithm
    from .factor import QR as QR
    from .factor import Cholesky as Cholesky
    from .factor import QRResult as QRResult
    from .full_svd import FullSVD as FullSVD
    from .functions import SquareRoot as SquareRoot
    from .inverse import Inverse as Inverse
    from .matrix_equations import Lyapunov as Lyapunov
    from .matrix_equations import Sylvester as Sylvester
    from .partial_eigh import PartialEigh as PartialEigh
    from .pencil import EighResult as EighResult
    from .pencil import EigResult as EigResult
    from .pinv import FixedRankPseudoInverse as FixedRankPseudoInverse
    from .pinv import PseudoInverse as PseudoInverse
    from .polar import Polar as Polar
    from .polar import PolarResult as PolarResult
    from .projector import SpectralProjector as SpectralProjector
    from .riccati import Riccati as Riccati
    from .separated import Separated as Separated
    from .solve import Solve as Solve
    from .svd import SVDResult as SVDResult
    from .svd import TruncatedSVD as TruncatedSVD
    from .values import EigenValues as EigenValues
    from .values import SingularValues as SingularValues

_KINS = {
    "Cholesky": "factor",
    "Eig": "eig",
    "EigenValues": "values",
    "Eigh": "eigh",
    "EighResult": "pencil",
    "EigResult": "pencil",
    "Exponential": "exponential",
    "FixedRankPseudoInverse": "pinv",
    "FullSVD": "full_svd",
    "Inverse": "inverse",
    "Logarithm": "exponential",
    "LogDeterminant": "determinant",
    "Lyapunov": "matrix_equations",
    "PartialEigh": "partial_eigh",
    "Polar": "polar",
    "PolarResult": "polar",
    "PseudoInverse": "pinv",
    "QR": "factor",
    "QRResult": "factor",
    "Riccati": "riccati",
    "Separated": "separated",
    "SingularValues": "values",
    "SlogdetResult": "determinant",
    "Solve": "solve",
    "SpectralProjector": "projector",
    "SquareRoot": "functions",
    "SVDResult": "svd",
    "Sylvester": "matrix_equations",
    "TruncatedSVD": "svd",
}
"""Name -> file."""

_NAMED = {
    "cholesky": "Cholesky",
    "eig": "Eig",
    "eigh": "Eigh",
    "eigh-partial": "PartialEigh",
    "eigvalsh": "EigenValues",
    "expm": "Exponential",
    "inv": "Inverse",
    "logm": "Logarithm",
    "lyapunov": "Lyapunov",
    "pinv": "PseudoInverse",
    "pinv-fixed-rank": "FixedRankPseudoInverse",
    "polar": "Polar",
    "projector": "SpectralProjector",
    "qr": "QR",
    "riccati": "Riccati",
    "slogdet": "LogDeterminant",
    "solve": "Solve",
    "sqrtm": "SquareRoot",
    "svd": "TruncatedSVD",
    "svd-full": "FullSVD",
    "svdvals": "SingularValues",
    "sylvester": "Sylvester",
}
"""Name in a file -> class."""


def __getattr__(name: str) -> Any:
    if name not in _KINS:
        raise AttributeError(f"module 'neumatc.operations' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"neumatc.operations.{_KINS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_KINS})


@final
class Table(Mapping[str, type[Operation]]):
    """Operation classes by the names that files use, each imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Operation]:
        found: type[Operation] = __getattr__(_NAMED[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMED)

    def __len__(self) -> int:
        return len(_NAMED)


OPERATIONS = Table()
"""Operations that a file can name; a user's own is passed to ``load``."""


def restore(name: str, options: dict[str, Any]) -> Operation:
    """The operation of a stored fit."""
    if name not in OPERATIONS:
        raise unknown("operation", name, OPERATIONS)
    return OPERATIONS[name](**options)
