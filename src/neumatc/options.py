"""The options of a fit: defaults, and what each accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neumatc.arrays import real_dtype, working_dtype
from neumatc.errors import InputError, unknown
from neumatc.problem import Problem
from neumatc.training.joint import Joint

SAMPLES = {1: 96}
"""Default largest number of exact solves by dimension of the box; 256 beyond."""

TOL = {8: 1e-8, 4: 1e-4}
"""Default tol by bytes of one real number: single precision cannot hold more."""

FEWEST = 2


def seed_of(rng: Any) -> tuple[int, bool]:
    """Root of all random numbers, and whether the caller gave it."""
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0]), False
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63)), True
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return int(rng), True
    raise InputError(
        f"`rng` must be None, a nonnegative integer or a numpy Generator, got {rng!r}. "
        "Global random state is never used. Pass an integer for a repeatable fit."
    )


def joint_of(training: Any, basis: Any) -> Joint | None:
    """The options of joint training, where it was asked for by name or by instance; None for the default."""
    if isinstance(training, str):
        if training not in ("auto", "joint"):
            raise unknown("training", training, ["auto", "joint"])
        training = None if training == "auto" else Joint()
    elif not isinstance(training, Joint):
        raise InputError(
            f"`training` must be 'auto', 'joint' or an instance of Joint, got {training!r}. "
            "A class was probably passed without calling it. Write for example training=neumatc.Joint(epochs=500)."
        )
    if training is not None and not (isinstance(basis, str) and basis == "auto"):
        raise InputError(
            f"Joint training brings a network of its own, and basis={basis!r} came beside it. "
            "A basis is fitted to known coefficients, which joint training has none of. "
            "Leave `basis` out, or use training='auto'."
        )
    chosen: Joint | None = training
    return chosen


def samples_of(samples: Any, problem: Problem) -> int:
    """Largest number of exact solves."""
    count: Any = SAMPLES.get(problem.box.dimension, 256) if samples is None else samples
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < FEWEST:
        raise InputError(
            f"`samples` must be a whole number of at least {FEWEST}, got {count!r}. "
            "One exact solve cannot show how the result changes with p. Pass the largest number you can afford."
        )
    return int(count)


def tol_of(tol: Any, stored: Any) -> float:
    """Relative residual aimed at."""
    if tol is None:
        return TOL[real_dtype(stored).itemsize]
    if not isinstance(tol, int | float | np.number) or not 0 < tol < 1:
        raise InputError(
            f"`tol` must be a relative residual between 0 and 1, got {tol!r}. "
            "It is not squared and not a percentage. Try 1e-8 for double precision, 1e-4 for single."
        )
    return float(tol)


def dtype_of(problem: Problem, dtype: Any) -> Any:
    """Dtype of the stored map."""
    if dtype is None:
        return problem.dtype
    try:
        wanted = np.dtype(str(dtype).removeprefix("torch.")) if "torch" in str(dtype) else np.dtype(dtype)
    except TypeError as cause:
        raise unknown("dtype", str(dtype), ["float32", "float64", "complex64", "complex128"]) from cause
    if (
        wanted.kind not in "fc"
        or wanted != working_dtype(wanted)
        or (wanted.kind == "f") != (problem.dtype.kind == "f")
    ):
        raise InputError(
            f"`dtype` must be a floating type of the same kind as A(p) ({problem.dtype}), got {wanted}. "
            "Only the precision of the stored map can be chosen. "
            f"Pass {'complex64 or complex128' if problem.dtype.kind == 'c' else 'float32 or float64'}."
        )
    return wanted


def device_of(device: Any) -> str:
    """Torch device of the fit."""
    if device is None:
        return "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as cause:
        raise InputError(
            f"`device` {device!r} cannot be used: {cause}. "
            "Torch does not see such a device here. Use device='cpu', or install torch for your accelerator."
        ) from cause
    return str(device)
