"""Answers on a torch device: the curve, the latent tensor, correction and certificate as tensors, and no host between.

On an accelerator every look at a value (an ``if``, a ``float(x)``, an error that is raised for bad input) makes the
host wait until the device has caught up. So nothing here branches on values: what fails is NaN, or a flag beside the
answer. What can be known from shapes and dtypes alone is still checked, and still raises.
"""

from neumatc.tensors.fit import Corrected, DeviceAnswer, DeviceCertified, DeviceFit
from neumatc.tensors.graph import Graph
from neumatc.tensors.unpacking import Unpacking

__all__ = ["Corrected", "DeviceAnswer", "DeviceCertified", "DeviceFit", "Graph", "Unpacking"]
