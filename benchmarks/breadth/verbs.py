"""The operations, each with a reference solution and a residual by dense formulas that the library does not share.

Given matrices come by the names of the mathematics (A, B, Q, R, b), factors by the names under which a fit keeps them.
References come from NumPy and SciPy, or from the family where it knows its own answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import scipy.linalg

from benchmarks.truth import inverse_residual
from neumatc.arrays import Array

__all__ = ["VERBS", "Factors", "Given", "Verb"]

Given: TypeAlias = Mapping[str, Array]
Factors: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Verb:
    """One operation.

    Parameters
    ----------
    names : of the given matrices, in the order of the arguments of the verb.
    exact : the reference, canonical: values in order, positive diagonals.
    residual : of canonical factors, relative as in the documents of the library; NaN where they are another branch.
    vectors : factors whose columns share a free phase.
    """

    names: tuple[str, ...]
    exact: Callable[[Given], Factors]
    residual: Callable[[Given, Factors], float]
    vectors: tuple[str, ...] = field(default=())


def norm(*parts: Array) -> float:
    """Root of the summed squares of all entries."""
    return float(np.sqrt(sum(np.linalg.norm(part) ** 2 for part in parts)))


def gap_to_identity(V: Array) -> float:
    """``‖VᴴV - I‖_F / sqrt(k)``."""
    return norm(V.conj().T @ V - np.eye(V.shape[1])) / float(np.sqrt(V.shape[1]))


def _qr(M: Given) -> Factors:
    Q, R = np.linalg.qr(M["A"])
    signs = np.diag(R) / np.abs(np.diag(R))
    return {"Q": Q * signs, "R": signs.conj()[:, None] * R}


def _polar(M: Given) -> Factors:
    U, P = scipy.linalg.polar(M["A"])
    return {"U": U, "P": P}


def _svd(M: Given) -> Factors:
    U, s, Vh = np.linalg.svd(M["A"], full_matrices=False)
    return {"U": U, "s": np.diag(s), "V": Vh.conj().T}


def _eigh(M: Given) -> Factors:
    w, V = np.linalg.eigh(M["A"])
    return {"V": V, "w": np.diag(w)}


def _eig(M: Given) -> Factors:
    w, V = np.linalg.eig(M["A"])
    order = np.lexsort((w.imag, w.real))
    return {"V": V[:, order], "w": np.diag(w[order])}


def _logm(M: Given) -> Array:
    A = M["A"]
    if not np.array_equal(A, A.conj().T):
        X: Array = scipy.linalg.logm(A)
        return X
    w, V = np.linalg.eigh(A)  # to rounding, where the general method loses three digits
    return (V * np.log(w)) @ V.conj().T


def _pinv(M: Given) -> Array:
    """By singular values, those at rounding left out."""
    A = M["A"]
    inverse: Array = np.linalg.pinv(A, rcond=max(A.shape) * np.finfo(float).eps)
    return inverse


def _pinv_residual(M: Given, F: Factors) -> float:
    """Of the two equations that suffice at full rank, of all four of Penrose below it."""
    A, X = M["A"], F["X"]
    if np.linalg.matrix_rank(A) < min(A.shape):
        left, right = A @ X, X @ A
        gaps = [norm(P - P.conj().T) / np.sqrt(len(P)) for P in (left, right)]
        return float(np.linalg.norm([norm(left @ A - A) / norm(A), norm(right @ X - X) / norm(X), *gaps]))
    one, projector = (X @ A, A @ X) if A.shape[0] >= A.shape[1] else (A @ X, X @ A)
    size = np.sqrt(len(one)), np.sqrt(len(projector))
    return float(np.hypot(norm(one - np.eye(len(one))) / size[0], norm(projector - projector.conj().T) / size[1]))


def _factors_residual(left: str, right: str) -> Callable[[Given, Factors], float]:
    """Of ``A = left right`` with orthonormal left."""

    def residual(M: Given, F: Factors) -> float:
        product = norm(F[left] @ F[right] - M["A"]) / norm(M["A"])
        return float(np.hypot(product, gap_to_identity(F[left])))

    return residual


def _sqrtm_residual(M: Given, F: Factors) -> float:
    X = F["X"]
    principal = np.linalg.eigvals(X).real.min() >= 0
    return norm(X @ X - M["A"]) / norm(M["A"]) if principal else np.nan


def _logm_residual(M: Given, F: Factors) -> float:
    X = F["X"]
    principal = np.abs(np.linalg.eigvals(X).imag).max() < np.pi
    return norm(scipy.linalg.expm(X) - M["A"]) / norm(M["A"]) if principal else np.nan


def _riccati_residual(M: Given, F: Factors) -> float:
    A, X = M["A"], F["X"]
    feedback = M["B"] @ np.linalg.solve(M["R"], M["B"].conj().T) @ X
    stabilising = np.linalg.eigvals(A - feedback).real.max() < 0
    left = A.conj().T @ X + X @ A - X @ feedback + M["Q"]
    return norm(left) / norm(M["Q"]) if stabilising else np.nan


def _eigh_residual(M: Given, F: Factors) -> float:
    V, w = F["V"], np.diag(F["w"])
    return float(np.hypot(norm(M["A"] @ V - V * w) / norm(M["A"]), gap_to_identity(V)))


def _eig_residual(M: Given, F: Factors) -> float:
    V, w = F["V"], np.diag(F["w"])
    long = norm(np.linalg.norm(V, axis=0) - 1) / np.sqrt(len(w))
    return float(np.hypot(norm(M["A"] @ V - V * w) / norm(M["A"]), long))


def _svd_residual(M: Given, F: Factors) -> float:
    A, U, V, s = M["A"], F["U"], F["V"], np.diag(F["s"])
    sides = norm(A @ V - U * s, A.conj().T @ U - V * s) / norm(A)
    return float(np.sqrt(sides**2 + gap_to_identity(U) ** 2 + gap_to_identity(V) ** 2))


def _one(solve: Callable[[Given], Array]) -> Callable[[Given], Factors]:
    """A reference with one factor X."""
    return lambda M: {"X": solve(M)}


VERBS: Mapping[str, Verb] = {
    "inv": Verb(("A",), _one(lambda M: np.linalg.inv(M["A"])), lambda M, F: inverse_residual(M["A"], F["X"].copy())),
    "pinv": Verb(("A",), _one(_pinv), _pinv_residual),
    "solve": Verb(
        ("A", "b"),
        _one(lambda M: np.linalg.solve(M["A"], M["b"])),
        lambda M, F: norm(M["A"] @ F["X"] - M["b"]) / norm(M["b"]),
    ),
    "qr": Verb(("A",), _qr, _factors_residual("Q", "R")),
    "cholesky": Verb(
        ("A",),
        lambda M: {"L": np.linalg.cholesky(M["A"])},
        lambda M, F: norm(F["L"] @ F["L"].conj().T - M["A"]) / norm(M["A"]),
    ),
    "sqrtm": Verb(("A",), _one(lambda M: scipy.linalg.sqrtm(M["A"])), _sqrtm_residual),
    "polar": Verb(("A",), _polar, _factors_residual("U", "P")),
    "lyapunov": Verb(
        ("A", "Q"),
        _one(lambda M: scipy.linalg.solve_continuous_lyapunov(M["A"], M["Q"])),
        lambda M, F: norm(M["A"] @ F["X"] + F["X"] @ M["A"].conj().T - M["Q"]) / norm(M["Q"]),
    ),
    "sylvester": Verb(
        ("A", "B", "Q"),
        _one(lambda M: scipy.linalg.solve_sylvester(M["A"], M["B"], M["Q"])),
        lambda M, F: norm(M["A"] @ F["X"] + F["X"] @ M["B"] - M["Q"]) / norm(M["Q"]),
    ),
    "riccati": Verb(
        ("A", "B", "Q", "R"),
        _one(lambda M: scipy.linalg.solve_continuous_are(M["A"], M["B"], M["Q"], M["R"])),
        _riccati_residual,
    ),
    "expm": Verb(
        ("A",),
        _one(lambda M: scipy.linalg.expm(M["A"])),
        lambda M, F: norm(F["X"] - scipy.linalg.expm(M["A"])) / norm(F["X"]),
    ),
    "logm": Verb(("A",), _one(_logm), _logm_residual),
    "eigh": Verb(("A",), _eigh, _eigh_residual, ("V",)),
    "eig": Verb(("A",), _eig, _eig_residual, ("V",)),
    "svd": Verb(("A",), _svd, _svd_residual, ("U", "V")),
}
