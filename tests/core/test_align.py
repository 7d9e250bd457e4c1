"""Alignment: what is one smooth curve up to gauge becomes one smooth curve."""

from typing import Any

import numpy as np
import pytest

from neumatc.align import aligned, along_path, along_tree, smoothed
from neumatc.gauge import NoGauge, Unitary, Vectors, adjoint, greedy_assignment, linear_assignment, polar

LINE = np.linspace(0, 1, 41)[:, None]


def random_unitary(rng: np.random.Generator, count: int, size: int, complex_: bool) -> Any:
    G = rng.standard_normal((count, size, size))
    return np.linalg.qr(G + 1j * rng.standard_normal(G.shape) if complex_ else G)[0]


def frame(points: Any, complex_: bool, rank: int = 4, n: int = 9) -> Any:
    """Orthonormal columns (m, n, rank) that turn smoothly with all coordinates of the points."""
    rng = np.random.default_rng(0)
    G = rng.standard_normal((3, n, rank)) + (1j * rng.standard_normal((3, n, rank)) if complex_ else 0)
    s = points.sum(1)[:, None, None]
    return polar(G[0] + 0.5 * np.cos(2 * s) * G[1] + 0.5 * np.sin(3 * points[:, :1, None]) * G[2])


def crossing(points: Any, complex_: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Smooth vectors whose values cross, and the same sorted by value, with random phases: what a solver returns."""
    rng = np.random.default_rng(1)
    t = points[:, 0]
    U = frame(points, complex_)
    values = np.stack([1 + t, 2 - t, 3 + 0.2 * t, 3.4 - 0.5 * t], axis=-1)[:, None]
    order = np.argsort(-values[:, 0], axis=-1, kind="stable")
    phase = np.exp(2j * np.pi * rng.random(order.shape)) if complex_ else rng.choice([-1.0, 1.0], order.shape)
    rows = np.arange(len(t))[:, None]
    sorted_U = np.swapaxes(np.swapaxes(U, 1, 2)[rows, order], 1, 2) * phase[:, None]
    return {"U": U, "w": values}, {"U": sorted_U, "w": values[rows, 0, order][:, None]}


def jump(X: Any, order: Any = None) -> float:
    """Largest change between neighbours."""
    X = X if order is None else X[order]
    return float(np.linalg.norm(np.diff(X, axis=0), axis=(1, 2)).max())


# vectors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("assignment", ["linear", "greedy"])
@pytest.mark.parametrize("complex_", [False, True], ids=["signs", "phases"])
def test_vectors_are_followed_through_crossings(assignment: str, complex_: bool) -> None:
    smooth, sorted_ = crossing(LINE, complex_)
    assert jump(sorted_["U"]) > 1.0
    gauge = Vectors(("U",), ("w",), assignment)
    moved = along_path(np.arange(len(LINE)), sorted_, gauge)
    assert jump(moved["U"]) <= jump(smooth["U"]) + 1e-12
    # The values ride along: each column is one of the true curves, straight in p.
    np.testing.assert_allclose(np.diff(moved["w"], 2, axis=0), 0, atol=1e-12)
    found = np.sort(moved["w"][:, 0], axis=-1)
    np.testing.assert_allclose(found, np.sort(smooth["w"][:, 0], axis=-1))
    overlap = np.abs(adjoint(smooth["U"]) @ moved["U"])
    np.testing.assert_allclose(overlap, np.broadcast_to(overlap[:1], overlap.shape), atol=1e-10)


def test_order_of_the_samples_is_that_of_the_parameter() -> None:
    """`aligned` sorts by p itself: samples come in the order in which they were solved."""
    smooth, sorted_ = crossing(LINE, False)
    shuffle = np.random.default_rng(2).permutation(len(LINE))
    F = {name: X[shuffle] for name, X in sorted_.items()}
    moved = aligned(LINE[shuffle], F, Vectors(("U",), ("w",)))
    assert jump(moved["U"], np.argsort(shuffle)) <= jump(smooth["U"]) + 1e-12


def test_the_sample_in_the_middle_stays_as_it_is() -> None:
    _, sorted_ = crossing(LINE, True)
    moved = along_path(np.arange(41), sorted_, Vectors(("U",), ("w",)))
    assert np.array_equal(moved["U"][20], sorted_["U"][20])


def test_inputs_are_left_alone() -> None:
    _, sorted_ = crossing(LINE, True)
    before = {name: X.copy() for name, X in sorted_.items()}
    aligned(LINE, sorted_, Vectors(("U",), ("w",)))
    assert all(np.array_equal(before[name], X) for name, X in sorted_.items())


def test_linear_assignment_is_best_where_greedy_is_not() -> None:
    similarity = np.array([[0.9, 0.8], [0.85, 0.1]])
    assert greedy_assignment(similarity).tolist() == [0, 1]
    assert linear_assignment(similarity).tolist() == [1, 0]


@pytest.mark.parametrize("assign", [greedy_assignment, linear_assignment])
def test_assignments_are_permutations_and_find_a_hidden_one(assign: Any) -> None:
    rng = np.random.default_rng(3)
    for size in (1, 2, 7):
        hidden = rng.permutation(size)
        similarity = 0.4 * rng.random((size, size))
        similarity[np.arange(size), hidden] = 0.5 + 0.5 * rng.random(size)
        assert assign(similarity).tolist() == hidden.tolist()
        assert sorted(assign(rng.random((size, size)))) == list(range(size))


def test_columns_without_overlap_stay_finite() -> None:
    F = {"U": np.eye(4)[None, :, :2]}
    moved = Vectors(("U",)).align(F, {"U": np.eye(4)[None, :, 2:]})
    assert np.isfinite(moved["U"]).all()
    np.testing.assert_allclose(np.sort(np.abs(moved["U"]).sum((0, 1))), [1, 1])


# unitary blocks ------------------------------------------------------------------------------------------------------

BLOCK = Unitary.of({"U": (None, "P"), "M": ("P", "Q"), "V": (None, "Q")})


def triplets(points: Any, complex_: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Smooth U, M, V, and the same with a random unitary matrix between them at every point."""
    rng = np.random.default_rng(4)
    U, V = frame(points, complex_), frame(points, complex_)[:, ::-1]
    M = np.eye(4) * (2 + np.cos(points.sum(1)))[:, None, None] + 0.1 * points[:, :1, None]
    P, Q = (random_unitary(rng, len(points), 4, complex_) for _ in range(2))
    return {"U": U, "M": M + 0 * U[:, :4], "V": V}, {"U": U @ P, "M": adjoint(P) @ M @ Q, "V": V @ Q}


@pytest.mark.parametrize("complex_", [False, True], ids=["rotations", "unitary"])
def test_random_rotations_are_removed(complex_: bool) -> None:
    smooth, turned = triplets(LINE, complex_)
    moved = along_path(np.arange(len(LINE)), turned, BLOCK)
    for name in "UV":  # parallel transport moves no further than any other smooth basis
        assert jump(turned[name]) > 1.0
        assert jump(moved[name]) <= jump(smooth[name]) * (1 + 1e-9)
    assert jump(turned["M"]) > 20 * jump(moved["M"])
    product = moved["U"] @ moved["M"] @ adjoint(moved["V"])
    np.testing.assert_allclose(product, smooth["U"] @ smooth["M"] @ adjoint(smooth["V"]), atol=1e-12)


def test_alignment_is_the_nearest_representative() -> None:
    """No other rotation comes nearer than the polar factor of the overlap."""
    rng = np.random.default_rng(5)
    F, reference = ({"U": np.linalg.qr(rng.standard_normal((1, 8, 3)))[0]} for _ in range(2))
    gauge = Unitary.of({"U": (None, "P")})
    best = np.linalg.norm(gauge.align(F, reference)["U"] - reference["U"])
    others = [np.linalg.norm(gauge.move(F, rng)["U"] - reference["U"]) for _ in range(500)]
    assert best <= min(others)


# several parameters --------------------------------------------------------------------------------------------------


COLUMNS = Unitary.of({"U": (None, "P")})
SIDE = 13


def plane(complex_: bool) -> tuple[Any, dict[str, Any]]:
    """A curved family of subspaces over a square, with a random basis at every point."""
    axis = np.linspace(0, 1, SIDE)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    rng = np.random.default_rng(0)
    G = rng.standard_normal((4, 6, 3)) + (1j * rng.standard_normal((4, 6, 3)) if complex_ else 0)
    x, y = points[:, 0, None, None], points[:, 1, None, None]
    U = polar(G[0] + np.cos(2 * x) * G[1] + np.sin(2 * y) * G[2] + x * y * G[3])
    return points, {"U": U @ random_unitary(rng, len(points), 3, complex_)}


def turn(F: dict[str, Any]) -> float:
    """Largest rotation between the bases of neighbours in the grid: zero where each is aligned to the other."""
    U = F["U"].reshape(SIDE, SIDE, 6, 3)
    pairs = [(U[1:], U[:-1]), (U[:, 1:], U[:, :-1])]
    rotations = [np.linalg.norm(polar(adjoint(one) @ other) - np.eye(3), axis=(-2, -1)) for one, other in pairs]
    return float(max(rotation.max() for rotation in rotations))


@pytest.mark.parametrize("complex_", [False, True], ids=["rotations", "unitary"])
def test_a_tree_joins_a_plane_and_smoothing_heals_its_seams(complex_: bool) -> None:
    """Around a loop a subspace comes back turned, so that branches of a tree meet with a jump."""
    points, random = plane(complex_)
    tree = along_tree(points, random, COLUMNS)
    healed = smoothed(points, tree, COLUMNS)
    assert turn(tree) < 0.8 * turn(random)
    assert turn(healed) < 0.25 * turn(tree)
    both = aligned(points, random, COLUMNS)["U"]
    np.testing.assert_allclose(both, healed["U"], atol=1e-12)
    np.testing.assert_allclose(both @ adjoint(both), random["U"] @ adjoint(random["U"]), atol=1e-12)


def test_a_tree_is_aligned_along_every_branch() -> None:
    """Points on a star: each arm is a path from the middle, and no arm knows of the others."""
    t = np.linspace(0, 1, 7)[1:]
    arms = [np.stack([t * np.cos(angle), t * np.sin(angle)], axis=-1) for angle in (0.0, 2.1, 4.2)]
    points = np.concatenate([np.zeros((1, 2)), *arms])
    rng = np.random.default_rng(0)
    U = frame(points, True) @ random_unitary(rng, len(points), 4, True)
    moved = along_tree(points, {"U": U}, COLUMNS)["U"]
    assert np.array_equal(moved[0], U[0])
    for arm in range(3):
        branch = moved[[0, *range(1 + 6 * arm, 7 + 6 * arm)]]
        np.testing.assert_allclose(
            polar(adjoint(branch[:-1]) @ branch[1:]), np.broadcast_to(np.eye(4), (6, 4, 4)), atol=1e-10
        )


def test_without_a_gauge_nothing_moves() -> None:
    F = {"X": np.random.default_rng(0).standard_normal((41, 3, 3))}
    assert np.array_equal(aligned(LINE, F, NoGauge())["X"], F["X"])
    one = {"U": np.eye(3)[None]}
    assert np.array_equal(aligned(LINE[:1], one, BLOCK)["U"], one["U"])
