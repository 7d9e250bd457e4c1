"""One correction in two forms: sums for a batch, Jacobians for a few points, and the same equations in both."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.core.affine_families import complex_theta, fitted, theta

from neumatc.latent.normal import TERMS, Normal
from neumatc.latent.reduction import Reduction, with_one
from neumatc.latent.steps import COMPARED, FEW, Steps

B, Q, M = FEW + 16, 2, 6

CASES = [
    *(("inv", False, theta), ("inv", True, complex_theta), ("sqrtm", False, theta)),
    *(("qr", False, theta), ("qr", True, complex_theta), ("cholesky", False, theta), ("eigh", False, theta)),
]
IDS = [f"{verb}{'-complex' * complex_}" for verb, complex_, _ in CASES]


@pytest.fixture(params=["numpy", "torch"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `Steps.__call__` finds in the process."""
    found = pytest.importorskip("torch") if request.param == "torch" else None
    monkeypatch.setattr("neumatc.latent.steps.torch_if_faster", lambda: found)
    return str(request.param)


def equations(quadratic: bool, terms: int = Q, rows: int = 100, unknowns: int = M) -> Reduction:
    """Random ones, so far from singular at random places."""
    rng = np.random.default_rng(0)
    T = 0.1 * rng.standard_normal((1, rows, unknowns, unknowns)) if quadratic else None
    return Reduction(rng.standard_normal((terms + 1, rows)), rng.standard_normal((terms + 1, rows, unknowns)), T, True)


def places(count: int = B, terms: int = Q, unknowns: int = M) -> tuple[Any, Any]:
    """φ and θ."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((count, unknowns)), rng.standard_normal((count, terms))


def jacobians(reduction: Reduction, phi: Any, coefficients: Any) -> Any:
    """``J (B, E, m)`` from the definition."""
    at = reduction.at(coefficients)
    if at.T is None:
        return at.L
    return at.L + np.einsum("eij,bj->bei", at.T[0] + at.T[0].swapaxes(1, 2), phi)


def exact(J: Any, r: Any) -> Any:
    return np.stack([np.linalg.lstsq(j, x, rcond=None)[0] for j, x in zip(J, r, strict=True)])


def made(reduction: Reduction) -> Steps:
    return Steps.of(reduction, 3, np.random.default_rng(2))


def both(steps: Steps) -> tuple[Steps, Steps]:
    """By sums, and by Jacobians."""
    assert steps.normal is not None
    return steps, replace(steps, normal=None)


# the same equations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quadratic", [False, True])
def test_form_is_the_equations(quadratic: bool) -> None:
    reduction, (phi, coefficients) = equations(quadratic), places()
    S, z = reduction.form(), np.concatenate([phi, with_one(coefficients)], axis=1)
    J = np.einsum("ieq,bi->beq", S, z)
    np.testing.assert_allclose(J[..., :M], jacobians(reduction, phi, coefficients), atol=1e-13)
    r = np.einsum("beq,bq->be", J, z) / 2
    np.testing.assert_allclose(r, reduction.at(coefficients).residual(phi), atol=1e-12)


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("there", ["numpy", "torch"])
def test_step_of_sums_is_the_least_squares_solution(quadratic: bool, last: bool, there: str) -> None:
    reduction, (phi, coefficients) = equations(quadratic), places()
    normal = Normal.of(reduction, reduction)
    assert normal is not None
    phi_there, t = phi, with_one(coefficients)
    if there == "torch":
        torch = pytest.importorskip("torch")
        phi_there, t = torch.from_numpy(phi), torch.from_numpy(t)
    x, sound = normal.like(phi_there).at(phi_there, t, last).solution()
    J, r = jacobians(reduction, phi, coefficients), reduction.at(coefficients).residual(phi)
    assert np.asarray(sound).all()
    np.testing.assert_allclose(np.asarray(x), exact(J, r), rtol=0, atol=1e-11)


def test_compared_sizes_are_those_of_all_equations_on_average() -> None:
    reduction, (phi, coefficients) = equations(True, rows=400), places()
    found = Normal.of(reduction, reduction.mixed(COMPARED, np.random.default_rng(3)))
    assert found is not None
    sizes, true = found.at(phi, with_one(coefficients), False).size(), reduction.at(coefficients).norm(phi)
    # Squares are chi-square variables of so many degrees of freedom, over their number; all see the same mixture.
    assert np.abs(sizes**2 / true**2 - 1).max() < 5 * np.sqrt(2 / COMPARED)
    whole = Normal.of(reduction, reduction)
    assert whole is not None
    np.testing.assert_allclose(whole.at(phi, with_one(coefficients), False).size(), true, rtol=1e-12)


# the same results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "complex_", "coefficients"), CASES, ids=IDS)
def test_sums_are_as_accurate_as_jacobians(verb: str, complex_: bool, coefficients: Any, library: str) -> None:
    fit: Any = fitted(verb, complex_, coefficients)
    at = fit.latent.at(np.random.default_rng(4).uniform(0, 1, (B, 1)))
    phi = fit.surrogate.curve(fit.box.to_unit(at.points))
    noise = np.random.default_rng(5).standard_normal(phi.shape)
    noise *= np.linalg.norm(phi, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    start = phi + (1e-3 if verb in ("eigh", "svd") else 1e-2) * noise
    sums, rows = both(fit.latent.steps)
    (found, sound), (wanted, known) = (steps(start, at.theta) for steps in (sums, rows))
    assert sound.all()
    assert known.all()
    size = fit.latent.reduced(at).norm
    assert np.all(size(found) <= 1.05 * size(wanted))
    assert size(start).min() > 5 * size(found).max()


@pytest.mark.parametrize("verb", ["inv", "cholesky"])
def test_true_errors_of_a_batch_are_those_of_single_answers(verb: str) -> None:
    fit: Any = fitted(verb)
    p = np.random.default_rng(6).uniform(0, 1, B)
    reference = getattr(np.linalg, verb)(fit.problem_or_raise.matrices(p[:, None]))
    batch, single = fit.corrected(p), np.stack([fit.corrected(x) for x in p])
    errors = [np.linalg.norm(X - reference, axis=(1, 2)) for X in (batch, single)]
    assert np.all(errors[0] <= 1.05 * errors[1])


@pytest.mark.parametrize("quadratic", [False, True])
def test_pieces_are_one_batch(quadratic: bool, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, (phi, coefficients) = made(equations(quadratic)), places()
    assert steps.normal is not None
    wanted, known = steps(phi, coefficients)
    monkeypatch.setattr("neumatc.latent.steps.PIECE", 7 * steps.normal.numbers)
    found, sound = steps(phi, coefficients)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(sound, known)


def test_calls_with_and_without_torch_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    steps, (phi, coefficients) = made(equations(False)), places()
    monkeypatch.setattr("neumatc.latent.steps.torch_if_faster", lambda: torch)
    there = steps(phi, coefficients)[0]
    monkeypatch.setattr("neumatc.latent.steps.torch_if_faster", lambda: None)
    np.testing.assert_allclose(steps(phi, coefficients)[0], there, rtol=0, atol=1e-12)


# where there is no direction -----------------------------------------------------------------------------------------


def test_dependent_columns_are_reported_point_by_point(library: str) -> None:
    """Two columns of L differ by ``θ_1 v``."""
    reduction, (phi, coefficients) = equations(False), places()
    reduction.L[:, :, 1] = reduction.L[:, :, 0]
    reduction.L[1, :, 1] += np.random.default_rng(7).standard_normal(reduction.rows)
    coefficients[7, 0] = 0
    coefficients[9, 1] = np.nan
    found, sound = made(reduction)(phi, coefficients)
    assert np.flatnonzero(~sound).tolist() == [7, 9]
    np.testing.assert_array_equal(found[~sound], phi[~sound])
    J, r = (X[sound] for X in (reduction.at(coefficients).L, reduction.at(coefficients).residual(phi)))
    np.testing.assert_allclose(found[sound], phi[sound] - exact(J, r), rtol=0, atol=1e-9)


def test_a_start_without_direction_is_reported_and_kept(library: str) -> None:
    """At zero the Jacobian of a root is zero."""
    fit: Any = fitted("cholesky")
    at = fit.latent.at(np.random.default_rng(8).uniform(0, 1, (B, 1)))
    start = fit.surrogate.curve(fit.box.to_unit(at.points))
    start[3] = 0
    found, sound = fit.latent.steps(start, at.theta)
    assert np.flatnonzero(~sound).tolist() == [3]
    np.testing.assert_array_equal(found[3], start[3])


def test_terms_that_cancel_are_left_to_jacobians(library: str) -> None:
    """At ``θ = (1, 1)`` seven digits are lost in J, and fourteen would be in ``JᵀJ``."""
    reduction, (phi, coefficients) = equations(False), places()
    reduction.L[0] = 0
    reduction.L[2] = 1e-7 * reduction.L[2] - reduction.L[1]
    coefficients[4] = 1
    sums, rows = both(made(reduction))
    assert sums.normal is not None
    _, trusted = sums.normal.at(phi, with_one(coefficients), True).solution()
    assert np.flatnonzero(~trusted).tolist() == [4]
    (found, sound), (wanted, _) = sums(phi, coefficients), rows(phi, coefficients)
    assert sound.all()
    np.testing.assert_array_equal(found[4], rows(phi[4:5], coefficients[4:5])[0][0])
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


# where sums do not pay -----------------------------------------------------------------------------------------------


def test_many_terms_take_jacobians() -> None:
    for quadratic in (False, True):
        few, many = (equations(quadratic, terms=TERMS * M - 1 + more) for more in (0, 1))
        assert Normal.of(few, few) is not None
        assert Normal.of(many, many) is None
        steps, (phi, coefficients) = made(many), places(terms=TERMS * M)
        assert steps(phi, coefficients)[1].all()


def test_constants_too_large_take_jacobians(monkeypatch: pytest.MonkeyPatch) -> None:
    reduction = equations(True)
    found = Normal.of(reduction, reduction)
    assert found is not None
    monkeypatch.setattr("neumatc.latent.normal.HELD", found.squares.size)
    assert Normal.of(reduction, reduction) is not None
    monkeypatch.setattr("neumatc.latent.normal.HELD", found.squares.size - 1)
    assert Normal.of(reduction, reduction) is None


@pytest.mark.parametrize("count", [0, 1, 2, FEW, FEW + 1])
def test_every_number_of_points(count: int, library: str) -> None:
    reduction, (phi, coefficients) = equations(False), places(count)
    found, sound = made(reduction)(phi, coefficients)
    assert found.shape == (count, M)
    assert sound.shape == (count,)
    if count:
        J, r = reduction.at(coefficients).L, reduction.at(coefficients).residual(phi)
        np.testing.assert_allclose(found, phi - exact(J, r), rtol=0, atol=1e-11)
