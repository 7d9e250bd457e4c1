"""A(p): the matrix that depends on parameters, in the three ways a user can have one.

- `Family`: a function that can be asked anywhere (a bare callable is wrapped into one).
- `Table`: matrices known at some points only.
- `Affine`: a sum of constant matrices with coefficients that depend on p.

All three answer ``at(points, box)``, which gives finite matrices of one shape and one dtype, or raises.
"""

from neumatc.family.affine import Affine
from neumatc.family.base import MatrixFamily, Spec
from neumatc.family.bundle import Bundle, Constant
from neumatc.family.function import Family, as_family
from neumatc.family.table import Table

__all__ = ["Affine", "Bundle", "Constant", "Family", "MatrixFamily", "Spec", "Table", "as_family"]
