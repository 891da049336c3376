"""`edgegan train`, from a request to a finished run."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch
from rich.console import Console
from torch import nn

from edgegan import config, families
from edgegan.config import BaseConfig
from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError, TrainingError

from . import distributed
from .acceleration import pick_device
from .loop import Budget, Trainer
from .reporter import Reporter, Silence
from .run import Run, open_run


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
    dry_run: bool
    device: str
    threads: int | None


def run_training(request: Request, console: Console | None = None) -> Run:
    """Starts or resumes a run and trains it to its budget; returns the run.

    Under torchrun all processes train one run together, and the first alone prints and writes files. The folder of
    a run to resume has to be where every process can read it.

    Raises:
        InputError: unknown family, preset, key or data; or the folder already holds a run and `resume` is off.
        TrainingError: nothing to resume, or a value was not finite.
        ToldElsewhereError: in the other processes, for what the first one raises.
        KeyboardInterrupt: after Ctrl-C, with the state saved.
    """
    device = pick_device(request.device, distributed.local_rank())
    console = (console or Console()) if distributed.rank() == 0 else Console(quiet=True)
    with distributed.joined(device):
        return _trained(request, device, console)


def _trained(request: Request, device: torch.device, console: Console) -> Run:
    with distributed.failing_together():
        run = _resumed(request) if request.resume else _fresh(request)
        found = run.latest() if request.resume else None
        if found is not None:
            found.require_training_state()  # before the pictures are looked for, which such a run may never have had
    if request.dry_run:
        if distributed.rank() == 0:
            _describe(run, console)
        return run
    trainer = Trainer(run, device, threads=request.threads)
    if found is not None:
        with distributed.failing_together():
            trainer.restore(found)
        if len(set(distributed.gathered(torch.tensor([trainer.images])).tolist())) > 1:
            raise TrainingError(f"{run.folder}: not the same on all machines", "a folder that all of them share")
        console.print(f"resuming {run.folder} at {trainer.images} images")
    budget = Budget(run.cfg.train.images, request.minutes)
    if trainer.images >= budget.images:
        raise TrainingError(
            f"{run.folder}: already trained for {trainer.images} images",
            todo=f"ask for more: --resume --images {2 * trainer.images}",
        )
    if distributed.rank():
        trainer.train(budget, Silence())
        return run
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write_config()
    again = command("train", run.family_name, "--out", run.folder, "--resume")
    try:
        with Reporter(run, budget.images, trainer.images, console) as reporter:
            finished = trainer.train(budget, reporter)
    except KeyboardInterrupt:
        console.print(f"saved {run.checkpoint_path(trainer.images)}\ngo on with: {again}")
        raise
    console.print(f"saved {run.checkpoint_path(trainer.images)} after {trainer.seconds / 60:.1f} minutes of training")
    if trainer.best is not None and trainer.best.images != trainer.images:
        best = trainer.best
        console.print(
            f"best on held-out data: {run.best_path} ({best.figure} {best.value:.4g} at {best.images} images)"
        )
    console.print(f"next: {command('export', run.folder)}" + ("" if finished else f"   or go on: {again}"))
    return run


def _fresh(request: Request) -> Run:
    family = families.get(request.family)
    if request.preset is None:
        lines = [f"  {name:<20} {about}" for name, about in config.presets(request.family).items()]
        raise InputError(f"which preset of {request.family}?", "\n".join(lines), "as in: --preset NAME")
    cfg = config.load(family.Config, request.family, request.preset, _settings(request))
    data = request.data or cfg.train.data
    if not data:
        raise InputError(
            f"preset {request.preset} needs pictures: {config.presets(request.family)[request.preset]}",
            todo="name them with --data",
        )
    if not request.dry_run and (request.folder / "config.json").exists():
        raise InputError(
            f"{request.folder} already holds a run", todo="go on with --resume, or choose another folder with --out"
        )
    return Run(request.folder, request.family, cfg, data)


def _resumed(request: Request) -> Run:
    run = open_run(request.folder)
    if run.family_name != request.family:
        raise InputError(f"{request.folder} is a run of {run.family_name}, not of {request.family}")
    if request.preset is not None:
        raise InputError("--preset with --resume: a run keeps its configuration", todo="leave --preset out")
    cfg: BaseConfig = config.with_settings(run.cfg, _settings(request))
    return Run(run.folder, run.family_name, cfg, request.data or run.data)


def _settings(request: Request) -> tuple[str, ...]:
    extra = (f"train.images={request.images}",) if request.images is not None else ()
    return request.settings + extra


def _describe(run: Run, console: Console) -> None:
    """Prints the resolved config, the size of each network, and what a step will need."""
    console.print_json(msgspec.json.encode(run.header()).decode())
    nets = {n: net for n, net in run.family.networks(run.cfg).items() if any(True for _ in net.parameters())}
    total = 0
    for name, net in nets.items():
        count = sum(p.numel() for p in net.parameters())
        total += count
        console.print(f"{name:<16} {count:>12,} parameters  {_macs(run, nets, name) / 1e9:>8.3f} GMAC per picture")
    weights = sum(p.numel() for n in run.family.EMA for p in nets[n].parameters())
    activations = _activation_bytes(run, nets) * run.cfg.train.batch // run.cfg.train.accumulate
    state = 4 * (4 * total + weights)  # weights, gradients, two Adam moments; the average
    console.print(
        f"memory           about {(state + activations) / 2**20:,.0f} MiB: {state / 2**20:,.0f} MiB of weights, "
        f"gradients and optimiser state, {activations / 2**20:,.0f} MiB of activations (one pass of every network)"
    )
    console.print(
        f"machine          {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )


def _macs(run: Run, nets: dict[str, nn.Module], name: str) -> float:
    """Multiply-accumulates of one forward pass at batch 1 (convolutions and matrix products)."""
    from torch.utils.flop_counter import FlopCounterMode

    inputs = run.family.example_inputs(run.cfg, name)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        nets[name].eval()(*inputs)
    return float(counter.get_total_flops()) / 2


def _activation_bytes(run: Run, nets: dict[str, nn.Module]) -> int:
    """Bytes that one training picture keeps for backward, each network once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        passes = [nets[name](*run.family.example_inputs(run.cfg, name)) for name in nets]
    del passes
    weights = {p.data_ptr() for net in nets.values() for p in net.parameters()}
    return sum(size for place, size in kept.items() if place not in weights)
