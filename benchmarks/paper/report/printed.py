"""What the paper prints in its tables on a GPU (an RTX 3060 Ti), which time whole batches."""

from types import MappingProxyType

__all__ = ["TABLE4", "TABLE5", "TABLE11_OFFLINE", "TABLE11_OVERALL", "TABLE13"]

TABLE4 = MappingProxyType({256: (2.6, 2.4), 512: (7.8, 3.3), 1024: (4.1, 0.60), 2048: (16.0, 1.8), 4096: (63.0, 6.3)})
"""By n: milliseconds of one answer on the CPU and on the GPU."""

TABLE5 = MappingProxyType({512: (1.33e4, 7261.3), 1024: (2.62e4, 7261.97), 2048: (1.79e5, 7263.41)})
"""By batch: milliseconds of cuSOLVER, and of NeuMatC with data preparation (1,040), training (6,220) and answers."""

TABLE11_OVERALL = 3.74
"""How many times faster than Krylov recycling NeuMatC is, its own preparation and training counted."""

TABLE11_OFFLINE = 12.97 + 131.0
"""Seconds of its preparation and training."""

TABLE13 = MappingProxyType(
    {
        ("inv", 32, 128): (0.27, 0.23),
        ("inv", 32, 256): (0.29, 0.20),
        ("inv", 32, 512): (0.42, 0.26),
        ("inv", 512, 128): (24.7, 0.78),
        ("inv", 512, 256): (54.8, 1.22),
        ("inv", 512, 512): (115.0, 2.28),
        ("svd", 32, 128): (0.93, 0.53),
        ("svd", 32, 256): (1.29, 0.55),
        ("svd", 32, 512): (2.33, 0.59),
        ("svd", 512, 128): (3310.0, 1.44),
        ("svd", 512, 256): (6640.0, 2.80),
        ("svd", 512, 512): (13500.0, 4.69),
    }
)
"""By operation, n and batch: milliseconds of cuSOLVER and of NeuMatC."""
