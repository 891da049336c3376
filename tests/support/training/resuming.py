"""Four steps equal two, a resume, and two: what every family must keep."""

from __future__ import annotations

from pathlib import Path

import torch
from rich.console import Console

from edgegan.config import BaseConfig
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter


def train(run: Run, images: int, resume: checkpoint.Checkpoint | None = None) -> dict[str, torch.Tensor]:
    """Trains to so many images on the CPU, without samples; the tensors of the last checkpoint."""
    trainer = Trainer(run, torch.device("cpu"))
    trainer._sample = lambda reporter: None  # type: ignore[method-assign]
    trainer._validate = lambda reporter: None  # type: ignore[method-assign]
    if resume is not None:
        trainer.restore(resume)
    with Reporter(run, images, 0, Console(quiet=True)) as reporter:
        trainer.train(Budget(images), reporter)
    return run.latest().tensors


def resumes_exactly(family: str, cfg: BaseConfig, folder: Path) -> dict[str, torch.Tensor]:
    """Asserts it of a family's config; the tensors at the end."""

    def run(name: str) -> Run:
        (folder / name).mkdir()
        return Run(folder / name, family, cfg, cfg.train.data)

    batch = cfg.train.batch
    through = train(run("through"), 4 * batch)
    halves = run("halves")
    train(halves, 2 * batch)
    resumed = train(halves, 4 * batch, halves.latest())
    assert through.keys() == resumed.keys()
    assert [key for key in through if not torch.equal(through[key], resumed[key])] == []
    return through
