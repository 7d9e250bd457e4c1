"""Affine families for tests of what is done with coefficients, and their exact answers."""

import warnings
from typing import Any

import numpy as np

import neumatc as nmc
from neumatc.errors import AccuracyWarning

N = 72
"""Beyond n = 64, where certificates compute singular values, and answers are formed for them."""


def orthogonal(n: int, rng: Any) -> Any:
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def small(n: int, symmetric: bool, complex_: bool, rng: Any) -> Any:
    X = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if complex_ else 0)
    X = (X + X.conj().T) / 2 if symmetric else X
    return X / np.linalg.norm(X, 2)


def terms(kind: str, n: int = N, complex_: bool = False, seed: int = 0) -> Any:
    """Three matrices: "general" or "definite", well-conditioned; "apart", Hermitian; "values", singular ones apart."""
    rng = np.random.default_rng(seed)
    left, right = orthogonal(n, rng), orthogonal(n, rng)
    symmetric = kind in ("definite", "apart")
    levels = {"general": (1, 2), "definite": (1, 2), "apart": (-1, 1), "values": (0.2, 2)}[kind]
    first = (left * np.linspace(*levels, n)) @ (left.T if symmetric else right)
    size = 0.15 if kind in ("general", "definite") else 0.5 / n
    first = (first + first.T) / 2 if symmetric else first
    return np.stack([first + 0j if complex_ else first, *(size * small(n, symmetric, complex_, rng) for _ in range(2))])


def theta(p: Any) -> Any:
    return np.array([1.0, np.cos(3 * p), np.sin(2 * p)])


def theta_2d(p: Any) -> Any:
    return np.array([1.0, np.cos(2 * p[0]), np.sin(p[1])])


def complex_theta(p: Any) -> Any:
    return np.array([1.0, np.exp(1j * p), 0.5 * np.sin(2 * p)])


KINDS = {
    "inv": "general",
    "qr": "general",
    "cholesky": "definite",
    "sqrtm": "definite",
    "eigh": "apart",
    "svd": "values",
}


def fitted(verb: str, complex_: bool = False, coefficients: Any = theta, dtype: Any = None, **options: Any) -> Any:
    """A fit whose span is what limits it, so that best-in-span is a number to compare with."""
    matrices = terms(KINDS[verb], complex_=complex_)
    matrices = matrices if dtype is None else matrices.astype(dtype)
    box = (0.0, 1.0) if coefficients is not theta_2d else [(0.0, 1.0), (0.0, 1.0)]
    options = {"samples": 9, "tol": 1e-13, "rng": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # so few samples do not reach the tolerance
        fit: Any = getattr(nmc, verb)(nmc.Affine(list(matrices), coefficients), box, **options)
    return fit
