"""Boxes with a hole: what is left out is never sampled, never answered, and told."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.equations import equal, exponential, identity, known, unknown
from neumatc.errors import (
    AccuracyWarning,
    ExactSolveError,
    InputError,
    NonFiniteError,
    OutsideBoxError,
    SingularError,
    TrainingError,
    UndefinedError,
)
from neumatc.gallery import AffineInverse
from neumatc.gallery.faults import NaNHole
from neumatc.operations import Custom, Inverse
from neumatc.training import Bootstrap, Collocation, Greedy, Interpolation, trainer_of

LINE, PLANE = nmc.Box.of((0.0, 1.0)), nmc.Box.of({"a": (0.0, 1.0), "b": (-1.0, 1.0)})
Q = np.linalg.qr(np.random.default_rng(0).standard_normal((7, 7)))[0]
P = np.random.default_rng(1).uniform(0, 1, 200)


def inside(p: Any) -> bool:
    """The hole: an interval, or a disc."""
    at = np.ravel(p)
    return bool(0.4 < at[0] < 0.55) if len(at) == 1 else bool((at[0] - 0.5) ** 2 + at[1] ** 2 < 0.09)


def good(p: Any) -> Any:
    return np.diag(2.0 + np.arange(7)) + 0.3 * np.sin(3 * np.ravel(p)[0] + np.ravel(p)[-1]) * (Q + Q.T)


def nan(p: Any) -> Any:
    return np.full((7, 7), np.nan) if inside(p) else good(p)


def raising(p: Any) -> Any:
    if inside(p):
        raise ArithmeticError("no convergence")
    return good(p)


def singular(p: Any) -> Any:
    return np.zeros((7, 7)) if inside(p) else good(p)


def inverted(A: Any, box: Any, **options: Any) -> nmc.Fit:
    """``X = -log A``, stated so that nobody finds labels for it."""
    statement = equal(known("A") @ exponential(unknown("X")), identity())
    return nmc.fit(nmc.Problem.of(A, box, Custom("inverted", lambda A: -scipy.linalg.logm(A), (statement,))), **options)


VERBS: dict[str, tuple[Callable[..., nmc.Fit], Callable[[Any], Any], type]] = {
    "greedy": (nmc.inv, np.linalg.inv, Greedy),
    "collocation": (nmc.sqrtm, scipy.linalg.sqrtm, Collocation),
    "bootstrap": (nmc.svd, lambda A: np.linalg.svd(A)[1], Bootstrap),
    "exponent": (nmc.logm, scipy.linalg.logm, Collocation),
    "interpolation": (inverted, lambda A: -scipy.linalg.logm(A), Interpolation),
}
TRAINERS = pytest.mark.parametrize("name", VERBS)


def error_outside(name: str, fit: nmc.Fit, points: Any) -> float:
    """Largest relative error at those of the points that lie outside of the hole."""
    points = [p for p in points if not inside(p)]
    got = [fit(p).S if name == "bootstrap" else fit(p) for p in points]
    wanted = [VERBS[name][1](good(p)) for p in points]
    return max(float(np.linalg.norm(g - w) / np.linalg.norm(w)) for g, w in zip(got, wanted, strict=True))


# where ---------------------------------------------------------------------------------------------------------------


@TRAINERS
def test_every_trainer_keeps_out_of_a_hole(name: str) -> None:
    seen: list[float] = []

    def watched(p: float) -> Any:
        seen.append(p)
        return raising(p)

    fit = VERBS[name][0](watched, LINE.excluding(inside), rng=0)
    assert trainer_of(fit.operation) is VERBS[name][2]
    assert fit.status == "converged"
    assert not any(map(inside, seen))
    assert error_outside(name, fit, P) <= 1e-7
    assert len(fit.excluded) == 0


@pytest.mark.parametrize("name", ["greedy", "collocation", "bootstrap"])
def test_a_hole_in_two_parameters(name: str) -> None:
    fit = VERBS[name][0](raising, PLANE.excluding(inside), basis="sine", rng=0, tol=1e-4)
    assert fit.status == "converged"
    assert error_outside(name, fit, PLANE.random(40, np.random.default_rng(2))) <= 1e-3


def test_a_query_in_the_hole_is_refused_by_every_map_of_a_fit() -> None:
    fit = nmc.inv(raising, LINE.excluding(inside), rng=0)
    message = r"p must lie in the box \[0, 1\] less a hole; p = 0\.5 lies inside the hole\. .* Ask beside the hole"
    for ask in (fit, fit.derivative(), fit @ np.ones(7), fit[0], fit.certify, fit.certified()):
        with pytest.raises(OutsideBoxError, match=message):
            ask(0.5)
    with pytest.raises(
        OutsideBoxError, match=r"2 of 4 points lie inside the hole, the first is p = 0\.45 at index \(1"
    ):
        fit([0.1, 0.45, 0.5, 0.7])
    with pytest.raises(OutsideBoxError, match=r"p = 1\.5 lies outside\. .*smaller box"):
        fit(1.5)
    assert fit(0.4).shape == (7, 7)
    assert "less a hole" in repr(fit)


def test_the_middle_and_random_points_avoid_the_hole() -> None:
    box = PLANE.excluding(inside)
    assert not inside(box.middle[0])
    assert not any(map(inside, box.random(500, np.random.default_rng(0))))
    draws = [each.random(9, np.random.default_rng(0)) for each in (PLANE, PLANE.excluding(lambda p: False))]
    np.testing.assert_array_equal(*draws)
    assert box.whole == PLANE


def test_two_holes_add_up() -> None:
    box = LINE.excluding(lambda p: p < 0.2).excluding(lambda p: p > 0.8).excluding(failures=True)
    assert box.excluded(np.array([[0.1], [0.5], [0.9]])).tolist() == [True, False, True]
    assert box.hole is not None
    assert box.hole.failures


def test_a_table_is_read_beside_the_hole_only() -> None:
    points = np.linspace(0, 1, 60)
    fit = nmc.inv(nmc.Table(points, np.stack([singular(p) for p in points])), LINE.excluding(inside), rng=0, tol=1e-6)
    assert fit.status == "converged"
    assert error_outside("greedy", fit, points) <= 1e-5


def test_a_branch_that_ends_in_the_hole_is_no_error() -> None:
    """The steep part of A(p) lies in the hole: what is left is smooth, and neither a jump nor a broken branch."""
    fit = nmc.qr(lambda p: good(p) + (p > 0.48) * np.eye(7), LINE.excluding(inside), rng=0, tol=1e-6)
    assert not [event for event in fit.history if event.stage == "jump"]


def test_a_tensor_basis_does_not_suit_what_a_hole_leaves() -> None:
    with pytest.raises(TrainingError, match=r"not a \(tensor\) Chebyshev–Lobatto grid.*basis='auto'"):
        nmc.inv(good, LINE.excluding(inside), basis="chebyshev", rng=0)


@pytest.mark.parametrize(
    ("where", "failures", "message"),
    [
        ((0.4, 0.5), False, r"`where` must be a function p -> bool.*a tuple came.*Pass where=lambda p"),
        (None, False, r"needs a function `where`, failures=True, or both.*Nothing would be left out"),
        (inside, "yes", r"needs a function `where`, failures=True.*failures='yes' came"),
    ],
)
def test_what_a_hole_cannot_be(where: Any, failures: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        LINE.excluding(where, failures)


def test_a_hole_that_covers_all_of_the_box() -> None:
    with pytest.raises(InputError, match=r"must leave a part of the box.*Negate it, or choose a smaller box"):
        nmc.inv(good, LINE.excluding(lambda p: p >= 0), rng=0)


def test_a_where_that_cannot_answer() -> None:
    with pytest.raises(
        InputError, match=r"`where` must answer True or False.*at p = \(a=0\.5, b=0\) it raised ValueErr"
    ):
        nmc.inv(good, PLANE.excluding(lambda p: p > 0.5), rng=0)


# failures ------------------------------------------------------------------------------------------------------------


@TRAINERS
@pytest.mark.parametrize("family", [nan, raising], ids=["nan", "raising"])
def test_every_trainer_avoids_what_cannot_be_had(name: str, family: Any) -> None:
    fit = VERBS[name][0](family, LINE.excluding(failures=True), rng=0)
    assert fit.status == "converged"
    assert error_outside(name, fit, P) <= 1e-7
    assert len(fit.excluded) > 5
    assert all(map(inside, fit.excluded))
    told = [event.text for event in fit.history if event.stage == "excluded"]
    reason = "ArithmeticError: no convergence" if family is raising else "NonFiniteError: A(p) at"
    assert len(told) >= len(fit.excluded) - 1  # the middle is looked at before there is a history
    assert all(text.startswith("p = 0.") and reason in text for text in told)


@pytest.mark.parametrize("name", ["greedy", "collocation"])
def test_exact_solves_that_fail_are_avoided(name: str) -> None:
    """A(p) can be had everywhere and is singular on a part of the box."""
    fit = VERBS[name][0](singular, LINE.excluding(failures=True), rng=0)
    assert fit.status == "converged"
    assert error_outside(name, fit, P) <= 1e-7
    assert all(map(inside, fit.excluded))
    assert f"{len(fit.excluded)} failed" in repr(fit)


@TRAINERS
def test_a_solver_that_fails_on_a_part_of_the_box(name: str) -> None:
    """Whatever the trainer: the points at which only the exact solver fails are dropped one by one."""
    verb, _, trainer = VERBS[name]
    whole = verb(good, LINE, rng=0, tol=1e-6)
    problem = nmc.Problem.of(good, LINE.excluding(failures=True), whole.operation)
    real = nmc.Problem.solve

    def solve(self: Any, A: Any, points: Any) -> Any:
        if inside(points[0]):
            raise ExactSolveError("the solver gave up")
        return real(self, A, points)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nmc.Problem, "solve", solve)
        fit = nmc.fit(problem, rng=0, tol=1e-6)
    assert trainer_of(fit.operation) is trainer
    assert fit.status == "converged"
    assert not any(map(inside, fit.samples.points))
    assert all(map(inside, fit.excluded))
    assert len(fit.excluded) > 0
    assert error_outside(name, fit, P) <= 1e-5


def test_a_pole_is_recorded() -> None:
    with pytest.warns(AccuracyWarning, match="held-out residual"):
        fit = nmc.inv(lambda p: np.diag([p - 0.25, 1.0, 2.0]), LINE.excluding(failures=True), basis="spline", rng=0)
    np.testing.assert_array_equal(fit.excluded, [[0.25]])
    [event] = [event for event in fit.history if event.stage == "excluded"]
    assert "p = 0.25: SingularError" in str(event)
    fit = nmc.inv(
        lambda p: np.diag([p - 0.25, 1.0, 2.0]),
        LINE.excluding(lambda p: abs(p - 0.25) < 0.05, failures=True),
        rng=0,
        tol=1e-5,
    )
    assert fit.status == "converged"
    assert len(fit.excluded) == 0


def test_failures_in_several_parameters() -> None:
    fit = nmc.inv(nan, PLANE.excluding(failures=True), rng=0, tol=1e-6, basis="sine")
    assert fit.status == "converged"
    assert error_outside("greedy", fit, PLANE.random(40, np.random.default_rng(2))) <= 1e-5
    assert all(map(inside, fit.excluded))


def test_a_vectorized_family_is_asked_point_by_point_where_it_fails() -> None:
    family = nmc.Family(lambda p: np.stack([nan(each) for each in p]), vectorized=True)
    fit = nmc.inv(family, LINE.excluding(failures=True), rng=0)
    assert fit.status == "converged"
    assert all(map(inside, fit.excluded))


def test_without_failures_everything_is_as_it_was() -> None:
    family = NaNHole(AffineInverse(n=6), centre=0.7, width=0.2)
    for box in (LINE, LINE.excluding(lambda p: p < 0.1)):
        with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0\.\d+ must be finite"):
            nmc.inv(family, box, rng=0)
        with pytest.raises(UndefinedError, match="must be computable; the function raised ArithmeticError"):
            nmc.inv(raising, box, rng=0)
        with pytest.raises(SingularError, match=r"failed at p = 0\.\d+: A is singular"):
            nmc.inv(singular, box, rng=0)
    plain, holed = (nmc.inv(good, box, rng=0, basis="sine") for box in (LINE, LINE.excluding(failures=True)))
    assert plain.status == holed.status == "converged"


def test_wrong_input_is_no_failure_to_put_up_with() -> None:
    with pytest.raises(InputError, match="must keep one shape"):
        nmc.inv(lambda p: np.eye(3 + int(p > 0.7)), LINE.excluding(failures=True), rng=0)


def test_a_family_that_fails_everywhere() -> None:
    def solver(A: Any) -> Any:
        raise ArithmeticError("no luck")

    with pytest.raises(NonFiniteError, match="must be finite"):
        nmc.inv(lambda p: np.full((3, 3), np.nan), LINE.excluding(failures=True), rng=0)
    problem = nmc.Problem.of(good, LINE.excluding(failures=True), Custom("mine", solver, Inverse().equations()))
    with pytest.raises(
        ExactSolveError, match=r"`mine` needs exact results to begin with.*no luck.*Call A\(p\) by hand"
    ):
        nmc.fit(problem, rng=0)


def test_certificates_say_what_f_cannot_know() -> None:
    """Between the points that failed the map answers; whoever checks hears of it."""
    fit = nmc.inv(nan, LINE.excluding(failures=True), rng=0)
    assert np.isfinite(fit(0.47)).all()
    for ask in (fit.certify, fit.certified()):
        with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0\.47 must be finite"):
            ask(0.47)
    assert fit.certified()(0.3).path == "surrogate"
    assert fit.corrector is not None
