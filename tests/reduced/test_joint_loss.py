"""The two forms of the loss of joint training of sparse solves, and that both are what they should be."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.reduced.made import BLOCK, QUIET, ROOM, WIND, exact, relative

import neumatc as nmc
from neumatc.reduced import system_of
from neumatc.reducing.joint import Training
from neumatc.reducing.losses import InFull, InSpan
from neumatc.training.perceptron import Perceptron
from neumatc.training.places import design
from neumatc.training.snapshots import realified

Array = npt.NDArray[Any]

D = 8


def wind() -> Any:
    return nmc.Affine(WIND.matrices, WIND.coefficients), WIND.rhs, WIND.box


def columns() -> Any:
    return nmc.Affine(WIND.matrices, WIND.coefficients), np.stack([WIND.rhs, np.arange(576.0)], axis=1), WIND.box


def room() -> Any:
    return nmc.Affine(ROOM.matrices, ROOM.coefficients), ROOM.rhs, {"k": QUIET}


def block() -> Any:
    return nmc.Affine(BLOCK.matrices, BLOCK.coefficients, energy=BLOCK.energy), BLOCK.rhs, BLOCK.box


SYSTEMS = {"one side": wind, "two sides": columns, "complex": room, "energy": block}


def losses(name: str, samples: int = 5, **options: Any) -> tuple[Training, Any, InSpan, InFull, Array]:
    """Both losses with one and the same C, and the stations."""
    system: Any = system_of(*SYSTEMS[name]())
    joint = nmc.Joint(d=D, collocation=6, candidates=4, **options)
    training = Training(system, joint, 1e-3, 3, lambda _: None)
    points = system.box.from_unit(design("uniform", samples, system.box.dimension))
    solutions = training._solved(points)
    stations = training._stations(solutions)
    reduced: Any = training._loss(solutions, stations)
    with torch.no_grad():
        reduced.latent.copy_(torch.from_numpy(np.random.default_rng(4).standard_normal(reduced.latent.shape)))
    C = (reduced.latent.detach() @ reduced.T).numpy()
    slices = C.view(system.dtype) @ solutions.builder.basis.rows
    whole = InFull(system, solutions.x, realified(slices), stations, solutions.size, training.like)
    return training, solutions, reduced, whole, stations


@pytest.mark.parametrize("name", SYSTEMS)
def test_both_forms_of_the_loss_agree_in_value_and_gradient(name: str):
    training, solutions, reduced, whole, stations = losses(name)
    network = Perceptron("sine", (stations.shape[1], 20, D), 4.0, np.random.default_rng(0))
    some = np.array([0, 5, 7])
    found: list[Any] = []
    for loss in (reduced, whole):
        loss.collocate(some)
        theta = network.parameters(torch.float64, "cpu")
        data = loss.data(network(theta, training._unit(solutions.points)))
        squares = loss.structure(network(theta, training._unit(stations[some])))
        (data + 0.7 * squares.sum()).backward()
        scores = loss.scores(network(theta, training._unit(stations)))[some]
        np.testing.assert_allclose(scores.numpy(), squares.detach().numpy(), rtol=1e-9)
        gradient = torch.cat([t.grad.flatten() for t in theta if t.grad is not None]).numpy()
        found.append((data.item(), squares.detach().numpy(), gradient))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-8)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=0, atol=1e-8 * np.abs(found[1][2]).max())


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_reduced_gradient_in_c_is_what_lies_in_the_span_of_the_whole(name: str):
    _, solutions, reduced, whole, stations = losses(name)
    phi = torch.from_numpy(np.random.default_rng(1).standard_normal((len(stations), D)))
    for loss in (reduced, whole):
        loss.collocate(np.arange(len(stations)))
        loss.structure(phi).sum().backward()
    assert reduced.latent.grad is not None
    assert whole.latent.grad is not None
    V = solutions.builder.basis.rows
    inside = (whole.latent.grad.numpy() / whole.grain).view(V.dtype) @ V.conj().T
    np.testing.assert_allclose(
        reduced.latent.grad.numpy(),
        realified(inside) @ reduced.T.numpy().T,
        rtol=0,
        atol=1e-7 * np.abs(reduced.latent.grad.numpy()).max(),
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_losses_are_those_of_the_sparse_products(name: str):
    training, solutions, reduced, whole, stations = losses(name)
    system: Any = training.system
    phi = np.random.default_rng(1).standard_normal((len(stations), D))
    C = (reduced.latent.detach() @ reduced.T).numpy().view(system.dtype) @ solutions.builder.basis.rows
    X = np.tensordot(phi, C, 1).swapaxes(1, 2) * solutions.size
    wanted = []
    for p, x in zip(stations, X.reshape(len(stations), system.n, *system.columns), strict=True):
        r, b = system.matrix(p) @ x - system.vector(p), system.vector(p)
        wanted.append((system.norm(r) / system.norm(b)) ** 2)
    for loss in (reduced, whole):
        np.testing.assert_allclose(loss.scores(torch.from_numpy(phi)).numpy(), wanted, rtol=1e-8)


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_comes_out_is_what_was_trained(name: str):
    training, solutions, reduced, whole, _ = losses(name)
    phi = np.random.default_rng(1).standard_normal((3, D))
    wanted = whole._combined(torch.from_numpy(phi)).detach().numpy().view(training.system.dtype) * solutions.size
    for loss in (reduced, whole):
        V, T = loss.finished()
        np.testing.assert_allclose(V.conj() @ V.T, np.eye(len(V)), atol=1e-13)
        coefficients = (phi @ T).view(training.system.dtype).reshape(3, len(V), -1)
        X = np.einsum("brk,rn->bkn", coefficients, V)
        np.testing.assert_allclose(X, wanted, atol=1e-11 * np.abs(wanted).max())


def test_trained_coordinates_are_round():
    """The mean square residual of a change is the square of its length: what lets Adam see all directions alike."""
    _, _, reduced, _, _ = losses("one side")
    L = reduced.every.L.numpy()
    np.testing.assert_allclose(np.einsum("qie,qje->ij", L, L) / len(L), np.eye(L.shape[1]), atol=1e-9)
    raw = np.linalg.solve(reduced.T.numpy(), L)
    assert np.linalg.cond(np.einsum("qie,qje->ij", raw, raw)) > 10


def test_derivatives_hold_what_the_results_lack():
    """The least residual in the span at stations, with orders 0, 1 and 2 of derivatives."""
    worst = []
    for order in (0, 1, 2):
        _, _, reduced, _, _ = losses("one side", 16, derivatives=order)
        L, a = (each.numpy() for each in (reduced.every.L, reduced.every.a))
        c = np.stack([np.linalg.lstsq(left.T, -right[0], rcond=None)[0] for left, right in zip(L, a, strict=True)])
        worst.append(float(reduced.every(torch.from_numpy(c[:, None])).max()) ** 0.5)
    assert worst[1] < 0.3 * worst[0]
    assert worst[2] < 0.3 * worst[1]


def test_the_literal_loss_leaves_the_span():
    A, b, box = wind()
    make = partial(nmc.solve, A, b, box, rng=0, samples=6)
    options = {"d": 6, "epochs": 30, "collocation": 6, "add": 0}
    with pytest.warns(nmc.errors.AccuracyWarning):
        f = make(training=nmc.Joint(**options, loss="literal"))
    results = np.stack([exact(WIND, float(p)) for p in f.samples.points[:, 0]])
    Q = np.linalg.qr(results.T)[0]
    assert np.linalg.norm(f.C - (f.C @ Q) @ Q.T, axis=1).max() > 1e-3
    found = [relative(WIND(p) @ f(p), WIND.rhs) for p in (0.1, 0.8)]
    np.testing.assert_allclose(f.certify([0.1, 0.8]).residual, found, rtol=1e-9)
