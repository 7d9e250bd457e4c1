"""Our fit beside the methods that anyone would try first, at equal exact solves; able to advise against us.

Each method has a file of its own; to add one, write a `Baseline` and put it into ``BASELINES``. The room is not called
``compare``, because ``neumatc.compare`` is the function.
"""

from neumatc.comparison.advice import Row as Row
from neumatc.comparison.advice import Verdict as Verdict
from neumatc.comparison.advice import advise as advise
from neumatc.comparison.advice import break_even as break_even
from neumatc.comparison.report import Comparison as Comparison
from neumatc.comparison.run import BASELINES as BASELINES
from neumatc.comparison.run import compare as compare
