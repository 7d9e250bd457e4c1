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
    from neumatc.family import Affine as Affine
    from neumatc.family import Family as Family
    from neumatc.family import Table as Table
    from neumatc.fitted import Fit as Fit
    from neumatc.fitting import fit as fit
    from neumatc.linalg import expm as expm
    from neumatc.linalg import inv as inv
    from neumatc.linalg import logm as logm
    from neumatc.linalg import svd as svd
    from neumatc.loading import load as load
    from neumatc.operations import Custom as Custom
    from neumatc.operations import Operation as Operation
    from neumatc.problem import Problem as Problem

_PUBLIC = {
    "Affine": "neumatc.family",
    "Answer": "neumatc.certified",
    "Axis": "neumatc.axis",
    "Box": "neumatc.box",
    "Certificate": "neumatc.certify",
    "Custom": "neumatc.operations",
    "Family": "neumatc.family",
    "Fit": "neumatc.fitted",
    "Operation": "neumatc.operations",
    "Problem": "neumatc.problem",
    "Table": "neumatc.family",
    "expm": "neumatc.linalg",
    "fit": "neumatc.fitting",
    "inv": "neumatc.linalg",
    "load": "neumatc.loading",
    "logm": "neumatc.linalg",
    "svd": "neumatc.linalg",
}


_ROOMS = ("bases", "equations", "gallery", "gauge", "operations", "plots", "sampling", "testing")
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
