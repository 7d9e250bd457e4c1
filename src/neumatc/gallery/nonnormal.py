"""An exceptional point: two eigenvalues and their eigenvectors merge, and part like a square root."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.embedding import Embedding, check_size

__all__ = ["ExceptionalPoint"]

REMOTE = (2.0, 3.0)  # moduli of the other eigenvalues


@final
@dataclass(frozen=True)
class ExceptionalPoint:
    """``A(p) = V diag(M(p), D) Vᵀ`` on [0, 1], not normal, with ``M(p) = [0, 1; z, 0]`` and ``z = p - c + iη``.

    The eigenvalues of the block are ``±sqrt(z)`` with right eigenvectors ``(1, ±sqrt(z))``. At the branch point
    ``p = c - iη`` both are the same, the block is a Jordan block, and no expansion of the eigenvalues in powers of p
    reaches past it (Kato, https://doi.org/10.1007/978-3-642-66282-9). Nearby the condition number of the
    eigenvectors is ``1 / sqrt|z|``. D is constant, real and apart from the pair.

    Parameters
    ----------
    n : size of A(p), at least 2.
    centre : c, inside (0, 1).
    distance : η, the distance of the branch point from the real axis; with 0 it lies in the box and A(p) is real.
    seed : of V.

    Examples
    --------
    >>> import numpy as np
    >>> A = ExceptionalPoint(n=6, centre=0.5, distance=0.1)
    >>> values, vectors = A.eigenvalues(0.8), A.eigenvectors(0.8)
    >>> bool(np.allclose(A(0.8) @ vectors, vectors * values)), A.branch_point
    (True, (0.5-0.1j))
    """

    n: int = 16
    centre: float = 0.5
    distance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 2)
        if not 0 < self.centre < 1 or not 0 <= self.distance <= 1:
            raise InputError(
                f"expected a centre inside (0, 1) and a distance from 0 to 1, but came centre={self.centre!r}, "
                f"distance={self.distance!r}. Further away the branch point disturbs nobody. "
                "Choose for example centre=0.5, distance=0.01."
            )

    @property
    def name(self) -> str:
        """Kind, size and distance."""
        return f"exceptional point n={self.n} distance={self.distance:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is affine in p."""
        return True

    @property
    def branch_point(self) -> complex:
        """The p at which two eigenvalues and their eigenvectors merge, ``c - iη``."""
        return complex(self.centre, -self.distance)

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        return self._embedding(np.array([[0, 1], [self._offset(p), 0]]))

    def eigenvalues(self, p: Point) -> Array:
        """Return ``sqrt(z), -sqrt(z)`` and the n - 2 constant eigenvalues, complex, shape (n,), in this order."""
        root = np.sqrt(complex(self._offset(p)))
        return self._embedding.values(np.array([root, -root]))

    def eigenvectors(self, p: Point) -> Array:
        """Return right eigenvectors of norm one as columns, in the order of `eigenvalues`; two are equal at z = 0."""
        root = np.sqrt(complex(self._offset(p)))
        pair = np.array([[1, 1], [root, -root]]) / np.sqrt(1 + abs(root) ** 2)
        return self._embedding.vectors(pair)

    def condition(self, p: Point) -> float:
        """Return the condition number of the eigenvectors, ``max(1, |s|) / min(1, |s|)`` with ``s = sqrt(z)``."""
        modulus = abs(self._offset(p)) ** 0.5
        return max(1.0, modulus) / min(1.0, modulus) if modulus > 0 else float("inf")

    def _offset(self, p: Point) -> complex | float:
        """Return z, real when the branch point is."""
        x = float(coordinates(p, 1, self.name)[0]) - self.centre
        return x if self.distance == 0 else complex(x, self.distance)

    @cached_property
    def _embedding(self) -> Embedding:
        return Embedding.draw(self.n, 2, REMOTE, np.random.default_rng(self.seed))
