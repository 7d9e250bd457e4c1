"""Graphs: one shape, one memory, and the order in which a CUDA graph is recorded."""

import gc
import weakref
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

import neumatc as nmc
from neumatc.errors import InputError
from neumatc.tensors import graph as graphs
from neumatc.tensors.graph import WARM, recorded
from neumatc.tensors.small import Jacobi


def there(p: Any) -> Any:
    return torch.stack([torch.ones_like(p[:, 0]), p[:, 0]], dim=-1)


@pytest.fixture(scope="module")
def fit() -> nmc.Fit:
    A = nmc.Affine([np.diag([2.0, 3.0, 4.0]), np.ones((3, 3))], lambda p: [1.0, p])
    return nmc.inv(A, box=(0.0, 1.0), rng=0)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
@pytest.mark.parametrize("what", ["answer", "corrected"])
def test_a_graph_answers_in_one_memory(fit: nmc.Fit, shape: Any, what: str):
    g = fit.to("cpu", theta=there)
    graph, query = g.graph(shape, what), g if what == "answer" else g.corrected
    first = None
    for seed in range(2):
        p = torch.from_numpy(np.asarray(np.random.default_rng(seed).uniform(0, 1, shape)))
        with NoWaiting():
            found = graph(p)
        assert first is None or found is first
        first = found
        for one, other in zip(flat(found), flat(query(p)), strict=True):
            assert torch.equal(one, other)


def flat(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_single_precision_and_several_parameters():
    A = nmc.Affine([np.diag([2.0, 3.0]), np.ones((2, 2)), np.eye(2)], lambda p: [1.0, p[0], p[1]])
    g = nmc.inv(A, box=[(0.0, 1.0), (0.0, 1.0)], tol=1e-4, rng=0).to("cpu", torch.float32)
    p = torch.rand(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(g.graph((5,), dtype=torch.float32)(p), g(p))


def test_another_shape_is_refused(fit: nmc.Fit):
    graph = fit.to("cpu").graph((4,))
    for p in (torch.zeros(5).double(), torch.zeros(4), torch.zeros(4, device="meta").double(), np.zeros(4)):
        with pytest.raises(InputError, match=r"recorded for a torch.float64 tensor of shape \(4,\) on cpu.*Pad p"):
            graph(p)


def test_a_graph_of_corrections_needs_coefficients(fit: nmc.Fit):
    with pytest.raises(InputError, match=r"need the coefficients θ\(p\) as tensors"):
        fit.to("cpu").graph((4,), "corrected")


def test_a_cuda_graph_is_recorded_once_after_runs_beside(monkeypatch: pytest.MonkeyPatch):
    log: list[str] = []

    class Stream:
        def wait_stream(self, other: Any) -> None:
            log.append("beside waits" if other is main else "main waits")

    class Recording:
        def replay(self) -> None:
            log.append("replay")

    @contextmanager
    def within(name: str) -> Any:
        log.append(f"{name} begins")
        yield
        log.append(f"{name} ends")

    main = Stream()
    for name, value in {
        "Stream": Stream,
        "CUDAGraph": Recording,
        "current_stream": lambda: main,
        "stream": lambda _: within("beside"),
        "graph": lambda _: within("graph"),
        "device": lambda device: within(device),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)

    def query(p: Any) -> str:
        log.append("run")
        return f"answer at {p}, run {log.count('run')}"

    replay, result = recorded(query, SimpleNamespace(device="cuda:1"))  # type: ignore[arg-type]
    beside = ["beside waits", "beside begins", *["run"] * WARM, "beside ends", "main waits"]
    recording = ["graph begins", "run", "graph ends"]
    assert log == ["cuda:1 begins", *beside, *recording, "cuda:1 ends"]
    assert result.endswith(f"run {WARM + 1}")  # in memory of the graph
    replay()
    assert log[-1] == "replay"


@pytest.mark.parametrize("what", ["answer", "corrected"])
def test_a_graph_holds_all_that_it_reads(fit: nmc.Fit, what: str, monkeypatch: pytest.MonkeyPatch):
    """A recorded graph is addresses for torch: it holds no tensor that was there before it."""
    monkeypatch.setattr(graphs, "repeated", lambda query, p: (lambda: None, query(p)))
    g = fit.to("cpu", theta=there)
    slices, latent = weakref.ref(g.slices.parts[0]), weakref.ref(g.latent)
    graph = g.graph((4,), what)
    del g
    gc.collect()
    assert slices() is not None
    assert (latent() is not None) or what == "answer"
    del graph
    gc.collect()
    assert slices() is None


def test_a_graph_of_a_small_decomposition_holds_the_order_of_its_rotations(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphs, "repeated", lambda query, p: (lambda: None, query(p)))
    f = nmc.svd(lambda p: np.outer([1, p, 2], [2, 1, p]) + 0.01 * np.eye(3), (0.0, 1.0), rank=1, rng=0)
    made, of = [], Jacobi.of

    def watched(*given: Any) -> Jacobi:
        rotations = of(*given)
        made.append(weakref.ref(rotations))
        return rotations

    monkeypatch.setattr(Jacobi, "of", watched)
    graph = f.to("cpu").graph((4,))
    gc.collect()
    assert made[-1]() is not None
    del graph


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine")
@pytest.mark.parametrize("what", ["answer", "corrected"])
def test_a_gpu_replays_what_it_recorded(fit: nmc.Fit, what: str):
    g = fit.to("cuda", theta=there)
    graph, query = g.graph((100,), what), g if what == "answer" else g.corrected
    for seed in range(3):
        p = torch.rand(100, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).cuda()
        for one, other in zip(flat(graph(p)), flat(query(p)), strict=True):
            assert torch.allclose(one, other, rtol=0, atol=1e-14)
