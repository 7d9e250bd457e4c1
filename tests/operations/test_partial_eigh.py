"""Some eigenpairs through their subspace: the laws, fits, avoided crossings, missing eigenvalues, a second matrix B."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from tests.operations.spectra import (
    DTYPES,
    GENERALISED,
    defect_of_pair,
    draw,
    error_of_pencil,
    hermitian,
    obeys,
    pencils,
    smooth,
)

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError, InputError, RankError
from neumatc.gallery import AvoidedCrossing, ChernBand
from neumatc.gallery.real import Haldane
from neumatc.operations import PartialEigh
from neumatc.operations.filter import below
from neumatc.testing.operations import law_bound_is_a_bound

LEVELS = np.linspace(-1.0, 3.0, 12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("which", "buffer"), [("lowest", 0), ("highest", 3)])
def test_the_laws_hold(dtype: str, which: str, buffer: int) -> None:
    obeys(PartialEigh(3, which, buffer), hermitian(dtype, LEVELS))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_laws_hold_with_b(dtype: str) -> None:
    operation, rows = PartialEigh(3, "highest", 2, generalised=True), pencils(dtype, LEVELS)
    obeys(operation, rows, GENERALISED)
    law_bound_is_a_bound(operation, rows, np.random.default_rng(0), error_of_pencil)


def test_all_pairs_may_be_asked_for() -> None:
    obeys(PartialEigh(5), hermitian(float, np.arange(5.0)))


def dominated(n: int, rank: int, gap: float, centre: float) -> Any:
    """``rank`` levels between 1 and 2, two of which avoid each other by ``gap``; the others at most 0.1."""
    levels, vectors = np.linalg.eigh(1j * _skew(n))
    tail = np.random.default_rng(1).uniform(-0.1, 0.1, n - rank)

    def family(p: float) -> Any:
        Q = ((vectors * np.exp(-1j * levels * p)) @ vectors.conj().T).real
        D = np.diag(np.r_[np.linspace(1, 2, rank) + 0.02 * np.sin(6 * p + np.arange(rank)), tail])
        D[:2, :2] = np.eye(2) * 1.5 + np.array([[p - centre, gap / 2], [gap / 2, centre - p]])
        return Q @ D @ Q.T

    return family


def _skew(n: int) -> Any:
    K = draw(float, n, n)
    return (K - K.T) / np.linalg.norm(K - K.T, 2)


@pytest.mark.parametrize("which", ["highest", "lowest"])
def test_an_avoided_crossing_inside_costs_nothing(which: str) -> None:
    A = dominated(60, 6, 1e-3, 0.47)
    sign = 1 if which == "highest" else -1
    f = nmc.eigh(lambda p: sign * A(p), (0.0, 1.0), rank=6, which=which, samples=20, tol=1e-11, rng=0)
    assert f.status == "converged"
    assert len(f.samples) <= 20
    for p in (0.1, 0.4695, 0.47, 0.4703, 0.9):
        w, V = f(p)
        exact = np.linalg.eigvalsh(sign * A(p))
        np.testing.assert_allclose(w, exact[-6:] if sign > 0 else exact[:6], rtol=0, atol=1e-10)
        assert defect_of_pair(A(p), sign * w, V) < 1e-10


def test_the_lowest_of_a_dense_spectrum() -> None:
    A = smooth(40, complex)
    f = nmc.eigh(A, (0.0, 1.0), rank=4, rng=0)
    assert f.status == "converged"
    p = np.array([[0.2, 0.5], [0.7, 0.99]])
    w, V = f(p)
    assert w.shape == (2, 2, 4)
    assert V.shape == (2, 2, 40, 4)
    np.testing.assert_allclose(w[1, 0], np.linalg.eigvalsh(A(0.7))[:4], atol=1e-7)
    assert next(event for event in f.history if event.stage == "adapt").text.startswith("lowest 4 + buffer ")


def test_two_parameters() -> None:
    A = dominated(16, 3, 0.01, 0.5)

    def family(p: Any) -> Any:
        return A(0.3 * p[0] + 0.4) + 0.02 * p[1] * np.eye(16)

    f = nmc.eigh(family, [(0.0, 1.0), (-1.0, 1.0)], rank=3, which="highest", basis="chebyshev", rng=0)
    p = np.array([0.31, -0.4])
    np.testing.assert_allclose(f(p).eigenvalues, np.linalg.eigvalsh(family(p))[-3:], atol=1e-6)


@pytest.mark.parametrize(
    "family", [Haldane(mass=1.0), Haldane(mass=0.2), ChernBand(n=2)], ids=lambda family: family.name
)
def test_a_band_over_two_parameters_needs_a_fine_grid_and_few_solves(family: Any) -> None:
    """An open box has a smooth frame whatever the Chern number; alignment must not put a vortex into it."""
    f = nmc.eigh(family, family.box, rank=1, tol=1e-6, rng=0)
    assert f.status == "converged"
    assert len(f.samples) <= 49
    for p in f.box.random(20, np.random.default_rng(1)):
        w, V = f(p)
        assert defect_of_pair(family(p), w, V) < 1e-5
        np.testing.assert_allclose(w, np.linalg.eigvalsh(family(p))[:1], atol=1e-6)


def test_a_small_budget_is_blamed_for_a_coarse_grid() -> None:
    family = Haldane(mass=1.0)
    with pytest.warns(AccuracyWarning, match="more samples are needed"):
        f = nmc.eigh(family, family.box, rank=1, tol=1e-8, samples=60, basis="chebyshev", rng=0)
    assert f.status == "budget"
    assert any(event.stage == "candidates" for event in f.history)


def test_with_b_values_are_those_of_scipy() -> None:
    A = smooth(14, complex)

    def weight(p: float) -> Any:
        return np.diag(np.linspace(1, 2, 14)) + 0.2 * np.cos(p)

    f = nmc.eigh(A, (0.0, 1.0), weight, rank=3, which="highest", rng=0)
    w, V = f(0.63)
    np.testing.assert_allclose(w, scipy.linalg.eigh(A(0.63), weight(0.63))[0][-3:], atol=1e-7)
    assert defect_of_pair(A(0.63), w, V, weight(0.63)) < 1e-6
    assert f.certify(0.3).passed


def intruded(p: float) -> Any:
    """Levels 1, 2, …, 11 and one that dives from 12 to -1 within a hundredth of the box."""
    A = np.zeros((12, 12))
    A[:11, :11] = smooth(11)(p) + np.eye(11)
    A[11, 11] = 12 - 13 * np.exp(-(((p - 0.6173) / 0.002) ** 2))
    return A


def test_a_missed_eigenvalue_is_seen_and_never_certified() -> None:
    f = nmc.eigh(intruded, (0.0, 1.0), rank=3, rng=0)
    assert f.certify(0.3).passed
    for p in (0.6173, 0.6175, 0.6165):
        assert np.linalg.eigvalsh(intruded(p))[0] < 0.95  # and 1 elsewhere
        assert not f.certify(p).passed
        answer = f.certified(1e-8)(p)
        np.testing.assert_allclose(answer.value.eigenvalues, np.linalg.eigvalsh(intruded(p))[:3], atol=1e-6)


@pytest.mark.parametrize("missing", [0, 3, 5])
@pytest.mark.parametrize("which", ["lowest", "highest"])
def test_the_defect_is_no_more_than_what_is_missing(missing: int, which: str) -> None:
    A = hermitian(float, np.sort(np.random.default_rng(0).standard_normal(64)), 1)
    sign = 1 if which == "lowest" else -1
    w, V = np.linalg.eigh(sign * A[0])
    kept = [i for i in range(7) if i != missing]
    F = {"V": V[None][..., kept[::sign]], "M": np.diag(sign * w[kept[::sign]])[None]}
    found = PartialEigh(6, which).defect(A, F, draw(float, 64, 8))[0]
    share = (w[6] - w[missing]) / np.linalg.norm(w)
    assert 0.01 * share < found <= share * (1 + 1e-9)


def test_no_false_alarm_where_all_levels_are_close_and_far_from_zero() -> None:
    C = hermitian(float, 1 + 1e-4 * np.arange(5), 2)
    _, V = np.linalg.eigh(C)
    wanted = np.full((2, 1, 1), 1 + 1e-4)
    assert np.all(below(C, V[..., :2], wanted, draw(float, 5, 3)) < 1e-12)


def test_nothing_is_missing_below_a_complete_answer() -> None:
    C = hermitian(complex, LEVELS, 1)
    _, V = np.linalg.eigh(C)
    wanted = np.array([[[LEVELS[4]]]])
    assert below(C, V[..., :5], wanted, draw(complex, 12, 4)) < 1e-12
    assert below(C, V, wanted, draw(complex, 12, 4)) == 0


def test_refinement_converges_for_both_kinds_of_spectrum() -> None:
    for values, buffer, steps in ((np.r_[-np.linspace(1, 2, 5), np.linspace(-0.1, 0.1, 55)], 0, 2), (LEVELS, 3, 3)):
        A = hermitian(complex, values, 1)
        operation = PartialEigh(3 if buffer else 5, buffer=buffer)
        exact = operation.exact(A)
        F = {"V": exact["V"] + 0.05 * draw(complex, *exact["V"].shape), "M": 0 * exact["M"]}
        for _ in range(steps):
            F = operation.refine(A, F)
        V, P = operation.canonical(F)["V"][0], operation.canonical(exact)["V"][0]
        assert np.linalg.norm(V - P @ (P.conj().T @ V)) < 1e-10


def test_a_saved_fit_answers_alike(tmp_path: Path) -> None:
    A = dominated(12, 2, 0.1, 0.5)
    f = nmc.eigh(A, (0.0, 1.0), rank=2, which="highest", rng=0)
    f.save(tmp_path / "pairs.nmc")
    g = nmc.load(tmp_path / "pairs.nmc", matrix=A)
    assert g.operation == f.operation
    for one, other in zip(f(0.37), g(0.37), strict=True):
        np.testing.assert_array_equal(one, other)
    assert g.certify(0.2).passed


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_derivative_is_that_of_perturbation_theory(dtype: Any) -> None:
    A, p, h = smooth(9, dtype), 0.4, 1e-6
    f = nmc.eigh(A, (0.0, 1.0), rank=2, tol=1e-11, rng=0)
    w, V = f(p)
    dw, dV = f.derivative()(p)
    all_w, all_V = np.linalg.eigh(A(p))
    dA = (A(p + h) - A(p - h)) / (2 * h)
    np.testing.assert_allclose(dw, (V.conj().T @ dA @ V).diagonal().real, atol=1e-6)
    for k in range(2):
        others = all_V[:, np.arange(9) != k]
        step = others @ ((others.conj().T @ dA @ V[:, k]) / (w[k] - all_w[np.arange(9) != k]))
        np.testing.assert_allclose(dV[:, k], step, atol=1e-5)


def test_no_derivative_where_levels_cross() -> None:
    F = PartialEigh(2).exact(np.eye(3)[None])
    with pytest.raises(GaugeError, match="needs distinct eigenvalues, but two of them coincide"):
        PartialEigh(2).derivative(F, F)


@pytest.mark.parametrize("rank", [2.0, "2", True])
def test_rank_that_is_no_whole_number(rank: Any) -> None:
    with pytest.raises(InputError, match=f"`eigh` needs a whole number as rank, got {rank!r}"):
        nmc.eigh(AvoidedCrossing(4), (0.0, 1.0), rank=rank)


@pytest.mark.parametrize("rank", [0, -1, 5])
def test_rank_that_is_impossible(rank: int) -> None:
    with pytest.raises(RankError, match=rf"asked for {rank} eigenpairs, but A\(p\) is 4 x 4.*1 <= rank <= 4"):
        nmc.eigh(AvoidedCrossing(4), (0.0, 1.0), rank=rank)


def test_ends_that_do_not_exist() -> None:
    with pytest.raises(InputError, match="unknown which 'low'; known: 'highest', 'lowest'"):
        nmc.eigh(AvoidedCrossing(4), (0.0, 1.0), rank=1, which="low")


def test_matrices_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="square A and B of one size"):
        nmc.eigh(smooth(4), (0.0, 1.0), np.eye(3), rank=1)


def test_what_is_not_hermitian_is_refused() -> None:
    with pytest.raises(InputError, match=r"At p = .*is not Hermitian, ‖A - Aᴴ‖_F/‖A‖_F = "):
        nmc.eigh(lambda p: np.array([[1.0, 2.0], [p, 3.0]]), (0.0, 1.0), rank=1)
