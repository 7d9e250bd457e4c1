"""The whole comparison: equal solves, known winners under given times, and input that makes no sense."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import InputError
from neumatc.gallery import AffineInverse, AffineSPD, ConicalIntersection, Jump, Resolvent, RotatingSpectrum
from neumatc.operations import Eigh, Inverse

EQUAL = ("neumatc", "chebyshev", "spline", "aaa", "rbf", "nearest")


def problem(family, operation=None):
    return nmc.Problem.of(family, family.box, operation or Inverse())


def timed(found, exact=100.0, without=()):
    """The same comparison as if every query had taken 10 µs, and every exact solve ``exact``."""
    rows = [
        replace(row, alone=10.0, batched=exact if row.method == "exact" else 10.0, offline_seconds=0.0, built=0)
        for row in found.rows
        if row.method not in without
    ]
    return replace(found, rows=tuple(rows), build_seconds=0.0)


@pytest.fixture(scope="module")
def smooth():
    return nmc.compare(problem(AffineSPD(n=16)), points=40)


def test_equal_solves_are_equal(smooth):
    counts = {smooth[name].exact_solves for name in EQUAL}
    assert len(counts) == 1
    assert smooth["exact"].exact_solves == 0
    assert smooth["chebyshev+"].exact_solves >= counts.pop()


def test_smooth_family_is_followed(smooth):
    assert smooth["neumatc"].residual < smooth.tol
    assert smooth["neumatc"].error_median <= smooth["neumatc"].error < smooth.tol
    assert timed(smooth).best.method in ("neumatc", "chebyshev", "chebyshev+")
    assert timed(smooth, without=("chebyshev+",)).best.method in ("neumatc", "chebyshev")
    assert timed(smooth).advice.startswith(f"Use {timed(smooth).best.title}: ")


def test_fast_exact_solver_is_advised(smooth):
    assert timed(smooth, exact=1.0).best.method == "exact"


def test_rows_carry_what_was_paid(smooth):
    row = smooth["neumatc"]
    assert row.built > row.exact_solves > 0
    assert row.offline_seconds > 0
    assert row.nbytes > 0
    assert row.batched > 0
    assert smooth["exact"].needs_matrix
    assert smooth["nearest"].needs_matrix
    assert not row.needs_matrix
    assert smooth["exact"].error < 1e-13
    assert all(row.ran for row in smooth.rows)
    assert repr(smooth).endswith(smooth.advice)


def test_enough_solves_make_chebyshev_the_choice():
    found = timed(nmc.compare(problem(RotatingSpectrum(n=6), Eigh()), points=30))
    assert found["chebyshev"].residual < found.tol
    assert found.best.method == "chebyshev"


def test_pole_beside_the_axis_is_for_rational_functions():
    found = nmc.compare(problem(Resolvent(n=12, levels=2, eta=0.003)), points=40, tol=1e-6)
    best = timed(found).best
    assert best.method in ("neumatc", "aaa")
    assert best.method == "aaa" or "rational" in best.note
    assert found["chebyshev"].residual > 1e-3


def test_nothing_but_the_exact_solver_follows_a_jump():
    found = timed(nmc.compare(problem(Jump(AffineInverse(n=8), at=0.4)), samples=20, points=60))
    assert found.best.method == "exact"
    assert "no other method reached tol" in found.advice
    assert found["neumatc"].residual > found.tol


def test_fit_that_fails_is_a_row_with_its_reason():
    found = nmc.compare(problem(ConicalIntersection(n=4), Eigh()), samples=25, points=20)
    assert not found["neumatc"].ran
    assert "p = (" in found["neumatc"].note
    assert found["chebyshev"].exact_solves == 25
    assert found.best.method == "exact"


def test_two_parameters():
    found = nmc.compare(problem(AffineSPD(n=6, dimensions=2)), points=20, tol=1e-3)
    granted = found["neumatc"].exact_solves
    assert granted - np.sqrt(granted) <= found["chebyshev"].exact_solves <= granted
    assert not found["aaa"].ran
    assert "one parameter" in found["spline"].note


def test_fit_that_is_there_is_compared_as_it_is():
    f = nmc.inv(AffineSPD(n=8), (0.0, 1.0), tol=1e-4, rng=3)
    found = nmc.compare(f, points=10)
    assert found.tol == f.tol
    assert found["neumatc"].exact_solves == len(f.samples)
    assert found["neumatc"].nbytes >= f.surrogate.nbytes
    assert nmc.compare(f, points=10, tol=1e-12).tol == 1e-12


def test_same_seed_judges_alike():
    one, two = (nmc.compare(problem(AffineSPD(n=6)), points=10, rng=5) for _ in range(2))
    assert [one[name].error for name in EQUAL] == [two[name].error for name in EQUAL]


def test_table_is_judged_where_nothing_was_solved():
    family, x = AffineSPD(n=6), np.linspace(0, 1, 60)
    table = nmc.Table(x, np.stack([family(p) for p in x]))
    found = nmc.compare(nmc.Problem.of(table, (0.0, 1.0), Inverse()), points=200)
    assert 1 <= found.points <= 20
    assert not found["chebyshev"].ran
    assert found["spline"].exact_solves == found["neumatc"].exact_solves


def test_further_options_reach_the_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nmc.compare(problem(AffineSPD(n=6)), points=10, fit={"basis": "chebyshev"})
    assert "chebyshev" in found["neumatc"].note
    with pytest.raises(TypeError, match="bases"):
        nmc.compare(problem(AffineSPD(n=6)), fit={"bases": "chebyshev"})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nmc.compare(AffineSPD()), "needs a Problem or a Fit, got AffineSPD"),
        (
            lambda: nmc.compare(problem(AffineSPD(n=4)), points=0),
            "`points` must be a whole number of at least 1, got 0",
        ),
        (lambda: nmc.compare(problem(AffineSPD(n=4)), queries=1.5), "`queries` must be a whole number"),
        (lambda: nmc.compare(problem(AffineSPD(n=4)), samples=1), "`samples` must be a whole number of at least 2"),
        (lambda: nmc.compare(problem(AffineSPD(n=4)), tol=2.0), "`tol` must be a relative residual"),
        (
            lambda: nmc.compare(nmc.inv(AffineSPD(n=4), (0.0, 1.0), rng=0), samples=9),
            "options of a fit that is still to be made",
        ),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
