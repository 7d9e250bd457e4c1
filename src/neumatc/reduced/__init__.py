"""Sparse systems that depend affinely on p: a reduced model whose queries cost nothing n-sized but the answer."""

from .fit import CertifiedSolve as CertifiedSolve
from .fit import ReducedFit as ReducedFit
from .fit import ReducedOutput as ReducedOutput
from .model import Model as Model
from .system import System as System
