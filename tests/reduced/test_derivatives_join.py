"""What derivatives of the solved points do for a fit: fewer factorisations, and no dimension that nobody needs."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from tests.reduced.made import BLOCK, QUIET, ROOM, WIND, block, exact, relative, room

import neumatc as nmc
from neumatc.axis import Axis
from neumatc.errors import AccuracyWarning
from neumatc.gallery.real import AdvectionDiffusionReaction
from neumatc.reducing import moments

EYE, RAMP = sparse.eye_array(60), sparse.diags_array(np.linspace(0, 1, 60))


def vectors(count: int) -> Any:
    return np.random.default_rng(0).standard_normal((count, 60))


def true_residual(A: Any, b: Any, x: Any) -> float:
    return float(np.linalg.norm(A @ x - b) / np.linalg.norm(b))


def without_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "taylor", lambda *_: None)


def test_twenty_factorisations_solve_the_wind_to_eight_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse.linalg

    seen: list[Any] = []
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda *a, **o: (seen.append(a), splu(*a, **o))[1])
    family = AdvectionDiffusionReaction(points=60)
    A = nmc.Affine(family.matrices, family.coefficients)
    f = nmc.solve(A, family.rhs, family.box, samples=20, tol=1e-8, rng=0)
    assert f.status == "converged"
    assert len(seen) == len(f.samples) == f.cost.solved <= 20
    P = np.random.default_rng(1).random(200)
    answer = f.certified(1e-8)(P)
    assert set(answer.path) == {"surrogate"}
    true = [true_residual(family(p), family.rhs, x) for p, x in zip(P, answer.value, strict=True)]
    assert np.all(true <= answer.certificate.bound)
    assert max(true) <= 1e-8
    assert f"{len(f.samples)} solves with derivatives up to order 3, d = {f.d}" in f.history[-1].text


@pytest.mark.parametrize("name", ["room", "block"])
def test_less_than_half_the_factorisations_and_hardly_more_dimensions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, family = {"room": (room, ROOM), "block": (block, BLOCK)}[name]
    f = make()
    without_derivatives(monkeypatch)
    plain = make()
    assert f.status == plain.status == "converged"
    assert 2 * len(f.samples) <= len(plain.samples)
    assert f.d <= 1.3 * plain.d
    for p in f.box.random(20, np.random.default_rng(2)):
        point = f.box.scalar(p)
        left = f.system.norm(family(point) @ f(point) - family.rhs) / f.system.norm(family.rhs)
        assert left <= f.certify(point).bound <= 1e-8
        assert relative(f(point), exact(family, point)) < 1e-7


# dimensions that are known ------------------------------------------------------------------------------------------


def polynomial(degree: int) -> Any:
    """A(p) = 1 + p D with the solution Σ p^k x_k of that degree: θ is linear, ψ are powers of p."""
    X = vectors(degree + 1)
    right = [X[0], *(X[k] + RAMP @ X[k - 1] for k in range(1, degree + 1)), RAMP @ X[degree]]
    b = nmc.Affine([each[:, None] for each in right], lambda p: [p**k for k in range(degree + 2)])
    return nmc.Affine([EYE, RAMP], lambda p: [1.0, p]), b, lambda p: sum(p**k * x for k, x in enumerate(X))


@pytest.mark.parametrize("tol", [1e-8, 1e-11])
@pytest.mark.parametrize("degree", range(7))
def test_a_polynomial_solution_has_its_dimension(degree: int, tol: float) -> None:
    A, b, x = polynomial(degree)
    f = nmc.solve(A, b, (0.0, 1.0), tol=tol, rng=0)
    assert (f.d, f.status) == (degree + 1, "converged")
    assert len(f.samples) == (1 if degree <= 3 else 2)
    for p in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(f(p), x(p), rtol=0, atol=1e-10)


def test_a_constant_matrix_has_one_solution() -> None:
    f = nmc.solve(nmc.Affine([EYE + RAMP], lambda p: [1.0]), np.ones(60), (0.0, 1.0), tol=1e-12, rng=0)
    assert (f.d, len(f.samples), f.status) == (1, 1, "converged")


def test_two_parameters_with_a_solution_of_three_dimensions() -> None:
    X = vectors(3)
    b = nmc.Affine(list(X[:, :, None]), lambda p: [1.0, p[0] * p[1], np.sin(p[1])])
    f = nmc.solve(nmc.Affine([EYE + RAMP], lambda p: [1.0]), b, [(0, 1), (0, 2)], tol=1e-11, rng=0)
    assert (f.d, f.status) == (3, "converged")
    wanted = (X[0] + 0.3 * X[1] + np.sin(1.0) * X[2]) / (1 + np.linspace(0, 1, 60))
    np.testing.assert_allclose(f([0.3, 1.0]), wanted, rtol=0, atol=1e-10)


# boxes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "box",
    [
        Axis(0.0, 1.0, periodic=True),
        nmc.Box.of((0.0, 1.0)).excluding(lambda p: 0.2 < p < 0.3),
        Axis(1e-3, 1.0, scale="log"),
    ],
)
def test_periodic_holed_and_logarithmic_boxes(box: Any) -> None:
    asked: list[float] = []

    def theta(p: float) -> Any:
        asked.append(p)
        return WIND.coefficients(p)

    f = nmc.solve(nmc.Affine(WIND.matrices, theta), WIND.rhs, box, rng=0)
    assert f.status == "converged"
    assert len(f.samples) <= 20
    assert f.box.excluded(np.array(asked)[:, None]).sum() == 0
    for p in (1e-3, 0.15, 0.31, 0.998):
        assert true_residual(WIND(p), WIND.rhs, f(p)) <= 1e-8


def test_coefficients_with_a_kink_are_solved_without_derivatives_there() -> None:
    A = nmc.Affine([EYE, RAMP], lambda p: [1.0, abs(p - 0.5)])
    f = nmc.solve(A, np.ones(60), (0.0, 1.0), rng=0)  # the first solve is at the kink
    assert f.status == "converged"
    np.testing.assert_allclose(f(0.2), 1 / (1 + 0.3 * np.linspace(0, 1, 60)), rtol=0, atol=1e-7)


def test_a_matrix_that_is_a_function_of_p_has_no_derivatives() -> None:
    f = nmc.solve(lambda p: EYE + p * RAMP, np.ones(60), (0.0, 1.0), tol=1e-6, rng=0)
    assert f.d == len(f.samples)
    assert "derivatives" not in f.history[-1].text


def test_a_fit_that_rounding_ends_stays_small() -> None:
    with pytest.warns(AccuracyWarning, match="status 'stalled'"):
        f = nmc.solve(nmc.Affine(ROOM.matrices, ROOM.coefficients), ROOM.rhs, {"k": QUIET}, tol=1e-16, rng=0)
    assert len(f.samples) <= 12
    assert f.d <= 30
