"""How good a StarGAN's edits of held-out pictures are, in a few seconds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from edgegan.data import Counterfactual, Labelled, Pictures, normalise
from edgegan.data._faces.stream import FaceStream
from edgegan.data.faces import FacePictures
from edgegan.families import Networks

from . import objective
from .config import Config
from .objective import edit_targets
from .pictures import AllNames, open_first_set
from .players import AnyGenerator, Players

EDITS = 64  # so many at least, of whole pictures: every attribute of each


def held_out(cfg: Config, data: str) -> dict[str, Pictures]:
    """The held-out pictures of the first set."""
    return {"held-out": open_first_set(cfg, data)}


@torch.no_grad()
def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """Figures over every single edit of the first few held-out pictures; the first decides, lower is better.

    Drawn faces: `l1`, the mean absolute difference to the true answers over [-1, 1], without edits that a hat hides
    or that change nothing. Other data: `error`, the weighted sum of `classification` (binary cross-entropy of the
    wanted labels in the discriminator's class head, summed over attributes: eq. 3) and `reconstruction` (mean
    absolute difference after editing back: eq. 4). Aligned faces that guide: `error`, the weighted sum of the distance
    to the `guide`, where there is one, and `classification`, over augmented showings that are the same each time.
    """
    players = Players.of(nets)
    pictures = open_first_set(cfg, data)
    if cfg.lambda_guide and isinstance(pictures, FacePictures):
        return _measure_guided(cfg, players, pictures)
    count = min(len(pictures), -(-EDITS // len(cfg.attributes)))
    if hasattr(pictures, "truth"):
        known: Counterfactual = pictures  # type: ignore[assignment]
        return {"l1": _mean(_distances(cfg, players.g, known, count))}
    found = [_judge_picture(cfg, players, pictures, i) for i in range(count)]
    classification, reconstruction = (_mean(values) for values in zip(*found, strict=True))
    return {
        "error": cfg.lambda_cls * classification + cfg.lambda_rec * reconstruction,
        "classification": classification,
        "reconstruction": reconstruction,
    }


def _measure_guided(cfg: Config, players: Players, pictures: FacePictures) -> dict[str, float]:
    stream = FaceStream(pictures, size=cfg.size, augmentation=cfg.augmentation, flip=cfg.flip)
    slot, device = cfg.slots[0], next(players.g.parameters()).device
    found = []
    for index in range(min(len(pictures), EDITS)):
        item = stream.item(index, np.random.Generator(np.random.Philox(key=[0, index])))
        real = {key: torch.from_numpy(value)[None].to(device) for key, value in item.items()}
        target = real["label"].clone()
        if bool((objective.source_label(real) == target).all()):  # else what was put on is taken off
            first, second = (cfg.attributes[(index + n) % len(cfg.attributes)] for n in (0, 1))
            objective.set_attribute(cfg, target[0], first, on=None)
            if cfg.targets == "one_or_two" and index % 2:
                objective.set_attribute(cfg, target[0], second, on=None)
        fake = players.g(objective.source(real), slot.condition(target))
        cls = objective.classification(cfg, slot, players.classify(fake).float(), target)
        found.append((float(objective.guide_distance(cfg, real, fake, target)), float(cls)))
    guide, classification = (_mean(values) for values in zip(*found, strict=True))
    error = cfg.lambda_guide * guide + cfg.lambda_cls * classification
    return {"error": error, "guide": guide, "classification": classification}


def _distances(cfg: Config, g: AnyGenerator, pictures: Counterfactual, count: int) -> Iterable[float]:
    for i in range(count):
        own = torch.from_numpy(pictures.label(i))
        edits = []
        for name, target in edit_targets(cfg, own):
            place = cfg.attributes.index(name)
            if not pictures.is_hidden(i, name) and target[place] != own[place]:
                edits.append((target, pictures.truth(i, name, bool(target[place]))))
        if edits:
            answers = torch.stack([torch.from_numpy(normalise(truth)) for _, truth in edits])
            fakes = g(*_inputs(g, pictures, i, [target for target, _ in edits])).float().cpu()
            yield from (fakes - answers).abs().mean((1, 2, 3)).tolist()


def _judge_picture(cfg: Config, players: Players, pictures: Labelled, index: int) -> tuple[float, float]:
    """Classification and reconstruction of one picture, over the edits that its data know."""
    known = set(pictures.known) if isinstance(pictures, AllNames) else set(cfg.attributes)
    own = torch.from_numpy(pictures.label(index))
    slot = cfg.slots[0]
    wanted = []
    for name in cfg.attributes:
        if name in known and slot == cfg.slot_of(name):
            target = own.clone()
            objective.set_attribute(cfg, target, name, on=None)
            wanted.append(target)
    labels = torch.stack(wanted)
    g = players.g
    image, condition = _inputs(g, pictures, index, list(slot.condition(labels)))
    fake = g(image, condition)
    cls = objective.classification(cfg, slot, players.classify(fake).float(), labels.to(fake.device))
    back = g(fake, slot.condition(own.expand(len(labels), -1)).to(fake))
    return float(cls), float((image - back).abs().mean())


def _inputs(g: AnyGenerator, pictures: Labelled, index: int, conditions: list[Tensor]) -> tuple[Tensor, Tensor]:
    weight = next(g.parameters())
    image = torch.from_numpy(normalise(pictures.picture(index))).to(weight)
    return image.expand(len(conditions), -1, -1, -1), torch.stack(conditions).to(weight)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")
