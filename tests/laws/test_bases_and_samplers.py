"""The laws of `neumatc.testing` for every basis and sampler there is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neumatc.bases import BASES, Chebyshev, RadialBasis, SineNetwork, Spline, lobatto
from neumatc.sampling import SAMPLERS, FailureInformed
from neumatc.testing import BASIS_LAWS, SAMPLER_LAWS, check_basis, check_sampler

BASIS_CASES = {name: (make(), lobatto(40)) for name, make in BASES.items()} | {
    "chebyshev, two parameters": (Chebyshev(), lobatto(12, 11)),
    "chebyshev, three parameters": (Chebyshev(), lobatto(7, 6, 7)),
    "sine, two parameters": (SineNetwork(), lobatto(9, 9)),
    "sine, scattered": (SineNetwork(), np.random.default_rng(0).uniform(-1, 1, (80, 2))),
    "rbf, two parameters": (RadialBasis(), lobatto(9, 9)),
    "rbf, scattered": (RadialBasis(), np.random.default_rng(0).uniform(-1, 1, (80, 2))),
    "rbf, five parameters": (RadialBasis(), np.random.default_rng(0).uniform(-1, 1, (300, 5))),
    "rbf, thin plate": (RadialBasis("thin_plate_spline"), np.random.default_rng(0).uniform(-1, 1, (200, 2))),
    "rbf, cubic": (RadialBasis("cubic"), np.random.default_rng(0).uniform(-1, 1, (200, 2))),
    "rbf, gaussian": (RadialBasis("gaussian", shape=2.8), lobatto(13, 13)),
    "cubic spline": (Spline(degree=3), np.linspace(-1, 1, 40)[:, None]),
}
SAMPLER_CASES = SAMPLERS | {
    "several at once": FailureInformed(add=4),
    "tolerant": FailureInformed(threshold=1e-4, tolerance=0.05),
}
CANDIDATES = {"line": lobatto(33), "square": lobatto(8, 9), "cloud": np.random.default_rng(0).uniform(-1, 1, (60, 3))}


@pytest.mark.parametrize("law", BASIS_LAWS.values(), ids=BASIS_LAWS)
@pytest.mark.parametrize("name", BASIS_CASES)
def test_bases(name: str, law: Callable[..., None]) -> None:
    basis, x = BASIS_CASES[name]
    law(basis, x, np.random.default_rng(2))


@pytest.mark.parametrize("law", SAMPLER_LAWS.values(), ids=SAMPLER_LAWS)
@pytest.mark.parametrize("points", CANDIDATES)
@pytest.mark.parametrize("name", SAMPLER_CASES)
def test_samplers(name: str, points: str, law: Callable[..., None]) -> None:
    law(SAMPLER_CASES[name], CANDIDATES[points], np.random.default_rng(3))


def test_checks_run_every_law(monkeypatch: Any) -> None:
    """`check_basis` and `check_sampler` are the tables above and nothing else."""
    import neumatc.testing.bases
    import neumatc.testing.samplers

    heard: list[str] = []
    for module, table in ((neumatc.testing.bases, "BASIS_LAWS"), (neumatc.testing.samplers, "SAMPLER_LAWS")):
        spies = {name: lambda *_, name=name: heard.append(name) for name in getattr(module, table)}
        monkeypatch.setattr(module, table, spies)
    check_basis(Spline())
    check_sampler(FailureInformed())
    assert heard == [*BASIS_LAWS, *SAMPLER_LAWS]
