"""What a reduced model says of its own error: exact residuals, bounds that hold, answers that were checked."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from tests.reduced.made import BLOCK, ROOM, WIND, block, exact, load, relative, room, tridiagonal, wind

import neumatc as nmc
from neumatc.errors import AccuracyWarning, CertificateError, InputError


def coarse(make, **options):
    with pytest.warns(AccuracyWarning, match="reached a residual of"):
        return make(**options)


@pytest.fixture(scope="module")
def windy():
    return coarse(wind, samples=7)


def true_residual(family, p, x, b=None):
    b = family.rhs if b is None else b
    return np.linalg.norm(family(p) @ x - b) / np.linalg.norm(b)


@pytest.mark.parametrize(("make", "family"), [(wind, WIND), (room, ROOM)])
@pytest.mark.parametrize("samples", [5, 60])
def test_residuals_are_exact_and_bounds_hold(make, family, samples):
    fit = coarse(make, samples=samples, tol=1e-13)
    P = fit.box.random(1000, np.random.default_rng(2))[:, 0]
    certificate, X = fit.certify(P), fit(P)
    true = np.array([true_residual(family, p, x) for p, x in zip(P, X, strict=True)])
    assert np.all(true <= certificate.bound)
    assert np.all(np.abs(true - certificate.residual) <= certificate.bound - certificate.residual)
    # Rounding is all that the bound adds: about sqrt(d) units in the last place of ‖A‖ ‖x‖ / ‖b‖.
    assert np.all(certificate.bound <= true + 1e-10)
    assert certificate.confidence == 1.0


def test_residuals_of_an_assembled_model_are_exact():
    fit = coarse(lambda **o: nmc.solve(tridiagonal, load, (0.0, 1.0), rng=0, **o), samples=4)
    P = np.linspace(0, 1, 30)
    certificate = fit.certify(P)
    true = [np.linalg.norm(tridiagonal(p) @ fit(p) - load(p)) / np.linalg.norm(load(p)) for p in P]
    assert np.all(true <= certificate.bound)
    np.testing.assert_allclose(certificate.residual, true, rtol=1e-6, atol=1e-13)


def test_error_bounds_hold_and_are_not_far_from_the_truth():
    fit = coarse(block, samples=3)
    P = fit.box.random(200, np.random.default_rng(3))
    certificate = fit.certify(P)
    for p, x, bound in zip(P, fit(P), certificate.error_bound, strict=True):
        truth = exact(BLOCK, p)
        e = x - truth
        error = np.sqrt(e @ (BLOCK.energy @ e)) / np.sqrt(truth @ (BLOCK.energy @ truth))
        assert error <= bound <= 10 * error
    assert "energy norm" in certificate.theorem


def test_error_bounds_without_an_energy_product(windy):
    P = np.linspace(0, 1, 50)
    certificate = windy.certify(P)
    for p, x, bound in zip(P, windy(P), certificate.error_bound, strict=True):
        assert relative(x, exact(WIND, p)) <= bound


def test_residuals_in_the_dual_norm():
    fit = coarse(block, samples=2)
    inverse, p = splu(BLOCK.energy.tocsc()), np.array([0.2, 0.9, 0.4, 0.6])
    r = BLOCK(p) @ fit(p) - BLOCK.rhs
    true = np.sqrt(r @ inverse.solve(r)) / np.sqrt(BLOCK.rhs @ inverse.solve(BLOCK.rhs))
    assert fit.certify(p).residual == pytest.approx(true, rel=1e-9)
    answer = fit.certified(1e-11)(p)  # an exact solve is measured in the same norm
    assert answer.path == "exact"
    assert answer.certificate.bound <= 1e-11
    assert relative(answer.value, exact(BLOCK, p)) < 1e-10
    assert 0 < answer.certificate.error_bound < 1e-9


def test_without_a_constant_there_is_no_error_bound():
    assert room().certify(3.0).error_bound is None


@pytest.mark.parametrize("alpha", [0.0, -1.0, np.nan])
def test_a_constant_that_bounds_nothing_gives_infinity(alpha):
    A = nmc.Affine([sparse.eye_array(9), sparse.eye_array(9)], lambda p: [1.0, p], coercivity=lambda _: alpha)
    assert nmc.solve(A, np.ones(9), (0.0, 1.0), rng=0).certify(0.5).error_bound == np.inf


# certified -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tol", [1e-2, 1e-5, 1e-10])
def test_no_wrong_answer_leaves(windy, tol):
    P = np.random.default_rng(4).random(100)
    answer = windy.certified(tol)(P)
    true = np.array([true_residual(WIND, p, x) for p, x in zip(P, answer.value, strict=True)])
    assert np.all(true <= tol)
    assert np.all(true <= answer.certificate.bound)
    assert np.all(answer.certificate.passed)
    assert set(answer.path) <= {"surrogate", "exact"}
    expected = np.where(windy.certify(P).bound <= tol, "surrogate", "exact")
    np.testing.assert_array_equal(answer.path, expected)


def test_one_answer_and_several_parameters():
    answer = wind().certified(1e-7)(0.3)
    assert answer.path == "surrogate"
    assert answer.value.shape == (576,)
    batch = block().certified(1e-7)(np.full((2, 1, 4), 0.5))
    assert batch.path.shape == batch.certificate.bound.shape == (2, 1)


def test_assembled_models_fall_back_too():
    fit = coarse(lambda **o: nmc.solve(tridiagonal, load, (0.0, 1.0), rng=0, **o), samples=3)
    answer = fit.certified(1e-9)([0.2, 0.8])
    assert list(answer.path) == ["exact", "exact"]
    for p, x in zip([0.2, 0.8], answer.value, strict=True):
        assert np.linalg.norm(tridiagonal(p) @ x - load(p)) <= 1e-9 * np.linalg.norm(load(p))


def test_what_cannot_be_had_is_refused(windy):
    with pytest.raises(
        CertificateError, match=r"No answer within tol = 1.0e-09 at p = .*the bound of the model's answer"
    ):
        windy.certified(1e-9, on_fail="raise")(0.3)
    with pytest.raises(CertificateError, match=r"No answer within tol = 1.0e-18 .*the bound of the exact solve is"):
        windy.certified(1e-18)(0.3)
    with pytest.raises(InputError, match=r"`on_fail` must be one of .*got 'ignore'"):
        windy.certified(on_fail="ignore")
    for tol in (0.0, -1.0, np.nan):
        with pytest.raises(InputError, match="`tol` must be a positive relative residual"):
            windy.certified(tol)
