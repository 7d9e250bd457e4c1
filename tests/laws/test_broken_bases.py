"""Every law of bases and samplers bites: for each there is a small mistake that it finds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from neumatc.bases import Basis, Curve, Spline, SplineCurve, lobatto
from neumatc.sampling import FailureInformed, Sampler
from neumatc.testing import BASIS_LAWS, SAMPLER_LAWS, check_basis, check_sampler

# bases ---------------------------------------------------------------------------------------------------------------


class Altered(Curve):
    """A spline; the classes below have one flaw each."""

    name: ClassVar[str] = "altered"

    def __init__(self, curve: SplineCurve) -> None:
        self.curve = curve

    def __call__(self, x: Any) -> Any:
        return self.curve(x)

    def derivative(self, x: Any, axis: int) -> Any:
        return self.curve.derivative(x, axis)

    def arrays(self) -> Any:
        return self.curve.arrays()

    @classmethod
    def from_arrays(cls, arrays: Any) -> Any:
        return cls(SplineCurve.from_arrays(arrays))


class Rough(Altered):
    def __call__(self, x: Any) -> Any:
        return self.curve(np.round(x, 1))


class Leaking(Altered):
    def __call__(self, x: Any) -> Any:
        return self.curve(x) + 1e-9 * len(x)


class Flat(Altered):
    def __call__(self, x: Any) -> Any:
        return self.curve(x)[:, :2]


class Steep(Altered):
    def derivative(self, x: Any, axis: int) -> Any:
        return 1.001 * self.curve.derivative(x, axis)


class Forgetful(Altered):
    @classmethod
    def from_arrays(cls, arrays: Any) -> Any:
        return cls(SplineCurve.from_arrays({key: np.float32(value).astype(float) for key, value in arrays.items()}))


class Single(Altered):
    def arrays(self) -> Any:
        return {key: value.astype(np.float32) for key, value in self.curve.arrays().items()}


class Random(Altered):
    def __init__(self, curve: SplineCurve) -> None:
        super().__init__(curve)
        self.shift = 1e-9 * np.random.default_rng().standard_normal()

    def __call__(self, x: Any) -> Any:
        return self.curve(x) + self.shift


class Careless(Altered):
    def __call__(self, x: Any) -> Any:
        value = self.curve(x)
        x *= 1 - 1e-15
        return value


class Mixed(Altered):
    def combined(self, T: Any) -> Any:
        return Mixed(self.curve.combined(1.001 * T))


@dataclass(frozen=True)
class AlteredBasis(Basis):
    curve: type[Altered]
    suits_all: bool = False
    name: ClassVar[str] = "altered"

    def fit(self, x: Any, y: Any, rng: np.random.Generator) -> Curve:
        curve: Any = Spline().fit(x, y, rng)
        return self.curve(curve)

    def unsuited(self, x: Any) -> str | None:
        return None if self.suits_all else Spline().unsuited(x)


@pytest.mark.parametrize(
    ("law", "flaw", "message"),
    [
        ("smooth_maps_are_learnt", Rough, "Smooth maps must be learnt to 1e-02 between the samples"),
        ("batch_equals_single", Leaking, "A row of a batch must be the answer for its point alone"),
        ("batch_equals_single", Flat, r"must be \(B, m\)\. Found: \(30, 2\)"),
        ("derivative_is_the_slope", Steep, r"derivative\(x, 0\) must be the slope of the curve"),
        ("arrays_round_trip", Forgetful, "must give the same curve, bit for bit"),
        ("arrays_round_trip", Single, "must hold float64 only"),
        ("same_numbers_same_curve", Random, "must give one curve, bit for bit"),
        ("combined_is_the_curve_times_a_matrix", Mixed, r"combined\(T\) must be the curve times T"),
        ("inputs_are_left_alone", Careless, "must not change the arrays"),
    ],
)
def test_every_flaw_of_a_curve_is_found(law: str, flaw: type[Altered], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        BASIS_LAWS[law](AlteredBasis(flaw), lobatto(40), np.random.default_rng(0))


def test_a_check_stops_at_the_first_flaw() -> None:
    with pytest.raises(AssertionError, match="Smooth maps must be learnt"):
        check_basis(AlteredBasis(Rough))
    with pytest.raises(AssertionError, match="hold float64 only"):
        check_basis(AlteredBasis(Single))


def test_a_basis_that_claims_to_suit_what_it_refuses_is_found() -> None:
    law = BASIS_LAWS["unsuited_points_are_refused"]
    with pytest.raises(AssertionError, match=r"unsuited\(x\) and fit must agree on \(20, 2\) points"):
        law(replace(AlteredBasis(Altered), suits_all=True), lobatto(40), np.random.default_rng(0))
    with pytest.raises(AssertionError, match="The points must suit the basis; pass x"):
        check_basis(Spline(), x=lobatto(6, 6))


def test_a_basis_without_flaw_passes() -> None:
    check_basis(AlteredBasis(Altered), rng=5)


# samplers ------------------------------------------------------------------------------------------------------------


class AlteredSampler(Sampler):
    """The failure-informed sampler, but for the methods given."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        self.methods = methods

    def first(self, x: Any, count: int) -> Any:
        return self.methods.get("first", FailureInformed(add=3).first)(x, count)

    def select(self, x: Any, residuals: Any, free: Any, tol: float, left: int) -> Any:
        return self.methods.get("select", FailureInformed(add=3).select)(x, residuals, free, tol, left)


def ranked(residuals: Any, free: Any) -> list[int]:
    return [int(i) for i in np.argsort(-residuals) if free[i]]


def spoil(x: Any, residuals: Any, free: Any, tol: float, left: int) -> list[int]:
    residuals[:] = tol
    return []


NOISE = np.random.default_rng(0)
FIRST, SELECT = "first_names_candidates", "select_names_free_candidates"


@pytest.mark.parametrize(
    ("law", "methods", "message"),
    [
        (FIRST, {"first": lambda x, count: []}, r"first\(x, 2\) must name 1 to 2 different"),
        (FIRST, {"first": lambda x, count: [0, 0]}, r"first\(x, 2\) must name 1 to 2 different"),
        (FIRST, {"first": lambda x, count: list(range(len(x)))}, r"first\(x, 2\) must name 1 to 2"),
        (FIRST, {"first": lambda x, count: [len(x)]}, r"first\(x, 2\) must name"),
        (FIRST, {"first": lambda x, count: [0.0]}, r"first\(x, 2\) must name"),
        (FIRST, {"first": lambda x, count: [int(NOISE.integers(33))]}, "first must answer alike twice"),
        (SELECT, {"select": lambda x, r, free, tol, left: [0, 1, 2]}, "different candidates that are free"),
        (SELECT, {"select": lambda x, r, free, tol, left: ranked(r, free)[: left + 1]}, r"at most \d+ different"),
        (
            "select_takes_the_worst",
            {"select": lambda x, r, free, tol, left: ranked(r, free)[1:2]},
            "begin with the worst",
        ),
        ("select_takes_the_worst", {"select": lambda x, r, free, tol, left: ranked(r, free)[3::-1]}, "worst first"),
        ("select_stops", {"select": lambda x, r, free, tol, left: ranked(r, free)[:1]}, "all residuals are zero"),
        ("select_stops", {"select": lambda x, r, free, tol, left: [0] if r.max() > 0 else []}, "no candidate is free"),
        ("inputs_are_left_alone", {"select": spoil}, "must not change the arrays"),
    ],
)
def test_every_mistake_of_a_sampler_is_found(law: str, methods: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        SAMPLER_LAWS[law](AlteredSampler(**methods), lobatto(33), np.random.default_rng(0))
    with pytest.raises(AssertionError, match="Found: "):
        check_sampler(AlteredSampler(**methods))


def test_a_sampler_without_mistake_passes() -> None:
    check_sampler(AlteredSampler(), x=lobatto(7, 7))
