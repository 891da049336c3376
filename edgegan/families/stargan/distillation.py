"""A StarGAN's students: FiLM generators with a mask, which at one speed follow their teacher best."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import torch
from torch import Tensor, nn

from edgegan.families import Step
from edgegan.families._distillation import Distillation, Inputs

from . import objective
from .config import Config
from .export import class_network
from .networks import Classifier
from .sets import Slot

# (conv_dim, blocks, stem_stride, depthwise)
_SHAPES = (
    (48, 6, 1, False),
    (32, 5, 1, False),
    (24, 4, 1, False),
    (16, 4, 1, False),
    (16, 4, 1, True),
    (48, 5, 2, False),
    (32, 4, 2, False),
    (24, 4, 2, False),
    (16, 3, 2, False),
    (12, 3, 2, False),
    (8, 2, 2, False),
)
_KIND, _STRENGTH, _LABELS = 301, 302, 303  # numbers of independent draws, apart from the objective's
_SOFT = 0.25  # the share of the pictures that go a part of the way
_RANDOM = {"permute": 0.5, "single": 0.15, "one_or_two": 0.5}  # of those with labels at random, by what was trained


def students(cfg: Config) -> tuple[Config, ...]:
    """Every shape that the pictures' size allows."""
    found = []
    for width, blocks, stride, depthwise in _SHAPES:
        if cfg.size % (8 * stride) == 0 and cfg.size > 8 * stride:
            found.append(
                msgspec.structs.replace(
                    cfg,
                    conditioning="film",
                    mask=True,
                    conv_dim=width,
                    blocks=blocks,
                    stem_stride=stride,
                    depthwise=depthwise,
                )
            )
    return tuple(found)


def inputs(cfg: Config, step: Step) -> dict[str, Inputs]:
    """Each picture of each set, with what its teacher was trained to do or, for some of them, labels at random.

    These are fewer where it was trained to change one decision at a time: then it is not asked for more (its card says
    so), but for a hair colour that was misread. A quarter go a part of the way from their own labels, as a slider
    does. None of it needs the right answer.
    """
    images, conditions = [], []
    for slot in cfg.slots:
        real = slot.batch(step)
        own = objective.source_label(real)
        target = objective.target_labels(cfg, step, slot)
        kind, strength = (step.uniform(len(own), draw=n + 10 * slot.number).to(own) for n in (_KIND, _STRENGTH))
        target = torch.where((kind < _RANDOM[cfg.targets])[:, None], draw_labels(cfg, step, slot).to(own), target)
        soft = (strength < _SOFT).to(own) * (1.0 - strength / _SOFT)
        images.append(objective.source(real))
        conditions.append(slot.condition(torch.lerp(target, own, soft[:, None])))
    return {"generator": (torch.cat(images), torch.cat(conditions))}


def draw_labels(cfg: Config, step: Step, slot: Slot) -> Tensor:
    """(N, C) labels of a set: of each exclusive group one is on, any other attribute as often as not."""
    count = len(slot.batch(step)["label"])
    drawn = step.uniform(count, len(cfg.attributes), draw=_LABELS + 10 * slot.number)
    label = (drawn < 0.5).float()
    for group in cfg.groups:
        places = [cfg.attributes.index(name) for name in group]
        label[:, places] = torch.nn.functional.one_hot(drawn[:, places].argmax(1), len(places)).float()
    known = torch.zeros_like(label)
    known[:, slot.here] = 1.0
    return label * known


def find_landed(cfg: Config, nets: Mapping[str, nn.Module], given: Inputs, pictures: Tensor) -> Tensor:
    """Whether the class head sees the attribute that each golden edit sets; these go through the attributes in turn."""
    head = class_network(dict(nets))
    if head is None:
        return torch.zeros(len(pictures), dtype=torch.bool)
    seen = Classifier(head, cfg.one_hot_places)(pictures) > 0.5
    rows = torch.arange(len(pictures))
    place = rows % len(cfg.attributes)
    wanted = given[1].to(pictures) > 0.5
    landed: Tensor = seen[rows, place] == wanted[rows, place]
    return landed


DISTILLATION = Distillation(students, inputs, "conv_dim", find_landed)
