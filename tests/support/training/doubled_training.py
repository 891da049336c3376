"""A real StarGAN training in float64, alone or under torchrun; saves the weights that it ends with.

    python doubled_training.py FOLDER ACCUMULATE        torchrun ... doubled_training.py FOLDER ACCUMULATE

Half way it is saved and resumed. Only the numbers' type is changed: in float32, Adam makes rounding as large as a step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import torch
from rich.console import Console
from torch import Tensor

from edgegan import distributed, families
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter, Silence

ROUNDS, BATCH = 6, 8


class Doubled(Trainer):
    """The trainer, in float64, without pictures."""

    def _to_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {key: t.double() for key, t in super()._to_device(batch).items()}

    def _sample(self, reporter: Reporter | Silence) -> None:
        pass


def train(folder: Path, accumulate: int) -> None:
    """Three rounds, a resume, three rounds: the paper's loss with gradient penalty and permuted labels."""
    torch.set_default_dtype(torch.float64)
    cfg = families.get("stargan").tiny()
    assert cfg.adversarial == "wgan-gp" and cfg.targets == "permute"
    settings = msgspec.structs.replace(
        cfg.train, batch=BATCH, accumulate=accumulate, images=ROUNDS * BATCH, validate_images=0
    )
    run = Run(folder, "stargan", msgspec.structs.replace(cfg, train=settings), cfg.train.data)
    for images in (ROUNDS * BATCH // 2, ROUNDS * BATCH):
        trainer = Doubled(run, torch.device("cpu"), threads=1)
        if images > ROUNDS * BATCH // 2:
            trainer.restore(run.latest())
        if distributed.rank():
            trainer.train(Budget(images), Silence())
        else:
            with Reporter(run, images, trainer.images, Console(quiet=True)) as reporter:
                trainer.train(Budget(images), reporter)
        distributed.any_of(False)  # the checkpoint is written when all have come here


if __name__ == "__main__":
    with distributed.join_processes(torch.device("cpu")):
        train(Path(sys.argv[1]), int(sys.argv[2]))
