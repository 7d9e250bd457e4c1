"""Invariants of a map of frames: Berry's phase, the holonomy of a loop, the Chern number of a torus.

A frame ``V(p) (n, k)`` of eigenvectors is known up to a unitary, ``V -> V G(p)``, at every p. What survives this
freedom are products of overlaps ``V_iᴴ V_{i+1}`` round closed loops, where every G meets its adjoint. So nothing here
needs a smooth gauge, and frames may come from LAPACK as they are; but a family whose invariant is not zero has no
smooth periodic frame, and no fit of its vectors over the whole torus can exist.

The connection is ``𝒜_j = i tr(Vᴴ ∂_j V)``, the curvature ``∂_1 𝒜_2 - ∂_2 𝒜_1``.
"""

from neumatc.topology.loops import berry_phase as berry_phase
from neumatc.topology.loops import holonomy as holonomy
from neumatc.topology.report import Cluster as Cluster
from neumatc.topology.report import GaugeReport as GaugeReport
from neumatc.topology.torus import chern_number as chern_number
