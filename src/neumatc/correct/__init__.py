"""Latent Gauss-Newton: repair the d numbers φ(p), not the n x n result.

The sketched equations at p are ``r(φ) = a + L φ + φᵀ T φ`` with real φ (complex coefficients count twice). Linear
equations are solved in one least-squares step that needs no start; quadratic ones in a few steps from the curve's
φ. The result is the best the span of C has to offer, up to the distortion of the sketch; a step costs the same for
every n.
"""

from neumatc.correct.corrector import Corrector
from neumatc.correct.probed import Probed
from neumatc.correct.reduced import CUTOFF, STEPS, Reduced, least_squares

__all__ = ["CUTOFF", "STEPS", "Corrector", "Probed", "Reduced", "least_squares"]
