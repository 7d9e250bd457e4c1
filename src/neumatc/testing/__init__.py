"""Laws that every operation, basis and sampler obeys: run them on your own classes.

An operation states three things, and all the rest of the library trusts them. ``check_operation`` runs every law below
and raises ``AssertionError`` with a sentence for the first that fails; in a test suite of your own, let each law be a
test::

    @pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
    def test_my_operation(law):
        law(MyOperation(), matrices, np.random.default_rng(0))

Examples
--------
>>> import numpy as np
>>> from neumatc.bases import Spline
>>> from neumatc.operations import Inverse
>>> from neumatc.sampling import FailureInformed
>>> A = np.eye(6) + 0.1 * np.random.default_rng(0).standard_normal((4, 6, 6))
>>> check_operation(Inverse(), A)
>>> check_basis(Spline())
>>> check_sampler(FailureInformed())
"""

from .bases import BASIS_LAWS as BASIS_LAWS
from .bases import check_basis as check_basis
from .operations import OPERATION_LAWS as OPERATION_LAWS
from .operations import check_operation as check_operation
from .samplers import SAMPLER_LAWS as SAMPLER_LAWS
from .samplers import check_sampler as check_sampler
