"""What the tests of joint training share: small families, verbs over them, and the parts of a training."""

from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import neumatc as nmc
from neumatc.training.joined import Joined
from neumatc.training.joint import Joint

from .made import normal

Array = npt.NDArray[Any]

N = 6


def smooth(p: Any) -> Array:
    """Well conditioned, entire, and unsymmetric."""
    at = np.ravel(p)
    made: Array = 4 * np.eye(N) + sum(np.cos((k + 1) * at[0] + k * at[-1]) * B for k, B in enumerate(_terms()))
    return made


@cache
def _terms() -> Array:
    B = normal((4, N, N), False, 5)
    scaled: Array = 0.5 * B / np.linalg.norm(B, 2, axis=(-2, -1), keepdims=True)
    return scaled


def spd(p: Any) -> Array:
    A = smooth(p)
    made: Array = A @ A.T
    return made


def spread(p: Any) -> Array:
    """Hermitian and complex, with well separated eigenvalues."""
    G = normal((N, N), True, 7)
    made: Array = np.diag(3.0 * np.arange(N)) + 0.2 * np.cos(p) * (G + G.conj().T)
    return made


VERBS = {
    "inv": partial(nmc.inv, smooth),
    "complex inv": partial(nmc.inv, lambda p: smooth(p) + 1j * np.sin(p) * _terms()[0]),
    "svd": partial(nmc.svd, spread, rank=3),
    "eigh": partial(nmc.eigh, spread),
    "eigh of a few": partial(nmc.eigh, spread, rank=3),
    "qr": partial(nmc.qr, smooth),
    "cholesky": partial(nmc.cholesky, spd),
    "expm": partial(nmc.expm, lambda p: smooth(p) - 4 * np.eye(N)),
    "sqrtm": partial(nmc.sqrtm, spd),
    "logm": partial(nmc.logm, spd),
}

SMALL: dict[str, Any] = {"width": 40, "d": 8, "omega": 4.0, "collocation": 12, "candidates": 20, "add": 3}


class ToldError(Exception):
    """Carries the parts of a training out of it, before its first step."""


def parts(monkeypatch: pytest.MonkeyPatch, verb: Any, **options: Any) -> tuple[Joined, Any, Array]:
    """Trainer, loss and stations of a fit."""
    kept: list[Any] = []

    def caught(trainer: Joined, loss: Any, stations: Array) -> Any:
        kept.extend([trainer, loss, stations])
        raise ToldError

    monkeypatch.setattr(Joined, "_trained", caught)
    with pytest.raises(ToldError):
        verb(box=(0.0, 1.0), training=Joint(**SMALL | options), samples=9, rng=3)
    return kept[0], kept[1], kept[2]
