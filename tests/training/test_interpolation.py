"""Grids of exact results: nested, within the budget, and taken where labels would cost more than solves."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.equations import equal, exponential, identity, known, unknown
from neumatc.errors import AccuracyWarning
from neumatc.operations import Custom, Inverse, TruncatedSVD
from neumatc.training import Bootstrap, Greedy, Interpolation, trainer_of
from neumatc.training.thin import FEW, thin_svd

X, A = unknown("X"), known("A")

INVERTED = Custom("inverted", lambda A: -scipy.linalg.logm(A), (equal(A @ exponential(X), identity()),))
"""``X = -log A``, stated so that nobody finds labels for it."""


def interpolated(A: Any, box: Any, **options: Any) -> nmc.Fit:
    return nmc.fit(nmc.Problem.of(A, box, INVERTED), **options)


def log_of(p: Any) -> Any:
    return np.diag([1.5 + np.sin(3 * p), 2.0]) + 0.1


def grids(fit: nmc.Fit) -> list[int]:
    return [int(event.numbers["count"]) for event in fit.history if event.stage == "grid"]


def test_grids_contain_each_other_and_spend_no_more_than_the_budget() -> None:
    with pytest.warns(AccuracyWarning):
        fit = interpolated(log_of, (0.0, 1.0), samples=50, tol=1e-15, rng=0)
    counts = grids(fit)
    assert len(counts) > 1
    assert all(after == 2 * before - 1 for before, after in pairwise(counts))
    assert 25 < len(fit.samples) == counts[-1] <= 50
    assert fit.status == "budget"


def test_a_grid_that_suffices_is_the_last() -> None:
    fit = interpolated(log_of, (0.0, 1.0), samples=1000, tol=1e-6, rng=0)
    assert fit.status == "converged"
    assert len(fit.samples) < 100


@pytest.mark.parametrize("samples", [2, 3, 5])
def test_tiny_budgets_are_kept(samples: int) -> None:
    with pytest.warns(AccuracyWarning):
        fit = interpolated(log_of, (0.0, 1.0), samples=samples, tol=1e-14, rng=0)
    assert len(fit.samples) <= samples


def test_tables_and_many_parameters_are_interpolated_too() -> None:
    p = np.linspace(0, 1, 40)
    fit = interpolated(nmc.Table(p, np.stack([log_of(x) for x in p])), (0.0, 1.0), tol=1e-4, rng=0)
    assert fit.status == "converged"
    fit = interpolated(lambda q: np.diag([3 + q.sum(), 2 + q[0]]), [(0.0, 1.0)] * 4, samples=128, tol=1e-3, rng=0)
    assert fit.status == "converged"


def test_a_spike_between_the_nodes_is_suspected() -> None:
    """The steepest places are looked at before a grid is believed."""

    def kinked(p: float) -> Any:
        return np.diag([2.0 + np.sqrt((p - 0.7113) ** 2 + 1e-6), 2.0])

    with pytest.warns(AccuracyWarning):
        fit = interpolated(kinked, (0.0, 1.0), samples=60, tol=1e-7, rng=0)
    assert fit.status == "budget"


def test_which_operation_gets_a_grid() -> None:
    assert trainer_of(INVERTED) is Interpolation
    assert trainer_of(Inverse()) is Greedy
    assert trainer_of(Inverse(), 2, 256) is Greedy
    assert trainer_of(Inverse(), 2, 4225) is Interpolation
    assert trainer_of(Inverse(), 1, 4225) is Greedy
    assert trainer_of(TruncatedSVD(2), 2, 4225) is Bootstrap


def test_an_inverse_over_two_parameters_from_a_grid() -> None:
    def family(p: Any) -> Any:
        return np.eye(5) * 3 + 0.4 * np.outer(np.sin(2 * p[0] + np.arange(5)), np.cos(p[1] + np.arange(5)))

    fit = nmc.inv(family, [(0.0, 1.0), (-1.0, 1.0)], samples=3000, tol=1e-9, rng=0)
    at = np.random.default_rng(0).uniform([0, -1], [1, 1], (50, 2))
    assert fit.status == "converged"
    assert max(np.linalg.norm(family(p) @ fit(p) - np.eye(5)) for p in at) <= 3e-9 * 5**0.5


# thin SVD ------------------------------------------------------------------------------------------------------------


def test_many_snapshots_of_few_directions_keep_them_all() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    left, right = np.linalg.qr(rng.standard_normal((400, 60)))[0], rng.standard_normal((60, FEW + 200))
    X = (left * 0.7 ** np.arange(60)) @ right
    U, s, Vh = thin_svd(torch.from_numpy(X), 1e-8)
    assert len(s) < 400
    assert np.linalg.norm((U * s @ Vh).numpy() - X) <= 1e-8 * np.linalg.norm(X)
    np.testing.assert_allclose(s[:30].numpy(), np.linalg.svd(X, compute_uv=False)[:30], rtol=1e-7)
    assert np.linalg.norm((U.T @ U).numpy() - np.eye(len(s))) <= 1e-12 * len(s)


def test_full_rank_snapshots_are_decomposed_in_full() -> None:
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).standard_normal((300, FEW + 1))
    U, s, Vh = thin_svd(torch.from_numpy(X), 1e-12)
    assert len(s) == 300
    assert np.linalg.norm((U * s @ Vh).numpy() - X) <= 1e-12 * np.linalg.norm(X)
