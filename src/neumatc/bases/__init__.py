"""Curves through known values: what ``φ(p)`` looks like between the samples.

`SineNetwork` takes any points in any dimension, `Chebyshev` wins on its own grid once a map is resolved, `Rational`
near poles, `Spline` when samples are few, `RadialBasis` on points scattered in several dimensions. `select` fits
several and keeps the best. To add one, write a `Basis` with ``fit`` and ``unsuited``, and a `Curve` with four methods;
pass an instance as ``basis=``.
"""

from neumatc.bases.base import Basis, Combinable, Curve
from neumatc.bases.chebyshev import Chebyshev, ChebyshevCurve, lobatto
from neumatc.bases.network import NetworkCurve
from neumatc.bases.rational import Rational, RationalCurve
from neumatc.bases.rbf import RadialBasis, RadialBasisCurve
from neumatc.bases.select import Choice, Trial, select
from neumatc.bases.sine import SineCurve, SineNetwork
from neumatc.bases.spline import Spline, SplineCurve
from neumatc.errors import InputError, unknown

__all__ = [
    "BASES",
    "CURVES",
    "Basis",
    "Chebyshev",
    "ChebyshevCurve",
    "Choice",
    "Combinable",
    "Curve",
    "NetworkCurve",
    "RadialBasis",
    "RadialBasisCurve",
    "Rational",
    "RationalCurve",
    "SineCurve",
    "SineNetwork",
    "Spline",
    "SplineCurve",
    "Trial",
    "basis",
    "lobatto",
    "select",
]

# By name, in the order in which ``basis="auto"`` tries them.
BASES: dict[str, type[Basis]] = {
    "sine": SineNetwork,
    "chebyshev": Chebyshev,
    "rational": Rational,
    "spline": Spline,
    "rbf": RadialBasis,
}

# What a stored fit may name as its curve.
CURVES: dict[str, type[Curve]] = {
    "sine": SineCurve,
    "chebyshev": ChebyshevCurve,
    "rational": RationalCurve,
    "spline": SplineCurve,
    "rbf": RadialBasisCurve,
    "network": NetworkCurve,  # of joint training, which is no basis: nothing is fitted to known labels there
}


def basis(spec: str | Basis) -> tuple[Basis, ...]:
    """Return the bases that a user's ``basis=`` stands for.

    Parameters
    ----------
    spec : "auto" for all of `BASES`, one of their names, or an instance of a `Basis`.

    Examples
    --------
    >>> basis("spline")
    (Spline(degree=5),)
    >>> [each.name for each in basis("auto")]
    ['sine', 'chebyshev', 'rational', 'spline', 'rbf']
    """
    if isinstance(spec, Basis):
        return (spec,)
    if not isinstance(spec, str):
        raise InputError(
            f"basis must be 'auto', a name or an instance of a Basis; {spec!r} came. "
            "A class was probably passed without calling it. Write for example basis=SineNetwork(width=200)."
        )
    if spec == "auto":
        return tuple(make() for make in BASES.values())
    if spec not in BASES:
        raise unknown("basis", spec, BASES)
    return (BASES[spec](),)
