"""Derivatives of a few eigenpairs of sparse families, against differences of exact ones."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from scipy import sparse
from tests.reduced.families import SIDE, dense, laplacian, magnetic, mass, wells

import neumatc as nmc
from neumatc.errors import AccuracyWarning, GaugeError, InputError


def exact(A: nmc.Affine, B: nmc.Affine | None, p: Any, like: Any, which: str) -> tuple[Any, Any]:
    """Exact pairs whose vectors have the phases that make ``xᴴ like`` real and positive."""
    k = like.shape[1]
    w, V = scipy.linalg.eigh(dense(A, p), None if B is None else dense(B, p))
    kept = slice(0, k) if which == "lowest" else slice(len(w) - k, None)
    turn = (V[:, kept].conj() * like).sum(0)
    return w[kept], V[:, kept] * (turn / np.abs(turn))


def quotient(A: nmc.Affine, B: nmc.Affine | None, p: Any, like: Any, which: str, step: Any) -> tuple[Any, Any]:
    """Central differences of fourth order; the phases fixed to first order in the step are those without a turn."""
    pairs = [exact(A, B, p + s * step, like, which) for s in (-2, -1, 1, 2)]
    weights, h = np.array([1, -8, 8, -1]) / 12, np.linalg.norm(step)
    values, vectors = (sum(c * pair[i] for c, pair in zip(weights, pairs, strict=True)) / h for i in range(2))
    return values, vectors


@pytest.mark.parametrize("which", ["lowest", "highest"])
@pytest.mark.parametrize(("make", "weighed"), [(wells, False), (wells, True), (magnetic, False), (magnetic, True)])
def test_derivatives_are_difference_quotients_of_exact_pairs(make: Any, weighed: bool, which: str) -> None:
    A = make()
    B = mass(A.shape[0]) if weighed else None
    f = nmc.eigh(A, (0.2, 1.0), B, rank=3, which=which, tol=1e-9, rng=0)
    df = f.derivative()
    for p in (0.2, 0.55, 0.9):  # the first on the edge: coefficients are never asked for outside of the box
        (_, V), (dw, dV) = f(p), df(p)
        assert dV.shape == V.shape
        slope_w, slope_V = quotient(A, B, p, V, which, 1e-4)
        np.testing.assert_allclose(dw, slope_w, rtol=1e-6, atol=1e-7 * np.abs(slope_w).max())
        assert np.linalg.norm(dV - slope_V) <= 2e-5 * np.linalg.norm(slope_V)
        assert np.abs((V.conj() * dV).sum(0).imag).max() <= 1e-9 * np.linalg.norm(dV)
        np.testing.assert_array_equal(df.eigenvalues(p), dw)


def test_batches_and_several_parameters() -> None:
    family = nmc.Affine([laplacian(), sparse.diags_array(np.linspace(0, 300, SIDE**2))], lambda p: [p[0], p[1]])
    f = nmc.eigh(family, {"stiffness": (1.0, 2.0), "load": (0.5, 1.0)}, rank=2, tol=1e-9, rng=0)
    p, k = np.array([1.3, 0.8]), f(np.array([1.3, 0.8])).eigenvectors
    for axis, name in enumerate(("stiffness", "load")):
        dw, dV = f.derivative(name)(p)
        slope = quotient(family, None, p, k, "lowest", 1e-3 * np.eye(2)[axis])
        np.testing.assert_allclose(dw, slope[0], rtol=1e-6)
        np.testing.assert_allclose(dV, slope[1], atol=1e-5 * np.linalg.norm(slope[1]))
        batch = f.derivative(axis)(np.stack([p, p])[:, None])
        assert batch.eigenvalues.shape == (2, 1, 2)
        np.testing.assert_allclose(batch.eigenvectors[1, 0], dV, rtol=0, atol=1e-9)
    assert f.derivative(0)(np.empty((0, 2))).eigenvectors.shape == (0, SIDE**2, 2)
    with pytest.raises(InputError, match=r"derivative axis must be one of 0\.\.1 or a name of \['stiffness', 'load'\]"):
        f.derivative("height")


def test_no_derivative_where_levels_cross() -> None:
    """The levels 1 + p and 2 - p cross at p = 1/2; whether both are wanted or one of them makes no difference."""
    level, slope = np.array([1.0, 2.0, *range(5, 20)]), np.array([1.0, -1.0, *np.zeros(15)])
    family = nmc.Affine([sparse.diags_array(level), sparse.diags_array(slope)], lambda p: [1.0, p])
    for rank in (1, 2):
        df = nmc.eigh(family, (0.0, 1.0), rank=rank, rng=0).derivative()
        with pytest.raises(GaugeError, match=r"distinct eigenvalues, but at p = 0.5 two of them are .* apart.*beside"):
            df([0.1, 0.5])
        with pytest.raises(GaugeError, match=r"at p = 0.5 .*At a crossing the sorted vectors jump"):
            df.eigenvalues(0.5)
        np.testing.assert_allclose(
            df.eigenvalues([0.4, 0.6]), np.array([[1.0, -1.0], [-1.0, 1.0]])[:, :rank], atol=1e-9
        )


def test_no_derivative_of_levels_that_the_model_cannot_tell_apart() -> None:
    """Near the twofold level an exact solve would part them: the two samples of this fit do not."""
    with pytest.warns(AccuracyWarning):
        f = nmc.eigh(wells(), (0.0, 1.0), rank=3, tol=1e-9, samples=2, rng=0)
    assert f(1e-3).eigenvalues.shape == (3,)
    with pytest.raises(GaugeError, match=r"where the model resolves .*or lower `tol` where levels only come close"):
        f.derivative()(1e-3)


def test_torch_in_torch_out() -> None:
    torch = pytest.importorskip("torch")
    df = nmc.eigh(magnetic(), (0.2, 1.0), rank=2, tol=1e-6, rng=0).derivative()
    p = torch.tensor([0.3, 0.5], dtype=torch.float64)
    for came, wanted in zip(df(p), df(p.numpy()), strict=True):
        assert torch.is_tensor(came)
        np.testing.assert_array_equal(came.numpy(), wanted)
