"""The certificate from φ as tensors: the formulas of `LatentChecker.certificate`, prepared once for a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch

from neumatc.latent.checker import UNIT, LatentChecker
from neumatc.latent.reduction import monomial_values
from neumatc.latent.sizes import gamma, of_term
from neumatc.tensors.placed import Tensor, doubles, joined, on, pieces


class Size(NamedTuple):
    """`neumatc.latent.sizes.Size` at B points."""

    two: Tensor
    frobenius: Tensor
    change: Tensor


@final
@dataclass(frozen=True)
class Norms:
    """Of a matrix that is a sum of d parts: their 2-norms ``(d,)``, and what its Frobenius norm is bounded by.

    ``weights`` are the Frobenius norms ``(d,)`` of the parts, or the Gram matrix ``(d, d)`` of their moduli.
    """

    two: Tensor
    weights: Tensor

    def size(self, moduli: Tensor, gamma: float) -> Size:
        """For coefficients with these moduli ``(B, d)``."""
        weighed = moduli @ self.weights
        frobenius = weighed if self.weights.ndim == 1 else (weighed * moduli).sum(1).sqrt()
        return Size(torch.minimum(moduli @ self.two, frobenius), frobenius, gamma * frobenius)


@final
@dataclass(frozen=True)
class DeviceChecker:
    """Certificates of B answers from ``phi (B, m)`` and ``t (B, Q + 1)``; see `LatentChecker` for what is prepared."""

    host: LatentChecker
    M: Tensor
    pairs: tuple[Tensor, Tensor]
    owners: Tensor
    diagonals: Tensor
    slices: Mapping[str, Norms]
    parts: Mapping[str, Norms]
    scales: tuple[Tensor | float, ...]

    @staticmethod
    def of(host: LatentChecker, device: torch.device) -> DeviceChecker:
        """Carry over what an affine family has prepared."""
        affinity = host.affinity
        assert affinity is not None  # the caller has looked
        return DeviceChecker(
            host,
            doubles(device, affinity.M),
            (on(device, affinity.pairs[0]), on(device, affinity.pairs[1])),
            doubles(device, host.owners),
            doubles(device, host.diagonals),
            {name: Norms(doubles(device, X.two), doubles(device, X.gram)) for name, X in host.slices.items()},
            {name: Norms(doubles(device, K.two), doubles(device, K.frobenius)) for name, K in affinity.parts.items()},
            tuple(s.constant if s.factor is None else doubles(device, s.factor.T) for s in affinity.scales),
        )

    def __call__(self, phi: Tensor, t: Tensor, together: int) -> tuple[Tensor, Tensor]:
        """Estimated relative residual and its upper bound, both ``(B,)``; ``together`` answers share the confidence."""
        found = [self._piece(phi[some], t[some], together) for some in pieces(len(phi), len(self.M))]
        return joined([one[0] for one in found]), joined([one[1] for one in found])

    def _piece(self, phi: Tensor, t: Tensor, together: int) -> tuple[Tensor, Tensor]:
        squares = self._residual(phi, t).square() @ self.owners
        sizes = self._sizes(phi, t)
        depth = 2 * UNIT * (self.host.longest + phi.shape[1] ** 2) ** 0.5
        residual, bound = torch.zeros_like(phi[:, 0]), torch.zeros_like(phi[:, 0])
        # A number of the host multiplies a column; as a tensor it would have to be carried over at every query.
        for e, factor in enumerate(self.host.factors(together).tolist()):
            scale, (changes, terms) = self._scale(e, t), self._rounding(e, sizes)
            size = squares[:, e].sqrt() / scale
            residual = residual + size.square()
            bound = bound + (factor * (size + depth * terms / scale) + changes / scale).square()
        # Rounded upwards, as the sums above are not exact.
        return residual.sqrt(), torch.where(self._positive(phi), bound.sqrt() * (1 + 1e-12), torch.inf)

    def _residual(self, phi: Tensor, t: Tensor) -> Tensor:
        affinity = self.host.affinity
        assert affinity is not None
        return torch.cat(monomial_values(phi, t, affinity.quadratic, self.pairs), dim=1) @ self.M

    def _sizes(self, phi: Tensor, t: Tensor) -> dict[str, Size]:
        doubled, affinity = self.host.corrector.complex_coefficients, self.host.affinity
        assert affinity is not None
        moduli = torch.view_as_complex(phi.reshape(len(phi), phi.shape[1] // 2, 2)).abs() if doubled else phi.abs()
        sizes = {name: X.size(moduli, self.host.gamma) for name, X in self.slices.items()}
        return sizes | {name: K.size(t.abs(), affinity.gamma) for name, K in self.parts.items()}

    def _scale(self, equation: int, t: Tensor) -> Tensor | float:
        factor = self.scales[equation]
        if isinstance(factor, float):
            return factor
        norms = torch.linalg.vector_norm(t @ factor, dim=1)
        return torch.where(norms > 0, norms, 1.0)

    def _rounding(self, equation: int, sizes: Mapping[str, Any]) -> tuple[Any, Any]:
        """How far rounding moves the residual of one equation, and how large its terms are."""
        found = [of_term(term, sizes) for term in self.host.equations[equation].terms]
        return sum(moved for moved, _ in found), sum(size for _, size in found)

    def _positive(self, phi: Tensor) -> Tensor:
        """Whether rounding cannot make a diagonal entry negative or zero that must be positive, ``(B,)``."""
        if not self.diagonals.shape[1]:
            return torch.ones_like(phi[:, 0], dtype=torch.bool)
        values, moduli = phi @ self.diagonals, phi.abs() @ self.diagonals.abs()
        return (values > (self.host.gamma + gamma(phi.shape[1], UNIT)) * moduli).all(1)
