"""Stable dynamics and growth: spectra, norms, and the solutions of matrix equations against SciPy."""

import numpy as np
import pytest
from scipy import linalg

from neumatc.errors import InputError
from neumatc.gallery import Growth, Stable

STABLE = {
    "default": Stable(),
    "slow": Stable(n=12, abscissa=-0.34, inputs=3, seed=2),
    "normal": Stable(n=6, skew=1.0, inputs=1),
    "skew": Stable(n=10, abscissa=-0.1, skew=5.0, inputs=2),
    "smallest": Stable(n=2, inputs=2),
}
GROWTH = {
    "one": Growth(),
    "five": Growth(n=20, norm=5.0),
    "skew": Growth(n=8, norm=2.0, skew=6.0),
    "normal": Growth(n=2, norm=5.0, skew=1.0),
}
POINTS = (0.0, 0.37, 1.0)


@pytest.fixture(params=STABLE)
def stable(request):
    return STABLE[request.param]


@pytest.fixture(params=GROWTH)
def growth(request):
    return GROWTH[request.param]


def close(X, Y, tolerance):
    assert np.linalg.norm(X - Y) < tolerance * np.linalg.norm(Y)


def paired(values):
    return np.array(sorted(values, key=lambda z: (round(z.real, 6), round(z.imag, 6))))


def test_spectrum_and_abscissa_are_lapacks(stable):
    for p in POINTS:
        A = stable(p)
        assert A.dtype == np.float64
        w = np.linalg.eigvals(A)
        assert w.real.max() == pytest.approx(stable.abscissa, abs=1e-12)
        np.testing.assert_allclose(paired(stable.eigenvalues(p)), paired(w), rtol=0, atol=1e-10)
        V, inverse = stable.modes(p)
        np.testing.assert_allclose(A @ V, V * stable.eigenvalues(p), rtol=0, atol=1e-11)
        np.testing.assert_allclose(V @ inverse, np.eye(stable.n), rtol=0, atol=1e-12)


def test_skew_alone_decides_normality():
    normal, skew = (Stable(n=8, inputs=1, skew=k)(0.4) for k in (1.0, 4.0))
    assert np.linalg.norm(normal @ normal.T - normal.T @ normal) < 1e-13
    assert np.linalg.norm(skew @ skew.T - skew.T @ skew) > 1
    assert np.linalg.eigvalsh(skew + skew.T).max() > 0  # grows before it decays
    assert np.linalg.eigvalsh(normal + normal.T).max() / 2 == pytest.approx(-0.69)


def test_companions_are_definite(stable):
    for p in POINTS:
        W, R, S = stable.weight(p), stable.effort(p), stable.state_cost(p)
        for X in (W, R, S, stable.lyapunov(p), stable.riccati(p)):
            np.testing.assert_allclose(X, X.T, rtol=0, atol=1e-15 * np.abs(X).max())
            assert np.linalg.eigvalsh(X).min() > 0
        assert np.linalg.eigvalsh(W).min() >= 1 - 1e-12
        assert np.linalg.eigvalsh(R).min() >= 0.5 - 1e-12
        assert np.linalg.eigvalsh(R).max() <= 1.5 + 1e-12
        assert stable.control(p).shape == (stable.n, stable.inputs)


def test_lyapunov_is_scipys(stable):
    for p in POINTS:
        close(stable.lyapunov(p), linalg.solve_continuous_lyapunov(stable(p), -stable.weight(p)), 1e-11)


def test_riccati_is_scipys(stable):
    for p in POINTS[:2]:
        A, B, S, R = stable(p), stable.control(p), stable.state_cost(p), stable.effort(p)
        X = stable.riccati(p)
        close(X, linalg.solve_continuous_are(A, B, S, R), 1e-9)
        assert np.linalg.eigvals(A - B @ np.linalg.solve(R, B.T @ X)).real.max() < 0


def test_sylvester_is_scipys(stable):
    other = Stable(n=4, abscissa=-1.0, inputs=1, seed=9)
    C = np.random.default_rng(0).standard_normal((stable.n, 4))
    close(stable.sylvester(0.3, other, C), linalg.solve_sylvester(stable(0.3), other(0.3), C), 1e-11)


def test_companions_move():
    family = STABLE["slow"]
    for matrix in (family.weight, family.control, family.effort, family.lyapunov, family.riccati):
        assert np.linalg.norm(matrix(0.1) - matrix(0.6)) > 1e-2 * np.linalg.norm(matrix(0.1))


def test_norm_is_the_dial(growth):
    for p in np.linspace(0, 1, 7):
        assert np.linalg.norm(growth(p), 2) == pytest.approx(growth.norm, rel=1e-12)


def test_exponential_is_scipys(growth):
    for p in POINTS:
        close(growth.exponential(p), linalg.expm(growth(p)), 1e-12)
        np.testing.assert_allclose(
            paired(growth.eigenvalues(p)), paired(np.linalg.eigvals(growth(p))), rtol=0, atol=1e-10
        )


def test_growth_moves_in_both_directions():
    values = np.stack([Growth(norm=5.0).eigenvalues(p).real for p in np.linspace(0, 1, 9)])
    assert values.max() > 2
    assert values.min() < -2
    assert np.ptp(values, axis=0).max() > 1


@pytest.mark.parametrize("make", [Stable, Growth])
def test_seed_decides(make):
    one, same, other = (make(n=8, seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stable(n=7), "expected an even n >= 2 and 1 <= inputs"),
        (lambda: Stable(inputs=0), "expected an even n >= 2 and 1 <= inputs"),
        (lambda: Stable(abscissa=0.0), "expected abscissa < 0, skew >= 1"),
        (lambda: Stable(skew=0.5), "expected abscissa < 0, skew >= 1"),
        (lambda: Growth(n=3), "expected an even n >= 2"),
        (lambda: Growth(norm=0.0), "expected 0 < norm <= 50"),
        (lambda: Growth(turn=float("nan")), "a finite turn"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
