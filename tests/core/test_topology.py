"""Berry's phase, holonomies and Chern numbers: known answers, gauge invariance, and refusals."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neumatc as nmc
from neumatc.errors import GaugeError, InputError
from neumatc.gallery import ChernBand, ConicalIntersection, Moebius
from neumatc.gallery.real.bands import Haldane, KaneMele
from neumatc.topology import berry_phase, chern_number, holonomy


def lapack(family):
    """What LAPACK makes of the family: vectors in phases of its own."""
    return lambda p: np.linalg.eigh(family(p))


def circle(centre, radius, count=200):
    t = 2 * np.pi * np.arange(count) / count
    return np.asarray(centre) + radius * np.stack([np.cos(t), np.sin(t)], axis=1)


@pytest.mark.parametrize(("mass", "radius"), [(0.0, 0.05), (0.0, 0.4), (0.1, 0.2), (0.4, 0.3)])
def test_phase_round_a_cone_is_the_formula(mass, radius):
    family = ConicalIntersection(n=6, mass=mass, centre=(0.5, 0.5))
    loop = circle((0.5, 0.5), radius)
    phases = [berry_phase(lapack(family), loop, bands=family.lower + i) for i in (0, 1)]
    assert np.abs(phases) == pytest.approx(family.berry_phase(radius), abs=1e-3)
    assert mass == 0 or sum(phases) == pytest.approx(0, abs=1e-6)


def test_both_levels_of_a_cone_together_see_nothing():
    family = ConicalIntersection(n=6, centre=(0.5, 0.5))
    pair = [family.lower, family.lower + 1]
    assert berry_phase(lapack(family), circle((0.5, 0.5), 0.3), bands=pair) == pytest.approx(0, abs=1e-12)


def test_no_phase_beside_the_cone():
    family = ConicalIntersection(n=6, centre=(0.5, 0.5))
    assert berry_phase(lapack(family), circle((0.7, 0.7), 0.2), bands=family.lower) == pytest.approx(0, abs=1e-12)


def test_phase_of_a_loop_is_the_flux_through_it():
    family = ChernBand(n=2, mass=1.5)
    side, around = 12, np.linspace(0.1, 0.3, 13)
    square = [(x, 0.1) for x in around[:-1]] + [(0.3, y) for y in around[:-1]]
    square += [(x, 0.3) for x in around[:0:-1]] + [(0.1, y) for y in around[:0:-1]]
    cells = [
        berry_phase(lapack(family), [(x, y), (x + h, y), (x + h, y + h), (x, y + h)], bands=0)
        for h in [0.2 / side]
        for x in around[:-1]
        for y in around[:-1]
    ]
    assert berry_phase(lapack(family), square, bands=0) == pytest.approx(sum(cells), abs=1e-12)


@pytest.mark.parametrize("twists", [0, 1, 2, 3])
def test_vectors_of_the_moebius_band_come_back_with_their_sign(twists):
    family = Moebius(n=6, twists=twists)
    loop = np.arange(60) / 60
    w = family.eigenvalues(0.0)
    for value in (-1.0, 1.0):
        band = int(np.argmin(np.abs(w - value)))
        assert berry_phase(lapack(family), loop, bands=band) == pytest.approx(np.pi * (twists % 2), abs=1e-12)
        assert holonomy(lapack(family), loop, bands=band) == pytest.approx(np.array([[family.holonomy]]))


def test_a_fit_of_one_parameter_shows_its_loop():
    family = Moebius(n=6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = nmc.eigh(family, family.box, tol=1e-6, rng=0)
    band = int(np.argmin(np.abs(family.eigenvalues(0.0) - 1.0)))
    # The first point again at the end: one more frame of the same subspace changes nothing.
    assert berry_phase(f, np.linspace(0, 1, 50), bands=band) == pytest.approx(np.pi, abs=1e-6)


@pytest.mark.parametrize("mass", [-2.7, -1.0, 0.3, 1.8, 2.4])
def test_chern_number_of_the_two_bands(mass):
    family = ChernBand(n=4, mass=mass)
    found = [chern_number(lapack(family), family.box, bands=family.lower + i) for i in (0, 1)]
    assert found == [family.chern, -family.chern]


def test_chern_numbers_add_up():
    family = ChernBand(n=5, mass=1.0)
    each = [chern_number(family.eigenvectors, family.box, bands=i, samples=12) for i in range(5)]
    below = slice(0, family.lower + 1)
    assert chern_number(family.eigenvectors, family.box, bands=below, samples=12) == sum(each[below]) == family.chern
    assert sum(each) == 0


@pytest.mark.parametrize("dials", [{}, {"mass": 0.2}, {"mass": 1.0}, {"phase": -np.pi / 2}])
def test_chern_number_of_haldanes_model(dials):
    family = Haldane(**dials)
    assert chern_number(lapack(family), family.box, bands=0) == family.chern


@pytest.mark.parametrize("dials", [{}, {"mass": 1.0}, {"phase": -np.pi / 2}])
def test_chern_number_of_a_map(dials):
    family = Haldane(**dials)
    f = nmc.eigh(family, family.box, rank=1, tol=1e-6, rng=0)
    assert f.status == "converged"
    assert chern_number(f) == family.chern


def test_time_reversal_forbids_a_chern_number():
    family = KaneMele()
    assert chern_number(lapack(family), family.box, bands=[0, 1]) == 0


def test_grid_of_frames_will_do():
    family = ChernBand(n=3, mass=1.0)
    x = np.arange(15) / 15
    frames = np.array([[np.linalg.eigh(family(np.array([a, b])))[1] for b in x] for a in x])
    assert chern_number(frames, bands=family.lower) == family.chern


def random_unitary(size, rng):
    return np.linalg.qr(rng.standard_normal((size, size)) + 1j * rng.standard_normal((size, size)))[0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_no_gauge_changes_an_invariant(seed, k):
    rng = np.random.default_rng(seed)
    t = 2 * np.pi * np.arange(12) / 12
    H0, H1, H2 = (M + M.conj().T for M in rng.standard_normal((3, 5, 5)) + 1j * rng.standard_normal((3, 5, 5)))
    H = H0 + np.cos(t)[:, None, None] * H1 / 20 + np.sin(t)[:, None, None] * H2 / 20 + 9 * np.diag(np.arange(5.0))
    V = np.linalg.eigh(H)[1][:, :, :k]
    moved = V @ np.stack([random_unitary(k, rng) for _ in t])
    turn = np.exp(1j * (berry_phase(V) - berry_phase(moved)))
    assert turn == pytest.approx(1, abs=1e-10)
    W, other = holonomy(V), holonomy(moved)
    np.testing.assert_allclose(W @ W.conj().T, np.eye(k), atol=1e-10)
    assert np.exp(1j * berry_phase(V)) == pytest.approx(np.linalg.det(W), abs=1e-10)
    assert np.poly(other) == pytest.approx(np.poly(W), abs=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_no_gauge_changes_a_chern_number(seed):
    family, rng, x = ChernBand(n=4, mass=-1.0), np.random.default_rng(seed), np.arange(8) / 8
    k = family.lower + 1
    frames = np.array([[np.linalg.eigh(family(np.array([a, b])))[1][:, :k] for b in x] for a in x])
    moved = frames @ np.array([[random_unitary(k, rng) for _ in x] for _ in x])
    assert chern_number(moved) == family.chern


@pytest.mark.parametrize("mass", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("shift", [0.0, 0.5, 0.25, 0.37])
def test_closed_gap_is_refused(mass, shift):
    family, samples = ChernBand(n=4, mass=mass), 24
    box = [(shift / samples, 1 + shift / samples)] * 2
    with pytest.raises(GaugeError, match=r"p = \(.*Dirac point"):
        chern_number(lapack(family), box, bands=family.lower, samples=samples)


def test_closed_gap_is_found_where_it_is():
    family = ChernBand(n=4, mass=-2.0)
    box = [(0.3, 1.3)] * 2  # the bands touch in (1, 1)
    with pytest.raises(GaugeError, match=r"between p = \((0\.99999|1\.0000|1)\d*, .* however small the cell"):
        chern_number(lapack(family), box, bands=family.lower)


def test_narrow_gap_is_resolved_by_cutting_cells():
    # On 12 points along each axis the curvature of the whole torus hides in one cell.
    for mass in (-1.999, -2.001):
        family = ChernBand(n=4, mass=mass)
        assert chern_number(lapack(family), [(0.03, 1.03)] * 2, bands=family.lower, samples=12) == family.chern


def test_dirac_point_on_a_grid_of_arrays():
    family, x = ChernBand(n=4, mass=0.0), (np.arange(24) + 0.5) / 24
    frames = np.array([[np.linalg.eigh(family(np.array([a, b])))[1] for b in x] for a in x])
    with pytest.raises(GaugeError, match=r"between sample \(\d+, \d+\) and sample .*too near to π"):
        chern_number(frames, bands=family.lower)


def test_path_through_a_cone_names_both_sides():
    family = ConicalIntersection(n=6, centre=(0.5, 0.5))
    loop = [(0.1, 0.5), (0.3, 0.5), (0.7, 0.5), (0.7, 0.7), (0.5, 0.8), (0.2, 0.7)]
    with pytest.raises(GaugeError, match=r"at p = \(0.3, 0.5\) and p = \(0.7, 0.5\) are all but orthogonal"):
        berry_phase(lapack(family), loop, bands=family.lower)


def test_orthogonal_neighbours_of_an_array_are_numbered():
    frames = np.eye(3)[[0, 0, 1]]
    with pytest.raises(GaugeError, match="sample 1 and sample 2"):
        holonomy(frames)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: berry_phase(lambda p: np.eye(2)), "needs the points of the loop"),
        (lambda: berry_phase(np.eye(2)), "at least 3 points, got 2"),
        (lambda: berry_phase(np.zeros(5)), r"shape \(m, n, k\) or \(m, n\), got \(5,\)"),
        (lambda: berry_phase(2 * np.ones((4, 1))), "orthonormal columns"),
        (lambda: berry_phase(np.full((4, 1), np.nan)), "frames"),
        (lambda: chern_number(np.ones((3, 4, 5))), r"shape \(m_1, m_2, n, k\)"),
        (lambda: chern_number(lambda p: np.eye(3)[:, :1], (0, 1)), "a torus has two parameters"),
        (lambda: chern_number(lambda p: np.eye(3), [(0, 1)] * 2, samples=3), "fewer bands than rows"),
        (lambda: chern_number(lambda p: (np.eye(2), 1), [(0, 1)] * 2), "a result with eigenvectors; tuple came"),
        (
            lambda: chern_number(lapack(ChernBand(n=3)), [(0, 0.5), (0, 1)], bands=0, samples=6),
            r"must close, but the subspaces at p = \(0, .*no full period",
        ),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
