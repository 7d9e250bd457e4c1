"""Flat vectors as factors by indices: `Layout.unpack`, on tensors and differentiable."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

from neumatc.layout import Layout, Part
from neumatc.tensors import Unpacking
from neumatc.training.literal import unpacked

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
def test_gradients_are_those_of_joint_training(kind: Any):
    flat = torch.from_numpy(vectors(layout(kind).size, complex)).requires_grad_()
    weights = torch.from_numpy(vectors(70 * 70, complex))

    def gradient(X: Any) -> Any:
        return torch.autograd.grad((X.flatten(1) * weights[:, : X[0].numel()]).abs().square().sum(), flat)[0]

    one, other = Unpacking.of(layout(kind), CPU)(flat)["X"], unpacked(layout(kind), flat)["X"]
    assert torch.equal(gradient(one), gradient(other))


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_failed_is_nan_in_every_entry(kind: Any):
    flat = torch.full((1, layout(kind).size), torch.nan)
    for X in Unpacking.of(layout(kind), CPU)(flat).values():
        assert bool(X.isnan().all())
