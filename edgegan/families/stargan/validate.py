"""How good a StarGAN's edits of held-out pictures are, in a few seconds."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from edgegan.data import Counterfactual, Labelled, normalised
from edgegan.families import Networks

from . import objective
from .config import Config
from .networks import Discriminator, Generator
from .objective import edit_targets
from .pictures import AllNames, labelled

EDITS = 64  # so many at least, of whole pictures: every attribute of each


@torch.no_grad()
def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """Figures over every single edit of the first few held-out pictures; the first decides, lower is better.

    Drawn faces: `l1`, the mean absolute difference to the true answers over [-1, 1], without edits that a hat hides
    or that change nothing. Other data: `error`, the weighted sum of `classification` (binary cross-entropy of the
    wanted labels in the discriminator's class head, summed over attributes: eq. 3) and `reconstruction` (mean
    absolute difference after editing back: eq. 4).
    """
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, Generator) and isinstance(d, Discriminator)
    pictures = labelled(cfg, data)
    count = min(len(pictures), -(-EDITS // len(cfg.attributes)))
    if hasattr(pictures, "truth"):
        known: Counterfactual = pictures  # type: ignore[assignment]
        return {"l1": _mean(_distances(cfg, g, known, count))}
    found = [_judged(cfg, g, d, pictures, i) for i in range(count)]
    classification, reconstruction = (_mean(values) for values in zip(*found, strict=True))
    return {
        "error": cfg.lambda_cls * classification + cfg.lambda_rec * reconstruction,
        "classification": classification,
        "reconstruction": reconstruction,
    }


def _distances(cfg: Config, g: Generator, pictures: Counterfactual, count: int) -> Iterable[float]:
    for i in range(count):
        own = torch.from_numpy(pictures.label(i))
        edits = []
        for name, target in edit_targets(cfg, own):
            place = cfg.attributes.index(name)
            if not pictures.hidden(i, name) and target[place] != own[place]:
                edits.append((target, pictures.truth(i, name, bool(target[place]))))
        if edits:
            answers = torch.stack([torch.from_numpy(normalised(truth)) for _, truth in edits])
            fakes = g(*_inputs(g, pictures, i, [target for target, _ in edits])).float().cpu()
            yield from (fakes - answers).abs().mean((1, 2, 3)).tolist()


def _judged(cfg: Config, g: Generator, d: Discriminator, pictures: Labelled, index: int) -> tuple[float, float]:
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
    image, condition = _inputs(g, pictures, index, list(slot.condition(labels)))
    fake = g(image, condition)
    cls = objective.classification(cfg, slot, d(fake)[1].float(), labels.to(fake.device))
    back = g(fake, slot.condition(own.expand(len(labels), -1)).to(fake))
    return float(cls), float((image - back).abs().mean())


def _inputs(g: Generator, pictures: Labelled, index: int, conditions: list[Tensor]) -> tuple[Tensor, Tensor]:
    weight = next(g.parameters())
    image = torch.from_numpy(normalised(pictures.picture(index))).to(weight)
    return image.expand(len(conditions), -1, -1, -1), torch.stack(conditions).to(weight)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")
