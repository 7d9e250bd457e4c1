"""Options that cannot be, and the words in which everything is refused."""

import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.bases import Spline
from neumatc.errors import InputError, NeuMatCError, NonFiniteError, OutsideBoxError, SingularError
from neumatc.gallery import AffineInverse
from neumatc.sampling import FailureInformed

GOOD = AffineInverse(n=6)
BOX = (0.0, 1.0)


def inv(A: Any, box: Any = BOX, **options: Any) -> nmc.Fit:
    return nmc.inv(A, box, **{"rng": 0, **options})


def svd(A: Any, box: Any = BOX, rank: Any = 2, **options: Any) -> nmc.Fit:
    return nmc.svd(A, box, rank=rank, **{"rng": 0, **options})


VERBS = pytest.mark.parametrize("verb", [inv, svd])

OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "too few samples": ({"samples": 1}, r"`samples` must be a whole number of at least 2, got 1"),
    "half a sample": ({"samples": 2.5}, r"`samples` must be a whole number of at least 2, got 2\.5"),
    "a true sample": ({"samples": True}, r"`samples` must be a whole number"),
    "unknown basis": ({"basis": "chebychev"}, r"unknown basis 'chebychev'; known: .*Did you mean 'chebyshev'\?"),
    "basis class": ({"basis": Spline}, "passed without calling it"),
    "unknown sampler": ({"sampler": "failur"}, r"unknown sampler 'failur'; known: .*Did you mean 'failure'\?"),
    "sampler class": ({"sampler": FailureInformed}, "passed without calling it"),
    "unknown training": ({"training": "autos"}, r"unknown training 'autos'; known: 'auto'.*Did you mean 'auto'\?"),
    "zero tol": ({"tol": 0}, "`tol` must be a relative residual between 0 and 1, got 0"),
    "negative tol": ({"tol": -1e-8}, "`tol` must be a relative residual between 0 and 1"),
    "tol of one": ({"tol": 1.0}, "`tol` must be a relative residual between 0 and 1"),
    "nan tol": ({"tol": np.nan}, "`tol` must be a relative residual between 0 and 1, got nan"),
    "text tol": ({"tol": "1e-8"}, "`tol` must be a relative residual between 0 and 1, got '1e-8'"),
    "integer dtype": (
        {"dtype": int},
        r"`dtype` must be a floating type of the same kind as A\(p\) \(float64\), got int64",
    ),
    "complex dtype": ({"dtype": np.complex128}, "`dtype` must be a floating type of the same kind"),
    "half dtype": ({"dtype": np.float16}, "`dtype` must be a floating type"),
    "unknown dtype": ({"dtype": "float46"}, r"unknown dtype 'float46'.*Did you mean 'float64'\?"),
    "unknown device": ({"device": "gpu9"}, r"`device` 'gpu9' cannot be used"),
    "progress": ({"progress": "bar"}, "`progress` must be True, a callable or None, got 'bar'"),
}


@VERBS
@pytest.mark.parametrize("name", OPTIONS)
def test_options(verb: Any, name: str) -> None:
    options, pattern = OPTIONS[name]
    with pytest.raises(InputError, match=pattern):
        verb(GOOD, **options)


@pytest.mark.parametrize("rng", [-1, 1.5, "seed", True, np.random.RandomState(0)])
def test_seeds(rng: Any) -> None:
    with pytest.raises(InputError, match="`rng` must be None, a nonnegative integer or a numpy Generator"):
        inv(GOOD, rng=rng)


@VERBS
def test_an_unknown_keyword_stays_a_type_error(verb: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'toll'"):
        verb(GOOD, toll=1e-8)


# the messages themselves ---------------------------------------------------------------------------------------------


def messages() -> list[str]:
    bad = GOOD(0.9)
    bad[0, 0] = np.nan
    calls: list[Callable[[], Any]] = [
        lambda: inv(lambda p: GOOD(p) if p < 0.7 else bad),
        lambda: inv(lambda p: np.diag([p - 0.5, 1.0])),
        lambda: inv(lambda p: GOOD(p) if p < 0.7 else np.eye(5)),
        lambda: inv(lambda p: GOOD(p)[:4]),
        lambda: svd(GOOD, rank=9),
        lambda: inv(GOOD, (1.0, 0.0)),
        lambda: inv(GOOD, samples=1),
        lambda: inv(GOOD, tol=7),
        lambda: inv(GOOD, tol=1e-4)(3.0),
        lambda: inv(GOOD, tol=1e-4) @ np.ones(3),
    ]
    found = []
    for call in calls:
        with pytest.raises(NeuMatCError) as info:
            call()
        found.append(str(info.value))
    return found


def test_messages_have_three_sentences() -> None:
    for message in messages():
        assert len(re.findall(r"[.?](?= [A-Z`]|$)", message)) >= 3, message


def test_errors_keep_the_builtin_names_that_callers_catch() -> None:
    for kind, builtin in [(InputError, ValueError), (SingularError, RuntimeError), (OutsideBoxError, ValueError)]:
        assert issubclass(kind, builtin)
        assert issubclass(kind, NeuMatCError)


def test_a_failed_fit_leaves_nothing_running() -> None:
    before = threading.active_count()
    with pytest.raises(NonFiniteError, match="must be finite"):
        inv(lambda p: np.full((2, 2), np.nan))
    assert threading.active_count() == before
