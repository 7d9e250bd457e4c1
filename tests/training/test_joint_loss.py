"""The two forms of the loss of joint training, and that both are what they should be."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

import neumatc as nmc
from neumatc.training import joined
from neumatc.training.joined import Joined
from neumatc.training.literal import Literal
from neumatc.training.losses import Reduced
from neumatc.training.perceptron import Perceptron

from .joint_made import VERBS, parts

Array = npt.NDArray[Any]


def both(monkeypatch: pytest.MonkeyPatch, verb: Any) -> tuple[Joined, Reduced, Literal, Array]:
    trainer, reduced, x = parts(monkeypatch, verb, probes=1000)
    _, literal, again = parts(monkeypatch, verb, loss="literal")
    np.testing.assert_array_equal(x, again)
    return trainer, reduced, literal, x


@pytest.mark.parametrize("name", [name for name in VERBS if name != "logm"])
def test_both_forms_of_the_loss_agree_in_value_and_gradient(name: str, monkeypatch: pytest.MonkeyPatch):
    trainer, reduced, literal, x = both(monkeypatch, VERBS[name])
    network = Perceptron("sine", (1, 20, 8), 4.0, np.random.default_rng(0))
    stations = np.array([0, 5, 7])
    found = []
    for loss in (reduced, literal):
        loss.collocate(stations)
        theta = network.parameters(torch.float64, "cpu")
        data = loss.data(network(theta, torch.from_numpy(trainer.x)))
        squares = loss.structure(network(theta, torch.from_numpy(x[stations])))
        (data + 0.7 * squares.sum()).backward()
        gradient = torch.cat([t.grad.flatten() for t in theta if t.grad is not None])
        assert loss.scores(network(theta, torch.from_numpy(x)))[stations].numpy() == pytest.approx(
            squares.detach().numpy(), rel=1e-12
        )
        found.append((data.item(), squares.detach().numpy(), gradient.numpy()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=0, atol=1e-9 * np.abs(found[1][2]).max())


def test_gradient_of_the_data_in_all_of_c_lies_in_the_span(monkeypatch: pytest.MonkeyPatch):
    trainer, reduced, literal, _ = both(monkeypatch, VERBS["inv"])
    network = Perceptron("sine", (1, 20, 8), 4.0, np.random.default_rng(0))
    theta = network.parameters(torch.float64, "cpu")
    for loss in (reduced, literal):
        loss.data(network(theta, torch.from_numpy(trainer.x)).detach()).backward()
    assert literal.latent.grad is not None
    assert reduced.latent.grad is not None
    whole, Q = literal.latent.grad.numpy() / literal.grain, literal.snapshots.Q
    np.testing.assert_allclose(whole, (whole @ Q.T) @ Q, atol=1e-7 * np.abs(whole).max())
    np.testing.assert_allclose(whole @ Q.T, reduced.latent.grad.numpy(), atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("name", [name for name in VERBS if name != "logm"])
def test_structure_vanishes_on_exact_results(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(joined, "random_places", lambda *_: np.linspace(-1, 1, 9)[:, None])
    for options in ({}, {"loss": "literal"}):
        _, loss, _ = parts(monkeypatch, VERBS[name], d=9, **options)
        target = loss.y if isinstance(loss, Reduced) else loss.results / loss.grain
        latent = loss.latent.detach().numpy()
        phi = torch.from_numpy(np.linalg.lstsq(latent.T, target.numpy().T, rcond=1e-14)[0].T)
        assert loss.data(phi).item() < 1e-12
        assert loss.scores(phi).max().item() < 1e-12


def test_fewer_probes_estimate_the_same_structure(monkeypatch: pytest.MonkeyPatch):
    family = nmc.gallery.SyntheticInverse(n=40, rank=6, cond=5.0)
    phi = torch.from_numpy(np.random.default_rng(0).standard_normal((32, 8)))
    means = []
    for probes in (None, 40):
        _, loss, _ = parts(monkeypatch, partial(nmc.inv, family), probes=probes)
        means.append(loss.scores(phi).mean().item())
    assert means[0] == pytest.approx(means[1], rel=0.3)
