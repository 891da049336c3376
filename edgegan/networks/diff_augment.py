"""Differentiable augmentation of what a discriminator sees (DiffAugment, Zhao et al., NeurIPS 2020).

Real and generated pictures go through the same random changes of colour and place, and gradients flow back
through them, so that the discriminator cannot learn a small set by heart and the generator does not learn the
changes.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Kind = Literal["colour", "translation"]
KINDS: tuple[Kind, ...] = ("colour", "translation")
DRAWS = 5  # random numbers that one picture takes
SHIFT = 1 / 8  # the farthest translation, as a share of the edge


def diff_augment(image: Tensor, draws: Tensor, kinds: tuple[Kind, ...] = KINDS) -> Tensor:
    """`image` (N, C, H, W) in [-1, 1], each picture changed by its own `draws` (N, DRAWS) in [0, 1).

    "colour" adds up to 0.5 of brightness, and scales the distance from grey by 0 to 2 and that from the
    picture's mean by 0.5 to 1.5; values may leave [-1, 1]. "translation" shifts by up to an eighth of the edge and
    fills with zeros.
    """
    if "colour" in kinds:
        brightness, saturation, contrast = draws[:, :3].to(image).view(-1, 3, 1, 1, 1).unbind(1)
        image = image + (brightness - 0.5)
        image = torch.lerp(image.mean(1, keepdim=True).expand_as(image), image, 2 * saturation)
        image = torch.lerp(image.mean((1, 2, 3), keepdim=True).expand_as(image), image, contrast + 0.5)
    if "translation" in kinds:
        image = _translated(image, draws[:, 3:5])
    return image


def _translated(image: Tensor, draws: Tensor) -> Tensor:
    height, width = image.shape[2:]
    down, right = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
    padded = F.pad(image, (right, right, down, down))
    # Slices, since a gather's backward adds in no fixed order on a GPU.
    places = [(int(y * (2 * down + 1)), int(x * (2 * right + 1))) for y, x in draws.tolist()]
    return torch.stack([p[:, y : y + height, x : x + width] for p, (y, x) in zip(padded, places, strict=True)])
