"""Matrix functions known by what they do to vectors.

``exp(A) Z`` for a few columns Z costs products of A with them and never the n³ of ``exp(A)``. Equations hold such an
object where they speak of ``exp(A)``; it offers what a matrix offers there: ``@`` from both sides, and a shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import namespace

STEP = 2.0
"""Norm of the exponent up to which one Taylor series is summed; beyond, the exponent is divided into equal steps."""

TERMS = 60
"""Most terms of one series; about 22 reach rounding at the norm above."""

POWER_STEPS = 8
"""Power steps for the norm of A. It only has to be about right: the series is summed until its terms vanish."""

FEWEST_NODES, NODES_PER_NORM = 2, 1 / 3
"""Quadrature nodes of a derivative, and more of them per norm of X: five reach 1e-4 for eigenvalues 7 apart."""

HELD = 1 << 23
"""Numbers of a product that are held at once."""


class Exponential:
    """``exp(A)`` of each matrix ``A (B, n, n)``, NumPy or torch.

    The scaled Taylor series of Al-Mohy & Higham (2011, doi:10.1137/100788860), with the mean of the eigenvalues taken
    out of A first.

    Examples
    --------
    >>> E = Exponential(np.array([[[0.0, 1.0], [0.0, 0.0]]]))
    >>> E @ np.eye(2)
    array([[[1., 1.],
            [0., 1.]]])
    >>> (np.ones((1, 2)) @ E).round(12)
    array([[[1., 2.]]])
    """

    # NumPy must leave ``W @ E`` to ``__rmatmul__``.
    __array_ufunc__ = None

    def __init__(self, A: Any) -> None:
        self.A = A
        self.shape, self.dtype = tuple(A.shape), A.dtype

    def __matmul__(self, Z: Any) -> Any:
        """``exp(A) Z`` for ``Z (n, k)`` or ``(B, n, k)``."""
        return _exponential(self.A, Z)

    def __rmatmul__(self, W: Any) -> Any:
        """``W exp(A)`` for ``W (k, n)`` or ``(B, k, n)``, by the adjoint of ``exp(Aᴴ) Wᴴ``."""
        return _adjoint(_exponential(_adjoint(self.A), _adjoint(W)))


class Derivative:
    """``W L(E) Z`` for many directions E, where ``L(E) = d/dt exp(X + t E)`` at ``t = 0``.

    ``L(E) = ∫_0^1 exp(s X) E exp((1 - s) X) ds`` (Higham 2008, doi:10.1137/1.9780898717778, section 10.2) by quadrature
    of Gauss and Legendre: exponentials act on the probes alone, once, and a direction costs one product with them.

    Parameters
    ----------
    X : (B, n, n), W : (B, k1, n), Z : (B, n, k2)

    Examples
    --------
    >>> X, E, one = np.zeros((1, 2, 2)), np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.eye(2)[None]
    >>> Derivative(X, one, one)(E)[0, 0].round(12)
    array([[1., 2.],
           [3., 4.]])
    """

    def __init__(self, X: Any, W: Any, Z: Any) -> None:
        xp, mean = namespace(X), X.diagonal(0, -2, -1).sum(-1)[:, None, None] / X.shape[-1]
        count = FEWEST_NODES + int(np.ceil(NODES_PER_NORM * float(_size(X, mean).max())))
        nodes, weights = np.polynomial.legendre.leggauss(count)
        steps = np.diff((1 + nodes) / 2, prepend=0.0)
        left, right = [], []
        for step, weight in zip(steps, weights / 2, strict=True):
            move = Exponential(step * X)
            W, Z = W @ move, move @ Z
            left.append(W)
            right.append(weight * Z)
        # Nodes lie symmetrically, and so the right side has the same ones in reverse.
        self.left = xp.stack(left)
        self.right = xp.concatenate(right[::-1], 1)

    def __call__(self, E: Any) -> Any:
        """``(B, s, k1, k2)`` for ``E (s, n, n)``."""
        xp, size = namespace(E), max(1, HELD // int(np.prod(self.left.shape)))
        return xp.concatenate([self._some(E[i : i + size]) for i in range(0, len(E), size)], 1)

    def _some(self, E: Any) -> Any:
        (nodes, batch, k1, n), s = self.left.shape, len(E)
        # One product for all nodes, matrices and directions, then one that sums over the nodes as well.
        product = self.left.reshape(-1, n) @ E.swapaxes(0, 1).reshape(n, s * n)
        product = product.reshape(nodes, batch, k1, s, n).swapaxes(0, 1).swapaxes(1, 3)
        return (product.reshape(batch, s * k1, nodes * n) @ self.right).reshape(batch, s, k1, -1)


def _exponential(A: Any, Z: Any) -> Any:
    xp, n = namespace(A), A.shape[-1]
    mean = A.diagonal(0, -2, -1).sum(-1)[:, None, None] / n
    steps = max(1, int(np.ceil(float(_size(A, mean).max()) / STEP)))
    growth = xp.exp(mean / steps)
    for _ in range(steps):
        term = total = Z
        for j in range(1, TERMS):
            term = (A @ term - mean * term) * (1.0 / (steps * j))
            total = total + term
            if float(abs(term).max()) <= _rounding(A) * float(abs(total).max()):
                break
        Z = growth * total
    return Z


def _size(A: Any, mean: Any) -> Any:
    """``‖A - mean I‖_2`` from below, by power steps with ``Mᴴ M`` on a fixed vector, and a fifth more."""
    xp = namespace(A)
    start = np.random.default_rng(0).standard_normal((A.shape[-1], 1))
    v: Any = start.astype(A.dtype) if xp is np else xp.as_tensor(start, dtype=A.dtype, device=A.device)
    v = v / _length(v)
    size = _length(v)
    for _ in range(POWER_STEPS):
        w = A @ v - mean * v
        size = _length(w)
        v = _adjoint(A) @ w - mean.conj() * w
        length = _length(v)
        v = v / xp.where(length > 0, length, xp.ones_like(length))
    return 1.2 * size


def _length(v: Any) -> Any:
    return (abs(v) ** 2).sum((-2, -1))[..., None, None] ** 0.5


def _rounding(A: Any) -> float:
    xp = namespace(A)
    return float(xp.finfo(A.dtype).eps) / 4


def _adjoint(matrices: Any) -> Any:
    return matrices.conj().swapaxes(-1, -2)
