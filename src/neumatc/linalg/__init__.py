"""The verbs, named and shaped like ``numpy.linalg`` and ``scipy.linalg``; each is one line over `neumatc.fit`.

The options are written out in every signature, so that ``help`` shows them and a misspelt one is a `TypeError` there.
"""

from .exponential import expm as expm
from .exponential import logm as logm
from .factor import cholesky as cholesky
from .factor import polar as polar
from .factor import qr as qr
from .functions import sqrtm as sqrtm
from .inverse import inv as inv
from .inverse import pinv as pinv
from .linear import solve as solve
from .matrix_equations import lyapunov as lyapunov
from .matrix_equations import riccati as riccati
from .matrix_equations import sylvester as sylvester
from .spectral import eig as eig
from .spectral import eigh as eigh
from .spectral import svd as svd
from .values import eigvalsh as eigvalsh
from .values import slogdet as slogdet
from .values import svdvals as svdvals
