"""All eigenpairs of Hermitian matrices: the laws, fits, crossings, small gaps, a second matrix B."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from tests.operations.spectra import (
    DTYPES,
    GENERALISED,
    defect_of_pair,
    error_of_pencil,
    hermitian,
    obeys,
    pencils,
    smooth,
)

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError, InputError
from neumatc.gallery import AvoidedCrossing, ChernBand, Clusters, ConicalIntersection, ExactCrossing, RotatingSpectrum
from neumatc.gauge import Vectors
from neumatc.operations import Eigh
from neumatc.testing.operations import law_bound_is_a_bound

LEVELS = np.linspace(-1.0, 3.0, 12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_laws_hold(dtype: str) -> None:
    obeys(Eigh(), hermitian(dtype, LEVELS))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_laws_hold_with_b(dtype: str) -> None:
    rows = pencils(dtype, LEVELS)
    obeys(Eigh(generalised=True), rows, GENERALISED)
    law_bound_is_a_bound(Eigh(generalised=True), rows, np.random.default_rng(0), error_of_pencil)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_an_open_spectrum_is_fitted_to_rounding(complex_: bool) -> None:
    A = RotatingSpectrum(n=48, gap=0.43, complex=complex_)
    f = nmc.eigh(A, A.box, tol=1e-12, rng=0)
    assert f.status == "converged"
    for p in np.random.default_rng(1).uniform(0, 1, 20):
        w, V = f(p)
        np.testing.assert_allclose(w, A.eigenvalues(p), rtol=0, atol=1e-12)
        assert defect_of_pair(A(p), w, V) < 1e-12
        assert np.abs((V.conj() * A.eigenvectors(p)).sum(0)).min() > 1 - 1e-12
    gap = next(event for event in f.history if event.stage == "gap")
    assert gap.numbers["gap"] == pytest.approx(0.43, rel=1e-3)


def test_batches_and_two_parameters() -> None:
    A = smooth(6, complex)
    f = nmc.eigh(A, {"k": (0.0, 0.5), "z": (0.0, 0.5)}, basis="chebyshev", rng=0)
    p = np.random.default_rng(0).uniform(0, 0.5, (2, 3, 2))
    w, V = f(p)
    assert w.shape == (2, 3, 6)
    assert V.shape == (2, 3, 6, 6)
    assert defect_of_pair(A(p[1, 2]), w[1, 2], V[1, 2]) < 1e-6
    np.testing.assert_allclose(w[1, 2], np.linalg.eigvalsh(A(p[1, 2])), atol=1e-7)


def test_a_trivial_torus_of_vectors_is_solved() -> None:
    A = ChernBand(n=4, mass=3.0)
    f = nmc.eigh(A, A.box, rng=0)
    assert f.status == "converged"
    for p in f.box.random(20, np.random.default_rng(1)):
        assert defect_of_pair(A(p), *f(p)) < 1e-7


def test_a_true_crossing_is_followed_inside_and_sorted_outside() -> None:
    A = ExactCrossing(n=8)
    f = nmc.eigh(A, A.box, rng=0)
    p = np.linspace(0, 1, 401)
    stored = f.surrogate.factors(f.box.to_unit(p[:, None]))
    assert np.linalg.norm(np.diff(stored["V"], axis=0), axis=(1, 2)).max() < 0.1
    inside = stored["w"].diagonal(0, -2, -1)
    assert (np.diff(inside, axis=1).min(1) < 0).any()
    assert np.diff(f(p).eigenvalues, axis=1).min() >= -1e-12
    np.testing.assert_allclose(f(p).eigenvalues, [A.eigenvalues(q) for q in p], atol=1e-9)


def test_an_avoided_crossing_between_the_samples_is_found() -> None:
    """Far narrower than the distance of any two samples: only where the followed levels meet does a residual tell."""
    A = AvoidedCrossing(n=6, gap=1e-4, centre=0.4412)
    with pytest.warns(AccuracyWarning, match=r"reached a held-out residual|Levels come as near as"):
        f = nmc.eigh(A, A.box, rng=0)
    assert f.status != "converged"
    assert f.error > 1e-6
    assert any(event.stage == "gap" and "smallest distance of levels" in event.text for event in f.history)
    answer = f.certified(1e-8)(np.array([0.1, 0.4412, 0.44125]))
    assert np.all(answer.certificate.bound <= 1e-8)
    for p, w, V in zip((0.1, 0.4412, 0.44125), *answer.value, strict=True):
        assert defect_of_pair(A(p), w, V) < 1e-7


def test_vectors_of_a_cluster_are_named_uncertain() -> None:
    A = Clusters(n=12, gap=1e-9)
    with pytest.warns(AccuracyWarning, match=r"Levels come as near as .* at p = .*Pass rank=k for a subspace"):
        f = nmc.eigh(A, A.box, rng=0)
    np.testing.assert_allclose(f(0.3).eigenvalues, A.eigenvalues(0.3), atol=1e-9)


def test_a_dirac_point_is_refused_with_two_points() -> None:
    A = ConicalIntersection()
    with pytest.raises(GaugeError, match=r"no continuous phase on this box: between p = .* and p = .*Dirac point"):
        nmc.eigh(A, A.box, basis="chebyshev", rng=0)


def test_with_b_values_and_vectors_are_those_of_scipy() -> None:
    A = smooth(7)

    def weight(p: float) -> Any:
        return np.diag(np.linspace(1, 2, 7)) + 0.2 * np.cos(p)

    f = nmc.eigh(A, (0.0, 1.0), weight, rng=0)
    for p in (0.05, 0.63):
        w, V = f(p)
        np.testing.assert_allclose(w, scipy.linalg.eigh(A(p), weight(p))[0], atol=1e-7)
        assert defect_of_pair(A(p), w, V, weight(p)) < 1e-6
    certificate = f.certify(0.3)
    assert certificate.passed
    assert "L⁻¹ A L⁻ᴴ" in certificate.theorem
    assert f.certified(1e-10)(0.3).path in ("surrogate", "corrected")


def test_a_saved_fit_answers_alike(tmp_path: Path) -> None:
    A = smooth(5)
    f = nmc.eigh(A, (0.0, 1.0), np.eye(5), rng=0)
    f.save(tmp_path / "pairs.nmc")
    g = nmc.load(tmp_path / "pairs.nmc", matrix=(A, np.eye(5)))
    assert g.operation == Eigh(generalised=True)
    for one, other in zip(f(0.37), g(0.37), strict=True):
        np.testing.assert_array_equal(one, other)
    assert g.certify(0.2).passed


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_derivative_is_that_of_perturbation_theory(dtype: Any) -> None:
    A, p, h = smooth(6, dtype), 0.4, 1e-6
    f = nmc.eigh(A, (0.0, 1.0), tol=1e-12, rng=0)
    w, V = f(p)
    dw, dV = f.derivative()(p)
    dA = (A(p + h) - A(p - h)) / (2 * h)
    K = V.conj().T @ dA @ V
    np.testing.assert_allclose(dw, K.diagonal().real, atol=1e-8)
    gaps = w[None, :] - w[:, None] + np.eye(6)
    wanted = V @ ((1 - np.eye(6)) * K / gaps)
    np.testing.assert_allclose(dV, wanted, atol=1e-7)


def test_no_derivative_where_levels_cross() -> None:
    operation = Eigh()
    F = operation.exact(np.eye(3)[None])
    with pytest.raises(GaugeError, match="needs distinct eigenvalues, but two of them coincide"):
        operation.derivative(F, F)


def test_what_is_not_hermitian_is_refused_with_its_asymmetry() -> None:
    with pytest.raises(InputError, match=r"At p = .*is not Hermitian, ‖A - Aᴴ‖_F/‖A‖_F = .*use eig"):
        nmc.eigh(lambda p: np.array([[1.0, 2.0], [p, 3.0]]), (0.0, 1.0))


def test_an_indefinite_b_is_refused() -> None:
    with pytest.raises(InputError, match=r"B is not positive definite, its smallest eigenvalue is -1\.0e"):
        nmc.eigh(smooth(3), (0.0, 1.0), np.diag([1.0, 1.0, -1.0]))


def test_rectangles_are_refused() -> None:
    with pytest.raises(InputError, match=r"`eigh` needs square matrices, but A\(p\) is 2 x 3"):
        nmc.eigh(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))


def test_single_precision_in_and_out() -> None:
    A = smooth(5)
    f = nmc.eigh(lambda p: A(p).astype("float32"), (0.0, 1.0), rng=0)
    assert f(0.3).eigenvectors.dtype == f(0.3).eigenvalues.dtype == np.float32
    np.testing.assert_allclose(f(0.3).eigenvalues, np.linalg.eigvalsh(A(0.3)), atol=1e-4)


def test_diagonal_values_are_permuted_on_both_sides() -> None:
    F = {"V": np.eye(3)[None], "w": np.diag([1.0, 2.0, 3.0])[None]}
    gauge = Vectors(("V",), ("w",))
    moved = gauge.move(F, np.random.default_rng(0))
    assert not np.allclose(moved["V"], F["V"])
    np.testing.assert_allclose(moved["V"] @ moved["w"] @ moved["V"].swapaxes(1, 2), F["w"])
    back = gauge.align(moved, F)
    np.testing.assert_allclose(back["w"], F["w"])


def test_no_warning_from_an_ordinary_fit() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nmc.eigh(smooth(4), (0.0, 1.0), rng=0).status == "converged"
