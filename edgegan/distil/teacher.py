"""The generator that a student learns from: frozen, averaged, as it would be exported."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from edgegan.config import BaseConfig
from edgegan.families import ExportSpec, Family, Networks, is_helper
from edgegan.families._distillation import Distillation
from edgegan.runtime.errors import InputError
from edgegan.train.folder.checkpoint import Checkpoint
from edgegan.train.folder.run import Run, open_trained

LATENTS = 256  # that measure a student's batch norms; what is exported measures more


class Teacher:
    """A trained run's networks, and what of them is exported, by the network's name.

    Raises InputError where a path is no run, or one whose family has no students.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InputError(f"there is no run at {path}", "the teacher: a run folder or a checkpoint")
        if path.is_file() and path.suffix != ".safetensors":
            raise InputError(f"{path}: a student learns from a run, not from an artefact", "a run folder or checkpoint")
        self.path = path
        self.run: Run
        self.nets: Networks
        self.found: Checkpoint
        self.run, self.nets, self.found = open_trained(path)
        self.distillation: Distillation[BaseConfig] = find_distillation(self.run)
        lacks = [name for name in self.run.family.EMA if name not in self.nets]
        if lacks:
            raise InputError(f"{path} does not hold {', '.join(lacks)}", "a run with its generators")
        self.specs = find_generators(self.run.family, self.run.cfg, self.nets, self.run.data)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The generators by name, in eval mode."""
        return {name: spec.module for name, spec in self.specs.items()}

    def to(self, device: torch.device) -> Teacher:
        """Moves all networks there; returns itself."""
        for module in (*self.modules.values(), *self.nets.values()):
            module.to(device)
        return self


def find_distillation(run: Run) -> Distillation[BaseConfig]:
    """What the run's family says of students; raises InputError if it has none."""
    from edgegan import families

    found: Distillation[BaseConfig] | None = run.family.distillation
    if found is None:
        able = ", ".join(name for name in families.names() if families.get(name).distillation is not None)
        raise InputError(f"{run.folder} is a run of {run.family_name}, which has no students", f"a run of: {able}")
    return found


def find_generators(
    family: Family[BaseConfig], cfg: BaseConfig, nets: Networks, data: str, *, latents: int | None = None
) -> dict[str, ExportSpec]:
    """What is exported of each generator, by the network's name.

    `latents` measure batch norms where there are any; 0: the stored statistics are taken, None: as configured.
    """
    import msgspec

    if latents is not None and hasattr(cfg, "bn_latents"):
        most = min(max(latents, 2), cfg.bn_latents)
        cfg = msgspec.structs.replace(cfg, bn_latents=most, bn=cfg.bn if latents else "keep")  # type: ignore[attr-defined]
    specs = family.exportable(cfg, nets, data)
    found = [s for s in specs if not is_helper(s, specs) and s.card.task != "classify"]
    return {spec.folder or family.EMA[0]: spec for spec in found}


def first_output(answer: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The picture of a generator that gives others beside it."""
    return answer[0] if isinstance(answer, tuple) else answer
