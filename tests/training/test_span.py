"""The orthogonalised stations against dense least squares on the sketched equations."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.made import KINDS, Array, operation_of, points, span_of

from neumatc.sketch import Sketch
from neumatc.training.span import BLOCK, Span, merged

EVERY = pytest.mark.parametrize("kind", KINDS)


def sketched(span: Span, sketch: Sketch, kind: str, p: Array, solved: Array) -> tuple[Array, Array]:
    """Dense ``L (E, m)`` and ``a (E,)`` of one station, one column per raw exact result."""
    probes, scale = sketch.probes[0], sketch.scales[0]
    W, Z = np.asarray(probes.left), np.asarray(probes.right)
    A = span.problem.matrices(p[None])[0]
    X = operation_of(kind).exact(span.problem.matrices(solved))["X"]
    products = [x.conj().T @ A if kind == "adjoint" else A @ x for x in X]
    L = np.stack([(W @ P @ Z).ravel() for P in products], axis=1)
    return L * probes.weight / scale, -(W @ Z).ravel() * probes.weight / scale


def stacked(L: Array) -> Array:
    return np.concatenate([L.real, L.imag])


def raw(span: Span, labels: Any) -> Array:
    """Coefficients of the raw exact results, ``(M, m)``."""
    c = torch.view_as_complex(labels.reshape(len(labels), -1, 2).contiguous()) if span.doubled else labels
    mixed: Array = (c @ span.mixing[: span.count, : span.count]).numpy()
    return mixed


def add(span: Span, solved: Array) -> None:
    """Exact results at ``solved (s, D)``, as a block."""
    span.extend([span.problem.solve(span.problem.matrices(p[None]), p[None]) for p in solved])


def filled(kind: str, stations: Array, solved: Array, **options: Any) -> Span:
    span = span_of(kind, options.pop("capacity", len(solved)), **options)
    span.probe(stations)
    add(span, solved)
    return span


@EVERY
def test_labels_are_least_squares_solutions(kind: str) -> None:
    x, solved = points(4, 0), points(5, 1)
    span = filled(kind, x, solved)
    assert span.doubled == (kind in ("complex", "adjoint"))
    found, rho = raw(span, span.labels()), span.stations.training_residual().numpy()
    for i in range(len(x)):
        L, a = sketched(span, span.stations.train, kind, x[i], solved)
        if span.doubled:
            c = np.linalg.lstsq(L, -a, rcond=None)[0]
        else:
            c = np.linalg.lstsq(stacked(L), -stacked(a), rcond=None)[0]
        expected = np.linalg.norm(a + L @ c)
        assert expected > 1e-4  # a system that is not solved exactly
        np.testing.assert_allclose(rho[i], expected, rtol=1e-10)
        np.testing.assert_allclose(found[i], c.conj() if kind == "adjoint" else c, rtol=0, atol=1e-8)


@EVERY
def test_verified_residuals_are_dense_ones_for_any_labels(kind: str) -> None:
    x, solved = points(4, 0), points(5, 1)
    span = filled(kind, x, solved)
    best = span.labels()
    for labels in (best, torch.from_numpy(np.random.default_rng(0).standard_normal(best.shape))):
        found, c = span.verified(labels).numpy(), raw(span, labels)
        for i in range(len(x)):
            L, a = sketched(span, span.stations.verify, kind, x[i], solved)
            expected = np.linalg.norm(a + L @ (c[i].conj() if kind == "adjoint" else c[i]))
            np.testing.assert_allclose(found[i], expected, rtol=1e-8)


@EVERY
def test_stations_that_come_later_catch_up(kind: str) -> None:
    x, solved = points(5, 0), points(BLOCK + 3, 1)  # more slices than fit into one block
    early = filled(kind, x, solved, counts=(9, 9))
    late = span_of(kind, len(solved), counts=(9, 9))
    late.probe(x[:2])
    add(late, solved[:-2])
    late.probe(x[2:])
    add(late, solved[-2:])
    np.testing.assert_allclose(late.labels(), early.labels(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(late.stations.training_residual(), early.stations.training_residual(), rtol=1e-8)
    np.testing.assert_allclose(late.verified(late.labels()), early.verified(early.labels()), rtol=1e-8)


@EVERY
def test_a_block_of_results_is_the_results_one_by_one(kind: str) -> None:
    x, solved = points(3, 0), points(6, 1)
    block, single = filled(kind, x, solved), span_of(kind, len(solved))
    single.probe(x)
    for p in solved:
        add(single, p[None])
        single.verified(single.labels())  # a look in between changes nothing
    assert single.count == block.count == len(solved)
    np.testing.assert_allclose(single.labels(), block.labels(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(single.verified(single.labels()), block.verified(block.labels()), rtol=1e-9)


@EVERY
def test_slices_are_orthonormal_in_the_sketch(kind: str) -> None:
    span = filled(kind, points(2, 0), points(6, 1))
    rows = span.columns[0].rows[:6]
    G = (rows @ rows.conj().T).numpy()
    np.testing.assert_allclose(G if span.doubled else G.real, np.eye(6), rtol=0, atol=1e-13)


@EVERY
def test_mixing_turns_raw_results_into_the_slices_of_both_sketches(kind: str) -> None:
    solved = points(4, 1)
    span = filled(kind, points(2, 0), solved)
    F = span.problem.operation.exact(span.problem.matrices(solved))
    for columns in span.columns:
        plain = torch.cat([columns.flatten(columns.sketch.unknown({"X": x[None]}))[None] for x in F["X"]])
        expected = span.mixing.to(plain.dtype) @ plain
        np.testing.assert_allclose(columns.rows.resolve_conj(), expected.resolve_conj(), rtol=0, atol=1e-12)


@EVERY
def test_the_training_residual_never_grows_and_vanishes_where_solved(kind: str) -> None:
    solved = points(5, 1)
    span = span_of(kind, len(solved))
    span.probe(solved)
    before = np.full(len(solved), np.inf)
    for i, p in enumerate(solved):
        add(span, p[None])
        now = span.stations.training_residual().numpy()
        assert (now <= before * (1 + 1e-12)).all()
        assert now[: i + 1].max() < 1e-13
        assert (now[i + 1 :] > 1e-4).all()
        before = now
    np.testing.assert_allclose(np.abs(raw(span, span.labels())), np.eye(len(solved)), rtol=0, atol=1e-9)


@EVERY
def test_a_repeated_result_becomes_a_zero_slice(kind: str) -> None:
    x, solved = points(4, 0), points(4, 1)
    plain = filled(kind, x, solved)
    twice = filled(kind, x, np.concatenate([solved[:3], solved[1:2], solved[3:]]))
    assert twice.count == 5
    for columns in twice.columns:
        assert not columns.rows[3].any()
    assert not twice.mixing[3].any()
    each = 2 if twice.doubled else 1
    labels = twice.labels().numpy().reshape(len(x), 5, each)
    assert not labels[:, 3].any()
    kept = np.delete(labels, 3, axis=1).reshape(len(x), -1)
    np.testing.assert_allclose(kept, plain.labels(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(twice.verified(twice.labels()), plain.verified(plain.labels()), rtol=1e-9)


def test_verification_columns_are_formed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    span, formed = filled("complex", points(2, 0), points(3, 1), capacity=5), []
    linear = span.stations._linear

    def counted(sketch: Sketch, known: Any, blocks: Any) -> Any:
        if sketch is span.stations.verify:
            formed.append(len(blocks[0]["core"]))
        return linear(sketch, known, blocks)

    monkeypatch.setattr(span.stations, "_linear", counted)
    for solves in (0, 0, 2, 0):
        if solves:
            add(span, points(solves, 2))
        span.verified(span.labels())
    assert formed == [3, 2]


def test_stations_are_numbered_in_the_order_in_which_they_were_probed() -> None:
    x, solved = points(5, 0), points(3, 1)
    whole, turned = filled("real", x, solved), filled("real", x[[4, 2, 0, 1, 3]], solved)
    np.testing.assert_allclose(turned.labels(), whole.labels()[[4, 2, 0, 1, 3]], rtol=0, atol=1e-13)


def test_memory_ahead_follows_the_slices_up_to_the_budget() -> None:
    span = filled("complex", points(2, 0), points(4, 1), capacity=5)
    part = span.stations.parts[0]
    numbers = part["Q"].shape[-1] + part["V"].shape[-1]
    assert span.stations.width == 8
    assert span.stations.bytes_ahead == 8 * 10 * (numbers + 10)  # twelve columns would be half more; the budget is ten


def test_merged_joins_what_follows_p_and_keeps_what_does_not() -> None:
    a, b, fixed = torch.zeros(2, 3, 4), torch.ones(1, 3, 4), torch.ones(3, 4)
    one = merged([[{"left": a, "right": fixed, "weight": 0.5}], [{"left": b, "right": fixed, "weight": 0.5}]])
    assert one[0]["left"].shape == (3, 3, 4)
    assert one[0]["right"] is fixed
    assert one[0]["weight"] == 0.5
