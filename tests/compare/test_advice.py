"""The advice is a pure function of the rows: no clock runs here."""

import math
from dataclasses import replace

import pytest

import neumatc as nmc
from neumatc.comparison import Comparison, Row, advise, break_even

EXACT = Row("exact", "the exact solver (LAPACK)", error=1e-15, residual=1e-15, batched=100.0, needs_matrix=True)
OURS = Row("neumatc", "NeuMatC", residual=1e-9, offline_seconds=2.0, batched=5.0, exact_solves=30, built=100)
CHEBYSHEV = Row(
    "chebyshev", "Chebyshev interpolation", residual=1e-12, offline_seconds=0.1, batched=5.0, exact_solves=30, built=30
)
MISSES = replace(CHEBYSHEV, residual=1e-3)


def test_nothing_accurate_means_the_exact_solver() -> None:
    verdict = advise([OURS, EXACT, MISSES], 1e-10, 0.0)
    assert verdict.row is EXACT
    assert verdict.sentence == (
        "Use the exact solver (LAPACK): no other method reached tol = 1e-10; the closest, NeuMatC, "
        "left a worst residual of 1e-09 after 30 exact solves."
    )


def test_nan_is_not_accurate() -> None:
    assert advise([replace(OURS, residual=math.nan), EXACT], 1e-8, 0.0).row is EXACT


def test_tiny_matrices_are_solved_faster_than_looked_up() -> None:
    quick = replace(EXACT, batched=1.0)
    verdict = advise([OURS, quick, CHEBYSHEV], 1e-8, 0.0)
    assert verdict.row is quick
    assert "it takes 1 µs per query, and NeuMatC, the fastest of the others that reached tol, takes 5 µs" in (
        verdict.sentence
    )


def test_simpler_wins_where_it_does_as_well() -> None:
    verdict = advise([OURS, EXACT, CHEBYSHEV], 1e-8, 0.0)
    assert verdict.row is CHEBYSHEV
    assert "worst residual is 1e-12 (tol = 1e-08) after 30 exact solves" in verdict.sentence
    assert verdict.sentence.endswith("it is the simplest of those that do as well.")


def test_ours_wins_alone() -> None:
    verdict = advise([OURS, EXACT, MISSES], 1e-8, 0.0)
    assert verdict.row is OURS
    assert verdict.sentence.endswith("pays off after 21,053 queries; no other method reached tol.")


def test_ours_wins_when_it_is_much_faster() -> None:
    assert advise([OURS, EXACT, replace(CHEBYSHEV, batched=11.0)], 1e-8, 0.0).row is OURS
    assert advise([OURS, EXACT, replace(CHEBYSHEV, batched=9.0)], 1e-8, 0.0).row.method == "chebyshev"


def test_few_queries_pay_for_nothing() -> None:
    verdict = advise([OURS, EXACT, MISSES], 1e-8, 0.0, queries=1000)
    assert verdict.row is EXACT
    assert verdict.sentence == (
        "Use the exact solver (LAPACK): 1,000 queries are too few, as even NeuMatC pays off only after 21,053."
    )
    assert advise([OURS, EXACT, MISSES], 1e-8, 0.0, queries=50_000).row is OURS


def test_offline_seconds_count_where_queries_are_counted() -> None:
    slow = replace(CHEBYSHEV, batched=20.0)
    assert advise([OURS, EXACT, slow], 1e-8, 0.0, queries=10_000).row is slow
    assert advise([OURS, EXACT, slow], 1e-8, 0.0, queries=10_000_000).row is OURS


def test_building_counts_and_is_named_where_it_decides() -> None:
    quick = replace(EXACT, batched=1.0)
    verdict = advise([OURS, quick, MISSES], 1e-8, 1e-4)
    assert verdict.row is OURS
    assert verdict.sentence.endswith("where A(p) is at hand and need not be built, use the exact solver (LAPACK).")


def test_scarce_exact_solves_are_named() -> None:
    more = replace(CHEBYSHEV, method="chebyshev+", exact_solves=240)
    verdict = advise([OURS, EXACT, MISSES, more], 1e-8, 0.0)
    assert verdict.row is more
    assert verdict.sentence.endswith("; where exact solves are scarce, use NeuMatC, which needs 30.")


def test_a_method_that_did_not_run_is_never_advised() -> None:
    absent = Row("neumatc", "NeuMatC", residual=0.0, batched=0.0, ran=False, note="a pole")
    assert "no other method could be had" in advise([absent, EXACT], 1e-8, 0.0).sentence


def test_break_even_counts_offline_and_building() -> None:
    assert break_even(OURS, EXACT, 0.0) == math.ceil(2.0 / 95e-6)
    assert break_even(OURS, EXACT, 1e-3) == math.ceil(2.1 / 1095e-6)
    assert break_even(replace(OURS, batched=100.0), EXACT, 0.0) == math.inf


def test_table_shows_every_row_and_the_advice() -> None:
    absent = Row("aaa", "AAA", ran=False, note="AAA needs one parameter, here are 2")
    found = Comparison((OURS, EXACT, absent), "inv of 8 x 8 float64", 1e-8, 50, 2e-5, 1000)
    lines = repr(found).splitlines()
    assert lines[0] == "inv of 8 x 8 float64; tol 1e-08, 50 random points, one A(p): 20 µs"
    assert [line.split()[0] for line in lines[1:-1]] == ["method", "neumatc", "exact", "aaa"]
    assert lines[-2].endswith("AAA needs one parameter, here are 2")
    assert lines[-1] == found.advice
    assert len({line.index("solves") for line in lines[1:2]}) == 1
    assert found.best.method == "exact"
    assert found["neumatc"] is OURS


def test_the_name_is_a_function_and_stays_one() -> None:
    import neumatc.comparison

    assert callable(nmc.compare)
    assert nmc.compare is neumatc.comparison.compare
    with pytest.raises(KeyError):
        Comparison((EXACT,), "", 1e-8, 1, 0.0)["neumatc"]
