"""Every call of NumPy, torch and SciPy that gives the exact answer, and the fastest one on a given matrix."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
import torch

from benchmarks.baselines.dense import INVERSES, SVDS
from benchmarks.speed.clock import turns
from neumatc.arrays import Array

__all__ = ["CALLS", "best"]

Call = Callable[[Array], Any]


def _torch(function: Callable[[torch.Tensor], Any]) -> Call:
    return lambda A: function(torch.from_numpy(A))


def _root(eigh: Callable[[Array], tuple[Array, Array]], A: Array) -> Array:
    w, V = eigh(A)
    root: Array = (V * np.sqrt(w)) @ V.T
    return root


def _torch_eigh(A: Array) -> tuple[Array, Array]:
    w, V = torch.linalg.eigh(torch.from_numpy(A))
    return w.numpy(), V.numpy()


CALLS: Mapping[str, Mapping[str, Call]] = {
    "inv": INVERSES,
    "svd": SVDS,
    "qr": {
        "numpy": np.linalg.qr,
        "torch": _torch(torch.linalg.qr),
        "scipy": partial(scipy.linalg.qr, mode="economic", check_finite=False),
    },
    "cholesky": {
        "numpy": np.linalg.cholesky,
        "torch": _torch(torch.linalg.cholesky),
        "scipy": partial(scipy.linalg.cholesky, lower=True, check_finite=False),
    },
    "eigh": {
        "numpy": np.linalg.eigh,
        "torch": _torch(torch.linalg.eigh),
        "scipy evd": partial(scipy.linalg.eigh, driver="evd", check_finite=False),
        "scipy evr": partial(scipy.linalg.eigh, driver="evr", check_finite=False),
    },
    "expm": {"scipy": scipy.linalg.expm, "torch": _torch(torch.linalg.matrix_exp)},
    # The families here are symmetric positive definite, for which the general method is by far the slower one.
    "sqrtm": {
        "scipy": scipy.linalg.sqrtm,
        "numpy eigh": partial(_root, np.linalg.eigh),
        "torch eigh": partial(_root, _torch_eigh),
    },
}
"""By operation; each takes one matrix (n, n). Torch brings MKL, NumPy and SciPy bring OpenBLAS."""


def best(verb: str, A: Array) -> tuple[str, Callable[[], Any]]:
    """Return name and call of the fastest way on A, by a few turns here and now.

    Each rests before it is timed: with several threads it would suffer from those of the library before it.
    """
    calls = {f"{verb} by {name}": partial(call, A) for name, call in CALLS[verb].items()}
    name = turns(calls, quick=True).least(verb)
    return name, calls[name]
