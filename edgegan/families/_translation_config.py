"""What CycleGAN and pix2pix are configured by alike: the pictures, the generator, the discriminator, the optimisers."""

from __future__ import annotations

from typing import Literal

from edgegan.config import BaseConfig
from edgegan.networks import NormName, Padding, halvings
from edgegan.ranges import Depth, Layers, LearningRate, Levels, Momentum, Pixels, Weight, Width
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import Alignment


class TranslationConfig(BaseConfig, frozen=True, kw_only=True):
    """Two domains called A and B; `name_a` and `name_b` say what they show. A family gives its own defaults.

    Raises InputError for a `size` that the generator, the crop or the discriminator cannot have, and for settings of
    the resnet beside the unet.
    """

    generator: Literal["resnet", "unet"]
    norm: NormName
    dropout: bool

    size: Pixels = 256  # edge of the pictures that the networks are trained on
    load_size: Pixels = 286  # what the originals are resized to, before a random square of `size` is cropped
    flip: bool = True
    name_a: str = "A"
    name_b: str = "B"
    domain: str = ""  # what the pictures show; empty: name_a and name_b
    faces: bool = False
    alignment: Alignment | None = None
    licence: str = ""

    blocks: Depth = 9  # of the resnet: 9, as published for 256 pixels and more, or 6
    ngf: Width = 64
    padding: Padding = "reflect"  # of the residual blocks of the resnet
    depthwise: bool = False  # separable convolutions in these blocks (GAN Compression); not in the paper
    stem_stride: Literal[1, 2] = 1  # 2: a quarter of the work; not in the paper
    downs: Levels | None = None  # levels of the unet; None: as many as `size` can be halved, at most 8
    discriminator: Literal["n-layers", "pixel"] = "n-layers"
    ndf: Width = 64
    d_layers: Layers = 3  # of n-layers: 3 judges patches of 70 x 70 pixels

    lambda_gp: Weight = 10.0
    g_lr: LearningRate = 2e-4
    d_lr: LearningRate = 2e-4
    beta1: Momentum = 0.5
    beta2: Momentum = 0.999

    def __post_init__(self) -> None:
        least = 2 * self.multiple if self.generator == "resnet" else self.multiple  # so that reflection has room
        if self.size < least or self.size % self.multiple:
            raise InputError(
                f"size={self.size} with the generator {self.generator}",
                f"a multiple of {self.multiple}, at least {least}",
            )
        if self.load_size < self.size:
            raise InputError(f"load_size={self.load_size} is less than size={self.size}", "at least size")
        if self.discriminator == "n-layers" and self.size >> self.d_layers < 3:
            raise InputError(
                f"d_layers={self.d_layers} with size={self.size}",
                "so few that size / 2**d_layers is 3 or more",
            )
        if self.generator == "unet" and (self.stem_stride != 1 or self.depthwise):
            raise InputError("stem_stride=2 or depthwise with the generator unet", "generator=resnet: only it has them")

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        return 4 * self.stem_stride if self.generator == "resnet" else 2**self.levels

    @property
    def levels(self) -> int:
        """How often the unet halves the picture."""
        return self.downs or max(2, halvings(self.size))
