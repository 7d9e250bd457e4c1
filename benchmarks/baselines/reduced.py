"""The reduced basis method of pyMOR on affine sparse systems, with its certified greedy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver
from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import InputError

__all__ = ["ReducedBasis"]


@final
@dataclass(frozen=True)
class ReducedBasis(Baseline):
    """Galerkin projection on solutions at points that the error estimate chose.

    For ``A(p) = Σ_q θ_q(p) A_q`` and an energy product E with ``vᵀ A(p) v >= α(p) vᵀ E v``,

        ‖u(p) - u_N(p)‖_E <= ‖b - A(p) u_N(p)‖_{E⁻¹} / α(p)

    is a rigorous bound, which the weak greedy algorithm makes small at the training points. E and α are ``energy`` and
    ``coercivity`` of the family, as in `neumatc.gallery.real.ThermalBlock`. Without an ``energy`` it is A_0, and A_0
    must be symmetric positive definite, ``θ_0 = 1`` and the other A_q antisymmetric, as in
    `neumatc.gallery.real.AdvectionDiffusionReaction`: then ``α = 1``.

    Parameters
    ----------
    tol : bound to reach at all training points, in the energy norm.
    largest : most basis vectors.
    training : training points, equidistant with one parameter and random with more.

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

    def prepare(self, family: Family) -> Solver:
        from pymor.algorithms.greedy import rb_greedy
        from pymor.core.logger import set_log_levels
        from pymor.reductors.coercive import CoerciveRBReductor

        set_log_levels({"pymor": "ERROR"})
        model, energy, coercivity = _model(family)
        reductor = CoerciveRBReductor(model, product=energy, coercivity_estimator=coercivity)
        training = [model.parameters.parse(p) for p in self._training(family)]
        small = rb_greedy(model, reductor, training, atol=self.tol, max_extensions=self.largest)["rom"]

        def answers(points: Sequence[Any]) -> Iterator[Answer]:
            for p in points:
                mu = model.parameters.parse(np.atleast_1d(p))
                u = reductor.reconstruct(small.solve(mu))
                bound = float(small.estimate_error(mu)[0])
                yield Answer({"x": u.to_numpy().ravel()}, small.order, bound <= self.tol, bound)

        return answers

    def _training(self, family: Family) -> Array:
        box = Box.of(family.box)
        if box.dimension > 1:
            return box.random(self.training, np.random.default_rng(0))
        points: Array = np.linspace(*np.ravel(family.box), self.training)[:, None]
        return points


def _model(family: Family) -> tuple[Any, Any, Any]:
    """Return pyMOR's model of ``A(p) u = b``, the operator of the energy product, and the coercivity constant."""
    from pymor.models.basic import StationaryModel
    from pymor.operators.constructions import LincombOperator, VectorOperator
    from pymor.operators.numpy import NumpyMatrixOperator
    from pymor.parameters.functionals import ConstantParameterFunctional, GenericParameterFunctional

    dimension = Box.of(family.box).dimension
    terms = [NumpyMatrixOperator(A.tocsc()) for A in family.matrices]

    def functional(value: Callable[[Any], float]) -> Any:
        return GenericParameterFunctional(lambda mu: value(_point(mu["p"])), {"p": dimension})

    def theta(q: int) -> Callable[[Any], float]:
        return lambda p: float(family.coefficients(p)[q])

    b = VectorOperator(terms[0].range.from_numpy(family.rhs[:, None]))
    model = StationaryModel(LincombOperator(terms, [functional(theta(q)) for q in range(len(terms))]), b)
    energy = getattr(family, "energy", None)
    if energy is not None:
        return model, NumpyMatrixOperator(energy.tocsc()), functional(family.coercivity)
    first, *others = family.matrices
    if abs(first - first.T).max() or any(abs(A + A.T).max() for A in others):
        raise InputError(
            "the coercivity constant is known when A_0 is symmetric and the other terms are antisymmetric; these are "
            "not. Without it the estimate is no bound. Use a family such as AdvectionDiffusionReaction."
        )
    return model, terms[0], ConstantParameterFunctional(1.0)


def _point(p: Array) -> Any:
    """What a family is called with."""
    return float(p[0]) if len(p) == 1 else np.asarray(p)
