"""What NeuMatC is measured against: the baselines of its paper as their own papers give them, and a skeptic's.

Each method has a file of its own and one interface, `benchmarks.baselines.base.Baseline`: ``prepare(family)`` spends
what comes before the first answer, the solver it returns yields `Answer`s at points, and ``solve`` does both. To add
one, write a `Baseline` and put it into a table below; ``absent()`` says in one line why one cannot be had here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.baselines.base import Answer, Baseline, Tabulated
from benchmarks.baselines.crsvd import ConstantSketchSVD
from benchmarks.baselines.cusolver import BatchedInverse, BatchedSVD
from benchmarks.baselines.dense import BestInverse, BestSVD, NumpyInverse, NumpySVD, SparseLU
from benchmarks.baselines.interpolants import Interpolant
from benchmarks.baselines.interpolated_inverse import InterpolatedInverse
from benchmarks.baselines.krylov import GCRODR, GCROT
from benchmarks.baselines.newton import NeuralNewtonInversion
from benchmarks.baselines.reduced import ReducedBasis
from benchmarks.baselines.rsvd import RandomizedSVD, SklearnRandomizedSVD
from benchmarks.baselines.sweep import WarmNewtonSchulz, WarmSubspaceIteration
from benchmarks.baselines.znn_inverse import ZNNInversion
from benchmarks.baselines.znn_svd import ZNNSVD

__all__ = [
    "GCRODR",
    "GCROT",
    "INVERSE",
    "SOLVE",
    "SVD",
    "ZNNSVD",
    "Answer",
    "Baseline",
    "BatchedInverse",
    "BatchedSVD",
    "BestInverse",
    "BestSVD",
    "ConstantSketchSVD",
    "Interpolant",
    "InterpolatedInverse",
    "NeuralNewtonInversion",
    "NumpyInverse",
    "NumpySVD",
    "RandomizedSVD",
    "ReducedBasis",
    "SklearnRandomizedSVD",
    "SparseLU",
    "Tabulated",
    "WarmNewtonSchulz",
    "WarmSubspaceIteration",
    "ZNNInversion",
]

INVERSE: Mapping[str, Baseline] = MappingProxyType(
    {
        "lu": NumpyInverse(),
        "lapack": BestInverse(),
        "nni": NeuralNewtonInversion(),
        "coi": InterpolatedInverse(),
        "znni": ZNNInversion(),
        "znni-li": ZNNInversion(activation="li", h=0.05),
        "newton-schulz": WarmNewtonSchulz(),
        "cusolver": BatchedInverse(),
        **{name: Interpolant(name) for name in ("chebyshev", "aaa", "spline", "rbf")},
    }
)
"""For the inverse, with default parameters; use `dataclasses.replace` for others."""

SVD: Mapping[str, Baseline] = MappingProxyType(
    {
        "numpy": NumpySVD(),
        "lapack": BestSVD(),
        "rsvd": RandomizedSVD(),
        "rsvd-sklearn": SklearnRandomizedSVD(),
        "crsvd": ConstantSketchSVD(),
        "crsvd-nystrom": ConstantSketchSVD(method="nystrom"),
        "znn-svd": ZNNSVD(),
        "subspace": WarmSubspaceIteration(),
        "cusolver": BatchedSVD(),
        **{name: Interpolant(name, "svd") for name in ("chebyshev", "aaa", "spline", "rbf")},
    }
)
"""For the SVD; cuSOLVER's drivers are in `benchmarks.baselines.cusolver.svd_choices`."""

SOLVE: Mapping[str, Baseline] = MappingProxyType(
    {"superlu": SparseLU(), "gcrodr": GCRODR(), "gcrot": GCROT(), "reduced-basis": ReducedBasis()}
)
"""For sparse systems; the family has ``rhs``, and for the reduced basis ``matrices`` and ``coefficients(p)``."""
