"""One optimiser step of one phase: gradients of all micro-batches and processes, checked before they are used."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from edgegan import distributed

from .acceleration import autocast_dtype
from .failure import NotFiniteError

if TYPE_CHECKING:
    from edgegan.config import Training
    from edgegan.families import Networks, Phase, Step

LEAST_SCALE = 1e-4  # fp16: gradients that overflow even when scaled by so little are not finite at all


class Update:
    """Steps of phases over shared networks. `scaler` moves in training and is part of a checkpoint.

    Args:
        nets: all networks; only the phase's own get gradients.
        cfg: precision and compilation.
        device: where the networks lie.
    """

    def __init__(self, nets: Networks, cfg: Training, device: torch.device) -> None:
        self._nets, self._device, self._compiled = nets, device, cfg.compile
        self._amp = autocast_dtype(cfg, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self._amp is torch.float16)

    def __call__(self, phase: Phase, steps: list[Step], where: str) -> dict[str, float]:
        """Zero, accumulate, average over the processes, check, step; the losses and the gradient's norm.

        Args:
            phase: whose networks are trained.
            steps: this process's slices of the batch.
            where: in training, for an error.

        Raises:
            NotFiniteError: a value is not finite. No weight was changed by this step.
        """
        owned = {id(p) for p in phase.module.parameters()}
        for net in self._nets.values():
            for p in net.parameters():
                p.requires_grad_(id(p) in owned)
        phase.optimiser.zero_grad(set_to_none=True)
        totals = self._accumulate(phase, steps)
        gradients = [p.grad for p in phase.module.parameters() if p.grad is not None]
        distributed.average(gradients)
        distributed.average(list(totals.values()))
        self.scaler.unscale_(phase.optimiser)
        totals["gradient"] = torch.nn.utils.get_total_norm(gradients)
        values = dict(zip(totals, torch.stack(list(totals.values())).tolist(), strict=True))
        overflow = self.scaler.is_enabled() and not math.isfinite(values["gradient"])
        if overflow and self.scaler.get_scale() > LEAST_SCALE:
            del values["gradient"]  # the scaler leaves this step out and scales by less
        for name, value in values.items():
            if not math.isfinite(value):
                raise NotFiniteError(f"phase {phase.name}, {where}: {name} is {value}")
        self.scaler.step(phase.optimiser)
        self.scaler.update()
        if phase.after_step is not None:
            phase.after_step(totals)
        return {f"{phase.name}/{name}": value for name, value in values.items()}

    def _accumulate(self, phase: Phase, steps: list[Step]) -> dict[str, Tensor]:
        """Leaves the gradients on the parameters; the losses, each the mean over the steps."""
        totals: dict[str, Tensor] = {}
        amp = self._amp if not phase.needs_second_order else None
        eager = self._compiled and phase.needs_second_order
        for step in steps:
            with torch.compiler.set_stance("force_eager") if eager else nullcontext():
                with torch.autocast(self._device.type, dtype=amp, enabled=amp is not None):
                    loss, parts = phase.loss_fn(step)
                torch.autograd.backward(self.scaler.scale(loss / len(steps)))
            for name, part in {"total": loss, **parts}.items():
                totals[name] = totals.get(name, 0.0) + part.detach().float() / len(steps)
        return totals
