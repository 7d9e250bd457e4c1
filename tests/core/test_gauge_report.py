"""What a fit tells about its gauge: crossings, clusters, gaps, loops; the same after it was saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.operations.spectra import smooth

import neumatc as nmc
from neumatc.errors import AccuracyWarning
from neumatc.gallery import AvoidedCrossing, Clusters, ExactCrossing, Wilkinson
from neumatc.gallery.nonnormal import ExceptionalPoint
from neumatc.gallery.real.bands import Haldane
from neumatc.gauge import Vectors
from neumatc.operations import Eigh, FullSVD
from neumatc.operations.blocks import clusters_of
from neumatc.topology import GaugeReport


def test_unique_factors_have_no_gauge() -> None:
    report = nmc.inv(lambda p: np.eye(3) * (2 + p), (0.0, 1.0), rng=0).gauge_report()
    assert report == GaugeReport("none")
    assert "no" in repr(report)
    assert "the factors are unique" in repr(report)


def test_crossings_are_counted_and_placed() -> None:
    A = ExactCrossing(n=8, at=(0.3, 0.65))
    report = nmc.eigh(A, A.box, rng=0).gauge_report()
    assert report.kind == "vectors"
    assert report.aligned.startswith("along the path of 25 samples")
    assert report.crossings == 2
    np.testing.assert_allclose(sorted(p for (p,) in report.crossings_at), A.crossings, atol=1e-6)
    assert report.clusters == ()
    assert report.advice == "nothing to do"
    assert "2 followed, at p = 0." in repr(report)


def test_an_avoided_crossing_comes_with_advice() -> None:
    A = AvoidedCrossing(n=6, gap=1e-3)
    with pytest.warns(AccuracyWarning, match=r"reached a held-out residual|Levels come as near as"):
        f = nmc.eigh(A, A.box, rng=0)
    report = f.gauge_report()
    assert report.gap is not None
    assert report.gap < 1e-2
    assert report.gap_at == pytest.approx((0.5,), abs=0.02)
    assert "pass rank=k" in report.advice or "avoided" in report.advice


def test_a_subspace_tells_its_buffer() -> None:
    f = nmc.eigh(smooth(12), (0.0, 1.0), rank=3, rng=0)
    report = f.gauge_report()
    assert report.kind == "unitary blocks"
    assert report.subspace.startswith("lowest 3 + buffer ")
    assert next(e for e in f.history if e.stage == "adapt").numbers["buffer"] == getattr(f.operation, "buffer", None)


def test_two_parameters_go_along_a_tree() -> None:
    A = smooth(5, complex)
    report = nmc.eigh(A, {"k": (0.0, 0.5), "z": (0.0, 0.5)}, basis="chebyshev", rng=0).gauge_report()
    assert report.aligned == "along a tree of 36 samples, then 40 sweeps"
    assert report.loops > 100
    assert report.holonomy < 0.1
    assert report.holonomy_at is not None
    assert [len(place) for place in report.holonomy_at] == [2, 2]


def test_a_matrix_that_is_not_normal_tells_its_condition() -> None:
    A = ExceptionalPoint(distance=0.5)
    report = nmc.eig(A, A.box, rng=0).gauge_report()
    assert report.kind == "scale"
    assert report.condition > 1
    assert "condition" in repr(report)


def test_the_report_survives_a_file(tmp_path: Path) -> None:
    A = ExactCrossing(n=8)
    f = nmc.eigh(A, A.box, rng=0)
    f.save(tmp_path / "pairs.nmc")
    assert nmc.load(tmp_path / "pairs.nmc").gauge_report() == f.gauge_report()


# clusters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize("verb", [nmc.eigh, nmc.svd])
def test_clusters_are_followed_as_spaces(verb: Any, gap: float, recwarn: Any, tmp_path: Path) -> None:
    A = Clusters(n=12, gap=gap, complex=gap == 1e-9)
    f = verb(A, A.box, rng=0)
    assert f.status == "converged"
    assert [cluster.size for cluster in f.gauge_report().clusters] == [3] * 4
    # Not a number that is certain was given away without a word.
    assert any("Levels come as near as" in str(w.message) for w in recwarn)
    for p in (0.0, 0.37, 1.0):
        values, vectors = (f(p)[1], f(p)[0]) if verb is nmc.svd else f(p)
        order = slice(None, None, -1) if verb is nmc.svd else slice(None)
        np.testing.assert_allclose(values[order], A.eigenvalues(p), atol=1e-8)
        assert np.all(np.diff(values[order]) >= -1e-15)
        for group, J in enumerate(A.groups):
            V = vectors[:, order][:, J]
            np.testing.assert_allclose(V @ V.conj().T, A.projector(p, group), atol=1e-7)
    f.save(tmp_path / "clusters.nmc")
    g = nmc.load(tmp_path / "clusters.nmc", matrix=A)
    assert g.operation == f.operation
    np.testing.assert_array_equal(g(0.37)[0], f(0.37)[0])
    assert g.certify(0.2).passed


def test_pairs_of_wilkinson_are_followed_as_spaces(recwarn: Any) -> None:
    A = Wilkinson()
    f = nmc.eigh(A, A.box, rng=0)
    assert f.status == "converged"
    assert {cluster.size for cluster in f.gauge_report().clusters} == {2}
    w, V = f(0.37)
    np.testing.assert_allclose(w, A.eigenvalues(0.37), atol=1e-8)
    assert np.linalg.norm(A(0.37) @ V - V * w) < 1e-7
    assert np.linalg.norm(V.T @ V - np.eye(21)) < 1e-7
    assert any("Levels come as near as" in str(w.message) for w in recwarn)


def test_a_cluster_of_a_pencil() -> None:
    A = Clusters(n=9, gap=1e-7)
    B = np.diag(np.linspace(1, 2, 9))
    L = np.linalg.cholesky(B)
    with pytest.warns(AccuracyWarning, match="Levels come as near as"):
        f = nmc.eigh(lambda p: L @ A(p) @ L.T, A.box, B, rng=0)
    w, V = f(0.61)
    np.testing.assert_allclose(w, A.eigenvalues(0.61), atol=1e-8)
    np.testing.assert_allclose(V.T @ B @ V, np.eye(9), atol=1e-7)
    assert len(f.gauge_report().clusters) == 3


def test_one_crossing_is_no_cluster() -> None:
    t = np.linspace(0, 1, 25)
    assert clusters_of(np.stack([t, 1 - t, 2 + 0 * t, 2 + 1e-9 * t], axis=1)) == ((2, 3),)
    assert clusters_of(np.ones((4, 1))) == ()


def test_singular_values_near_zero_of_a_rectangle_are_no_space() -> None:
    A = Clusters(n=6, size=2, gap=0.0)

    def family(p: float) -> Any:
        Q = A.eigenvectors(p)
        return np.vstack([(Q * np.r_[A.eigenvalues(p)[:4], 1e-13, 2e-13]) @ Q.T, np.zeros((2, 6))])

    with pytest.warns(AccuracyWarning, match=r"Levels come as near|held-out"):
        f = nmc.svd(family, (0.0, 1.0), rng=0)
    assert all(set(block) <= {0, 1, 2, 3, 4, 5} for block in getattr(f.operation, "blocks", ()))
    assert len(f.gauge_report().clusters) == 2


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_the_gauge_of_the_samples_changes_nothing(complex_: bool, monkeypatch: Any, recwarn: Any) -> None:
    """Random order, phases and bases of clusters at every exact solve: the same answers."""
    A = Clusters(n=8, size=2, gap=1e-8, complex=complex_)
    rng = np.random.default_rng(5)
    plain = nmc.eigh(A, A.box, rng=0)
    exact, blocks = Eigh.exact, tuple((k, k + 1) for k in range(0, 8, 2))

    def scrambled(self: Eigh, matrices: Any) -> Any:
        F = Vectors(("V",), ("w",), blocks=blocks).move(exact(self, matrices), rng)
        F = Vectors(("V",), ("w",)).move(F, rng)
        return {**F, "w": F["V"].conj().swapaxes(1, 2) @ matrices @ F["V"]}

    monkeypatch.setattr(Eigh, "exact", scrambled)
    other = nmc.eigh(A, A.box, rng=0)
    monkeypatch.undo()
    assert plain.status == other.status == "converged"
    for p in (0.1, 0.6):
        np.testing.assert_allclose(other(p).eigenvalues, plain(p).eigenvalues, atol=1e-9)
        for J in A.groups:
            V, W = (f(p).eigenvectors[:, J] for f in (plain, other))
            np.testing.assert_allclose(V @ V.conj().T, W @ W.conj().T, atol=1e-8)


@pytest.mark.parametrize("operation", [Eigh(blocks=((1, 2),)), FullSVD(blocks=((1, 2),))], ids=["eigh", "svd"])
def test_derivatives_through_a_block(operation: Any) -> None:
    A, p, h = smooth(5), 0.3, 1e-6
    parts = [
        operation.gauge.align(operation.exact(A(q)[None] + 3 * np.eye(5)), start) for q, start in _along(operation)
    ]
    F, dF = parts[0], {name: (parts[1][name] - parts[2][name]) / (2 * h) for name in parts[0]}
    first = "w" if "w" in F else "s"
    assert np.abs(F[first][0, 1, 2]) > 1e-3
    change = operation.present(operation.derivative(F, dF))[0 if first == "w" else 1][0]
    exact = (np.linalg.eigvalsh(A(p + h)) - np.linalg.eigvalsh(A(p - h))) / (2 * h)
    np.testing.assert_allclose(change, exact if first == "w" else exact[::-1], atol=1e-6)
    left = "V" if first == "w" else "U"
    X, dX = operation.canonical(F)[left][0], operation.derivative(F, dF)[left][0]
    stepped = operation.canonical(parts[1])[left][0], operation.canonical(parts[2])[left][0]
    signs = [np.sign((Y * X).sum(0)) for Y in stepped]
    np.testing.assert_allclose(dX, (stepped[0] * signs[0] - stepped[1] * signs[1]) / (2 * h), atol=1e-5)


def _along(operation: Any) -> Any:
    """Points p, p + h, p - h, each aligned to one frame that is turned inside the block."""
    start = operation.exact(smooth(5)(0.3)[None] + 3 * np.eye(5))
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    for name in operation.gauge.vectors:
        start[name] = start[name].copy()
        start[name][..., [1, 2]] = start[name][..., [1, 2]] @ turn
    return [(q, start) for q in (0.3, 0.3 + 1e-6, 0.3 - 1e-6)]


# group velocity ------------------------------------------------------------------------------------------------------


def test_group_velocity_is_that_of_hellmann_and_feynman() -> None:
    A = ExactCrossing(n=8, complex=True)
    f, h = nmc.eigh(A, A.box, tol=1e-11, rng=0), 1e-6
    for p in (0.11, 0.52, 0.87):
        V = f(p).eigenvectors
        dA = (A(p + h) - A(p - h)) / (2 * h)
        np.testing.assert_allclose(f.derivative()(p).eigenvalues, (V.conj() * (dA @ V)).sum(0).real, atol=1e-7)


@pytest.mark.parametrize("axis", [0, 1])
def test_group_velocity_of_haldane(axis: int) -> None:
    A = Haldane()
    f, h = nmc.eigh(A, [(0.1, 0.3), (0.1, 0.3)], basis="chebyshev", rng=0), 1e-5
    p = np.array([0.17, 0.24])
    V, step = f(p).eigenvectors, h * np.eye(2)[axis]
    dA = (A(p + step) - A(p - step)) / (2 * h)
    np.testing.assert_allclose(f.derivative(axis)(p).eigenvalues, (V.conj() * (dA @ V)).sum(0).real, atol=1e-5)
