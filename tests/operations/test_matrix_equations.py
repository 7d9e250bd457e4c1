"""Lyapunov, Sylvester and Riccati equations over parameters, against SciPy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.errors import AccuracyWarning, ExactSolveError, InputError, SingularError
from neumatc.operations import Lyapunov, Operation, Riccati, Sylvester
from neumatc.operations.riccati import is_stable
from neumatc.testing import OPERATION_LAWS

N, M = 6, 4
P = np.random.default_rng(0).uniform(0, 1, 25)


def draw(shape: tuple[int, int], dtype: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    G = rng.standard_normal(shape)
    return G + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else G


class Setting:
    """The matrices of the three equations, of one dtype, over one or two parameters."""

    def __init__(self, dtype: Any = float) -> None:
        self.parts = [draw((N, N), dtype, seed) / 6 for seed in (1, 2)]
        self.B, self.right = draw((N, M), dtype, 3), draw((N, M), dtype, 4)
        self.F = 2 * np.eye(M) + draw((M, M), dtype, 5) / 6
        half = draw((N, N), dtype, 6)
        self.Q, self.R = half @ half.conj().T / N + np.eye(N), np.diag([1.0, 2.0, 3.0, 4.0]).astype(half.dtype)

    def stable(self, p: Any) -> Any:
        at = np.ravel(p)
        return -2 * np.eye(N) + np.cos(2 * at[0]) * self.parts[0] + np.sin(at[-1]) * self.parts[1]

    def unstable(self, p: Any) -> Any:
        return self.stable(p) + np.diag(np.linspace(0, 2.5, N))

    def decay(self, p: Any) -> Any:
        return -self.stable(p)

    def weight(self, p: Any) -> Any:
        return self.Q * (1 + np.ravel(p)[0])

    def matrices(self, name: str) -> tuple[Any, ...]:
        return {
            "lyapunov": (self.stable, self.weight),
            "sylvester": (self.decay, self.F, self.right),
            "riccati": (self.unstable, self.B, self.weight, self.R),
        }[name]


SCIPY: dict[str, Callable[..., Any]] = {
    "lyapunov": scipy.linalg.solve_continuous_lyapunov,
    "sylvester": scipy.linalg.solve_sylvester,
    "riccati": scipy.linalg.solve_continuous_are,
}
VERBS: dict[str, Callable[..., nmc.Fit]] = {
    "lyapunov": nmc.lyapunov,
    "sylvester": nmc.sylvester,
    "riccati": nmc.riccati,
}
OPERATIONS: dict[str, Operation] = {
    "lyapunov": Lyapunov(((N, N), (N, N))),
    "sylvester": Sylvester(((N, N), (M, M), (N, M))),
    "riccati": Riccati(((N, N), (N, M), (N, N), (M, M))),
}


def at(matrices: tuple[Any, ...], p: Any) -> list[Any]:
    return [matrix(p) if callable(matrix) else matrix for matrix in matrices]


def exact(name: str, matrices: tuple[Any, ...], points: Any) -> Any:
    return np.stack([SCIPY[name](*at(matrices, p)) for p in points])


@pytest.fixture(params=SCIPY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_laws(law: Callable[..., None], dtype: str, name: str) -> None:
    matrices = Setting(np.dtype(dtype)).matrices(name)
    rows = [np.concatenate([np.ravel(each) for each in at(matrices, p)]) for p in (0.1, 0.5, 0.8)]
    law(OPERATIONS[name], np.stack(rows)[:, None].astype(dtype), np.random.default_rng(2))


# answers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
def test_fit_agrees_with_scipy(name: str, dtype: Any, tmp_path: Path) -> None:
    matrices = Setting(dtype).matrices(name)
    fit, wanted = VERBS[name](*matrices, (0.0, 1.0), tol=1e-10, rng=0), exact(name, matrices, P)
    assert fit.status == "converged"
    assert fit(0.3).shape == wanted.shape[1:]
    assert np.linalg.norm(fit(P) - wanted) <= 1e-9 * np.linalg.norm(wanted)
    h = 1e-5
    up, down = exact(name, matrices, [0.4 + h, 0.4 - h])
    assert np.allclose(fit.derivative()(0.4), (up - down) / (2 * h), rtol=1e-5, atol=1e-7)
    fit.save(tmp_path / "x.nmc")
    loaded = nmc.load(tmp_path / "x.nmc", matrix=matrices)
    assert loaded.operation == fit.operation
    assert loaded.certify(P).passed.all()
    assert np.array_equal(loaded(0.3), fit(0.3))


def test_two_parameters(name: str) -> None:
    matrices = Setting().matrices(name)
    fit = VERBS[name](*matrices, [(0.0, 1.0), (0.0, 1.0)], tol=1e-6, basis="chebyshev", rng=0)
    points = np.random.default_rng(3).uniform(0, 1, (20, 2))
    wanted = exact(name, matrices, points)
    assert fit.status == "converged"
    assert np.linalg.norm(fit(points) - wanted) <= 1e-5 * np.linalg.norm(wanted)


def test_certified_answers_are_right_where_the_map_is_not(name: str) -> None:
    matrices = Setting().matrices(name)
    with pytest.warns(AccuracyWarning):
        fit = VERBS[name](*matrices, (0.0, 1.0), tol=1e-10, samples=4, rng=0)
    answer, wanted = fit.certified(1e-9)(P), exact(name, matrices, P)
    assert "exact" in answer.path
    assert np.linalg.norm(answer.value - wanted) <= 1e-7 * np.linalg.norm(wanted)


@pytest.mark.parametrize("name", ["lyapunov", "riccati"])
def test_hermitian_answers_are_stored_as_one_triangle(name: str) -> None:
    fit = VERBS[name](*Setting(complex).matrices(name), (0.0, 1.0), tol=1e-8, rng=0)
    X = fit(0.3)
    assert fit.surrogate.layout.parts[0].kind == "hermitian"
    assert not fit.surrogate.complex_coefficients
    # Within the diagonal block rounding alone may differ.
    assert np.allclose(X, X.conj().T, atol=1e-14)


def test_lyapunov_with_a_general_right_side_is_stored_in_full() -> None:
    setting = Setting(complex)
    matrices = (setting.stable, draw((N, N), complex, 8))
    fit = nmc.lyapunov(*matrices, (0.0, 1.0), tol=1e-9, rng=0)
    assert fit.surrogate.layout.is_plain
    wanted = exact("lyapunov", matrices, P)
    assert np.linalg.norm(fit(P) - wanted) <= 1e-8 * np.linalg.norm(wanted)


@pytest.mark.parametrize("name", ["lyapunov", "sylvester"])
def test_error_bound_holds(name: str) -> None:
    matrices = Setting().matrices(name)
    fit, wanted = VERBS[name](*matrices, (0.0, 1.0), tol=1e-8, rng=0), exact(name, matrices, P)
    certificate = fit.certify(P)
    true = np.linalg.norm(fit(P) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert np.all(true <= certificate.error_bound + 1e-14)
    assert np.all(certificate.error_bound <= 20 * certificate.bound)


# which solution ------------------------------------------------------------------------------------------------------


def test_another_solution_of_the_riccati_equation_never_passes() -> None:
    # x² - 2 x - 3 = 0 has the solutions 3, which stabilises, and -1, which does not.
    operation = Riccati(((1, 1),) * 4)
    row = np.array([[[1.0, 1.0, 3.0, 1.0]]])
    values = operation.given(row)
    for x, defect in ((3.0, 0.0), (-1.0, 1.0)):
        F = {"X": np.array([[[x]]])}
        assert nmc.equations.residual(operation.equations(), {**values, **F})[0] <= 1e-15
        assert operation.defect(row, F, None)[0] == defect


@pytest.mark.parametrize("shift", [-0.1, 0.1])
@pytest.mark.parametrize("P", [np.eye(5), -np.eye(5), np.full((5, 5), np.nan)], ids=["proof", "no proof", "nan"])
def test_stability_is_decided_with_and_without_a_proof(shift: float, P: Any) -> None:
    A = np.triu(np.ones((5, 5)), 1) + shift * np.eye(5)
    assert is_stable(A, P) == (shift < 0 and bool(np.isfinite(P).all()))


# mistakes ------------------------------------------------------------------------------------------------------------


def test_weights_must_be_hermitian() -> None:
    setting = Setting()
    skew = setting.Q + np.triu(np.ones((N, N)), 1)
    with pytest.raises(InputError, match=r"At p = 0: `riccati` needs a Hermitian Q, got ‖Q - Qᴴ‖_F/‖Q‖_F = "):
        nmc.riccati(setting.stable, setting.B, skew, setting.R, (0.0, 1.0))
    with pytest.raises(InputError, match="needs a Hermitian R"):
        nmc.riccati(setting.stable, setting.B, setting.Q, np.triu(np.ones((M, M))), (0.0, 1.0))


def test_a_mode_out_of_reach_is_named() -> None:
    with pytest.raises(ExactSolveError, match=r"At p = 0: `riccati` found no stabilising solution"):
        nmc.riccati(lambda p: np.diag([1.0 + p, -1.0]), np.array([[0.0], [1.0]]), np.eye(2), np.eye(1), (0.0, 1.0))


def test_an_input_without_cost_is_named() -> None:
    setting = Setting()
    with pytest.raises(SingularError, match="needs an invertible R"):
        nmc.riccati(setting.stable, setting.B, setting.Q, np.diag([1.0, 1.0, 1.0, 0.0]), (0.0, 1.0))


def test_cancelling_eigenvalues_are_named() -> None:
    with pytest.raises(SingularError, match=r"At p = 0\.5: `lyapunov` has no unique solution: eigenvalues"):
        nmc.lyapunov(lambda p: np.diag([-1.0, p - 0.5]), np.eye(2), (0.0, 1.0))
    with pytest.raises(SingularError, match="`sylvester` has no unique solution"):
        nmc.sylvester(lambda p: np.diag([1.0, 2.0 + p]), np.diag([-2.5]), np.ones((2, 1)), (0.0, 1.0))


@pytest.mark.parametrize(
    ("name", "shapes", "text"),
    [
        ("lyapunov", [(3, 3), (2, 2)], "square A and Q of one size, but A is 3 x 3, Q is 2 x 2"),
        ("sylvester", [(3, 3), (2, 2), (2, 3)], "but A is 3 x 3, B is 2 x 2, Q is 2 x 3"),
        (
            "riccati",
            [(3, 3), (3, 2), (3, 3), (3, 3)],
            "R \\(m x m\\), but A is 3 x 3, B is 3 x 2, Q is 3 x 3, R is 3 x 3",
        ),
    ],
)
def test_wrong_shapes_are_named(name: str, shapes: list[tuple[int, int]], text: str) -> None:
    first, *rest = [np.ones(shape) for shape in shapes]
    with pytest.raises(InputError, match=text):
        VERBS[name](lambda p: first * p, *rest, (0.0, 1.0))
