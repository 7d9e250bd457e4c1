"""The algebra of equations: expressions behave like the matrices they stand for."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neumatc.equations import (
    Equation,
    Expression,
    degrees,
    equal,
    identity,
    known,
    residual,
    unknown,
    unknown_names,
)
from neumatc.errors import InputError
from neumatc.operations import Inverse, TruncatedSVD
from neumatc.probes import gaussian

A, B, Q, I = known("A"), known("B"), known("Q"), identity()  # noqa: E741
X, U, M, V, P = (unknown(name) for name in "XUMVP")
N = 4


def matrices(seed: int, complex_: bool = True, shape: tuple[int, int] = (N, N)) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: gaussian((2, *shape), complex if complex_ else float, rng) for name in "ABQXUMVP"}


def value(expression: Expression, values: dict[str, Any]) -> Any:
    """The expression as a dense matrix (2, N, N), through the terms that the library works with."""
    return sum(term.apply(values, np.eye(N)) for term in expression.terms) * np.ones((2, 1, 1))


def adjoint(matrix: Any) -> Any:
    return np.conj(np.swapaxes(matrix, -1, -2))


# expressions against dense arithmetic --------------------------------------------------------------------------------

symbols = st.sampled_from([("A", A), ("B", B), ("X", X), ("U", U)])
ones = st.just((I, lambda v: np.broadcast_to(np.eye(N), (2, N, N))))
leaves = symbols.map(lambda pair: (pair[1], lambda v: v[pair[0]])) | ones


def grown(children: Any) -> Any:
    """An expression together with the dense arithmetic that it must stand for."""
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda c: (c[0][0] @ c[1][0], lambda v: c[0][1](v) @ c[1][1](v))),
        pairs.map(lambda c: (c[0][0] + c[1][0], lambda v: c[0][1](v) + c[1][1](v))),
        pairs.map(lambda c: (c[0][0] - c[1][0], lambda v: c[0][1](v) - c[1][1](v))),
        children.map(lambda c: (c[0].H, lambda v: adjoint(c[1](v)))),
        children.map(lambda c: (-2.5 * c[0], lambda v: -2.5 * c[1](v))),
    )


@given(built=st.recursive(leaves, grown, max_leaves=6), seed=st.integers(0, 99))
def test_any_expression_is_its_dense_arithmetic(built: Any, seed: int) -> None:
    expression, dense = built
    values = matrices(seed)
    wanted = dense(values)
    np.testing.assert_allclose(value(expression, values), wanted, atol=1e-12 * (1 + np.abs(wanted).max()))


@given(first=symbols, second=symbols, third=symbols)
def test_adjoint_reverses_products_and_products_distribute(first: Any, second: Any, third: Any) -> None:
    (_, a), (_, b), (_, c) = first, second, third
    assert (a @ b).H == b.H @ a.H
    assert a == a.H.H
    assert a @ (b + c) == a @ b + a @ c
    assert (a + b) @ c == a @ c + b @ c
    assert (2.0 * a).H == 2.0 * a.H
    assert I.H == I
    assert a @ I == a == I @ a


@pytest.mark.parametrize(
    ("expression", "text"),
    [(A @ X, "A X"), (A.H @ U - V @ M.H, "Aᴴ U + -1 V Mᴴ"), (I, "I"), (2.0 * X + I, "2 X + I")],
)
def test_an_expression_reads_like_mathematics(expression: Expression, text: str) -> None:
    assert repr(expression) == text


# what an equation may hold -------------------------------------------------------------------------------------------


def test_products_of_three_unknowns_are_refused() -> None:
    with pytest.raises(InputError, match=r"at most two unknown factors, but X X X = A holds X X X.*a further factor"):
        equal(X @ X @ X, A)
    with pytest.raises(InputError, match="at most two unknown factors"):
        equal(A, U @ M @ V.H)


def test_linear_and_quadratic_are_told_apart() -> None:
    assert equal(A @ X + X @ A.H, Q).linear
    assert equal(A @ X @ A, A).linear
    assert not equal(X @ X, A).linear
    assert not equal(X @ A @ X, X).linear
    assert unknown_names([equal(A @ V, U @ M), equal(V.H @ V, I)]) == ("V", "U", "M")


# residuals against dense formulas ------------------------------------------------------------------------------------

FORMULAS: dict[str, tuple[Equation, Any]] = {
    "inverse": (equal(A @ X, I), lambda v: fro(v["A"] @ v["X"] - np.eye(N)) / np.sqrt(N)),
    "inverse, sides exchanged": (equal(I, A @ X), lambda v: fro(v["A"] @ v["X"] - np.eye(N)) / np.sqrt(N)),
    "root": (equal(X @ X, A), lambda v: fro(v["X"] @ v["X"] - v["A"]) / fro(v["A"])),
    "generalised inverse": (equal(A @ X @ A, A), lambda v: fro(v["A"] @ v["X"] @ v["A"] - v["A"]) / fro(v["A"])),
    "triplets": (equal(A @ V, U @ M), lambda v: fro(v["A"] @ v["V"] - v["U"] @ v["M"]) / fro(v["A"])),
    "orthonormal": (equal(U.H @ U, I), lambda v: fro(adjoint(v["U"]) @ v["U"] - np.eye(N)) / np.sqrt(N)),
    "lyapunov": (
        equal(A @ X + X @ A.H, Q),
        lambda v: fro(v["A"] @ v["X"] + v["X"] @ adjoint(v["A"]) - v["Q"]) / fro(v["Q"]),
    ),
    "riccati": (
        equal(A.H @ X + X @ A + Q, X @ B @ X),
        lambda v: fro(adjoint(v["A"]) @ v["X"] + v["X"] @ v["A"] + v["Q"] - v["X"] @ v["B"] @ v["X"]) / fro(v["Q"]),
    ),
    "scaled identity": (
        equal(X.H @ X, 4.0 * I),
        lambda v: fro(adjoint(v["X"]) @ v["X"] - 4 * np.eye(N)) / 4 / np.sqrt(N),
    ),
    "shifted root": (
        equal(X @ X, A + I),
        lambda v: fro(v["X"] @ v["X"] - v["A"] - np.eye(N)) / fro(v["A"] + np.eye(N)),
    ),
    "product": (
        equal(X, 2.0 * A @ A.H),
        lambda v: fro(v["X"] - 2 * v["A"] @ adjoint(v["A"])) / fro(2 * v["A"] @ adjoint(v["A"])),
    ),
    "adjoint unknown": (
        equal(A @ X, X.H @ B),
        lambda v: fro(v["A"] @ v["X"] - adjoint(v["X"]) @ v["B"]) / fro(v["A"]),
    ),
}


def fro(matrix: Any) -> Any:
    return np.linalg.norm(matrix, axis=(-2, -1))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("complex_", [False, True])
def test_residual_is_the_dense_formula(name: str, complex_: bool) -> None:
    equation, formula = FORMULAS[name]
    values = matrices(3, complex_)
    np.testing.assert_allclose(residual([equation], values), formula(values), rtol=1e-13)


def test_residuals_of_several_equations_add_in_squares() -> None:
    equations, values = [equation for equation, _ in FORMULAS.values()], matrices(4)
    each = [residual([equation], values) for equation in equations]
    np.testing.assert_allclose(residual(equations, values), np.sqrt(np.sum(np.square(each), axis=0)), rtol=1e-13)


def test_residual_in_torch_is_the_one_in_numpy() -> None:
    torch = pytest.importorskip("torch")
    values = matrices(5)
    tensors = {name: torch.from_numpy(matrix) for name, matrix in values.items()}
    equations = [equation for equation, _ in FORMULAS.values()]
    np.testing.assert_allclose(residual(equations, tensors).numpy(), residual(equations, values), rtol=1e-13)


def test_probed_equation_is_the_residual_times_the_probe() -> None:
    values, Z = matrices(6), np.random.default_rng(0).standard_normal((N, 2))
    R = adjoint(values["A"]) @ values["X"] + values["X"] @ values["A"] + values["Q"]
    np.testing.assert_allclose(equal(A.H @ X + X @ A, -Q).apply(values, Z), R @ Z, rtol=1e-12)


def test_scale_of_a_zero_matrix_can_be_divided_by() -> None:
    values = {name: 0 * matrix for name, matrix in matrices(7).items()}
    assert residual([equal(X @ X, A)], values) == pytest.approx([0, 0])
    assert equal(A @ V, U @ M).scale(values) == pytest.approx([1, 1])


def test_shape_of_the_residual_follows_from_the_factors() -> None:
    values = {"A": np.zeros((1, 5, 7)), "U": np.zeros((1, 5, 2)), "M": np.zeros((1, 2, 2)), "V": np.zeros((1, 7, 2))}
    shapes = [equation.shape(values) for equation in TruncatedSVD(2).equations()]
    assert shapes == [(5, 2), (7, 2), (2, 2), (2, 2)]


# how factors scale with A --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equations", "powers"),
    [
        (Inverse().equations(), {"X": -1}),
        (TruncatedSVD(2).equations(), {"V": 0, "U": 0, "M": 1}),
        ((equal(X @ X, A),), {"X": Fraction(1, 2)}),
        ((equal(A, U @ P), equal(U.H @ U, I), equal(P, P.H)), {"U": 0, "P": 1}),
        ((equal(A @ X @ A, A), equal(X @ A @ X, X)), {"X": -1}),
        ((equal(A @ X, A @ A.H @ A),), {"X": 2}),
    ],
    ids=["inverse", "svd", "root", "polar", "pinv", "cube"],
)
def test_degrees(equations: Any, powers: Any) -> None:
    assert degrees(equations) == powers


@pytest.mark.parametrize(
    "equation",
    [equal(X @ X, A + I), equal(A.H @ X + X @ A + I, X @ X), equal(A @ X + X, I)],
    ids=["shifted root", "riccati", "resolvent"],
)
def test_inhomogeneous_equations_have_no_degree(equation: Equation) -> None:
    assert degrees([equation]) is None


def test_contradicting_equations_have_no_degree() -> None:
    assert degrees([equal(A @ X, I), equal(X, A)]) is None
