"""Spectral projectors: the laws, families without any smooth frame, what is refused, and certificates."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from tests.operations.spectra import DTYPES, GENERALISED, Array, hermitian, obeys, pencils, smooth

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError, InputError, RankError
from neumatc.gallery import AvoidedCrossing, ChernBand, Clusters, ConicalIntersection, ExactCrossing, Moebius
from neumatc.operations import SpectralProjector

LEVELS = np.linspace(-1.0, 3.0, 12)
LOOP = nmc.Axis(0.0, 1.0, periodic=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("which", ["lowest", "highest"])
def test_the_laws_hold(dtype: str, which: str) -> None:
    obeys(SpectralProjector(3, which), hermitian(dtype, LEVELS))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_laws_hold_with_b(dtype: str) -> None:
    obeys(SpectralProjector(3, "highest", generalised=True), pencils(dtype, LEVELS), GENERALISED)


def below(A: Any, values: float, p: Any) -> int:
    """How many eigenvalues lie below a number."""
    return int((A.eigenvalues(p) < values).sum())


def fitted(A: Any, rank: int, box: Any = None, **options: Any) -> nmc.Fit:
    return nmc.eigh(A, A.box if box is None else box, rank=rank, projector=True, rng=0, **options)


def error(f: nmc.Fit, A: Any, count: int = 9) -> float:
    """Against the eigenvectors of LAPACK."""
    p = f.box.random(count, np.random.default_rng(1))
    p = p[:, 0] if f.box.dimension == 1 else p
    k = f.operation.rank  # type: ignore[attr-defined]
    exact = [V[:, :k] @ V[:, :k].conj().T for V in (np.linalg.eigh(A(q))[1] for q in p)]
    return float(np.abs(f(p) - np.stack(exact)).max())


def test_a_moebius_band_is_periodic() -> None:
    A = Moebius(n=6)
    f = fitted(A, below(A, 0.0, 0.0), LOOP)
    assert f.status == "converged"
    assert error(f, A) < 1e-9
    np.testing.assert_allclose(f(0.0), f(1.0 - 1e-12), atol=1e-9)
    assert f(0.25).shape == (6, 6)
    np.testing.assert_allclose(f(0.25), f(0.25).T, atol=1e-14)
    assert f.gauge_report().kind == "none"


def test_a_dirac_point_inside_the_subspace_does_not_matter() -> None:
    A = ConicalIntersection(n=6)
    f = fitted(A, A.lower + 2)
    assert f.status == "converged"
    assert error(f, A) < 1e-9
    np.testing.assert_allclose(f(np.array(A.dirac_point)), A.projector(A.dirac_point, A.lower + 2), atol=1e-9)


def test_a_chern_band_on_its_torus() -> None:
    A = ChernBand(n=4)
    f = fitted(A, A.lower + 1, [LOOP, LOOP], basis="chebyshev", tol=1e-3)
    assert f.status == "converged"
    assert error(f, A) < 1e-2
    np.testing.assert_allclose(f(np.array([0.0, 0.3])), f(np.array([1.0 - 1e-13, 0.3])), atol=1e-2)


@pytest.mark.parametrize(
    ("A", "rank"),
    [(AvoidedCrossing(n=6, gap=1e-6), 4), (Clusters(n=12, gap=0.0), 3), (Clusters(n=12, complex=True), 6)],
)
def test_what_happens_inside_the_subspace_costs_nothing(A: Any, rank: int) -> None:
    f = fitted(A, rank, tol=1e-9)
    assert f.status == "converged"
    assert error(f, A) < 1e-8
    certificate = f.certify(np.linspace(0, 1, 7))
    assert certificate.passed.all()
    assert certificate.error_bound.max() < 1e-5
    assert "Davis-Kahan" in certificate.theorem


def test_a_crossing_at_the_end_of_the_rank_is_refused_with_two_points() -> None:
    A = ExactCrossing(n=8)
    with pytest.raises(GaugeError, match=r"no smooth answer .* between p = 0\.\d+ and p = 0\.\d+ .*two levels cross"):
        fitted(A, below(A, -1.0, 0.1) + 1)


def test_a_dirac_point_at_the_end_of_the_rank_is_flagged() -> None:
    A = ConicalIntersection(n=6)
    with pytest.warns(AccuracyWarning, match="`projector` reached a held-out residual"):
        f = fitted(A, A.lower + 1, basis="chebyshev")
    answer = f.certified(1e-8)(np.array([0.44, 0.54]))
    assert answer.path == "exact"
    np.testing.assert_allclose(answer.value, A.projector(np.array([0.44, 0.54]), A.lower + 1), atol=1e-12)


def test_levels_that_touch_at_a_sample_are_refused_there() -> None:
    with pytest.raises(GaugeError, match=r"At p = .*needs a gap between eigenvalues 1 and 2 of 3, .*Choose a rank"):
        nmc.eigh(lambda p: np.eye(3) * (1 + p), (0.0, 1.0), rank=1, projector=True)


def test_with_b_it_is_the_projector_of_the_pencil() -> None:
    A = smooth(9, complex)

    def weight(p: float) -> Array:
        return np.diag(np.linspace(1, 2, 9)) + 0.2 * np.cos(p)

    f = nmc.eigh(A, (0.0, 1.0), weight, rank=3, which="highest", projector=True, rng=0)
    V = scipy.linalg.eigh(A(0.63), weight(0.63))[1][:, -3:]
    P = f(0.63)
    np.testing.assert_allclose(P, V @ V.conj().T @ weight(0.63), atol=1e-6)
    np.testing.assert_allclose(P @ P, P, atol=1e-6)
    assert f.certify(0.3).passed


def test_another_invariant_subspace_is_never_certified() -> None:
    A = hermitian(float, LEVELS)
    w, V = np.linalg.eigh(A)
    operation, probes = SpectralProjector(3), np.random.default_rng(0).standard_normal((12, 8))
    for columns, least in (([0, 1, 3], 0.05), ([0, 1], 0.5), ([0, 1, 2, 3], 0.5)):
        wrong = V[..., columns] @ V[..., columns].swapaxes(1, 2)
        assert operation.defect(A, {"P": wrong}, probes).min() > least * (w[0, 3] - w[0, 2]) / np.linalg.norm(w[0])
    assert np.all(operation.defect(A, operation.exact(A), probes) < 1e-12)


def test_beyond_small_sizes_the_gap_is_estimated() -> None:
    A = hermitian(float, np.r_[-np.linspace(1, 2, 4), np.linspace(0, 1, 76)])
    operation = SpectralProjector(4)
    exact = operation.exact(A)
    wrong = {"P": exact["P"] + 1e-9 * np.random.default_rng(0).standard_normal((80, 80))}
    bound = operation.bound({"A": A}, wrong, np.full(2, 1e-7))
    assert bound is not None
    assert "Lanczos" in bound[1]
    assert np.all((bound[0] > 1e-9) & (bound[0] < 1e-4))


def test_derivative_and_linear_algebra_act_on_the_matrix() -> None:
    A, p, h = smooth(8), 0.4, 1e-5
    f = nmc.eigh(A, (0.0, 1.0), rank=3, projector=True, tol=1e-11, rng=0)

    def exact(q: float) -> Array:
        V = np.linalg.eigh(A(q))[1][:, :3]
        P: Array = V @ V.T
        return P

    np.testing.assert_allclose(f.derivative()(p), (exact(p + h) - exact(p - h)) / (2 * h), atol=1e-7)
    b = np.arange(8.0)
    np.testing.assert_allclose((f @ b)(p), exact(p) @ b, atol=1e-8)
    assert f[:2, 0](p).shape == (2, 1)


def test_a_saved_fit_answers_alike(tmp_path: Path) -> None:
    A = smooth(6)
    f = nmc.eigh(A, (0.0, 1.0), rank=2, projector=True, rng=0)
    f.save(tmp_path / "projector.nmc")
    g = nmc.load(tmp_path / "projector.nmc", matrix=A)
    assert g.operation == SpectralProjector(2)
    np.testing.assert_array_equal(g(0.37), f(0.37))
    assert g.certify(0.2).passed


def test_the_gauge_of_an_exact_solver_does_not_enter() -> None:
    """The same numbers from the same matrices, however they were turned inside: P has no gauge."""
    A = smooth(6)
    S = np.diag([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
    f = nmc.eigh(A, (0.0, 1.0), rank=2, projector=True, rng=0)
    g = nmc.eigh(lambda p: S @ A(p) @ S, (0.0, 1.0), rank=2, projector=True, rng=0)
    np.testing.assert_allclose(S @ g(0.3) @ S, f(0.3), atol=1e-9)


def test_a_projector_without_a_rank_is_refused() -> None:
    with pytest.raises(InputError, match=r"projector=True\) needs a rank, and none came.*Pass rank=k"):
        nmc.eigh(smooth(4), (0.0, 1.0), projector=True)


def test_an_impossible_rank_is_refused() -> None:
    with pytest.raises(RankError, match=r"asked for 5 eigenpairs, but A\(p\) is 4 x 4"):
        nmc.eigh(smooth(4), (0.0, 1.0), rank=5, projector=True)
