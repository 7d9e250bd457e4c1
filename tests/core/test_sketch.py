"""Sketches: the small tensors are the big equations, seen through probes."""

from typing import Any

import numpy as np
import pytest

from neumatc.correct import Corrector
from neumatc.equations import Equation, equal, identity, known, residual, unknown
from neumatc.operations import Custom, Operation
from neumatc.probes import Probes, gaussian
from neumatc.sketch import Sketch

A, B, Q, I = known("A"), known("B"), known("Q"), identity()  # noqa: E741
X, U, M, V = (unknown(name) for name in "XUMV")
N1, N2, RANK, SLICES, POINTS = 9, 7, 3, 4, 2

EQUATIONS: dict[str, Equation] = {
    "A X = I": equal(A @ X, I),
    "X A = I": equal(X @ A, I),
    "A X A = A": equal(A @ X @ A, A),
    "A X + X Aᴴ = Q": equal(A @ X + X @ A.H, Q),
    "A X = Xᴴ B": equal(A @ X, X.H @ B),
    "2 X = A B - I": equal(2.0 * X, A @ B - I),
    "Xᴴ = A": equal(X.H, A),
    "X X = A": equal(X @ X, A),
    "Xᴴ X = A": equal(X.H @ X, A),
    "X Xᴴ = I": equal(X @ X.H, I),
    "Aᴴ X + X A + Q = X B X": equal(A.H @ X + X @ A + Q, X @ B @ X),
    "Xᴴ A B X = 3 I": equal(X.H @ A @ B @ X, 3.0 * I),
    "A X X = I": equal(A @ X @ X, I),
    "Xᴴ A X B = Q": equal(X.H @ A @ X @ B, Q),
    "A X B X Q = I": equal(A @ X @ B @ X @ Q, I),
    "A V = U M": equal(A @ V, U @ M),
    "Aᴴ U = V Mᴴ": equal(A.H @ U, V @ M.H),
    "Uᴴ U = I": equal(U.H @ U, I),
}
SVD = ("A V = U M", "Aᴴ U = V Mᴴ", "Uᴴ U = I")


def operation(*equations: Equation) -> Operation:
    return Custom("any", lambda matrix: matrix, equations)


def drawn(name: str, complex_: bool, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Known matrices at several points, and several latent slices."""
    rng, dtype = np.random.default_rng(seed), complex if complex_ else float
    rows, columns = (N1, N2) if name in SVD else (N1, N1)
    known_ = {key: gaussian((POINTS, rows, columns), dtype, rng) for key in "ABQ"}
    shapes = {"X": (N1, N1), "U": (N1, RANK), "M": (RANK, RANK), "V": (N2, RANK)}
    used = {s.name for t in EQUATIONS[name].terms for s in t.unknowns}
    return known_, {key: gaussian((SLICES, *shapes[key]), dtype, rng) for key in sorted(used)}


def brute_force(sketch: Sketch, known_: dict[str, Any], F: dict[str, Any]) -> Any:
    """``Wᴴ R Z`` from the residual R in full, weighted, one row of real numbers per point."""
    rows = []
    for equation, probes, scale in zip(sketch.equations, sketch.probes, sketch.scales, strict=True):
        R = equation.apply({**known_, **F}, np.eye(equation.shape({**known_, **F})[1]))
        R = np.broadcast_to(R, (POINTS, *R.shape[1:]))
        rows.append((probes.left @ R @ probes.right).reshape(POINTS, -1) * probes.weight / scale)
    flat = np.concatenate(rows, axis=-1)
    return np.concatenate([flat.real, flat.imag], axis=-1) if np.iscomplexobj(flat) else flat


@pytest.mark.parametrize("counts", [(4, 3), (100, 100)], ids=["probed", "in full"])
@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", EQUATIONS)
def test_reduced_equations_are_the_probed_residual(name: str, complex_: bool, counts: tuple[int, int]) -> None:
    known_, slices = drawn(name, complex_)
    rng = np.random.default_rng(1)
    one = {key: value[:1] for key, value in slices.items()}
    dtype = complex if complex_ else float
    sketch = Sketch.draw([EQUATIONS[name]], {**known_, **one}, counts, dtype, rng)
    reduced = Corrector.of(operation(EQUATIONS[name]), sketch, slices, False, known_).reduce(known_)
    phi = rng.standard_normal((POINTS, SLICES))
    F = {key: np.tensordot(phi, value, axes=1) for key, value in slices.items()}
    expected = brute_force(sketch, known_, F)
    np.testing.assert_allclose(reduced.formed.residual(phi), expected, rtol=1e-12, atol=1e-12)
    # Without tensors its numbers come in another order.
    np.testing.assert_allclose(np.sort(reduced.residual(phi)), np.sort(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", EQUATIONS)
def test_complex_coefficients_count_twice(name: str) -> None:
    """φ = u + i v as interleaved pairs; an adjoint unknown sees its conjugate."""
    known_, slices = drawn(name, True)
    rng = np.random.default_rng(2)
    one = {key: value[:1] for key, value in slices.items()}
    sketch = Sketch.draw([EQUATIONS[name]], {**known_, **one}, (4, 3), complex, rng)
    reduced = Corrector.of(operation(EQUATIONS[name]), sketch, slices, True, known_).reduce(known_)
    phi = rng.standard_normal((POINTS, 2 * SLICES))
    F = {key: np.tensordot(phi.view(complex), value, axes=1) for key, value in slices.items()}
    expected = brute_force(sketch, known_, F)
    np.testing.assert_allclose(reduced.formed.residual(phi), expected, rtol=1e-12, atol=1e-12)
    # Without tensors its numbers come in another order.
    np.testing.assert_allclose(np.sort(reduced.residual(phi)), np.sort(expected), rtol=1e-12, atol=1e-12)


def test_several_equations_stand_side_by_side() -> None:
    known_, slices = drawn("A V = U M", True)
    equations = [EQUATIONS[name] for name in SVD]
    one = {key: value[:1] for key, value in slices.items()}
    sketch = Sketch.draw(equations, {**known_, **one}, (4, 2), complex, np.random.default_rng(0))
    reduced = Corrector.of(operation(*equations), sketch, slices, False, known_).reduce(known_)
    phi = np.random.default_rng(3).standard_normal((POINTS, SLICES))
    F = {key: np.tensordot(phi, value, axes=1) for key, value in slices.items()}
    expected = brute_force(sketch, known_, F)
    np.testing.assert_allclose(reduced.formed.residual(phi), expected, rtol=1e-12, atol=1e-12)
    # Without tensors its numbers come in another order.
    np.testing.assert_allclose(np.sort(reduced.residual(phi)), np.sort(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["A X = I", "A X A = A", "X X = A", "Aᴴ X + X A + Q = X B X"])
def test_sketches_in_torch_are_those_in_numpy(name: str) -> None:
    torch = pytest.importorskip("torch")
    known_, slices = drawn(name, True)
    one = {key: value[:1] for key, value in slices.items()}
    sketch = Sketch.draw([EQUATIONS[name]], {**known_, **one}, (4, 3), complex, np.random.default_rng(0))
    tensors = [{key: torch.from_numpy(value) for key, value in each.items()} for each in (known_, slices)]
    there = sketch.like(tensors[0]["A"])
    blocks, blocks_there = (
        (sketch.known(known_), sketch.unknown(slices)),
        (there.known(tensors[0]), there.unknown(tensors[1])),
    )
    np.testing.assert_allclose(there.constant(blocks_there[0]), sketch.constant(blocks[0]), rtol=1e-12)
    np.testing.assert_allclose(there.linear(*blocks_there), sketch.linear(*blocks), rtol=1e-12, atol=1e-14)
    if not EQUATIONS[name].linear:
        np.testing.assert_allclose(there.quadratic(*blocks_there), sketch.quadratic(*blocks), rtol=1e-12, atol=1e-14)


def test_linear_equations_have_no_quadratic_tensor() -> None:
    known_, slices = drawn("A X A = A", False)
    one = {key: value[:1] for key, value in slices.items()}
    sketch = Sketch.draw([EQUATIONS["A X A = A"]], {**known_, **one}, (4, 3), float, np.random.default_rng(0))
    assert sketch.quadratic(sketch.known(known_), sketch.unknown(slices)) is None


# probes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, N1], ids=["rank one", "full rank"])
@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_squared_sketch_is_unbiased(complex_: bool, rank: int) -> None:
    """``E |Wᴴ R Z|² / (k1 k2) = ‖R‖²``, to five standard errors of the mean."""
    rng, dtype, draws = np.random.default_rng(0), complex if complex_ else float, 4000
    R = gaussian((N1, rank), dtype, rng) @ gaussian((rank, N1), dtype, rng)
    squares = np.empty(draws)
    for i in range(draws):
        probes = Probes.draw(N1, N1, (3, 2), dtype, rng)
        squares[i] = np.linalg.norm(probes.left @ R @ probes.right * probes.weight) ** 2
    squares /= np.linalg.norm(R) ** 2
    assert abs(squares.mean() - 1) < 5 * squares.std() / np.sqrt(draws)
    assert squares.std() > 0.1  # a sketch that looked at R in full would not vary


def test_probes_no_shorter_than_a_side_are_the_identity_and_exact() -> None:
    R = np.random.default_rng(0).standard_normal((4, 9))
    probes = Probes.draw(4, 9, (4, 9), float, np.random.default_rng(1))
    assert np.array_equal(probes.left, np.eye(4))
    assert np.array_equal(probes.right, np.eye(9))
    assert np.linalg.norm(probes.left @ R @ probes.right) * probes.weight == pytest.approx(np.linalg.norm(R))
    half = Probes.draw(4, 9, (4, 3), float, np.random.default_rng(1))
    assert np.array_equal(half.left, np.eye(4))
    assert half.right.shape == (9, 3)
    assert half.weight == pytest.approx(1 / np.sqrt(3))


@pytest.mark.parametrize("dtype", [float, complex])
def test_gaussian_numbers_have_unit_variance_and_no_two_values(dtype: Any) -> None:
    z = gaussian((200, 200), dtype, np.random.default_rng(0))
    assert z.dtype == dtype
    assert np.mean(np.abs(z) ** 2) == pytest.approx(1, abs=0.03)
    assert abs(np.mean(z**2)) == pytest.approx(0 if dtype is complex else 1, abs=0.03)
    assert len(np.unique(np.abs(z))) == z.size


def test_sketch_weighs_equations_by_their_scales() -> None:
    known_, slices = drawn("X X = A", False)
    one = {key: value[:1] for key, value in slices.items()}
    equations = [EQUATIONS["X X = A"], EQUATIONS["A X = I"]]
    values = {**{key: value[:1] for key, value in known_.items()}, **one}
    sketch = Sketch.draw(equations, values, (100, 100), float, np.random.default_rng(0))
    reduced = Corrector.of(operation(*equations), sketch, slices, False, values).reduce({"A": known_["A"][:1]})
    phi = np.array([[1.0, 0.0, 0.0, 0.0]])
    assert reduced.norm(phi) == pytest.approx(residual(equations, values))
