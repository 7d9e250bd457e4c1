"""The principal square root: laws, fits against SciPy, its branch, mistakes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.errors import ExactSolveError, GaugeError, InputError
from neumatc.operations import SquareRoot
from neumatc.testing import check_operation

P = np.random.default_rng(0).uniform(0, 1, 20)
KINDS = pytest.mark.parametrize("hermitian", [False, True], ids=["general", "hermitian"])


def family_of(make_waves: Any, hermitian: bool, dtype: Any = float, n: int = 12) -> Any:
    """Singular values in [1, 2] turned at most a little: a general family far from the negative axis."""
    if hermitian:
        return make_waves(np.linspace(1, 2, n), (n, n), dtype, hermitian=True)
    waves = make_waves(np.linspace(0.2, 0.5, n), (n, n), dtype)
    return lambda p: waves(p) + 2 * np.eye(n, dtype=waves(0.0).dtype)


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_every_law_holds(hermitian: bool, dtype: str, make_waves: Any) -> None:
    family = family_of(make_waves, hermitian, dtype, 7)
    check_operation(SquareRoot(), np.stack([family(p) for p in (0.1, 0.5, 0.8)]), 0)


@KINDS
@pytest.mark.parametrize("dtype", [float, complex])
def test_a_fit_equals_scipy_and_is_certified_saved_and_loaded(
    hermitian: bool, dtype: Any, make_waves: Any, tmp_path: Path
) -> None:
    family = family_of(make_waves, hermitian, dtype)
    fit = nmc.sqrtm(family, (0.0, 1.0), tol=1e-10, rng=0)
    wanted = np.stack([scipy.linalg.sqrtm(family(p)) for p in P])
    assert fit.status == "converged"
    assert fit(P).dtype == dtype
    np.testing.assert_allclose(fit(P), wanted, rtol=0, atol=1e-8)
    assert fit.certify(P, tol=1e-9).passed.all()
    np.testing.assert_allclose(fit.certified(tol=1e-12)(P).value, wanted, rtol=0, atol=1e-11)
    fit.save(tmp_path / "root.nmc")
    np.testing.assert_array_equal(nmc.load(tmp_path / "root.nmc", matrix=family)(P), fit(P))
    slope = (scipy.linalg.sqrtm(family(0.4 + 1e-5)) - scipy.linalg.sqrtm(family(0.4 - 1e-5))) / 2e-5
    np.testing.assert_allclose(fit.derivative()(0.4), slope, rtol=0, atol=1e-6)


@KINDS
def test_two_parameters(hermitian: bool, make_waves: Any) -> None:
    family = family_of(make_waves, hermitian, float, 6)
    fit = nmc.sqrtm(family, [(0.0, 1.0), (-1.0, 1.0)], tol=1e-6, basis="chebyshev", rng=0)
    points = np.random.default_rng(1).uniform([0, -1], [1, 1], (12, 2))
    np.testing.assert_allclose(fit(points), [scipy.linalg.sqrtm(family(p)) for p in points], rtol=0, atol=1e-4)


def test_only_hermitian_roots_are_stored_as_triangles(make_waves: Any) -> None:
    n = 96
    fits = [nmc.sqrtm(family_of(make_waves, h, float, n), (0.0, 1.0), tol=1e-5, rng=0) for h in (False, True)]
    assert [fit.surrogate.C.shape[1] for fit in fits] == [n * n, 6 * 32 * 32]


# the branch ----------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("dtype", [float, complex])
def test_another_branch_satisfies_the_equation_and_is_found(hermitian: bool, dtype: Any, make_waves: Any) -> None:
    A = np.stack([family_of(make_waves, hermitian, dtype, 7)(p) for p in (0.1, 0.7)])
    values, V = np.linalg.eig(SquareRoot().exact(A)["X"])
    values[:, 3] *= -1
    X = (V * values[:, None, :]) @ np.linalg.inv(V)
    F = {"X": (X + X.conj().swapaxes(1, 2)) / 2 if hermitian else X}
    assert np.all(nmc.equations.residual(SquareRoot().equations(), {"A": A, **F}) < 1e-12)
    size = 2 * np.abs(values[:, 3]) / np.linalg.norm(X, axis=(1, 2))
    np.testing.assert_allclose(SquareRoot().defect(A, F, None), size, rtol=1e-8)
    assert not SquareRoot().defect(A, SquareRoot().exact(A), None).any()


def test_a_numerical_range_beyond_the_axis_is_no_defect() -> None:
    X = np.array([[[1.0, 9.0], [0.0, 1.0]]])  # X + Xᵀ is indefinite, the eigenvalues are 1 and 1
    assert SquareRoot().defect(X @ X, {"X": X}, None) == 0


def test_certified_answers_never_come_from_a_wrong_branch(make_waves: Any) -> None:
    family = family_of(make_waves, True)
    fit = nmc.sqrtm(family, (0.0, 1.0), tol=1e-10, rng=0)
    fit.surrogate.C[:] *= -1
    answer = fit.certified(tol=1e-9)(P)
    assert set(answer.path) == {"exact"}
    np.testing.assert_allclose(answer.value, [scipy.linalg.sqrtm(family(p)) for p in P], rtol=0, atol=1e-12)


def test_an_eigenvalue_that_passes_through_the_negative_axis_is_refused() -> None:
    T = np.eye(3) + np.diag([0.3, -0.2], 1)

    def family(p: float) -> Any:
        return T @ np.diag([2.0, 3.0, np.exp(1j * (np.pi + 0.9 * (p - 0.5171)))]) @ np.linalg.inv(T)

    with pytest.raises(GaugeError, match=r"`sqrtm` has no smooth answer .* between p = 0\.[56]"):
        nmc.sqrtm(family, (0.0, 1.0), samples=40, rng=0)


@pytest.mark.parametrize("values", [(1.0, -2.0), (1.0, 0.0), (-1e-3 + 0j, 1.0 + 1j)])
def test_an_eigenvalue_on_the_closed_negative_axis_is_refused(values: tuple[complex, complex]) -> None:
    T = np.array([[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ExactSolveError, match=r"`sqrtm` failed at p = .*(negative real axis|singular)"):
        nmc.sqrtm(lambda p: T @ np.diag(values) @ np.linalg.inv(T) * (1 + p), (0.0, 1.0))
    with pytest.raises(np.linalg.LinAlgError, match=r"A \(matrix 1 of 2\) has an eigenvalue .* negative real axis"):
        SquareRoot().exact(np.stack([np.eye(2) + 0j, np.diag(values)]))


def test_a_rectangular_matrix_is_refused() -> None:
    with pytest.raises(InputError, match="`sqrtm` needs square matrices, but A\\(p\\) is 2 x 3"):
        nmc.sqrtm(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
