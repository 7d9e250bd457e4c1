"""Known properties of the baselines for the SVD: expected errors, one sketch for all p, orders of discretisation."""

import numpy as np
import pytest
import scipy.linalg
from benchmarks.baselines.crsvd import ConstantSketchSVD, nystrom
from benchmarks.baselines.rsvd import RandomizedSVD, SklearnRandomizedSVD, gaussian, range_basis
from benchmarks.baselines.sweep import WarmSubspaceIteration
from benchmarks.baselines.zead import EIGHT_INSTANTS, EIGHTH_ORDER
from benchmarks.baselines.znn_svd import ZNNSVD

N, RANK, EXTRA = 40, 6, 4
"""Size, target rank r, and oversampling s of the sketches."""


class Decaying:
    """``U(p) diag(0.7^k) V(p)ᴴ`` with turning U and V: all singular values are known, and none is zero."""

    def __init__(self, complex=False):
        rng = np.random.default_rng(0)
        draws = rng.standard_normal((4, N, N)) + 1j * complex * rng.standard_normal((4, N, N))
        draws = draws if complex else draws.real
        self.frames = [np.linalg.qr(each)[0] for each in draws[:2]]
        self.turns = [(G - G.conj().T) / np.linalg.norm(G - G.conj().T, 2) for G in draws[2:]]
        self.values = 0.7 ** np.arange(N)

    def __call__(self, p):
        U, V = (scipy.linalg.expm(p * G) @ Q for G, Q in zip(self.turns, self.frames, strict=True))
        return (U * self.values) @ V.conj().T

    def tail(self, rank):
        return float(np.sum(self.values[rank:] ** 2))


@pytest.fixture(scope="module", params=[False, True], ids=["real", "complex"])
def family(request):
    return Decaying(request.param)


@pytest.fixture(scope="module")
def grid(family):
    return [family(p) for p in np.linspace(0, 1, 9)]


def outside(A, Q):
    return np.linalg.norm(A - Q @ (Q.conj().T @ A))


def rebuilt(factors):
    return (factors["U"] * factors["S"]) @ factors["Vh"]


# randomized SVD ------------------------------------------------------------------------------------------------------


def test_the_mean_error_of_a_sketch_obeys_theorem_10_5(family):
    A, rng = family(0.3), np.random.default_rng(1)
    squares = [outside(A, range_basis(A, gaussian(N, RANK + EXTRA, A, rng))) ** 2 for _ in range(60)]
    # Nothing of rank r + s is better than the truncated SVD of that rank.
    assert min(squares) >= family.tail(RANK + EXTRA) * (1 - 1e-9)
    assert np.mean(squares) <= (1 + RANK / (EXTRA - 1)) * family.tail(RANK)


@pytest.mark.parametrize("power", [1, 2])
def test_subspace_iteration_takes_the_root_of_the_error(family, power):
    # Proposition 8.6: with the range of (A Aᴴ)^q A Ω the error is at most the (2q + 1)-th root of that for (A Aᴴ)^q A.
    A = family(0.3)
    Omega = gaussian(N, RANK + EXTRA, A, np.random.default_rng(2))
    Q = range_basis(A, Omega, power)
    B = np.linalg.matrix_power(A @ A.conj().T, power) @ A
    left, right = (np.linalg.norm(X - Q @ (Q.conj().T @ X), 2) for X in (A, B))
    assert left <= right ** (1 / (2 * power + 1)) * (1 + 1e-9)
    plain = range_basis(A, Omega)
    assert left < np.linalg.norm(A - plain @ (plain.conj().T @ A), 2)


def test_the_answer_is_an_svd_near_the_best(family):
    (answer,) = RandomizedSVD(RANK, 10, power=2).solve(family, [0.3])
    factors, best = answer.factors, np.sqrt(family.tail(RANK))
    for X in (factors["U"].conj().T @ factors["U"], factors["Vh"] @ factors["Vh"].conj().T):
        np.testing.assert_allclose(X, np.eye(RANK), atol=1e-12)
    assert (1 - 1e-9) * best <= np.linalg.norm(family(0.3) - rebuilt(factors)) <= 1.001 * best
    np.testing.assert_allclose(factors["S"], family.values[:RANK], rtol=1e-4)


def test_scikit_learn_is_near_the_best_too():
    reason = SklearnRandomizedSVD().absent()
    if reason:
        pytest.skip(reason)
    family = Decaying()
    (answer,) = SklearnRandomizedSVD(RANK).solve(family, [0.3])
    assert np.linalg.norm(family(0.3) - rebuilt(answer.factors)) <= 1.001 * np.sqrt(family.tail(RANK))


# constant sketches ---------------------------------------------------------------------------------------------------


def test_one_sketch_obeys_the_bound_in_the_mean_over_p(family, grid):
    rng = np.random.default_rng(3)
    squares = []
    for _ in range(30):
        Omega = gaussian(N, RANK + EXTRA, grid[0], rng)
        squares.append(np.mean([outside(A, range_basis(A, Omega)) ** 2 for A in grid]))
    assert np.mean(squares) <= (1 + RANK / (EXTRA - 1)) * family.tail(RANK)


def test_generalised_nystrom_obeys_its_bound_in_the_mean_over_p(family, grid):
    # Tropp et al. (2017), doi:10.1137/17M1111590, theorem 4.3: k columns of Ω, l of Ψ.
    rng, k, rows = np.random.default_rng(4), RANK + EXTRA, RANK + EXTRA + 6
    squares = []
    for _ in range(30):
        Omega, Psi = gaussian(N, k, grid[0], rng), gaussian(N, rows, grid[0], rng)
        squares.append(np.mean([np.linalg.norm(A - rebuilt(nystrom(A, Omega, Psi, None))) ** 2 for A in grid]))
    assert np.mean(squares) <= (1 + k / (rows - k - 1)) * (1 + RANK / (EXTRA - 1)) * family.tail(RANK)


def test_one_sketch_is_good_at_every_p(family):
    # Theorem 10.7 with t = 6 and u = 5 fails with probability below 2 t^-s + exp(-u²/2) < 0.002 at one p; here it is
    # asked of one sketch at all of them.
    A = [family(p) for p in np.linspace(0, 1, 41)]
    Omega = gaussian(N, RANK + EXTRA, A[0], np.random.default_rng(5))
    bound = (1 + 6 * np.sqrt(3 * RANK / (EXTRA + 1))) * np.sqrt(family.tail(RANK))
    bound += 5 * 6 * np.e * np.sqrt(RANK + EXTRA) / (EXTRA + 1) * family.values[RANK]
    errors = [outside(each, range_basis(each, Omega)) for each in A]
    assert max(errors) <= bound
    assert max(errors) <= 3 * np.median(errors)


def test_constant_sketches_are_continuous_in_p_and_fresh_ones_jump(family):
    points = [0.3, 0.3 + 1e-6]
    change = np.linalg.norm(family(points[1]) - family(points[0]))
    for method in (ConstantSketchSVD(RANK, EXTRA), ConstantSketchSVD(RANK, EXTRA, "nystrom")):
        first, second = (rebuilt(each.factors) for each in method.solve(family, points))
        assert np.linalg.norm(second - first) <= 30 * change
    first, second = (rebuilt(each.factors) for each in RandomizedSVD(RANK, EXTRA).solve(family, points))
    assert np.linalg.norm(second - first) > 1e3 * change


@pytest.mark.parametrize("method", ["hmt", "nystrom"])
def test_a_matrix_of_low_rank_is_found_exactly(method, family):
    def low(p):
        U, s, Vh = np.linalg.svd(family(p))
        return (U[:, :RANK] * s[:RANK]) @ Vh[:RANK]

    for p, each in zip((0.1, 0.9), ConstantSketchSVD(RANK, EXTRA, method).solve(low, [0.1, 0.9]), strict=True):
        np.testing.assert_allclose(rebuilt(each.factors), low(p), atol=1e-12)


# iterations along p --------------------------------------------------------------------------------------------------


def test_a_warm_block_saves_iterations_and_finds_the_same(family):
    points = np.linspace(0, 0.1, 11).tolist()
    method = WarmSubspaceIteration(RANK, EXTRA, tol=1e-7, steps=200)
    warm = method.solve(family, points)
    cold = [method.solve(family, [p])[0] for p in points]
    assert all(each.passed for each in warm + cold)
    assert sum(each.steps for each in warm[1:]) < 0.9 * sum(each.steps for each in cold[1:])
    for each in warm:
        np.testing.assert_allclose(each.factors["S"], family.values[:RANK], rtol=1e-6)


def test_subspace_iteration_converges_at_the_ratio_of_singular_values():
    family = Decaying()
    errors = []
    for steps in (12, 15):
        (answer,) = WarmSubspaceIteration(RANK, 0, tol=0.0, steps=steps).solve(family, [0.3])
        errors.append(np.linalg.norm(family(0.3) @ answer.factors["Vh"].T - answer.factors["U"] * answer.factors["S"]))
    # A block of r columns: (σ_{r+1} / σ_r)² per step.
    assert errors[1] / errors[0] == pytest.approx(0.7**6, rel=0.1)


class Tall:
    """A 7 x 4 matrix with four well separated singular values that move."""

    def __init__(self, complex=False, flat=False):
        rng = np.random.default_rng(0)
        S = rng.standard_normal((2, 7, 7)) + 1j * complex * rng.standard_normal((2, 7, 7))
        S = S if complex else S.real
        self.turns, self.flat = (S - S.conj().swapaxes(1, 2)) / 4, flat

    def values(self, p):
        return np.array([4, 3, 2, 1]) + 0.3 * np.cos(p * np.arange(1, 5))

    def __call__(self, p):
        U, V = scipy.linalg.expm(p * self.turns[0])[:, :4], scipy.linalg.expm(p * self.turns[1][:4, :4])
        A = (U * self.values(p)) @ V
        return A.T if self.flat else A


@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    ("formula", "h", "substeps", "order"),
    # The residual of an eight-instant formula is O(τ^5), that of the eighth-order one O(τ^8).
    [(EIGHT_INSTANTS, 0.2, 10, 5), (EIGHTH_ORDER, 0.05, 20, 8)],
    ids=["eight instants", "eighth order"],
)
def test_halving_the_step_divides_the_error_by_its_order(complex, flat, formula, h, substeps, order):
    A, points = Tall(complex, flat), np.linspace(0, 4, 21)
    settled = []
    for count in (substeps, 2 * substeps):
        answers = list(zip(points, ZNNSVD(None, formula, count, h, turn=np.inf).solve(A, points), strict=True))[15:]
        settled.append(max(np.linalg.norm(rebuilt(each.factors) - A(p)) for p, each in answers))
    assert settled[1] > 1e-13
    assert abs(np.log2(settled[0] / settled[1]) - order) < 0.5
    for p, each in answers:
        np.testing.assert_allclose(each.factors["S"], A.values(p), atol=1e-6)
        U = each.factors["U"]
        np.testing.assert_allclose(U.conj().T @ U, np.eye(4), atol=1e-6)


class Avoiding:
    """Turning frames and values 1 + p and 2 - p, which a constant term keeps from meeting at 1/2."""

    def __init__(self):
        G = np.random.default_rng(1).standard_normal((3, 3))
        self.turn = (G - G.T) / 4

    def __call__(self, p):
        R = scipy.linalg.expm(p * self.turn)
        return (R * np.array([1 + p, 2 - p, 0.3])) @ R.T + np.diag([0.001, -0.001, 0.0])


def test_wide_gaps_are_left_alone():
    A, points = Tall(), np.linspace(0, 1, 11)
    plain, careful = (ZNNSVD(turn=turn).solve(A, points)[-1] for turn in (np.inf, 1.0))
    np.testing.assert_array_equal(plain.factors["U"], careful.factors["U"])


@pytest.mark.parametrize("turn", [np.inf, 1.0])
def test_the_network_fails_at_an_avoided_crossing_narrower_than_its_step(turn):
    A, points = Avoiding(), np.linspace(0, 1, 21)
    answers = ZNNSVD(turn=turn).solve(A, points)
    errors = [np.linalg.norm(rebuilt(each.factors) - A(p)) for p, each in zip(points, answers, strict=True)]
    assert max(errors[:8]) < 1e-5
    assert not all(each < 1e-3 for each in errors[8:])
