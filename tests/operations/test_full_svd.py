"""All singular triplets: the laws, fits of every shape, crossings, a value through zero, small gaps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from tests.operations.spectra import DTYPES, draw, obeys, smooth

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError
from neumatc.gallery import Clusters, RotatingSVD
from neumatc.operations import FullSVD

SHAPES = pytest.mark.parametrize("shape", [(10, 10), (8, 12), (12, 8)], ids=str)


def matrices(dtype: Any, shape: tuple[int, int], values: Any) -> Any:
    wide = np.result_type(dtype, float)
    U, V = (np.linalg.qr(draw(dtype, 2, n, len(values), seed=n).astype(wide))[0] for n in shape)
    return ((U * np.asarray(values)) @ V.conj().swapaxes(1, 2)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@SHAPES
def test_the_laws_hold(dtype: str, shape: tuple[int, int]) -> None:
    obeys(FullSVD(), matrices(dtype, shape, np.linspace(0.5, 3, min(shape))))


def error(A: Any, U: Any, S: Any, Vh: Any) -> float:
    eye = np.eye(len(S))
    parts = [(U * S) @ Vh - A, U.conj().T @ U - eye, Vh @ Vh.conj().T - eye]
    return max(float(np.linalg.norm(part)) for part in parts)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_an_open_spectrum_is_fitted_to_rounding(complex_: bool) -> None:
    A = RotatingSVD(complex=complex_)
    f = nmc.svd(A, A.box, tol=1e-12, rng=0)
    assert f.status == "converged"
    for p in np.random.default_rng(1).uniform(0, 1, 20):
        assert error(A(p), *f(p)) < 1e-11
        np.testing.assert_allclose(f(p).S, np.linalg.svd(A(p))[1], rtol=0, atol=1e-12)


def rectangular(shape: tuple[int, int], dtype: Any = float) -> Any:
    """Entire in one or two parameters; levels apart, except that two cross at p = 0.37 where ``shape`` is square."""
    k = min(shape)
    turns = [smooth(n, dtype, seed=n) for n in shape]

    def family(p: Any) -> Any:
        U, V = (np.linalg.qr(np.eye(n) + 0.1 * turn(p))[0] for n, turn in zip(shape, turns, strict=True))
        values = np.arange(1.0, k + 1) + 0.1 * np.sin(np.ravel(p)[-1] + np.arange(k))
        return (U[:, :k] * values) @ V[:, :k].conj().T

    return family


@pytest.mark.parametrize("shape", [(5, 8), (8, 5)], ids=str)
@pytest.mark.parametrize("dtype", [float, complex])
def test_rectangles_are_thin(shape: tuple[int, int], dtype: Any) -> None:
    A = rectangular(shape, dtype)
    f = nmc.svd(A, (0.0, 1.0), rng=0)
    U, S, Vh = f(np.array([0.1, 0.8]))
    assert U.shape == (2, shape[0], 5)
    assert S.shape == (2, 5)
    assert Vh.shape == (2, 5, shape[1])
    assert error(A(0.8), U[1], S[1], Vh[1]) < 1e-6


def test_two_parameters() -> None:
    A = rectangular((5, 4))
    f = nmc.svd(A, [(0.0, 1.0), (0.0, 1.0)], basis="chebyshev", rng=0)
    p = np.array([0.3, 0.6])
    assert error(A(p), *f(p)) < 1e-6


def test_values_that_cross_or_pass_through_zero_are_smooth_inside() -> None:
    K = draw(float, 4, 4)
    Q = np.linalg.qr(K)[0]

    # At p = 0.5, which is a sample, two values are equal and LAPACK's basis of their space is arbitrary.
    def family(p: float) -> Any:
        return (Q * np.array([2 + p, 3 - p, 0.6173 - p, 5.0])) @ scipy.linalg.expm(0.2 * p * (K - K.T))

    f = nmc.svd(family, (0.0, 1.0), rng=0)
    assert f.status == "converged"
    p = np.linspace(0, 1, 201)
    stored = f.surrogate.factors(f.box.to_unit(p[:, None]))
    assert stored["s"].diagonal(0, -2, -1).min() < -0.3
    assert max(np.linalg.norm(np.diff(stored[name], axis=0), axis=(1, 2)).max() for name in "UV") < 0.05
    S = f(p).S
    assert S.min() >= 0
    assert np.diff(S, axis=1).max() <= 0
    np.testing.assert_allclose(S, [np.linalg.svd(family(q))[1] for q in p], atol=1e-8)
    assert error(family(0.9), *f(0.9)) < 1e-7


def test_vectors_of_a_cluster_are_named_uncertain() -> None:
    A = Clusters(n=12, gap=1e-9)
    with pytest.warns(AccuracyWarning, match=r"Levels come as near as .*Pass rank=k for a subspace"):
        f = nmc.svd(A, A.box, rng=0)
    np.testing.assert_allclose(f(0.3).S, np.linalg.svd(A(0.3))[1], atol=1e-9)


def test_no_answer_is_certified_that_is_wrong() -> None:
    A = rectangular((6, 6), complex)
    f = nmc.svd(lambda p: A(p) + 5 * np.exp(-(((p - 0.6253) / 5e-4) ** 2)), (0.0, 1.0), rng=0)
    p = np.array([0.2, 0.6251, 0.6253])
    assert list(f.certify(p).passed) == [True, False, False]
    answer = f.certified(1e-9)(p)
    for q, U, S, Vh in zip(p, *answer.value, strict=True):
        assert error(A(q) + 5 * np.exp(-(((q - 0.6253) / 5e-4) ** 2)), U, S, Vh) < 1e-7


def test_a_saved_fit_answers_alike(tmp_path: Path) -> None:
    A = rectangular((5, 4))
    f = nmc.svd(A, (0.0, 1.0), rng=0)
    f.save(tmp_path / "triplets.nmc")
    g = nmc.load(tmp_path / "triplets.nmc", matrix=A)
    assert g.operation == FullSVD()
    for one, other in zip(f(0.37), g(0.37), strict=True):
        np.testing.assert_array_equal(one, other)
    assert g.certify(0.2).passed


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_derivative_obeys_the_product_rule(dtype: Any) -> None:
    A, p, h = rectangular((7, 5), dtype), 0.4, 1e-6
    f = nmc.svd(A, (0.0, 1.0), tol=1e-11, rng=0)
    (U, S, Vh), (dU, dS, dVh) = f(p), f.derivative()(p)
    dA = (A(p + h) - A(p - h)) / (2 * h)
    np.testing.assert_allclose(dS, (U.conj().T @ dA @ Vh.conj().T).diagonal().real, atol=1e-6)
    np.testing.assert_allclose((dU * S) @ Vh + (U * dS) @ Vh + (U * S) @ dVh, dA, atol=1e-5)


def test_no_derivative_where_values_cross() -> None:
    F = FullSVD().exact(np.eye(3)[None])
    with pytest.raises(GaugeError, match="two of them coincide"):
        FullSVD().derivative(F, F)


def test_single_precision_in_and_out() -> None:
    A = rectangular((5, 5))
    f = nmc.svd(lambda p: A(p).astype("float32"), (0.0, 1.0), rng=0)
    assert {part.dtype for part in f(0.3)} == {np.dtype("float32")}
    np.testing.assert_allclose(f(0.3).S, np.linalg.svd(A(0.3))[1], atol=1e-4)
