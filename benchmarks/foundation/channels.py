"""Real channels: the regularised Gram inverse and the rank-8 SVD."""

from collections.abc import Iterator
from functools import partial

from benchmarks.answers import judged, svds
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import SAFE, described, fitted, places
from benchmarks.foundation.inverse import inverse_rows
from benchmarks.record import Check, Row
from neumatc.gallery import CellChannel, Channel, GalleryFamily, RegularisedGram

__all__ = ["INVERSE", "SVD"]

LINES = (
    ("canyon", 20e6, 40, 5e-4),
    ("canyon", 20e6, 60, 1e-6),
    ("canyon", 10e6, 40, 2e-8),
    ("cell", 10e6, 40, 2e-5),
    ("cell", 20e6, 80, 1e-5),
)
"""Channel, bandwidth in Hz, exact solves, largest residual. The canyon is 256 x 256, the cell has 64 users."""

SVD_LINE = 1e-6
"""Largest error of the rank-8 SVD against the best rank 8."""


def channel(kind: str, bandwidth: float, quick: bool) -> Channel | CellChannel:
    """Return the channel, or a small one of its kind."""
    if kind == "canyon":
        side = (4, 4) if quick else (16, 16)
        return Channel(receive=side, transmit=side, bandwidth=bandwidth)
    return CellChannel(users=8 if quick else 64, transmit=(4, 4) if quick else (16, 16), bandwidth=bandwidth)


def gram_rows(case: str, family: GalleryFamily, samples: int, points: int, bound: float) -> Iterator[Row]:
    """Rows of the inverse; the curve must also make use of Hermitian symmetry."""
    for row in inverse_rows(INVERSE.name, case, family, samples, 0, points, {"curve_worst": bound}):
        # Real coefficients for a complex matrix: d unknowns and not 2 d.
        unknowns = row.extra["real_coefficients"] / (row.d or 1)
        yield row.having(Check("real unknowns per latent slice", unknowns, 1.0)) if row.method == "curve" else row


def inverse_cases(setting: Setting) -> list[Case]:
    """All lines of the inverse."""
    cases = []
    for kind, bandwidth, samples, bound in LINES[-1:] if setting.quick else LINES:
        family = RegularisedGram(channel(kind, bandwidth, setting.quick))
        samples = setting.count(samples, 14)
        case = f"{kind}, {bandwidth / 1e6:g} MHz, {samples} solves"
        cases.append(Case(case, partial(gram_rows, case, family, samples, setting.count(200, 8), bound)))
    return cases


def svd_rows(case: str, family: GalleryFamily, rank: int, points: int, seed: int) -> Iterator[Row]:
    """Rank r of H(f) itself, where no gap separates the values."""
    fit = fitted(family, rank, samples=20, tol=SAFE * SVD_LINE, rng=seed)
    series = svds(fit, family, places(family, points, seed), rank)
    row = judged(described(SVD.name, case, family, fit, "curve", seed), series["residual"], series["error"])
    excess = float(series["excess"].max())
    adapted = next((event.text for event in fit.history if event.stage == "adapt"), "")
    yield row.having(
        Check("worst error against the best rank", float(series["error"].max()), SVD_LINE),
        Check("excess of the truncation", excess, 1e-10),
        Check("‖UᴴU - I‖, ‖VᴴV - I‖", float(series["orthonormality"].max()), 1e-13),
        extra={**row.extra, "excess": excess, "buffer": adapted},
    )


def svd_cases(setting: Setting) -> list[Case]:
    """The canyon at 20 MHz."""
    family, rank = channel("canyon", 20e6, setting.quick), setting.count(8, 3)
    cases = []
    for seed in setting.draws(2):
        case = f"canyon, 20 MHz, rank {rank}, seed {seed}"
        cases.append(Case(case, partial(svd_rows, case, family, rank, setting.count(200, 6), seed)))
    return cases


INVERSE = Measurement("channel-inverse", "Real channels: inverse of H Hᴴ + σ² I", inverse_cases)
SVD = Measurement("channel-svd", "Real channels: rank-8 SVD of H(f), 20 exact solves", svd_cases)
