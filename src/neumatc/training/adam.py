"""The loop of Algorithm 2: Adam on both terms, refinement of the collocation points, a state that can be saved.

Nothing here draws random numbers that the state would have to hold: what a refinement draws is a function of the seed
and of the epoch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc import store
from neumatc.arrays import Array
from neumatc.errors import FormatError, InputError, TrainingError
from neumatc.history import Event

from .joint import Joint
from .losses import Loss
from .perceptron import Perceptron
from .places import worst

Tensor: TypeAlias = torch.Tensor

REPORTS = 50
"""Events with losses that a training sends."""

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Places:
    """Points in the unit cube as tensors: samples (Ns, D) and stations (M, D), the first of which are collocated."""

    samples: Tensor
    stations: Tensor
    collocated: int


@final
class Adam:
    """One training; ``run`` does it all."""

    def __init__(
        self,
        options: Joint,
        network: Perceptron,
        loss: Loss,
        places: Places,
        threshold: float,
        rng: Callable[[int], np.random.Generator],
        tell: Callable[[Event], None],
    ) -> None:
        """``threshold`` is ε_r, ``rng`` gives random numbers by epoch."""
        self.options, self.network, self.loss, self.places = options, network, loss, places
        self.threshold, self.rng, self.tell = threshold, rng, tell
        self.theta = network.parameters(loss.latent.dtype, str(loss.latent.device))
        self.parameters = [*self.theta, loss.latent]
        self.optimizer = torch.optim.Adam(self.parameters, lr=options.rate, betas=(0.9, options.beta2), fused=True)
        self.active: Array = np.arange(places.collocated if options.has_structure else 0)
        self.epoch, self.finished = 0, False

    def run(self, identity: dict[str, Any]) -> None:
        """Train to the end; ``identity`` tells this training from others, for the checkpoint."""
        options = self.options
        if options.checkpoint is not None and os.path.exists(options.checkpoint):
            self._restore(options.checkpoint, identity)
        self._collocate()
        every = max(1, options.epochs // REPORTS)
        while self.epoch < options.epochs and not self.finished:
            losses = self._step()
            self.epoch += 1
            last = self.epoch == options.epochs
            if options.add and len(self.places.stations) and self.epoch % options.interval == 0 and not last:
                self._refine()
            last = last or self.finished
            if self.epoch % every == 0 or last:
                self._report(*losses)
            if options.checkpoint is not None and (self.epoch % options.save_every == 0 or last):
                self._save(options.checkpoint, identity)

    def _step(self) -> tuple[Tensor, Tensor | None]:
        """One step of Adam on the sum over all points; returns both terms as means."""
        options, count = self.options, len(self.places.samples)
        if options.schedule == "cosine":
            share = (1 + math.cos(math.pi * self.epoch / options.epochs)) / 2
            self.optimizer.param_groups[0]["lr"] = options.rate * share
        phi = self.network(self.theta, self.x)
        data = self.loss.data(phi[:count]) / count
        structure, total = None, data
        if len(self.active):
            structure = self.loss.structure(phi[count:]).sum() / count
            total = torch.add(data, structure, alpha=options.balance)
        for parameter in self.parameters:
            parameter.grad = None
        total.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return data, structure

    def _collocate(self) -> None:
        """Bring the collocation points in."""
        self.loss.collocate(self.active)
        at = torch.as_tensor(self.active, device=self.places.stations.device)
        self.x = torch.cat([self.places.samples, self.places.stations[at]])

    def _refine(self) -> None:
        """Lines 5 to 13 of Algorithm 2."""
        with torch.no_grad():
            residuals = self.loss.scores(self.network(self.theta, self.places.stations)).double().cpu().numpy()
        free = np.ones(len(residuals), bool)
        free[self.active] = False
        scores, add = residuals - self.threshold, self.options.add
        probability, chosen = worst(scores, free, self.options.tolerance, add)
        self.finished = probability < self.options.tolerance
        if self.options.sampling == "random" and not self.finished:
            left = np.flatnonzero(free)
            chosen = self.rng(self.epoch).permutation(left)[:add]
        numbers = {"epoch": self.epoch, "probability": probability, "added": len(chosen)}
        text = f"epoch {self.epoch}, failure probability {probability:.2f}, {len(chosen)} points added"
        self.tell(Event("refine", text, numbers))
        if len(chosen):
            self.active = np.concatenate([self.active, chosen])
            self._collocate()

    def _report(self, data: Tensor, structure: Tensor | None) -> None:
        numbers = {"epoch": float(self.epoch), "data": data.item()}
        text = f"epoch {self.epoch}/{self.options.epochs}, data {numbers['data']:.1e}"
        if structure is not None:
            # The mean over the points it was taken at, which the loss weighs by their number.
            numbers["structure"] = (
                structure.item() * len(self.places.samples) / (len(self.x) - len(self.places.samples))
            )
            text += f", structure {numbers['structure']:.1e}"
        if not all(map(math.isfinite, numbers.values())):
            raise TrainingError(
                f"Joint training needs finite losses, and {text} came. The steps are probably too long for this "
                f"network. Lower `rate` (now {self.options.rate:g}) or `omega` (now {self.options.omega:g})."
            )
        self.tell(Event("epoch", text, numbers))

    def _save(self, path: str | os.PathLike[str], identity: dict[str, Any]) -> None:
        state = self.optimizer.state
        arrays = {"active": self.active.astype(np.int64)}
        for i, parameter in enumerate(self.parameters):
            arrays[f"parameter.{i}"] = parameter.detach().cpu().numpy()
            arrays |= {f"{name}.{i}": state[parameter][name].cpu().numpy() for name in MOMENTS}
        manifest = {"kind": "joint", "identity": identity, "epoch": self.epoch, "finished": self.finished}
        store.write(path, manifest, arrays)

    def _restore(self, path: str | os.PathLike[str], identity: dict[str, Any]) -> None:
        manifest, arrays = store.read(path)
        if manifest.get("kind") != "joint":
            raise FormatError(
                f"{path} should hold a state of joint training, and it holds something else. "
                "It is probably a saved fit. Give `checkpoint` a path of its own."
            )
        if manifest["identity"] != identity:
            keys = identity.keys() | manifest["identity"].keys()
            found = manifest["identity"]
            different = sorted(key for key in keys if identity.get(key) != found.get(key))
            raise InputError(
                f"The checkpoint {path} belongs to another training: {', '.join(different)} differ. Going on from it "
                "would end in neither of the two. Give the same options and the same integer `rng`, or another path."
            )
        self.epoch, self.finished = int(manifest["epoch"]), bool(manifest["finished"])
        self.active = arrays["active"].astype(np.int64)
        for i, parameter in enumerate(self.parameters):
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(arrays[f"parameter.{i}"]))
            found = {name: torch.from_numpy(arrays[f"{name}.{i}"]).to(parameter.device) for name in MOMENTS}
            self.optimizer.state[parameter] = found
