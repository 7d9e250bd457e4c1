"""Sparse systems that depend on p: a reduced model whose residual is known exactly, answered by d equations."""

from .certified import CertifiedSolve as CertifiedSolve
from .eigensystem import Eigensystem as Eigensystem
from .eigh import ReducedEigh as ReducedEigh
from .eigh_derivative import ReducedEighDerivative as ReducedEighDerivative
from .fit import ReducedDerivative as ReducedDerivative
from .fit import ReducedFit as ReducedFit
from .fit import ReducedOutput as ReducedOutput
from .model import AffineModel as AffineModel
from .model import AssembledModel as AssembledModel
from .model import Measured as Measured
from .model import Model as Model
from .pencil import Pencil as Pencil
from .reading import system_of as system_of
from .system import AffineSystem as AffineSystem
from .system import GeneralSystem as GeneralSystem
from .system import Solved as Solved
from .system import System as System
from .tensors import Projection as Projection
from .tensors import Tensors as Tensors
