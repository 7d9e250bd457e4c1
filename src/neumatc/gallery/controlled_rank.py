"""The paper's families of controlled parametric rank (its appendix I): all factors live in the span of d functions.

The paper fixes ``H(p) = U(p) S(p) V(p)ᵀ`` with ``U(p) = C_U ×₃ φ(p)`` and likewise V and the diagonal S, size 512, SVD
rank r = 100, smooth radial basis functions φ(p) in R^d. It leaves open, and here is chosen:

- basis functions: Gaussians ``exp(-(p - c_j)² / 2 w²)``, centres c_j uniform on [0, 1] ends included, w = 1 / (d - 1)
  (one spacing, so that neighbours overlap and every φ_j still matters);
- C_U, C_V: independent normal numbers of variance 1 / n. U(p) and V(p) are therefore not orthonormal, and S(p) holds
  the paper's "singular values" by name only; those of H(p) must be computed;
- C_S: positive, ``0.983^k u_jk`` for the k-th singular value and function j, with u_jk uniform on [0.5, 1.5]. At the
  paper's n and r the best rank-85 approximation then has a squared relative error near the 1e-2 that the paper reports
  for randomised SVD of that rank;
- parametric rank: the stacked U(p), V(p) and S(p) have exactly d modes. H(p) is cubic in φ and has more.

The paper's text lists d in {5, 10, 15}, its table 12 lists 10, 20, 30; any d >= 2 is accepted here.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["ControlledRank"]

DECAY = 0.983  # from one nominal singular value to the next
SPREAD = (0.5, 1.5)  # of the coefficients of the singular values; positive, so that they never vanish


@final
@dataclass(frozen=True)
class ControlledRank:
    """``H(p) = U(p) diag(s(p)) V(p)ᵀ`` on [0, 1], where U, s and V have exactly d modes in p.

    Parameters
    ----------
    n : size of H(p).
    rank : r, the rank of every H(p); at most n.
    modes : d, the number of radial basis functions; at least 2.
    seed : of the coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> H = ControlledRank(n=40, rank=6, modes=5)
    >>> U, s, V = H.factors(0.3)
    >>> U.shape, s.shape, V.shape
    ((40, 6), (6,), (40, 6))
    >>> bool(np.allclose(H(0.3), U @ np.diag(s) @ V.T))
    True
    >>> stacked = np.stack([H.factors(p)[0].ravel() for p in np.linspace(0, 1, 50)])
    >>> int(np.linalg.matrix_rank(stacked))
    5
    """

    n: int = 512
    rank: int = 100
    modes: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.rank <= self.n or self.modes < 2:
            raise InputError(
                f"expected 1 <= rank <= n and modes >= 2, but came rank={self.rank!r}, n={self.n!r}, "
                f"modes={self.modes!r}. The width of the basis functions is their spacing, which one function does not "
                "have. Choose for example n=512, rank=100, modes=10."
            )

    @property
    def name(self) -> str:
        """Kind, size, rank and number of modes."""
        return f"controlled rank n={self.n} r={self.rank} d={self.modes}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: Gaussians are entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return H(p), shape (n, n)."""
        U, s, V = self.factors(p)
        H: Array = (U * s) @ V.T
        return H

    def functions(self, p: Point) -> Array:
        """Return φ(p), shape (d,)."""
        at = coordinates(p, 1, self.name)
        centres = np.linspace(0, 1, self.modes)
        phi: Array = np.exp(-(((at - centres) * (self.modes - 1)) ** 2) / 2)
        return phi

    def factors(self, p: Point) -> tuple[Array, Array, Array]:
        """Return U(p) (n, r), s(p) (r,) and V(p) (n, r)."""
        phi = self.functions(p)
        C_U, C_S, C_V = self._coefficients
        shape = (self.n, self.rank)
        return (phi @ C_U).reshape(shape), phi @ C_S, (phi @ C_V).reshape(shape)

    @cached_property
    def _coefficients(self) -> tuple[Array, Array, Array]:
        """C_U (d, n r), C_S (d, r) and C_V (d, n r), the mode of p in front so that one product evaluates them."""
        rng = np.random.default_rng(self.seed)
        shape = (self.modes, self.n * self.rank)
        C_U = rng.standard_normal(shape) / np.sqrt(self.n)
        C_V = rng.standard_normal(shape) / np.sqrt(self.n)
        C_S = rng.uniform(*SPREAD, (self.modes, self.rank)) * DECAY ** np.arange(self.rank)
        return C_U, C_S, C_V
