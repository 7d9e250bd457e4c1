"""A seven-stage centrifugal compressor as matrices and tables: the data behind `neumatc.gallery.real.rotor`."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["FILE", "Rotor", "load"]

Float64: TypeAlias = npt.NDArray[np.float64]

FILE = "rotor_compressor.npz"


@dataclass(frozen=True, eq=False)
class Rotor:
    """Shaft and impellers, and the supports whose stiffness and damping depend on the speed. SI units.

    Degrees of freedom of node j: ``4 j + (0, 1)`` translations across the axis, ``4 j + (2, 3)`` tilts.

    Parameters
    ----------
    M, G, K, C : mass, gyroscopic (antisymmetric), stiffness and damping matrix, (n, n) each, read-only.
    nodes : (S,) where the supports stand: a bearing at each end, seals between.
    tables : per support the rows (speed in rad/s, k_xx, k_xy, k_yx, k_yy, c_xx, c_xy, c_yx, c_yy).
    """

    M: Float64
    G: Float64
    K: Float64
    C: Float64
    nodes: npt.NDArray[np.int64]
    tables: tuple[Float64, ...]

    @property
    def range(self) -> tuple[float, float]:
        """The speeds in rad/s that all tables cover."""
        return max(float(t[0, 0]) for t in self.tables), min(float(t[-1, 0]) for t in self.tables)

    def splines(self) -> tuple[Any, ...]:
        """Return per support the cubic spline through its table, not-a-knot: speed to (8,)."""
        from scipy.interpolate import CubicSpline

        return tuple(CubicSpline(table[:, 0], table[:, 1:], extrapolate=False) for table in self.tables)


@lru_cache
def load() -> Rotor:
    """Return the compressor of the file."""
    source = resources.files("neumatc.gallery").joinpath("data", FILE)
    with source.open("rb") as file, np.load(file, allow_pickle=False) as table:
        nodes = table["nodes"].astype(np.int64)
        n = int(max(table[f"{key}_ij"].max() for key in "MGK")) + 1
        full = {}
        for key in "MGKC":
            full[key] = np.zeros((n, n))
            np.add.at(full[key], tuple(table[f"{key}_ij"].astype(np.int64)), table[f"{key}_v"])
            full[key].setflags(write=False)
        tables = tuple(table[f"b{support}"].astype(np.float64) for support in range(len(nodes)))
    return Rotor(full["M"], full["G"], full["K"], full["C"], nodes, tables)
