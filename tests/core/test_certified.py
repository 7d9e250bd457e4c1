"""``certified``: no answer leaves that misses its tolerance, whatever the family hides."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.bases import Spline
from neumatc.errors import AccuracyWarning, CertificateError, InputError
from neumatc.gallery import AffineInverse, LowRankSVD, Spike, SyntheticInverse

N, CENTRE = 40, 0.41237


def true_residuals(family: Any, p: Any, X: Any) -> Any:
    A = np.stack([family(q) for q in np.ravel(p)])
    n = A.shape[-1]
    return np.linalg.norm(A @ X.reshape(A.shape) - np.eye(n), axis=(1, 2)).reshape(np.shape(p)) / np.sqrt(n)


@pytest.fixture(scope="module", params=[1e-3, 1e-6], ids=["width 1e-3", "width 1e-6"])
def spiked(request: pytest.FixtureRequest) -> tuple[Spike, nmc.Fit]:
    """A family with a spike between the samples, and its fit, which believes itself converged."""
    family = Spike(AffineInverse(n=N), centre=CENTRE, width=request.param)
    fit = nmc.inv(family, family.box, tol=1e-11, basis="chebyshev", rng=0)
    assert fit.status == "converged"
    assert all(family.bump(float(p)) == 0 for p in fit.samples.points[:, 0])
    return family, fit


def inside(family: Spike, count: int) -> Any:
    return CENTRE + family.width * np.random.default_rng(1).uniform(-0.45, 0.45, count)


def test_the_plain_answer_is_wrong_inside_the_spike_and_its_certificate_says_so(spiked: Any) -> None:
    family, fit = spiked
    p = inside(family, 40)
    assert true_residuals(family, p, fit(p)).min() > 1e-3
    assert not fit.certify(p).passed.any()


@pytest.mark.parametrize("tol", [1e-6, 1e-9])
def test_no_certified_answer_misses_its_tolerance(spiked: Any, tol: float) -> None:
    family, fit = spiked
    p = np.concatenate([inside(family, 150), np.random.default_rng(2).uniform(0, 1, 150)])
    answer = fit.certified(tol=tol)(p)
    true = true_residuals(family, p, answer.value)
    assert true.max() <= tol
    assert np.all(true <= answer.certificate.bound)
    assert answer.certificate.passed.all()
    assert answer.certificate.bound.max() <= tol
    assert set(answer.path[:150]) == {"exact"}
    assert "exact" not in answer.path[150:]


def test_path_and_shape_of_one_point(spiked: Any) -> None:
    family, fit = spiked
    certified = fit.certified(tol=1e-7)
    smooth, spike = certified(0.9), certified(CENTRE)
    assert (smooth.path, spike.path) == ("surrogate", "exact")
    assert smooth.value.shape == (N, N)
    assert np.shape(smooth.certificate.bound) == ()
    np.testing.assert_allclose(spike.value, np.linalg.inv(family(CENTRE)), rtol=1e-9)
    assert np.array_equal(smooth.value, fit(0.9))


def test_batches_keep_their_shape(spiked: Any) -> None:
    _, fit = spiked
    p = np.array([[0.1, CENTRE, 0.3], [0.4, 0.5, 0.6]])
    answer = fit.certified(tol=1e-7)(p)
    assert answer.value.shape == (2, 3, N, N)
    assert answer.path.shape == answer.certificate.bound.shape == (2, 3)
    assert answer.path[0, 1] == "exact"
    assert np.count_nonzero(answer.path == "surrogate") == 5


def test_raise_instead_of_solving(spiked: Any) -> None:
    _, fit = spiked
    certified = fit.certified(tol=1e-7, on_fail="raise")
    assert certified(0.9).path == "surrogate"
    with pytest.raises(
        CertificateError, match=r"No answer within tol = 1\.0e-07 at p = 0\.41237: the bound of the corr"
    ):
        certified(CENTRE)


def test_a_tolerance_below_rounding_raises(spiked: Any) -> None:
    with pytest.raises(
        CertificateError, match=r"tol = 1\.0e-18 at p = .*the bound of the exact solve is .*Ask for a tol"
    ):
        spiked[1].certified(tol=1e-18)(np.array([0.2, 0.7]))


# the middle path -----------------------------------------------------------------------------------------------------


def test_a_poor_curve_over_a_good_span_is_corrected() -> None:
    family = SyntheticInverse(n=N, rank=4)
    with pytest.warns(AccuracyWarning, match="more samples"):
        fit = nmc.inv(family, family.box, samples=40, basis=Spline(degree=1), rng=0)
    p = np.random.default_rng(0).uniform(0, 1, 60)
    answer = fit.certified(tol=1e-8)(p)
    assert true_residuals(family, p, answer.value).max() <= 1e-8
    assert set(answer.path) == {"corrected"}
    assert fit.certified(tol=1e-8, on_fail="raise")(p).path.tolist() == ["corrected"] * 60


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_svd_is_corrected_by_its_own_refinement(complex_: bool) -> None:
    family = LowRankSVD(n=N, rank=4, tail=8, complex=complex_)
    fit = nmc.svd(family, family.box, rank=4, samples=6, tol=1e-3, rng=0)
    p = np.random.default_rng(0).uniform(0, 1, 30)
    answer = fit.certified(tol=1e-7)(p)
    assert "corrected" in answer.path
    for q, U, S, Vh in zip(p, *answer.value, strict=True):
        np.testing.assert_allclose(S, family.singular_values(q)[:4], atol=1e-7 * np.linalg.norm(family(q)))
        R = family(q) @ Vh.conj().T - U * S
        assert np.linalg.norm(R) <= 1e-7 * np.linalg.norm(family(q))


def test_tol_of_the_fit_is_the_default(spiked: Any) -> None:
    assert spiked[1].certified()(0.9).certificate.tol == spiked[1].tol


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_single_precision_answers_stay_single(dtype: Any) -> None:
    base = AffineInverse(n=N, complex=dtype is np.complex64)
    family = Spike(base, centre=CENTRE)
    fit = nmc.inv(lambda p: family(p).astype(dtype), family.box, rng=0)
    p = np.array([CENTRE, 0.8])
    answer = fit.certified(tol=1e-4)(p)
    assert answer.value.dtype == dtype
    assert answer.path.tolist() == ["exact", "surrogate"]
    assert true_residuals(family, p, answer.value).max() <= 1e-4
    with pytest.raises(CertificateError, match=f"precision of {np.dtype(dtype)}"):
        fit.certified(tol=1e-9)(p)


def test_scaling_by_huge_powers_changes_nothing_but_the_scale() -> None:
    family = Spike(AffineInverse(n=N), centre=CENTRE)
    fits = {
        k: nmc.inv(lambda p, k=k: np.ldexp(family(p), k), family.box, basis="chebyshev", rng=0) for k in (0, 500, -500)
    }
    p = np.array([0.2, CENTRE, CENTRE + 1e-4])
    plain = fits[0].certified(tol=1e-7)(p)
    for k in (500, -500):
        answer = fits[k].certified(tol=1e-7)(p)
        np.testing.assert_allclose(np.ldexp(answer.value, k), plain.value, rtol=1e-12)
        np.testing.assert_allclose(answer.certificate.bound, plain.certificate.bound, rtol=1e-3)
        assert answer.path.tolist() == plain.path.tolist()


# input ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tol", [0.0, -1e-3, np.nan])
def test_tol_must_be_positive(spiked: Any, tol: float) -> None:
    with pytest.raises(InputError, match="`tol` must be a positive relative residual"):
        spiked[1].certified(tol=tol)


def test_on_fail_is_one_of_two(spiked: Any) -> None:
    with pytest.raises(InputError, match=r"`on_fail` must be one of \('exact', 'raise'\), got 'ignore'"):
        spiked[1].certified(on_fail="ignore")


def test_torch_in_torch_out(spiked: Any) -> None:
    torch = pytest.importorskip("torch")
    answer = spiked[1].certified(tol=1e-7)(torch.tensor([0.1, CENTRE], dtype=torch.float64))
    assert isinstance(answer.value, torch.Tensor)
    assert answer.path.tolist() == ["surrogate", "exact"]
