"""Cones, the Möbius loop and the Chern insulator: eigenpairs against LAPACK, topology against lattice sums."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import ChernBand, ConicalIntersection, Moebius

FAMILIES = {
    "cone": ConicalIntersection(n=7),
    "massive cone": ConicalIntersection(n=6, mass=0.2),
    "complex cone": ConicalIntersection(n=2, complex=True),
    "moebius": Moebius(n=7),
    "two twists": Moebius(n=2, twists=2),
    "chern": ChernBand(n=7, mass=0.7),
    "chern two": ChernBand(n=2, mass=-1.2),
    "trivial": ChernBand(n=6, mass=3.0),
}


def points(family, count=6):
    dimensions = len(np.reshape(family.box, (-1, 2)))
    x = np.random.default_rng(2).uniform(size=(count, dimensions))
    return [float(p[0]) if dimensions == 1 else p for p in x]


def lapack(family, index):
    """The eigenvector of one index as LAPACK gives it, in a phase of LAPACK's own."""
    return lambda p: np.linalg.eigh(family(p))[1][:, index]


def wilson(vectors):
    """The overlaps round a closed chain of vectors, multiplied: a phase in which every gauge drops out."""
    return np.prod([np.vdot(a, b) for a, b in zip(vectors, [*vectors[1:], vectors[0]], strict=True)])


def lattice_chern(family, index, count=12):
    """Chern number by Fukui, Hatsugai and Suzuki, https://doi.org/10.1143/JPSJ.74.1674."""
    grid = np.arange(count) / count
    u = np.array([[lapack(family, index)(np.array([x, y])) for y in grid] for x in grid])
    right, up = (np.sum(u.conj() * np.roll(u, -1, axis), axis=-1) for axis in (0, 1))
    flux = np.angle(right * np.roll(up, -1, 0) / np.roll(right, -1, 1) / up)
    # ⟨u, u'⟩ is exp(-i 𝒜) to first order, hence the sign.
    return -flux.sum() / (2 * np.pi)


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def test_eigenpairs_are_lapacks(family):
    for p in points(family):
        A, w, Q = family(p), family.eigenvalues(p), family.eigenvectors(p)
        assert np.array_equal(A, A.conj().T)
        np.testing.assert_allclose(w, np.linalg.eigvalsh(A), rtol=0, atol=1e-13)
        np.testing.assert_allclose(A @ Q, Q * w, rtol=0, atol=1e-13)
        np.testing.assert_allclose(Q.conj().T @ Q, np.eye(family.n), rtol=0, atol=1e-13)


def test_projector_is_lapacks(family):
    p = points(family)[0]
    for count in range(1, family.n):
        Q = np.linalg.eigh(family(p))[1][:, :count]
        np.testing.assert_allclose(family.projector(p, count), Q @ Q.conj().T, rtol=0, atol=1e-12)


def test_cone_is_real_without_mass_and_touches_in_its_tip():
    family = ConicalIntersection(n=6, centre=(0.3, 0.6))
    assert family.dirac_point == (0.3, 0.6)
    tip = np.array(family.dirac_point)
    assert not np.iscomplexobj(family(tip))
    assert np.diff(np.linalg.eigvalsh(family(tip)))[family.lower] < 1e-14
    np.testing.assert_allclose(family.eigenvectors(tip).T @ family.eigenvectors(tip), np.eye(6), atol=1e-14)
    for radius in (0.1, 0.3):
        for angle in (0.1, 2.0, 4.0):
            p = tip + radius * np.array([np.cos(angle), np.sin(angle)])
            assert np.diff(np.linalg.eigvalsh(family(p)))[family.lower] == pytest.approx(2 * radius)
            assert family.gap_at(p) == pytest.approx(2 * radius)


@pytest.mark.parametrize(("mass", "radius"), [(0.0, 0.05), (0.0, 0.4), (0.1, 0.2), (0.4, 0.3)])
def test_berry_phase_is_the_formula(mass, radius):
    family = ConicalIntersection(n=6, mass=mass, centre=(0.5, 0.5))
    angles = 2 * np.pi * np.arange(400) / 400
    circle = [np.array([0.5, 0.5]) + radius * np.array([np.cos(t), np.sin(t)]) for t in angles]
    for index in (family.lower, family.lower + 1):
        phase = np.angle(wilson([lapack(family, index)(p) for p in circle]))
        assert abs(phase) == pytest.approx(family.berry_phase(radius), abs=1e-4)
    assert (family.berry_phase(radius) == pytest.approx(np.pi)) == (mass == 0)


def test_no_phase_beside_the_cone():
    family = ConicalIntersection(n=6, centre=(0.5, 0.5))
    angles = 2 * np.pi * np.arange(100) / 100
    circle = [np.array([0.7, 0.7]) + 0.2 * np.array([np.cos(t), np.sin(t)]) for t in angles]
    assert wilson([lapack(family, family.lower)(p) for p in circle]).real > 0.9


@pytest.mark.parametrize("twists", [0, 1, 2, 3, -1])
def test_loop_closes_and_vectors_come_back_with_their_sign(twists):
    family = Moebius(n=6, twists=twists)
    np.testing.assert_allclose(family(0.0), family(1.0), rtol=0, atol=1e-14)
    assert not np.iscomplexobj(family(0.2))
    np.testing.assert_allclose(family.frame(1.0), (-1) ** twists * family.frame(0.0), rtol=0, atol=1e-14)
    assert family.holonomy == (-1) ** twists
    w = family.eigenvalues(0.0)
    for value in (-1.0, 1.0):
        index = int(np.argmin(np.abs(w - value)))
        product = wilson([lapack(family, index)(p) for p in np.arange(60) / 60])
        assert np.sign(product) == family.holonomy


def test_frame_of_the_loop_is_continuous():
    family = Moebius(n=6, twists=3)
    frames = np.stack([family.frame(p) for p in np.linspace(0, 1, 301)])
    assert np.linalg.norm(np.diff(frames, axis=0), 2, axis=(1, 2)).max() < 1.01 * 3 * np.pi / 300


@pytest.mark.parametrize("mass", [-2.7, -1.9, -1.0, -0.2, 0.3, 1.0, 1.8, 2.4])
def test_chern_number_is_that_of_the_lattice(mass):
    family = ChernBand(n=4, mass=mass)
    for index, sign in ((family.lower, 1), (family.lower + 1, -1)):
        assert lattice_chern(family, index, count=24) == pytest.approx(sign * family.chern, abs=1e-9)
    assert abs(family.chern) == (abs(mass) < 2)


def test_remote_bands_are_trivial():
    family = ChernBand(n=5, mass=1.0)
    remote = {0, 1, 2, 3, 4} - {family.lower, family.lower + 1}
    assert all(lattice_chern(family, index) == pytest.approx(0, abs=1e-9) for index in remote)


@pytest.mark.parametrize("mass", [-2.5, -2.0, -0.3, 0.0, 1.0, 1.6, 3.0])
def test_gap_is_the_smallest_on_the_torus(mass):
    family = ChernBand(n=5, mass=mass)
    k = family.lower
    grid = np.arange(0, 1, 1 / 16)  # holds the four points at which the gap is smallest
    gaps = [np.diff(np.linalg.eigvalsh(family(np.array([x, y]))))[k] for x in grid for y in grid]
    assert min(gaps) == pytest.approx(family.gap, abs=1e-13)


def test_torus_is_closed():
    family = ChernBand(n=5, mass=1.0)
    for y in (0.0, 0.3):
        np.testing.assert_allclose(family(np.array([0.0, y])), family(np.array([1.0, y])), rtol=0, atol=1e-14)
        np.testing.assert_allclose(family(np.array([y, 0.0])), family(np.array([y, 1.0])), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mass", [-2.0, 0.0, 2.0])
def test_no_chern_number_without_a_gap(mass):
    with pytest.raises(InputError, match="the Chern number needs a gap"):
        _ = ChernBand(mass=mass).chern


@pytest.mark.parametrize("make", [ConicalIntersection, Moebius, ChernBand])
def test_seed_decides(make):
    p = points(make())[0]
    one, same, other = (make(seed=seed)(p) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConicalIntersection(n=1), "expected n >= 2"),
        (lambda: ConicalIntersection(centre=(0.5, 1.0)), "expected a centre inside"),
        (lambda: ConicalIntersection(centre=(0.5,)), "expected a centre inside"),
        (lambda: ConicalIntersection(mass=-0.1), "a mass from 0 to 1"),
        (lambda: Moebius(twists=0.5), "expected a whole number of twists"),
        (lambda: ChernBand(mass=5.1), "modulus at most 5"),
        (lambda: ChernBand(mass=float("nan")), "modulus at most 5"),
        (lambda: ChernBand()(0.3), r"has 2 parameter\(s\), but came p = 0.3"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
