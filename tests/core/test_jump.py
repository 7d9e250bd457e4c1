"""A jump in A(p) is warned of and reported; a steep family is not mistaken for one."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import AccuracyWarning
from neumatc.gallery import AffineInverse, Jump, LowRankSVD, SyntheticInverse
from neumatc.operations import Operation


def told(fit: nmc.Fit) -> Any:
    return [event for event in fit.history if event.stage == "jump"]


def warned(make: Callable[[], nmc.Fit]) -> nmc.Fit:
    """The fit of a family that jumps; whether it also misses its tolerance is left open."""
    with pytest.warns(AccuracyWarning) as caught:
        fit = make()
    jumps = [str(warning.message) for warning in caught if "seems to jump" in str(warning.message)]
    assert len(jumps) == 1
    assert re.match(r"A\(p\) seems to jump: between p = .* and p = .*\. No smooth map.*Split the box there", jumps[0])
    assert len(told(fit)) == 1
    return fit


@pytest.mark.parametrize("at", [0.01, 0.1234, 0.4, 0.77])
@pytest.mark.parametrize("height", [0.3, 1.0])
def test_a_jump_is_warned_of_where_it_is(at: float, height: float) -> None:
    family = Jump(AffineInverse(n=16), at=at, height=height)
    (event,) = told(warned(lambda: nmc.inv(family, family.box, rng=0)))
    left, right = (float(number) for number in re.findall(r"p = (0\.\d+(?:e-\d+)?)", event.text))
    assert left <= at <= right
    assert right - left < 1e-4
    assert event.numbers["share"] > 0.3


def test_a_jump_is_warned_of_in_svd_and_in_a_users_operation(root: Operation) -> None:
    family = Jump(LowRankSVD(n=24, rank=3, tail=4), at=0.3)
    warned(lambda: nmc.svd(family, family.box, rank=3, samples=30, rng=0))
    steps = Jump(AffineInverse(n=12, hermitian=True), at=0.3, height=0.5, hermitian=True)
    warned(lambda: nmc.fit(nmc.Problem.of(steps, steps.box, root), samples=30, rng=0))


@pytest.mark.parametrize("swap", [False, True], ids=["first axis", "second axis"])
def test_a_jump_is_warned_of_in_two_parameters(swap: bool) -> None:
    family = Jump(AffineInverse(n=12, dimensions=2), at=0.4)
    turned = (lambda p: family(p[::-1])) if swap else family
    (event,) = told(warned(lambda: nmc.inv(turned, family.box, basis="chebyshev", samples=40, rng=0)))
    ends = np.array(re.findall(r"\((0\.\d+|0|1), (0\.\d+|0|1)\)", event.text), float)
    assert np.abs(ends[:, int(swap)] - 0.4).max() < 1e-4


def test_answers_beside_a_jump_are_solved_exactly_by_certified() -> None:
    family = Jump(AffineInverse(n=16), at=0.4)
    fit = warned(lambda: nmc.inv(family, family.box, rng=0, samples=24))
    p = 0.4 + 1e-3 * np.linspace(-1, 1, 21)
    answer = fit.certified(tol=1e-8)(p)
    true = [np.linalg.norm(family(q) @ X - np.eye(16)) / 4 for q, X in zip(p, answer.value, strict=True)]
    assert max(true) <= 1e-8


@pytest.mark.parametrize(
    "family",
    [
        AffineInverse(n=16),
        SyntheticInverse(n=24, rank=4, variant="near-pole"),
        SyntheticInverse(n=24, rank=4, variant="oscillating"),
        lambda p: np.diag([2 + np.tanh(300 * (p - 0.4)), 1.0, 3.0]),  # steep, and smooth all the same
    ],
    ids=["affine", "near-pole", "oscillating", "steep"],
)
def test_smooth_families_do_not_jump(family: Any) -> None:
    fit = nmc.inv(family, (0.0, 1.0), tol=1e-4, rng=0)
    assert told(fit) == []
