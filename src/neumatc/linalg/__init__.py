"""The verbs, named and shaped like ``numpy.linalg`` and ``scipy.linalg``; each is one line over `neumatc.fit`.

The options are written out in every signature, so that ``help`` shows them and a misspelt one is a `TypeError` there.
"""

from .exponential import expm as expm
from .exponential import logm as logm
from .inverse import inv as inv
from .spectral import svd as svd
