"""The correction of a batch on a device waits for nothing, and is that of the host."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.core.affine_families import fitted
from tests.tensors.waiting import NoWaiting

from neumatc.latent.reduction import with_one
from neumatc.latent.steps import FEW


@pytest.mark.parametrize("verb", ["inv", "qr", "cholesky"])
def test_batch_is_corrected_without_waiting(verb: str) -> None:
    fit: Any = fitted(verb)
    at = fit.latent.at(np.random.default_rng(0).uniform(0, 1, (FEW + 16, 1)))
    start = fit.surrogate.curve(fit.box.to_unit(at.points))
    start[5] = np.nan
    phi, t = torch.from_numpy(start), torch.from_numpy(with_one(at.theta))
    steps = fit.latent.steps.like(phi)
    assert steps.normal is not None
    with NoWaiting():
        found, sound = steps.run(phi, t)
    assert np.flatnonzero(~sound.numpy()).tolist() == [5]
    wanted, known = fit.latent.steps(start, at.theta)
    np.testing.assert_array_equal(sound.numpy(), known)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-11 * np.nanmax(np.abs(start)))
