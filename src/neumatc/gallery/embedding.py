"""A small block hidden in a large matrix: what happens is known from the block, and nothing in the entries shows it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.frames import unitary

__all__ = ["Embedding", "check_size"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """``A = V diag(M, D) Vᴴ`` with a block M (k, k), constant remote values D (n - k,) and a fixed unitary V (n, n).

    Parameters
    ----------
    basis : V (n, n), unitary; its first k columns carry the block.
    remote : the diagonal of D, real, half of it below the block and half of it above.

    Examples
    --------
    >>> embedding = Embedding.draw(6, 2, (2.0, 3.0), np.random.default_rng(0))
    >>> A = embedding(np.diag([0.5, -0.5]))
    >>> [round(float(x), 6) for x in np.linalg.eigvalsh(A)]
    [-3.0, -2.333333, -0.5, 0.5, 2.0, 2.666667]
    """

    basis: Array
    remote: Array

    def __call__(self, block: Array) -> Array:
        """Return A (n, n) for a block (k, k)."""
        inner = self.basis[:, : len(block)]
        A: Array = inner @ block @ inner.conj().T
        A = A + self._constant
        return A

    @property
    def below(self) -> int:
        """Number of remote values below zero: the index of the lowest value of the block among all, ascending."""
        return int(np.sum(self.remote < 0))

    def values(self, inner: Array) -> Array:
        """Return all eigenvalues (n,): those of the block (k,) first, the remote ones after them."""
        return np.concatenate([inner, self.remote])

    def vectors(self, inner: Array) -> Array:
        """Return all eigenvectors as columns (n, n), from those of the block (k, k), in the order of `values`."""
        k = len(inner)
        return np.concatenate([self.basis[:, :k] @ inner, self.basis[:, k:]], axis=1)

    @classmethod
    def draw(
        cls, n: int, k: int, band: tuple[float, float], rng: np.random.Generator, complex: bool = False
    ) -> "Embedding":
        """Draw V; the remote values have moduli spread evenly over the band and alternating signs."""
        remote = np.linspace(*band, max(n - k, 1))[: n - k]
        remote[1::2] *= -1
        return cls(unitary(n, rng, complex), remote[::-1].copy())

    @cached_property
    def _constant(self) -> Array:
        """The part that does not depend on the block."""
        outer = self.basis[:, self.basis.shape[1] - self.remote.size :]
        constant: Array = (outer * self.remote) @ outer.conj().T
        return constant


def check_size(n: int, least: int) -> None:
    """Raise an error unless the block fits into n x n."""
    if n < least:
        raise InputError(
            f"expected n >= {least}, but came n={n!r}. The block that makes this family special has {least} rows. "
            "Choose a larger n."
        )
