"""A Hermitian matrix seen from beside its spectrum: poles of the inverse at a chosen distance from the real axis."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.frames import unitary

__all__ = ["Resolvent"]

JITTER = 0.3  # of a level, in units of the mean spacing; below 0.5 the levels keep their order
REMOTE = (2.0, 4.0)  # moduli of the levels outside the box


@final
@dataclass(frozen=True)
class Resolvent:
    """``A(p) = K - (p - iη) I`` on [0, 1] with a Hermitian ``K = V diag(λ) Vᴴ`` of known eigenpairs.

    The inverse is ``V diag(1 / (λ_k - p + iη)) Vᴴ``: as many simple poles near the box as there are ``levels``, at
    ``λ_k + iη``. Away from them everything is tame, so a rational fit of that degree is exact, while polynomials need a
    degree proportional to 1 / η.

    Parameters
    ----------
    n : size of A(p).
    levels : number of λ_k in the box, spread evenly up to jitter; the others lie at distance one and more.
    eta : η, the distance of the poles from the real axis; with 0 they lie in the box, and A(p) is real if K is.
    complex : whether K is complex Hermitian.
    seed : of V and the jitter.

    Examples
    --------
    >>> import numpy as np
    >>> A = Resolvent(n=12, levels=4, eta=0.01)
    >>> bool(np.allclose(A(0.3) @ A.inverse(0.3), np.eye(12)))
    True
    >>> A.poles.shape, float(A.poles.imag.min())
    ((12,), 0.01)
    """

    n: int = 32
    levels: int = 8
    eta: float = 0.05
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.levels <= self.n or not 0 <= self.eta < np.inf:
            raise InputError(
                f"expected 1 <= levels <= n and a finite eta >= 0, but came levels={self.levels!r}, n={self.n!r}, "
                f"eta={self.eta!r}. The levels in the box are some of the n eigenvalues, and eta is their distance "
                "from it. Choose for example n=32, levels=8, eta=0.05."
            )

    @property
    def name(self) -> str:
        """Kind, size, number of levels and distance."""
        kind = "complex " if self.complex else ""
        return f"{kind}resolvent n={self.n} levels={self.levels} eta={self.eta:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is affine in p, even where its inverse is not defined."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        at = coordinates(p, 1, self.name)[0]
        shift = at if self.eta == 0 else at - 1j * self.eta
        A: Array = self._matrix - shift * np.eye(self.n)
        return A

    def inverse(self, p: Point) -> Array:
        """Return A(p)⁻¹, shape (n, n)."""
        V, distance = self._vectors, self._distance(p)
        inverse: Array = (V / distance) @ V.conj().T
        return inverse

    def condition(self, p: Point) -> float:
        """Return ``cond_2 A(p) = max_k |λ_k - p + iη| / min_k |λ_k - p + iη|``, infinite at a pole."""
        modulus = np.abs(self._distance(p))
        return float(modulus.max() / modulus.min()) if modulus.min() > 0 else float("inf")

    @property
    def poles(self) -> Array:
        """The n poles ``λ_k + iη`` of the inverse, ascending in their real part."""
        return self._levels + 1j * self.eta

    def _distance(self, p: Point) -> Array:
        """Return ``λ_k - p + iη``."""
        at = coordinates(p, 1, self.name)[0]
        distance: Array = self._levels - at
        return distance if self.eta == 0 else distance + 1j * self.eta

    @cached_property
    def _levels(self) -> Array:
        """λ (n,), ascending."""
        rng = np.random.default_rng([self.seed, 1])
        inside = (np.arange(self.levels) + 0.5 + rng.uniform(-JITTER, JITTER, self.levels)) / self.levels
        outside = np.linspace(*REMOTE, self.n - self.levels) * np.resize([1.0, -1.0], self.n - self.levels)
        return np.sort(np.concatenate([inside, outside]))

    @cached_property
    def _vectors(self) -> Array:
        """V (n, n)."""
        return unitary(self.n, np.random.default_rng([self.seed, 0]), self.complex)

    @cached_property
    def _matrix(self) -> Array:
        """K (n, n)."""
        V = self._vectors
        K: Array = (V * self._levels) @ V.conj().T
        return (K + K.conj().T) / 2
