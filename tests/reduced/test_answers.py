"""Answers of reduced models against exact solves, on systems whose difficulty is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.reduced.made import BLOCK, ROOM, WIND, block, exact, load, relative, room, tridiagonal, wind

import neumatc as nmc
from neumatc.errors import InputError


@pytest.fixture(scope="module")
def windy():
    return wind(tol=1e-9)


@pytest.fixture(scope="module")
def blocks():
    return block()


@pytest.fixture(scope="module")
def rooms():
    return room()


@pytest.fixture(scope="module")
def general():
    return nmc.solve(tridiagonal, load, (0.0, 1.0), rng=0)


def points(fit, count, seed=1):
    return fit.box.random(count, np.random.default_rng(seed))


# answers -------------------------------------------------------------------------------------------------------------


def test_advection(windy):
    assert windy.status == "converged"
    for p in points(windy, 20)[:, 0]:
        assert relative(windy(p), exact(WIND, p)) < 1e-9


def test_thermal_block_in_four_parameters(blocks):
    P = points(blocks, 20)
    X = blocks(P)
    assert X.shape == (20, BLOCK.size)
    for p, x in zip(P, X, strict=True):
        assert relative(x, exact(BLOCK, p)) < 1e-7
    assert len(blocks.samples) <= 25


def test_complex_helmholtz(rooms):
    assert rooms.C.dtype == np.complex128
    for p in points(rooms, 20)[:, 0]:
        assert relative(rooms(p), exact(ROOM, p)) < 1e-7


def test_a_function_that_assembles(general):
    assert general.status == "converged"
    for p in points(general, 10)[:, 0]:
        assert relative(general(p), np.linalg.solve(tridiagonal(p).toarray(), load(p))) < 1e-5
        assert np.linalg.norm(tridiagonal(p) @ general(p) - load(p)) < 1e-8 * np.linalg.norm(load(p))


@st.composite
def systems(draw):
    """Random affine systems, diagonally dominant, of every mix of real and complex parts."""
    rng, n, Q, S = (
        np.random.default_rng(draw(st.integers(0, 2**32))),
        30,
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
    )
    complex_A, complex_b, complex_theta, complex_psi = (draw(st.booleans()) for _ in range(4))

    def part(kind):
        A = sparse.random_array((n, n), density=0.1, rng=rng)
        return (A + 1j * sparse.random_array((n, n), density=0.1, rng=rng)) if kind else A

    matrices = [part(complex_A) + 12 * sparse.eye_array(n), *(part(complex_A) for _ in range(Q - 1))]
    vectors = rng.standard_normal((S, n, 1)) + (1j * rng.standard_normal((S, n, 1)) if complex_b else 0)

    def theta(p):
        return np.array([1.0, np.cos(p), p**2][:Q]) * (np.exp(0.3j * p) if complex_theta else 1.0)

    def psi(p):
        return np.array([1.0, np.sin(p), p][:S]) * (np.exp(1j * p) if complex_psi else 1.0)

    return matrices, theta, vectors, psi


@settings(max_examples=20)
@given(systems(), st.sampled_from(["galerkin", "residual"]))
def test_random_affine_systems(system, projection):
    matrices, theta, vectors, psi = system
    fit = nmc.solve(nmc.Affine(matrices, theta), nmc.Affine(vectors, psi), (0.0, 1.0), rng=0)
    model = type(fit.model)(fit.system, fit.model.tensors.with_projection(projection))
    P = np.linspace(0, 1, 7)
    found = model.measured(P[:, None])
    X = found.phi @ fit.C
    for p, x, residual, bound in zip(P, X, found.residual, found.bound, strict=True):
        A = sum(t * M.toarray() for t, M in zip(theta(p), matrices, strict=True))
        b = psi(p) @ vectors[:, :, 0]
        true = np.linalg.norm(A @ x - b) / np.linalg.norm(b)
        assert true <= bound
        assert abs(true - residual) <= bound - residual
        assert relative(x, np.linalg.solve(A, b)) < 1e-6
    slope = (fit(0.5 + 1e-4) - fit(0.5 - 1e-4)) / 2e-4
    came = model.slopes(np.array([[0.5]]), 0)[0] @ fit.C
    np.testing.assert_allclose(came, slope, rtol=0, atol=1e-5 * np.linalg.norm(fit(0.5)))


# calls ---------------------------------------------------------------------------------------------------------------


def test_batches_have_the_shape_of_p(windy, blocks):
    n = WIND.points**2
    assert windy(0.3).shape == (n,)
    assert windy([[0.1, 0.2, 0.3]]).shape == (1, 3, n)
    assert windy(np.empty(0)).shape == (0, n)
    assert blocks([0.1, 0.2, 0.3, 0.4]).shape == (BLOCK.size,)
    assert blocks(np.full((2, 1, 4), 0.5)).shape == (2, 1, BLOCK.size)
    np.testing.assert_allclose(windy([0.1, 0.2])[1], windy(0.2), rtol=1e-9, atol=1e-14)


def test_answers_are_written_into_given_memory(windy, rooms):
    memory = np.empty((2, WIND.points**2))
    assert windy([0.1, 0.2], out=memory) is memory
    np.testing.assert_array_equal(memory, windy([0.1, 0.2]))
    assert windy.certified()([0.2, 0.1], out=memory).value is memory
    np.testing.assert_allclose(memory[1], windy(0.1), rtol=1e-9, atol=1e-14)
    rooms(3.0, out=np.empty(ROOM.size, complex))


@pytest.mark.parametrize(
    "out",
    [np.empty((2, 5)), np.empty((2, 576), np.float32), np.empty((576, 2)).T, [0.0], np.empty((2, 576))[::1, ::-1]],
)
def test_memory_that_does_not_fit_is_refused(windy, out):
    with pytest.raises(InputError, match=r"`out` must be a writeable, C-contiguous array of shape \(2, 576\)"):
        windy([0.1, 0.2], out=out)


def test_torch_in_torch_out(windy):
    torch = pytest.importorskip("torch")
    p = torch.tensor([0.1, 0.2])
    for value in (windy(p), windy.certified()(p).value, windy.derivative()(p), np.ones(576) @ windy):
        value = value(p) if callable(value) and not torch.is_tensor(value) else value
        assert torch.is_tensor(value)
    np.testing.assert_array_equal(windy(p).numpy(), windy(p.numpy().astype(float)))


def test_outputs_are_products_with_the_basis(windy, rooms):
    B = np.random.default_rng(0).standard_normal((3, 576))
    np.testing.assert_allclose((B @ windy)([0.1, 0.7]), windy([0.1, 0.7]) @ B.T, rtol=1e-8, atol=1e-12)
    assert (B @ windy)(0.1).shape == (3,)
    np.testing.assert_allclose((B[0] @ windy)(0.1), B[0] @ windy(0.1), rtol=1e-8)
    np.testing.assert_allclose((sparse.csr_array(B) @ windy)(0.1), B @ windy(0.1), rtol=1e-8, atol=1e-12)
    z = np.full(ROOM.size, 1 - 2j)
    np.testing.assert_allclose((z @ rooms)(3.0), z @ rooms(3.0), rtol=1e-8)
    with pytest.raises(InputError, match=r"`B @ f` needs B with 576 columns, got shape \(576, 3\)"):
        B.T @ windy


def test_a_table_says_what_was_fitted(windy, general):
    assert "576 x 576 float64" in repr(windy)
    assert "status         converged (tol 1.0e-09)" in repr(windy)
    assert "assembled at every query" in repr(general)
    assert windy.basis.name == windy.model.projection
    assert windy.cost.solved == len(windy.samples)


# derivatives ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.37, 1.0])
def test_derivatives_solve_the_differentiated_equations(windy, general, p):
    for fit, A, b in ((windy, WIND, lambda _: WIND.rhs), (general, tridiagonal, load)):
        # A x' = b' - A' x, with differences of A and b where f itself is exact to 1e-9.
        h = 1e-5
        low, high = max(p - h, 0.0), min(p + h, 1.0)
        change = (b(high) - b(low) - (A(high) - A(low)) @ fit(p)) / (high - low)
        assert relative(fit.derivative()(p), exact(A, p, change)) < 1e-4


def test_derivatives_of_f_by_differences(blocks, rooms):
    p, h = np.array([0.3, 0.5, 0.2, 0.9]), 1e-4 * np.eye(4)
    for axis in range(4):
        slope = (blocks(p + h[axis]) - blocks(p - h[axis])) / 2e-4
        assert relative(blocks.derivative(axis)(p), slope) < 1e-5
    slope = (rooms(3.0 + 1e-4) - rooms(3.0 - 1e-4)) / 2e-4
    assert relative(rooms.derivative("k")(3.0), slope) < 1e-5
    assert rooms.derivative("k")([3.0, 3.5]).shape == (2, ROOM.size)


def test_an_axis_that_is_not_there(blocks):
    with pytest.raises(InputError, match=r"derivative axis must be one of 0\.\.3"):
        blocks.derivative(4)
