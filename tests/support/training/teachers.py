"""Teachers whose weights nobody trained, and students of them, small enough to learn within a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch

from edgegan.distil.losses import Weights
from edgegan.distil.pruning import State
from edgegan.distil.student import StudentRun
from edgegan.distil.teacher import Teacher
from edgegan.train.folder.run import Run
from edgegan.train.loop import Trainer

from .untrained import make_run

FAMILIES = ("stargan", "cyclegan", "pix2pix", "fastgan")


def make_teacher(folder: Path, family: str) -> Teacher:
    """A teacher of a family's tiny config, twice as wide as that is, so that it can have smaller students."""
    torch.manual_seed(1)
    return Teacher(make_run(folder, family, **WIDER[family]).folder)


def make_student(
    folder: Path, teacher: Teacher, beginning: Mapping[str, State] | None = None, **training: Any
) -> StudentRun:
    """The narrowest of a teacher's students, in a folder of its own."""
    cfg: Any = min(teacher.distillation.students(teacher.run.cfg), key=width)
    cfg = msgspec.structs.replace(cfg, train=msgspec.structs.replace(cfg.train, **training))
    about = {"teacher": "a tiny one", "weights": msgspec.to_builtins(Weights())}
    return StudentRun(folder, cfg, teacher.run.data, teacher, about, beginning=beginning)


def width(cfg: Any) -> int:
    """Of a generator's layers."""
    return int(cfg.conv_dim if hasattr(cfg, "conv_dim") else cfg.ngf)


def begin(run: Run) -> Trainer:
    """Its training on the CPU; its folder is made ready as the command makes it."""
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write_config()
    return Trainer(run, torch.device("cpu"))


WIDER: dict[str, dict[str, Any]] = {
    "stargan": {"conv_dim": 24, "blocks": 3},
    "cyclegan": {"ngf": 24},
    "pix2pix": {"ngf": 24},
    "fastgan": {"ngf": 16},
}
