"""Sparse Hermitian families that the tests of eigenpairs share."""

from typing import Any

import numpy as np
from scipy import sparse

import neumatc as nmc

SIDE = 14


def laplacian() -> Any:
    line = sparse.diags_array([-np.ones(SIDE - 1), 2 * np.ones(SIDE), -np.ones(SIDE - 1)], offsets=[-1, 0, 1])
    eye = sparse.eye_array(SIDE)
    return (sparse.kron(eye, line) + sparse.kron(line, eye)) * (SIDE + 1) ** 2


def wells() -> nmc.Affine:
    """A particle in a box that is tilted by p: the levels of the square, twofold at p = 0, come apart."""
    x = np.tile(np.linspace(0, 1, SIDE), SIDE)
    return nmc.Affine([laplacian(), sparse.diags_array(400.0 * x)], lambda p: [1.0, p])


def magnetic() -> nmc.Affine:
    """Complex Hermitian: a hopping matrix whose phase turns with p."""
    rng = np.random.default_rng(0)
    real, imaginary = (sparse.random_array((60, 60), density=0.05, rng=rng) for _ in range(2))
    hop = real + 1j * imaginary
    even, odd = hop + hop.conj().T, 1j * (hop - hop.conj().T)
    return nmc.Affine([sparse.diags_array(np.linspace(0, 9, 60)), even, odd], lambda p: [1.0, np.cos(p), np.sin(p)])


def mass(n: int) -> nmc.Affine:
    """Positive definite, and dependent on p."""
    off = np.ones(n - 1) / 6
    constant = sparse.diags_array([off, np.full(n, 2 / 3), off], offsets=[-1, 0, 1])
    return nmc.Affine([constant, sparse.diags_array(np.linspace(0, 1, n))], lambda p: [1.0, p**2])


def dense(family: nmc.Affine, p: Any) -> Any:
    return sum(t * part.toarray() for t, part in zip(family.coefficients(p), family.matrices, strict=True))
