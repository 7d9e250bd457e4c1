"""Derivatives of exact results as further directions of the span."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import AccuracyWarning
from neumatc.gallery import SyntheticInverse
from neumatc.operations import QR, Cholesky, Inverse, Operation, PseudoInverse, Tangential
from neumatc.sampling import FailureInformed
from neumatc.training.tangents import ROUND, best_placed

Array = Any


def moving(kind: str, shape: tuple[int, int], complex_: bool) -> tuple[Array, Array]:
    """A (1, n1, n2) of the wanted kind, and its velocity."""
    rng = np.random.default_rng(3)
    A, dA = rng.standard_normal((2, *shape)) + (1j * rng.standard_normal((2, *shape)) if complex_ else 0)
    U, _, Vh = np.linalg.svd(A, full_matrices=False)
    A = (U * np.linspace(1, 2, len(Vh))) @ Vh  # well conditioned, so that differences are a fair judge
    if kind == "cholesky":
        A, dA = A @ A.conj().T, dA + dA.conj().T
    return A[None], dA[None]


CASES: dict[str, tuple[Operation, tuple[int, int]]] = {
    "inv": (Inverse(), (6, 6)),
    "pinv-tall": (PseudoInverse(tall=True), (7, 5)),
    "pinv-wide": (PseudoInverse(tall=False), (5, 7)),
    "qr": (QR(), (6, 6)),
    "qr-tall": (QR(), (8, 5)),
    "cholesky": (Cholesky(), (6, 6)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("complex_", [False, True])
def test_tangents_are_the_derivatives(name: str, complex_: bool) -> None:
    operation, shape = CASES[name]
    A, dA = moving(name, shape, complex_)
    assert isinstance(operation, Tangential)
    found = operation.tangent({"A": A}, {"A": dA}, operation.exact(A))
    h = 1e-5
    after, before = operation.exact(A + h * dA), operation.exact(A - h * dA)
    for factor, dX in found.items():
        known = (after[factor] - before[factor]) / (2 * h)
        assert np.linalg.norm(dX - known) <= 1e-7 * np.linalg.norm(known)


def test_the_worst_neighbourhoods_come_first() -> None:
    x, solved = np.linspace(-1, 1, 41)[:, None], np.array([[-1.0], [0.0], [1.0]])
    failing = np.where(x[:, 0] > 0.6, 1.0, np.where(x[:, 0] < -0.6, 0.5, 0.1))
    assert best_placed(x, failing, solved).tolist() == [2, 0, 1]
    assert len(best_placed(x, failing, x)) == ROUND


@pytest.mark.parametrize("verb", ["inv", "qr"])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_tangents_reach_further_with_the_same_solves(verb: str, dimensions: int) -> None:
    A = SyntheticInverse(n=24, rank=4, dimensions=dimensions, band=(0.0, 0.5))
    errors = {}
    for tangents in (False, True):
        with pytest.warns(AccuracyWarning):
            f = getattr(nmc, verb)(A, A.box, samples=12, tol=1e-13, rng=0, sampler=FailureInformed(tangents=tangents))
        assert len(f.samples) == 12
        errors[tangents] = f.error, f.surrogate.C.shape[0]
    assert errors[True][1] > 1.5 * errors[False][1]
    assert errors[True][0] < (0.1 if dimensions == 1 else 0.3) * errors[False][0]


def test_a_fit_that_has_reached_its_tolerance_takes_none() -> None:
    A = SyntheticInverse(n=24, rank=4, band=(0.0, 0.3))
    f = nmc.inv(A, A.box, tol=1e-6, rng=0, sampler=FailureInformed(tangents=True))
    assert f.status == "converged"
    assert len(f.surrogate.C) <= len(f.samples)
