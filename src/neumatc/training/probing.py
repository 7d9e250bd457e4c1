"""Two sketches of the same matrices, or results, which are read once for both: that read is what probing costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import namespace
from neumatc.equations import Values
from neumatc.gauge import Factors
from neumatc.probes import Probes
from neumatc.sketch import Sketch

Blocks = list[dict[str, Any]]


def known_by_both(first: Sketch, second: Sketch, values: Values) -> tuple[Blocks, Blocks]:
    """``first.known(values)`` and ``second.known(values)``; the sketches hold the same equations."""
    blocks = _together(first, second).known(values)
    return _part(blocks, first, last=False), _part(blocks, second, last=True)


def unknown_by_both(first: Sketch, second: Sketch, F: Factors) -> tuple[Blocks, Blocks]:
    """``first.unknown(F)`` and ``second.unknown(F)`` for linear equations."""
    blocks = _together(first, second).unknown(F)
    return _slices(blocks, first, last=False), _slices(blocks, second, last=True)


def _together(first: Sketch, second: Sketch) -> Sketch:
    pairs = zip(first.probes, second.probes, strict=True)
    return Sketch(first.equations, tuple(_beside(a, b) for a, b in pairs), first.scales)


def _beside(a: Probes, b: Probes) -> Probes:
    xp = namespace(a.left)
    return Probes(xp.concatenate([a.left, b.left]), xp.concatenate([a.right, b.right], 1), 1.0)


def _part(blocks: Blocks, sketch: Sketch, last: bool) -> Blocks:
    """What belongs to the probes of one sketch: the first, or the last ones."""
    found = []
    for block, (probes, weight, split) in zip(blocks, sketch.splits, strict=True):
        rows, columns = _places(probes, last)
        left, right = _own(block["left"][..., rows, :]), _own(block["right"][..., columns])
        own = {"left": left, "right": right, "weight": weight * split.coefficient}
        found.append(block | own)
    return found


def _own(X: Any) -> Any:
    """In memory of its own, so that what belongs to the other sketch can go."""
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X.contiguous()


def _slices(blocks: Blocks, sketch: Sketch, last: bool) -> Blocks:
    """The same of probed results: a side with a given matrix on it has not been probed."""
    found: Blocks = []
    for block, (probes, _, _) in zip(blocks, sketch.splits, strict=True):
        if not block:
            found.append({})
            continue
        (rows, columns), (left, right) = _places(probes, last), block["probed"]
        core = block["core"][:, rows if left else slice(None), columns if right else slice(None)]
        found.append({"core": core, "probed": block["probed"]})
    return found


def _places(probes: Probes, last: bool) -> tuple[slice, slice]:
    """Where the probes of one sketch stand among those of both, on the left and on the right."""
    counts = probes.left.shape[0], probes.right.shape[1]
    rows, columns = (slice(-count, None) if last else slice(count) for count in counts)
    return rows, columns
