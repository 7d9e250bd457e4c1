"""Where to solve exactly."""

from __future__ import annotations

from neumatc.errors import InputError, unknown

from .base import Sampler as Sampler
from .designs import Design as Design
from .failure import FailureInformed as FailureInformed

SAMPLERS: dict[str, Sampler] = {
    "failure": FailureInformed(),
    "chebyshev": Design("chebyshev"),
    "uniform": Design("uniform"),
    "sobol": Design("sobol"),
}


def sampler(choice: str | Sampler | None) -> Sampler:
    """The sampler a user asked for by name or instance; failure-informed by default."""
    if choice is None:
        return SAMPLERS["failure"]
    if isinstance(choice, Sampler):
        return choice
    if isinstance(choice, str):
        if choice in SAMPLERS:
            return SAMPLERS[choice]
        raise unknown("sampler", choice, SAMPLERS)
    raise InputError(
        f"`sampler` must be a name or a Sampler instance, got {type(choice).__name__}. "
        f"A class was probably passed without calling it. Pass one of {sorted(SAMPLERS)} or FailureInformed()."
    )
