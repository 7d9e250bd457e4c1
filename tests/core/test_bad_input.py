"""Whatever comes in wrong is named: the error, the numbers, the p, and what to try."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import (
    ExactSolveError,
    InputError,
    NonFiniteError,
    OutsideBoxError,
    RankError,
    SingularError,
)
from neumatc.gallery import AffineInverse
from neumatc.operations import Custom, Inverse

GOOD = AffineInverse(n=6)
BOX = (0.0, 1.0)


def inv(A: Any, box: Any = BOX, **options: Any) -> nmc.Fit:
    return nmc.inv(A, box, rng=0, **options)


def svd(A: Any, box: Any = BOX, rank: Any = 2, **options: Any) -> nmc.Fit:
    return nmc.svd(A, box, rank=rank, rng=0, **options)


VERBS = pytest.mark.parametrize("verb", [inv, svd])


def where(p: float, bad: Any) -> Callable[[float], Any]:
    """The good family but for p above the given one."""
    return lambda q: bad if q > p else GOOD(q)


# what A(p) may not be ------------------------------------------------------------------------------------------------


@VERBS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_matrices_that_are_not_finite(verb: Any, value: float) -> None:
    bad = GOOD(0.9)
    bad[2, 3] = value
    with pytest.raises(
        NonFiniteError, match=r"A\(p\) at p = (0\.\d+|1) must be finite; 1 of 36 entries.* index \(2, 3\)"
    ):
        verb(where(0.7, bad))
    with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0\.5 must be finite"):
        verb(lambda p: bad)


@pytest.mark.parametrize("n", [2, 40])
def test_a_singular_matrix_at_a_sample(n: int) -> None:
    """The first solve is in the middle of the box."""
    with pytest.raises(
        SingularError, match=r"`inv` failed at p = 0\.5: A is singular .* contains a pole.*Shrink the box"
    ):
        inv(lambda p: np.diag([p - 0.5, *np.ones(n - 1)]))
    with pytest.raises(SingularError, match=r"condition (inf|\d\.\de\+1[5-9])"):
        inv(lambda p: (1 + p) * np.outer(np.arange(1.0, n + 1), np.ones(n)))


@pytest.mark.parametrize("pole", [0.0, 0.25, 1.0])
def test_a_pole_elsewhere_in_the_box(pole: float) -> None:
    """The residual is largest there, so that is where the sampler goes."""
    with pytest.raises(SingularError, match=rf"`inv` failed at p = {pole:g}: A is singular"):
        inv(lambda p: np.diag([p - pole, 1.0, 2.0]))


def test_a_solver_that_breaks_down_names_the_point() -> None:
    def solver(A: Any) -> Any:
        raise ArithmeticError("no luck")

    problem = nmc.Problem.of(GOOD, BOX, Custom("mine", solver, Inverse().equations()))
    with pytest.raises(ExactSolveError, match=r"`mine` failed at p = .*no luck.*compare with the equations"):
        nmc.fit(problem, rng=0)


def test_a_solver_that_does_not_satisfy_its_equations() -> None:
    problem = nmc.Problem.of(GOOD, BOX, Custom("mine", lambda A: A, Inverse().equations()))
    with pytest.raises(
        ExactSolveError, match=r"`mine` failed at p = .*relative residual .*does not satisfy the equations"
    ):
        nmc.fit(problem, rng=0)


@VERBS
def test_a_shape_that_changes(verb: Any) -> None:
    pattern = r"must keep one shape; it is \(6, 6\) at p = 0\.5 but \(5, 5\) at p = (0\.\d+|1)"
    with pytest.raises(InputError, match=pattern):
        verb(where(0.7, np.eye(5)))


@VERBS
def test_a_dtype_that_changes(verb: Any) -> None:
    with pytest.raises(
        InputError, match=r"A\(p\) at p = (0\.\d+|1) must keep one dtype.* complex128 here but float64 at p = 0\.5"
    ):
        verb(where(0.7, GOOD(0.9).astype(complex)))


def test_inverse_of_a_rectangle() -> None:
    with pytest.raises(InputError, match=r"`inv` needs square matrices, but A\(p\) is 4 x 6\..*Gram matrix"):
        inv(lambda p: GOOD(p)[:4])


@pytest.mark.parametrize("rank", [0, -1, 5, 99])
def test_rank_that_is_impossible(rank: int) -> None:
    with pytest.raises(RankError, match=rf"asked for rank {rank}, but A\(p\) is 4 x 6.*1 <= rank <= 4"):
        svd(lambda p: GOOD(p)[:4], rank=rank)


@pytest.mark.parametrize("rank", [2.0, "2", True])
def test_rank_that_is_no_whole_number(rank: Any) -> None:
    with pytest.raises(InputError, match=f"`svd` needs a whole number as rank, got {rank!r}"):
        svd(GOOD, rank=rank)


@VERBS
@pytest.mark.parametrize(
    ("answer", "pattern"),
    [
        ("text", r"must be an array of numbers; a str came"),
        (None, r"must be an array of numbers; a NoneType came.*without a return statement"),
        (np.array([[1, "x"], [2, "y"]]), "must be an array of numbers"),
        (np.array([[1, object()], [2, 3]], dtype=object), "must be an array of numbers.* dtype object"),
        ([[1.0, 2.0], [3.0]], "must be an array of numbers.*rows probably differ in length"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "must be an array of numbers"),
        (3.0, "must be a matrix; 0 axes came"),
        (np.ones(3), r"must be a matrix; 1 axes came, shape \(3,\)"),
        (np.ones((2, 3, 3)), "must be a matrix; 3 axes came.*vectorized=True"),
        (np.empty((0, 0)), "must have at least one row and one column"),
        (np.ma.masked_array(np.eye(2), [[0, 1], [0, 0]]), "must be known in every entry"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_answers_that_are_no_matrices(verb: Any, answer: Any, pattern: str) -> None:
    with pytest.raises(InputError, match=rf"(?s)A\(p\) at p = 0\.5 {pattern}"):
        verb(lambda p: answer)


@VERBS
def test_a_function_that_raises(verb: Any) -> None:
    def A(p: float) -> Any:  # noqa: N802
        if p > 0.7:
            raise KeyError("no such frequency")
        return GOOD(p)

    with pytest.raises(
        InputError, match=r"A\(p\) at p = (0\.\d+|1) must be computable; .*KeyError: 'no such frequency'"
    ) as info:
        verb(A)
    assert isinstance(info.value.__cause__, KeyError)


@VERBS
def test_a_function_that_answers_differently_twice(verb: Any) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"A\(p\) at p = 0\.5 .*answers differently twice.*draws random numbers"):
        verb(lambda p: GOOD(p) + 1e-6 * rng.standard_normal((6, 6)))


@VERBS
@pytest.mark.parametrize("A", [np.eye(6), np.ones((5, 6, 6)), [1, 2], 7, None])
def test_what_is_no_family(verb: Any, A: Any) -> None:
    with pytest.raises(InputError, match=r"A must be a function of p, an nmc\.Table or an nmc\.Affine"):
        verb(A)


def test_tables() -> None:
    values = np.stack([GOOD(p) for p in (0.0, 0.5, 0.5, 1.0)])
    with pytest.raises(
        InputError, match=r"each point of a Table must occur once; \[0\.5\] occurs 2 times, in rows \[1, 2\]"
    ):
        nmc.Table([0.0, 0.5, 0.5, 1.0], values)
    with pytest.raises(InputError, match=r"A table needs at least 5 points inside the box .*, got 4"):
        inv(nmc.Table([0.0, 0.2, 0.5, 1.0], values))
    fine = np.linspace(0, 1, 30)
    fit = inv(nmc.Table(fine, np.stack([GOOD(p) for p in fine])), tol=1e-4)
    with pytest.raises(InputError, match=r"tabulated at 30 points only; p = 0\.123 is not among them"):
        fit.certify(0.123)


# boxes and points ----------------------------------------------------------------------------------------------------


@VERBS
@pytest.mark.parametrize(
    ("box", "pattern"),
    [
        ((1.0, 0.0), r"lo < hi; \(1, 0\) came, which is reversed.*Write \(0, 1\)"),
        ((0.5, 0.5), r"lo < hi; \(0\.5, 0\.5\) came, which is empty"),
        ((0.0, np.inf), r"two finite numbers .*\(0, inf\) came"),
        ((np.nan, 1.0), r"two finite numbers .*\(nan, 1\) came"),
        ((0.0, 1.0, 2.0), "box must be a pair"),
        (1.0, "box must be a pair"),
        ([], "box must be a pair"),
        ("ab", "box must be an array of numbers"),
        ({"k": (0.0, 1.0), "z": (2.0, 1.0)}, r"box\['z'\] must have lo < hi"),
    ],
)
def test_boxes(verb: Any, box: Any, pattern: str) -> None:
    with pytest.raises(InputError, match=pattern):
        verb(GOOD, box)


@pytest.mark.parametrize("p", [1.5, -0.1, np.nan, np.inf, [0.5, 2.0]])
def test_points_outside_the_box(p: Any) -> None:
    fit = inv(GOOD, tol=1e-4)
    for ask in (fit, fit.certify, fit.certified(), fit.derivative(), fit.reduced):
        with pytest.raises(
            OutsideBoxError,
            match=r"p must lie in the box \[0, 1\]; (p = |1 of 2 points lie outside, the first is p = 2)",
        ):
            ask(p)
