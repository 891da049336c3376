"""WGAN-GP's configuration; the defaults are those of the paper's ResNet at 64 px."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.config import Training
from edgegan.families._generation import BatchNormConfig
from edgegan.networks.generation.enlarging import Upsampling
from edgegan.ranges import LearningRate, Momentum, Weight, Width
from edgegan.runtime.errors import InputError


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """Body, widths and size of a WGAN-GP, and how it is trained.

    A round is one batch of real pictures, for one step of the critic. `plain` is a DCGAN whose critic has no norm.
    """

    size: Literal[16, 32, 64, 128] = 64
    nz: Annotated[int, Meta(ge=1, le=8192)] = 128

    body: Literal["resnet", "plain"] = "resnet"
    # Of the critic's ResNet. Batch norm is no choice: the penalty is on each picture's own gradient.
    critic_norm: Literal["layer", "none"] = "layer"
    widths: tuple[Annotated[int, Meta(ge=1, le=4096)], ...] = ()  # or of each of the generator's maps, from 4 px up
    upsampling: Upsampling = "nearest"  # in the generator's ResNet
    ndf: Width = 64

    lr: LearningRate = 1e-4
    beta1: Momentum = 0.0
    beta2: Momentum = 0.9
    lambda_gp: Weight = 10.0
    critic_steps: Annotated[int, Meta(ge=1, le=1000)] = 5  # for each step of the generator

    train: Training = Training(batch=64, ema_halflife_images=0)

    def __post_init__(self) -> None:
        if self.body == "plain" and (self.widths or self.upsampling != "nearest"):
            raise InputError("widths or upsampling with body=plain", "they are of the generator's ResNet", "leave them")
        if self.widths and len(self.widths) != (maps := self.size.bit_length() - 2):
            raise InputError(
                f"widths={list(self.widths)} at size={self.size}", f"{maps}: one for each map from 4 px up"
            )
