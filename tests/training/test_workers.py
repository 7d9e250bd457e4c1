"""Work of several threads: the order, the errors, and one thread."""

import threading
import time
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.gallery import SyntheticInverse
from neumatc.training import workers
from neumatc.training.workers import LARGE, SideBySide, behind, in_groups, is_large, mapper


@pytest.fixture(params=[1, 2, 5])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(workers, "threads", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("items", [0, 1, 2, 17])
def test_results_come_in_order(count: int, items: int) -> None:
    def late(i: int, j: int) -> tuple[int, int, str]:
        time.sleep(1e-3 * (i % 3))
        return i, j, threading.current_thread().name

    found = list(SideBySide().map(late, range(items), range(5, 5 + items)))
    assert [each[:2] for each in found] == [(i, i + 5) for i in range(items)]
    names = {each[2] for each in found}
    assert len(names) <= max(1, min(count, items))


def test_two_items_are_worked_on_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "threads", lambda: 2)
    both = threading.Barrier(2)
    assert sorted(SideBySide().map(lambda _: both.wait(30), range(2))) == [0, 1]


@pytest.mark.usefixtures("count")
def test_the_first_error_is_raised_whoever_meets_another_one_earlier() -> None:
    def fail(i: int) -> int:
        time.sleep(0.02 if i == 3 else 0.0)
        if i >= 3:
            raise ValueError(f"item {i}")
        return i

    with pytest.raises(ValueError, match="item 3"):
        SideBySide().map(fail, range(8))


@pytest.mark.usefixtures("count")
def test_items_of_different_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        SideBySide().map(divmod, [1, 2], [1])


def test_what_is_done_behind_is_done_on_one_other_thread_in_order() -> None:
    seen: list[tuple[int, str]] = []

    def note(i: int, j: int) -> int:
        seen.append((i, threading.current_thread().name))
        return i * j

    assert behind(note, ((i, 2) for i in range(20))) == [2 * i for i in range(20)]
    assert [i for i, _ in seen] == list(range(20))
    assert len({name for _, name in seen} - {threading.current_thread().name}) == 1


def test_few_items_wait_for_the_thread_behind() -> None:
    begun: list[int] = []
    ahead: list[int] = []

    def slow(i: int) -> None:
        time.sleep(2e-3)
        begun.append(i)

    def items() -> Any:
        for i in range(15):
            ahead.append(i - len(begun))
            yield (i,)

    behind(slow, items())
    assert 1 < max(ahead) <= workers.AHEAD + 1


@pytest.mark.parametrize("where", ["item", "function"])
def test_errors_come_back_from_behind(where: str) -> None:
    def items() -> Any:
        yield (1,)
        if where == "item":
            raise KeyError("made here")
        yield (0,)

    with pytest.raises(KeyError if where == "item" else ZeroDivisionError):
        behind(lambda i: 1 / i, items())


def test_small_matrices_stay_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    side = int(LARGE**0.5)
    for threads, shape, expected in ((2, (side, side), True), (2, (side, side - 1), False), (1, (side, side), False)):
        monkeypatch.setattr(workers, "threads", lambda threads=threads: threads)
        assert is_large(shape) == expected
        assert (mapper(shape) is map) != expected


def test_groups_hold_all_items_in_order(count: int) -> None:
    groups = in_groups(list(range(23)))
    assert [i for group in groups for i in group] == list(range(23))
    assert {len(group) for group in groups[:-1]} <= {2 * count}


@pytest.mark.parametrize("verb", ["inv", "solve"])
def test_a_fit_by_several_threads_is_the_fit_by_one(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LARGE", 1)
    family = SyntheticInverse(n=24, rank=4, seed=1)
    given: Any = (family,) if verb == "inv" else (family, np.arange(24.0))
    fits = []
    for threads in (1, 3):
        monkeypatch.setattr(workers, "threads", lambda threads=threads: threads)
        fits.append(getattr(nmc, verb)(*given, family.box, samples=20, tol=0.1, rng=0))
    one, several = fits
    np.testing.assert_array_equal(several.samples.points, one.samples.points)
    np.testing.assert_allclose(several(0.37), one(0.37), rtol=0, atol=1e-6 * np.abs(one(0.37)).max())
    assert len(one.samples) > 3
    assert several.cost.solved == one.cost.solved == len(one.samples)
    assert several.cost.built == one.cost.built
