"""Loops of samples: what comes back changed is refused with two points, what can be made smooth is."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.align import aligned, straightened
from neumatc.box import Box
from neumatc.errors import AccuracyWarning, GaugeError
from neumatc.gallery import AvoidedCrossing, ChernBand, ConicalIntersection, ExactCrossing, Moebius
from neumatc.gauge import Unitary, Vectors, adjoint
from neumatc.training.circuits import Circuits

LOOP = nmc.Axis(0.0, 1.0, periodic=True)
POINT = r"p = \(?[\d., e+-]+\)?"
BAND = Moebius(n=6)
MIDDLE = int((BAND.eigenvalues(0.0) < 0).sum())
COLUMNS = Unitary.of({"V": (None, "P")})


def grid(side: int) -> Any:
    axis = np.linspace(-1, 1, side)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


# fits ----------------------------------------------------------------------------------------------------------------


def test_a_moebius_band_is_smooth_on_an_open_interval() -> None:
    f = nmc.eigh(BAND, BAND.box, rng=0)
    assert f.status == "converged"
    assert f.gauge_report().loops == 0


@pytest.mark.parametrize("options", [{}, {"rank": MIDDLE}], ids=["vectors", "subspace"])
def test_a_moebius_band_is_refused_on_a_circle(options: Any) -> None:
    with pytest.raises(
        GaugeError, match=r"no smooth gauge on the periodic axis: at p = 0 and p = 1, .*Möbius.*projector"
    ):
        nmc.eigh(BAND, LOOP, rng=0, **options)


def test_two_half_turns_are_periodic() -> None:
    f = nmc.eigh(Moebius(n=6, twists=2), LOOP, rng=0)
    assert f.status == "converged"
    np.testing.assert_allclose(f(0.0).eigenvectors, f(1.0 - 1e-13).eigenvectors, atol=1e-9)
    assert f.gauge_report().loops == 1


def test_levels_that_change_places_on_a_circle_are_refused() -> None:
    """A critical chain: analytic levels ±2 cos(πp) go over into each other after one period."""

    def chain(p: float) -> Any:
        z = 1 + np.exp(2j * np.pi * p)
        return np.array([[0, z, 0], [np.conj(z), 0, 0], [0, 0, 5]])

    with pytest.raises(
        GaugeError, match=r"Vector \d cannot be followed .*: at p = 0 and p = 1, .* comes back as vector"
    ):
        nmc.eigh(chain, LOOP, rng=0)
    f = nmc.eigh(chain, LOOP, rank=2, rng=0)
    np.testing.assert_allclose(f(0.3).eigenvalues, np.linalg.eigvalsh(chain(0.3))[:2], atol=1e-8)


def test_a_complex_phase_round_a_circle_is_spread_evenly() -> None:
    def ring(p: float) -> Any:
        off = 0.4 * np.exp(2j * np.pi * p) * np.eye(3, k=1)
        return np.diag([1.0, 2.0, 5.0]) + off + off.conj().T

    f = nmc.eigh(ring, LOOP, rng=0)
    report = f.gauge_report()
    assert report.loops == 1
    assert report.holonomy > 0.1
    np.testing.assert_allclose(f(0.0).eigenvectors, f(1.0 - 1e-13).eigenvectors, atol=1e-7)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_dirac_point_is_refused_with_two_points(complex_: bool) -> None:
    A = ConicalIntersection(n=6, complex=complex_)
    with pytest.raises(GaugeError, match=rf"between {POINT} and {POINT} it turns round.*Dirac point.*projector=True"):
        nmc.eigh(A, A.box, basis="chebyshev", rng=0)


def test_a_massive_cone_is_solved() -> None:
    A = ConicalIntersection(mass=0.3)
    f = nmc.eigh(A, A.box, basis="chebyshev", rng=0)
    assert f.status == "converged"
    p = np.array([0.41, 0.57])
    np.testing.assert_allclose(f(p).eigenvalues, A.eigenvalues(p), atol=1e-7)
    report = f.gauge_report()
    assert 0 < report.holonomy < 0.5
    assert report.loops > 100


@pytest.mark.parametrize(("n", "options"), [(6, {}), (2, {"rank": 1})], ids=["vectors", "subspace"])
def test_a_chern_band_is_refused_on_its_torus(n: int, options: Any) -> None:
    A = ChernBand(n=n)
    with pytest.raises(GaugeError, match=rf"Chern number is [-1]+, and along the side from {POINT} to {POINT}"):
        nmc.eigh(A, [LOOP, LOOP], basis="chebyshev", rng=0, **options)


def test_a_trivial_band_is_not_refused_on_its_torus() -> None:
    A = ChernBand(n=4, mass=3.0)
    f = nmc.eigh(A, [LOOP, LOOP], basis="chebyshev", tol=1e-3, rng=0)
    assert f.status == "converged"
    p = np.array([0.3, 0.8])
    np.testing.assert_allclose(f(p).eigenvalues, A.eigenvalues(p), atol=1e-3)


def test_crossings_and_avoided_crossings_are_no_loops() -> None:
    A = ExactCrossing(n=8)
    assert nmc.eigh(A, A.box, rng=0).status == "converged"
    B = AvoidedCrossing(n=6, gap=1e-4, centre=0.4412)
    with pytest.warns(AccuracyWarning, match=r"reached a held-out residual|Levels come as near as"):
        assert nmc.eigh(B, B.box, rng=0).status != "converged"


# the check itself ----------------------------------------------------------------------------------------------------


def test_triangles_cover_a_grid() -> None:
    loops = Circuits(grid(4), Box.of([(0.0, 1.0)] * 2)).triangles
    assert len({tuple(sorted(loop)) for loop in loops.tolist()}) == 2 * 3 * 3
    assert len(Circuits(np.linspace(-1, 1, 5)[:, None], Box.of((0.0, 1.0))).triangles) == 0


def test_closed_pairs_lie_on_opposite_sides() -> None:
    circuits = Circuits(grid(4), Box.of([LOOP, (0.0, 1.0)]))
    ((axis, pairs),) = circuits.closed
    assert axis == 0
    x = circuits.x[pairs]
    assert np.array_equal(x[:, 0, 1], x[:, 1, 1])
    assert np.all(x[:, 1, 0] - x[:, 0, 0] == 2)
    assert len(pairs) == 4


def twisted(x: Any, complex_: bool, rng: np.random.Generator) -> Any:
    """Spinors on a sphere cap, in random phases: Berry's curvature is half of the solid angle."""
    theta, phi = 0.4 + 0.2 * x[:, 0], 0.5 * x[:, 1]
    lower = np.sin(theta) * (np.exp(1j * phi) if complex_ else 1)
    phases = np.exp(2j * np.pi * rng.random(len(x))) if complex_ else rng.choice([-1.0, 1.0], len(x))
    return (np.stack([np.cos(theta), lower], axis=-1) * phases[:, None])[..., None]


@pytest.mark.parametrize("complex_", [False, True], ids=["signs", "phases"])
def test_the_holonomy_does_not_depend_on_the_gauge_of_the_samples(complex_: bool) -> None:
    x, box = grid(7), Box.of([(0.0, 1.0)] * 2)
    found = []
    for seed in (0, 1):
        F = {"V": twisted(x, complex_, np.random.default_rng(seed))}
        event = Circuits(x, box).check(aligned(x, F, COLUMNS), COLUMNS)
        assert event is not None
        found.append(event.numbers["angle"])
    assert found[0] == pytest.approx(found[1], abs=1e-10)
    assert (found[0] > 1e-3) == complex_


@pytest.mark.parametrize("gauge", [COLUMNS, Vectors(("V",))], ids=["subspace", "vector"])
def test_a_real_line_that_turns_round_inside_a_triangle_is_refused(gauge: Any) -> None:
    x, box = grid(8), Box.of([(0.0, 1.0)] * 2)
    half = np.arctan2(x[:, 1] - 0.07, x[:, 0] - 0.05)[:, None, None] / 2
    F = {"V": np.concatenate([np.cos(half), np.sin(half)], axis=1)}
    with pytest.raises(
        GaugeError, match=rf"loop between {POINT} and {POINT} it comes back turned round.*projector=True"
    ):
        Circuits(x, box).check(F, gauge)
    # The same line on the sheet beside the tip is no loop.
    beside = x[:, 0] > 0.3
    assert Circuits(x[beside], box).check({"V": F["V"][beside]}, gauge) is not None


def test_a_polynomial_reference_leaves_an_analytic_gauge() -> None:
    side = 16
    nodes = -np.cos(np.pi * np.arange(side) / (side - 1))
    x = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    V = twisted(x, True, np.random.default_rng(0))

    def tail(F: Any) -> float:
        coefficients = np.polynomial.chebyshev.chebvander2d(x[:, 0], x[:, 1], [side - 1] * 2)
        C = np.abs(np.linalg.solve(coefficients, F["V"][:, :, 0])).reshape(side, side, 2)
        return float(C[12:].max() + C[:, 12:].max())

    rough = aligned(x, {"V": V}, COLUMNS)
    fine = straightened(x, rough, COLUMNS)
    assert tail(fine) < 1e-2 * tail(rough)
    np.testing.assert_allclose(fine["V"] @ adjoint(fine["V"]), V @ adjoint(V), atol=1e-12)
