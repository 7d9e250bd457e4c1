"""Berry's phase and the holonomy of a closed loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array, as_numpy
from neumatc.errors import InputError
from neumatc.gauge import adjoint, polar

from .frames import Bands, Frames, checked, chosen, evaluated, named, phases


def berry_phase(frames: Frames, loop: npt.ArrayLike | None = None, *, bands: Bands = None) -> float:
    """Berry's phase of a closed loop, in (-π, π]: ``γ = -arg Π_i det(V_iᴴ V_{i+1})``, the first frame after the last.

    It is ``∮ 𝒜 · dp`` up to 2π, second-order accurate in the step, and the same for every choice of phases and of bases
    within the k vectors (King-Smith & Vanderbilt 1993, doi:10.1103/PhysRevB.47.1651).

    Parameters
    ----------
    frames : orthonormal frames along the loop (m, n, k), or vectors (m, n); or a callable p -> (n, k), or p -> a result
        with ``eigenvectors``, as a fit of ``eigh`` is
    loop : points of the loop, (m,) for one parameter, (m, D) for several, for a callable; the first one may be repeated
        at the end
    bands : columns taken together, all by default

    Returns
    -------
    float

    Raises
    ------
    GaugeError
        Where neighbouring subspaces are orthogonal: the two points are named. The gap closes between them, or the steps
        are too long.

    Examples
    --------
    >>> import numpy as np
    >>> t = 2 * np.pi * np.arange(40) / 40
    >>> half = np.stack([np.cos(t / 2), np.sin(t / 2)], axis=1)  # comes back with the other sign
    >>> whole = np.stack([np.cos(t), np.sin(t)], axis=1)
    >>> berry_phase(half) == np.pi, berry_phase(whole) == 0
    (True, True)
    """
    V, name = _along(frames, loop, bands)
    product = complex(np.prod(_steps(V, name)))
    angle = float(np.angle(product.conjugate()))
    # The sign of a zero imaginary part is an accident; -π is π.
    return np.pi if angle <= -np.pi + 1e-13 else angle


def holonomy(frames: Frames, loop: npt.ArrayLike | None = None, *, bands: Bands = None) -> Array:
    """The unitary W (k, k) by which a frame comes back from a loop: ``V_0 -> V_0 W`` under parallel transport.

    ``W = P_{m-1} ⋯ P_1 P_0`` with ``P_i = polar(V_{i+1}ᴴ V_i)``, the rotation that turns the next frame as near to the
    one before as can be (Wilczek & Zee 1984, doi:10.1103/PhysRevLett.52.2111). Its eigenvalues do not depend on the
    gauge, and ``arg det W`` is Berry's phase.

    Parameters
    ----------
    frames, loop, bands : as in `berry_phase`

    Returns
    -------
    (k, k), unitary; real for real frames.

    Raises
    ------
    GaugeError
        As `berry_phase`.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.pi * np.arange(30) / 30  # half a turn, after which the plane is back
    >>> plane = np.array([[[np.cos(a), 0], [np.sin(a), 0], [0, 1]] for a in t])
    >>> holonomy(plane).round(12) + 0.0
    array([[-1.,  0.],
           [ 0.,  1.]])
    """
    V, name = _along(frames, loop, bands)
    _steps(V, name)
    W: Array = np.eye(V.shape[-1], dtype=V.dtype)
    for step in polar(adjoint(np.roll(V, -1, 0)) @ V):
        W = step @ W
    return W


def _steps(V: Array, name: Callable[[int], str]) -> Array:
    """Phases from each frame (m, n, k) to the next, (m,)."""
    return phases(V, np.roll(V, -1, 0), name, lambda i: name((i + 1) % len(V)))


def _along(frames: Frames, loop: npt.ArrayLike | None, bands: Bands) -> tuple[Array, Callable[[int], str]]:
    """Frames (m, n, k) of a loop, and the name of each point."""
    if callable(frames):
        if loop is None:
            raise InputError(
                "a callable needs the points of the loop, and none came. "
                "Only an array of frames can do without. Pass loop=points of shape (m,) or (m, D)."
            )
        points = np.asarray(loop, float)
        points = points.reshape(len(points), -1)
        V = evaluated(frames, points, bands)
        name = lambda i: named(points[i])  # noqa: E731
    else:
        V = as_numpy(frames, "frames")
        if V.ndim not in (2, 3):
            raise InputError(
                f"frames along a loop must have shape (m, n, k) or (m, n), got {V.shape}. "
                "An axis was probably lost or added. Put the points first, and the vectors into columns."
            )
        V = checked(chosen(V[..., None] if V.ndim == 2 else V, bands))
        name = "sample {}".format
    if len(V) < 3:
        raise InputError(
            f"a loop needs at least 3 points, got {len(V)}. "
            "Two overlaps there and back cancel. Use some tens of points."
        )
    return V, name
