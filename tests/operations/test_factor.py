"""QR, Cholesky and polar: laws, fits against LAPACK, packed storage, branches, mistakes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.errors import ExactSolveError, GaugeError, InputError, SingularError
from neumatc.operations import QR, Cholesky, Operation, Polar
from neumatc.testing import check_operation

Array = np.ndarray[Any, Any]
P = np.random.default_rng(0).uniform(0, 1, 20)
DTYPES = ["float32", "float64", "complex64", "complex128"]
OPERATIONS: dict[str, Operation] = {"qr": QR(), "cholesky": Cholesky(), "polar": Polar()}
NAMES = pytest.mark.parametrize("name", OPERATIONS)


def exact(name: str, A: Array) -> tuple[Array, ...]:
    """LAPACK's factors, with the signs that make them unique."""
    if name == "cholesky":
        return (np.linalg.cholesky(A),)
    if name == "polar":
        U, H = scipy.linalg.polar(A)
        return U, H
    Q, R = np.linalg.qr(A)
    phase = np.diag(R) / np.abs(np.diag(R))
    return Q * phase, R * phase.conj()[:, None]


def parts(value: Any) -> tuple[Array, ...]:
    return value if isinstance(value, tuple) else (value,)


def assert_equals_lapack(name: str, family: Callable[[Any], Array], points: Array, value: Any, atol: float) -> None:
    for i, p in enumerate(points):
        for found, wanted in zip(parts(value), exact(name, family(p)), strict=True):
            np.testing.assert_allclose(found[i], wanted, rtol=0, atol=atol * np.linalg.norm(wanted))


@pytest.fixture(scope="module")
def family_of(make_waves: Any) -> Callable[..., Any]:
    def build(name: str, shape: tuple[int, int] = (12, 12), dtype: Any = float) -> Any:
        return make_waves(np.linspace(1, 2, shape[1]), shape, dtype, hermitian=name == "cholesky")

    return build


@NAMES
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_law_holds(name: str, dtype: str, family_of: Any) -> None:
    for shape in [(8, 8)] if name == "cholesky" else [(8, 8), (11, 5)]:
        family = family_of(name, shape, dtype)
        check_operation(OPERATIONS[name], np.stack([family(p) for p in (0.1, 0.5, 0.8)]), 0)


@NAMES
@pytest.mark.parametrize("dtype", [float, complex])
def test_a_fit_equals_lapack_and_is_certified_saved_and_loaded(
    name: str, dtype: Any, family_of: Any, tmp_path: Path
) -> None:
    shape = (12, 12) if name == "cholesky" else (14, 10)
    family = family_of(name, shape, dtype)
    fit = getattr(nmc, name)(family, (0.0, 1.0), tol=1e-10, rng=0)
    assert fit.status == "converged"
    assert_equals_lapack(name, family, P, fit(P), 1e-8)
    assert fit.certify(P, tol=1e-9).passed.all()
    answer = fit.certified(tol=1e-12)(P)
    assert_equals_lapack(name, family, P, answer.value, 1e-11)
    fit.save(tmp_path / "fit.nmc")
    again = nmc.load(tmp_path / "fit.nmc", matrix=family)
    for found, wanted in zip(parts(again(P)), parts(fit(P)), strict=True):
        np.testing.assert_array_equal(found, wanted)


@NAMES
def test_two_parameters(name: str, family_of: Any) -> None:
    family = family_of(name, (6, 6))
    fit = getattr(nmc, name)(family, [(0.0, 1.0), (-1.0, 1.0)], tol=1e-6, basis="chebyshev", rng=0)
    points = np.random.default_rng(1).uniform([0, -1], [1, 1], (12, 2))
    assert_equals_lapack(name, family, points, fit(points), 1e-4)


def test_results_have_the_field_names_of_numpy_and_scipy(family_of: Any) -> None:
    assert nmc.qr(family_of("qr", (6, 4)), (0.0, 1.0), rng=0)(0.3)._fields == np.linalg.qr(np.eye(2))._fields
    assert nmc.polar(family_of("polar", (6, 4)), (0.0, 1.0), rng=0)(0.3)._fields == ("U", "P")
    assert isinstance(nmc.cholesky(family_of("cholesky", (4, 4)), (0.0, 1.0), rng=0)(0.3), np.ndarray)


# structure -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["qr", "cholesky", "polar"])
def test_triangles_are_stored_as_triangles(name: str, family_of: Any) -> None:
    n = 96
    fit = getattr(nmc, name)(family_of(name, (n, n)), (0.0, 1.0), tol=1e-5, rng=0)
    whole = n * n
    packed = 3 * 32 * 32 + 3 * 32 * 32  # three block rows of 1, 2 and 3 blocks
    assert fit.surrogate.C.shape[1] == packed + (0 if name == "cholesky" else whole)
    value = fit(0.3)
    triangle = {"qr": lambda: np.tril(value.R, -1), "cholesky": lambda: np.triu(value, 1)}
    if name == "polar":
        np.testing.assert_array_equal(value.P, value.P.T)
    else:
        assert not triangle[name]().any()


@NAMES
@pytest.mark.parametrize("dtype", [float, complex])
def test_derivatives_are_those_of_the_exact_factors_and_keep_their_structure(
    name: str, dtype: Any, family_of: Any
) -> None:
    family, h = family_of(name, (8, 8), dtype), 1e-5
    slope = parts(getattr(nmc, name)(family, (0.0, 1.0), tol=1e-11, rng=0).derivative()(0.4))
    for found, after, before in zip(slope, exact(name, family(0.4 + h)), exact(name, family(0.4 - h)), strict=True):
        np.testing.assert_allclose(found, (after - before) / (2 * h), rtol=0, atol=1e-7)
    last = slope[-1]
    outside = {"qr": np.tril(last, -1), "cholesky": np.triu(last, 1), "polar": last - last.conj().T}
    assert not outside[name].any()


# branches ------------------------------------------------------------------------------------------------------------


def turned(name: str, F: dict[str, Array]) -> dict[str, Array]:
    """Other factors that satisfy the same equations."""
    signs = np.ones(F[next(iter(F))].shape[-1])
    signs[2] = -1
    if name == "polar":
        values, V = np.linalg.eigh(F["P"])
        flip = (V * signs) @ V.conj().swapaxes(-1, -2)
        return {"U": F["U"] @ flip, "P": (V * (signs * values)[..., None, :]) @ V.conj().swapaxes(-1, -2)}
    if name == "qr":
        return {"Q": F["Q"] * signs, "R": F["R"] * signs[:, None]}
    return {"L": F["L"] * signs}


@NAMES
@pytest.mark.parametrize("dtype", [float, complex])
def test_a_wrong_branch_satisfies_the_equations_and_is_found(name: str, dtype: Any, family_of: Any) -> None:
    operation: Any = OPERATIONS[name]
    A = np.stack([family_of(name, (8, 8), dtype)(p) for p in (0.1, 0.7)])
    wrong = turned(name, operation.exact(A))
    assert np.all(nmc.equations.residual(operation.equations(), {"A": A, **wrong}) < 1e-13)
    assert np.all(operation.defect(A, operation.exact(A), None) < 1e-14)
    assert np.all(operation.defect(A, wrong, None) > 0.5)


@NAMES
def test_certified_answers_never_come_from_a_wrong_branch(name: str, family_of: Any) -> None:
    family = family_of(name, (8, 8))
    fit = getattr(nmc, name)(family, (0.0, 1.0), tol=1e-10, rng=0)
    slices = turned(name, fit.surrogate.slices()) if name != "polar" else None
    if slices is None:
        slices = {key: -X for key, X in fit.surrogate.slices().items()}  # -U, -P: the most indefinite branch of all
    fit.surrogate.layout.pack(slices, fit.surrogate.C)
    assert fit.certify(P).residual.min() > 0.5
    answer = fit.certified(tol=1e-9)(P)
    assert set(answer.path) == {"exact"}
    assert_equals_lapack(name, family, P, answer.value, 1e-11)


@NAMES
def test_factors_without_the_structure_are_found(name: str, family_of: Any) -> None:
    operation: Any = OPERATIONS[name]
    A = family_of(name, (6, 6))(0.3)[None]
    F = operation.exact(A)
    factor = {"qr": "R", "cholesky": "L", "polar": "P"}[name]
    F[factor] = F[factor] + (1e-3 * np.tri(6, k=-1) if name != "cholesky" else 1e-3 * np.tri(6, k=-1).T)
    assert 1e-4 < operation.defect(A, F, None)[0] < 1e-2


# mistakes ------------------------------------------------------------------------------------------------------------


def test_a_matrix_that_is_not_hermitian_is_named_with_its_asymmetry() -> None:
    with pytest.raises(ExactSolveError, match=r"`cholesky` failed at p = .*not Hermitian, .* = 2\.0e-01"):
        nmc.cholesky(lambda p: np.array([[2.0, 0.4], [0.0, 2.0 + p]]), (0.0, 1.0))


def test_a_matrix_that_is_not_definite_is_named_with_its_smallest_eigenvalue() -> None:
    with pytest.raises(ExactSolveError, match=r"`cholesky` failed at p = .*smallest eigenvalue is -[\d.]+e-0\d"):
        nmc.cholesky(lambda p: np.diag([1.0, 0.4567 - p]), (0.0, 1.0))


def test_one_matrix_of_a_batch_is_named() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"A \(matrix 1 of 2\) is not positive definite"):
        Cholesky().exact(np.stack([np.eye(3), -np.eye(3)]))


@pytest.mark.parametrize("name", ["qr", "polar"])
def test_dependent_columns_are_refused(name: str) -> None:
    with pytest.raises(ExactSolveError, match=rf"`{name}` failed at p = .*(dependent|rank)"):
        getattr(nmc, name)(lambda p: np.outer([1.0, 2.0, p], [1.0, 3.0]), (0.0, 1.0))
    with pytest.raises(SingularError, match="singular to working precision"):
        getattr(nmc, name)(lambda p: np.outer([1.0, p], [1.0, 3.0]), (0.0, 1.0))


@pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")
@pytest.mark.parametrize("name", ["qr", "polar"])
def test_a_rank_that_is_lost_between_two_points_is_refused(name: str) -> None:
    Q = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0]
    with pytest.raises(GaugeError, match=rf"`{name}` has no smooth answer .* between p = 0\.[34]"):
        getattr(nmc, name)(lambda p: (Q * [2.0, 1.5, 1.0, p - 0.3123]) @ Q, (0.0, 1.0), samples=40, rng=0)


def test_shapes_that_have_no_such_factors() -> None:
    with pytest.raises(InputError, match="at least as many rows as columns, but A\\(p\\) is 2 x 3"):
        nmc.qr(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
    with pytest.raises(InputError, match="at least as many rows as columns"):
        nmc.polar(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
    with pytest.raises(InputError, match="`cholesky` needs square matrices"):
        nmc.cholesky(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
