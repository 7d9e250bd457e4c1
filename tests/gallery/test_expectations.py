"""The table of corners: every entry can be made, is what it says, and sits where its note claims."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import CORNERS, DEMANDING, GALLERY, Corner

SQUARE = {"inv", "solve", "eigh", "eig", "expm", "logm", "sqrtm", "cholesky", "lyapunov", "sylvester", "riccati"}
HERMITIAN = {"eigh", "cholesky", "logm", "sqrtm"}
DEFINITE = {"cholesky", "logm", "sqrtm"}


def somewhere(family, share):
    box = np.asarray(family.box, dtype=float).reshape(-1, 2)
    p = box[:, 0] + share * (box[:, 1] - box[:, 0])
    return float(p[0]) if len(p) == 1 else p


def test_every_expectation_is_met_by_some_corner():
    assert {corner.expect for corner in CORNERS.values()} == {"solved", "refused", "flagged"}
    assert {corner.winner for corner in CORNERS.values()} == {"rational", "chebyshev", "exact"}
    assert not set(CORNERS) & (set(GALLERY) | set(DEMANDING))


@pytest.mark.parametrize("name", CORNERS)
def test_every_corner_fits_its_operations(name):
    corner = CORNERS[name]
    family = corner()
    assert corner.operations
    assert corner.note
    for share in (0.0, 0.77, 1.0):
        A = family(somewhere(family, share))
        assert A.ndim == 2
        assert A.dtype in (np.float64, np.complex128)
        assert np.isfinite(A).all()
        if SQUARE & set(corner.operations):
            assert A.shape[0] == A.shape[1]
        if HERMITIAN & set(corner.operations):
            np.testing.assert_array_equal(A, A.conj().T)
        if DEFINITE & set(corner.operations):
            assert np.linalg.eigvalsh(A).min() > 0


@pytest.mark.parametrize("name", CORNERS)
def test_equal_corners_give_equal_bits_and_fresh_arrays(name):
    one, two = CORNERS[name](), CORNERS[name]()
    p = somewhere(one, 0.77)
    first = one(p)
    kept = first.copy()
    assert one == two
    assert hash(one) == hash(two)
    assert np.array_equal(two(p), kept)
    assert np.array_equal(pickle.loads(pickle.dumps(one))(p), kept)
    first[...] = 0
    assert np.array_equal(one(p), kept)


@pytest.mark.parametrize("name", [name for name, corner in CORNERS.items() if corner.expect == "solved"])
def test_solved_corners_are_smooth(name):
    family = CORNERS[name]()
    assert family.smooth
    count = 97
    angles = np.pi * (np.arange(count) + 0.5) / count
    # Along the diagonal of the box a family that is analytic has Chebyshev coefficients that die out; a kink leaves
    # some 1e-4 at this degree.
    values = np.stack([family(somewhere(family, (1 - np.cos(t)) / 2)).ravel() for t in angles])
    wave = np.cos(np.outer(np.arange(count), angles))
    size = np.linalg.norm(wave @ values, axis=1)
    assert size[80:].max() < 1e-9 * size.max()


def test_truth_is_singular_where_inverses_are_refused():
    poles = CORNERS["resolvent-poles"]()
    inside = [float(z.real) for z in poles.poles if 0 <= z.real <= 1 and z.imag == 0]
    assert len(inside) == 8
    place = CORNERS["rank-change"]().pole
    assert 0 < place < 1
    assert np.isnan(CORNERS["hole"]()(0.4)).all()


def test_names_are_distinct():
    names = [corner().name for corner in CORNERS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("change", "message"), [({"expect": "solvd"}, "unknown expectation 'solvd'"), ({"winner": "me"}, "unknown winner")]
)
def test_unknown_words_are_named(change, message):
    corner = CORNERS["kahan"]
    assert isinstance(corner, Corner)
    with pytest.raises(InputError, match=message):
        replace(corner, **change)
