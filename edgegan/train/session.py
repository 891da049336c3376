"""`edgegan train`, from a request to a finished run."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from edgegan import config, distributed, families
from edgegan.config import BaseConfig
from edgegan.data._files.places import places
from edgegan.runtime.errors import InputError, TrainingError
from edgegan.runtime.places import refuse_clashes

from .acceleration import pick_device
from .description import describe_run
from .fine_tune import configuration_of, find_weights, place_of, start_from
from .folder.checkpoint import Checkpoint
from .folder.lock import hold_run_folder
from .folder.run import Run, open_run
from .loop import Budget, Trainer
from .reporter import Reporter, Silence, clear_logs


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    family: str
    preset: str | None
    data: str | None
    folder: Path
    images: int | None
    minutes: float | None
    settings: tuple[str, ...]
    resume: bool
    start_from: str | None
    dry_run: bool
    device: str
    threads: int | None


def run_training(request: Request, console: Console | None = None, run: Run | None = None) -> Run:
    """Starts or resumes a run and trains it to its budget; returns the run.

    Under torchrun all processes train one run together, and the first alone prints and writes files. The folder of
    a run to resume has to be where every process can read it. `run`: the one to train, where the request does not say
    it all (a student's).

    Raises:
        InputError: unknown family, preset, key or data; or the folder holds checkpoints and `resume` is off.
        TrainingError: nothing is left to train, another process trains in the folder, memory ran out, or a value was
            not finite.
        ReportedElsewhereError: in the other processes, for what the first one raises.
        KeyboardInterrupt: after Ctrl-C, with the state saved.
    """
    device = pick_device(request.device, distributed.local_rank())
    console = (console or Console()) if distributed.rank() == 0 else Console(quiet=True)
    with distributed.join_processes(device):
        return _train(request, device, console, run)


def _train(request: Request, device: torch.device, console: Console, run: Run | None) -> Run:
    with ExitStack() as stack:
        with distributed.fail_together():
            if run is None:
                run = _open_run(request, console) if request.resume else _make_run(request)
            weights = find_weights(run.begins_with) if run.begins_with and not run.has_checkpoints else None
            if not request.dry_run and distributed.rank() == 0:
                stack.enter_context(hold_run_folder(run.folder))
                run.clear_leftovers()
            found = _start(run, request, console)
        if request.dry_run:
            if distributed.rank() == 0:
                describe_run(run, console)
            return run
        trainer = Trainer(run, device, threads=request.threads)
        if found is not None:
            _go_on(trainer, found, console)
        elif weights is not None:
            console.print(f"begins with {start_from(weights, trainer)}, from {weights}")
        budget = Budget(run.cfg.train.images, request.minutes)
        if trainer.images >= budget.images:
            raise TrainingError(
                f"{run.folder}: already trained for {trainer.images} images",
                todo=f"ask for more: --resume --images {2 * trainer.images}",
            )
        if distributed.rank():
            trainer.train(budget, Silence())
        else:
            _train_and_report(trainer, budget, console)
    return run


def _start(run: Run, request: Request, console: Console) -> Checkpoint | None:
    """The checkpoint to go on from; None at the beginning, for which the folder is made ready.

    The folder is looked at once it is locked: before, another training could still have saved something.
    """
    if request.resume and run.has_checkpoints:
        found = run.latest()
        found.require_training_state()  # before the pictures are looked for, which such a run may never have had
        return found
    if request.resume:
        console.print(f"{run.folder}: nothing was saved before it stopped; starting anew", soft_wrap=True)
    if request.dry_run or distributed.rank():
        return None
    if run.has_checkpoints:
        raise InputError(
            f"{run.folder} already holds a run", todo="go on with --resume, or choose another folder with --out"
        )
    clear_logs(run)
    return None


def _go_on(trainer: Trainer, found: Checkpoint, console: Console) -> None:
    """Continues from a checkpoint, and says what is not as it was."""
    run = trainer.run
    with distributed.fail_together():
        changes = trainer.restore(found)
    if len(set(distributed.gather(torch.tensor([trainer.images])).tolist())) > 1:
        raise TrainingError(f"{run.folder}: not the same on all machines", "a folder that all of them share")
    console.print(f"resuming {run.folder} at {trainer.images} images", soft_wrap=True)
    if changes:
        console.print(
            f"warning: not the pictures that this run was trained and measured on: {'; '.join(changes)}\n"
            "training goes on with what is there; the best checkpoint is sought anew",
            highlight=False,
        )


def _train_and_report(trainer: Trainer, budget: Budget, console: Console) -> None:
    """Trains in the first process, the only one that writes and prints."""
    run = trainer.run
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write_config()
    again = run.resume_command
    try:
        with Reporter(run, budget.images, trainer.images, console) as reporter:
            finished = trainer.train(budget, reporter)
    except KeyboardInterrupt:
        console.print(f"saved {run.checkpoint_path(trainer.images)}\ngo on with: {again}", soft_wrap=True)
        raise
    console.print(
        f"saved {run.checkpoint_path(trainer.images)} after {trainer.seconds / 60:.1f} minutes of training",
        soft_wrap=True,
    )
    if trainer.best is not None and trainer.best.images != trainer.images:
        best = trainer.best
        console.print(
            f"best on held-out data: {run.best_path} ({best.figure} {best.value:.4g} at {best.images} images)"
        )
    console.print(
        f"next: edgegan export {shlex.quote(str(run.folder))}" + ("" if finished else f"   or go on: {again}")
    )


def load_config(request: Request) -> BaseConfig:
    """The resolved configuration of a new run: of a preset, or else of the run whose weights it begins with.

    Raises InputError for an unknown family, preset or key.
    """
    family = families.get(request.family)
    if request.preset is None and request.start_from:
        return config.with_settings(configuration_of(request.start_from, request.family), _settings(request))
    if request.preset is None:
        lines = [f"  {name:<20} {about}" for name, about in config.presets(request.family).items()]
        raise InputError(f"which preset of {request.family}?", "\n".join(lines), "as in: --preset NAME")
    cfg: BaseConfig = config.load(family.Config, request.family, request.preset, _settings(request))
    return cfg


def _make_run(request: Request) -> Run:
    cfg = load_config(request)
    data = request.data or cfg.train.data
    if not data:
        about = config.presets(request.family).get(request.preset or "", "")
        which = f"preset {request.preset}" if request.preset else f"the configuration of {request.start_from}"
        raise InputError(f"{which} needs pictures" + (f": {about}" if about else ""), todo="name them with --data")
    refuse_clashes(dict.fromkeys(places(data), "the training pictures"), [str(request.folder)])
    return Run(request.folder, request.family, cfg, data, begins_with=place_of(request.start_from))


def _open_run(request: Request, console: Console) -> Run:
    run = open_run(request.folder)
    if run.family_name != request.family:
        raise InputError(f"{request.folder} is a run of {run.family_name}, not of {request.family}")
    if run.distillation is not None:
        raise InputError(f"{request.folder} is a student's run, without a game to go on with", todo=run.resume_command)
    if request.preset is not None:
        raise InputError("--preset with --resume: a run keeps its configuration", todo="leave --preset out")
    if request.start_from:
        raise InputError("--from with --resume: a run goes on with its own weights", todo="leave --from out")
    cfg: BaseConfig = config.with_settings(run.cfg, _settings(request))
    if request.data:
        return Run(run.folder, run.family_name, cfg, request.data, begins_with=run.begins_with)
    if run.note:
        console.print(run.note, highlight=False)
    return Run(run.folder, run.family_name, cfg, run.data, given_data=run.given_data, begins_with=run.begins_with)


def _settings(request: Request) -> tuple[str, ...]:
    extra = (f"train.images={request.images}",) if request.images is not None else ()
    return request.settings + extra
