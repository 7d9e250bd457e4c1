"""What the paper (arXiv:2511.22934) prints: squared relative errors, and milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["TABLES", "Published", "ratio", "slowest"]


@dataclass(frozen=True)
class Published:
    """One line of a table; None where it has no such column. An error of zero is the paper's "MP"."""

    milliseconds: float | None = None
    squared_error: float | None = None
    gflops: float | None = None


TABLES: Mapping[str, Mapping[str, Published]] = MappingProxyType(
    {
        "table1": {
            "LU (NumPy)": Published(34.0, 0.0, 2.9),
            "NNI": Published(270.0, 9.2e-1, 26.0),
            "COI": Published(4100.0, 4.5e-3, 3.0),
            "ZNNI": Published(1500.0, 3.5e-3, 220.0),
            "NeuMatC": Published(4.3, 7.2e-4, 6.3e-2),
        },
        "table2": {
            "SVD (NumPy)": Published(61.0, 0.0, 1.1),
            "RSVD": Published(12.0, 8.3e-3, 0.42),
            "CRSVD": Published(3.4, 1.5e-2, 0.48),
            "ZNN-SVD": Published(2400.0, 4.4e-1, 4.1),
            "NeuMatC": Published(0.98, 6.4e-4, 7.5e-2),
        },
        "table3 inverse": {
            "LU (NumPy)": Published(1.8, 0.0),
            "NNI": Published(2.7, 6.5e-1),
            "COI": Published(24.0, 2.3e-3),
            "ZNNI": Published(53.0, 1.4e-2),
            "NeuMatC": Published(0.58, 8.3e-3),
        },
        "table3 SVD": {
            "SVD (NumPy)": Published(7.2, 0.0),
            "RSVD": Published(1.6, 8.7e-2),
            "CRSVD": Published(1.2, 3.4e-1),
            "ZNN-SVD": Published(200.0, 1.3e-1),
            "NeuMatC": Published(0.45, 2.6e-3),
        },
        "table6": {"NeuMatC": Published(0.37, 4.8e-4)},
        "table7 qr": {"NeuMatC": Published(2.3, 4.1e-4)},
        "table7 cholesky": {"NeuMatC": Published(0.79, 6.8e-4)},
        "table7 expm": {"NeuMatC": Published(1.7, 2.4e-3)},
        "table8": {"random": Published(None, 1.2e-2), "adaptive": Published(None, 8.3e-3)},
        "table9": {
            "sigmoid": Published(None, 3.0e-2),
            "gelu": Published(None, 1.5e-1),
            "relu": Published(None, 4.6e-2),
            "tanh": Published(None, 2.6e-2),
            "sine": Published(None, 8.3e-3),
        },
        "table11": {"Krylov": Published(5.19e5, 1.12e-3), "NeuMatC": Published(8.01, 1.11e-3)},
        "table12 10": {"NeuMatC": Published(1.45, 3.90e-3), "RSVD": Published(235.72, 1.23e-2)},
        "table12 20": {"NeuMatC": Published(3.81, 2.70e-3), "RSVD": Published(240.74, 1.15e-2)},
        "table12 30": {"NeuMatC": Published(3.77, 4.61e-3), "RSVD": Published(239.02, 1.32e-2)},
    }
)
"""By table, then by method. Table 11's errors are relative residuals, not squared; its times are for 200 systems."""

FIRST = MappingProxyType({"table11": "Krylov", **{f"table12 {d}": "RSVD" for d in (10, 20, 30)}})
"""What a table compares the paper's own method with, where that is not its first line."""


def slowest(table: str) -> str | None:
    """Return the method that the paper compares its times with; None for a table of this library's own."""
    return FIRST.get(table, next(iter(TABLES[table]))) if table in TABLES else None


def ratio(table: str) -> float | None:
    """Return how many times faster than its own baseline the paper's method is; None where it has none beside it."""
    lines = TABLES[table]
    first = slowest(table) or ""
    slow, fast = lines[first].milliseconds, lines["NeuMatC"].milliseconds if "NeuMatC" in lines else None
    return slow / fast if slow and fast and first != "NeuMatC" else None
