"""A Dirac point: two levels that touch in one point of the plane, and turn round each other around it."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.embedding import Embedding, check_size
from neumatc.gallery.hermitian import hermitian, ordered
from neumatc.gallery.pauli import spin, spinors

__all__ = ["ConicalIntersection"]

REMOTE = (2.0, 3.0)  # moduli of the levels that take no part; above sqrt(2 + mass²)


@final
@dataclass(frozen=True)
class ConicalIntersection:
    """``A(p) = V diag(M(p), D) Vᴴ`` on [0, 1]² with ``M(p) = x σ_z + y σ_x + m σ_y``, ``(x, y) = p - c``.

    The two levels are ``±sqrt(x² + y² + m²)``: for mass ``m = 0`` a double cone with its tip at c, and A(p) is real
    symmetric when V is. A real eigenvector carried once around c comes back with the other sign (Berry's phase π), so
    no continuous frame exists on any ring around c, however far from it. A mass opens a gap 2 m and lowers the phase
    on a circle of radius ρ to ``π (1 - m / sqrt(m² + ρ²))`` (Berry, https://doi.org/10.1098/rspa.1984.0023).

    Parameters
    ----------
    n : size of A(p), at least 2.
    centre : c, inside the box.
    mass : m, from 0 to 1; above 0 A(p) is complex.
    complex : whether V is complex.
    seed : of V.

    Examples
    --------
    >>> import numpy as np
    >>> A = ConicalIntersection(n=6, centre=(0.4, 0.5))
    >>> A.dirac_point, float(A.gap_at(np.array([0.4, 0.5])))
    ((0.4, 0.5), 0.0)
    >>> p = np.array([0.7, 0.9])
    >>> round(float(A.gap_at(p)), 12), bool(np.allclose(A.eigenvalues(p), np.linalg.eigvalsh(A(p))))
    (1.0, True)
    """

    n: int = 16
    centre: tuple[float, float] = (0.45, 0.55)
    mass: float = 0.0
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 2)
        if np.shape(self.centre) != (2,) or not all(0 < c < 1 for c in self.centre) or not 0 <= self.mass <= 1:
            raise InputError(
                f"expected a centre inside (0, 1)² and a mass from 0 to 1, but came centre={self.centre!r}, "
                f"mass={self.mass!r}. A cone elsewhere would not be seen, and a large mass pushes the pair into the "
                "other levels. Choose for example centre=(0.45, 0.55), mass=0.0."
            )

    @property
    def name(self) -> str:
        """Kind, size and mass."""
        return f"{'complex ' * self.complex}conical intersection n={self.n} mass={self.mass:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]²."""
        return [(0.0, 1.0)] * 2

    @property
    def smooth(self) -> bool:
        """Always: A(p) is affine in p."""
        return True

    @property
    def dirac_point(self) -> tuple[float, float]:
        """Where the two levels are closest, and touch when the mass is zero."""
        return self.centre

    @property
    def lower(self) -> int:
        """Index of the lower of the two levels among the ascending eigenvalues; the upper one is next to it."""
        return self._embedding.below

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), Hermitian."""
        return hermitian(self._embedding(spin(self._vector(p))))

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        return self._pairs(p)[0]

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n); no gauge is continuous."""
        return self._pairs(p)[1]

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self._pairs(p)[1][:, :count]
        return hermitian(lowest @ lowest.conj().T)

    def gap_at(self, p: Point) -> float:
        """Return the distance ``2 sqrt(x² + y² + m²)`` of the two levels at p."""
        return 2 * float(np.linalg.norm(self._vector(p)))

    def berry_phase(self, radius: float) -> float:
        """Return the modulus of Berry's phase of either level on the circle of that radius around the centre."""
        return float(np.pi * (1 - self.mass / np.hypot(self.mass, radius)))

    def _vector(self, p: Point) -> Array:
        """Return d(p) of ``M = d · σ``, shape (3,)."""
        x, y = coordinates(p, 2, self.name) - np.array(self.centre)
        return np.array([y, self.mass, x])

    def _pairs(self, p: Point) -> tuple[Array, Array]:
        d = self._vector(p)
        level = float(np.linalg.norm(d))
        vectors = self._embedding.vectors(spinors(d))
        return ordered(self._embedding.values(np.array([-level, level])), vectors)

    @cached_property
    def _embedding(self) -> Embedding:
        return Embedding.draw(self.n, 2, REMOTE, np.random.default_rng(self.seed), self.complex)
