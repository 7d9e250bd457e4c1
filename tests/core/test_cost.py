"""The cost of a fit, as numbers and as the table that users see."""

import math

import numpy as np
import pytest

import neumatc as nmc
from neumatc.gallery import AffineInverse
from neumatc.history import Cost, duration

COST = Cost(0.2, 100, 0.8, 40, {"span": 0.5}, 1.75, 2e-3, 5e-4, 2e-2)


def test_a_fit_pays_off_when_the_queries_have_saved_what_it_took() -> None:
    for seconds, count in ((COST.query_seconds, COST.break_even_alone), (COST.batch_seconds, COST.break_even)):
        gain = COST.exact_seconds - seconds
        assert (count - 1) * gain < COST.total_seconds <= count * gain


def test_it_never_pays_where_an_exact_solve_is_as_fast() -> None:
    slow = Cost(0.2, 100, 0.8, 40, {}, 1.0, 2e-2, 3e-2, 2e-2)
    assert math.isinf(slow.break_even)
    assert math.isinf(slow.break_even_alone)
    assert repr(slow).count("never") == 2


def test_the_table_adds_up_to_the_whole_fit() -> None:
    family = AffineInverse(n=12)
    cost = nmc.inv(family, family.box, rng=0).cost
    lines = repr(cost).split("\n\n")[0].splitlines()[1:]
    seconds = {line[:16].strip(): float(line[16:24]) for line in lines}
    whole = seconds.pop("the fit")
    assert seconds.keys() >= {"A(p)", "exact solves", "other", *cost.stages}
    assert abs(sum(seconds.values()) - whole) <= 0.005 * (len(seconds) + 1)


@pytest.mark.parametrize("seconds", [3e-7, 1e-4, 0.9996e-3, 0.5, 12.0, 2e4])
def test_a_duration_can_be_read_back(seconds: float) -> None:
    number, unit = duration(seconds).split()
    assert np.isclose(float(number) * {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit], seconds, rtol=5e-3)
