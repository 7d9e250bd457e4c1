"""Two levels in general: ``d · σ`` with a real vector d, its eigenvalues ±|d| and its eigenvectors, in closed form."""

import numpy as np

from neumatc.arrays import Array

__all__ = ["spin", "spinors"]


def spin(d: Array) -> Array:
    """Return ``d_x σ_x + d_y σ_y + d_z σ_z`` (2, 2), real when d_y = 0.

    Examples
    --------
    >>> spin(np.array([1.0, 0.0, 2.0]))
    array([[ 2.,  1.],
           [ 1., -2.]])
    """
    x, y, z = d
    off = x - 1j * y if y != 0 else x
    return np.array([[z, off], [np.conj(off), -z]])


def spinors(d: Array) -> Array:
    """Return the eigenvectors of ``d · σ`` as columns (2, 2), that of ``-|d|`` first; the unit vectors for d = 0.

    Their phase is continuous except where d crosses the half plane d_x = d_y = 0 > d_z, or d_z = 0: no phase is
    continuous on a whole sphere around d = 0.
    """
    x, y, z = d
    up = x + 1j * y if y != 0 else x
    norm = np.sqrt(x * x + y * y + z * z)
    if norm == 0:
        return np.eye(2)
    # Of two equal formulas the one without cancellation.
    upper = np.array([z + norm, up]) if z >= 0 else np.array([np.conj(up), norm - z])
    upper = upper / np.linalg.norm(upper)
    lower = np.array([-upper[1].conj(), upper[0].conj()])
    return np.stack([lower, upper], axis=1)
