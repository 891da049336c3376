"""How much of a teacher a student has: on held-out inputs, as both would be exported."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edgegan.config import BaseConfig
from edgegan.families import ExportSpec, Family, Networks
from edgegan.runtime.model.fidelity import compare

from .teacher import LATENTS, Teacher, find_generators, first_output

PICTURES = 16  # held-out ones; a translator with labels makes every edit of each
_AT_ONCE = 16


class Fidelity:
    """Compares students with their teacher, whose pictures are made once. Its data are the student's."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._answers: dict[str, tuple[tuple[Tensor, ...], Tensor]] = {}
        self._landed: dict[str, Tensor] = {}

    def measure(self, family: Family[BaseConfig], cfg: BaseConfig, nets: Networks, data: str) -> dict[str, float]:
        """`error`, the root of the mean square difference as a share of the value range, which decides; `teacher_db`,
        the mean PSNR of a picture; where edits can be judged, `landed`: of those that the teacher lands, the share
        that the student does."""
        errors: list[float] = []
        psnr: list[float] = []
        kept: list[Tensor] = []
        for name, spec in find_generators(family, cfg, nets, data, latents=LATENTS).items():
            given, expected = self._answer(name, spec)
            drawn = _draw(spec.module, given)
            value_range = spec.card.outputs[0].value_range
            low, high = value_range or (0.0, 1.0)
            errors.append(float((drawn - expected).square().mean()) / (high - low) ** 2)
            psnr += [
                compare(e, d, value_range)["psnr_db"] for e, d in zip(expected.numpy(), drawn.numpy(), strict=True)
            ]
            kept += self._judge(name, given, drawn)
        figures = {"error": float(np.sqrt(np.mean(errors))), "teacher_db": float(np.mean(psnr))}
        landed = torch.cat(kept) if kept else torch.empty(0)
        return {**figures, **({"landed": float(landed.float().mean())} if len(landed) else {})}

    def _answer(self, name: str, spec: ExportSpec) -> tuple[tuple[Tensor, ...], Tensor]:
        """The held-out inputs of a generator, and the teacher's pictures."""
        if name not in self._answers:
            golden = spec.golden(PICTURES)
            given = tuple(torch.from_numpy(golden[port.name]) for port in spec.card.inputs)
            self._answers[name] = given, _draw(self._teacher.specs[name].module, given)
        return self._answers[name]

    def _judge(self, name: str, given: tuple[Tensor, ...], drawn: Tensor) -> list[Tensor]:
        """Of the edits that the teacher lands, which the student does."""
        find_landed = self._teacher.distillation.find_landed
        if find_landed is None:
            return []

        place = next(self._teacher.nets[self._teacher.run.family.EMA[0]].parameters()).device

        def judge(pictures: Tensor) -> Tensor:
            return find_landed(self._teacher.run.cfg, self._teacher.nets, given, pictures.to(place)).cpu()

        with torch.no_grad():
            if name not in self._landed:
                self._landed[name] = judge(self._answers[name][1])
            return [judge(drawn)[self._landed[name]]]


@torch.no_grad()
def _draw(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """The pictures, on the CPU."""
    place = next(module.parameters()).device
    starts = range(0, len(inputs[0]), _AT_ONCE)
    parts = [module(*(rows[start : start + _AT_ONCE].to(place) for rows in inputs)) for start in starts]
    return torch.cat([first_output(part).float().cpu() for part in parts])
