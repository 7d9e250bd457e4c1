"""What all baselines share: sources, answers of one shape, reasons for being absent, and the batched ones on a CPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.baselines import INVERSE, SOLVE, SVD, BatchedInverse, Interpolant, NeuralNewtonInversion, Tabulated
from benchmarks.baselines.cusolver import BatchedSVD, svd_choices
from benchmarks.baselines.dense import INVERSES, SVDS, BestInverse, BestSVD

from neumatc.errors import InputError
from neumatc.gallery import RotatingSVD, SyntheticInverse

TABLES = {**INVERSE, **{f"svd {name}": each for name, each in SVD.items()}, **SOLVE}
POINTS = np.linspace(0.0, 1.0, 41).tolist()
REACHED = {"coi": 2e-3, "znni": 1e-4, "znni-li": 1e-2, "nni": 1e-8, "spline": 1e-3}
"""Residuals on the easy problem below, for methods that are not as good as exact."""


@pytest.fixture(scope="module")
def inverse():
    return SyntheticInverse(n=20, rank=3, cond=4.0, band=(0.1, 0.4))


def small(name, method):
    if isinstance(method, NeuralNewtonInversion):
        return replace(method, steps=30)
    if name in {"coi"}:
        return replace(method, count=12, columns=None, training=21)
    return replace(method, rank=4) if hasattr(method, "rank") else method


def names(table):
    return [name for name, method in table.items() if method.absent() is None]


def absent(table):
    return [name for name, method in table.items() if method.absent() is not None]


@pytest.mark.parametrize("name", TABLES)
def test_every_method_says_what_it_is(name):
    method = TABLES[name]
    assert method.name
    assert method.source.startswith(("10.", "https://", "neumatc."))
    assert method.operation in {"inv", "svd", "solve"}
    reason = method.absent()
    assert reason is None or ("\n" not in reason and method.name in reason)


@pytest.mark.parametrize("name", names(INVERSE))
def test_every_inverse_inverts(name, inverse):
    answers = small(name, INVERSE[name]).solve(inverse, POINTS)
    assert len(answers) == len(POINTS)
    worst = max(
        np.linalg.norm(inverse(p) @ each.factors["X"] - np.eye(20)) / np.sqrt(20)
        for p, each in zip(POINTS, answers, strict=True)
    )
    assert worst < REACHED.get(name, 1e-6)


@pytest.mark.parametrize("name", names(SVD))
def test_every_svd_decomposes(name):
    A = RotatingSVD(rows=12, columns=9, turn=0.5)
    rank, method = 4, replace(SVD[name], rank=4)
    points = POINTS[:21]
    for p, each in zip(points, method.solve(A, points), strict=True):
        U, S, Vh = (each.factors[part] for part in ("U", "S", "Vh"))
        values = np.linalg.svd(A(p), compute_uv=False)
        assert U.shape == (12, rank)
        assert Vh.shape == (rank, 9)
        # No approximation of this rank can be better than the truncated SVD, and none here is much worse.
        error, best = np.linalg.norm(A(p) - (U * S) @ Vh), np.linalg.norm(values[rank:])
        assert (1 - 1e-6) * best <= error <= 2 * best + 1e-6 * values[0]


@pytest.mark.parametrize("name", absent(TABLES))
def test_what_is_absent_says_so_in_one_line(name):
    pytest.skip(TABLES[name].absent())


@pytest.mark.parametrize("name", [name for name, method in TABLES.items() if name.startswith(("znn", "svd znn"))])
def test_multistep_methods_want_equidistant_points(name, inverse):
    with pytest.raises(InputError, match="equidistant"):
        TABLES[name].solve(inverse, [0.0, 0.1, 0.3])
    with pytest.raises(InputError, match="at least two"):
        TABLES[name].solve(inverse, [0.0])


class Counted:
    """A family that remembers what it was asked for."""

    rhs = "right"

    def __init__(self):
        self.asked = []

    def __call__(self, p):
        self.asked.append(p)
        return p


def test_a_table_builds_once_and_knows_what_its_family_knows():
    family = Counted()
    table = Tabulated(family, [0.1, 0.2])
    assert [table(0.1), table(0.1), table(0.2), table(0.5), table.rhs] == [0.1, 0.1, 0.2, 0.5, "right"]
    assert family.asked == [0.1, 0.2, 0.5]


@pytest.mark.parametrize("call", INVERSES)
@pytest.mark.parametrize("complex", [False, True])
def test_all_lapack_inverses_agree(call, complex):
    A = SyntheticInverse(n=16, rank=3, complex=complex)
    (answer,) = BestInverse(call).solve(A, [0.3])
    np.testing.assert_allclose(answer.factors["X"], A.inverse(0.3), atol=1e-12)


@pytest.mark.parametrize("call", SVDS)
@pytest.mark.parametrize("complex", [False, True])
def test_all_lapack_svds_agree(call, complex):
    A = RotatingSVD(rows=9, columns=7, complex=complex)
    (answer,) = BestSVD(None, call).solve(A, [0.3])
    np.testing.assert_allclose(answer.factors["S"], np.linalg.svd(A(0.3), compute_uv=False), atol=1e-13)
    np.testing.assert_allclose((answer.factors["U"] * answer.factors["S"]) @ answer.factors["Vh"], A(0.3), atol=1e-13)


@pytest.mark.parametrize("method", svd_choices("cpu"), ids=lambda each: f"{each.driver}-{each.full_matrices}")
def test_batched_svds_run_without_a_gpu(method):
    rng = np.random.default_rng(0)
    stack = rng.standard_normal((3, 6, 4))
    assert method.absent() is None
    for k, answer in enumerate(method.solve(lambda p: stack[int(p)], [0, 1, 2])):
        U, S, Vh = (answer.factors[part] for part in ("U", "S", "Vh"))
        assert U.shape == ((6, 6) if method.full_matrices else (6, 4))
        np.testing.assert_allclose((U[:, :4] * S) @ Vh, stack[k], atol=1e-13)


def test_batched_inverses_run_without_a_gpu(inverse):
    answers = BatchedInverse("cpu").solve(inverse, [0.1, 0.6])
    np.testing.assert_allclose(answers[1].factors["X"], inverse.inverse(0.6), atol=1e-12)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_default_is_absent():
    assert "needs cuda" in BatchedInverse().absent()
    assert "needs cuda" in BatchedSVD().absent()


def test_an_unknown_curve_is_refused_with_the_known_ones(inverse):
    with pytest.raises(InputError, match="chebyshev"):
        Interpolant("chebychev").solve(inverse, [0.5])
