"""What a span can hold of the exact factors: what joint training, whose curves stay inside, is up against."""

from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.fits import argument
from benchmarks.paper.tasks import Task
from benchmarks.truth import Span
from neumatc.arrays import Array
from neumatc.gauge import adjoint

__all__ = ["floor"]


def floor(fit: nmc.Fit, family: Any, task: Task, points: Array) -> float:
    """Return the mean squared error of exact triplets projected on the latent slices of an SVD, in the best gauge."""
    span, width, found = Span(fit), fit.surrogate.slices()["M"].shape[-1], []
    for point in np.reshape(points, (len(points), -1)):
        A = family(argument(point))
        U, s, Vh = np.linalg.svd(A, full_matrices=False)
        core = np.diag(s[:width]).astype(A.dtype)
        exact = {"U": U[None, :, :width], "M": core[None], "V": adjoint(Vh[:width])[None]}
        start = {name: X[None] for name, X in fit.smooth(argument(point)).items()}
        nearest = span.nearest({name: np.ascontiguousarray(X) for name, X in exact.items()}, start)
        answer = fit.operation.present(fit.operation.canonical(nearest))
        found.append(task.error(tuple(part[0] for part in answer), task.exact(A)))
    return float(np.mean(np.square(found)))
