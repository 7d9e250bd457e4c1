"""Span (linear equations): grow the set of latent slices, and label every station with the best coefficients.

A *station* is a point where A(p) has been probed: a candidate for an exact solve, or a held-out point that no decision
about sampling looks at. At every station the sketched equations ``L c = -a`` are kept in orthogonalised form
(modified Gram-Schmidt, twice), so that one more exact solve costs one more column. Nothing n-sized is kept per station
but the probed rows ``Wᴴ A(p)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch

from neumatc.arrays import Array, namespace
from neumatc.gauge import Factors
from neumatc.layout import Layout
from neumatc.problem import Problem, in_numpy
from neumatc.products import rows_apart
from neumatc.sketch import Sketch

from .devices import there
from .probing import Blocks, known_by_both, unknown_by_both
from .workers import SideBySide, behind, is_large

DEPENDENT = 1e-14
"""A column with less than this share of its norm left after orthogonalisation adds nothing."""

CANCELLED = 0.1
"""Share of a column that must be left for one orthogonalisation to do: its inverse is lost in digits."""

BLOCK = 16
"""Slices orthogonalised at once when a station catches up."""

Tensor = Any  # torch ships partial annotations only

Given: TypeAlias = Callable[[Any], dict[str, Any]]  # A to the given matrices by name


class Columns:
    """The latent slices as seen through one sketch, one flat row each: linear in the slices."""

    def __init__(self, sketch: Sketch, capacity: int) -> None:
        self.sketch, self.capacity = sketch, capacity
        self.rows: Tensor = None
        self.shapes: list[dict[str, Any]] = []

    def flatten(self, blocks: list[dict[str, Any]]) -> Tensor:
        """Blocks of one factor set as one row ``(S,)``."""
        if self.rows is None:
            self.shapes = [{"shape": b["core"].shape[1:], "probed": b["probed"]} if b else {} for b in blocks]
            size = sum(math.prod(shape["shape"]) for shape in self.shapes if shape)
            core = torch.as_tensor(next(b["core"] for b in blocks if b))
            self.rows = torch.empty((self.capacity, size), dtype=core.dtype, device=core.device)
        pieces = zip(blocks, self._conjugated, strict=True)
        flat = [(b["core"].conj() if flip else b["core"]).reshape(-1) for b, flip in pieces if b]
        return torch.cat([torch.as_tensor(each) for each in flat])

    def blocks(self, rows: Tensor) -> list[dict[str, Any]]:
        """Rows ``(d, S)`` as the blocks a sketch works with."""
        rows = in_numpy(rows)
        blocks: list[dict[str, Any]] = []
        offset = 0
        for shape, flip in zip(self.shapes, self._conjugated, strict=True):
            if not shape:
                blocks.append({})
                continue
            size = math.prod(shape["shape"])
            core = rows[:, offset : offset + size].reshape(-1, *shape["shape"])
            blocks.append({"core": core.conj() if flip else core, "probed": shape["probed"]})
            offset += size
        return blocks

    @property
    def _conjugated(self) -> list[bool]:
        """Blocks of an adjoint unknown: kept as their conjugates, which follow complex combinations of slices."""
        return [split.first is not None and split.first.adjoint for _, _, split in self.sketch.splits]


class Stations:
    """Probed points with their orthogonalised sketched equations."""

    def __init__(self, given: Given, sketches: tuple[Sketch, Sketch], capacity: int, doubled: bool) -> None:
        self.given, self.capacity, self.doubled = given, capacity, doubled
        self.train, self.verify = sketches
        self.count = 0
        self.width = 0
        self.parts: list[dict[str, Any]] = []

    def probe(self, A: Tensor) -> dict[str, Any]:
        """What is kept of the matrices ``A (M, n1, n2)``."""
        train, verify = known_by_both(self.train, self.verify, self.given(A))
        return {"train": train, "verify": verify}

    def add(self, probed: list[dict[str, Any]], M: int, columns: Columns, slices: int) -> None:
        """M probed stations; they catch up with the slices there are."""
        known = {name: merged([each[name] for each in probed]) for name in ("train", "verify")}
        b = -self._equations(self.train.constant(known["train"]))
        a_verify = self._equations(self.verify.constant(known["verify"]))
        size = self.capacity * (2 if self.doubled else 1)
        like = {"dtype": torch.float64, "device": b.device}
        part = {
            "known": known,
            "count": M,
            "seen": 0,
            "b": b.expand(M, -1),
            "rho": b.expand(M, -1).clone(),
            "a_verify": a_verify.expand(M, -1),
            "Q": torch.zeros((M, size, b.shape[-1]), **like),
            "R": torch.zeros((M, size, size), **like),
            "beta": torch.zeros((M, size), **like),
            "V": torch.zeros((M, size, a_verify.shape[-1]), **like),
        }
        self.parts.append(part)
        self.count += M
        if slices:
            self._catch_up(part, columns, slices)

    def extend(self, rows: Tensor, columns: Columns) -> None:
        """More slices, given as rows ``(s, S)`` of the training sketch."""
        for part in self.parts:
            L = self._linear(self.train, part["known"]["train"], columns.blocks(rows))
            self._orthogonalise(part, L.expand(part["count"], -1, -1), self.width)
        self.width += rows.shape[0] * (2 if self.doubled else 1)

    @property
    def bytes_ahead(self) -> int:
        """Memory of one station should the slices grow by half, as far as the budget allows."""
        first = self.parts[0]
        width = min(int(first["Q"].shape[1]), self.width + self.width // 2)
        return 8 * width * int(first["Q"].shape[-1] + first["V"].shape[-1] + width)

    def training_residual(self) -> Tensor:
        """Residual of the best coefficients on the training probes, ``(M,)``: optimistic, good for ranking."""
        return torch.cat([torch.linalg.vector_norm(part["rho"], dim=-1) for part in self.parts])

    def labels(self) -> Tensor:
        """Best coefficients at every station, ``(M, width)`` real."""
        return torch.cat([self._solve(part) for part in self.parts])

    def verified(self, labels: Tensor, columns: Columns) -> Tensor:
        """Residual of coefficients on probes that they were not fitted to, ``(M,)``; ``columns`` of that sketch."""
        sizes = [part["count"] for part in self.parts]
        found = []
        for part, c in zip(self.parts, labels.split(sizes), strict=True):
            self._look(part, columns)
            r = part["a_verify"] + (c[:, None] @ part["V"][:, : self.width])[:, 0]
            found.append(torch.linalg.vector_norm(r, dim=-1))
        return torch.cat(found)

    def _look(self, part: dict[str, Any], columns: Columns) -> None:
        """Verification columns of the slices that came since the last look: one read of the probes for all of them."""
        each, seen = 2 if self.doubled else 1, part["seen"]
        if seen < self.width:
            blocks = columns.blocks(columns.rows[seen // each : self.width // each])
            part["V"][:, seen : self.width] = self._linear(self.verify, part["known"]["verify"], blocks)
            part["seen"] = self.width

    def _solve(self, part: dict[str, Any]) -> Tensor:
        w = self.width
        return torch.linalg.solve_triangular(part["R"][:, :w, :w], part["beta"][:, :w, None], upper=True)[..., 0]

    def _orthogonalise(self, part: dict[str, Any], W: Tensor, j: int) -> None:
        """New columns ``W (M, c, E)``, first against the j older ones as a block, then among themselves.

        Reading the older columns is what costs; a block reads them once for all its columns.
        """
        size, Q = torch.linalg.vector_norm(W, dim=-1), part["Q"][:, :j]
        for _ in range(2):  # twice is enough (Giraud, Langou & Rozložník 2005, doi:10.1016/j.camwa.2005.08.009)
            H = Q @ W.swapaxes(-1, -2)
            W = W - H.swapaxes(-1, -2) @ Q
            part["R"][:, :j, j : j + W.shape[1]] += H
            # Once is enough where little has cancelled.
            if bool((torch.linalg.vector_norm(W, dim=-1) > CANCELLED * size).all()):
                break
        for k in range(W.shape[1]):
            self._append(part, W[:, k], size[:, k], j, j + k)

    def _append(self, part: dict[str, Any], w: Tensor, size: Tensor, start: int, j: int) -> None:
        """One column, orthogonal to those before ``start`` already."""
        Q = part["Q"][:, start:j]
        for _ in range(2 if j > start else 0):
            h = (Q @ w[..., None])[..., 0]
            w = w - (h[:, None] @ Q)[:, 0]
            part["R"][:, start:j, j] += h
        rest = torch.linalg.vector_norm(w, dim=-1)
        alive = rest > DEPENDENT * size
        q = torch.where(alive[:, None], w / torch.where(alive, rest, 1.0)[:, None], 0.0)
        beta = (q * part["rho"]).sum(-1)
        part["Q"][:, j], part["R"][:, j, j], part["beta"][:, j] = q, torch.where(alive, rest, 1.0), beta
        part["rho"] = part["rho"] - beta[:, None] * q

    def _catch_up(self, part: dict[str, Any], columns: Columns, slices: int) -> None:
        """All slices there are, block by block, for stations that came later."""
        each = 2 if self.doubled else 1
        for start in range(0, slices, BLOCK):
            rows = slice(start, min(start + BLOCK, slices))
            L = self._linear(self.train, part["known"]["train"], columns.blocks(columns.rows[rows]))
            self._orthogonalise(part, L.expand(part["count"], -1, -1), start * each)

    def _linear(self, sketch: Sketch, known: Any, blocks: Any) -> Tensor:
        # With complex coefficients: two real ones each, of the slice and of i times the slice.
        return self._equations(sketch.linear(known, blocks, self.doubled))

    @staticmethod
    def _equations(L: Tensor) -> Tensor:
        """Real equations, as a tensor: the imaginary parts stand beside the real ones."""
        L = torch.as_tensor(L)
        return torch.cat([L.real, L.imag], dim=-1) if L.is_complex() else L


def merged(blocks: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Blocks of several batches of matrices as those of one batch."""

    def join(values: list[Any]) -> Any:
        follows_p = hasattr(values[0], "ndim") and values[0].ndim == 3
        return namespace(values[0]).concatenate(values) if follows_p and len(values) > 1 else values[0]

    return [{key: join([each[i][key] for each in blocks]) for key in blocks[0][i]} for i in range(len(blocks[0]))]


class Span:
    """Exact results so far, their sketches, and the stations they are compared at."""

    def __init__(
        self,
        problem: Problem,
        layout: Layout,
        sketches: tuple[Sketch, Sketch],
        capacity: int,
        doubled: bool,
        device: str,
    ) -> None:
        self.problem, self.layout, self.doubled, self.device = problem, layout, doubled, device
        # On a CPU all that is as large as A is NumPy's: one library's threads do not wait for those of another.
        train, verify = (
            sketches if device == "cpu" else (sketch.like(torch.empty(0, device=device)) for sketch in sketches)
        )
        self.columns = (Columns(train, capacity), Columns(verify, capacity))
        self.stations = Stations(problem.operation.given, (train, verify), capacity, doubled)
        dtype = torch.complex128 if problem.working.kind == "c" else torch.float64
        self.snapshots = _memory((capacity, layout.size), dtype, device)
        self.mixing = torch.zeros((capacity, capacity), dtype=dtype if doubled else torch.float64, device=device)
        self.count = 0

    def probe(self, points: Array, passing: int = 0) -> None:
        """Add stations, building A(p) in pieces so that only a few matrices are held at once.

        Large ones are probed while the next are built. They are kept but for the first ``passing`` ones, which are not
        asked for again.
        """
        pieces = [(each, False) for each in self.problem.pieces(points[:passing])]
        pieces += [(each, True) for each in self.problem.pieces(points[passing:])]
        built = ((some, self.problem.matrices(some, keep=keep)) for some, keep in pieces)
        probed = behind(self._probed, built) if self._apart else [self._probed(*each) for each in built]
        self.stations.add(probed, len(points), self.columns[0], self.count)

    def _probed(self, points: Array, A: Array) -> dict[str, Any]:
        self.problem.look(points, A)
        return self.stations.probe(there(A, self.device))

    @property
    def _apart(self) -> bool:
        """Whether matrices are worth a thread each."""
        return self.device == "cpu" and is_large(self.problem.shape)

    def exact(self, which: Array) -> Factors:
        """The factors that were added as numbers ``which``, as NumPy arrays."""
        return self.layout.unpack(self.snapshots[which].cpu().numpy())

    def extend(self, found: list[Factors]) -> None:
        """Add exact results to the span."""
        first, train = self.count, self.columns[0]
        items = found, range(first, first + len(found))
        probed = list(SideBySide().map(self._stored, *items) if self._apart else map(self._stored, *items))
        rows = [torch.stack([sketch.flatten(each[i]) for each in probed]) for i, sketch in enumerate(self.columns)]
        self._orthonormalise(rows[0], rows[1])
        self.stations.extend(train.rows[first : self.count], train)

    def _stored(self, F: Factors, place: int) -> tuple[Blocks, Blocks]:
        """Both sketches of an exact result, whose numbers are stored."""
        self.layout.pack(F, in_numpy(self.snapshots)[place : place + 1])
        return unknown_by_both(self.columns[0].sketch, self.columns[1].sketch, F)

    def _orthonormalise(self, train: Tensor, verify: Tensor) -> None:
        """Gram-Schmidt on the sketches alone, n k numbers instead of n²; the change of basis is kept for the end.

        New rows ``(s, S)`` of both sketches: against the older slices as a block, which reads those once, then among
        themselves.
        """
        first, sizes = self.count, torch.linalg.vector_norm(train, dim=-1)
        mixing = torch.zeros((len(train), len(self.mixing)), dtype=self.mixing.dtype, device=self.mixing.device)
        mixing[:, first : first + len(train)].fill_diagonal_(1.0)
        block = self._freed([train, verify, mixing], 0, first)
        for k, whole in enumerate(sizes):
            rows = [each[k : k + 1] for each in block]
            before = torch.linalg.vector_norm(rows[0])
            rows = self._freed(rows, first, self.count)
            if bool(torch.linalg.vector_norm(rows[0]) < CANCELLED * before):
                # What is left of the older slices, rounding of a longer row, is no rounding any more.
                rows = self._freed(rows, 0, self.count)
            size = torch.linalg.vector_norm(rows[0])
            # A result that repeats the others would leave rounding, blown up to norm one: a zero slice instead.
            share = 1 / size if size > DEPENDENT * whole else torch.zeros_like(size)
            for all_rows, row in zip(self._rows, rows, strict=True):
                all_rows[self.count] = row[0] * share
            self.count += 1

    def _freed(self, rows: list[Tensor], start: int, stop: int) -> list[Tensor]:
        """Rows of both sketches and of the mixing, less their parts along some slices as the first sketch sees them."""
        older = [each[start:stop] for each in self._rows]
        for _ in range(2 if stop > start else 0):
            before = torch.linalg.vector_norm(rows[0], dim=-1)
            h = rows[0] @ older[0].conj().T
            h = h if self.doubled or not h.is_complex() else h.real
            rows = [row - h.to(row.dtype) @ old for row, old in zip(rows, older, strict=True)]
            if bool((torch.linalg.vector_norm(rows[0], dim=-1) > CANCELLED * before).all()):
                break
        return rows

    @property
    def _rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """All slices in both sketches, and as combinations of the raw results."""
        return self.columns[0].rows, self.columns[1].rows, self.mixing

    def labels(self) -> Tensor:
        """Best coefficients ``(M, width)`` real, interleaved (re, im) where complex."""
        return self.stations.labels()

    def verified(self, labels: Tensor) -> Tensor:
        """Residual of coefficients ``(M, width)`` at all stations, on probes that nothing was fitted to."""
        return self.stations.verified(labels, self.columns[1])


def _memory(shape: tuple[int, int], dtype: torch.dtype, device: str) -> Tensor:
    """Memory not yet written. On a CPU it is NumPy's, which asks for huge pages: they come in a fifth of the time."""
    if device != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return torch.from_numpy(rows_apart(shape, complex if dtype.is_complex else float))
