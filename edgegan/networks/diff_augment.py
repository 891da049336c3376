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

Kind = Literal["colour", "translation", "cutout"]
KINDS: tuple[Kind, ...] = ("colour", "translation")  # the paper's, but for cutout
DRAWS = 7  # random numbers that one picture takes
SHIFT = 1 / 8  # the farthest translation, as a share of the edge
CUT = 1 / 2  # edge of the square that cutout blanks, as a share of the edge


def diff_augment(image: Tensor, draws: Tensor, kinds: tuple[Kind, ...] = KINDS, strength: float = 1.0) -> Tensor:
    """`image` (N, C, H, W) in [-1, 1], each picture changed by its own `draws` (N, DRAWS) in [0, 1).

    "colour" adds up to 0.5 of brightness, and scales the distance from grey by 0 to 2 and that from the
    picture's mean by 0.5 to 1.5; values may leave [-1, 1]. "translation" shifts by up to an eighth of the edge and
    fills with zeros. "cutout" blanks a square of half of the edge, wherever it falls. With a `strength` below 1 colours
    change by that share of it: where labels are colours, they must stay readable.
    """
    if "colour" in kinds:
        brightness, saturation, contrast = draws[:, :3].to(image).view(-1, 3, 1, 1, 1).unbind(1)
        image = image + strength * (brightness - 0.5)
        image = torch.lerp(image.mean(1, keepdim=True).expand_as(image), image, 1 + strength * (2 * saturation - 1))
        image = torch.lerp(image.mean((1, 2, 3), keepdim=True).expand_as(image), image, 1 + strength * (contrast - 0.5))
    if "translation" in kinds:
        image = _translate(image, draws[:, 3:5])
    if "cutout" in kinds:
        image = image * _cut_mask(image, draws[:, 5:7])
    return image


def _translate(image: Tensor, draws: Tensor) -> Tensor:
    height, width = image.shape[2:]
    down, right = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
    padded = F.pad(image, (right, right, down, down))
    # Slices, since a gather's backward adds in no fixed order on a GPU.
    places = [(int(y * (2 * down + 1)), int(x * (2 * right + 1))) for y, x in draws.tolist()]
    return torch.stack([p[:, y : y + height, x : x + width] for p, (y, x) in zip(padded, places, strict=True)])


def _cut_mask(image: Tensor, draws: Tensor) -> Tensor:
    """(N, 1, H, W): 0 in a square around a random place, which may reach beyond the picture."""
    height, width = image.shape[2:]
    centre_y, centre_x = draws.to(image).unbind(1)
    y = torch.arange(height, device=image.device).add(0.5)[None, :, None] / height
    x = torch.arange(width, device=image.device).add(0.5)[None, None, :] / width
    inside = ((y - centre_y[:, None, None]).abs() < CUT / 2) & ((x - centre_x[:, None, None]).abs() < CUT / 2)
    return (~inside).to(image)[:, None]
