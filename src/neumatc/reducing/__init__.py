"""Fitting reduced models: a weak greedy loop over exact sparse solves."""

from .builder import Builder as Builder
from .fit import fit_reduced as fit_reduced
from .fit import refuse_options as refuse_options
