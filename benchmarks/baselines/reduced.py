"""The reduced basis method of pyMOR on affine sparse systems, with its certified greedy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver
from neumatc.errors import InputError

__all__ = ["ReducedBasis"]


@final
@dataclass(frozen=True)
class ReducedBasis(Baseline):
    """Galerkin projection on solutions at points that the error estimate chose.

    For ``A(p) = Σ_q θ_q(p) A_q`` with A_0 symmetric positive definite, ``θ_0 = 1`` and the other A_q antisymmetric, as
    in `neumatc.gallery.real.AdvectionDiffusionReaction`, ``vᵀ A(p) v = ‖v‖²`` in the norm of A_0: the coercivity
    constant is one at every p, and

        ‖u(p) - u_N(p)‖_{A_0} <= ‖b - A(p) u_N(p)‖_{A_0⁻¹}

    is a rigorous bound, which the weak greedy algorithm makes small at the training points.

    Parameters
    ----------
    tol : bound to reach at all training points.
    largest : most basis vectors.
    training : equidistant training points in ``interval``.
    interval : where p lies.

    References
    ----------
    Milk, Rave & Schindler (2016), doi:10.1137/15M1026614 (pyMOR); Prud'homme et al. (2002), doi:10.1115/1.1448332.
    """

    name: ClassVar[str] = "reduced basis (pyMOR)"
    source: ClassVar[str] = "10.1137/15M1026614"
    operation: ClassVar[str] = "solve"
    needs: ClassVar[tuple[str, ...]] = ("pymor",)

    tol: float = 1e-6
    largest: int = 60
    training: int = 100
    interval: tuple[float, float] = (0.0, 1.0)

    def prepare(self, family: Family) -> Solver:
        from pymor.algorithms.greedy import rb_greedy
        from pymor.core.logger import set_log_levels
        from pymor.parameters.functionals import ConstantParameterFunctional
        from pymor.reductors.coercive import CoerciveRBReductor

        set_log_levels({"pymor": "ERROR"})
        model, energy = _model(family)
        one = ConstantParameterFunctional(1.0)
        reductor = CoerciveRBReductor(model, product=energy, coercivity_estimator=one)
        training = [model.parameters.parse(float(p)) for p in np.linspace(*self.interval, self.training)]
        small = rb_greedy(model, reductor, training, atol=self.tol, max_extensions=self.largest)["rom"]

        def answers(points: Sequence[float]) -> Iterator[Answer]:
            for p in points:
                mu = model.parameters.parse(float(p))
                u = reductor.reconstruct(small.solve(mu))
                bound = float(small.estimate_error(mu)[0])
                yield Answer({"x": u.to_numpy().ravel()}, small.order, bound <= self.tol, bound)

        return answers


def _model(family: Family) -> tuple[Any, Any]:
    """Return pyMOR's model of ``A(p) u = b`` and the operator of the energy product."""
    from pymor.models.basic import StationaryModel
    from pymor.operators.constructions import LincombOperator, VectorOperator
    from pymor.operators.numpy import NumpyMatrixOperator
    from pymor.parameters.functionals import GenericParameterFunctional

    first, *others = family.matrices
    if abs(first - first.T).max() or any(abs(A + A.T).max() for A in others):
        raise InputError(
            "the coercivity constant is known when A_0 is symmetric and the other terms are antisymmetric; these are "
            "not. Without it the estimate is no bound. Use a family such as AdvectionDiffusionReaction."
        )
    terms = [NumpyMatrixOperator(A.tocsc()) for A in family.matrices]

    def theta(q: int) -> Callable[[Any], float]:
        return lambda mu: float(family.coefficients(float(mu["p"][0]))[q])

    weights = [1.0] + [GenericParameterFunctional(theta(q), {"p": 1}) for q in range(1, len(terms))]
    b = VectorOperator(terms[0].range.from_numpy(family.rhs[:, None]))
    return StationaryModel(LincombOperator(terms, weights), b), terms[0]
