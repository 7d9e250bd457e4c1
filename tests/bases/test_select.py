"""Selection: the least score wins, a good score ends the search, failures are on record."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from neumatc.bases import Basis, Chebyshev, Rational, SineNetwork, Spline, basis, lobatto, select
from neumatc.errors import InputError, TrainingError

V = np.random.default_rng(1).uniform(-1, 1, (50, 1))


def near_pole(x):
    return np.cos(np.arange(3) * x) / ((x - 0.2) ** 2 + 1e-4)


def miss(function):
    return lambda curve: np.max(np.abs(curve(V) - function(V))) / np.max(np.abs(function(V)))


def choose(bases, x, function=near_pole, score=None, enough=0.0, seed=0):
    return select(bases, x, function(x), score or miss(function), enough, np.random.default_rng(seed))


@dataclass(frozen=True)
class Broken(Basis):
    """Fails to fit, always."""

    name: ClassVar[str] = "broken"

    def unsuited(self, x):  # noqa: ARG002
        return None

    def fit(self, x, y, rng):  # noqa: ARG002
        raise TrainingError("broken on purpose")


def test_least_score_is_kept():
    choice = choose(basis("auto"), lobatto(97))
    assert choice.name == choice.curve.name == "rational"
    assert [trial.name for trial in choice.tried] == ["sine", "chebyshev", "rational", "spline", "rbf"]
    assert choice.score == min(trial.score for trial in choice.tried) < 1e-9
    assert all(trial.reason is None and trial.seconds > 0 for trial in choice.tried)


def test_a_good_score_ends_the_search():
    choice = choose([Spline(), Chebyshev(), Rational()], lobatto(25), np.exp, enough=1e-12)
    assert choice.name == "chebyshev"
    assert [trial.name for trial in choice.tried] == ["spline", "chebyshev"]


def test_the_first_of_equals_is_kept():
    assert choose([Spline(), Chebyshev()], lobatto(20), score=lambda _: 1.0).name == "spline"


def test_failures_are_recorded_with_their_reasons():
    choice = choose([Broken(), Chebyshev(), Spline()], np.linspace(-1, 1, 40)[:, None])
    broken, chebyshev, spline = choice.tried
    assert choice.name == "spline"
    assert (broken.score, broken.reason) == (math.inf, "broken on purpose")
    assert (chebyshev.score, chebyshev.seconds) == (math.inf, 0.0)
    assert "Lobatto grid" in chebyshev.reason
    assert spline.reason is None


def test_a_real_pole_sends_the_rational_basis_away():
    choice = choose([Rational(), Spline()], np.linspace(-1, 1, 40)[:, None], lambda x: 1 / (x - 0.3))
    assert choice.name == "spline"
    assert "real pole" in choice.tried[0].reason


def test_a_score_that_is_no_number_is_a_failure():
    def score(curve):
        return math.nan if curve.name == "chebyshev" else 1.0

    choice = choose([Chebyshev(), Spline()], lobatto(20), score=score)
    assert choice.name == "spline"
    assert choice.tried[0].reason == "its score is nan"


def test_no_curve_at_all_lists_the_reasons():
    with pytest.raises(TrainingError, match=r"no basis could fit the 9 samples \(broken: broken on purpose; rational:"):
        choose([Broken(), Rational()], lobatto(3, 3), np.exp)


def test_no_basis_at_all_is_refused():
    with pytest.raises(InputError, match="at least one basis"):
        choose([], lobatto(9))


def test_what_one_basis_draws_changes_nothing_for_the_others():
    x = lobatto(40)
    alone = choose([Spline(), SineNetwork()], x, np.exp, seed=4)
    after = choose([Rational(), SineNetwork()], x, np.exp, seed=4)
    assert alone.tried[1].score == after.tried[1].score


def test_same_seed_same_choice():
    x = lobatto(40)
    first, second = (choose([SineNetwork()], x, np.exp, seed=4) for _ in range(2))
    assert np.array_equal(first.curve(V), second.curve(V))
