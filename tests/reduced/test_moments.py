"""Derivatives of solutions at a point: that they solve the differentiated equations, and that rounding is not one."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

import neumatc as nmc
from neumatc.box import Box
from neumatc.reduced import AffineSystem
from neumatc.reducing.moments import Moments
from neumatc.reducing.taylor import indices

EYE, RAMP = sparse.eye_array(40), sparse.diags_array(np.linspace(0, 1, 40))
ONES = np.ones(40)


def vectors(count: int, n: int = 40, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((count, n))


def system(matrices: Any, theta: Any, right: Any, box: Any, psi: Any = None) -> AffineSystem:
    family = nmc.Affine(matrices, theta)
    right = np.asarray(right)
    dtype = np.result_type(right, *[part.dtype for part in family.matrices], np.asarray(theta(0.1)).dtype)
    right_family = None if psi is None else nmc.Affine([np.ones((1, 1))] * len(right), psi)
    return AffineSystem(family, right, right_family, Box.of(box), right.shape[1], dtype)


def moments_at(made: AffineSystem, point: Any) -> Any:
    point = np.asarray(point)
    solved, factors = made.solve_and_keep(point)
    return list(Moments(made, point, solved.x, factors))


def test_derivatives_solve_the_differentiated_equations() -> None:
    made = system([EYE, RAMP], lambda p: [1.0, np.sin(p)], [ONES, vectors(1)[0]], (0.0, 1.0), lambda p: [1.0, p**2])
    found, h, x = moments_at(made, [0.4]), 1e-2, lambda p: made.solve(np.array([p])).x
    assert [each.shape for each, _ in found] == [(1, 40)] * 4
    first = (x(0.4 - 2 * h) - 8 * x(0.4 - h) + 8 * x(0.4 + h) - x(0.4 + 2 * h)) / (12 * h)
    second = (-x(0.4 - 2 * h) + 16 * x(0.4 - h) - 30 * x(0.4) + 16 * x(0.4 + h) - x(0.4 + 2 * h)) / (12 * h**2)
    np.testing.assert_allclose(found[1][0][0], first / 2, rtol=0, atol=1e-6 * np.abs(first).max())
    np.testing.assert_allclose(found[2][0][0], second / 8, rtol=0, atol=1e-5 * np.abs(second).max())


def test_columns_and_several_parameters_share_one_factorisation(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse.linalg

    seen: list[Any] = []
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda *a, **o: (seen.append(a), splu(*a, **o))[1])
    right = np.stack([vectors(1)[0], 1e-6 * ONES], axis=1)[None]
    made = system(
        [EYE, RAMP, RAMP @ RAMP], lambda p: [1.0 + 0j, np.sin(np.sum(p)), 1j * np.prod(p)], right, [(0, 1)] * 2
    )
    found = moments_at(made, [0.4, 0.6])
    assert [each.shape for each, _ in found] == [(2 * len(indices(2, total)), 40) for total in range(3)]
    assert len(seen) == 1
    h = 1e-4
    corners = [made.solve(np.array([0.4 + s * h, 0.6 + t * h])).x * s * t for s in (-1, 1) for t in (-1, 1)]
    mixed = sum(corners) / (4 * h * h)  # of (0, 1)²; in the variables of the cube a quarter
    size = np.abs(mixed).max(0) / 4
    np.testing.assert_allclose(found[2][0][2:4].T / size, mixed / 4 / size, rtol=0, atol=1e-4)


@pytest.mark.parametrize("right", [ONES[None], np.stack([ONES, 2 - ONES * 0.3], 1)[None]])
def test_a_solution_that_does_not_depend_on_p_has_no_derivatives(right: Any) -> None:
    for each, _ in moments_at(system([EYE + RAMP], lambda p: [1.0], right, (0.0, 1.0)), [0.3])[1:]:
        np.testing.assert_array_equal(each, 0)


def test_rounding_is_told_from_derivatives() -> None:
    """A⁻¹ of an ill-conditioned A turns rounding into vectors of any size; x = x_0 + p x_1 has no second derivative."""
    line = sparse.diags_array([-np.ones(39), 2 * np.ones(40), -np.ones(39)], offsets=[-1, 0, 1])
    A = (line @ line).tocsr()  # condition 5e5
    # A (1 + p D) x = f + p g with x = y + p z: the terms in p² and p³ vanish by cancellation.
    y, z = vectors(2)
    parts = [A @ y, A @ z + RAMP @ y, RAMP @ z]
    made = system([A, RAMP], lambda p: [1.0, p], parts, (0.0, 1.0), lambda p: [1.0, p, p**2])
    found = moments_at(made, [0.7])
    np.testing.assert_allclose(2 * found[1][0][0], z, rtol=0, atol=1e-8 * np.abs(z).max())
    np.testing.assert_array_equal(found[2][0], 0)
    np.testing.assert_array_equal(found[3][0], 0)
