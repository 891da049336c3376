"""InfoGAN's configuration: the authors' recipe on the body of DCGAN."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.families._generation import BatchNormConfig
from edgegan.networks.generation.latents import Law
from edgegan.ranges import LearningRate, Momentum, Weight, Width
from edgegan.runtime.errors import InputError


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """The codes beside the noise, the networks' widths, and how they are trained."""

    size: Literal[16, 32, 64, 128] = 32
    nz: Annotated[int, Meta(ge=1, le=8192)] = 62  # the noise without the codes
    latent: Law = "uniform"
    categorical: tuple[Annotated[int, Meta(ge=2, le=100)], ...] = (10,)  # one code each, with so many values
    continuous: Annotated[int, Meta(ge=0, le=32)] = 2  # so many codes, uniform in -1..1

    ndf: Width = 64
    q_width: Width = 128  # of the layer before the codes' estimates

    g_lr: LearningRate = 1e-3
    d_lr: LearningRate = 2e-4
    beta1: Momentum = 0.5
    beta2: Momentum = 0.999
    lambda_categorical: Weight = 1.0
    lambda_continuous: Weight = 1.0

    def __post_init__(self) -> None:
        if not self.categorical and not self.continuous:
            raise InputError("categorical=[], continuous=0: no code at all", "one or more", "or take dcgan")

    @property
    def code_width(self) -> int:
        """Numbers in a picture's codes: the categorical ones one-hot, then the continuous ones."""
        return sum(self.categorical) + self.continuous
