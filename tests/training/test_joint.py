"""Joint training: the paper's Algorithm 2, its refinement, its options. Loss and state have files of their own."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import neumatc as nmc
from neumatc.bases.network import ACTIVATIONS
from neumatc.errors import AccuracyWarning, InputError, TrainingError
from neumatc.gallery import AffineInverse
from neumatc.history import Event
from neumatc.training.adam import Adam
from neumatc.training.joined import Joined
from neumatc.training.joint import Joint
from neumatc.training.places import design, worst

from .joint_made import SMALL, VERBS, ToldError, smooth

Array = npt.NDArray[Any]

pytestmark = pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")


@pytest.mark.parametrize("name", VERBS)
def test_operations_are_learned(name: str):
    steep = {"rate": 5e-3, "epochs": 600, "interval": 200, "tolerance": 0.0}
    f = VERBS[name](box=(0.0, 1.0), training=Joint(**SMALL | steep), samples=15, rng=1, tol=0.3)
    assert f.status == "converged"
    assert f.basis.name == "network"
    assert len(f.samples) == 15
    assert f.certify(np.linspace(0, 1, 7)).residual.max() < 0.3
    losses = [event.numbers["data"] for event in f.history if event.stage == "epoch"]
    assert losses[-1] < 0.05 * losses[0]
    assert np.isfinite(f.surrogate.C).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_trains(activation: str):
    options = SMALL | {"activation": activation, "epochs": 300, "rate": 5e-3}
    f = nmc.inv(smooth, (0.0, 1.0), training=Joint(**options), samples=15, rng=1, tol=0.3)
    assert f.error < 0.2
    assert f.surrogate.curve.activation == activation


def test_worst_candidates_are_added():
    scores = np.array([0.3, -0.1, 0.9, np.nan, 0.5, 0.0, 0.7])
    free = np.array([True, True, True, True, True, True, False])
    probability, chosen = worst(scores, free, 0.1, 3)
    assert probability == pytest.approx(5 / 7)
    assert chosen.tolist() == [3, 2, 4]
    assert worst(scores, free, 0.8, 3)[1].tolist() == []
    assert worst(scores, ~free, 0.1, 3)[1].tolist() == [6]


def history(stage: str, **options: Any) -> list[Event]:
    f = nmc.inv(smooth, (0.0, 1.0), training=Joint(**SMALL | {"epochs": 200} | options), samples=9, rng=1)
    return [event for event in f.history if event.stage == stage]


def test_refinements_follow_the_schedule():
    told = history("refine", interval=60)
    assert [event.numbers["epoch"] for event in told] == [60, 120, 180]
    assert [event.numbers["added"] for event in told] == [3, 3, 3]
    assert history("refine", add=0) == []
    assert [event.numbers["added"] for event in history("refine", interval=40, add=9)] == [9, 9, 2, 0]


def test_refinement_adds_what_has_the_largest_residual(monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Array, Array, Array]] = []
    refine = Adam._refine

    def watched(self: Adam) -> None:
        before = self.active
        scores = self.loss.scores(self.network(self.theta, self.places.stations)).numpy()
        refine(self)
        seen.append((scores, before, self.active))

    monkeypatch.setattr(Adam, "_refine", watched)
    history("refine", interval=80)
    for scores, before, after in seen:
        added = after[len(before) :]
        others = np.setdiff1d(np.arange(len(scores)), after)
        assert scores[added].min() >= scores[others].max()
        assert (np.diff(scores[added]) <= 0).all()


def test_random_refinement_keeps_the_schedule_and_not_the_order():
    f = partial(nmc.inv, smooth, (0.0, 1.0), samples=9, rng=1)
    adaptive, random = (f(training=Joint(**SMALL | {"epochs": 200, "interval": 60, "sampling": s}))
                        for s in ("adaptive", "random"))  # fmt: skip
    assert [e.numbers["added"] for e in random.history if e.stage == "refine"] == [3, 3, 3]
    assert not np.array_equal(adaptive(0.3), random(0.3))


def test_training_ends_below_the_failure_probability():
    told = history("refine", interval=10, threshold=1e6)
    assert [(event.numbers["epoch"], event.numbers["probability"]) for event in told] == [(10, 0.0)]
    assert len(history("refine", interval=50, threshold=1e6, tolerance=0.0)) == 3


@pytest.mark.parametrize(
    ("kind", "count", "dimension", "found"),
    [
        ("uniform", 9, 1, 9),
        ("uniform", 30, 2, 25),
        ("chebyshev", 27, 3, 27),
        ("sobol", 30, 2, 30),
        ("uniform", 3, 2, 3),
    ],
)
def test_designs_fit_the_budget(kind: str, count: int, dimension: int, found: int):
    x = design(kind, count, dimension)
    assert x.shape == (found, dimension)
    assert np.abs(x).max() <= 1


def test_samples_lie_where_the_sampler_says():
    options = Joint(**SMALL | {"epochs": 5, "samples": 7})
    uniform = nmc.inv(smooth, (0.0, 2.0), training=options, rng=0)
    np.testing.assert_allclose(uniform.samples.points[:, 0], np.linspace(0, 2, 7))
    nodes = nmc.inv(smooth, (0.0, 2.0), training=options, rng=0, sampler="chebyshev", samples=5)
    np.testing.assert_allclose(nodes.samples.points[:, 0], 1 - np.cos(np.pi * np.arange(5) / 4), atol=1e-12)


def test_two_parameters_and_tables():
    options = Joint(**SMALL | {"epochs": 300, "rate": 5e-3})
    plane = nmc.inv(smooth, [(0.0, 1.0), (0.0, 1.0)], training=options, samples=25, rng=0, tol=0.3)
    assert plane.status == "converged"
    points = np.linspace(0, 1, 60)
    table = nmc.Table(points, np.stack([smooth(p) for p in points]))
    f = nmc.inv(table, (0.0, 1.0), training=options, samples=12, rng=0, tol=0.3)
    assert f.status == "converged"
    assert np.abs(f.samples.points - points).min(1).max() < 1e-12


def test_no_structure_without_weight_or_points():
    for options in ({"balance": 0.0}, {"collocation": 0, "add": 0}):
        assert all("structure" not in event.numbers for event in history("epoch", **options))
    assert "structure" in history("epoch", collocation=0, interval=100)[-1].numbers
    f = VERBS["logm"](box=(0.0, 1.0), training=Joint(**SMALL | {"epochs": 10}), samples=9, rng=0)
    assert any(event.stage == "structure" and "data alone" in event.text for event in f.history)


def test_more_latent_dimensions_than_samples():
    f = nmc.inv(smooth, (0.0, 1.0), training=Joint(**SMALL | {"d": 20, "epochs": 300}), samples=8, rng=0, tol=0.3)
    assert f.surrogate.d <= 8


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"activation": "cosine"}, "unknown activation of Joint 'cosine'; known: 'gelu'"),
        ({"loss": "full"}, "unknown loss of Joint 'full'"),
        ({"width": 0}, "`width` of Joint must be a whole number of at least 1, got 0. It counts"),
        ({"epochs": 10.0}, "`epochs` of Joint must be a whole number"),
        ({"samples": 1}, "`samples` of Joint must be a whole number of at least 2, got 1"),
        ({"omega": 0.0}, "`omega` of Joint must be a finite number above 0, got 0.0. A weight"),
        ({"balance": -1}, "`balance` of Joint must be a finite number of at least 0, got -1"),
        ({"beta2": 1.0}, "`beta2` of Joint must be below 1, got 1.0. It is the share"),
        ({"threshold": np.nan}, "`threshold` of Joint must be a finite number of at least 0, got nan"),
    ],
)
def test_options_that_describe_no_training(options: dict[str, Any], text: str):
    with pytest.raises(InputError, match=text):
        Joint(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"training": "jiont"}, "unknown training 'jiont'; known: 'auto', 'joint'. Did you mean 'joint'"),
        ({"training": Joint}, "'auto', 'joint' or an instance of Joint.*without calling it. Write"),
        ({"training": "joint", "basis": "sine"}, "a network of its own, and basis='sine'.*Leave `basis` out"),
    ],
)
def test_training_that_cannot_be_meant(options: dict[str, Any], text: str):
    with pytest.raises(InputError, match=text):
        nmc.inv(smooth, (0.0, 1.0), **options)


def test_values_alone_are_refused():
    with pytest.raises(InputError, match=r"factors it can learn, and `svdvals` has values alone.*training='auto'"):
        nmc.svdvals(smooth, (0.0, 1.0), training="joint")


def test_a_loss_that_explodes_is_an_error():
    options = Joint(**SMALL | {"epochs": 300, "rate": 1e200, "schedule": "constant"})
    with pytest.raises(TrainingError, match=r"finite losses, and epoch .* came\. The steps are .*Lower `rate`"):
        nmc.inv(smooth, (0.0, 1.0), training=options, samples=9, rng=0)


def test_reports_losses_to_the_progress_bar():
    told: list[Event] = []
    nmc.inv(smooth, (0.0, 1.0), training=Joint(**SMALL | {"epochs": 100}), samples=9, rng=0, progress=told.append)
    epochs = [event for event in told if event.stage == "epoch"]
    assert len(epochs) == 50
    assert epochs[-1].text.startswith("epoch 100/100, data ")
    assert "structure" in epochs[-1].text


def test_name_stands_for_the_default_options(monkeypatch: pytest.MonkeyPatch):
    taken: list[Any] = []

    def caught(trainer: Joined) -> Any:
        taken.append(trainer.options)
        raise ToldError

    monkeypatch.setattr(Joined, "run", caught)
    for training in ("joint", nmc.Joint()):
        with pytest.raises(ToldError):
            nmc.inv(smooth, (0.0, 1.0), training=training)
    assert taken == [Joint(), Joint()]


def test_falling_short_of_tol_names_what_helps():
    options = Joint(**SMALL | {"epochs": 5})
    with pytest.warns(AccuracyWarning, match=r"that is how far Adam came .*Raise `epochs` of Joint"):
        nmc.inv(smooth, (0.0, 1.0), training=options, samples=9, rng=0)


def test_derivatives_are_for_sparse_solves() -> None:
    family = AffineInverse(n=6)
    with pytest.raises(InputError, match=r"`derivatives` of Joint must be 0 or None for a dense A\(p\), got 1"):
        nmc.inv(family, family.box, training=nmc.Joint(derivatives=1), rng=0)
