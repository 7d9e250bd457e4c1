"""Our own fit, as one method among the others."""

from __future__ import annotations

from neumatc.fitted import Fit
from neumatc.problem import Problem

from .bench import Ready

NAME, TITLE = "neumatc", "NeuMatC"


def solves(fit: Fit) -> int:
    """Exact solves that a fit has spent."""
    return max(fit.cost.solved, len(fit.samples))


def ours(fit: Fit, problem: Problem) -> Ready:
    """A fit that is ready to answer; ``problem`` gives the scale in which it is judged."""
    several = fit.box.dimension > 1
    curve = sum(array.nbytes for array in fit.surrogate.curve.arrays().values())
    return Ready(
        factors=lambda x, _A: problem.rescale(fit.map.factors(x)),
        alone=lambda p, _A: fit(p[0] if several else float(p[0, 0])),
        batch=lambda p, _A: fit(p if several else p[:, 0]),
        offline_seconds=max(fit.cost.total_seconds - fit.cost.build_seconds, 0.0),
        built=fit.cost.built,
        exact_solves=solves(fit),
        nbytes=fit.surrogate.nbytes + curve,
        note=f"d = {fit.surrogate.d}, {fit.basis.name}, {fit.status}",
    )
