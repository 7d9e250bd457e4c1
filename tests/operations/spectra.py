"""Families and measures that the tests of the spectral operations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neumatc.operations import Operation
from neumatc.testing import OPERATION_LAWS

Array = npt.NDArray[Any]
DTYPES = ["float32", "float64", "complex64", "complex128"]


def draw(dtype: Any, *shape: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    G = rng.standard_normal(shape)
    return (G + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else G).astype(dtype)


def hermitian(dtype: Any, values: Any, count: int = 2, seed: int = 0) -> Array:
    """``count`` Hermitian matrices with these eigenvalues."""
    Q = np.linalg.qr(draw(dtype, count, len(values), len(values), seed=seed).astype(np.result_type(dtype, float)))[0]
    A = (Q * np.asarray(values)) @ Q.conj().swapaxes(1, 2)
    return ((A + A.conj().swapaxes(1, 2)) / 2).astype(dtype)


def pencils(dtype: Any, values: Any, count: int = 2) -> Array:
    """Flat rows of Hermitian A and positive definite B, as a `Bundle` hands them out."""
    A, B = hermitian(dtype, values, count), hermitian(dtype, np.linspace(1, 2, len(values)), count, seed=1)
    return np.concatenate([A.reshape(count, 1, -1), B.reshape(count, 1, -1)], axis=-1)


def obeys(operation: Operation, A: Array, skip: tuple[str, ...] = ()) -> None:
    """Every law but those named."""
    for name, law in OPERATION_LAWS.items():
        if name not in skip:
            law(operation, A, np.random.default_rng(1))


def smooth(n: int, dtype: Any = float, seed: int = 0) -> Callable[[Any], Array]:
    """A Hermitian family, entire in one or two parameters, with eigenvalues near 0, 1, 2, …."""
    turn = draw(dtype, n, n, seed=seed)
    turn = (turn - turn.conj().T) / np.linalg.norm(turn - turn.conj().T, 2)
    levels, vectors = np.linalg.eigh(1j * turn)

    def family(p: Any) -> Array:
        at = np.ravel(p)
        Q = (vectors * np.exp(-1j * levels * at.sum())) @ vectors.conj().T
        Q = Q if np.dtype(dtype).kind == "c" else Q.real
        A = (Q * (np.arange(n) + 0.2 * np.sin(at[0] + np.arange(n)))) @ Q.conj().T
        return ((A + A.conj().T) / 2).astype(dtype)

    return family


def defect_of_pair(A: Array, w: Array, V: Array, B: Array | None = None) -> float:
    """``‖A V - B V w‖_F / ‖A‖_F``, and how far V is from B-orthonormal."""
    BV = V if B is None else B @ V
    equation = np.linalg.norm(A @ V - BV * w) / np.linalg.norm(A)
    return float(max(equation, np.linalg.norm(V.conj().T @ BV - np.eye(len(w)))))


# The unit of an equation with B depends on V, which one sketch cannot follow; the error is that of C, not of A.
GENERALISED = ("sketch_estimates_the_residual", "bound_is_a_bound")


def error_of_pencil(operation: Operation, A: Array, F: Any, exact: Any) -> Array:
    """Of the eigenvalues, relative to ``‖L⁻¹ A L⁻ᴴ‖_F``."""
    known = operation.given(A)
    L = np.linalg.cholesky(known["B"])
    C = np.linalg.solve(L, np.linalg.solve(L, known["A"]).conj().swapaxes(1, 2))
    name = "w" if "w" in F else "M"
    gap = F[name].diagonal(0, -2, -1).real - exact[name].diagonal(0, -2, -1).real
    error: Array = np.abs(gap).max(-1) / np.linalg.norm(C, axis=(-2, -1))
    return error
