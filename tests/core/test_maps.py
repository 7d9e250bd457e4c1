"""Maps: buffers, tensors, products, entries and derivatives of a fit."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import GaugeError, InputError, OutsideBoxError
from neumatc.gallery import AffineInverse, LowRankSVD
from neumatc.operations import SVDResult

N, P = 10, np.random.default_rng(0).uniform(0.01, 0.99, 9)
KINDS = ["real", "complex", "hermitian", "complex hermitian"]


@pytest.fixture(scope="module", params=KINDS)
def inverse(request: pytest.FixtureRequest) -> nmc.Fit:
    family = AffineInverse(n=N, complex="complex" in request.param, hermitian="hermitian" in request.param)
    return nmc.inv(family, family.box, rng=0)


@pytest.fixture(scope="module", params=[False, True], ids=["real", "complex"])
def triplets(request: pytest.FixtureRequest) -> nmc.Fit:
    family = LowRankSVD(n=24, rank=3, tail=4, complex=request.param)
    return nmc.svd(family, family.box, rank=3, tol=1e-10, rng=0)


@pytest.fixture(scope="module")
def plane() -> nmc.Fit:
    family = AffineInverse(n=N, dimensions=2)
    box = {"k": (0.0, 1.0), "z": (0.1, 0.6)}
    return nmc.inv(family, box, basis="chebyshev", samples=60, rng=0)


def slope(f: Any, p: Any, h: float = 1e-5) -> Any:
    """Central differences of a function of p."""
    return (f(p + h) - f(p - h)) / (2 * h)


# buffers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (9,), (3, 3), (0,)])
def test_out_receives_the_result(inverse: nmc.Fit, batch: tuple[int, ...]) -> None:
    p = np.resize(P, batch) if batch else float(P[0])
    wanted = inverse(p)
    out = np.full(wanted.shape, np.nan, wanted.dtype)
    assert inverse(p, out=out) is out
    assert np.array_equal(out, wanted)


def test_out_of_several_factors(triplets: nmc.Fit) -> None:
    wanted = triplets(P)
    out = tuple(np.full(part.shape, np.nan, part.dtype) for part in wanted)
    assert triplets(P, out=out) is out
    for part, buffer in zip(wanted, out, strict=True):
        assert np.array_equal(part, buffer)


@pytest.mark.parametrize("size", [1, 4, 9, 100, None])
def test_a_stream_is_the_batch_in_pieces(inverse: nmc.Fit, triplets: nmc.Fit, size: int | None) -> None:
    for f in (inverse.map, triplets.map):
        wanted, seen = f(P, reproducible=True), 0
        for some, values in f.stream(P, size):
            seen += some.stop - some.start
            for one, all_of_them in zip(_parts(values), _parts(wanted), strict=True):
                assert np.allclose(one, all_of_them[some], rtol=1e-12, atol=1e-12)
        assert seen == len(P)


def test_a_stream_uses_one_buffer_again(plane: nmc.Fit) -> None:
    p = plane.box.random(9, np.random.default_rng(4))
    places = {values.__array_interface__["data"][0] for _, values in plane.map.stream(p, 3)}
    assert len(places) == 1


def test_a_stream_in_several_parameters(plane: nmc.Fit) -> None:
    p = plane.box.random(7, np.random.default_rng(3))
    found = np.concatenate([X.copy() for _, X in plane.map.stream(p, 3)])
    assert np.allclose(found, plane(p), rtol=1e-12)


def test_a_stream_checks_before_it_starts(inverse: nmc.Fit) -> None:
    with pytest.raises(OutsideBoxError):
        inverse.map.stream(np.append(P, 99.0))
    with pytest.raises(InputError, match=r"one axis of points, got the batch shape \(3, 3\)"):
        inverse.map.stream(P.reshape(3, 3))


def test_smooth_factors_are_the_answer_before_it_is_settled(triplets: nmc.Fit) -> None:
    F, wanted = triplets.smooth(P), triplets(P)
    product = F["U"] @ F["M"] @ F["V"].conj().swapaxes(-1, -2)
    rebuilt = (wanted.U * wanted.S[..., None, :]) @ wanted.Vh
    assert np.linalg.norm(product - rebuilt) < 1e-8 * np.linalg.norm(rebuilt)
    single = triplets.smooth(float(P[0]))
    assert all(single[name].shape == X.shape[1:] for name, X in F.items())


def test_smooth_factors_do_not_jump_where_values_cross() -> None:
    f = nmc.eigh(lambda p: np.diag([p, 1.0 - p, 3.0]), box=(0.0, 1.0), rng=0)
    beside = np.array([0.499, 0.501])
    smooth, sorted_ = f.smooth(beside)["V"], f(beside)[1]
    assert abs(smooth[0] - smooth[1]).max() < 1e-10 < 0.9 < abs(sorted_[0] - sorted_[1]).max()


def test_smooth_factors_in_given_memory(triplets: nmc.Fit) -> None:
    C = triplets.surrogate.C
    memory = np.full((len(P), C.shape[1]), np.nan, C.dtype)
    F = triplets.smooth(P, out=memory)
    assert all(np.shares_memory(X, memory) for X in F.values())
    assert all(np.array_equal(X, Y) for X, Y in zip(F.values(), triplets.smooth(P).values(), strict=True))
    with pytest.raises(InputError, match=r"must be a writeable, C-contiguous array of shape \(9, "):
        triplets.smooth(P, out=memory[:, :-1])


def _parts(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def test_wrong_buffers_are_refused(inverse: nmc.Fit) -> None:
    good = inverse(0.3)
    read_only = good.copy()
    read_only.setflags(write=False)
    wrong = {
        "shape": np.empty((N, N + 1), good.dtype),
        "batch": np.empty((1, N, N), good.dtype),
        "dtype": np.empty((N, N), np.complex64),
        "strided": np.empty((N, 2 * N), good.dtype)[:, ::2],
        "Fortran": np.empty((N, N), good.dtype, order="F"),
        "read-only": read_only,
        "list": good.tolist(),
    }
    for out in wrong.values():
        with pytest.raises(InputError, match=r"`out` must be a writeable, C-contiguous array of shape \(10, 10\)"):
            inverse(0.3, out=out)


def test_wrong_buffers_for_several_factors(triplets: nmc.Fit) -> None:
    U, S, Vh = (np.empty_like(part) for part in triplets(0.3))
    with pytest.raises(InputError, match="`out` must hold 3 arrays, got 2"):
        triplets(0.3, out=(U, S))
    with pytest.raises(InputError, match="`out` must hold 3 arrays, got 1"):
        triplets(0.3, out=U)
    before = U.copy()
    with pytest.raises(InputError, match="`out` must be"):
        triplets(0.3, out=(U, S, Vh.T))
    assert np.array_equal(U, before)  # nothing is half written


def test_results_are_not_shared_between_calls(inverse: nmc.Fit) -> None:
    first = inverse(0.3)
    keep = first.copy()
    inverse(0.4)
    first[:] = 0
    assert np.array_equal(inverse(0.3), keep)


def test_reproducible_answers_do_not_depend_on_the_batch(inverse: nmc.Fit) -> None:
    batch = inverse(P, reproducible=True)
    for p, row in zip(P, batch, strict=True):
        assert np.array_equal(inverse(p), row)
    assert np.array_equal(inverse(P[::-1], reproducible=True)[::-1], batch)


# torch ---------------------------------------------------------------------------------------------------------------


def test_torch_in_torch_out(inverse: nmc.Fit, triplets: nmc.Fit) -> None:
    torch = pytest.importorskip("torch")
    came = inverse(torch.from_numpy(P))
    assert isinstance(came, torch.Tensor)
    np.testing.assert_allclose(came.numpy(), inverse(P), atol=1e-14)
    named = triplets(torch.tensor(0.3))
    assert isinstance(named, SVDResult)
    assert all(isinstance(part, torch.Tensor) for part in named)
    out = torch.empty((N, N), dtype=came.dtype)
    assert inverse(0.3, out=out) is out
    np.testing.assert_allclose(out.numpy(), inverse(0.3), atol=1e-14)


def test_torch_operands_of_products(inverse: nmc.Fit) -> None:
    torch = pytest.importorskip("torch")
    B = np.random.default_rng(1).standard_normal((N, 2))
    np.testing.assert_allclose((inverse @ torch.from_numpy(B))(0.3), inverse(0.3) @ B, atol=1e-13)
    np.testing.assert_allclose((torch.from_numpy(B.T.copy()) @ inverse)(0.3), B.T @ inverse(0.3), atol=1e-13)


# products and entries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, complex, int, np.float32])
def test_products_act_on_the_result(inverse: nmc.Fit, dtype: Any) -> None:
    B = (10 * np.random.default_rng(1).standard_normal((N, 3))).astype(dtype)
    if dtype is complex:
        B += 1j * B[::-1]
    X = inverse(P)
    np.testing.assert_allclose((inverse @ B)(P), X @ B, atol=1e-12)
    np.testing.assert_allclose((B.T @ inverse)(P), B.T @ X, atol=1e-12)
    np.testing.assert_allclose((B.T @ inverse @ B)(P), B.T @ X @ B, atol=1e-11)
    np.testing.assert_allclose((B.T @ (inverse @ B))[0, 1](P), (B.T @ X @ B)[:, :1, 1:2], atol=1e-11)
    out = np.empty((len(P), N, 3), (inverse @ B)(P).dtype)
    np.testing.assert_allclose((inverse @ B)(P, out=out), X @ B, atol=1e-12)


@pytest.mark.parametrize(
    "index",
    [np.s_[2:5], np.s_[1:4, ::2], np.s_[[0, 3], :], np.s_[:, -2:], (np.arange(N) > 6, slice(None)), np.s_[..., 1:3]],
)
def test_entries_are_those_of_the_result(inverse: nmc.Fit, index: Any) -> None:
    rows, columns = index if isinstance(index, tuple) else (index, slice(None))
    np.testing.assert_allclose(inverse[index](P), inverse(P)[:, rows, :][:, :, columns], atol=1e-14)


@pytest.mark.parametrize("index", [0, 3, -1, np.int64(2)])
def test_an_integer_keeps_its_axis(inverse: nmc.Fit, index: Any) -> None:
    X = inverse(0.3)
    np.testing.assert_allclose(inverse[index](0.3), X[index][None, :], atol=1e-14)
    np.testing.assert_allclose(inverse[index, index](0.3), [[X[index, index]]], atol=1e-14)


def test_wrong_entries(inverse: nmc.Fit) -> None:
    for index in (N, -N - 1):
        with pytest.raises(IndexError, match=f"index {index} is out of range for an axis of 10 entries"):
            inverse[index]
    with pytest.raises(InputError, match="at most two indices, got 3"):
        inverse[0, 1, 2]
    assert len(list(inverse)) == N  # a loop over the rows ends


def test_wrong_products(inverse: nmc.Fit, triplets: nmc.Fit) -> None:
    with pytest.raises(InputError, match=r"`f @ B` needs a vector or matrix with 10 entries .* got shape \(3, 10\)"):
        inverse @ np.ones((3, N))
    with pytest.raises(InputError, match="`B @ f` needs"):
        np.ones((N, 3)) @ inverse
    with pytest.raises(InputError, match="`f @ B` needs"):
        inverse @ np.ones((2, N, 3))
    with pytest.raises(InputError, match="needs a map of one matrix, but `svd` returns several factors"):
        triplets @ np.ones((3, 2))
    with pytest.raises(InputError, match="needs a map of one matrix, but `svd` returns several factors"):
        triplets[0]


# derivatives ---------------------------------------------------------------------------------------------------------


def test_derivative_of_the_inverse(inverse: nmc.Fit) -> None:
    np.testing.assert_allclose(inverse.derivative()(P), slope(inverse, P), atol=1e-5)
    family, X = inverse.problem_or_raise.family, inverse(0.3)
    dA = slope(lambda p: family.at(np.array([[p]]), inverse.box)[0], 0.3)
    np.testing.assert_allclose(inverse.derivative()(0.3), -X @ dA @ X, atol=1e-4)


def test_derivative_commutes_with_products(inverse: nmc.Fit) -> None:
    B = np.random.default_rng(1).standard_normal((N, 2))
    wanted = inverse.derivative()(P) @ B
    np.testing.assert_allclose((inverse @ B).derivative()(P), wanted, atol=1e-10)
    np.testing.assert_allclose((inverse.derivative() @ B)(P), wanted, atol=1e-10)
    out = np.empty_like(wanted)
    np.testing.assert_allclose((inverse.derivative() @ B)(P, out=out), wanted, atol=1e-10)


def test_derivative_of_the_svd(triplets: nmc.Fit) -> None:
    """Vectors have a phase of their own at every p; values and the product have not."""
    dU, dS, dVh = triplets.derivative()(P)
    U, S, Vh = triplets(P)
    np.testing.assert_allclose(dS, slope(lambda p: triplets(p).S, P), atol=1e-6)

    def product(p: Any) -> Any:
        U, S, Vh = triplets(p)
        return (U * S[:, None]) @ Vh

    by_parts = (dU * S[:, None]) @ Vh + (U * dS[:, None]) @ Vh + (U * S[:, None]) @ dVh
    np.testing.assert_allclose(by_parts, slope(product, P), atol=1e-5)
    tangent = np.swapaxes(U, 1, 2).conj() @ dU  # orthonormal columns turn, and do not stretch
    np.testing.assert_allclose(tangent, -np.swapaxes(tangent, 1, 2).conj(), atol=1e-8)


def test_no_derivative_where_singular_values_cross() -> None:
    """At a crossing the sorted vectors jump."""
    fit = nmc.svd(lambda p: np.diag([2 + p, 3 - p, 0.1]), (0.0, 1.0), rank=2, rng=0)
    assert np.isfinite(fit.derivative()(0.3).S).all()
    with pytest.raises(GaugeError, match="distinct singular values"):
        fit.derivative()(0.5)


def test_partial_derivatives_by_number_and_name(plane: nmc.Fit) -> None:
    p = np.random.default_rng(3).uniform(0.15, 0.55, (5, 2))
    for axis, name in enumerate(("k", "z")):
        step = 1e-5 * np.eye(2)[axis]
        wanted = (plane(p + step) - plane(p - step)) / 2e-5
        np.testing.assert_allclose(plane.derivative(axis)(p), wanted, atol=1e-5)
        assert np.array_equal(plane.derivative(name)(p), plane.derivative(axis)(p))
    assert np.array_equal(plane.derivative(-1)(p), plane.derivative("z")(p))


def test_wrong_derivatives(plane: nmc.Fit) -> None:
    for axis in (2, -3, "q", 0.5):
        with pytest.raises(InputError, match=r"derivative axis must be one of 0\.\.1 or a name of \['k', 'z'\]"):
            plane.derivative(axis)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="first derivative already"):
        plane.derivative().derivative()


# where a map is valid ------------------------------------------------------------------------------------------------


def test_nothing_is_extrapolated(inverse: nmc.Fit, plane: nmc.Fit) -> None:
    for p in (1.5, -1e-3, np.nan, np.inf, [0.2, 7.0]):
        with pytest.raises(OutsideBoxError, match="p must lie in the box"):
            inverse(p)
    with pytest.raises(OutsideBoxError, match=r"z=3"):
        plane([0.5, 3.0])
    with pytest.raises(InputError, match=r"p must have shape \(\.\.\., 2\)"):
        plane(0.5)
    with pytest.raises(OutsideBoxError, match="p must lie in the box"):
        inverse.derivative()(1.5)
    with pytest.raises(OutsideBoxError, match="p must lie in the box"):
        inverse.certify(1.5)


def test_ends_of_the_box_are_inside(inverse: nmc.Fit) -> None:
    family = inverse.problem_or_raise.family
    for p in (0.0, 1.0, 1, np.nextafter(1.0, 2.0)):
        A = family.at(np.array([[min(p, 1.0)]]), inverse.box)[0]
        np.testing.assert_allclose(inverse(p), np.linalg.inv(A), atol=1e-7)


def test_a_product_with_a_vector_is_a_map_of_vectors() -> None:
    family = AffineInverse(n=8)
    fit = nmc.inv(family, family.box, tol=1e-9, rng=0)
    b, p = np.arange(8.0), np.linspace(0.1, 0.9, 5)
    right, left = fit @ b, b @ fit
    assert right(0.3).shape == left(0.3).shape == (8,)
    np.testing.assert_allclose(right(p), fit(p) @ b, rtol=0, atol=1e-12)
    np.testing.assert_allclose(left(p), b @ fit(p), rtol=0, atol=1e-12)
    np.testing.assert_allclose(right.derivative()(p), fit.derivative()(p) @ b, rtol=0, atol=1e-10)
    buffer = np.empty((5, 8))
    assert right(p, out=buffer) is buffer
    np.testing.assert_allclose(buffer, right(p), rtol=0, atol=1e-14)
