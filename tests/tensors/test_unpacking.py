"""Flat vectors as factors by indices: `Layout.unpack`, on tensors and differentiable."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

from neumatc.layout import Layout, Part
from neumatc.tensors import Unpacking

KINDS: list[Any] = ["full", "transposed", "hermitian", "lower", "upper", "diagonal"]
CPU = torch.device("cpu")


def layout(kind: Any) -> Layout:
    # Beyond one block row of 32, and beside another part.
    rows, columns = (70, 70) if kind in ("hermitian", "lower") else (70, 40)
    return Layout((Part("X", rows, columns, kind), Part("Y", 3, 2)))


def vectors(size: int, dtype: Any) -> Any:
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((5, size)) + 1j * rng.standard_normal((5, size))
    return numbers.astype(dtype) if np.issubdtype(dtype, np.complexfloating) else numbers.real.astype(dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_factors_are_those_of_the_layout(kind: Any, dtype: Any):
    flat = vectors(layout(kind).size, dtype)
    unpack, tensor = Unpacking.of(layout(kind), CPU), torch.from_numpy(flat)
    with NoWaiting():
        found = unpack(tensor)
    for name, X in layout(kind).unpack(flat).items():
        assert found[name].dtype == tensor.dtype
        np.testing.assert_array_equal(found[name].resolve_conj().numpy(), X)
    assert [X.shape[0] for X in unpack(tensor[:0]).values()] == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_of_an_entry_counts_in_its_gradient(kind: Any):
    """``∂/∂z Σ |w_ij X_ij|² = 2 z Σ |w_ij|²`` over the places (i, j) where z stands, conjugated or not."""
    made = layout(kind)
    numbers, weights = vectors(made.size, complex), vectors(70 * 70, complex)
    flat = torch.from_numpy(numbers).requires_grad_()
    X = Unpacking.of(made, CPU)(flat)["X"].flatten(1)
    w = weights[:, : X.shape[1]]
    gradient = torch.autograd.grad((X * torch.from_numpy(w)).abs().square().sum(), flat)[0].numpy()
    places = np.abs(made.unpack(1j * np.arange(1, made.size + 1)[None])["X"].imag).ravel().astype(int)
    sums = [np.bincount(places, np.abs(row) ** 2, made.size + 1)[1:] for row in w]
    np.testing.assert_allclose(gradient, 2 * numbers * np.array(sums), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_failed_is_nan_in_every_entry(kind: Any):
    flat = torch.full((1, layout(kind).size), torch.nan)
    for X in Unpacking.of(layout(kind), CPU)(flat).values():
        assert bool(X.isnan().all())
