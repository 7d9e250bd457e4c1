"""Latent slices of exact factors."""

import numpy as np
import pytest
from tests.training.made import Array, normal

from neumatc.training.pod import Modes, _power


def factors(rank: int, complex_: bool, sizes: tuple[float, ...] = (1.0, 1.0), count: int = 9) -> dict[str, Array]:
    """Two factors of 5 x 3 and 3 x 4 whose samples span ``rank`` dimensions over the reals."""
    t = normal((count, rank), False, 0)
    shapes = {"U": (5, 3), "M": (3, 4)}
    return {
        name: size * np.tensordot(t, normal((rank, *shape), complex_, seed), axes=1)
        for seed, (size, (name, shape)) in enumerate(zip(sizes, shapes.items(), strict=True), start=1)
    }


def weighted(modes: Modes, F: dict[str, Array]) -> Array:
    """Slices with the weights put back, realified, ``(d, N)``."""
    slices = modes.layout.unpack(modes.C)
    flat = np.concatenate([(X * _power(F[name])).reshape(len(X), -1) for name, X in slices.items()], axis=1)
    return np.concatenate([flat.real, flat.imag], axis=1)


@pytest.mark.parametrize("sizes", [(1.0, 1.0), (1e-6, 1e6), (1e6, 1e-6)])
@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_modes_rebuild_their_samples_and_are_orthonormal_under_the_weights(
    complex_: bool, sizes: tuple[float, float]
) -> None:
    F = factors(4, complex_, sizes)
    modes = Modes.of(F, ("U", "M"), 1e-13)
    assert modes.C.shape == (4, 27)
    assert modes.C.dtype == (complex if complex_ else float)
    assert modes.coefficients.shape == (9, 4)
    assert modes.coefficients.dtype == float
    W = weighted(modes, F)
    np.testing.assert_allclose(W @ W.T, np.eye(4), rtol=0, atol=1e-12)
    for name, X in modes.factors(modes.coefficients).items():
        np.testing.assert_allclose(X, F[name], rtol=0, atol=1e-12 * np.abs(F[name]).max())


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_tail_of_zero_loses_nothing(complex_: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((7, 6, 5)) * 10.0 ** -np.arange(7)[:, None, None]  # samples from 1 down to 1e-6
    X = X * (1 + 1j) if complex_ else X
    modes = Modes.of({"X": X}, ("X",), 0.0)
    assert len(modes.C) == 7
    found = modes.factors(modes.coefficients)["X"]
    np.testing.assert_allclose(found, X, rtol=0, atol=1e-14 * np.abs(X).max())


def graded(values: Array) -> Array:
    """Samples ``(8, 4, 5)`` whose matrix ``(8, 20)`` has these singular values."""
    left = np.linalg.qr(normal((8, len(values)), False, 0))[0]
    right = np.linalg.qr(normal((20, len(values)), False, 1))[0]
    return ((left * values) @ right.T).reshape(8, 4, 5)


@pytest.mark.parametrize(("tail", "kept"), [(0.0, 5), (1e-9, 5), (2e-8, 4), (2e-6, 3), (2e-4, 2), (0.5, 1), (10.0, 1)])
def test_modes_are_dropped_while_their_total_stays_below_the_tail(tail: float, kept: int) -> None:
    values = np.array([1.0, 1e-2, 1e-4, 1e-6, 1e-8])
    X = graded(values)
    modes = Modes.of({"X": X}, ("X",), tail)
    assert len(modes.C) == kept
    lost = np.linalg.norm(modes.factors(modes.coefficients)["X"] - X)
    assert lost <= 1.01 * np.linalg.norm(values[kept:]) + 1e-14


def test_the_tail_counts_the_total_of_what_is_dropped() -> None:
    X = graded(np.array([1.0, 3e-3, 3e-3, 3e-3, 3e-3]))
    # Two of them together are 4.2e-3, three 5.2e-3, four 6e-3, of a whole near one.
    assert [len(Modes.of({"X": X}, ("X",), tail).C) for tail in (2.9e-3, 4e-3, 5e-3, 5.8e-3, 6.5e-3)] == [5, 4, 3, 2, 1]


def test_coefficients_come_in_the_order_of_their_importance() -> None:
    values = np.array([1.0, 0.3, 0.05])
    modes = Modes.of({"X": graded(values)}, ("X",), 1e-12)
    G = modes.coefficients.T @ modes.coefficients
    weight = G[0, 0] ** 0.5
    np.testing.assert_allclose(G, np.diag((weight * values) ** 2), rtol=0, atol=1e-12 * weight**2)


def test_a_complex_factor_counts_as_two_real_ones() -> None:
    t = np.linspace(0, 1, 6)[:, None, None]
    B = normal((2, 4, 4), True, 0)
    spiral = np.exp(2j * t) * B[0]  # one complex dimension, two real ones
    assert len(Modes.of({"X": spiral}, ("X",), 1e-13).C) == 2
    assert len(Modes.of({"X": np.cos(t) * B[0]}, ("X",), 1e-13).C) == 1


def test_a_real_factor_beside_a_complex_one_stays_real() -> None:
    F = {"U": factors(3, True)["U"], "S": factors(3, False)["M"]}
    modes = Modes.of(F, ("U", "S"), 1e-13)
    found = modes.factors(modes.coefficients)
    np.testing.assert_allclose(found["U"], F["U"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["S"], F["S"], rtol=0, atol=1e-12)
    assert np.abs(found["S"].imag).max() < 1e-14


def test_a_zero_factor_is_no_division_by_zero() -> None:
    F = {**factors(3, False), "Z": np.zeros((9, 2, 2))}
    modes = Modes.of(F, ("U", "M", "Z"), 1e-13)
    assert len(modes.C) == 3
    assert not modes.factors(modes.coefficients)["Z"].any()


@pytest.mark.parametrize("size", [1.0, 1e-12, 3e7, 1e150])
def test_weights_are_powers_of_two_that_bring_norms_below_one(size: float) -> None:
    X = size * normal((4, 3, 3), False, 0)
    weight = _power(X)
    assert np.frexp(weight)[0] == 0.5
    rms = weight * size * np.sqrt(np.mean(np.sum(normal((4, 3, 3), False, 0) ** 2, axis=(1, 2))))
    assert 0.5 <= rms < 1
