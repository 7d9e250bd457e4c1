"""Pools of threads during a fit, and after it."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import neumatc as nmc
from neumatc.errors import NeuMatCError
from neumatc.training.threads import one_pool


@pytest.fixture(autouse=True)
def _three() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_a_fit_takes_one_pool_and_gives_the_others_back() -> None:
    seen = []

    def matrix(p: float) -> np.ndarray:
        seen.append(torch.get_num_threads())
        return np.diag([2.0 + p, 3.0])

    nmc.inv(matrix, (0.0, 1.0), rng=0)
    assert seen[-1] == 1
    assert torch.get_num_threads() == 3


def test_a_fit_that_fails_gives_them_back_too() -> None:
    with pytest.raises(NeuMatCError, match="singular"):
        nmc.inv(lambda p: np.diag([p - 0.5, 1.0]), (0.0, 1.0))
    assert torch.get_num_threads() == 3


def test_a_thread_that_begins_within_another_fit_gets_back_what_was_before_both() -> None:
    begun, ended, found = threading.Event(), threading.Event(), []

    def run() -> None:
        with one_pool("cpu"):
            found.append(torch.get_num_threads())
            begun.set()
            assert ended.wait(10)
            found.append(torch.get_num_threads())
        found.append(torch.get_num_threads())

    other = threading.Thread(target=run)
    with one_pool("cpu"):
        other.start()
        assert begun.wait(10)
    assert torch.get_num_threads() == 3
    ended.set()
    other.join()
    assert found == [1, 1, 3]


def test_a_fit_on_another_device_leaves_them_alone() -> None:
    with one_pool("cuda"):
        assert torch.get_num_threads() == 3
