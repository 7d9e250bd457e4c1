"""From raw snapshots to orthonormal slices."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.made import Array, normal

from neumatc.products import PIECE
from neumatc.training.latent import gram, orthonormalised, transform

KINDS = {"real": (False, False), "complex, real coefficients": (True, False), "complex coefficients": (True, True)}
EVERY = pytest.mark.parametrize(("complex_", "doubled"), KINDS.values(), ids=KINDS.keys())


def coefficients(labels: Any, doubled: bool) -> Array:
    """As (M, d), complex where pairs are meant."""
    values = np.ascontiguousarray(labels)
    return values.view(complex) if doubled else values


def case(complex_: bool, doubled: bool, m: int = 5, M: int = 9, N: int = 40) -> tuple[Array, Array, Array]:
    return normal((m, N), complex_, 0), normal((m, m), doubled, 1), normal((M, m * (2 if doubled else 1)), False, 2)


def decomposed(snapshots: Any, mixing: Any, labels: Any, doubled: bool) -> tuple[Any, Any]:
    """Slices, and the labels in terms of them."""
    C, T = orthonormalised(snapshots, mixing, labels, doubled)
    return C, labels @ T


def product(C: Any, real: bool) -> Array:
    """Inner products of the slices, in the arithmetic of the coefficients."""
    G = np.asarray(C) @ np.asarray(C).conj().T
    return G.real if real else G


@EVERY
def test_slices_are_orthonormal_and_products_stay(complex_: bool, doubled: bool) -> None:
    S, mixing, labels = case(complex_, doubled)
    expected = coefficients(labels, doubled) @ (mixing @ S)
    C, phi = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing), torch.from_numpy(labels), doubled)
    assert C.shape == (5, 40)
    assert phi.shape == (9, 10 if doubled else 5)
    np.testing.assert_allclose(product(C, not doubled), np.eye(5), rtol=0, atol=1e-12)
    np.testing.assert_allclose(coefficients(phi, doubled) @ C.numpy(), expected, rtol=0, atol=1e-11)


@EVERY
def test_slices_come_in_the_order_of_their_importance(complex_: bool, doubled: bool) -> None:
    S, mixing, labels = case(complex_, doubled)
    answers = coefficients(labels, doubled) @ (mixing @ S)
    real = answers if doubled or not complex_ else np.concatenate([answers.real, answers.imag], axis=1)
    s = np.linalg.svd(real, compute_uv=False)[:5]
    _, phi = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing), torch.from_numpy(labels), doubled)
    c = coefficients(phi, doubled)
    np.testing.assert_allclose(c.conj().T @ c, np.diag(s**2), rtol=0, atol=1e-10 * s[0] ** 2)


@EVERY
def test_dependent_snapshots_are_dropped(complex_: bool, doubled: bool) -> None:
    S, mixing, labels = case(complex_, doubled)
    S[3], S[4] = S[0] - 2 * S[1], 0.0
    expected = coefficients(labels, doubled) @ (mixing @ S)
    C, phi = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing), torch.from_numpy(labels), doubled)
    assert C.shape[0] == 3
    np.testing.assert_allclose(product(C, not doubled), np.eye(3), rtol=0, atol=1e-12)
    np.testing.assert_allclose(coefficients(phi, doubled) @ C.numpy(), expected, rtol=0, atol=1e-11)


def test_multiples_by_i_are_dependent_for_complex_coefficients_only() -> None:
    S, mixing, labels = normal((2, 30), True, 0), np.eye(2), normal((6, 2), False, 1)
    S[1] = 1j * S[0]
    C, _ = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing), torch.from_numpy(labels), False)
    assert len(C) == 2
    pairs = torch.from_numpy(normal((6, 4), False, 1))
    C, _ = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing + 0j), pairs, True)
    assert len(C) == 1


@EVERY
def test_modes_that_no_label_uses_are_dropped(complex_: bool, doubled: bool) -> None:
    S, mixing, labels = case(complex_, doubled)
    each = 2 if doubled else 1
    labels[:, 2 * each :] = 0.0
    C, phi = decomposed(torch.from_numpy(S.copy()), torch.from_numpy(mixing), torch.from_numpy(labels), doubled)
    assert len(C) == 2
    expected = coefficients(labels, doubled) @ (mixing @ S)
    np.testing.assert_allclose(coefficients(phi, doubled) @ C.numpy(), expected, rtol=0, atol=1e-11)


def test_labels_of_zero_keep_one_slice() -> None:
    C, phi = decomposed(
        torch.from_numpy(normal((3, 8), False, 0)), torch.eye(3).double(), torch.zeros(4, 3).double(), False
    )
    assert C.shape == (1, 8)
    assert not phi.any()


@pytest.mark.parametrize("rows", [1, 3, 4])
@pytest.mark.parametrize(("left", "right"), [(False, False), (False, True), (True, True)])
def test_transform_is_the_product_written_over_its_input(left: bool, right: bool, rows: int) -> None:
    W, S = normal((rows, 4), left, 0), normal((4, 11), right, 1)
    tensor = torch.from_numpy(S.copy())
    found = transform(tensor, torch.from_numpy(W))
    np.testing.assert_allclose(found.numpy(), W @ S, rtol=0, atol=1e-13)
    assert found.data_ptr() == tensor.data_ptr()
    np.testing.assert_array_equal(tensor.numpy()[rows:], S[rows:])


@pytest.mark.parametrize("right", [False, True])
def test_transform_goes_over_every_chunk(right: bool) -> None:
    W, S = normal((2, 2), False, 0), normal((2, PIECE + 3), right, 1)
    np.testing.assert_allclose(
        transform(torch.from_numpy(S.copy()), torch.from_numpy(W)).numpy(), W @ S, rtol=0, atol=1e-12
    )


def test_gram_is_real_where_coefficients_are() -> None:
    S = normal((3, 7), True, 0)
    np.testing.assert_allclose(gram(torch.from_numpy(S), True), (S @ S.conj().T).real, rtol=0, atol=1e-13)
    np.testing.assert_allclose(gram(torch.from_numpy(S), False), S @ S.conj().T, rtol=0, atol=1e-13)
    assert not gram(torch.from_numpy(S), True).is_complex()
