"""Runs that train for a few steps on the CPU, and say nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch
from rich.console import Console

from edgegan import families
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter

CPU = torch.device("cpu")
QUIET = Console(quiet=True)


def tiny_run(folder: Path, family: str, **train: object) -> Run:
    cfg = families.get(family).tiny()
    cfg = msgspec.structs.replace(cfg, train=msgspec.structs.replace(cfg.train, **train))
    run = Run(folder, family, cfg, cfg.train.data)
    folder.mkdir(parents=True)
    run.write_config()
    return run


def train(run: Run, images: int, resume: bool = False) -> Trainer:
    trainer = Trainer(run, CPU)
    if resume:
        trainer.restore(run.latest())
    with Reporter(run, images, trainer.images, QUIET) as reporter:
        trainer.train(Budget(images), reporter)
    return trainer
