"""Speed: every target as a quotient of calls timed in turns, beside what the machine can do in the same run.

Rows carry the true error of the answers that were timed, and a target that is missed is a row that says so.
"""

from benchmarks.speed.batch import BATCH
from benchmarks.speed.certificate import CERTIFICATE
from benchmarks.speed.corrected import CORRECTED
from benchmarks.speed.gpu import GPU
from benchmarks.speed.memory import MEMORY
from benchmarks.speed.offline import OFFLINE
from benchmarks.speed.one import ONE
from benchmarks.speed.scaling import SCALING
from benchmarks.speed.start import START

__all__ = ["MEASUREMENTS"]

MEASUREMENTS = (ONE, BATCH, CORRECTED, CERTIFICATE, OFFLINE, SCALING, START, MEMORY, GPU)
"""In the order in which they are run and reported."""
