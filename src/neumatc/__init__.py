"""NeuMatC: parametric matrix operations, learnt once and answered anywhere, with a certificate.

Answering (``load``, calling a fit, certificates) needs NumPy alone; the fitting verbs need torch, which takes more than
a second to import. So every name is imported at its first use, and ``neumatc --help`` waits for neither.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from neumatc import errors as errors
from neumatc.__about__ import __version__ as __version__

if TYPE_CHECKING:
    from neumatc.axis import Axis as Axis
    from neumatc.box import Box as Box
    from neumatc.certified import Answer as Answer
    from neumatc.certify import Certificate as Certificate
    from neumatc.comparison import Comparison as Comparison
    from neumatc.comparison import compare as compare
    from neumatc.family import Affine as Affine
    from neumatc.family import Family as Family
    from neumatc.family import Table as Table
    from neumatc.fitted import Fit as Fit
    from neumatc.fitting import fit as fit
    from neumatc.linalg import cholesky as cholesky
    from neumatc.linalg import eig as eig
    from neumatc.linalg import eigh as eigh
    from neumatc.linalg import eigvalsh as eigvalsh
    from neumatc.linalg import expm as expm
    from neumatc.linalg import inv as inv
    from neumatc.linalg import logm as logm
    from neumatc.linalg import lyapunov as lyapunov
    from neumatc.linalg import pinv as pinv
    from neumatc.linalg import polar as polar
    from neumatc.linalg import qr as qr
    from neumatc.linalg import riccati as riccati
    from neumatc.linalg import slogdet as slogdet
    from neumatc.linalg import solve as solve
    from neumatc.linalg import sqrtm as sqrtm
    from neumatc.linalg import svd as svd
    from neumatc.linalg import svdvals as svdvals
    from neumatc.linalg import sylvester as sylvester
    from neumatc.loading import load as load
    from neumatc.operations import Custom as Custom
    from neumatc.operations import Operation as Operation
    from neumatc.problem import Problem as Problem
    from neumatc.training.joint import Joint as Joint

_PUBLIC = {
    "Affine": "neumatc.family",
    "Answer": "neumatc.certified",
    "Axis": "neumatc.axis",
    "Box": "neumatc.box",
    "Certificate": "neumatc.certify",
    "Comparison": "neumatc.comparison",
    "Custom": "neumatc.operations",
    "Family": "neumatc.family",
    "Fit": "neumatc.fitted",
    "Joint": "neumatc.training.joint",
    "Operation": "neumatc.operations",
    "Problem": "neumatc.problem",
    "Table": "neumatc.family",
    "expm": "neumatc.linalg",
    "cholesky": "neumatc.linalg",
    "compare": "neumatc.comparison",
    "eig": "neumatc.linalg",
    "eigh": "neumatc.linalg",
    "eigvalsh": "neumatc.linalg",
    "fit": "neumatc.fitting",
    "inv": "neumatc.linalg",
    "load": "neumatc.loading",
    "logm": "neumatc.linalg",
    "lyapunov": "neumatc.linalg",
    "pinv": "neumatc.linalg",
    "riccati": "neumatc.linalg",
    "slogdet": "neumatc.linalg",
    "solve": "neumatc.linalg",
    "polar": "neumatc.linalg",
    "qr": "neumatc.linalg",
    "sqrtm": "neumatc.linalg",
    "svd": "neumatc.linalg",
    "svdvals": "neumatc.linalg",
    "sylvester": "neumatc.linalg",
}


_ROOMS = ("bases", "equations", "gallery", "gauge", "operations", "plots", "sampling", "testing", "topology")
"""Modules that users reach as ``neumatc.bases`` without an import of their own."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"neumatc.{name}")
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'neumatc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC, *_ROOMS})
