"""The loss of joint training (`neumatc.training.losses`) for sparse solves, in two forms.

Answers are vectors (n,), or k of them, in units of the root mean square norm of the exact results; complex numbers
count as (re, im) in turn. The data term is ``Σ_j ‖C ×₃ Φ(p_j) - x_j‖²`` in these units, and the equations at a station
q are ``‖A(q) x - b(q)‖² / ‖b(q)‖²``, all columns together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.reduced import AffineSystem, Tensors
from neumatc.reduced.entries import mixed
from neumatc.training.snapshots import realified

Tensor: TypeAlias = torch.Tensor

TOGETHER = 16
"""Stations whose full residuals are held at once."""

NEGLIGIBLE = 1e-14
"""Share of the largest singular value of C below which a direction is rounding."""


@dataclass(frozen=True)
class Residuals:
    """Relative residuals at stations as a function of real coordinates, in numbers that do not know n.

    Parameters
    ----------
    L : (M, m, E) with the residual of one column ``c_j L + a_j``
    a : (M, k, E), of every column
    """

    L: Tensor
    a: Tensor

    def __call__(self, c: Tensor) -> Tensor:
        """Squares ``(B,)`` for coordinates ``(B, k, m)`` of all stations in order."""
        r = torch.baddbmm(self.a, c, self.L)
        return r.square().sum((1, 2))

    def at(self, stations: Array) -> Residuals:
        return Residuals(self.L[stations], self.a[stations])


def residuals(tensors: Tensors, theta: Array, psi: Array, size: float) -> tuple[Array, Array]:
    """``L (M, m, E)`` and ``a (M, k, E)`` at stations given by their coefficients, with E at most m + k by QR.

    Exact: ``‖A(q) x - b(q)‖ / ‖b(q)‖`` of every x in the span that the tensors belong to, with x in units of ``size``.
    """
    # One station after the other: all factors at once would hold E/m times what is kept.
    scales = tensors.scale(psi)
    found = [_at_station(tensors, *each, size) for each in zip(theta, psi, scales, strict=True)]
    L, a = (np.stack(each) for each in zip(*found, strict=True))
    return L, a


def _at_station(tensors: Tensors, theta: Array, psi: Array, scale: float, size: float) -> tuple[Array, Array]:
    left = np.tensordot(theta, tensors.factor, (0, 1)) * (size / scale)
    right = np.tensordot(tensors.right, psi, (1, 0)).reshape(len(left), -1) / scale
    rows = np.column_stack([left, -right])
    if len(rows) > rows.shape[1]:
        rows = np.asarray(np.linalg.qr(rows, mode="r"))
    L, a = rows.T[: tensors.d], rows.T[tensors.d :]
    # The imaginary part of a coordinate multiplies i times what the real part does.
    both = np.stack([L, 1j * L], axis=1).reshape(-1, L.shape[1]) if np.iscomplexobj(rows) else L
    return realified(both), realified(a)


def round_coordinates(y: Array, L: Array) -> tuple[Array, Array]:
    """Coordinates ``z = c T⁻¹`` in which the mean square of ``c L`` over stations is ``‖z‖²``; the principal first.

    Where A(p) is a differential operator the residual of c may be a million times longer in one direction than in
    another. Adam, which scales every number it trains by itself, copes with scales along its axes only.

    Parameters
    ----------
    y : (Ns, k, m) coordinates c of the exact results
    L : (M, m, E) of the residuals

    Returns
    -------
    T : (m, m)
    z : (Ns, k, m) the results in the new coordinates
    """
    m = y.shape[-1]
    S = np.linalg.qr(np.moveaxis(L, 1, 2).reshape(-1, m), mode="r") / np.sqrt(len(L))
    turned = (y @ S.T).reshape(-1, m)
    V = np.linalg.svd(turned)[2]
    return np.linalg.solve(S, V.T).T, (turned @ V.T).reshape(y.shape)


@final
class InSpan:
    """C in the span of V: an epoch costs ``O((Ns + N_c) m²)`` and the network, whatever n is.

    Parameters
    ----------
    V : (m, n) orthonormal rows
    y : (Ns, k, m) coordinates of the exact results in V, real
    T : (m, m) from the coordinates that are trained to those
    latent : (d, k, m) to begin with, in the trained coordinates
    every : residuals at all stations, in the trained coordinates
    size : root mean square norm of the exact results
    """

    def __init__(self, V: Array, y: Array, T: Array, latent: Array, every: Residuals, size: float) -> None:
        like = every.a
        self.V, self.size = V, size
        self.y, self.T = (torch.tensor(each, dtype=like.dtype) for each in (y, T))
        self.latent = torch.tensor(latent, dtype=like.dtype).requires_grad_()
        self.every = self.active = every

    def data(self, phi: Tensor) -> Tensor:
        return (self._combined(phi) @ self.T - self.y).square().sum()

    def structure(self, phi: Tensor) -> Tensor:
        return self.active(self._combined(phi))

    def collocate(self, stations: Array) -> None:
        self.active = self.every.at(stations)

    def scores(self, phi: Tensor) -> Tensor:
        with torch.no_grad():
            return self.every(self._combined(phi))

    def finished(self) -> tuple[Array, Array]:
        C = self.latent.detach().numpy().astype(float) @ self.T.numpy().astype(float)
        rows, T = orthonormal(C * self.size, self.V.dtype)
        return rows @ self.V, T

    def _combined(self, phi: Tensor) -> Tensor:
        combined: Tensor = torch.tensordot(phi, self.latent, 1)
        return combined


@final
class InFull:
    """All entries of C are trained, and every residual is a product with A(q) and its gradient one with ``A(q)ᴴ``.

    An epoch costs ``O((Ns + N_c) n d)`` and these products. For comparison only.

    Parameters
    ----------
    system : A(p) and b(p)
    results : (Ns, k, n) exact results in units of ``size``
    latent : (d, k, n) to begin with, real (re and im in turn)
    stations : (M, D) points of the box
    size : root mean square norm of the exact results
    like : tells the precision
    """

    def __init__(
        self, system: AffineSystem, results: Array, latent: Array, stations: Array, size: float, like: Tensor
    ) -> None:
        self.system, self.size, self.dtype = system, size, like.dtype
        self.theta, self.psi = system.theta(stations), system.psi(stations)
        # Adam moves every entry by the learning rate: they are trained in units of the entries of a unit vector.
        self.grain = 1 / float(np.sqrt(latent[0].size))
        self.results = torch.tensor(realified(results), dtype=like.dtype)
        self.latent = torch.tensor(latent / self.grain, dtype=like.dtype).requires_grad_()
        self.active = np.arange(0)

    def data(self, phi: Tensor) -> Tensor:
        return (self._combined(phi) - self.results).square().sum()

    def structure(self, phi: Tensor) -> Tensor:
        return self._squares(phi, self.active)

    def collocate(self, stations: Array) -> None:
        self.active = stations

    def scores(self, phi: Tensor) -> Tensor:
        with torch.no_grad():
            return self._squares(phi, np.arange(len(self.theta)))

    def finished(self) -> tuple[Array, Array]:
        C = self.latent.detach().numpy().astype(float) * self.grain
        return orthonormal(C * self.size, self.system.dtype)

    def _combined(self, phi: Tensor) -> Tensor:
        combined: Tensor = torch.tensordot(phi * self.grain, self.latent, 1)
        return combined

    def _squares(self, phi: Tensor, stations: Array) -> Tensor:
        panels = range(0, len(phi), TOGETHER)
        return torch.cat([self._panel(phi[i : i + TOGETHER], stations[i : i + TOGETHER]) for i in panels])

    def _panel(self, phi: Tensor, stations: Array) -> Tensor:
        x = self._combined(phi)
        # SciPy multiplies in double precision whatever is trained.
        squares, gradient = self._residuals(x.detach().numpy().astype(float), stations)
        value, slope = (torch.tensor(each, dtype=self.dtype) for each in (squares, gradient))
        # A zero with the gradient that SciPy's products have, and torch does not see.
        return value + ((x - x.detach()) * slope).sum((1, 2))

    def _residuals(self, x: Array, stations: Array) -> tuple[Array, Array]:
        """Squared relative residuals ``(B,)`` of x (B, k, n), and their gradients, shaped like x."""
        system, (B, k, _) = self.system, x.shape
        columns = (x.view(system.dtype) * self.size).reshape(B * k, -1).T
        theta = np.repeat(self.theta[stations], k, axis=0)
        b = np.stack([mixed(row, system.right).reshape(system.n, k).T for row in self.psi[stations]])
        parts = list(zip(system.family.matrices, theta.T, strict=True))
        r = sum(A @ (columns * t) for A, t in parts) - b.reshape(B * k, -1).T
        z = r if system.riesz is None else system.riesz(r)
        scale = np.array([system.norm(right.T) or 1.0 for right in b])
        squares = (r.conj() * z).real.sum(0).reshape(B, k).sum(1) / scale**2
        slope = sum((A.T @ (z.conj() * t)).conj() for A, t in parts)  # A(q)ᴴ z
        slope = slope.T.reshape(B, k, -1) * (2 * self.size / scale**2)[:, None, None]
        return squares, realified(slope.astype(system.dtype, copy=False))


def orthonormal(C: Array, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Orthonormal rows V (r, N) that span slices C (d, k, N), and T (d, r k) real with ``φ T`` the coefficients.

    C and the coefficients (r, k) are real numbers one after the other, (re, im) in turn where the dtype is complex.
    """
    slices = C.view(dtype)
    d, k, N = slices.shape
    X, s, V = np.linalg.svd(slices.reshape(d * k, N), full_matrices=False)
    r = max(1, int((s > NEGLIGIBLE * s[0]).sum()))
    T = (X[:, :r] * s[:r]).reshape(d, k, r).swapaxes(1, 2)
    return V[:r], realified(T).reshape(d, -1)
