"""Sparse systems that the tests share, and exact answers."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

import neumatc as nmc
from neumatc.gallery.real import AdvectionDiffusionReaction, Helmholtz, ThermalBlock

WIND = AdvectionDiffusionReaction(points=24)
BLOCK = ThermalBlock(blocks=(2, 2), squares=12)
ROOM = Helmholtz(intervals=12, radius=0.0)
QUIET = (2.0, 4.0)  # below the first resonance that comes near the axis


def wind(**options):
    A = nmc.Affine(WIND.matrices, WIND.coefficients, coercivity=lambda _: WIND.coercivity)
    return nmc.solve(A, WIND.rhs, WIND.box, rng=0, **options)


def block(**options):
    A = nmc.Affine(BLOCK.matrices, BLOCK.coefficients, energy=BLOCK.energy, coercivity=BLOCK.coercivity)
    return nmc.solve(A, BLOCK.rhs, BLOCK.box, rng=0, **options)


def room(**options):
    return nmc.solve(nmc.Affine(ROOM.matrices, ROOM.coefficients), ROOM.rhs, {"k": QUIET}, rng=0, **options)


def exact(family, p, b=None):
    return spsolve(family(p).tocsc(), family.rhs if b is None else b)


def relative(x, y):
    return np.linalg.norm(x - y) / np.linalg.norm(y)


def tridiagonal(p):
    """Not affine in p: a diffusion coefficient that is an exponential of p and place."""
    n = 400
    k = np.exp(np.sin(3 * p * np.linspace(0, 1, n + 1)))
    return sparse.diags_array([-k[1:-1], k[:-1] + k[1:] + 0.1, -k[1:-1]], offsets=[-1, 0, 1]).tocsr()


def load(p):
    return np.cos(p * np.linspace(0, 1, 400))
