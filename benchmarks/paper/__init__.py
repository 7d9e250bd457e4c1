"""The paper's tables and figures: what it prints, its method as written, ours, and the baselines, by one command."""

from benchmarks.paper.ablation import FIGURE5, TABLE6, TABLE8, TABLE9
from benchmarks.paper.curves import FIGURE2, FIGURE3, FIGURE4
from benchmarks.paper.dense import TABLE1, TABLE2, TABLE3, TABLE7, TABLE12
from benchmarks.paper.gpu import TABLE4, TABLE5, TABLE13
from benchmarks.paper.sparse import TABLE11

__all__ = ["MEASUREMENTS"]

MEASUREMENTS = (
    *(TABLE1, TABLE2, TABLE3, TABLE4, TABLE5, TABLE6, TABLE7, TABLE8, TABLE9, TABLE11, TABLE12, TABLE13),
    *(FIGURE2, FIGURE3, FIGURE4, FIGURE5),
)
