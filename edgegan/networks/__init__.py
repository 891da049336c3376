"""Networks that more than one family builds from; key names are those of the published checkpoints."""

from __future__ import annotations

from .image_pool import ImagePool
from .init import normal_, smooth_
from .norm import NormName, PictureBatchNorm, norm_layer, without_idle_biases
from .patchgan import NLayerDiscriminator, PixelDiscriminator
from .resnet import Padding, ResnetGenerator
from .unet import UnetGenerator, halvings

__all__ = [
    "ImagePool",
    "NLayerDiscriminator",
    "NormName",
    "Padding",
    "PictureBatchNorm",
    "PixelDiscriminator",
    "ResnetGenerator",
    "UnetGenerator",
    "halvings",
    "norm_layer",
    "normal_",
    "smooth_",
    "without_idle_biases",
]
