"""Every law of operations bites: for each there is a small mistake that it finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from neumatc.equations import equal, identity, known, unknown
from neumatc.gauge import Gauge, Vectors
from neumatc.operations import Inverse, Operation, TruncatedSVD
from neumatc.testing import OPERATION_LAWS, check_operation

A, X = known("A"), unknown("X")
MATRICES = np.eye(6) * 2 + 0.3 * np.random.default_rng(0).standard_normal((3, 6, 6))


@dataclass(frozen=True)
class Altered(Operation):
    """An operation that does what another does, but for the methods that are given."""

    base: Operation = Inverse()  # noqa: RUF009  # frozen
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    name: str = "altered"

    def exact(self, A: Any) -> Any:
        return self._call("exact", A)

    def equations(self) -> Any:
        return self._call("equations")

    @property
    def gauge(self) -> Gauge:
        found: Gauge = self.methods["gauge"]() if "gauge" in self.methods else self.base.gauge
        return found

    def canonical(self, F: Any) -> Any:
        return self._call("canonical", F)

    def present(self, F: Any) -> Any:
        return self._call("present", F)

    def theorem(self, rows: int) -> Any:
        return self._call("theorem", rows)

    def _call(self, name: str, *arguments: Any) -> Any:
        return self.methods.get(name, getattr(self.base, name))(*arguments)


class Refined(Altered):
    def refine(self, A: Any, F: Any) -> Any:
        return {name: 1.1 * X for name, X in F.items() if len(A)}


class Settled(Altered):
    def in_place(self, kinds: Any) -> Any:
        return ("X",) if kinds["X"] == "full" else None

    def settle(self, parts: Any) -> Any:
        return self.methods["settled"](parts)


class Picky(Altered):
    def defect(self, A: Any, F: Any, probes: Any) -> Any:
        return np.full(len(A), 0.1 * len(F) * len(probes))


class Still(Gauge):
    """A gauge that moves and does not come back."""

    def align(self, F: Any, reference: Any) -> Any:
        return {name: F[name] for name in reference}

    def move(self, F: Any, rng: Any) -> Any:
        return Vectors(("X",)).move(F, rng)


def wrong(law: str, message: str, operation: Operation) -> Any:
    return pytest.param(law, message, operation, id=f"{law}: {message}")


def inverse(**methods: Callable[..., Any]) -> Altered:
    return Altered(Inverse(), methods)


INV: Callable[..., Any] = np.linalg.inv
MISTAKES = [
    wrong(
        "exact_names_the_unknowns",
        r"factors \['Y'\] for unknowns \['X'\]",
        inverse(exact=lambda A: {"Y": INV(A)}),
    ),
    wrong(
        "exact_names_the_unknowns",
        r"factors \['X', 'Y'\] for unknowns \['X'\]",
        inverse(exact=lambda A: {"X": INV(A), "Y": A}),
    ),
    wrong("exact_names_the_unknowns", r"X of shape \(6, 6\)", inverse(exact=lambda A: {"X": INV(A[0])})),
    wrong(
        "residual_vanishes_on_exact",
        "must be at rounding level, at most",
        inverse(exact=lambda A: {"X": INV(A) + 1e-9}),
    ),
    wrong("residual_vanishes_on_exact", "must be at rounding level", inverse(equations=lambda: (equal(X, A),))),
    wrong("residual_ignores_gauge", "move must not change the residual", inverse(gauge=lambda: Vectors(("X",)))),
    wrong(
        "residual_ignores_gauge",
        "move must not change the residual",
        Altered(TruncatedSVD(2), {"gauge": lambda: Vectors(("U",))}),
    ),
    wrong(
        "align_undoes_move",
        r"align\(gauge.move\(F\), F\) must return F",
        inverse(
            gauge=Still,
            exact=lambda A: {"X": np.linalg.qr(A)[0]},
            equations=lambda: (equal(X.H @ X, identity()),),
        ),
    ),
    wrong(
        "batch_equals_single",
        r"Row 0 of exact\(A\) must be exact\(A\[0\]\)",
        inverse(exact=lambda A: {"X": INV(A) * (1 + 1e-9 * len(A))}),
    ),
    wrong(
        "scaling",
        r"exact\(2\^-12 A\) must be exact\(A\) times 2\^\{'X': 12\}",
        inverse(exact=lambda A: {"X": INV(A + 1e-9 * np.eye(6))}),
    ),
    wrong(
        "canonical_keeps_the_equations",
        r"canonical\(F\) must satisfy the equations",
        inverse(canonical=lambda F: {"X": np.round(F["X"], 6)}),
    ),
    wrong(
        "canonical_keeps_the_equations",
        "finite arrays, batch axis first",
        inverse(present=lambda F: F["X"][0]),
    ),
    wrong(
        "canonical_keeps_the_equations",
        "finite arrays, batch axis first",
        inverse(present=lambda F: F["X"] * np.nan),
    ),
    wrong(
        "settled_is_presented",
        r"settle\(parts\) must be present.* Found: a difference of",
        Settled(Inverse(), {"settled": lambda parts: 1.1 * parts[0]}),
    ),
    wrong(
        "settled_is_presented",
        r"settle\(parts\) must be present.* Found: \(3, 36\) float64 for \(3, 6, 6\)",
        Settled(Inverse(), {"settled": lambda parts: parts[0].reshape(-1, 36)}),
    ),
    wrong(
        "bound_is_a_bound",
        r"must not exceed its bound \(hope\)",
        inverse(theorem=lambda rows: (0.01, "hope")),
    ),
    wrong(
        "bound_is_a_bound",
        r"must not exceed its bound \(hope\)",
        Altered(TruncatedSVD(2), {"theorem": lambda rows: (1e-6, "hope")}),
    ),
    wrong("refine_improves", "refine must reduce the residual", Refined()),
    wrong("defect_spares_exact", "defect must be zero for exact factors", Picky()),
]


@pytest.mark.parametrize(("law", "message", "operation"), MISTAKES)
def test_every_mistake_is_found(law: str, message: str, operation: Operation) -> None:
    with pytest.raises(AssertionError, match=message):
        OPERATION_LAWS[law](operation, MATRICES, np.random.default_rng(0))
    with pytest.raises(AssertionError, match="Found: "):
        check_operation(operation, MATRICES)


def test_solvers_that_answer_torch_with_numpy_are_found() -> None:
    pytest.importorskip("torch")
    operation = inverse(exact=lambda A: {"X": INV(np.asarray(A))})
    with pytest.raises(AssertionError, match="must return torch tensors"):
        OPERATION_LAWS["torch_answers_in_kind"](operation, MATRICES, np.random.default_rng(0))
    other = inverse(exact=lambda A: {"X": INV(A) if isinstance(A, np.ndarray) else 2 * A})
    with pytest.raises(AssertionError, match="must be exact"):
        OPERATION_LAWS["torch_answers_in_kind"](other, MATRICES, np.random.default_rng(0))


def test_a_sketch_that_loses_a_term_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law of sketches watches the library itself."""
    from neumatc.sketch import Sketch

    monkeypatch.setattr(Sketch, "constant", lambda self, known: 0 * self.linear(known, self.unknown(FIRST))[:, 0])
    with pytest.raises(AssertionError, match="The latent residual must be the residual"):
        OPERATION_LAWS["sketch_estimates_the_residual"](Inverse(), MATRICES, np.random.default_rng(0))


FIRST = {"X": MATRICES[:1]}


@pytest.mark.parametrize("base", [Inverse(), TruncatedSVD(2), TruncatedSVD(2, buffer=1)])
def test_what_is_not_altered_passes(base: Operation) -> None:
    check_operation(Altered(base), MATRICES)


def test_one_matrix_is_not_enough() -> None:
    with pytest.raises(AssertionError, match=r"at least two matrices.*shape \(1, 6, 6\)"):
        check_operation(Inverse(), MATRICES[:1])


def test_a_failure_is_repeated_by_its_seed() -> None:
    operation = Altered(TruncatedSVD(2), {"theorem": lambda rows: (1e-6, "hope")})
    told = []
    for rng in (None, None, 0, 1):
        with pytest.raises(AssertionError, match="hope") as info:
            check_operation(operation, MATRICES, rng)
        told.append(str(info.value))
    assert told[0] == told[1] == told[2] != told[3]
