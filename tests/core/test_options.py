"""Defaults and seeds of a fit; refusals are in test_bad_options."""

from typing import Any

import numpy as np
import pytest
import torch

from neumatc.errors import InputError
from neumatc.operations import Inverse
from neumatc.options import device_of, dtype_of, samples_of, seed_of, tol_of
from neumatc.problem import Problem


def problem(dtype: Any = float, dimension: int = 1) -> Problem:
    return Problem.of(lambda p: np.eye(2, dtype=dtype), [(0.0, 1.0)] * dimension, Inverse())


@pytest.mark.parametrize(
    ("dtype", "tol"), [("float64", 1e-8), ("complex128", 1e-8), ("float32", 1e-4), ("complex64", 1e-4)]
)
def test_tol_follows_the_precision_that_is_stored(dtype: str, tol: float) -> None:
    assert tol_of(None, np.dtype(dtype)) == tol
    assert tol_of(np.float32(0.25), np.dtype(dtype)) == 0.25
    assert type(tol_of(np.float32(0.25), np.dtype(dtype))) is float


@pytest.mark.parametrize(("dimension", "count"), [(1, 96), (2, 256), (5, 256)])
def test_samples_follow_the_dimension(dimension: int, count: int) -> None:
    assert samples_of(None, problem(dimension=dimension)) == count
    assert samples_of(2, problem(dimension=dimension)) == 2
    assert type(samples_of(np.int32(7), problem(dimension=dimension))) is int


@pytest.mark.parametrize("seed", [0, 7, np.int64(7), np.uint64(2**63 + 1), 2**80])
def test_an_integer_is_its_own_seed(seed: Any) -> None:
    root, given = seed_of(seed)
    assert root == int(seed)
    assert type(root) is int
    assert given


def test_a_generator_gives_a_new_seed_at_every_use() -> None:
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    first, second = seed_of(rng), seed_of(rng)
    assert first != second
    assert [first, second] == [seed_of(same), seed_of(same)]
    assert first[1]
    assert 0 <= first[0] < 2**63


def test_without_a_seed_every_one_is_new_and_says_so() -> None:
    seeds = [seed_of(None) for _ in range(4)]
    assert len({root for root, _ in seeds}) == 4
    assert not any(given for _, given in seeds)


def test_seeds_leave_the_global_state_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
    seed_of(None)
    seed_of(np.random.default_rng(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize("wanted", ["float32", np.float32, np.dtype("float32"), torch.float32, "torch.float32"])
def test_every_way_of_naming_a_dtype(wanted: Any) -> None:
    assert dtype_of(problem(), wanted) == np.dtype("float32")


def test_dtype_is_that_of_the_matrices_by_default() -> None:
    for dtype in ("float32", "float64", "complex64", "complex128"):
        assert dtype_of(problem(dtype), None) == np.dtype(dtype)
    assert dtype_of(problem(complex), torch.complex64) == np.dtype("complex64")


@pytest.mark.parametrize(
    ("dtype", "wanted", "advice"),
    [
        (float, complex, "Pass float32 or float64"),
        (complex, float, "Pass complex64 or complex128"),
        (float, np.longdouble, "Pass float32 or float64"),
        (float, bool, "Pass float32 or float64"),
        (float, torch.bfloat16, "unknown dtype 'torch.bfloat16'"),
    ],
)
def test_dtypes_of_another_kind(dtype: Any, wanted: Any, advice: str) -> None:
    with pytest.raises(InputError, match=advice):
        dtype_of(problem(dtype), wanted)


def test_devices() -> None:
    assert device_of(None) == "cpu"
    assert device_of("cpu") == device_of(torch.device("cpu")) == "cpu"
    for wrong in ("warp", 1.5):
        with pytest.raises(InputError, match=r"cannot be used: .*Use device='cpu'"):
            device_of(wrong)
