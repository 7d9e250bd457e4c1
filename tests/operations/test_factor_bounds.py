"""Error bounds of QR and Cholesky: never below the truth, of the right size, silent where they prove nothing."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.operations import QR, Cholesky, Operation
from neumatc.operations.factor import triangular_change

Array = Any
CASES: dict[str, tuple[Operation, int, int]] = {
    "qr": (QR(), 9, 9),
    "qr-tall": (QR(), 14, 6),
    "cholesky": (Cholesky(), 9, 9),
}


def matrix(name: str, cond: float, complex_: bool, seed: int) -> Array:
    """A (1, n1, n2) of the given condition number."""
    _, rows, columns = CASES[name]
    rng = np.random.default_rng(seed)

    def frame(size: int) -> Array:
        G = rng.standard_normal((size, columns)) + (1j * rng.standard_normal((size, columns)) if complex_ else 0)
        return np.linalg.qr(G)[0]

    U, values = frame(rows), np.geomspace(1, 1 / cond, columns)
    return ((U * values) @ (U if name == "cholesky" else frame(columns)).conj().T)[None]


def disturbed(F: dict[str, Array], size: float, seed: int) -> dict[str, Array]:
    """The factors with noise of that relative size wherever they are not zero."""
    rng = np.random.default_rng(seed)
    return {name: X * (1 + size * rng.standard_normal(X.shape)) for name, X in F.items()}


def residual(operation: Operation, A: Array, F: dict[str, Array]) -> float:
    """By dense formulas, as the certificate combines it."""
    parts = []
    if isinstance(operation, Cholesky):
        L = F["L"][0]
        return float(np.linalg.norm(L @ L.conj().T - A[0]) / np.linalg.norm(A[0]))
    Q, R = F["Q"][0], F["R"][0]
    parts = [np.linalg.norm(Q @ R - A[0]) / np.linalg.norm(A[0])]
    parts.append(np.linalg.norm(Q.conj().T @ Q - np.eye(len(R))) / np.sqrt(len(R)))
    return float(np.hypot(*parts))


def error(F: dict[str, Array], exact: dict[str, Array]) -> float:
    return max(float(np.linalg.norm(F[name] - X) / np.linalg.norm(X)) for name, X in exact.items())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("complex_", [False, True])
def test_bounds_hold_and_are_of_the_size_of_the_condition_number(name: str, complex_: bool) -> None:
    operation, finite = CASES[name][0], 0
    for seed in range(200):
        cond = 10.0 ** (seed % 5)
        A = matrix(name, cond, complex_, seed)
        exact = operation.exact(A)
        F = disturbed(exact, 10.0 ** -(1 + seed % 9), seed)
        rho = residual(operation, A, F)
        found = operation.bound({"A": A}, F, np.array([rho]))
        assert found is not None
        bound = float(found[0][0])
        assert error(F, exact) <= bound * (1 + 1e-9) + 1e-13 * cond
        if np.isfinite(bound):
            finite += 1
            assert bound <= 20 * cond * rho + 1e-12
    assert finite > 80


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_proved_for_a_wrong_sign(name: str) -> None:
    operation = CASES[name][0]
    A = matrix(name, 2.0, False, 1)
    exact = operation.exact(A)
    flip = np.where(np.arange(CASES[name][2]) == 1, -1.0, 1.0)
    F = {"L": exact["L"] * flip} if name == "cholesky" else {"Q": exact["Q"] * flip, "R": exact["R"] * flip[:, None]}
    found = operation.bound({"A": A}, F, np.array([1e-15]))
    assert found is not None
    assert float(found[0][0]) >= error(F, exact) > 0.1


def test_a_factor_that_is_not_triangular_has_no_bound() -> None:
    A = matrix("cholesky", 2.0, False, 1)
    F = {"L": Cholesky().exact(A)["L"] + 1e-9}
    found = Cholesky().bound({"A": A}, F, np.array([1e-8]))
    assert found is not None
    assert np.isinf(found[0]).all()


def test_large_matrices_are_left_without() -> None:
    A = np.eye(65)[None]
    assert Cholesky().bound({"A": A}, {"L": A}, np.zeros(1)) is None
    assert QR().bound({"A": A}, {"Q": A, "R": A}, np.zeros(1)) is None


def test_the_change_of_a_triangle_is_never_more_than_stated() -> None:
    rng = np.random.default_rng(0)
    for size in np.geomspace(1e-6, 0.3, 40):
        G = rng.standard_normal((6, 6))
        G = size * (G + G.T) / np.linalg.norm(G + G.T)
        change = np.linalg.norm(np.linalg.cholesky(np.eye(6) + G) - np.eye(6))
        assert change <= float(triangular_change(np.linalg.norm(G))) * (1 + 1e-9)


@pytest.mark.parametrize("verb", ["qr", "cholesky"])
def test_certificates_of_a_fit_carry_the_bound(verb: str) -> None:
    rng = np.random.default_rng(2)
    S = rng.standard_normal((8, 8)) / 8

    def family(p: float) -> Array:
        return 2 * np.eye(8) + np.sin(2 * p) * (S + S.T)

    f = getattr(nmc, verb)(family, (0.0, 1.0), tol=1e-9, rng=0)
    certificate = f.certify(0.37)
    exact = CASES[verb][0].exact(family(0.37)[None])
    given = f(0.37)
    F = {"L": given[None]} if verb == "cholesky" else {"Q": given.Q[None], "R": given.R[None]}
    assert error(F, exact) <= certificate.error_bound <= 1e-7
    assert "computed" in certificate.theorem
