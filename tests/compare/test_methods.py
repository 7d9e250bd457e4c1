"""Each method by itself: its nodes, its accuracy on a problem made for it, and what it says where it cannot be had."""

import numpy as np
import pytest

import neumatc as nmc
from neumatc.arrays import real_dtype
from neumatc.comparison.bench import Bench
from neumatc.comparison.exact import calls_of
from neumatc.comparison.judge import error, judged
from neumatc.comparison.nearest import step_of
from neumatc.comparison.nodes import centres, chebyshev, sides, tabulated, uniform
from neumatc.comparison.run import BASELINES
from neumatc.gallery import AffineSPD, LowRankSVD, Resolvent, RotatingSpectrum
from neumatc.gauge import Unitary, Vectors
from neumatc.operations import Cholesky, Eigh, Inverse, PartialEigh, TruncatedSVD

METHODS = {each.name: each for each in BASELINES}


def bench(family, operation, count, **options):
    problem = nmc.Problem.of(family, getattr(family, "box", (0, 1)), operation)
    return Bench(problem, count, 1e-10, 0, problem.dtype, **options)


def marks(task, *names, count=30):
    ready = {name: METHODS[name].prepare(task) for name in names}
    points = task.problem.box.random(count, np.random.default_rng(1))
    return ready, judged(ready, task.problem, points, 0)


def test_names_and_titles_are_different():
    assert len(METHODS) == len(BASELINES) == len({each.title for each in BASELINES})


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("count", [2, 7, 30, 64, 100])
def test_designs_use_what_they_are_granted_and_no_more(dimension, count):
    shape = sides(count, dimension)
    assert np.prod(shape) <= count < np.prod(np.array(shape) + 1)
    for x in (chebyshev(count, dimension), centres(count, dimension)):
        assert x.shape == (np.prod(shape), dimension)
        assert np.abs(x).max() <= 1
    assert len(uniform(count)) == count
    if dimension == 1:
        assert len(chebyshev(count, 1)) == len(centres(count, 1)) == count


def test_designs_in_many_parameters():
    for x in (chebyshev(50, 5), centres(50, 5)):
        assert x.shape == (50, 5)
        assert np.abs(x).max() <= 1
    table = np.random.default_rng(0).permutation(np.linspace(-1, 1, 21))[:, None]
    chosen = tabulated(table, 5)
    assert chosen[:, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert len(tabulated(table, 100)) == 21


def test_every_curve_reaches_a_smooth_family():
    task = bench(AffineSPD(n=8), Inverse(), 40)
    ready, found = marks(task, "chebyshev", "spline", "aaa", "rbf", "nearest", "exact")
    limits = {"chebyshev": 1e-11, "spline": 1e-6, "aaa": 1e-8, "rbf": 1e-4, "nearest": 1e-2, "exact": 1e-13}
    for name, limit in limits.items():
        assert found[name].error.max() < limit, name
        assert found[name].residual.max() < 10 * limit, name
        assert ready[name].exact_solves == (0 if name == "exact" else 40)


def test_grid_in_two_parameters():
    task = bench(AffineSPD(n=6, dimensions=2), Inverse(), 150)
    ready, found = marks(task, "chebyshev", "rbf")
    assert ready["chebyshev"].exact_solves == ready["rbf"].exact_solves == 12 * 12
    assert found["chebyshev"].error.max() < 1e-4
    assert METHODS["spline"].absent(task) == "splines need one parameter, here are 2"
    assert METHODS["aaa"].absent(task) == "AAA needs one parameter, here are 2"


def test_pole_beside_the_box_is_for_rational_functions():
    task = bench(Resolvent(n=8, levels=2, eta=0.02), Inverse(), 30)
    _, found = marks(task, "chebyshev", "aaa")
    assert found["aaa"].error.max() < 1e-9
    assert found["chebyshev"].error.max() > 1e-2


def test_vectors_are_aligned_before_they_are_interpolated():
    # LAPACK's signs jump from node to node; without alignment the error would be of order one.
    for operation in (Eigh(), PartialEigh(3)):
        _, found = marks(bench(RotatingSpectrum(n=8), operation, 40), "chebyshev", "aaa")
        assert found["chebyshev"].error.max() < 1e-9
        assert found["aaa"].error.max() < 1e-6


def test_buffer_is_settled_where_no_fit_has_done_it():
    family = LowRankSVD(n=16, rank=3, tail=4)
    _, found = marks(bench(family, TruncatedSVD(3), 40), "chebyshev", "nearest", "exact")
    assert found["chebyshev"].error.max() < 1e-6
    assert found["nearest"].residual.max() < 1e-2
    assert found["exact"].error.max() < 1e-12


def test_longer_chebyshev_stops_at_tol_or_when_the_time_is_up():
    patient = METHODS["chebyshev+"].prepare(bench(AffineSPD(n=6), Inverse(), 4, seconds=60.0))
    hurried = METHODS["chebyshev+"].prepare(bench(AffineSPD(n=6), Inverse(), 4, seconds=0.0))
    assert hurried.exact_solves == 4
    assert 13 <= patient.exact_solves <= 49
    assert patient.exact_solves % 3 == 1  # 4, 7, 13, 25, …: each grid holds the one before
    assert METHODS["chebyshev+"].absent(bench(AffineSPD(n=6), Inverse(), 4)) is not None


def test_newton_schulz_squares_the_residual():
    A = np.random.default_rng(0).standard_normal((2, 5, 5)) + 5 * np.eye(5)
    X = np.linalg.inv(A) * 1.01
    step = step_of(Inverse())
    better = step(A, {"X": X})["X"]
    np.testing.assert_allclose(np.eye(5) - A @ better, (np.eye(5) - A @ X) @ (np.eye(5) - A @ X), atol=1e-12)
    assert step_of(Cholesky()) is None
    assert METHODS["nearest"].absent(bench(AffineSPD(n=4), Cholesky(), 4)) == "`cholesky` states no iterative step"


def test_exact_calls_agree():
    spd = np.stack([AffineSPD(n=6)(p) for p in (0.2, 0.7)])
    calls = calls_of(Inverse(), spd)
    assert set(calls) == {"NumPy", "torch", "torch Cholesky"}
    for call in calls.values():
        np.testing.assert_allclose(call(spd), np.linalg.inv(spd), rtol=1e-12)
    assert "torch Cholesky" not in calls_of(Inverse(), spd - 2 * np.eye(6) * np.linalg.norm(spd))
    assert "torch Cholesky" not in calls_of(Inverse(), spd + np.triu(np.ones((6, 6))))
    values = [np.linalg.eigvalsh(A) for A in spd]
    for call in calls_of(PartialEigh(2, "highest"), spd).values():
        answer = call(spd)
        found = answer.eigenvalues if hasattr(answer, "eigenvalues") else [pair[0] for pair in answer]
        np.testing.assert_allclose(found, [w[-2:] for w in values], rtol=1e-12)
    for call in calls_of(TruncatedSVD(2, buffer=1), spd).values():
        answer = call(spd)
        found = answer.S if hasattr(answer, "S") else [triplet[1] for triplet in answer]
        np.testing.assert_allclose(found, [w[:-3:-1] for w in values], rtol=1e-12)


def test_error_ignores_the_gauge_and_nothing_else():
    rng = np.random.default_rng(0)
    V = np.linalg.qr(rng.standard_normal((3, 5, 2)))[0]
    F = {"V": V, "w": np.ones((3, 2, 2)) * np.eye(2)}
    vectors, unitary = Vectors(("V",), ("w",)), Unitary.of({"V": (None, "P"), "w": ("P", "P")})
    for gauge in (vectors, unitary):
        assert error(gauge.move(F, rng), F, gauge, ("V", "w")).max() < 1e-14
        wrong = {**F, "w": 1.5 * F["w"]}
        assert error(wrong, F, gauge, ("V", "w")) == pytest.approx(0.5)
    broken = {**F, "V": np.where(np.arange(3)[:, None, None] == 1, np.nan, V)}
    assert np.isinf(error(broken, F, vectors, ("V", "w"))).tolist() == [False, True, False]


def test_single_precision_is_kept_in_single_precision():
    family = AffineSPD(n=6)
    task = bench(lambda p: family(p).astype(np.float32), Inverse(), 20)
    ready, found = marks(task, "chebyshev", "nearest")
    assert real_dtype(task.dtype) == np.float32
    assert ready["nearest"].nbytes == 20 * 6 * 6 * 4
    assert 1e-9 < found["chebyshev"].error.max() < 1e-5
