"""Subspaces on a grid are aligned along ribs, so that smoothing finds a gauge without a vortex."""

import numpy as np

from neumatc.align import SWEEPS, aligned, aligned_on_grid, along_ribs, smoothed
from neumatc.bases import lobatto
from neumatc.box import Box
from neumatc.gallery import ChernBand
from neumatc.gauge import Unitary, Vectors
from neumatc.training.suspects import neighbours

COLUMNS = Unitary.of({"V": (None, "P")})


def band(x):
    """Vectors of a lower band whose Chern number is not zero, on the open box."""
    family = ChernBand(n=2)
    p = Box.of(family.box).from_unit(x)
    return {"V": np.stack([np.linalg.eigh(family(each))[1][:, :1] for each in p])}


def jump(x, F):
    """Largest phase between neighbours."""
    i, j = neighbours(x).T
    return np.abs(np.angle((F["V"][i].conj() * F["V"][j]).sum((-2, -1)))).max()


def test_no_vortex_is_left_on_an_open_box():
    x = lobatto(16, 16)
    F = band(x)
    assert jump(x, aligned(x, F, COLUMNS)) > 2.0
    assert jump(x, aligned_on_grid(x, F, COLUMNS)) < 1.3


def test_every_point_continues_the_one_towards_the_middle():
    x = lobatto(5, 6, 3)
    F = {"V": np.exp(1j * np.random.default_rng(0).uniform(0, 6, len(x)))[:, None, None]}
    moved = along_ribs(x, F, COLUMNS)
    np.testing.assert_allclose(moved["V"], np.broadcast_to(moved["V"][:1], moved["V"].shape), atol=1e-14)


def test_what_is_no_grid_keeps_its_tree():
    x = lobatto(6, 6)
    F = band(x)
    some = {"V": F["V"][1:]}
    assert along_ribs(x[1:], some, COLUMNS) is None
    np.testing.assert_array_equal(aligned_on_grid(x[1:], some, COLUMNS)["V"], aligned(x[1:], some, COLUMNS)["V"])
    vectors = Vectors(("V",))
    np.testing.assert_array_equal(aligned_on_grid(x, F, vectors)["V"], aligned(x, F, vectors)["V"])
    ribs = smoothed(x, along_ribs(x, F, COLUMNS), COLUMNS, SWEEPS)
    np.testing.assert_array_equal(aligned_on_grid(x, F, COLUMNS)["V"], ribs["V"])
