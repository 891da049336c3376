"""How far a student's picture is from its teacher's. There is no discriminator, and no right answer is needed.

The parts are those of online distillation (OMGD, Ren et al., ICCV 2021, equations 3 to 6), with L1 in the place of
style and of VGG's features, which would need other people's weights; its total variation is taken of the difference,
so that it calms what the student adds and does not blur what the teacher drew. To these comes one for generators that
say where they paint: their mask is to be open where the teacher changes something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
import torch
import torch.nn.functional as F
from msgspec import Meta
from torch import Tensor

from edgegan.families import Loss
from edgegan.losses import mask_penalty
from edgegan.ranges import LearningRate, Weight


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The weights of the parts, where the student begins, and how fast it learns."""

    l1: Weight = 1.0  # of the mean absolute difference over [-1, 1]
    emphasis: Weight = 1.0  # on what the teacher changes in a picture, against all pixels alike; see `emphasise`
    mask: Weight = 0.1  # of an output mask that is closed where the teacher changes something; see `mask_penalty`
    ssim: Weight = 0.2  # of 1 - SSIM
    features: Weight = 0.02  # of the mean square error of the projected maps, the teacher's at a deviation of 1
    variation: Weight = 0.2  # of the total variation of the difference
    prune: bool = True  # begin with the teacher's strongest channels, where its layers are the student's
    lr: LearningRate = 1e-3  # Adam's
    beta2: Annotated[float, Meta(ge=0, lt=1)] = 0.99


def distance(
    weights: Weights,
    student: Tensor,
    teacher: Tensor,
    student_maps: Mapping[int, Tensor],
    teacher_maps: Mapping[int, Tensor],
    given: Tensor | None = None,
    mask: Tensor | None = None,
) -> Loss:
    """The weighted sum, and its parts; a part of weight zero is not computed, but for the first.

    Args:
        weights: of the parts.
        student: pictures (N, 3, H, W), meant for [-1, 1].
        teacher: likewise, without gradient.
        student_maps: (N, C, h, w) by height, as wide as the teacher's.
        teacher_maps: without gradient.
        given: the pictures that both were given, where they were given some of this shape.
        mask: (N, 1, H, W) in [0, 1], where the student paints, if it says so.
    """
    difference = student - teacher
    emphasis = emphasise(given, teacher, weights.emphasis) if given is not None else 1.0
    parts = {"l1": (difference.abs() * emphasis).mean()}
    total = weights.l1 * parts["l1"]
    if weights.mask and mask is not None and given is not None:
        parts["mask"] = mask_penalty(mask, (teacher - given).abs().mean(1, keepdim=True))
        total = total + weights.mask * parts["mask"]
    if weights.ssim:
        parts["ssim"] = 1.0 - ssim(student.float(), teacher.float())
        total = total + weights.ssim * parts["ssim"]
    if weights.features and student_maps:
        errors = [
            (student_maps[h] - wanted / wanted.std().clamp(min=1e-6)).square().mean()
            for h, wanted in teacher_maps.items()
        ]
        parts["features"] = torch.stack(errors).mean()
        total = total + weights.features * parts["features"]
    if weights.variation:
        parts["variation"] = total_variation(difference)
        total = total + weights.variation * parts["variation"]
    return total, parts


def emphasise(given: Tensor, teacher: Tensor, share: float = 1.0) -> Tensor:
    """How much each pixel counts, (N, 1, H, W): 1, and `share` more on average, in proportion to the change there.

    Most of an edited picture is as it was. Where all pixels count alike, a generator with a mask soon closes it, gives
    every picture back, and learns no more: its mask is what its paint's gradient is multiplied by.
    """
    change = (teacher - given).abs().mean(1, keepdim=True)
    return 1.0 + share * change / (change.mean((1, 2, 3), keepdim=True) + 1e-2)


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """The mean structural similarity of pictures over [-1, 1] (Wang et al. 2004, equation 13), in windows of 8 x 8.

    Windows overlap by half and weigh their pixels alike: a Gaussian one at every pixel, as figures of quality have it,
    costs more than the teacher and the student together.
    """
    c1, c2 = (0.01 * 2.0) ** 2, (0.03 * 2.0) ** 2
    mean_a, mean_b, aa, bb, ab = F.avg_pool2d(torch.cat([a, b, a * a, b * b, a * b]), 8, 4).chunk(5)
    products, squares = mean_a * mean_b, mean_a.square() + mean_b.square()
    alike = (2 * products + c1) * (2 * (ab - products) + c2)
    return (alike / ((squares + c1) * (aa + bb - squares + c2))).mean()


def total_variation(image: Tensor) -> Tensor:
    """The mean absolute difference of neighbours in rows and columns (Rudin et al. 1992, anisotropic)."""
    return image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()
