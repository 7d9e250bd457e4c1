"""Laws that every basis and its curve obey, crossed with points and data of all sizes."""

import subprocess
import sys

import numpy as np
import pytest

from neumatc.bases import BASES, CURVES, Chebyshev, RadialBasis, Rational, SineNetwork, Spline, basis, lobatto
from neumatc.errors import InputError, NonFiniteError, TrainingError

ONE_PARAMETER = [SineNetwork(), Chebyshev(), Rational(), Spline(), RadialBasis()]
SEVERAL = [SineNetwork(), Chebyshev(), RadialBasis()]
named = pytest.mark.parametrize("make", ONE_PARAMETER, ids=lambda make: make.name)


def smooth(x):
    """Three entire functions of each row, (B, D) -> (B, 3)."""
    s = x.sum(axis=1, keepdims=True)
    return np.hstack([np.exp(s), np.cos(2 * s + 1) + 0.3 * x[:, :1], 1 / (x[:, :1] + 3)])


def inside(count, dimension=1, seed=7):
    return np.random.default_rng(seed).uniform(-0.99, 0.99, (count, dimension))


def fitted(make, x, y=None, seed=0):
    return make.fit(x, smooth(x) if y is None else y, np.random.default_rng(seed))


def central_difference(curve, x, axis, h=1e-5):
    step = np.zeros(x.shape[1])
    step[axis] = h
    return (curve(x + step) - curve(x - step)) / (2 * h)


def rounding(curve):
    """What a sum of terms that cancel may be off: powers of the distance, at most 2⁵, have weights of thousands."""
    return np.finfo(float).eps * np.abs(curve.weights).sum(axis=0).max() * 2**5 if curve.name == "rbf" else 0.0


@named
def test_smooth_map_is_learnt_from_sixty_points(make):
    t = inside(200)
    assert np.max(np.abs(fitted(make, lobatto(60))(t) - smooth(t))) < 1e-8


@named
def test_samples_are_met(make):
    x = lobatto(41)
    assert np.max(np.abs(fitted(make, x)(x) - smooth(x))) < 1e-10


@named
def test_derivative_is_the_slope_of_the_curve(make):
    curve, t = fitted(make, lobatto(50)), inside(50)
    h = 1e-4
    assert np.allclose(curve.derivative(t, 0), central_difference(curve, t, 0, h), atol=1e-7 + rounding(curve) / h)


@pytest.mark.parametrize("make", SEVERAL, ids=lambda make: make.name)
@pytest.mark.parametrize("counts", [(17, 15), (9, 8, 7)])
def test_several_parameters(make, counts):
    x, t = lobatto(*counts), inside(100, len(counts))
    curve = fitted(make, x)
    # Powers of the distance gain digits with every halving of the spacing, not with every point.
    assert np.max(np.abs(curve(t) - smooth(t))) < {2: 1e-3 if make.name == "rbf" else 1e-6, 3: 3e-2}[len(counts)]
    for axis in range(len(counts)):
        assert np.allclose(curve.derivative(t, axis), central_difference(curve, t, axis), atol=1e-6)


@pytest.mark.parametrize(("make", "counts"), [(each, (30,)) for each in ONE_PARAMETER] + [(SEVERAL[1], (7, 5))])
def test_stored_arrays_give_the_same_curve_bit_for_bit(make, counts):
    curve, t = fitted(make, lobatto(*counts)), inside(20, len(counts))
    stored = {key: value.copy() for key, value in curve.arrays().items()}
    assert all(value.dtype == np.float64 for value in stored.values())
    again = CURVES[curve.name].from_arrays(stored)
    assert np.array_equal(again(t), curve(t))
    assert np.array_equal(again.derivative(t, 0), curve.derivative(t, 0))
    assert list(again.arrays()) == list(stored)


@named
def test_batch_equals_single(make):
    curve, t = fitted(make, lobatto(40)), inside(30)
    single = np.concatenate([curve(t[i : i + 1]) for i in range(len(t))])
    assert np.allclose(curve(t), single, rtol=1e-13, atol=1e-12 + rounding(curve))
    assert curve(t[:0]).shape == (0, 3)


@named
def test_answering_leaves_the_points_and_the_curve_alone(make):
    curve, t = fitted(make, lobatto(30)), inside(9)
    arrays = [*curve.arrays().values(), t]
    before = [each.copy() for each in arrays]
    for each in arrays:
        each.setflags(write=False)
    curve(t), curve.derivative(t, 0)
    assert all(np.array_equal(old, new) for old, new in zip(before, arrays, strict=True))


@named
def test_same_seed_same_curve(make):
    x, t = lobatto(40), inside(10)
    assert np.array_equal(fitted(make, x, seed=3)(t), fitted(make, x, seed=3)(t))


@named
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 30])
@pytest.mark.parametrize("outputs", [1, 20])
def test_constants_come_out_constant(make, count, outputs):
    t = inside(20)
    for value in (0.0, -7.3):
        curve = fitted(make, lobatto(count), np.full((count, outputs), value))
        assert np.allclose(curve(t), value, rtol=1e-13, atol=0)
        assert np.allclose(curve.derivative(t, 0), 0, atol=1e-10)


@named
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_few_samples_give_a_finite_curve(make, count):
    curve, t = fitted(make, lobatto(count)), inside(20)
    assert curve(t).shape == (20, 3)
    assert np.isfinite(curve(t)).all()
    assert np.isfinite(curve.derivative(t, 0)).all()


@named
@pytest.mark.parametrize("exponent", [-600, 600])
def test_scaling_by_a_power_of_two_scales_the_curve(make, exponent):
    x, t = lobatto(40), inside(20)
    plain, scaled = fitted(make, x)(t), fitted(make, x, np.ldexp(smooth(x), exponent))(t)
    assert np.allclose(np.ldexp(scaled, -exponent), plain, rtol=0, atol=1e-9)


@named
def test_rounding_just_outside_the_interval_is_harmless(make):
    curve = fitted(make, lobatto(40))
    edge = np.array([[np.nextafter(1, 2)], [np.nextafter(-1, -2)]])
    assert np.allclose(curve(edge), smooth(edge), atol=1e-7)


@named
@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros((3, 1)), np.zeros((4, 1))),
        (np.zeros((0, 1)), np.zeros((0, 1))),
        (lobatto(3), 1j * np.ones((3, 1))),
    ],
)
def test_samples_of_the_wrong_shape_are_refused(make, x, y):
    with pytest.raises(InputError, match=r"real points x \(M, D\) and values y \(M, m\)"):
        make.fit(x, y, np.random.default_rng(0))


@named
def test_nan_is_refused(make):
    y = smooth(lobatto(9))
    y[4, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"the first is nan at index \(4, 1\)"):
        make.fit(lobatto(9), y, np.random.default_rng(0))


@pytest.mark.parametrize("make", [Rational(), Spline()], ids=lambda make: make.name)
def test_one_parameter_bases_refuse_two(make):
    assert "exactly one parameter" in make.unsuited(lobatto(3, 3))
    with pytest.raises(InputError, match=f"basis '{make.name}' cannot fit these points .M = 9, D = 2.: "):
        fitted(make, lobatto(3, 3))
    assert make.unsuited(np.array([[0.0], [0.5], [0.0]])) == "some points repeat"


def test_repr_shows_shapes_not_numbers():
    assert repr(fitted(Spline(), lobatto(9))) == "SplineCurve(starts (4,), coefficients (6, 4, 3))"


def test_tables_of_names_agree():
    assert list(BASES) == ["sine", "chebyshev", "rational", "spline", "rbf"]
    assert list(CURVES) == [*BASES, "network"]  # of joint training, which fits no known labels
    assert all(kind.name == name for table in (BASES, CURVES) for name, kind in table.items())


def test_basis_by_name_instance_and_auto():
    own = Spline(degree=3)
    assert basis(own) == (own,)
    assert basis("rational") == (Rational(),)
    assert basis("auto") == (SineNetwork(), Chebyshev(), Rational(), Spline(), RadialBasis())


def test_unknown_basis_lists_the_known_ones():
    expected = (
        r"unknown basis 'chebychev'; known: 'chebyshev', 'rational', 'rbf', 'sine', 'spline'\. Did you mean 'cheb"
    )
    with pytest.raises(InputError, match=expected):
        basis("chebychev")


def test_basis_class_without_call_is_explained():
    with pytest.raises(InputError, match="without calling it"):
        basis(Spline)


@pytest.mark.parametrize("options", [{"layers": 0}, {"width": -5}, {"bandwidth": 0.0}, {"gain": np.inf}])
def test_impossible_options_are_refused(options):
    with pytest.raises(InputError, match="must be positive and finite"):
        SineNetwork(**options)


def test_random_data_end_in_a_curve_or_a_training_error():
    rng = np.random.default_rng(0)
    for count in (3, 4, 8, 30):
        x, y = lobatto(count), rng.standard_normal((count, 2))
        for make in ONE_PARAMETER:
            try:
                curve = make.fit(x, y, rng)
            except TrainingError:
                continue
            assert np.isfinite(curve(inside(20))).all()


def test_answering_imports_numpy_alone():
    program = (
        "import sys, numpy as np\n"
        "from neumatc.bases import CURVES\n"
        "curve = CURVES['spline'].from_arrays({'starts': np.array([-1.0]), 'coefficients': np.ones((2, 1, 1))})\n"
        "curve(np.array([[0.5]])), curve.derivative(np.array([[0.5]]), 0)\n"
        "assert not {'scipy', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
