"""Gauss-Newton on the latent equations of an affine family, for a whole batch at once.

With ``z = (φ, t)``, ``t = (1, θ)``, quadratic equations are a quadratic form ``r = zᵀ S z / 2``: ``J = S z`` is one
matrix product for the batch, and ``r = J z / 2`` comes from it. Linear equations have the Jacobian ``L(θ)``. Neither
knows n.

Tensors may be NumPy arrays or torch tensors on any device; failures are flags, and nothing waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neumatc.arrays import Array, namespace, torch_or_none
from neumatc.latent.reduction import Reduction, with_one
from neumatc.least import normal_solution

QUICK, FULL = 5, 10
"""Equations per unknown: of the steps that approach, and of the one that arrives."""

WORSE = 1.5
"""Growth of the residual from which a point is not merely as good as before, but lost."""

PIECE = 1 << 18
"""Numbers of the Jacobians that are held at once on a CPU: two MB, which stay in its cache."""

VECTOR = 8
"""Numbers of a vector of the processor."""


@dataclass(frozen=True)
class Form:
    """Equations laid out for one product: ``(Q + 1, E w)`` if they are linear, else ``S (w, E w)``.

    The width w is that of z, or m, rounded up to whole vectors of the processor with columns of zeros: a product of odd
    width takes twice as long.
    """

    rows: int
    unknowns: int
    width: int
    a: Any
    tensor: Any
    linear: bool

    @staticmethod
    def of(reduction: Reduction) -> Form:
        Q, E, m = reduction.L.shape
        if reduction.T is None:
            w = _rounded_up(m)
            return Form(E, m, w, reduction.a, _padded(reduction.L, (Q, E, w)).reshape(Q, -1), True)
        S = np.zeros((m + Q, E, m + Q))
        T = np.moveaxis(reduction.T[0], 0, 1)
        S[:m, :, :m] = T + T.swapaxes(0, 2)
        S[:m, :, m:] = np.moveaxis(reduction.L, 0, 2).swapaxes(0, 1)
        S[m:, :, :m] = reduction.L
        # t_0 = 1 makes a quadratic form of the constant as well.
        S[m:, :, m] += reduction.a
        S[m, :, m:] += reduction.a.T
        w = _rounded_up(m + Q)
        return Form(E, m, w, None, _padded(S, (w, E, w)).reshape(w, -1), False)

    def system(self, phi: Any, t: Any, memory: Any) -> tuple[Any, Any]:
        """``J (B, E, w)`` in ``memory``, whose first m columns are the Jacobian, and ``r (B, E)``."""
        xp, count = namespace(phi), phi.shape[0]
        if self.linear:
            z, right = t, phi
        else:
            right = z = xp.concatenate([phi, t, _zeros(phi, self.width - phi.shape[1] - t.shape[1])], 1)
        length = self.rows * self.width
        J = xp.matmul(z, self.tensor, out=memory[: count * length].reshape(count, length))
        J = J.reshape(count, self.rows, self.width)
        r = (J[..., : right.shape[1]] @ right[..., None])[..., 0]
        return J, t @ self.a + r if self.linear else r / 2

    def like(self, tensor: Any) -> Form:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        xp = namespace(tensor)
        if xp is np:
            return self
        place = {"dtype": tensor.dtype, "device": tensor.device}
        a = None if self.a is None else xp.as_tensor(self.a, **place)
        return replace(self, a=a, tensor=xp.as_tensor(self.tensor, **place))


@dataclass(frozen=True)
class Steps:
    """The latent correction: from φ at every point to the best of the span.

    Parameters
    ----------
    quick, full : few equations for the first steps, which need no more, and more of them for the last one. A factor of
        two in the number of rows costs twice the time and moves the result by a few per cent of the distance to the
        span; in the first steps even that is lost on the way
    steps : how many
    """

    quick: Form
    full: Form
    steps: int

    @staticmethod
    def of(reduction: Reduction, steps: int, rng: np.random.Generator) -> Steps:
        """``reduction`` has a T that does not follow p."""
        all_of_them, m = reduction.compressed(), reduction.unknowns
        full = Form.of(all_of_them if all_of_them.T is None else all_of_them.mixed(FULL * m, rng))
        if full.linear:
            return Steps(full, full, 1)
        return Steps(Form.of(all_of_them.mixed(QUICK * m, rng)), full, steps)

    def like(self, tensor: Any) -> Steps:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        return Steps(self.quick.like(tensor), self.full.like(tensor), self.steps)

    def run(self, phi: Any, t: Any, memory: Any = None) -> tuple[Any, Any]:
        """Corrected φ ``(B, m)``, and which of them are: False where the equations gave no direction, or a wrong one.

        Where the residual did not fall, φ stays as it was. ``memory`` of `numbers` per point is used for the Jacobians.
        """
        xp, m, start = namespace(phi), self.full.unknowns, phi
        memory = _empty(phi, len(phi) * self.numbers) if memory is None else memory
        if self.full.linear:
            x, sound = normal_solution(*self.full.system(phi, t, memory), refine=True, unknowns=m)
            return _chosen(sound, phi - x, phi), sound
        before: Any = None
        good: Any = None
        for number in range(self.steps):
            J, r = (self.full if number == self.steps - 1 else self.quick).system(phi, t, memory)
            before = _size(r) if before is None else before
            x, sound = normal_solution(J, r, unknowns=m)
            phi, good = phi - x, sound if good is None else good & sound
        after = _size(self.quick.system(phi, t, memory)[1])
        better = good & (after <= before)
        return _chosen(better, phi, start), better | (good & (after <= WORSE * before) & xp.isfinite(after))

    def __call__(self, phi: Array, theta: Array) -> tuple[Array, Array]:
        """`run` for NumPy arrays: one point in NumPy, many in torch where the process has it, in pieces."""
        t = with_one(theta)
        torch: Any = torch_or_none()
        with np.errstate(all="ignore"):
            if len(phi) == 1 or not hasattr(torch, "from_numpy"):
                return self._pieces(phi, t, np.concatenate)
            with torch.no_grad():
                there, t_there = (torch.from_numpy(np.ascontiguousarray(x)) for x in (phi, t))
                found, sound = self.like(there)._pieces(there, t_there, torch.cat)
            return found.numpy(), sound.numpy()

    @property
    def numbers(self) -> int:
        """Of the largest Jacobian of one point."""
        return max(self.quick.rows * self.quick.width, self.full.rows * self.full.width)

    def _pieces(self, phi: Any, t: Any, join: Any) -> tuple[Any, Any]:
        size = min(max(1, PIECE // self.numbers), max(len(phi), 1))
        memory = _empty(phi, size * self.numbers)
        parts = [self.run(phi[i : i + size], t[i : i + size], memory) for i in range(0, max(len(phi), 1), size)]
        if len(parts) == 1:
            return parts[0]
        return join([part[0] for part in parts]), join([part[1] for part in parts])


def _rounded_up(width: int) -> int:
    return -(-width // VECTOR) * VECTOR


def _padded(X: Array, shape: tuple[int, ...]) -> Array:
    padded = np.zeros(shape)
    padded[tuple(slice(length) for length in X.shape)] = X
    return padded


def _zeros(phi: Any, columns: int) -> Any:
    return np.zeros((len(phi), columns)) if namespace(phi) is np else phi.new_zeros((len(phi), columns))


def _empty(phi: Any, size: int) -> Any:
    return np.empty(size) if namespace(phi) is np else phi.new_empty(size)


def _size(r: Any) -> Any:
    return (r * r).sum(-1) ** 0.5


def _chosen(which: Any, one: Any, other: Any) -> Any:
    return namespace(one).where(which[:, None], one, other)
