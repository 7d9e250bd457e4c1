"""The latent side of a fit on a device: correction and certificate, both by coefficients alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from neumatc.certify import DELTA, Certificate
from neumatc.errors import InputError
from neumatc.latent.model import Latent
from neumatc.latent.steps import Steps
from neumatc.latent.terms import Terms
from neumatc.tensors.certificate import DeviceChecker
from neumatc.tensors.coefficients import Coefficients, Theta
from neumatc.tensors.placed import Tensor, pieces

LOOKS = 2
"""Answers of one point that may be checked, that of the surrogate and the corrected one: they share the confidence."""


@final
@dataclass(frozen=True)
class DeviceLatent:
    """What an affine family leaves to the device.

    Parameters
    ----------
    host : the same on the host, from which all of it was made
    coefficients : how θ is brought into its real form
    steps : the batched correction, or None
    checker : the certificate, or None
    """

    host: Latent
    coefficients: Coefficients
    steps: Steps | None
    checker: DeviceChecker | None

    @staticmethod
    def of(host: Latent, device: torch.device) -> DeviceLatent:
        """Everything n-sized is done here, on the host, once."""
        terms = _terms(host)
        like = torch.empty(0, dtype=torch.float64, device=device)
        checker, equations = host.checker, host.problem.operation.equations()
        solvable = bool(equations) and all(equation.polynomial for equation in equations)
        steps = host.steps if solvable else None
        return DeviceLatent(
            host,
            Coefficients.of(terms),
            None if steps is None else steps.like(like),
            None if checker is None or checker.affinity is None else DeviceChecker.of(checker, device),
        )

    def check(self, theta: Theta, device: torch.device) -> None:
        """Raise InputError unless ``theta`` gives the coefficients of the family."""
        self.coefficients.check(theta, _terms(self.host), device)

    def corrected(self, phi: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """``phi (B, m)`` after latent Gauss-Newton, and where it is that: elsewhere φ stays as it was."""
        steps = self.steps
        if steps is None:
            self.host.refuse_without_equations()
            raise InputError(
                f"A correction on a device needs batched latent equations; those of "
                f"`{self.host.problem.operation.name}` with {phi.shape[1]} coefficients follow p, or are too large. "
                "They are reduced at every p on the host. Call f.corrected(p) there."
            )
        found = [steps.run(phi[some], t[some]) for some in pieces(len(phi), steps.numbers)]
        return torch.cat([one for one, _ in found]), torch.cat([sound for _, sound in found])

    def certificate(self, phi: Tensor, t: Tensor, inside: Tensor, tol: float) -> Certificate:
        """Certificates of B answers with stored coefficients ``phi``; NaN for points outside of the box."""
        checker = self._checker
        residual, bound = checker(phi, t, LOOKS * max(len(phi), 1))
        bound = torch.where(inside, bound, torch.nan)
        constant, theorem = checker.host.theorem
        return Certificate(
            residual=torch.where(inside, residual, torch.nan),
            bound=bound,
            confidence=1.0 - DELTA if any(checker.host.freedoms) else 1.0,
            passed=bound <= tol,
            tol=tol,
            error_bound=constant * bound if theorem else None,
            theorem=theorem,
        )

    @property
    def _checker(self) -> DeviceChecker:
        # Asked anew: products in single precision may have been allowed to round more in the meantime.
        if self.checker is not None and self.host.certifies:
            return self.checker
        raise InputError(
            f"A certificate on a device needs the residual to follow from the coefficients, which that of "
            f"`{self.host.problem.operation.name}` does not here: its answers must be formed to be checked, or torch "
            f"multiplies with less than single precision. "
            "Such checks read A(p) itself, which the host has. Call f.certify(p) there."
        )


def _terms(host: Latent) -> Terms:
    terms = host.terms
    if terms is None:
        raise InputError(
            f"Correction and certificate on a device need A(p) as a sum, nmc.Affine without a hole; a "
            f"{type(host.problem.family).__name__} came. "
            "Any other A(p) is a Python function of one p, which the host would have to ask at every query. "
            "Pass nmc.Affine([A_0, A_1, …], coefficients) to the fit, or correct and certify on the host."
        )
    return terms
