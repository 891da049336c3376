"""The one training loop. It runs phases and knows no family.

Under torchrun every process runs it on its slice of each batch; process 0 alone saves, samples and validates.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from edgegan import distributed
from edgegan.data._files.fingerprint import describe_stream
from edgegan.families import Networks, Step

from .acceleration import choose_kernels, compile_methods, fuse, memory_layout
from .averages import averages, follow
from .failure import explain_failures
from .folder import checkpoint
from .folder.run import Run
from .interrupt import defer_interrupts
from .loader import Loader, readers
from .reporter import Reporter, Silence
from .schedule import Schedule
from .stages import Stages
from .state import pack_state, unpack_state
from .update import Update
from .validation import Best, describe_held_out, measure


@dataclass(frozen=True)
class Budget:
    """When to stop: after so many images, or after so many minutes of this session, whichever comes first."""

    images: int
    minutes: float | None = None


class Trainer:
    """A run in progress. Every random draw comes from (seed, images seen), so a resumed run repeats exactly."""

    def __init__(self, run: Run, device: torch.device, *, threads: int | None = None) -> None:
        self.run, self.device, self.cfg = run, device, run.cfg.train
        self.stages = Stages(run)
        if threads:
            torch.set_num_threads(threads)
        with distributed.fail_together(), distributed.let_first_of_machine_go_first():
            self.streams = run.family.streams(run.cfg, run.data)  # what is wrong with the data is said at once
            # What the training pictures are, by stream. Now: a checkpoint must not fail because they went away.
            self.fingerprint = {name: describe_stream(stream) for name, stream in self.streams.items()}
            self.held_out = describe_held_out(run)
        torch.manual_seed(self.cfg.seed)
        self.nets = run.family.networks(run.cfg)
        choose_kernels(device)
        self._layout = memory_layout(self.cfg, device)
        for net in self.nets.values():
            net.to(device=device, memory_format=self._layout)  # type: ignore[call-overload]
            distributed.broadcast(net.state_dict().values())
        self.ema = averages(self.nets, run.family.EMA)
        self.phases = run.family.phases(run.cfg, self.nets)
        fuse(phase.optimiser for phase in self.phases)
        self.schedule = Schedule(self.phases, self.cfg)
        self.update = Update(self.nets, self.cfg, device)
        self.images = 0
        self.round = 0
        self.stage = ""  # the name of the last round's
        self.seconds = 0.0  # trained so far, over all sessions
        self.best: Best | None = None
        self.figures: dict[str, float] = {}  # the newest on held-out data, and after how many `images`
        if self.cfg.compile:
            compile_methods(self.nets.values())

    def train(self, budget: Budget, reporter: Reporter | Silence) -> bool:
        """Trains until the budget is spent; True if `budget.images` was reached.

        After Ctrl-C the round is finished, so that a resumed run repeats exactly; then the state is saved and
        KeyboardInterrupt raised. A value that is not finite raises TrainingError, which names phase and step;
        the last checkpoint stays. Under torchrun either ends all processes.
        """
        began = saved = time.monotonic()
        spent_before = self.seconds
        # After how many images to act again.
        every = [n or math.inf for n in self._intervals]
        minutes = self.cfg.checkpoint_minutes or math.inf
        done = [self.images // n for n in every]
        with ExitStack() as stack:
            loaders = {
                name: stack.enter_context(
                    Loader(stream, seed=self.cfg.seed, number=number, workers=readers(self.cfg.workers))
                )
                for number, (name, stream) in enumerate(self.streams.items())
            }
            interrupted = stack.enter_context(defer_interrupts())
            if self.images == 0:
                self._sample(reporter)
            while self.images < budget.images:
                self._enter_stage(reporter)
                with distributed.fail_together():
                    waited = time.monotonic()
                    steps = self._steps(loaders)
                    waited = time.monotonic() - waited
                with explain_failures(self.run, f"round {self.round + 1} ({self.images} images)"):
                    parts = self._round(steps)
                self.seconds = spent_before + time.monotonic() - began
                reporter.step(self.images, self.round, parts, self.seconds, waited)
                if distributed.any_of(interrupted.is_set()):
                    self.save()
                    raise KeyboardInterrupt
                before, done = done, [self.images // n for n in every]
                sample, store, validate = (now > then for now, then in zip(done, before, strict=True))
                if sample:
                    self._sample(reporter)
                if validate and self.images < budget.images:
                    self._validate(reporter)
                if store or time.monotonic() - saved > 60 * minutes:
                    saved = time.monotonic()
                    self.save()
                over = budget.minutes is not None and time.monotonic() - began > 60 * budget.minutes
                if budget.minutes is not None and distributed.any_of(over):
                    break
            self._validate(reporter)
            self.save()
            self._sample(reporter)
        return self.images >= budget.images

    @property
    def _intervals(self) -> tuple[int, int, int]:
        """In images, of samples, checkpoints and validation; 0 is never."""
        return self.cfg.sample_images, self.cfg.checkpoint_images, self.cfg.validate_images

    def _enter_stage(self, reporter: Reporter | Silence) -> None:
        """Where another stage begins, the optimisers forget their moments."""
        stage = self.stages.at(self.images)
        if stage.name != self.stage:
            self.stage = stage.name
            for phase in self.phases:
                phase.optimiser.state.clear()
            reporter.stage(self.images, stage)

    def _steps(self, loaders: Mapping[str, Loader]) -> list[Step]:
        """This process's slices of the next batch; what follows it is announced to the loaders."""
        steps = []
        for part in self.stages.slices(self.images):
            batches = {name: self._to_device(loader.batch(part.first, part.count)) for name, loader in loaders.items()}
            steps.append(Step(batches, first_image=part.first, seed=self.cfg.seed, first_of_all=part.first_of_all))
        later = self.images
        for _ in range(2):
            later += self.stages.at(later).batch
            for part in self.stages.slices(later):
                for loader in loaders.values():
                    loader.announce(part.first, part.count)
        return steps

    def _round(self, steps: list[Step]) -> dict[str, float]:
        """One batch of real pictures through every phase that is due."""
        self.round += 1
        stage = self.stages.at(self.images)
        self.schedule.set(self.images, stage.rate)
        self.stages.advance(self.nets, self.images)
        logged: dict[str, float] = {}
        for number, phase in enumerate(self.phases):
            if phase.due(self.round):
                torch.manual_seed(hash((self.cfg.seed, steps[0].first_image, number)) % 2**63)
                logged.update(self.update(phase, steps, f"round {self.round} ({self.images} images)"))
        self.images += stage.batch

        # Batch statistics are each process's own; their mean is everybody's.
        if distributed.world() > 1:
            nets = [net for net in self.nets.values() if any(True for _ in net.parameters())]
            distributed.average([b for net in nets for b in net.buffers() if b.is_floating_point()])

        follow(
            self.ema,
            self.nets,
            images=self.images,
            batch=stage.batch,
            halflife_images=self.cfg.ema_halflife_images,
        )
        return logged

    def _to_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.device.type == "cuda":
            batch = {key: t.pin_memory() for key, t in batch.items()}
        kept = torch.preserve_format
        return {
            key: t.to(self.device, non_blocking=True, memory_format=self._layout if t.dim() == 4 else kept)
            for key, t in batch.items()
        }

    def _averages(self) -> Networks:
        return {**self.nets, **self.ema}

    def _sample(self, reporter: Reporter | Silence) -> None:
        if distributed.rank() == 0 and self.cfg.sample_images:
            with self._save_on_failure():
                sheet = self.run.family.preview(self.run.cfg, self._averages(), self.run.data)
            reporter.sheet(self.images, sheet)

    @contextmanager
    def _save_on_failure(self) -> Iterator[None]:
        """What fails inside (held-out pictures that went away) costs none of what was trained."""
        try:
            yield
        except Exception:
            if self.images and not self.run.checkpoint_path(self.images).exists():
                self.save()
            raise

    def _validate(self, reporter: Reporter | Silence) -> None:
        """Measures the averaged networks on held-out data and keeps the best checkpoint."""
        if distributed.rank() or not self.cfg.validate_images:
            return
        with self._save_on_failure():
            figures = measure(self.run, self._averages())
        if not figures:
            return
        self.figures = {**figures, "images": self.images}
        found = Best.of(figures, self.images)
        better = math.isfinite(found.value) and (self.best is None or found.value < self.best.value)
        if better:
            self.best = found
            checkpoint.save(self.run.best_path, *pack_state(self))
        reporter.validation(self.images, figures, better)

    def save(self) -> None:
        """Writes a checkpoint, then removes all but the newest few; the best one stays apart."""
        if distributed.rank():
            return
        written = self.run.checkpoint_path(self.images)
        checkpoint.save(written, *pack_state(self))
        others = [path for path in self.run.checkpoints() if path != written]
        for old in others[: max(0, len(others) + 1 - self.cfg.keep)]:
            old.unlink()

    def restore(self, found: checkpoint.Checkpoint) -> list[str]:
        """Continues from a checkpoint of the same config; returns how its training pictures were others."""
        return unpack_state(self, found)
