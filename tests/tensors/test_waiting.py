"""The guard of these tests sees what it is there for."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.tensors.waiting import NoWaiting, WaitingError

X = torch.tensor([[2.0, 1.0], [1.0, 3.0]])

WAITS: list[Callable[[], Any]] = [
    lambda: X.sum().item(),
    lambda: float(X[0, 0]),
    lambda: bool((X > 0).all()),
    lambda: X[X > 1],
    lambda: (X > 1).nonzero(),
    lambda: torch.equal(X, X),
    lambda: torch.linalg.svd(X),
    lambda: torch.linalg.eigh(X),
    lambda: torch.linalg.eig(X),
]

FREE: list[Callable[[], Any]] = [
    lambda: torch.where(X > 1, X, 0.0),
    lambda: torch.linalg.cholesky_ex(X),
    lambda: torch.linalg.solve_triangular(X, X, upper=True),
    lambda: X.sort(dim=-1, stable=True),
    lambda: X[torch.tensor([1, 0])],
]


@pytest.mark.parametrize("look", WAITS)
def test_a_look_at_a_value_is_caught(look: Callable[[], Any]):
    with NoWaiting(), pytest.raises(WaitingError, match="waits for the device"):
        look()


@pytest.mark.parametrize("work", FREE)
def test_work_on_tensors_is_not(work: Callable[[], Any]):
    with NoWaiting():
        work()
