"""A fit on a torch device: what ``f.to(device)`` returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch

from neumatc.certify import Certificate
from neumatc.errors import InputError
from neumatc.latent.model import Latent
from neumatc.surrogate import Surrogate
from neumatc.tensors.coefficients import Theta
from neumatc.tensors.cube import Cube, Points
from neumatc.tensors.curves import TensorCurve, curve_on
from neumatc.tensors.graph import WHAT, Graph, graph_of
from neumatc.tensors.latent import DeviceLatent
from neumatc.tensors.placed import Tensor, device_of, stored_in
from neumatc.tensors.results import copied, shaped, targets
from neumatc.tensors.settle import Settled
from neumatc.tensors.slices import Slices

if TYPE_CHECKING:
    from neumatc.fitted import Fit


class Corrected(NamedTuple):
    """Corrected answers, and where they are that: elsewhere the equations gave no direction, or p lies outside."""

    value: Any
    sound: Any


class DeviceAnswer(NamedTuple):
    """Answers, their estimated residuals and upper bounds of these, and whether the bound is within the tolerance."""

    value: Any
    residual: Any
    bound: Any
    passed: Any


@final
@dataclass(frozen=True)
class DeviceFit:
    """A fitted map on a torch device. Call it like the fit, with p on that device.

    No query waits for the host, and so nothing is raised for what p holds: **a point outside of the box, or NaN, gives
    a row of NaN** and is flagged by `inside`. The host learns of it when it looks.

    Parameters
    ----------
    fit : on the host, unchanged
    device : where C, the curve and the box live
    theta : coefficients of an affine A(p) as a function of tensors, ``p (B, D) -> (B, Q)``; None if there is none
    surrogate : C ×₃ Φ on the host, in the precision of the answers

    Notes
    -----
    Coefficients φ(p) are computed in double precision whatever C is stored in, as on the host. Answers are those of
    f(p) up to rounding, and up to the phases of singular vectors or eigenvectors that come from a decomposition of a
    small core. That decomposition (leading singular triplets, ends of a Hermitian spectrum) is torch.linalg.svd or
    eigh, which wait for the device once each inside torch; `graph` replaces them by Jacobi rotations, which never do.
    All else is free of it. ``g(p)`` can be differentiated by torch.
    """

    fit: Fit
    device: torch.device
    theta: Theta | None
    surrogate: Surrogate
    cube: Cube
    curve: TensorCurve
    slices: Slices
    settled: Settled

    @staticmethod
    def of(fit: Fit, device: Any, dtype: Any = None, theta: Theta | None = None) -> DeviceFit:
        """Carry a fit over; see `Fit.to`."""
        place, surrogate = device_of(device), stored_in(fit.surrogate, dtype)
        made = DeviceFit(
            fit,
            place,
            theta,
            surrogate,
            Cube.of(fit.box, place),
            curve_on(place, surrogate.curve),
            Slices.of(surrogate, place),
            Settled.of(fit.operation, surrogate.layout),
        )
        if theta is not None:
            made.latent.check(theta, place)
        return made

    def __call__(self, p: Tensor, out: Any = None) -> Any:
        """Evaluate at ``p``, ``(...)`` for one parameter, ``(..., D)`` for several.

        Parameters
        ----------
        p : real tensor on the device
        out : contiguous tensors of the shapes and dtypes of the result, on the device; a tuple for several

        Returns
        -------
        A tensor, or the operation's named tuple of tensors; rows of NaN where p lies outside of the box.
        """
        points = self.cube(p)
        return self._expanded(self.curve(points.x), points, out)

    def inside(self, p: Tensor) -> Tensor:
        """Which points lie in the box, and are answered; of the shape of the batch."""
        points = self.cube(p)
        return points.inside.reshape(points.batch)

    def corrected(self, p: Tensor, out: Any = None, *, theta: Tensor | None = None) -> Corrected:
        """Answers after latent Gauss-Newton; see `Fit.corrected`.

        Parameters
        ----------
        p, out : as for ``g(p, out)``; ``out`` holds the value
        theta : ``(..., Q)`` coefficients of the family at p, where no function of them was given to `Fit.to`. They
            are believed
        """
        with torch.no_grad():
            points = self.cube(p)
            t = self._t(points, theta)
            phi, sound = self.latent.corrected(self.curve(points.x), t)
            value = self._expanded(phi, points, out)
            return Corrected(value, (sound & points.inside).reshape(points.batch))

    def certify(self, p: Tensor, tol: float | None = None, *, theta: Tensor | None = None) -> Certificate:
        """Check the uncorrected answers at ``p``, without forming them; a `Certificate` of tensors.

        What `Fit.certify` finds from coefficients is found here, too. It also forms an answer and checks it with a
        smaller safety factor where that may help, which a device would have to ask the host for.
        """
        with torch.no_grad():
            points = self.cube(p)
            phi = self.slices.stored(self.curve(points.x))
            return _shaped(self._certificate(phi, points, self._t(points, theta), tol), points.batch)

    def certified(self, tol: float | None = None) -> DeviceCertified:
        """A callable ``p -> DeviceAnswer(value, residual, bound, passed)``; ``tol`` is that of the fit by default.

        Where the surrogate's answer does not pass, the corrected one takes its place if its bound is smaller. What
        still fails stays, with ``passed`` False: to solve exactly is a decision of the host, and takes it two lines::

            rows = (~answer.passed).nonzero()[:, 0]
            answer.value[rows] = torch.from_numpy(f.certified(tol)(p[rows].cpu().numpy()).value).to(p.device)
        """
        return DeviceCertified(self, self.fit.tol if tol is None else tol)

    def graph(self, batch_shape: tuple[int, ...], what: str = "answer", dtype: torch.dtype | None = None) -> Graph:
        """A callable for batches of one shape, recorded as a CUDA graph; on other devices it computes plainly.

        Parameters
        ----------
        batch_shape : of p without the parameters, as (1000,)
        what : "answer" for ``g(p)``, "corrected" for ``g.corrected(p)`` with the function θ of this fit
        dtype : of p, double precision by default

        Returns
        -------
        `Graph`, whose result is one and the same memory at every call.
        """
        if what not in WHAT:
            raise InputError(
                f"`what` must be one of {', '.join(WHAT)}, got {what!r}. "
                "Other queries have no graph. Call the method itself, which launches its kernels one by one."
            )
        settled = self.settled.without_waiting(self.device)
        # Itself where it can be: all that is built once, as the latent equations, is built already.
        steady = self if settled is self.settled else replace(self, settled=settled)
        shape = (*batch_shape, self.cube.dimension) if self.cube.dimension > 1 else tuple(batch_shape)
        # The middle of the box: what is recorded does not depend on values, and these are always valid.
        p = self.cube.middle.expand(*batch_shape, self.cube.dimension).reshape(shape)
        p = p.to(torch.float64 if dtype is None else dtype).clone()
        return graph_of(steady if what == "answer" else steady.corrected, p)

    @cached_property
    def latent(self) -> DeviceLatent:
        """Correction and certificate; made at `Fit.to` where θ is given there, else at the first use, on the host."""
        fit, host = self.fit, self.fit.latent
        if self.surrogate is not fit.surrogate:
            host = Latent(fit.problem_or_raise, self.surrogate, fit.samples, fit.seed, fit.seeded)
        return DeviceLatent.of(host, self.device)

    def _expanded(self, phi: Tensor, points: Points, out: Any) -> Any:
        """The result for coefficients ``phi (B, m)``, NaN outside of the box."""
        phi = torch.where(points.inside[:, None], phi, torch.nan)
        if out is not None and self._direct:
            (target,) = targets(out, [((*points.batch, *self._shape), self._dtype)], self.device)
            self.slices.write(phi, target)
            return out
        flats, F = self.slices.flats(phi), {}
        for place in self.slices.places:
            flat = flats[place.part.name]
            F[place.part.name] = flat if place.part.kind == "diagonal" else place.matrix(flat)
        value = shaped(self.settled(F), points.batch)
        return value if out is None else copied(value, out, self.device)

    def _certificate(self, phi: Tensor, points: Points, t: Tensor, tol: float | None) -> Certificate:
        return self.latent.certificate(phi, t, points.inside, self.fit.tol if tol is None else tol)

    def _t(self, points: Points, theta: Tensor | None) -> Tensor:
        """``(1, θ)`` at a batch, ``(B, Q + 1)``."""
        latent = self.latent
        if theta is None and self.theta is None:
            raise InputError(
                "Correction and certificate on a device need the coefficients θ(p) as tensors, and none were given. "
                "Those of nmc.Affine are a Python function of one p, which the host would have to ask at every query. "
                "Pass f.to(device, theta=function) with p (B, D) -> (B, Q), or theta= at the call."
            )
        given = theta if theta is not None or self.theta is None else self.theta(points.p)
        assert given is not None
        return latent.coefficients.real(given, len(points.p))

    @property
    def _direct(self) -> bool:
        """Whether the result is the one stored part, entry by entry."""
        return self.surrogate.layout.is_plain and self.settled.plain

    @property
    def _shape(self) -> tuple[int, ...]:
        part = self.surrogate.layout.parts[0]
        value = self.settled({part.name: torch.empty((1, part.rows, part.columns), device="meta")})
        return tuple(value.shape[1:])

    @property
    def _dtype(self) -> torch.dtype:
        real = self.slices.real_dtype
        return real.to_complex() if self.slices.complex_numbers else real

    def __repr__(self) -> str:
        theta = "without θ" if self.theta is None else "with θ"
        return f"DeviceFit({self.fit.operation.name} on {self.device}, {self._dtype}, {self.fit.box}, {theta})"


@final
@dataclass(frozen=True)
class DeviceCertified:
    """``p -> DeviceAnswer``; see `DeviceFit.certified`."""

    fit: DeviceFit
    tol: float

    def __post_init__(self) -> None:
        if not self.tol > 0:
            raise InputError(
                f"`tol` must be a positive relative residual, got {self.tol!r}. "
                "Zero cannot be certified in floating point. Try 1e-8 for double precision, 1e-4 for single."
            )

    def __call__(self, p: Tensor, out: Any = None, *, theta: Tensor | None = None) -> DeviceAnswer:
        """Answers, residuals, bounds and flags at ``p``, all tensors."""
        fit = self.fit
        with torch.no_grad():
            points = fit.cube(p)
            t, phi = fit._t(points, theta), fit.slices.stored(fit.curve(points.x))
            found = fit._certificate(phi, points, t, self.tol)
            if fit.latent.steps is not None:
                phi, found = self._better(phi, found, points, t)
            value = fit._expanded(phi, points, out)
        parts = (part.reshape(points.batch) for part in (found.residual, found.bound, found.passed))
        return DeviceAnswer(value, *parts)

    def _better(self, phi: Tensor, found: Certificate, points: Points, t: Tensor) -> tuple[Tensor, Certificate]:
        """The corrected coefficients where the others fail, and these have the smaller bound."""
        fit = self.fit
        other = fit.slices.stored(fit.latent.corrected(phi, t)[0])
        update = fit._certificate(other, points, t, self.tol)
        taken = ~found.passed & ~(update.bound >= found.bound)
        names = ("residual", "bound", "passed")
        merged: Any = {name: torch.where(taken, getattr(update, name), getattr(found, name)) for name in names}
        return torch.where(taken[:, None], other, phi), replace(found, **merged)


def _shaped(found: Certificate, batch: tuple[int, ...]) -> Certificate:
    names = ("residual", "bound", "passed", "error_bound")
    parts = {name: getattr(found, name) for name in names}
    changes: Any = {name: part.reshape(batch) for name, part in parts.items() if part is not None}
    return replace(found, **changes)
