"""Eigenpairs of matrices that need not be normal: the laws, fits, complex pairs, left vectors, exceptional points."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.operations.spectra import draw, obeys

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError, InputError
from neumatc.family import Family
from neumatc.family.complexified import Complexified
from neumatc.gallery import ExceptionalPoint
from neumatc.gauge import Vectors
from neumatc.operations import Eig
from neumatc.testing.operations import law_bound_is_a_bound


def apart(dtype: Any) -> Any:
    """Non-normal, with eigenvalues near 0, 1, …, 9."""
    return 0.3 * draw(dtype, 2, 10, 10) + np.diag(np.arange(10)).astype(dtype)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("left", [False, True])
def test_the_laws_hold(dtype: str, left: bool) -> None:
    # The bound is one of the eigenvalues; singular values of V and L, which the law would compare, are none of them.
    obeys(Eig(left), apart(dtype), ("bound_is_a_bound",))


def farthest(_: Any, A: Any, F: Any, exact: Any) -> Any:
    """Distance of the worst exact eigenvalue to the nearest found one, relative to ``‖A‖_F``."""
    found, true = (G["w"].diagonal(0, -2, -1) for G in (F, exact))
    return np.abs(true[:, :, None] - found[:, None, :]).min(-1).max(-1) / np.linalg.norm(A, axis=(-2, -1))


def test_the_bound_is_one() -> None:
    law_bound_is_a_bound(Eig(), apart("complex128"), np.random.default_rng(0), farthest)


def test_real_matrices_have_complex_results() -> None:
    F = Eig().exact(np.array([[[0.0, 1.0], [-1.0, 0.0]]], "float32"))
    assert {X.dtype for X in F.values()} == {np.dtype("complex64")}
    family = Complexified(Family(lambda p: np.eye(2) * p))
    assert family.inspect(nmc.Box.of((0, 1))).dtype == np.complex128
    assert not family.tabulated


def dynamics(n: int, dtype: Any = float) -> Any:
    """Non-normal, entire in one or two parameters, with complex pairs where real."""
    A, B, C = (0.25 * draw(dtype, n, n, seed=seed) for seed in range(3))

    def family(p: Any) -> Any:
        at = np.ravel(p)
        pairs = np.diag(np.repeat(np.arange(n // 2), 2)) + np.kron(np.eye(n // 2), [[0, 1], [-1, 0]])
        return pairs + 0.3 * (A + np.sin(at[0]) * B + at[-1] * C)

    return family


def residual(A: Any, w: Any, V: Any) -> float:
    return float(np.linalg.norm(A @ V - V * w) / np.linalg.norm(A))


@pytest.mark.parametrize("dtype", [float, complex])
def test_pairs_are_those_of_numpy(dtype: Any) -> None:
    A = dynamics(8, dtype)
    f = nmc.eig(A, (0.0, 1.0), tol=1e-10, rng=0)
    assert f.status == "converged"
    for p in (0.05, 0.61, 0.97):
        w, V = f(p)
        assert w.dtype == V.dtype == np.complex128
        assert residual(A(p), w, V) < 1e-9
        np.testing.assert_allclose(np.linalg.norm(V, axis=0), 1, atol=1e-14)
        exact = np.linalg.eigvals(A(p))
        assert np.abs(exact[:, None] - w).min(1).max() < 1e-8
        order = np.lexsort((w.imag, np.round(w.real, 9)))
        np.testing.assert_array_equal(order, np.arange(8))


def test_left_vectors_on_request() -> None:
    A = dynamics(6)
    f = nmc.eig(A, (0.0, 1.0), left=True, tol=1e-10, rng=0)
    p = np.array([0.2, 0.7])
    w, V, L = f(p)
    np.testing.assert_allclose(L.conj().swapaxes(1, 2) @ V, np.broadcast_to(np.eye(6), (2, 6, 6)), atol=1e-8)
    np.testing.assert_allclose(L[1].conj().T @ A(0.7), w[1][:, None] * L[1].conj().T, atol=1e-8)
    assert f(0.3)._fields == ("eigenvalues", "eigenvectors", "left_eigenvectors")


def test_two_parameters() -> None:
    A = dynamics(4)
    f = nmc.eig(A, [(0.0, 0.5), (0.0, 0.5)], basis="chebyshev", rng=0)
    p = np.array([0.31, 0.12])
    assert residual(A(p), *f(p)) < 1e-7


def test_values_are_followed_where_vectors_are_almost_parallel() -> None:
    """The overlap of right vectors alone would exchange them."""
    A = np.array([[1.0, 1.0, 0.0], [0.0, 1.1, 0.0], [0.0, 0.0, 1.2]])
    F = Eig().exact(A[None])
    assert abs(F["V"][0, :, 0].conj() @ F["V"][0, :, 1]) > 0.99
    gauge = Eig().gauge
    assert isinstance(gauge, Vectors)
    moved = gauge.align(gauge.move(F, np.random.default_rng(3)), F)
    np.testing.assert_allclose(moved["w"], F["w"], atol=1e-12)
    np.testing.assert_allclose(moved["V"], F["V"], atol=1e-12)


def test_certificate_and_repair() -> None:
    A = dynamics(6)
    f = nmc.eig(lambda p: A(p) + 4 * np.exp(-(((p - 0.6253) / 5e-4) ** 2)) * np.eye(6, k=1), (0.0, 1.0), rng=0)
    p = np.array([0.2, 0.6251, 0.6253])
    assert list(f.certify(p).passed) == [True, False, False]
    answer = f.certified(1e-9)(p)
    assert np.all(answer.certificate.bound <= 1e-9)
    assert "Bauer-Fike" in answer.certificate.theorem


def test_a_saved_fit_answers_alike(tmp_path: Path) -> None:
    A = dynamics(4)
    f = nmc.eig(A, (0.0, 1.0), left=True, rng=0)
    f.save(tmp_path / "pairs.nmc")
    g = nmc.load(tmp_path / "pairs.nmc", matrix=A)
    assert g.operation == Eig(left=True)
    for one, other in zip(f(0.37), g(0.37), strict=True):
        np.testing.assert_array_equal(one, other)
    assert g.certify(0.2).passed


def test_the_derivative_is_a_difference_quotient() -> None:
    A, p, h = dynamics(6), 0.4, 1e-5
    f = nmc.eig(A, (0.0, 1.0), left=True, tol=1e-11, rng=0)
    for change, before, after in zip(f.derivative()(p), f(p - h), f(p + h), strict=True):
        np.testing.assert_allclose(change, (after - before) / (2 * h), atol=1e-5)


def test_an_exceptional_point_is_refused_where_it_is_met() -> None:
    with pytest.raises(GaugeError, match=r"At p = 0.5: A is defective .* condition .* apart\. At an exceptional point"):
        nmc.eig(ExceptionalPoint(), (0.0, 1.0), rng=0)


def test_an_exceptional_point_between_the_samples_is_named() -> None:
    with pytest.warns(AccuracyWarning, match=r"at p = 0\.49.*: an exceptional point may be near|reached a held-out"):
        f = nmc.eig(ExceptionalPoint(), (0.0, 0.98), basis="chebyshev", rng=0)
    assert f.status != "converged"


def test_near_an_exceptional_point_the_condition_is_told() -> None:
    A = ExceptionalPoint(distance=0.05)
    f = nmc.eig(A, A.box, rng=0)
    assert f.status == "converged"
    told = next(event for event in f.history if event.stage == "gap")
    assert "condition up to" in told.text
    assert told.numbers["condition"] > 1.5


def test_no_derivative_where_values_coincide() -> None:
    F = Eig().exact(np.eye(3)[None])
    with pytest.raises(GaugeError, match="two of them coincide"):
        Eig().derivative(F, F)


def test_rectangles_are_refused() -> None:
    with pytest.raises(InputError, match=r"`eig` needs square matrices, but A\(p\) is 2 x 3"):
        nmc.eig(lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
