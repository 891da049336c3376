"""A student as a run like any other: the family's own, with other phases, other figures and a sheet beside its teacher.

The only training loop trains it. Its networks are the family's at the student's configuration; those that do not learn
(a class head, which tells a camera face's labels) are the teacher's, so that all commands find what they look for.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgegan.config import BaseConfig
from edgegan.families import Family, Loss, Networks, Phase, Step
from edgegan.sheet import Sheet
from edgegan.train.folder.run import Run, publish_run

from .fidelity import Fidelity
from .losses import Weights, distance
from .pruning import State
from .taps import Adapters, Taps
from .teacher import Teacher

TEACHER = "teacher"  # the folder with its weights, in the student's
ADAPTERS = "adapters"


class StudentRun(Run):
    """A run whose family learns from a teacher.

    Args:
        folder: the run folder.
        cfg: the student's configuration.
        data: the --data SPEC to open.
        teacher: whose family this is.
        about: what `header` keeps of the distillation: the teacher's name, the budget, the weights of the losses.
        beginning: the states that generators begin with, by name; the others begin afresh.
        given_data, begins_with: see Run.
    """

    def __init__(
        self,
        folder: Path,
        cfg: BaseConfig,
        data: str,
        teacher: Teacher,
        about: Mapping[str, Any],
        *,
        beginning: Mapping[str, State] | None = None,
        given_data: str = "",
        begins_with: str = "",
    ) -> None:
        family = teacher.run.family_name
        super().__init__(folder, family, cfg, data, given_data=given_data, distillation=about, begins_with=begins_with)
        self._teacher = teacher
        self._beginning = beginning or {}

    @cached_property
    def family(self) -> Family[Any]:
        """The family's module, with the teacher's lessons for phases."""
        weights = msgspec.convert(dict(self.distillation or {})["weights"], Weights)
        return teach(self._teacher, weights, self._beginning)

    def write_config(self, header: Mapping[str, Any] | None = None) -> None:
        """Saves the run's header, and the teacher's weights beside it."""
        kept = self.folder / TEACHER
        if self._teacher.path != kept:
            if kept.exists() and not self.has_checkpoints:
                shutil.rmtree(kept)  # of an attempt that saved nothing
            publish_run(self._teacher.path, kept)
        super().write_config(header)


def teach(teacher: Teacher, weights: Weights, beginning: Mapping[str, State]) -> Family[Any]:
    """The teacher's family as a student trains in it, from the states of its generators with which it begins."""
    family: Family[Any] = teacher.run.family
    fidelity = Fidelity(teacher)

    def networks(cfg: BaseConfig) -> Networks:
        nets = family.networks(cfg)
        for name, net in teacher.nets.items():
            # Of pix2pix the discriminator has the generator's norm, and may not fit.
            if name not in family.EMA and _shapes(net) == _shapes(nets[name]):
                nets[name].load_state_dict(net.state_dict())
        for name, state in beginning.items():
            nets[name].load_state_dict(state)
        return {**nets, ADAPTERS: Adapters(*(_tap(family, cfg, found) for found in (nets, teacher.modules)))}

    def phases(cfg: BaseConfig, nets: Networks) -> tuple[Phase, ...]:
        learning = nn.ModuleDict({name: nets[name] for name in (*family.EMA, ADAPTERS)})
        teacher.to(next(learning.parameters()).device)
        adam = torch.optim.Adam(learning.parameters(), weights.lr, (0.9, weights.beta2))
        adapters = nets[ADAPTERS]
        assert isinstance(adapters, Adapters)
        pairs = {n: (own, _tap(family, cfg, teacher.modules)[n]) for n, own in _tap(family, cfg, nets).items()}

        def loss_fn(step: Step) -> Loss:
            found = []
            for name, given in teacher.distillation.inputs(teacher.run.cfg, step).items():
                own, theirs = pairs[name]
                heights = adapters.heights[name]
                with torch.no_grad():
                    wanted = theirs.run(given, heights)
                drawn = own.run(given, heights)
                found.append(
                    distance(
                        weights,
                        drawn.picture,
                        wanted.picture,
                        adapters(name, drawn.maps),
                        wanted.maps,
                        given[0] if given[0].shape == wanted.picture.shape else None,
                        drawn.mask,
                    )
                )
            parts = {key: torch.stack([each[1][key] for each in found]).mean() for key in found[0][1]}
            return torch.stack([total for total, _ in found]).sum(), parts

        return (Phase("S", learning, adam, loss_fn),)

    def preview(cfg: BaseConfig, nets: Networks, data: str) -> Sheet:
        sheets = (family.preview(teacher.run.cfg, teacher.nets, data), family.preview(cfg, nets, data))
        return side_by_side(*sheets)

    return replace(
        family,
        networks=networks,
        phases=phases,
        preview=preview,
        validate=lambda cfg, nets, data: fidelity.measure(family, cfg, nets, data),
        stage=None,
        advance=None,
    )


def side_by_side(teacher: Sheet, student: Sheet) -> Sheet:
    """Each row of the teacher's sheet above the student's; once where the two are the same."""
    rows: list[tuple[str, Any]] = []
    for theirs, own, name in zip_longest(teacher.rows, student.rows, student.row_names, fillvalue=""):
        same = all(
            a is b or (a is not None and b is not None and np.array_equal(a, b))
            for a, b in zip(theirs, own, strict=True)
        )
        rows += [(str(name), own)] if same else [("teacher", theirs), ("student", own)]
    return Sheet(student.columns, [row for _, row in rows], [name for name, _ in rows], student.title)


def _shapes(net: nn.Module) -> dict[str, torch.Size]:
    return {key: tensor.shape for key, tensor in net.state_dict().items()}


def _tap(family: Family[Any], cfg: BaseConfig, nets: Mapping[str, nn.Module]) -> dict[str, Taps]:
    """The maps of each generator."""
    found = {}
    for name in family.EMA:
        place = next(nets[name].parameters()).device
        found[name] = Taps(nets[name], tuple(i.to(place) for i in family.example_inputs(cfg, name)))
    return found
