"""Matrix operations; each file is one kin."""

from __future__ import annotations

from typing import Any

from neumatc.errors import unknown

from .base import Adaptive as Adaptive
from .base import Custom as Custom
from .base import Differentiable as Differentiable
from .base import Followed as Followed
from .base import Operation as Operation
from .base import Refinable as Refinable
from .base import Selective as Selective
from .determinant import LogDeterminant as LogDeterminant
from .determinant import SlogdetResult as SlogdetResult
from .eig import Eig as Eig
from .eigh import Eigh as Eigh
from .exponential import Exponential as Exponential
from .exponential import Logarithm as Logarithm
from .factor import QR as QR
from .factor import Cholesky as Cholesky
from .factor import Polar as Polar
from .factor import PolarResult as PolarResult
from .factor import QRResult as QRResult
from .full_svd import FullSVD as FullSVD
from .functions import SquareRoot as SquareRoot
from .inverse import Inverse as Inverse
from .inverse import PseudoInverse as PseudoInverse
from .matrix_equations import Lyapunov as Lyapunov
from .matrix_equations import Sylvester as Sylvester
from .partial_eigh import PartialEigh as PartialEigh
from .pencil import EighResult as EighResult
from .pencil import EigResult as EigResult
from .projector import SpectralProjector as SpectralProjector
from .riccati import Riccati as Riccati
from .separated import Separated as Separated
from .solve import Solve as Solve
from .svd import SVDResult as SVDResult
from .svd import TruncatedSVD as TruncatedSVD
from .values import EigenValues as EigenValues
from .values import SingularValues as SingularValues

OPERATIONS: dict[str, type[Operation]] = {
    "expm": Exponential,
    "cholesky": Cholesky,
    "eig": Eig,
    "eigh": Eigh,
    "eigh-partial": PartialEigh,
    "eigvalsh": EigenValues,
    "inv": Inverse,
    "polar": Polar,
    "projector": SpectralProjector,
    "qr": QR,
    "sqrtm": SquareRoot,
    "logm": Logarithm,
    "lyapunov": Lyapunov,
    "pinv": PseudoInverse,
    "riccati": Riccati,
    "slogdet": LogDeterminant,
    "solve": Solve,
    "svd": TruncatedSVD,
    "svd-full": FullSVD,
    "svdvals": SingularValues,
    "sylvester": Sylvester,
}
"""Operations that a file can name; a user's own is passed to ``load``."""


def restore(name: str, options: dict[str, Any]) -> Operation:
    """The operation of a stored fit."""
    if name not in OPERATIONS:
        raise unknown("operation", name, OPERATIONS)
    return OPERATIONS[name](**options)
