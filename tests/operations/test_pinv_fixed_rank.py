"""Pseudo-inverses of one rank below full: known answers, laws, bounds, files, and ranks that change all the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.certify import Checker
from neumatc.errors import RankError
from neumatc.gallery import RankChange
from neumatc.gauge import adjoint
from neumatc.operations import FixedRankPseudoInverse, PseudoInverse
from neumatc.testing import OPERATION_LAWS

P = np.random.default_rng(0).uniform(0, 1, 40)
DEFICIENT = {"tall": (9, 6), "wide": (6, 9), "square": (7, 7)}
RANK = 3


def deficient(make_waves: Callable[..., Any], shape: tuple[int, int], dtype: Any) -> Callable[[Any], Any]:
    """A product over rank 3."""
    left = make_waves(np.linspace(1, 2, RANK), (shape[0], RANK), dtype)
    right = make_waves(np.linspace(1, 2, RANK), (RANK, shape[1]), dtype)
    return lambda p: left(p) @ right(p)


def pinv_of_rank(A: Any, rank: int = RANK) -> Any:
    U, S, Vh = np.linalg.svd(A, full_matrices=False)
    return adjoint(Vh[..., :rank, :]) @ (adjoint(U[..., :, :rank]) / S[..., :rank, None])


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("kind", DEFICIENT)
def test_laws_below_full_rank(law: Callable[..., None], dtype: str, kind: str, make_waves: Callable[..., Any]) -> None:
    family = deficient(make_waves, DEFICIENT[kind], np.dtype(dtype))
    law(FixedRankPseudoInverse(RANK), np.stack([family(p) for p in (0.1, 0.5, 0.8)]), np.random.default_rng(2))


@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
@pytest.mark.parametrize("kind", DEFICIENT)
def test_fixed_rank_agrees_with_the_truncated_svd(kind: str, dtype: Any, make_waves: Callable[..., Any]) -> None:
    family = deficient(make_waves, DEFICIENT[kind], dtype)
    fit = nmc.pinv(family, (0.0, 1.0), tol=1e-9, rng=0)
    assert fit.operation == FixedRankPseudoInverse(RANK)
    assert fit.status == "converged"
    wanted = pinv_of_rank(np.stack([family(p) for p in P]))
    certificate = fit.certify(P)
    true = np.linalg.norm(fit(P) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert certificate.passed.all()
    assert np.all(true <= certificate.error_bound + 1e-14)
    assert np.all(certificate.error_bound <= 1e-8)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision_is_cut_off_at_its_own_rounding(dtype: str, make_waves: Callable[..., Any]) -> None:
    family = deficient(make_waves, (9, 6), np.dtype(dtype))
    fit = nmc.pinv(family, (0.0, 1.0), rng=0)
    assert fit.operation == FixedRankPseudoInverse(RANK, single=True)
    assert fit.status == "converged"
    wanted = pinv_of_rank(np.stack([family(p) for p in P]))
    assert fit(0.3).dtype == np.dtype(dtype)
    assert np.linalg.norm(fit(P) - wanted) <= 1e-3 * np.linalg.norm(wanted)


def test_hermitian_stays_hermitian(make_waves: Callable[..., Any]) -> None:
    half = make_waves(np.linspace(1, 2, 2), (5, 2), complex)
    fit = nmc.pinv(lambda p: half(p) @ half(p).conj().T, (0.0, 1.0), tol=1e-8, rng=0)
    assert fit.status == "converged"
    assert fit.surrogate.layout.parts[0].kind == "hermitian"
    assert np.allclose(fit(0.3), fit(0.3).conj().T, rtol=0, atol=1e-15)


def test_two_parameters_below_full_rank() -> None:
    def family(p: Any) -> Any:
        turn, size = np.cos(p[0] + np.arange(5)), np.sin(p[1] * np.arange(4) + 1)
        return np.outer(turn, size)

    fit = nmc.pinv(family, {"k": (0.0, 1.0), "z": (0.0, 1.0)}, tol=1e-7, basis="chebyshev", rng=0)
    points = fit.box.random(30, np.random.default_rng(3))
    wanted = pinv_of_rank(np.stack([family(p) for p in points]), 1)
    assert fit.status == "converged"
    assert np.linalg.norm(fit(points) - wanted) <= 1e-6 * np.linalg.norm(wanted)


def test_a_table_below_full_rank(make_waves: Callable[..., Any]) -> None:
    family, points = deficient(make_waves, (6, 5), float), np.linspace(0, 1, 65)
    fit = nmc.pinv(nmc.Table(points, np.stack([family(p) for p in points])), (0.0, 1.0), tol=1e-6, rng=0)
    wanted = pinv_of_rank(np.stack([family(p) for p in P]))
    assert fit.operation == FixedRankPseudoInverse(RANK)
    assert np.linalg.norm(fit(P) - wanted) <= 1e-5 * np.linalg.norm(wanted)


def test_saved_and_loaded_below_full_rank(make_waves: Callable[..., Any], tmp_path: Path) -> None:
    family, h = deficient(make_waves, (5, 6), float), 1e-5
    fit = nmc.pinv(family, (0.0, 1.0), tol=1e-9, rng=0)
    central = (pinv_of_rank(family(0.4 + h)) - pinv_of_rank(family(0.4 - h))) / (2 * h)
    assert np.allclose(fit.derivative()(0.4), central, rtol=1e-6, atol=1e-7)
    fit.save(tmp_path / "x.nmc")
    loaded = nmc.load(tmp_path / "x.nmc", matrix=family)
    assert loaded.operation == fit.operation
    assert np.array_equal(loaded(P), fit(P))
    assert loaded.certify(0.3).passed


@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
def test_the_tangent_has_three_parts(dtype: Any, make_waves: Callable[..., Any]) -> None:
    family, operation, h = deficient(make_waves, (7, 6), dtype), FixedRankPseudoInverse(RANK), 1e-5
    A, after, before = (family(p)[None] for p in (0.4, 0.4 + h, 0.4 - h))
    found = operation.tangent({"A": A}, {"A": (after - before) / (2 * h)}, operation.exact(A))["X"]
    known = (operation.exact(after)["X"] - operation.exact(before)["X"]) / (2 * h)
    assert np.linalg.norm(found - known) <= 1e-7 * np.linalg.norm(known)


@pytest.mark.parametrize("smallest", [1.0, 1e-10])
def test_no_certificate_for_a_pseudo_inverse_of_less(smallest: float, make_waves: Callable[..., Any]) -> None:
    U, V = (np.linalg.qr(make_waves([1.0, 2.0], shape, float)(0.3))[0] for shape in ((7, 2), (5, 2)))
    A, less = (U * [1.0, smallest]) @ V.T, np.outer(V[:, 0], U[:, 0])
    operation, probes = FixedRankPseudoInverse(2), np.random.default_rng(0)
    checker = Checker.draw(operation, {"A": A[None], "X": less[None]}, np.dtype(float), probes)
    # Where sigma_2 is tiny the equations hold all the same: only the rank of X tells.
    found = checker.certificate(A[None], {"X": less[None]}, 1e-8)
    assert not found.passed.any()
    assert np.isinf(found.error_bound).all()
    right = checker.certificate(A[None], operation.exact(A[None]), 1e-4)
    assert right.passed.all()


def test_a_wrong_answer_does_not_pass(make_waves: Callable[..., Any]) -> None:
    family = deficient(make_waves, (9, 6), float)
    fit = nmc.pinv(family, (0.0, 1.0), tol=1e-9, rng=0)
    A, right = np.stack([family(p) for p in P[:5]]), fit(P[:5])
    assert fit.checker.certificate(A, {"X": right}, 1e-8).passed.all()
    assert not fit.checker.certificate(A, {"X": right * (1 + 1e-6)}, 1e-8).passed.any()


# a rank that changes below full rank ---------------------------------------------------------------------------------


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("at", [0.4, 0.123])
def test_a_singular_value_that_crosses_zero_is_found(at: float, complex_: bool) -> None:
    family = RankChange(rows=10, columns=8, rank=3, at=at, complex=complex_)
    place = rf"At p = {at}(0{{5}}\d*)?|At p = {at - 0.001:.3f}9{{5}}\d*"
    with pytest.raises(RankError, match=rf"({place}): `pinv` needs one rank .* numerical rank 2 here and of rank 3 in"):
        nmc.pinv(family, family.box, rng=0)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_crossing_beside_the_box_is_none(complex_: bool) -> None:
    family = RankChange(rows=10, columns=8, rank=3, at=1.02, complex=complex_)
    problem = nmc.Problem.of(family, family.box, PseudoInverse())
    assert problem.operation == FixedRankPseudoInverse(3)


def test_a_hole_may_hide_the_crossing() -> None:
    family = RankChange(rows=10, columns=8, rank=3, at=0.4)
    box = nmc.Box.of((0.0, 1.0)).excluding(lambda p: abs(p - 0.4) < 0.1)
    assert nmc.Problem.of(family, box, PseudoInverse()).operation == FixedRankPseudoInverse(3)


def test_spaces_that_turn_fast_are_no_crossing() -> None:
    def matrix(p: float) -> Any:
        u, v = np.array([np.cos(9 * p), np.sin(9 * p), 0.0]), np.array([np.cos(5 * p), 0.0, np.sin(5 * p)])
        return np.outer(u, v)

    assert nmc.Problem.of(matrix, (0.0, 1.0), PseudoInverse()).operation == FixedRankPseudoInverse(1)


def test_more_rank_beside_the_middle_is_named() -> None:
    def matrix(p: float) -> Any:
        return np.diag([1.0, 1.0 + p, max(0.0, p - 0.8)])

    with pytest.raises(RankError, match=r"At p = 0\.875: .* numerical rank 3 here and of rank 2 in the middle"):
        nmc.pinv(matrix, (0.0, 1.0))


def test_a_rank_that_cannot_be_told_is_refused() -> None:
    A = np.diag([1.0, 1e-14, 0.0])[None]
    with pytest.raises(RankError, match=r"sigma_2 = 1\.0e-14, sigma_3 = 0\.0e\+00, and rounding 6\.7e-16"):
        FixedRankPseudoInverse(2).exact(A)
