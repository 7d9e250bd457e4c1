"""Covariance matrices of Gaussian processes over their hyperparameters, on a table of real measurements."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["FILE", "MaternCovariance", "table"]

Float64: TypeAlias = npt.NDArray[np.float64]

FILE = "wine.npz"
ROOT5 = np.sqrt(5.0)


@final
@dataclass(frozen=True)
class MaternCovariance:
    """``K(log ℓ, log σ²)`` of a Matérn-5/2 process with noise, on chemical measurements of 178 wines.

    The 13 columns are brought to mean zero and variance one over all 178 rows. With ``s = √5 ‖x_i - x_j‖ / ℓ``::

        K[i, j] = (1 + s + s²/3) e^{-s} + σ² δ_ij

    Symmetric positive definite, eigenvalues at least σ². Parameters are natural logarithms: ℓ from 1 to 10, where 5 is
    about the distance of two wines, and the variance σ² of the noise from 10⁻³ to 10⁻¹ of that of the process.

    Parameters
    ----------
    size : n, number of wines: rows ``floor(178 i / n)``, evenly spread over the table, which is sorted by cultivar.

    Examples
    --------
    >>> import numpy as np
    >>> family = MaternCovariance(size=30)
    >>> p = np.log([3.0, 0.01])
    >>> K = family(p)
    >>> K.shape, bool(np.linalg.eigvalsh(K).min() >= 0.01)
    ((30, 30), True)
    >>> bool(np.isclose(family.log_determinant(p), np.linalg.slogdet(K)[1]))
    True

    References
    ----------
    Aeberhard, Forina (1992), Wine, UCI Machine Learning Repository, doi:10.24432/C5PC7J.
    Rasmussen, Williams (2006), Gaussian Processes for Machine Learning, equation 4.17.
    """

    size: int = 178

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.size <= len(table()):
            raise InputError(
                f"expected between 1 and {len(table())} wines, but came size={self.size!r}. "
                "The table has no more rows. Leave the size out for all of them."
            )

    @property
    def name(self) -> str:
        """Kernel, data and size."""
        return f"Matern-5/2 wine n={self.size}"

    @property
    def box(self) -> BoxLike:
        """Natural logarithms of ℓ in [1, 10] and σ² in [10⁻³, 10⁻¹]."""
        return [(0.0, float(np.log(10.0))), (float(np.log(1e-3)), float(np.log(1e-1)))]

    @property
    def smooth(self) -> bool:
        """Always: K is analytic."""
        return True

    @cached_property
    def distances(self) -> Float64:
        """``‖x_i - x_j‖`` (n, n), symmetric with a zero diagonal; read-only."""
        measured = table()
        rows = (measured - measured.mean(axis=0)) / measured.std(axis=0)
        chosen = rows[len(rows) * np.arange(self.size) // self.size]
        # Differences first: the expansion |x|² - 2 x·y + |y|² would lose half of the digits of small distances.
        R: Float64 = np.linalg.norm(chosen[:, None] - chosen, axis=2)
        R.setflags(write=False)
        return R

    def __call__(self, p: Point, /) -> Array:
        """Return K, shape (n, n), real symmetric to the last bit."""
        log_length, log_noise = coordinates(p, 2, self.name)
        s = ROOT5 * np.exp(-log_length) * self.distances
        K: Array = (1 + s + s * s / 3) * np.exp(-s)
        K.reshape(-1)[:: self.size + 1] += np.exp(log_noise)
        return K

    def log_determinant(self, p: Point) -> float:
        """Return ``log det K``, by its Cholesky factor: the term of a likelihood that costs most."""
        return float(2 * np.log(np.linalg.cholesky(self(p)).diagonal()).sum())


@lru_cache
def table() -> Float64:
    """Return the measurements (178, 13) as they were published; read-only."""
    source = resources.files("neumatc.gallery").joinpath("data", FILE)
    with source.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        rows: Float64 = stored["features"].astype(np.float64)
    rows.setflags(write=False)
    return rows
