"""The synthetic inverses: condition number, definiteness, exact inverse, smoothness, determinism."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import SyntheticInverse
from neumatc.gallery.condition import compressed, conditions

FAMILIES = {
    "easy": SyntheticInverse(n=64, rank=8),
    "full size": SyntheticInverse(),
    "cond 50": SyntheticInverse(n=64, rank=8, cond=50.0),
    "spd": SyntheticInverse(n=64, rank=8, variant="spd"),
    "near-pole": SyntheticInverse(n=64, rank=8, variant="near-pole"),
    "oscillating": SyntheticInverse(n=64, rank=8, variant="oscillating"),
    "complex": SyntheticInverse(n=64, rank=8, complex=True),
    "complex spd": SyntheticInverse(n=64, rank=8, complex=True, variant="spd"),
    "n below 2 r": SyntheticInverse(n=12, rank=8),
    "two parameters": SyntheticInverse(n=48, rank=6, dimensions=2),
    "two parameters spd": SyntheticInverse(n=48, rank=6, dimensions=2, variant="spd", cond=30.0),
    "three parameters": SyntheticInverse(n=40, rank=4, dimensions=3),
    "three parameters shared": SyntheticInverse(n=40, rank=4, dimensions=3, shared=True),
}


def points(family, count, seed=7):
    """Random points in the form in which a family is called."""
    x = np.random.default_rng(seed).uniform(size=(count, family.dimensions))
    return [float(p[0]) if family.dimensions == 1 else p for p in x]


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def test_largest_condition_number_is_the_target(family):
    at = list(np.linspace(0, 1, 1501)) if family.dimensions == 1 else points(family, 1500)
    conds = [family.condition(p) for p in at]
    assert max(conds) <= 1.02 * family.target
    # Random points of several parameters need not hit the maximum, a fine grid of one does.
    assert max(conds) >= (0.98 if family.dimensions == 1 else 0.7) * family.target
    worst = at[int(np.argmax(conds))]
    assert np.linalg.cond(family(worst)) == pytest.approx(max(conds), rel=1e-8)


def test_condition_agrees_with_numpy(family):
    for p in points(family, 3):
        assert family.condition(p) == pytest.approx(np.linalg.cond(family(p)), rel=1e-9)


def test_a_smaller_scale_does_not_reach_the_target(family):
    small = np.stack([compressed(*family.factors(p)) for p in points(family, 200)])
    for share in (0.3, 0.6, 0.9, 0.99):
        assert conditions(small, share * family.scale, family.n).max() < family.target


def test_inverse_is_the_inverse(family):
    for p in points(family, 2):
        residual = family(p) @ family.inverse(p) - np.eye(family.n)
        assert np.linalg.norm(residual) < 1e-10 * np.sqrt(family.n)


def test_spd_is_spd():
    for name in ("spd", "complex spd", "two parameters spd"):
        for p in points(FAMILIES[name], 5):
            H = FAMILIES[name](p)
            assert np.array_equal(H, H.conj().T)
            assert np.linalg.eigvalsh(H).min() > 1 - 1e-10


def test_one_parameter_is_the_formula():
    family = SyntheticInverse(n=9, rank=3, seed=4)
    left, right = family._waves
    A = left.amplitude * np.sin(left.angular * 0.3 + left.phase)
    B = right.amplitude * np.sin(right.angular * 0.3 + right.phase)
    np.testing.assert_allclose(family(0.3), np.eye(9) + family.scale * A @ B.T, rtol=0, atol=1e-14)
    assert left.angular.min() >= np.pi
    assert left.angular.max() <= 3 * np.pi


def test_band_of_the_variant_is_the_default():
    for variant, band in (("easy", (0.5, 1.5)), ("oscillating", (2.0, 6.0))):
        plain, named = (SyntheticInverse(n=20, rank=4, variant=variant, band=b) for b in (None, band))
        assert np.array_equal(plain(0.3), named(0.3))
        assert "band" not in plain.name


def test_band_bounds_the_frequencies():
    left, right = SyntheticInverse(n=30, rank=5, band=(0.1, 0.2))._waves
    for waves in (left, right):
        assert waves.angular.min() >= 2 * np.pi * 0.1
        assert waves.angular.max() <= 2 * np.pi * 0.2
    columns, _ = SyntheticInverse(n=30, rank=5, dimensions=2, band=(0.0, 0.3))._waves
    assert np.linalg.norm(columns.angular, axis=-1).max() <= 2 * np.pi * 0.7 * 0.3


def test_a_shared_factor_spans_six_matrices():
    for shared, rank in ((True, 6), (False, 5 * 12)):  # five columns with six sines and six cosines each
        left, _ = SyntheticInverse(n=30, rank=5, dimensions=2, shared=shared)._waves
        stack = np.stack([left(p).ravel() for p in points(SyntheticInverse(n=30, rank=5, dimensions=2), 100)])
        assert np.linalg.matrix_rank(stack) == rank


def test_a_low_band_makes_several_parameters_gentle():
    def modes(band):
        family = SyntheticInverse(n=24, rank=4, dimensions=2, band=band)
        stack = np.stack([family.inverse(p).ravel() for p in points(family, 300)])
        sigma = np.linalg.svd(stack, compute_uv=False)
        return int(np.sum(sigma > 1e-6 * sigma[0]))

    assert modes((0.0, 0.15)) < 0.3 * modes(None)


def test_condition_number_holds_in_another_band():
    family = SyntheticInverse(n=24, rank=4, dimensions=2, band=(0.0, 0.3), cond=20.0)
    conds = [family.condition(p) for p in points(family, 1500)]
    assert 14 <= max(conds) <= 20.4
    assert "band=0..0.3" in family.name


def test_column_energy_decays_by_a_fifth():
    left, _ = SyntheticInverse(n=4000, rank=6)._waves
    energy = (left.amplitude**2).sum(axis=0)
    np.testing.assert_allclose(energy, 0.8 ** np.arange(6), rtol=0.1)


def test_inverse_falls_geometrically_in_the_degree():
    family = SyntheticInverse(n=32, rank=6)
    x = -np.cos(np.pi * np.arange(121) / 120)
    values = np.stack([family.inverse((t + 1) / 2).ravel() for t in x])
    coefficients = np.polynomial.chebyshev.chebfit(x, values, 120)
    size = np.linalg.norm(coefficients, axis=1)
    slope = np.polyfit(np.arange(10, 60), np.log(size[10:60]), 1)[0]
    assert slope < np.log(0.85)


def test_equal_seeds_give_equal_families_and_others_do_not():
    one, same, other = (SyntheticInverse(n=20, rank=4, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one(0.4), same(0.4))
    assert one == same
    assert hash(one) == hash(same)
    assert not np.allclose(one(0.4), other(0.4))


def test_answers_are_fresh():
    family = SyntheticInverse(n=20, rank=4)
    first = family(0.4)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(family(0.4), kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "esay"}, "unknown variant 'esay'"),
        ({"dimensions": 4}, "dimensions must be 1, 2 or 3"),
        ({"shared": True}, "shared=True needs two or three parameters"),
        ({"n": 8, "rank": 8}, "rank must lie between 1 and n - 1 = 7"),
        ({"cond": 1.0}, "cond must be larger than 1"),
        ({"cond": float("nan")}, "cond must be larger than 1"),
        ({"band": (0.5, 0.2)}, "0 <= low <= high, but came band=\\(0.5, 0.2\\)"),
        ({"band": (-0.1, 0.2)}, "expected a band"),
        ({"band": (0.1, float("inf"))}, "expected a band"),
        ({"band": (0.1,)}, "expected a band"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        SyntheticInverse(**options)


def test_wrong_number_of_coordinates_is_named():
    with pytest.raises(InputError, match=r"has 2 parameter\(s\), but came p = 0.3"):
        FAMILIES["two parameters"](0.3)
