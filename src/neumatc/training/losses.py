"""The loss of the paper (eq. 3) for ``G(p) ≈ C ×₃ Φ(p)``, in its reduced form.

    L(C, θ) = Σ_j ‖C ×₃ Φ(p_j) - G_j‖²  +  λ Σ_q ‖R(q; C ×₃ Φ(q))‖²

Both terms are relative here: data to the mean of ``‖G_j‖²``, each equation to its own scale, as everywhere in this
library. With the snapshots ``G_j = y_j Q`` (Q orthonormal, m <= Ns directions) and ``C = M Q``

    ‖C ×₃ Φ(p_j) - G_j‖² = ‖Φ(p_j) M - y_j‖² + tail_j,

exactly, and its gradient in C lies in the span of Q: training C on the data never leaves the span. The gradient of the
structure term in C does leave it; the reduced form keeps the part inside (Galerkin). `literal` trains all of C.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import Array

from .snapshots import Snapshots
from .structure import Structure

Tensor: TypeAlias = torch.Tensor


class Loss(Protocol):
    """Both terms of the loss as functions of ``Φ``, and the latent tensor that is trained beside it."""

    latent: Tensor

    def data(self, phi: Tensor) -> Tensor:
        """``Σ_j ‖C ×₃ φ_j - G_j‖²`` over all samples, relative; ``phi (Ns, d)``."""

    def structure(self, phi: Tensor) -> Tensor:
        """``‖R(q; C ×₃ φ_q)‖²``, relative, ``(B,)``, at the collocation points; ``phi (B, d)``."""

    def collocate(self, stations: Array) -> None:
        """Take these stations as collocation points from now on."""

    def scores(self, phi: Tensor) -> Tensor:
        """The same as ``structure`` at all stations, without gradients; ``phi (M, d)``."""

    def finished(self) -> tuple[Array, Array]:
        """Slices ``C (k, N)`` in the user's units, and T with ``Φ(x) T`` their coefficients."""


@final
class Reduced:
    """C = M Q with a trained ``M (d, m)``; an epoch costs ``O((Ns + N_c) m²)`` and the network."""

    def __init__(self, snapshots: Snapshots, latent: Array, every: Structure | None, like: Tensor) -> None:
        """``like`` tells precision and device; without a structure there is no such term."""
        self.snapshots, self.every, self.active = snapshots, every, every
        self.y = torch.tensor(snapshots.y, dtype=like.dtype, device=like.device)
        self.latent = torch.tensor(latent, dtype=like.dtype, device=like.device, requires_grad=True)

    def data(self, phi: Tensor) -> Tensor:
        r = phi @ self.latent - self.y
        return (r * r).sum() + self.snapshots.tail

    def structure(self, phi: Tensor) -> Tensor:
        assert self.active is not None
        return self.active(phi @ self.latent)

    def collocate(self, stations: Array) -> None:
        if self.every is not None:
            self.active = self.every.at(torch.as_tensor(stations, device=self.latent.device))

    def scores(self, phi: Tensor) -> Tensor:
        assert self.every is not None
        with torch.no_grad():
            return self.every(phi @ self.latent)

    def finished(self) -> tuple[Array, Array]:
        return self.snapshots.finished(self.latent.detach().cpu().numpy().astype(float), turned=False)


def first_mixing(snapshots: Snapshots, d: int, rng: np.random.Generator | None) -> Array:
    """``M (d, m)`` to begin with: principal directions times their root mean square, or random rows of that size.

    So scaled, Φ is of order one in every direction: Adam, whose steps know no scale, then trains the small directions
    as fast as the large ones (measured, inverse n = 128: 7e-5 after 500 epochs, 5e-4 with plain orthonormal rows).
    """
    m = snapshots.y.shape[1]
    sizes = np.sqrt(np.mean(snapshots.y**2, axis=0))
    if rng is not None:
        random: Array = rng.standard_normal((d, m)) / np.sqrt(d) * sizes
        return random
    principal: Array = np.eye(d, m) * sizes
    return principal
