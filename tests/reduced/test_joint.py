"""Joint training of sparse solves: what comes out is certified, differentiated and corrected like any other fit."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.reduced.made import BLOCK, ROOM, WIND, block, exact, relative, room, tridiagonal, wind

import neumatc as nmc
from neumatc.errors import AccuracyWarning, InputError, TrainingError
from neumatc.sampling.base import Sampler

pytestmark = pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")

SMALL: dict[str, Any] = {"width": 40, "d": 24, "omega": 8.0, "collocation": 60, "candidates": 60, "add": 8,
                         "rate": 1e-2, "beta2": 0.97, "epochs": 400, "interval": 100, "tolerance": 0.0}  # fmt: skip
P = np.linspace(0, 1, 9)


@cache
def trained() -> Any:
    return wind(training=nmc.Joint(**SMALL | {"epochs": 3000, "interval": 500}), samples=12, tol=0.02)


def least(family: Any, fit: Any, p: Any) -> Any:
    """Relative residuals of the answers, by products with the sparse A(p) itself."""
    return np.array([relative(family(q) @ x, family.rhs) for q, x in zip(p, fit(p), strict=True)])


def test_a_sparse_solve_is_learned():
    f = trained()
    assert f.status == "converged"
    assert f.basis.name == "network"
    assert len(f.samples) == 12
    np.testing.assert_allclose(f.samples.points[:, 0], np.linspace(0, 1, 12), atol=1e-15)
    assert least(WIND, f, np.random.default_rng(5).uniform(0, 1, 100)).max() < 0.02
    assert [event.stage for event in f.history].count("refine") == 5
    assert "network (held-out" in repr(f)
    assert f.C.shape == (f.d, 576)
    assert f.d <= 24


def test_residuals_are_exact_and_certificates_never_below_the_truth():
    f, p = trained(), np.random.default_rng(6).uniform(0, 1, 40)
    certificate = f.certify(p)
    np.testing.assert_allclose(certificate.residual, least(WIND, f, p), rtol=1e-9)
    errors = np.array([relative(x, exact(WIND, q)) for q, x in zip(p, f(p), strict=True)])
    assert (errors <= certificate.error_bound).all()
    assert (certificate.passed == (certificate.bound <= 0.02)).all()


def test_an_answer_that_fails_is_solved_exactly():
    f = trained()
    answer = f.certified(1e-9)(P)
    assert (answer.path == "exact").all()
    assert relative(answer.value[4], exact(WIND, 0.5)) < 1e-9
    assert (f.certified(0.1)(P).path != "exact").all()
    np.testing.assert_array_equal(f.certified(0.1)(P).value, f(P))


def test_calculus_and_algebra_act_on_it():
    f, h = trained(), 1e-5
    slope = (f(0.3 + h) - f(0.3 - h)) / (2 * h)
    np.testing.assert_allclose(f.derivative()(0.3), slope, rtol=0, atol=1e-6 * np.abs(slope).max())
    np.testing.assert_allclose((WIND.rhs @ f)(P), f(P) @ WIND.rhs, rtol=1e-12)
    out = np.empty((9, 576))
    assert f(P, out=out) is out
    np.testing.assert_array_equal(out, f(P))


@pytest.mark.parametrize("options", [{}, {"loss": "literal", "epochs": 60}, {"latent": "random"}, {"derivatives": 0}])
def test_same_seed_same_fit_bit_for_bit(options: dict[str, Any]):
    one, other = (wind(training=nmc.Joint(**SMALL | options), samples=10) for _ in range(2))
    np.testing.assert_array_equal(one(P), other(P))
    assert one.error == other.error


def test_single_precision_trains_as_far():
    f = wind(training=nmc.Joint(**SMALL | {"epochs": 3000, "interval": 500, "precision": "single"}), samples=12)
    assert f.error < 0.02
    assert f.C.dtype == np.float64


def test_several_right_hand_sides():
    B = np.stack([WIND.rhs, np.arange(576.0), 1e3 * np.cos(np.arange(576))], axis=1)
    A = nmc.Affine(WIND.matrices, WIND.coefficients)
    f = nmc.solve(A, B, WIND.box, rng=0, training=nmc.Joint(**SMALL | {"epochs": 1500}), samples=12)
    X = f(P)
    assert X.shape == (9, 576, 3)
    found = [relative(WIND(q) @ x, B) for q, x in zip(P, X, strict=True)]
    np.testing.assert_allclose(f.certify(P).residual, found, rtol=1e-9)
    assert max(found) < 0.2


def test_complex_solutions():
    f = room(training=nmc.Joint(**SMALL | {"omega": 4.0, "epochs": 2000}), samples=8)
    k = np.linspace(2, 4, 7)
    found = least(ROOM, f, k)
    np.testing.assert_allclose(f.certify(k).residual, found, rtol=1e-9)
    assert f.C.dtype == complex
    assert found.max() < 0.05
    h = 1e-5
    slope = (f(3.0 + h) - f(3.0 - h)) / (2 * h)
    np.testing.assert_allclose(f.derivative()(3.0), slope, rtol=0, atol=1e-6 * np.abs(slope).max())


def test_several_parameters_and_the_energy_norm():
    f = block(training=nmc.Joint(**SMALL | {"omega": 1.5, "epochs": 2000}), samples=40)
    p = f.box.from_unit(np.random.default_rng(1).uniform(-1, 1, (20, f.box.dimension)))
    certificate = f.certify(p)
    assert certificate.residual.max() < 0.3
    for q, x, bound in zip(p, f(p), certificate.error_bound, strict=True):
        error = x - exact(BLOCK, q)
        assert f.energy_of(error) <= bound * f.energy_of(exact(BLOCK, q))


def test_without_derivatives_the_span_is_that_of_the_results():
    f = wind(training=nmc.Joint(**SMALL | {"derivatives": 0}), samples=10)
    results = np.stack([exact(WIND, float(p)) for p in f.samples.points[:, 0]])
    Q = np.linalg.qr(results.T)[0]
    assert np.abs(f.C - (f.C @ Q) @ Q.T).max() < 1e-10
    assert f.d == 9  # p = 0 and p = 1 are one


def test_no_structure_without_weight():
    f = wind(training=nmc.Joint(**SMALL | {"balance": 0.0}), samples=10)
    assert all("structure" not in event.numbers for event in f.history)
    assert "epoch" in {event.stage for event in f.history}


def test_samples_lie_where_the_sampler_says():
    f = wind(training=nmc.Joint(**SMALL | {"epochs": 5, "samples": 7}), sampler="chebyshev", samples=9)
    np.testing.assert_allclose(f.samples.points[:, 0], (1 - np.cos(np.pi * np.arange(7) / 6)) / 2, atol=1e-12)


def test_a_resonance_at_a_sample_is_recorded():
    A = nmc.Affine([sparse.diags_array(np.arange(1.0, 9)), sparse.eye_array(8)], lambda p: [1.0, -p])
    f = nmc.solve(A, np.ones(8), (0.0, 1.0), rng=0, training=nmc.Joint(**SMALL | {"epochs": 5}), samples=6)
    assert f.excluded.tolist() == [[1.0]]
    assert len(f.samples) == 5
    with pytest.raises(InputError, match=r"A\(p\) was singular at 0 of 6 samples, and nothing but zeros .* Check b"):
        nmc.solve(A, np.zeros(8), (0.0, 0.5), rng=0, training="joint", samples=6)


def test_falling_short_of_tol_names_what_helps():
    options = nmc.Joint(**SMALL | {"epochs": 5})
    with pytest.warns(AccuracyWarning, match=r"how far Adam came, .* Raise `epochs`, `collocation` or `d` of Joint"):
        assert wind(training=options, samples=9).status == "budget"
    with pytest.raises(TrainingError, match="how far Adam came"):
        wind(training=options, samples=9, throw=True)


class Elsewhere(Sampler):
    """Neither a design nor the default."""

    first = select = None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"training": "jiont"}, "unknown training 'jiont'; known: 'auto', 'joint'. Did you mean 'joint'"),
        ({"training": nmc.Joint}, "'auto', 'joint' or an instance of Joint.*without calling it. Write"),
        ({"training": "joint", "basis": "sine"}, "`basis` = 'sine' has no meaning for a sparse A"),
        ({"training": "joint", "device": "cuda"}, "`device` = 'cuda' has no meaning for a sparse A"),
        ({"training": nmc.Joint(probes=5)}, "no meaning for a sparse solve, and probes=5 came. Residuals are exact"),
        (
            {"training": nmc.Joint(derivatives=9)},
            r"at most 3 with 1 parameter\(s\), got 9. Those of .* Raise `samples`",
        ),
        ({"training": "joint", "sampler": Elsewhere()}, "must be a design by name, got Elsewhere. Its exact"),
        ({"sampler": "uniform"}, "`sampler` = 'uniform' has no meaning for a sparse A"),
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, Any], text: str):
    with pytest.raises(InputError, match=text):
        wind(**options)


def test_a_function_that_assembles_is_refused():
    with pytest.raises(InputError, match=r"needs A as an nmc.Affine; a function .* came\. Each .* Write A\(p\) = Σ"):
        nmc.solve(tridiagonal, np.ones(400), (0.0, 1.0), training="joint")


def test_derivatives_are_a_count():
    with pytest.raises(InputError, match=r"`derivatives` of Joint must be a whole number of at least 0, got -1"):
        nmc.Joint(derivatives=-1)
