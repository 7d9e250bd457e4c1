"""Codon substitution: the rate matrix of molecular evolution, whose exponential gives probabilities of change."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["CODONS", "CodonRates"]

Float64: TypeAlias = npt.NDArray[np.float64]

BASES = "TCAG"
# The universal genetic code in the order TTT, TTC, TTA, TTG, TCT, …; a star is a stop.
AMINO = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
WORDS = tuple(a + b + c for a in BASES for b in BASES for c in BASES)
CODONS = tuple(word for word, amino in zip(WORDS, AMINO, strict=True) if amino != "*")
MEANING = tuple(amino for amino in AMINO if amino != "*")
TRANSITIONS = ("TC", "CT", "AG", "GA")


@final
@dataclass(frozen=True)
class CodonRates:
    """``t Q(κ, ω)`` of the model of Goldman and Yang, real (61, 61); p = (κ, ω, log t).

    Over the 61 codons that are no stop, for codons i and j that differ in one base::

        Q[i, j] = c π_j (κ if the bases are a transition, T-C or A-G) (ω if the amino acids differ)

    and 0 for more differences; the diagonal makes every row sum zero, and c makes ``-Σ π_i Q[i, i] = 1``, so that t
    counts substitutions per codon. This is the form in which the model of 1994 is used today, one ω for all amino
    acids instead of chemical distances.

    Q is reversible, ``π_i Q[i, j] = π_j Q[j, i]``, so its eigenvalues are real and at most zero. The operation to be
    shown with it is the matrix exponential, which `probabilities` gives in closed form.

    Parameters
    ----------
    bases : frequencies of T, C, A and G; π_j is their product over the codon, divided by the sum over the 61.

    Examples
    --------
    >>> import numpy as np
    >>> family = CodonRates()
    >>> p = np.array([2.0, 0.2, np.log(0.5)])
    >>> family(p).shape, bool(np.allclose(family(p).sum(axis=1), 0))
    ((61, 61), True)
    >>> bool(np.allclose(family.probabilities(p).sum(axis=1), 1))
    True

    References
    ----------
    Goldman, Yang (1994), doi:10.1093/oxfordjournals.molbev.a040153.
    """

    bases: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not (min(self.bases) > 0 and abs(sum(self.bases) - 1) < 1e-6):
            raise InputError(
                f"expected four positive frequencies that sum to one, but came bases={self.bases!r}. "
                "They are in the order T, C, A, G, and percentages were probably not divided by 100. "
                "Try (0.25, 0.25, 0.25, 0.25)."
            )

    @property
    def name(self) -> str:
        """Model and size."""
        return "codon rates GY94 n=61" + ("" if len(set(self.bases)) == 1 else f", bases {self.bases}")

    @property
    def box(self) -> BoxLike:
        """κ from 1 to 10, ω from 0.05 to 2, t from 0.01 to 10 substitutions per codon by its logarithm."""
        return [(1.0, 10.0), (0.05, 2.0), (float(np.log(0.01)), float(np.log(10.0)))]

    @property
    def smooth(self) -> bool:
        """Always."""
        return True

    @cached_property
    def frequencies(self) -> Float64:
        """π (61,), positive, summing to one; read-only."""
        share = dict(zip(BASES, self.bases, strict=True))
        products = np.array([np.prod([share[base] for base in codon]) for codon in CODONS])
        pi: Float64 = products / products.sum()
        pi.setflags(write=False)
        return pi

    def __call__(self, p: Point, /) -> Array:
        """Return ``t Q(κ, ω)``, shape (61, 61), real."""
        kappa, omega, log_t = self._read(p)
        single, transition, changing = STEPS
        rates = single * np.where(transition, kappa, 1.0) * np.where(changing, omega, 1.0) * self.frequencies
        leaving = rates.sum(axis=1)
        Q: Array = (rates - np.diag(leaving)) * (np.exp(log_t) / (self.frequencies @ leaving))
        return Q

    def probabilities(self, p: Point) -> Float64:
        """Return ``exp(t Q)``, (61, 61): the chance that codon i has become j after t substitutions per codon."""
        root = np.sqrt(self.frequencies)
        # Reversibility: a diagonal similarity makes Q symmetric, and its exponential needs eigenvectors only.
        S = root[:, None] * self(p) / root
        values, vectors = np.linalg.eigh((S + S.T) / 2)
        P: Float64 = (vectors * np.exp(values)) @ vectors.T * root / root[:, None]
        return P

    def _read(self, p: Point) -> tuple[float, float, float]:
        kappa, omega, log_t = coordinates(p, 3, self.name)
        if not (kappa > 0 and omega > 0):
            raise InputError(
                f"expected positive κ and ω, but came κ = {kappa!r} and ω = {omega!r}. "
                "They are ratios of rates, not logarithms; only the third parameter is one. Try (2.0, 0.2, 0.0)."
            )
        return float(kappa), float(omega), float(log_t)


def steps() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return, per pair of codons: one base differs; that change is a transition; the amino acid differs."""
    single, transition, changing = np.zeros((3, len(CODONS), len(CODONS)), dtype=bool)
    for i, one in enumerate(CODONS):
        for j, two in enumerate(CODONS):
            changes = [a + b for a, b in zip(one, two, strict=True) if a != b]
            single[i, j] = len(changes) == 1
            transition[i, j] = single[i, j] and changes[0] in TRANSITIONS
            changing[i, j] = single[i, j] and MEANING[i] != MEANING[j]
    return single, transition, changing


STEPS = steps()
