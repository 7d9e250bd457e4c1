"""Fitting reduced models: a weak greedy loop over exact sparse solves."""

from .builder import Builder as Builder
from .eigh import fit_reduced_eigh as fit_reduced_eigh
from .fit import fit_reduced as fit_reduced
from .fit import refuse_options as refuse_options
