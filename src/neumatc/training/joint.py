"""The paper's own training (Algorithm 2): latent tensor and network together, by Adam. Here are its options."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any, Literal, final

import numpy as np

from neumatc.bases.network import ACTIVATIONS
from neumatc.errors import InputError, unknown

CHOICES: dict[str, tuple[str, ...]] = {
    "activation": tuple(ACTIVATIONS),
    "sampling": ("adaptive", "random"),
    "loss": ("reduced", "literal"),
    "latent": ("span", "random"),
    "schedule": ("cosine", "constant"),
    "precision": ("double", "single"),
}

WHOLE = {"layers": 1, "width": 1, "d": 1, "epochs": 1, "interval": 1, "collocation": 0, "candidates": 0, "add": 0,
         "save_every": 1}  # fmt: skip
"""Options that count something, and the least they may be."""

POSITIVE = ("omega", "rate")
NONNEGATIVE = ("balance", "tolerance")

OUTSIDE = ("checkpoint", "save_every")
"""Options that change where training is saved, never what comes out of it."""


@final
@dataclass(frozen=True)
class Joint:
    """Train the latent tensor C and the network Φ_θ together by Adam, as the paper does (its Algorithm 2).

    ``min_{C, θ} Σ_j ‖C ×₃ Φ_θ(p_j) - G_j‖_F² + λ Σ_q ‖R(q; C ×₃ Φ_θ(q))‖_F²`` (its equation 3): fidelity to aligned
    exact results at N_s samples, and consistency with the operation's equations at collocation points q. Every T epochs
    the score ``g(p) = ‖R(p)‖² - ε_r`` is taken at random candidates; while the share of those with ``g > 0``, the
    failure probability, is at least ε_p, the N_add candidates with the largest scores become collocation points;
    below ε_p training ends. Both terms are relative: data to the mean ``‖G_j‖²``, each equation to its own scale. One
    network serves all factors of a result, as everywhere in this library (the paper gives each its own).

    It is here for comparison. The default training reaches errors a million times smaller from the same solves.

    Parameters
    ----------
    activation : σ of the network: "sine", "tanh", "sigmoid", "gelu" or "relu".
    layers : hidden layers L; the paper takes 2, 3 or 4.
    width : neurons per hidden layer W; the paper takes 50, 100, 150 or 200.
    d : latent dimension; the paper takes 10, 20, 30 or 40.
    omega : ω, bandwidth of the first layer in radians per unit of x, p mapped to x in [-1, 1]. The paper takes
        0.05, 0.10, …, 0.25 without saying in which units; per unit of x in [-1, 1], or of p in [0, 1], the network is
        then almost linear at first, and training stalls or loses thousands of epochs. See docs/joint.md.
    balance : λ, weight of the structure term; the paper takes 0.1, 1 or 10. At 0 there is no such term.
    rate : learning rate of Adam at the start. At 1e-2 an inverse is learned faster, but where equations hold products
        of unknowns (QR, Cholesky, SVD) the loss may leap and not come back.
    beta2 : decay of Adam's mean of squared gradients. With the usual 0.999 it forgets so slowly that new collocation
        points, whose gradients are larger than those remembered, make steps of several times ``rate``: in one seed of
        four the loss leapt by a factor of 100, and without leaps it ended eight times higher (inverse n = 128).
    schedule : of the learning rate: "cosine" lets it fall to zero over the epochs, "constant" keeps it.
    epochs : most Adam steps (K_max), each on all points; the paper takes 500 where it says so.
    interval : T, epochs between two refinements.
    threshold : ε_r, a *squared* relative residual; the square of a tenth of the fit's ``tol`` if None.
    tolerance : ε_p, failure probability below which training ends; 0 never ends it early.
    add : N_add, collocation points per refinement; 10 in the paper. With 0 there are no refinements.
    samples : N_s, exact results; all that the fit's ``samples`` allow if None. 40 (inverse, SVD) and 20 in the paper.
        They lie on a uniform grid, or where the fit's ``sampler`` puts them if it is "chebyshev", "uniform" or "sobol".
    collocation : collocation points at the start, drawn at random; 50 in the paper's table 8.
    candidates : further points, drawn at random once, among which refinements choose.
    sampling : "adaptive" as above; "random" adds N_add random candidates instead, by the same schedule.
    loss : "reduced" trains C inside the span of the results, ``C = M Q`` with Q their orthonormal directions and M
        (d, m) trained. The data term is then exactly that of the paper, and its gradient in C never leaves that span;
        that of the structure term does, and is kept as far as it lies inside. Adam sees the entries of M, not of C.
        "literal" trains all entries of C and forms every residual in full, at n³ per epoch and more.
    latent : C at the start: "span" for principal directions, times their size; "random" for random rows of the
        span in that size (Algorithm 2 begins at random).
    probes : probes per side for the structure term of the reduced loss; enough for ten numbers per unknown if None.
        A number not below n makes them exact. A sparse solve, whose residuals are exact without any, takes none.
    derivatives : order up to which derivatives of the exact results along p widen the span of the reduced loss; 0 is
        the span of the results alone. Of sparse solves only, where they cost triangular solves; 1 there if None.
    precision : of the training, "double" or "single". What is left of a result between samples does not depend on it.
    checkpoint : path of a file that holds the state of training. Where it exists training goes on from it, and ends as
        if it had never stopped, bit for bit; ``rng`` must be the same integer. None keeps no such file.
    save_every : epochs between two states saved there.

    Raises
    ------
    InputError
        For a name, number or path that cannot be meant; for a checkpoint of another training.
    TrainingError
        When the loss is no longer finite.

    References
    ----------
    "NeuMatC: a general neural framework for fast parametric matrix operation", sections 2.1, 2.2, appendices F and K;
    Kingma & Ba, "Adam", arXiv:1412.6980; Gao, Yan & Zhou 2023, doi:10.1137/22M1527763.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0 + np.sin(p), p], [-p, 3.0]])
    >>> f = nmc.inv(A, box=(0.0, 1.0), training=nmc.Joint(epochs=500, omega=3.0, d=4), samples=20, tol=0.1, rng=0)
    >>> f.status, f.basis.name
    ('converged', 'network')
    >>> bool(abs(f(0.37) - np.linalg.inv(A(0.37))).max() < 0.05)
    True
    """

    activation: Literal["sine", "tanh", "sigmoid", "gelu", "relu"] = "sine"
    layers: int = 2
    width: int = 100
    d: int = 20
    omega: float = 6.0
    balance: float = 1.0
    rate: float = 5e-3
    beta2: float = 0.99
    schedule: Literal["cosine", "constant"] = "cosine"
    epochs: int = 5000
    interval: int = 500
    threshold: float | None = None
    tolerance: float = 0.05
    add: int = 10
    samples: int | None = None
    collocation: int = 40
    candidates: int = 100
    sampling: Literal["adaptive", "random"] = "adaptive"
    loss: Literal["reduced", "literal"] = "reduced"
    latent: Literal["span", "random"] = "span"
    probes: int | None = None
    derivatives: int | None = None
    precision: Literal["double", "single"] = "double"
    checkpoint: str | PathLike[str] | None = None
    save_every: int = 500

    def __post_init__(self) -> None:
        """Refuse options that describe no training."""
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(f"{name} of Joint", str(getattr(self, name)), known)
        for name, least in WHOLE.items():
            _whole(name, getattr(self, name), least)
        for name in ("samples", "probes"):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name), 2)
        if self.derivatives is not None:
            _whole("derivatives", self.derivatives, 0)
        for name in POSITIVE + NONNEGATIVE:
            _real(name, getattr(self, name), zero=name in NONNEGATIVE)
        if self.threshold is not None:
            _real("threshold", self.threshold, zero=True)
        _real("beta2", self.beta2, zero=True)
        if self.beta2 >= 1:
            raise InputError(
                f"`beta2` of Joint must be below 1, got {self.beta2!r}. "
                "It is the share of Adam's mean of squares that one step keeps. Leave it out to get its default."
            )

    @property
    def has_structure(self) -> bool:
        """Whether there is a structure term and a point to take it at."""
        return self.balance > 0 and self.collocation + self.candidates * bool(self.add) > 0

    def fingerprint(self) -> dict[str, Any]:
        """All options that decide what comes out, as JSON."""
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in asdict(self).items()}
        return {name: value for name, value in plain.items() if name not in OUTSIDE}


def _whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InputError(
            f"`{name}` of Joint must be a whole number of at least {least}, got {value!r}. "
            "It counts points, neurons or epochs. Leave it out to get its default."
        )


def _real(name: str, value: Any, zero: bool) -> None:
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value)
    if not good or value < 0 or (value == 0 and not zero):
        raise InputError(
            f"`{name}` of Joint must be a finite number {'of at least' if zero else 'above'} 0, got {value!r}. "
            "A weight, a rate or a bandwidth is meant. Leave it out to get its default."
        )
