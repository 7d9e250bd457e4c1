"""Graphs: one shape, one memory, and the order in which a CUDA graph is recorded."""

from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

import neumatc as nmc
from neumatc.errors import InputError
from neumatc.tensors.graph import WARM, recorded


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
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    replay = recorded(lambda: log.append("run"))
    beside = ["beside waits", "beside begins", *["run"] * WARM, "beside ends", "main waits"]
    assert log == [*beside, "graph begins", "run", "graph ends"]
    replay()
    assert log[-1] == "replay"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine")
@pytest.mark.parametrize("what", ["answer", "corrected"])
def test_a_gpu_replays_what_it_recorded(fit: nmc.Fit, what: str):
    g = fit.to("cuda", theta=there)
    graph, query = g.graph((100,), what), g if what == "answer" else g.corrected
    for seed in range(3):
        p = torch.rand(100, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).cuda()
        for one, other in zip(flat(graph(p)), flat(query(p)), strict=True):
            assert torch.allclose(one, other, rtol=0, atol=1e-14)
