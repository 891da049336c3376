"""The one training loop. It runs phases and knows no family."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edgegan import checkpoint
from edgegan.config import Training
from edgegan.families import Phase, Step
from edgegan.interrupt import interrupts_deferred
from edgegan.loader import Loader
from edgegan.reporter import Reporter
from edgegan.run import Run
from edgegan.runtime.errors import TrainingError


@dataclass(frozen=True)
class Budget:
    """When to stop: after so many images, or after so many minutes of this session, whichever comes first."""

    images: int
    minutes: float | None = None


class Trainer:
    """A run in progress. Every random draw comes from (seed, images seen), so a resumed run repeats exactly."""

    def __init__(self, run: Run, device: torch.device, *, threads: int | None = None) -> None:
        self.run, self.device, self.cfg = run, device, run.cfg.train
        if threads:
            torch.set_num_threads(threads)
        self.streams = run.family.streams(run.cfg, run.data)  # first: what is wrong with the data is said at once
        torch.manual_seed(self.cfg.seed)
        self.nets = run.family.networks(run.cfg)
        layout = torch.channels_last if self.cfg.channels_last else torch.contiguous_format
        for net in self.nets.values():
            net.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.ema = {name: _frozen_copy(self.nets[name]) for name in run.family.EMA}
        self.phases = run.family.phases(run.cfg, self.nets)
        self._base_lr = {p.name: [float(g["lr"]) for g in p.optimiser.param_groups] for p in self.phases}
        self._amp = _autocast_dtype(self.cfg, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._amp is torch.float16)
        self.images = 0
        self.round = 0
        self.seconds = 0.0  # trained so far, over all sessions
        if self.cfg.compile:
            for net in self.nets.values():
                net.compile()

    def train(self, budget: Budget, reporter: Reporter) -> bool:
        """Trains until the budget is spent; True if `budget.images` was reached.

        After Ctrl-C the round is finished, so that a resumed run repeats exactly; then the state is saved and
        KeyboardInterrupt raised. A value that is not finite raises TrainingError, which names phase and step;
        the last checkpoint stays.
        """
        began = saved = time.monotonic()
        spent_before = self.seconds
        sampled = self.images // self.cfg.sample_images
        stored = self.images // self.cfg.checkpoint_images
        with ExitStack() as stack:
            loaders = {
                name: stack.enter_context(Loader(stream, seed=self.cfg.seed, number=number))
                for number, (name, stream) in enumerate(self.streams.items())
            }
            interrupted = stack.enter_context(interrupts_deferred())
            if self.images == 0:
                self._sample(reporter)
            while self.images < budget.images:
                parts = self._round(loaders)
                self.seconds = spent_before + time.monotonic() - began
                reporter.step(self.images, self.round, parts, self.seconds)
                if interrupted.is_set():
                    self.save()
                    raise KeyboardInterrupt
                if self.images // self.cfg.sample_images > sampled:
                    sampled = self.images // self.cfg.sample_images
                    self._sample(reporter)
                due = self.images // self.cfg.checkpoint_images > stored
                if due or time.monotonic() - saved > 60 * self.cfg.checkpoint_minutes:
                    stored, saved = self.images // self.cfg.checkpoint_images, time.monotonic()
                    self.save()
                if budget.minutes is not None and time.monotonic() - began > 60 * budget.minutes:
                    break
            self.save()
            self._sample(reporter)
        return self.images >= budget.images

    def _round(self, loaders: Mapping[str, Loader]) -> dict[str, float]:
        """One batch of real pictures through every phase that is due."""
        self.round += 1
        micro = self.cfg.batch // self.cfg.accumulate
        steps = []
        for part in range(self.cfg.accumulate):
            first = self.images + part * micro
            batches = {name: self._to_device(loader.batch(first, micro)) for name, loader in loaders.items()}
            steps.append(Step(batches, first_image=first, seed=self.cfg.seed))
        self._set_learning_rates()
        logged: dict[str, float] = {}
        for number, phase in enumerate(self.phases):
            if phase.due(self.round):
                torch.manual_seed(hash((self.cfg.seed, self.images, number)) % 2**63)
                logged.update(self._phase(phase, steps))
        self.images += self.cfg.batch

        # Update EMA.
        decay = 0.5 ** (self.cfg.batch / self.cfg.ema_halflife_images)
        decay = min(decay, self.images / (self.images + 10 * self.cfg.batch))  # forget the initial weights soon
        with torch.no_grad():
            for name, average in self.ema.items():
                live = self.nets[name]
                torch._foreach_lerp_(list(average.parameters()), list(live.parameters()), 1 - decay)
                for kept, now in zip(average.buffers(), live.buffers(), strict=True):
                    kept.copy_(now)
        return logged

    def _phase(self, phase: Phase, steps: list[Step]) -> dict[str, float]:
        """Zero, accumulate, check, step."""
        owned = {id(p) for p in phase.module.parameters()}
        for net in self.nets.values():
            for p in net.parameters():
                p.requires_grad_(id(p) in owned)
        phase.optimiser.zero_grad(set_to_none=True)
        totals: dict[str, Tensor] = {}
        amp = self._amp if not phase.needs_second_order else None
        for step in steps:
            with torch.autocast(self.device.type, dtype=amp, enabled=amp is not None):
                loss, parts = phase.loss_fn(step)
            torch.autograd.backward(self._scaler.scale(loss / len(steps)))
            for name, part in {"total": loss, **parts}.items():
                totals[name] = totals.get(name, torch.zeros((), device=self.device)) + part.detach() / len(steps)
        values = {name: float(total) for name, total in totals.items()}
        for name, value in values.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"phase {phase.name}, round {self.round} ({self.images} images): {name} is {value}",
                    todo="the last checkpoint is good: lower the learning rates, or train in fp32, and --resume",
                )
        self._scaler.step(phase.optimiser)
        self._scaler.update()
        if phase.after_step is not None:
            phase.after_step(totals)
        return {f"{phase.name}/{name}": value for name, value in values.items()}

    def _set_learning_rates(self) -> None:
        """Constant, then linear to zero over the last `decay_images`."""
        left = self.cfg.images - self.images
        factor = min(1.0, left / self.cfg.decay_images) if self.cfg.decay_images else 1.0
        for phase in self.phases:
            for group, base in zip(phase.optimiser.param_groups, self._base_lr[phase.name], strict=True):
                group["lr"] = base * max(factor, 0.0)

    def _to_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        layout = torch.channels_last if self.cfg.channels_last else torch.contiguous_format
        return {
            key: t.to(self.device, non_blocking=True, memory_format=layout if t.dim() == 4 else torch.preserve_format)
            for key, t in batch.items()
        }

    def _sample(self, reporter: Reporter) -> None:
        nets = {**self.nets, **self.ema}
        reporter.sheet(self.images, self.run.family.preview(self.run.cfg, nets, self.run.data))

    def save(self) -> None:
        """Writes a checkpoint, then removes all but the newest few."""
        tensors: dict[str, Tensor] = {}
        for name, net in self.nets.items():
            tensors.update({f"net/{name}/{k}": t for k, t in net.state_dict().items()})
        for name, net in self.ema.items():
            tensors.update({f"ema/{name}/{k}": t for k, t in net.state_dict().items()})
        for phase in self._optimiser_owners():
            state = checkpoint.optimiser_tensors(phase.optimiser)
            tensors.update({f"optimiser/{phase.name}/{k}": t for k, t in state.items()})
        header: dict[str, Any] = {
            **self.run.header(),
            "images": self.images,
            "round": self.round,
            "seconds": self.seconds,
            "scaler": self._scaler.state_dict(),
        }
        checkpoint.save(self.run.checkpoint_path(self.images), header, tensors)
        for old in self.run.checkpoints()[: -self.cfg.keep]:
            old.unlink()

    def restore(self, found: checkpoint.Checkpoint) -> None:
        """Continues from a checkpoint of the same config; raises TrainingError if it holds weights alone."""
        if found.header.get("weights_only"):
            raise TrainingError(f"{found.path}: published weights, without the state that training needs to go on")
        for name, net in self.nets.items():
            found.load_into(net, f"net/{name}")
        for name, net in self.ema.items():
            found.load_into(net, f"ema/{name}")
        for phase in self._optimiser_owners():
            checkpoint.restore_optimiser(phase.optimiser, found.section(f"optimiser/{phase.name}"))
        self.images, self.round = int(found.header["images"]), int(found.header["round"])
        self.seconds = float(found.header["seconds"])
        self._scaler.load_state_dict(found.header["scaler"])

    def _optimiser_owners(self) -> list[Phase]:
        """One phase for each optimiser: phases may share one, which is saved once."""
        return list({id(p.optimiser): p for p in reversed(self.phases)}.values())


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU; a device that is not there is a TrainingError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: PyTorch sees no CUDA device here", todo="use --device cpu")
    return device


def _autocast_dtype(cfg: Training, device: torch.device) -> torch.dtype | None:
    if cfg.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[cfg.precision]


def _frozen_copy(net: nn.Module) -> nn.Module:
    return copy.deepcopy(net).eval().requires_grad_(False)
