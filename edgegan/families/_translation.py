"""What the families that turn a picture into a picture share: what they export and how they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegan.data import Pictures, normalise
from edgegan.families import ExportSpec, Tolerance
from edgegan.networks import ResnetGenerator, UnetGenerator, without_idle_biases
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import Alignment, ModelCard, SizeRule, TensorSpec
from edgegan.sheet import Picture, to_picture

from ._translation_config import TranslationConfig

STAND_IN = "avatars-seasons"  # what needs no download
STAND_IN_NOTE = "verified on drawn faces, not on the training data"

# Measured against eager on 8 held-out pictures, at full width and 256 x 256, with weights of some hundred L1 steps.
# fp32 differs by the order of sums alone: up to 8.4e-5 on a ResNet of nine blocks, 1.3e-6 on a U-Net; in OpenVINO
# 5.6e-4 and 8.9e-6, at 105 dB and more. The bounds are four to six times that: one pixel lies far out, and others do
# elsewhere. 2e-3 is a quarter of a grey level. fp16 had 89 dB and more; 45 dB over [-1, 1] is 1.4 grey levels of 255
# (root mean square). INT8 had 54 dB on the U-Net and 48 dB on the ResNet, with all or all but one of 24 layers; 30 dB,
# 8 grey levels, is where a wrong file is told from a right one, for weights of any kind. --min-psnr asks for more.
TOLERANCES = {
    "fp32": Tolerance(max_abs=5e-4, others_max_abs=2e-3, min_psnr_db=80.0),
    "fp16": Tolerance(min_psnr_db=45.0),
    "int8": Tolerance(min_psnr_db=30.0),
}


# (ngf, blocks, stem_stride, depthwise) of a student's resnet; 16 channels with nine separable blocks are OMGD's.
_RESNETS = (
    (32, 9, 1, False),
    (32, 9, 1, True),
    (24, 6, 1, False),
    (16, 9, 1, False),
    (16, 9, 1, True),
    (12, 6, 1, False),
    (8, 6, 1, True),
    (32, 6, 2, False),
    (24, 6, 2, False),
    (16, 6, 2, False),
    (12, 4, 2, False),
    (8, 3, 2, False),
)
_UNETS = (48, 32, 24, 16, 12, 8, 6, 4)  # ngf

C = TypeVar("C", bound=TranslationConfig)


def begin_generator(cfg: TranslationConfig) -> nn.Module:
    """A generator (N, 3, S, S) -> (N, 3, S, S), freshly initialised."""
    if cfg.generator == "unet":
        return UnetGenerator(cfg.levels, cfg.ngf, norm=cfg.norm, dropout=cfg.dropout)
    return ResnetGenerator(
        cfg.ngf,
        cfg.blocks,
        norm=cfg.norm,
        dropout=cfg.dropout,
        stem_stride=cfg.stem_stride,
        padding=cfg.padding,
        depthwise=cfg.depthwise,
    )


def student_shapes(cfg: C) -> tuple[C, ...]:
    """The configurations of the students of a generator; those that the pictures' size does not allow are left out.

    Each picture's own statistics, in training too: it learns alone, from what it is shown.
    """
    common = {"norm": "instance-affine", "dropout": False}
    if cfg.generator == "unet":
        shapes = [{"ngf": width} for width in _UNETS]
    else:
        names = ("ngf", "blocks", "stem_stride", "depthwise")
        shapes = [dict(zip(names, shape, strict=True)) for shape in _RESNETS]
    found = []
    for shape in shapes:
        with suppress(InputError):
            found.append(msgspec.structs.replace(cfg, **common, **shape))
    return tuple(found)


def picture_spec(
    *,
    name: str,
    family: str,
    generator: nn.Module,
    size: int,
    multiple: int,
    source: Callable[[str], Pictures],
    domain: str,
    direction: str | None = None,
    faces: bool = False,
    alignment: Alignment | None = None,
    licence: str = "",
    note: str = "",
) -> ExportSpec:
    """A generator (N, 3, H, W) -> (N, 3, H, W), both RGB in [-1, 1], as an artefact `model`.

    Args:
        multiple: height and width may be any multiples of this.
        source: opens a split of the pictures: the golden pairs are held out, INT8 is calibrated on training ones.
        direction: the folder's name, where a family has two generators.
    """
    image = TensorSpec(
        name="image",
        dtype="float32",
        shape=(1, 3, size, size),
        layout="NCHW",
        colour="RGB",
        value_range=(-1.0, 1.0),
    )
    return ExportSpec(
        name="model",
        folder=direction or "",
        module=without_idle_biases(generator).eval().requires_grad_(False).float(),
        card=ModelCard(
            name=name,
            family=family,
            task="translate",
            direction=direction,
            domain=domain,
            faces=faces,
            alignment=alignment,
            inputs=(image,),
            outputs=(msgspec.structs.replace(image, name="edited"),),
            size=SizeRule(hw=(size, size)),
            licence=licence,
        ),
        golden=lambda count: {"image": batch(source("heldout"), count)},
        calibration=lambda count: {"image": batch(source("train"), count)},
        tolerances=TOLERANCES,
        dynamic_multiple=multiple,
        keep_fp32=("InstanceNormalization",),
        note=note,
    )


def batch(pictures: Pictures, count: int, first: int = 0) -> NDArray[np.float32]:
    """`count` pictures from number `first`, or as many as there are: (N, 3, H, W) in [-1, 1]."""
    return np.stack([normalise(pictures.picture(i)) for i in range(first, min(first + count, len(pictures)))])


def device_of(net: nn.Module) -> torch.device:
    """Where a network lies."""
    return next(net.parameters()).device


@contextmanager
def at_rest(*nets: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients inside; a look at networks in training then changes nothing."""
    before = [net.training for net in nets]
    for net in nets:
        net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for net, training in zip(nets, before, strict=True):
            net.train(training)


def to_pictures(images: Tensor) -> list[Picture]:
    """(N, 3, H, W) in [-1, 1] -> pictures."""
    return [to_picture(image) for image in images.float().cpu()]
