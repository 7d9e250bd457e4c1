"""Products of a few rows and very many columns: compiled for every kind of vectors, and NumPy's."""

import multiprocessing
import sys
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.core.kinds import DTYPES, EVERY, draw

from neumatc import products
from neumatc.layout import Part
from neumatc.products import (
    PIECE,
    TALL,
    in_place,
    product,
    rows_apart,
    scatter,
    scatter_all,
    square,
    tall,
    thin,
    threads,
    times,
)

compiled: Any = products.compiled
needs_compiled = pytest.mark.skipif(compiled is None, reason="neumatc._product was not built: no C compiler")

BATCHES = pytest.mark.parametrize("batch", [1, 2, 3, 8, 29])
VECTORS = {"basic": 0, "avx2": 1, "avx512": 2}


def exact(phi: np.ndarray, C: np.ndarray) -> np.ndarray:
    return np.einsum("bd,dn->bn", phi.astype(complex), C.astype(complex))


def tolerance(kind: str) -> float:
    return 1e-5 if "single" in kind else 1e-13


def multiply(phi: Any, C: Any, out: Any, places: Any, count: int, stream: bool = False) -> bool:
    """One product, by so many threads."""
    return bool(products.compiled.multiply(phi, ((C, out, places, stream),), count))


def take(vectors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let products use vectors of that kind, narrower ones than the best perhaps."""
    if compiled is None or VECTORS[vectors] > VECTORS[compiled.VECTORS]:
        pytest.skip(f"no code for {vectors} vectors here")
    best = compiled.multiply

    class Chosen:
        @staticmethod
        def multiply(*arguments: Any) -> bool:
            return bool(best(*arguments, VECTORS[vectors]))

    monkeypatch.setattr(products, "compiled", Chosen)


@pytest.fixture(params=["numpy", *VECTORS])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(products, "compiled", None)
    else:
        take(request.param, monkeypatch)


@pytest.fixture(params=VECTORS)
def _vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    take(request.param, monkeypatch)


@EVERY
@BATCHES
@pytest.mark.parametrize("columns", [1, 24, 500])
@pytest.mark.usefixtures("_way")
def test_it_is_the_sum_over_slices(kind: str, batch: int, columns: int) -> None:
    phi, C = draw((batch, 5), DTYPES[kind][0], 0), draw((5, columns), DTYPES[kind][1], 1)
    found = product(phi, C)
    assert found.dtype == C.dtype
    np.testing.assert_allclose(found, exact(phi, C), rtol=0, atol=tolerance(kind))


@EVERY
@BATCHES
@pytest.mark.usefixtures("_way")
def test_a_sum_of_no_slices_is_zero(kind: str, batch: int) -> None:
    out = np.full((batch, 70), 7, DTYPES[kind][1])
    product(draw((batch, 0), DTYPES[kind][0], 0), draw((0, 70), DTYPES[kind][1], 1), out)
    assert not out.any()


@EVERY
@BATCHES
@pytest.mark.parametrize("columns", [24, 530])
@pytest.mark.usefixtures("_way")
def test_many_slices_are_summed_in_their_order(kind: str, batch: int, columns: int) -> None:
    phi, C = draw((batch, 300), DTYPES[kind][0], 0), draw((300, columns), DTYPES[kind][1], 1)
    whole = np.full((batch + 1, columns + 5), 7, C.dtype)
    found = product(phi, C, whole[1:, 2:-3])
    np.testing.assert_allclose(found, exact(phi, C), rtol=0, atol=300 * tolerance(kind))
    assert (whole == 7).sum() == whole.size - found.size
    if products.compiled is not None:
        np.testing.assert_array_equal(np.vstack([product(row[None], C) for row in phi]), found)


@EVERY
@BATCHES
@pytest.mark.usefixtures("_way")
def test_it_writes_into_a_buffer_and_nowhere_else(kind: str, batch: int) -> None:
    phi, C = draw((batch, 5), DTYPES[kind][0], 0), draw((5, 237), DTYPES[kind][1], 1)
    whole = np.full((batch + 2, 237 + 20), 7, C.dtype)
    part = whole[1:-1, 3:-17]
    assert np.shares_memory(product(phi, C, part), whole)
    np.testing.assert_allclose(part, exact(phi, C), rtol=0, atol=tolerance(kind))
    whole[1:-1, 3:-17] = 7
    assert (whole == 7).all()


@pytest.mark.usefixtures("_way")
def test_parts_of_slices_and_turned_ones() -> None:
    phi, C = draw((9, 5), float, 0), draw((5, 400), float, 1)
    np.testing.assert_allclose(product(phi, C[:, 7:390]), phi @ C[:, 7:390], rtol=0, atol=1e-13)
    np.testing.assert_allclose(product(phi, C[:, ::2]), phi @ C[:, ::2], rtol=0, atol=1e-13)
    np.testing.assert_allclose(product(phi[::2], C), phi[::2] @ C, rtol=0, atol=1e-13)
    np.testing.assert_allclose(product(phi, np.asfortranarray(C)), phi @ C, rtol=0, atol=1e-13)
    np.testing.assert_allclose(product(phi, C[::-1]), phi @ C[::-1], rtol=0, atol=1e-13)
    repeated = np.broadcast_to(C[:1], C.shape)
    np.testing.assert_allclose(product(phi, repeated), phi @ repeated, rtol=0, atol=1e-13)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("shapes", [((0, 3), (3, 4)), ((3, 0), (0, 4)), ((3, 2), (2, 0))])
def test_nothing_asked(shapes: Any) -> None:
    phi, C = np.zeros(shapes[0]), np.ones(shapes[1])
    np.testing.assert_array_equal(product(phi, C), np.zeros((len(phi), C.shape[1])))


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("rows", [(), (1,), (70,)])
def test_small_products_of_a_curve(rows: tuple[int, ...]) -> None:
    h, weight = draw((*rows, 12), float, 0), draw((12, 30), float, 1)
    np.testing.assert_allclose(times(h, weight), h @ weight, rtol=0, atol=1e-13)


@EVERY
@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(("rows", "columns"), [(1, 30), (7, 100), (4, PIECE + 3)])
def test_a_product_in_place_of_its_factor(kind: str, rows: int, columns: int) -> None:
    weights, C = draw((rows, 7), DTYPES[kind][0], 0), draw((7, columns), DTYPES[kind][1], 1)
    expected, rest = exact(weights, C), C[rows:].copy()
    in_place(weights, C)
    np.testing.assert_allclose(C[:rows], expected, rtol=0, atol=2 * tolerance(kind))
    np.testing.assert_array_equal(C[rows:], rest)


@pytest.mark.usefixtures("_way")
def test_a_tall_product_in_place_of_its_factor() -> None:
    weights, C = draw((TALL + 1, TALL + 1), float, 0), draw((TALL + 1, 50), float, 1)
    expected = weights @ C
    in_place(weights, C)
    np.testing.assert_allclose(C, expected, rtol=0, atol=1e-11)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("step", [1, -1])
def test_a_product_in_place_of_the_last_slices(step: int) -> None:
    phi, C = draw((50, 300), float, 0), draw((300, 50), float, 1)[::step]
    expected = phi @ C
    product(phi, C, C[-50:])
    np.testing.assert_allclose(C[-50:], expected, rtol=0, atol=1e-11)


@EVERY
@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
def test_probes_of_a_stack(kind: str, batch: tuple[int, ...]) -> None:
    left, A = draw((5, 40), DTYPES[kind][0], 0), draw((*batch, 40, 30), DTYPES[kind][1], 1)
    np.testing.assert_allclose(thin(left, A), left @ A, rtol=0, atol=10 * tolerance(kind))
    turned = np.ascontiguousarray(A.swapaxes(-1, -2)).swapaxes(-1, -2)
    np.testing.assert_allclose(thin(left, turned), left @ A, rtol=0, atol=10 * tolerance(kind))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(
    "stacks", [((), ()), ((1,), ()), ((3,), ()), ((), (3,)), ((3,), (3,)), ((1,), (3,)), ((0,), ())]
)
@pytest.mark.parametrize(("n", "k"), [(5, 3), (130, 1), (130, 7), (130, 70)])
@pytest.mark.usefixtures("_way")
def test_matrices_and_their_adjoints_times_few_columns(dtype: Any, stacks: Any, n: int, k: int) -> None:
    S, Z = draw((*stacks[0], n, n + 1), dtype, 0), draw((*stacks[1], n + 1, k), dtype, 1)
    Y = draw((*stacks[1], n, k), dtype, 2)
    accuracy = {"rtol": 0, "atol": 2e-4 if S.real.dtype == np.float32 else 1e-12}
    np.testing.assert_allclose(tall(S, Z), S @ Z, **accuracy)
    np.testing.assert_allclose(tall(S.conj().swapaxes(-1, -2), Y), S.conj().swapaxes(-1, -2) @ Y, **accuracy)
    np.testing.assert_allclose(tall(S[..., ::2, :], Z), S[..., ::2, :] @ Z, **accuracy)


@pytest.mark.usefixtures("_way")
def test_what_is_not_finite_stays_where_it_belongs() -> None:
    phi, C = draw((9, 5), float, 0), draw((5, 100), float, 1)
    phi[4, 2], C[3, 50] = np.nan, np.inf
    found = product(phi, C)
    bad = np.zeros(found.shape, bool)
    bad[4], bad[:, 50] = True, True
    np.testing.assert_array_equal(~np.isfinite(found), bad)


# Compiled ------------------------------------------------------------------------------------------------------------


@needs_compiled
@EVERY
@pytest.mark.parametrize("n", [1, 31, 33, 96, 210])
@pytest.mark.parametrize("form", ["lower", "upper"])
@pytest.mark.usefixtures("_vectors")
def test_triangles_go_where_they_belong(kind: str, n: int, form: Any) -> None:
    part, phi = Part("T", n, n + 2, form), draw((11, 5), DTYPES[kind][0], 0)
    cut = np.tril if form == "lower" else np.triu
    slices = cut(draw((5, n, n + 2), DTYPES[kind][1], 1))
    packed = np.empty((5, part.size), slices.dtype)
    part.pack(slices, packed)
    out = np.full((11, n, n + 2), np.nan, slices.dtype)
    scatter(phi, packed, part.places, out.reshape(11, -1))
    np.testing.assert_allclose(out, np.einsum("bd,dij->bij", phi, slices), rtol=0, atol=tolerance(kind))
    assert (out[~cut(np.ones(out.shape, bool))] == 0).all()


@needs_compiled
@EVERY
@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize("stream", [1, 1 << 40])
@pytest.mark.usefixtures("_vectors")
def test_runs_and_zeros_of_any_length_share_a_row(
    kind: str, offset: int, stream: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "STREAM", stream)
    phi, C = draw((9, 150), DTYPES[kind][0], 0), draw((150, 900), DTYPES[kind][1], 1)
    runs = [(0, 1), (-1, 130), (40, 300), (-1, 3), (350, 47), (-1, 49), (-1, 51), (400, 2), (-1, 96), (500, 289)]
    ends = np.cumsum([count for _, count in runs])
    expected = np.zeros((9, ends[-1]), complex)
    for (start, count), end in zip(runs, ends, strict=True):
        if start >= 0:
            expected[:, end - count : end] = exact(phi, C[:, start : start + count])
    whole = np.full((9, 1024), 7, C.dtype)
    out = whole[:, offset : offset + ends[-1]]
    assert scatter(phi, C, np.array([(*run, end - run[1]) for run, end in zip(runs, ends, strict=True)]), out)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e2 * tolerance(kind))
    assert (whole == 7).sum() == whole.size - out.size


@needs_compiled
@EVERY
@pytest.mark.parametrize("offset", [0, 1, 3, 5, 7])
@pytest.mark.parametrize("columns", [1024, 1023, 200, 5])
@pytest.mark.parametrize("batch", [1, 5, 19])
@pytest.mark.usefixtures("_vectors")
def test_results_past_the_caches_are_the_same(kind: str, offset: int, columns: int, batch: int) -> None:
    phi, C = draw((batch, 7), DTYPES[kind][0], 0), draw((7, columns), DTYPES[kind][1], 1)
    real = phi.real.dtype
    if phi.dtype.kind != C.dtype.kind:
        C = C.view(real)
    memory = np.full((2, batch * C.shape[1] + 16), 7, C.dtype)
    start = -memory[0].ctypes.data // C.itemsize % 8 + offset  # where lines of the cache begin, and beside that
    outs = [line[start : start + batch * C.shape[1]].reshape(batch, -1) for line in memory]
    places = np.array([[0, C.view(real).shape[1], 0]])
    for stream, out in enumerate(outs):
        multiply(phi.view(real), C.view(real), out.view(real), places, 1, stream)
        np.testing.assert_allclose(out, exact(phi, C), rtol=0, atol=10 * tolerance(kind))
    np.testing.assert_array_equal(*outs)
    assert (memory == 7).sum() == 2 * 16


@EVERY
@pytest.mark.parametrize("shape", [(6, 512), (6, 128, 4), (1, 513), (0, 512), (3, 0)])
def test_slices_lie_apart_where_their_length_is_a_multiple_of_a_bank(
    kind: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "BANKS", 4096)
    C = rows_apart(shape, DTYPES[kind][1])
    assert (C.shape, C.dtype) == (shape, DTYPES[kind][1])
    assert all(row.flags.c_contiguous for row in C)
    aside = products.ASIDE if C.size and C[0].nbytes % 4096 == 0 else 0
    assert C.strides[0] == (C[0].nbytes if C.size else C.strides[0]) + aside


@EVERY
@BATCHES
@pytest.mark.usefixtures("_way")
def test_slices_that_lie_apart_give_the_same_answers(kind: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "BANKS", 1)
    phi, C = draw((batch, 5), DTYPES[kind][0], 0), draw((5, 500), DTYPES[kind][1], 1)
    apart, weights = rows_apart(C.shape, C.dtype), draw((3, 5), DTYPES[kind][0], 2)
    apart[...] = C
    assert not apart.flags.c_contiguous
    found, beside = product(phi, apart), product(phi, C)
    if products.compiled is None:
        np.testing.assert_allclose(found, beside, rtol=0, atol=tolerance(kind))
    else:
        np.testing.assert_array_equal(found, beside)
    in_place(weights, apart)
    np.testing.assert_allclose(apart[:3], exact(weights, C), rtol=0, atol=tolerance(kind))


@needs_compiled
def test_bits_depend_neither_on_the_batch_nor_on_threads() -> None:
    phi, C = draw((700, 15), float, 0), draw((15, 5000), float, 1)
    places, out = np.array([[0, 5000, 0]]), np.empty((2, 700, 5000))
    multiply(phi, C, out[0], places, 1)
    for count in (2, 5, 200):
        out[1] = np.nan
        multiply(phi, C, out[1], places, count)
        np.testing.assert_array_equal(out[0], out[1])
    for few in (1, 2, 5, 8, 9):
        np.testing.assert_array_equal(product(phi[13 : 13 + few], C), out[0, 13 : 13 + few])


@needs_compiled
@EVERY
@pytest.mark.parametrize(("rows", "columns"), [(700, 12), (41, 24), (9, 530), (3, 96)])
def test_panels_and_points_are_cut_for_every_number_of_threads(
    kind: str, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    coefficients, slices = DTYPES[kind]
    phi, C = draw((rows, 150), coefficients, 0), draw((150, columns), slices, 1)
    monkeypatch.setattr(products, "ALONE", 0)
    found = []
    for count in (1, 2, 5, 63):
        monkeypatch.setattr(products, "threads", lambda count=count: count)
        found.append(product(phi, C))
    np.testing.assert_allclose(found[0], exact(phi, C), atol=1e2 * tolerance(kind))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("way", ["numpy", *VECTORS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(0,), (1,), (7, 9), (130, 131)])
def test_square_is_that_of_the_norm(way: str, dtype: Any, shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "numpy":
        monkeypatch.setattr(products, "compiled", None)
    elif compiled is None or VECTORS[way] > VECTORS[compiled.VECTORS]:
        pytest.skip(f"no code for {way} vectors here")
    else:
        monkeypatch.setattr(products, "compiled", SimpleNamespace(square=partial(_squared, VECTORS[way])))
    x = np.random.default_rng(0).standard_normal((*shape, 2)).astype(np.zeros(1, dtype).real.dtype).view(dtype)[..., 0]
    for one in (np.ascontiguousarray(x), x.T):
        assert square(one) == pytest.approx(float(np.linalg.norm(x)) ** 2, rel=1e-5 if x.dtype.char in "fF" else 1e-13)


@pytest.mark.parametrize("place", [0, 5, -1])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_square_of_what_is_not_finite_is_not(place: int, wrong: float) -> None:
    x = np.ones(1000)
    x[place] = wrong
    assert not np.isfinite(square(x))


def _squared(vectors: int, x: Any) -> float:
    return float(compiled.square(x, vectors))


@pytest.mark.usefixtures("_vectors")
@EVERY
@pytest.mark.parametrize("columns", [1, 7, 24, 500, 3001])
def test_a_row_alone_has_the_bits_that_it_has_in_a_batch(kind: str, columns: int) -> None:
    phi, C = draw((5, 9), DTYPES[kind][0], 0), draw((9, columns), DTYPES[kind][1], 1)
    together = product(phi, C)
    np.testing.assert_array_equal(np.vstack([product(row[None], C) for row in phi]), together)
    np.testing.assert_allclose(together, exact(phi, C), rtol=0, atol=10 * tolerance(kind))


@needs_compiled
@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_row_by_several_threads_again_and_again(count: int) -> None:
    phi, C, out = draw((1, 9), float, 0), draw((9, 300_000), float, 1), np.empty((1, 300_000))
    alone = product(phi, C[:, :3000])
    for _ in range(50):
        out[:] = np.nan
        multiply(phi, C, out, None, count)
        np.testing.assert_array_equal(out[:, :3000], alone)
    np.testing.assert_allclose(out, phi @ C, rtol=0, atol=1e-13)


@needs_compiled
def test_many_callers_at_once() -> None:
    phi, C = draw((40, 7), float, 0), draw((7, 20000), float, 1)
    places, outs = np.array([[0, 20000, 0]]), np.empty((8, 40, 20000))

    def call(out: np.ndarray) -> None:
        for _ in range(20):
            out[:] = np.nan
            multiply(phi, C, out, places, 3, True)

    callers = [threading.Thread(target=call, args=(out,)) for out in outs]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    np.testing.assert_array_equal(outs, np.broadcast_to(outs[0], outs.shape))
    np.testing.assert_allclose(outs[0], phi @ C, rtol=0, atol=1e-13)


def _in_a_child(phi: np.ndarray, C: np.ndarray, queue: Any) -> None:
    out = np.empty((len(phi), C.shape[1]))
    multiply(phi, C, out, np.array([[0, C.shape[1], 0]]), 3)
    queue.put(out.sum())


@needs_compiled
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_loses_the_helpers_and_nothing_else() -> None:
    phi, C, out = draw((40, 7), float, 0), draw((7, 20000), float, 1), np.empty((40, 20000))
    multiply(phi, C, out, np.array([[0, 20000, 0]]), 3)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_a_child, args=(phi, C, queue))
    child.start()
    assert queue.get(timeout=60) == out.sum()
    child.join()


UNSUITED: dict[str, Any] = {
    "two types": (np.ones((2, 3)), np.ones((3, 4), "f4"), np.ones((2, 4))),
    "whole numbers": (np.ones((2, 3), int), np.ones((3, 4), int), np.ones((2, 4), int)),
    "C strided": (np.ones((2, 3)), np.ones((3, 8))[:, ::2], np.ones((2, 4))),
    "out strided": (np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 8))[:, ::2]),
    "phi strided": (np.ones((4, 3))[::2], np.ones((3, 4)), np.ones((2, 4))),
    "a vector": (np.ones(3), np.ones((3, 4)), np.ones((1, 4))),
}


@needs_compiled
@pytest.mark.parametrize("what", UNSUITED)
def test_what_compiled_code_does_not_know_is_left_alone(what: str) -> None:
    phi, C, out = UNSUITED[what]
    assert not multiply(phi, C, out, None, 1)
    assert (out == 1).all()
    if what != "a vector":
        np.testing.assert_array_equal(product(phi, C, out), np.full((2, 4), 3))


REFUSED: dict[str, Any] = {
    "rows of out": (np.ones((2, 3)), np.ones((3, 4)), np.ones((3, 4)), [[0, 4, 0]]),
    "as many columns": (np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 4)), [[0, 4, 0]]),
    "int64": (np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4)), [[0, 4]]),
    "outside of C": (np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 9)), [[1, 4, 0]]),
    "or out": (np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4)), [[-1, 4, 1]]),
    "cuts a complex": (np.ones((2, 6)), np.ones((3, 4)), np.ones((2, 4)), [[1, 2, 0]]),
}


@needs_compiled
@pytest.mark.parametrize("why", REFUSED)
def test_what_would_leave_the_arrays_is_refused(why: str) -> None:
    phi, C, out, places = REFUSED[why]
    with pytest.raises(ValueError, match=why):
        multiply(phi, C, out, np.array(places), 1)


@needs_compiled
def test_memory_that_is_read_only_is_refused() -> None:
    out = np.ones((2, 4))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        multiply(np.ones((2, 3)), np.ones((3, 4)), out, None, 1)


def several(phi: np.ndarray, slices: np.dtype[Any]) -> list[products.Product]:
    """Products of many and of few columns, to all columns of a result or to some of them."""
    C, step = draw((phi.shape[1], 3000), slices, 1), 2 * np.dtype(slices).itemsize
    memory = np.full((3, len(phi), 4096 // step * step), np.nan, slices)
    places = np.array([[-1, 8, 0], [10, 900, 8], [-1, 2, 908], [0, 10, 910]])
    return [
        (C[:, :2000], None, memory[0, :, :2000]),
        (C[:, 2000:], places, memory[1, :, :920]),
        (C[:, 5:12], None, memory[2, :, :7]),
    ]


@EVERY
@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.usefixtures("_vectors")
def test_products_side_by_side_are_those_alone(
    kind: str, batch: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "threads", lambda: count)
    monkeypatch.setattr(products, "ALONE", 0)
    phi = draw((batch, 7), DTYPES[kind][0], 0)
    together, alone = several(phi, DTYPES[kind][1]), several(phi, DTYPES[kind][1])
    assert scatter_all(phi, together)
    for one, (C, places, out) in zip(together, alone, strict=True):
        assert scatter(phi, C, places, out)
        np.testing.assert_array_equal(one[2], out)
        assert not np.isnan(out).any()


@needs_compiled
def test_nothing_is_done_where_one_of_several_products_is_not_suited() -> None:
    phi = np.ones((2, 3))
    outs = np.zeros((2, 4)), np.zeros((2, 4), "f4")
    assert not scatter_all(phi, [(np.ones((3, 4)), None, out) for out in outs])
    assert not any(out.any() for out in outs)
    assert scatter_all(phi, [])


@needs_compiled
def test_memory_is_let_go_of_where_one_of_several_products_is_refused() -> None:
    phi, C, out, places = np.ones((2, 3)), np.ones((3, 4)), np.zeros((2, 4)), np.array([[0, 5, 0]])
    before = [sys.getrefcount(each) for each in (phi, C, out, places)]
    good, bad = (C, out, None, False), (C, out, places, False)
    for wrong, match in (((good, bad), "outside of C"), ((good,) * 9, "9 products")):
        with pytest.raises(ValueError, match=match):
            compiled.multiply(phi, wrong, 1)
    with pytest.raises(TypeError, match="must be a tuple"):
        compiled.multiply(phi, (good, None), 1)
    del good, bad, wrong
    assert [sys.getrefcount(each) for each in (phi, C, out, places)] == before
    assert not out.any()


@pytest.mark.parametrize(("told", "taken"), [("3", 3), ("2,4", 2), (" 5 ", 5)])
def test_threads_are_those_of_the_environment(told: str, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    threads.cache_clear()
    assert threads() == taken
    threads.cache_clear()


@pytest.mark.parametrize("told", [None, "", "many", "0", "-2"])
def test_without_an_order_there_is_a_thread_for_each_core(told: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if told is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 3, 4, 7, 9}, raising=False)
    threads.cache_clear()
    assert threads() == 5
    threads.cache_clear()
