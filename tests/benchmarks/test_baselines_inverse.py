"""Known properties of the baselines for the inverse: orders of convergence, optimality, error bounds."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.baselines.interpolated_inverse import InterpolatedInverse, coefficients, greedy, sketch
from benchmarks.baselines.newton import NeuralNewtonInversion, iterate, start
from benchmarks.baselines.sweep import WarmNewtonSchulz
from benchmarks.baselines.zead import EIGHT_INSTANTS, EIGHTH_ORDER, EULER, FOUR_INSTANTS, backward
from benchmarks.baselines.znn_inverse import ZNNInversion

from neumatc.errors import InputError
from neumatc.gallery import SyntheticInverse

FORMULAS = {"euler": EULER, "four": FOUR_INSTANTS, "eight": EIGHT_INSTANTS, "eighth": EIGHTH_ORDER}


def residuals(A, X):
    return np.linalg.norm(A @ X - np.eye(len(A)))


# Newton --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("complex", [False, True])
def test_newton_squares_the_residual(complex):
    A = SyntheticInverse(n=24, rank=4, cond=20.0, complex=complex)(0.3)
    iterates = [X for X, _ in zip(iterate(A, start(A)), range(16), strict=False)]
    E = [A @ X - np.eye(24) for X, _ in iterates]
    for before, after in pairwise(E):
        np.testing.assert_allclose(after, -before @ before, atol=1e-12)
    sizes = np.array([np.linalg.norm(each, 2) for each in E])
    # Order two: each step doubles the correct digits, until rounding.
    late = [i for i in range(len(sizes) - 1) if 1e-5 < sizes[i] < 0.2]
    assert len(late) >= 2
    assert all(1.9 < np.log(sizes[i + 1]) / np.log(sizes[i]) < 2.1 for i in late)


@pytest.mark.parametrize("seed", range(5))
def test_the_start_always_converges(seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((12, 12)) + 1j * (seed % 2) * rng.standard_normal((12, 12))
    assert np.linalg.norm(np.eye(12) - A @ start(A), 2) < 1
    (answer,) = NeuralNewtonInversion(steps=80).solve(lambda p: A, [0.0])
    assert answer.passed
    assert residuals(A, answer.factors["X"]) < 1e-8


def test_six_steps_of_newton_are_too_few_for_the_papers_problem():
    # The NeuMatC paper reports an error near one for NNI; its flops are those of six steps.
    A = SyntheticInverse(n=64, rank=20, cond=100.0)
    (answer,) = NeuralNewtonInversion().solve(A, [0.3])
    assert answer.steps == 6
    assert not answer.passed
    assert residuals(A(0.3), answer.factors["X"]) ** 2 / 64 > 0.1


def test_the_power_sigmoid_network_converges_too():
    A = SyntheticInverse(n=16, rank=4)
    (answer,) = NeuralNewtonInversion(steps=400, activation="power-sigmoid", h=0.2, tol=1e-9).solve(A, [0.3])
    assert answer.passed


def test_newton_is_the_network_for_a_constant_matrix():
    A = SyntheticInverse(n=12, rank=3)(0.4)
    X = start(A)
    slope = -X @ (A @ X - np.eye(12))  # of ZNN inversion with A' = 0 and h = 1
    (ahead,) = EULER.ahead((slope,), [(X,)])
    np.testing.assert_allclose(ahead, next(Y for i, (Y, _) in enumerate(iterate(A, X)) if i == 1), rtol=1e-14)


def test_unknown_activations_are_refused():
    A = SyntheticInverse(n=8, rank=2)
    with pytest.raises(InputError, match="power-sigmoid"):
        NeuralNewtonInversion(activation="relu").solve(A, [0.0])
    with pytest.raises(InputError, match="linear"):
        ZNNInversion(activation="relu").solve(A, [0.0, 0.1])


def test_a_warm_start_saves_newton_steps():
    A = SyntheticInverse(n=24, rank=4, cond=20.0)
    points = np.linspace(0, 1, 101)
    warm = WarmNewtonSchulz().solve(A, points)
    cold = NeuralNewtonInversion(steps=60).solve(A, points)
    assert max(residuals(A(p), each.factors["X"]) for p, each in zip(points, warm, strict=True)) < 1e-8
    assert 2 * sum(each.steps for each in warm) < sum(each.steps for each in cold)


def test_a_warm_start_that_fails_is_replaced_by_lu():
    ends = {0.0: np.diag([1.0, 10.0]), 1.0: np.diag([10.0, 1.0])}
    answers = WarmNewtonSchulz().solve(ends.__getitem__, [0.0, 1.0])
    np.testing.assert_allclose(answers[1].factors["X"], np.diag([0.1, 1.0]), rtol=1e-14)
    assert answers[1].steps == WarmNewtonSchulz().steps + 1


# interpolation of inverses -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def family():
    return SyntheticInverse(n=24, rank=4, cond=10.0)


@pytest.fixture(scope="module", params=[None, 12], ids=["full", "sketched"])
def snapshots(request, family):
    V = sketch(24, request.param, np.random.default_rng(0))
    return greedy(family, np.linspace(0, 1, 31).tolist(), 10, V), V


def combined(weights, inverses):
    return np.tensordot(weights, inverses, 1)


def test_the_interpolation_is_exact_at_its_points(family, snapshots):
    found, V = snapshots
    for i, p in enumerate(found.points):
        weights = coefficients(found.inverses, family(p), V)
        np.testing.assert_allclose(weights, np.eye(10)[i], atol=1e-7)
        assert residuals(family(p), combined(weights, found.inverses)) < 1e-7


def test_no_combination_has_a_smaller_residual(family, snapshots):
    found, V = snapshots
    rng = np.random.default_rng(1)
    for p in (0.013, 0.41, 0.77):
        A = family(p)

        def size(weights, A=A):
            return np.linalg.norm((np.eye(24) - combined(weights, found.inverses) @ A) @ V)

        best = coefficients(found.inverses, A, V)
        nearest = np.eye(10)[np.abs(np.array(found.points) - p).argmin()]
        lagrange = [np.prod([(p - b) / (a - b) for b in found.points if b != a]) for a in found.points]
        others = [best + 10.0**-k * rng.standard_normal(10) for k in range(6)]
        assert all(size(best) < size(np.array(each)) for each in (nearest, lagrange, *others))
        # Normal equations: what is left is orthogonal to every P_i A V.
        left = (np.eye(24) - combined(best, found.inverses) @ A) @ V
        parts = [np.vdot(P @ A @ V, left) / np.linalg.norm(P @ A @ V) for P in found.inverses]
        assert np.abs(parts).max() < 1e-10


def test_the_sketched_residual_is_nearly_the_best(family):
    V = sketch(24, 16, np.random.default_rng(2))
    found = greedy(family, np.linspace(0, 1, 31).tolist(), 6, V)
    for p in np.linspace(0.01, 0.99, 15):
        A = family(p)
        # ε of V on span{I, P_1 A, ...}, from an orthonormal basis of that space.
        flat = np.stack([np.eye(24).ravel(), *((P @ A).ravel() for P in found.inverses)], axis=1)
        basis = np.linalg.qr(flat)[0].T.reshape(-1, 24, 24)
        kept = np.linalg.svd(np.stack([(B @ V).ravel() for B in basis], axis=1), compute_uv=False)
        epsilon = max(kept[0] ** 2 - 1, 1 - kept[-1] ** 2)
        assert epsilon < 1
        full = coefficients(found.inverses, A, np.eye(24))
        sizes = [
            np.linalg.norm(np.eye(24) - combined(weights, found.inverses) @ A)
            for weights in (coefficients(found.inverses, A, V), full)
        ]
        assert sizes[1] - 1e-12 <= sizes[0] <= np.sqrt((1 + epsilon) / (1 - epsilon)) * sizes[1] + 1e-12


def test_the_residual_bounds_the_error(family):
    points = np.linspace(0.02, 0.98, 9)
    for p, each in zip(points, InterpolatedInverse(8, columns=12).solve(family, points), strict=True):
        X, exact = each.factors["X"], family.inverse(p)
        left = np.linalg.norm(np.eye(24) - X @ family(p))
        assert np.linalg.norm(X - exact) <= left * np.linalg.norm(exact, 2) * (1 + 1e-9)


def test_the_greedy_choice_is_where_the_residual_is_largest(family, snapshots):
    found, V = snapshots
    training = np.linspace(0, 1, 31).tolist()
    assert len(set(found.points)) == 10
    assert all(np.diff(found.worst) <= 1e-12 + 0.5 * np.array(found.worst[:-1]))  # no worse than by half
    for m in (1, 4, 9):
        some = found.inverses[:m]
        sizes = [
            np.linalg.norm((np.eye(24) - combined(coefficients(some, family(p), V), some) @ family(p)) @ V)
            for p in training
        ]
        assert training[int(np.argmax(sizes))] == found.points[m]
        np.testing.assert_allclose(max(sizes) / np.linalg.norm(V), found.worst[m - 1], rtol=1e-6)


# zeroing networks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_look_ahead_formulas_have_their_order(name):
    formula = FORMULAS[name]
    for q in range(formula.order + 2):
        derivative = sum(w * (1 - i) ** q for i, w in enumerate(formula.weights))
        assert (derivative == (q == 1)) == (q <= formula.order)
        past = sum(c * (-i) ** q for i, c in enumerate(backward(formula.order)))
        assert (abs(past - (q == 1)) < 1e-6) == (q <= formula.order)


@pytest.mark.parametrize(("name", "largest"), [("euler", 1.9), ("four", 0.8), ("eight", 0.35), ("eighth", 0.1)])
def test_look_ahead_formulas_converge(name, largest):
    formula = FORMULAS[name]
    assert formula.radius() < 1
    assert all(formula.radius(h) < 1 for h in np.linspace(0, largest, 20)[1:])


@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("name", ["euler", "four", "eight"])
def test_halving_the_step_divides_the_residual_by_its_order(name, complex):
    formula = FORMULAS[name]
    A = SyntheticInverse(n=12, rank=3, cond=4.0, band=(0.2, 0.6), complex=complex)
    points = np.linspace(0, 1, 11)
    settled = []
    for substeps in (16, 32):
        answers = ZNNInversion(formula, substeps, h=0.2).solve(A, points)
        # The beginning is exact; the residual has settled in the second half.
        pairs = list(zip(points, answers, strict=True))[5:]
        settled.append(max(residuals(A(p), each.factors["X"]) for p, each in pairs))
    assert settled[1] > 1e-13
    assert abs(np.log2(settled[0] / settled[1]) - (formula.order + 1)) < 0.35


def test_an_error_dies_out_as_the_design_formula_says():
    # For a constant matrix dE/dt = -γ E, by Euler's formula E_k = (1 - h)^k E_0 up to terms of second order.
    A = SyntheticInverse(n=12, rank=3)(0.4)
    X = np.linalg.inv(A) @ (np.eye(12) + 1e-6 * np.diag(np.arange(12.0)))
    method = ZNNInversion(EULER, 1, h=0.3)
    for _ in range(4):
        E = A @ X - np.eye(12)
        (X,) = EULER.ahead((-X @ (method.h * E),), [(X,)])
        np.testing.assert_allclose(A @ X - np.eye(12), (1 - method.h) * E, atol=1e-9)


def test_the_sign_bi_power_activation_chatters_where_the_linear_one_does_not():
    A = SyntheticInverse(n=12, rank=3, cond=4.0, band=(0.2, 0.6))
    points = np.linspace(0, 1, 11)
    linear = ZNNInversion(FOUR_INSTANTS, 32, h=0.05)
    left = [
        np.abs(A(1.0) @ method.solve(A, points)[-1].factors["X"] - np.eye(12)).max()
        for method in (linear, replace(linear, activation="li"))
    ]
    # Its slope h / (2 sqrt|e|) exceeds what four instants bear, 0.8, below this size.
    level = (0.05 / 1.6) ** 2
    assert left[0] < 0.1 * level < left[1] < 10 * level
