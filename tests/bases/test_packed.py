"""Networks of sines in compiled code, for every kind of vectors, against NumPy's extended precision."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from neumatc.bases import SineNetwork, lobatto
from neumatc.bases.network import NetworkCurve
from neumatc.bases.packed import LARGE, STEEP, Packed, compiled
from neumatc.bases.sine import SineCurve

pytestmark = pytest.mark.skipif(compiled is None, reason="neumatc._sine was not built: no C compiler")

EXTENDED = np.longdouble
needs_extended = pytest.mark.skipif(
    np.finfo(EXTENDED).eps > 1e-18, reason="no precision beyond double to compare with on this machine"
)
EPS = np.finfo(float).eps

NETWORKS = [(1, 128, 128, 17), (1, 1, 1), (2, 16, 3), (3, 17, 15, 31, 1), (5, 130, 40), (1, 6), (4, 4, 33)]


def drawn(sizes, scale=1.0):
    rng = np.random.default_rng(sizes)
    return tuple(
        (scale * rng.uniform(-3, 3, (rows, columns)) / np.sqrt(rows), rng.uniform(-np.pi, np.pi, columns))
        for rows, columns in pairwise(sizes)
    )


def exact(layers, x):
    h = x.astype(EXTENDED)
    for weight, bias in layers[:-1]:
        h = np.sin(h @ weight.astype(EXTENDED) + bias.astype(EXTENDED))
    return h @ layers[-1][0].astype(EXTENDED) + layers[-1][1].astype(EXTENDED)


def points(count, dimension):
    return np.random.default_rng(1).uniform(-1, 1, (count, dimension))


@pytest.fixture(params=[0, 1, 2], ids=["basic", "avx2", "avx512"])
def _vectors(request, monkeypatch):
    """Every kind of vectors that this processor has."""
    evaluate: Any = compiled.evaluate
    if request.param > ["basic", "avx2", "avx512"].index(compiled.VECTORS):
        pytest.skip("no such vectors here")

    class Chosen:
        WIDE = compiled.WIDE

        @staticmethod
        def evaluate(*arguments):
            evaluate(*arguments, request.param)

    monkeypatch.setattr("neumatc.bases.packed.compiled", Chosen)


def identity(x):
    """The sine of every number, by a network that does nothing else."""
    one = Packed.of(((np.ones((1, 1)), np.zeros(1)), (np.ones((1, 1)), np.zeros(1))))
    return one(x[:, None])[:, 0]


@needs_extended
@pytest.mark.usefixtures("_vectors")
@pytest.mark.parametrize("largest", [1e-9, 0.5, 1.6, 10.0, 1e3, 1e5])
def test_sines_to_less_than_a_unit_in_the_last_place(largest):
    x = np.random.default_rng(0).uniform(-largest, largest, 20000)
    true = np.sin(x.astype(EXTENDED))
    assert np.max(np.abs(identity(x) - true) / np.spacing(np.abs(true.astype(float)))) < 1.0


@needs_extended
@pytest.mark.usefixtures("_vectors")
def test_sines_beside_multiples_of_half_pi():
    # Where almost everything cancels when π is taken away.
    near = np.concatenate([np.arange(1, 4000), np.arange(600000, 604000)]) * (np.pi / 2)
    x = np.concatenate([near, np.nextafter(near, 0), np.nextafter(near, 1e9), -near])
    true = np.sin(x.astype(EXTENDED))
    assert np.max(np.abs(identity(x) - true)) < 0.8 * EPS / 2
    assert np.max(np.abs(identity(x) / true - 1)) < 4 * EPS


@pytest.mark.usefixtures("_vectors")
def test_zeros_are_exact_and_no_number_gives_no_number():
    assert identity(np.array([0.0, -0.0])).tolist() == [0.0, 0.0]
    assert np.isnan(identity(np.array([np.nan, 0.3, np.inf]))).tolist() == [True, False, True]


@needs_extended
@pytest.mark.usefixtures("_vectors")
@pytest.mark.parametrize("sizes", NETWORKS)
@pytest.mark.parametrize("count", [0, 1, 16, 37])
def test_networks_of_any_sizes_to_rounding(sizes, count):
    layers, x = drawn(sizes), points(count, sizes[0])
    size = np.sum(np.abs(layers[-1][0])) + np.max(np.abs(layers[-1][1]))
    value = Packed.of(layers)(x)
    assert value.shape == (count, sizes[-1])
    assert np.max(np.abs(value - exact(layers, x)), initial=0.0) < 10 * EPS * size * len(sizes)


@pytest.mark.usefixtures("_vectors")
def test_a_point_has_the_same_bits_in_every_batch():
    packed, x = Packed.of(drawn((2, 40, 33, 9))), points(50, 2)
    assert np.array_equal(packed(x), np.vstack([packed(row[None]) for row in x]))
    assert np.array_equal(packed(x), packed(np.asfortranarray(x)))
    assert np.array_equal(packed(x)[::3], packed(x[::3]))


def test_threads_share_a_network():
    packed, x = Packed.of(drawn((1, 128, 128, 20))), points(600, 1)
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(value, packed(x)) for value in pool.map(lambda _: packed(x), range(40)))


@needs_extended
def test_a_fitted_curve_is_no_less_accurate_than_by_numpy(monkeypatch):
    """Weights of the readout are large and cancel, so that every rounding shows."""
    x, t = lobatto(40), points(500, 1)
    curve = SineNetwork().fit(x, np.exp(np.cos(np.arange(1, 18) * x / 4 + 1)), np.random.default_rng(0))
    true = exact((*curve.hidden, (curve.readout, curve.offset)), t)
    assert np.max(np.abs(curve.readout).sum(axis=0)) > 100
    ours = np.linalg.norm((curve(t) - true).astype(float))
    monkeypatch.setattr("neumatc.bases.packed.compiled", None)
    theirs = np.linalg.norm((SineCurve(curve.hidden, curve.readout, curve.offset)(t) - true).astype(float))
    assert 0 < ours < 1.5 * theirs


@pytest.mark.parametrize("make", [SineCurve, lambda *parts: NetworkCurve("sine", *parts)])
def test_curves_are_the_same_with_and_without_compiled_code(make, monkeypatch):
    *hidden, readout = drawn((3, 60, 20, 7))
    x = points(25, 3)
    ours = make(tuple(hidden), *readout)(x)
    monkeypatch.setattr("neumatc.bases.packed.compiled", None)
    theirs = make(tuple(hidden), *readout)(x)
    assert not np.array_equal(ours, theirs)  # two ways indeed
    assert np.allclose(ours, theirs, rtol=0, atol=1e-13)


def test_what_numpy_must_evaluate_or_does_faster():
    assert Packed.of(drawn((1, 16, 4), scale=STEEP)) is None
    assert Packed.of(drawn((1, 400, LARGE // 400))) is None
    assert Packed.of(drawn((1, 16, 4))) is not None
    other = NetworkCurve("tanh", *_parts((1, 16, 4)))
    assert np.allclose(
        other(np.array([[0.3]])), np.tanh(0.3 * other.hidden[0][0] + other.hidden[0][1]) @ other.readout + other.offset
    )


def _parts(sizes):
    *hidden, readout = drawn(sizes)
    return tuple(hidden), *readout


@pytest.mark.parametrize("wrong", ["x", "weights", "sizes", "out", "no layer", "negative"])
def test_memory_that_does_not_fit_is_refused(wrong):
    packed = Packed.of(drawn((2, 5, 3)))
    given = {"x": np.zeros((4, 2)), "weights": packed.weights, "sizes": packed.sizes, "out": np.empty((4, 3))}
    if wrong == "no layer":
        given["sizes"] = np.array([2])
    elif wrong == "negative":
        given["sizes"] = np.array([2, -5, 3])
    else:
        given[wrong] = given[wrong].ravel()[:-1].copy()
    with pytest.raises(ValueError, match="do not belong to one network"):
        compiled.evaluate(*given.values())
