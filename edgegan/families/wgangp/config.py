"""WGAN-GP's configuration; the defaults are those of the paper's ResNet at 64 px."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.config import Training
from edgegan.families._generation import BatchNormConfig
from edgegan.ranges import LearningRate, Momentum, Weight, Width


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """Body, widths and size of a WGAN-GP, and how it is trained.

    A round is one batch of real pictures, for one step of the critic. `plain` is a DCGAN whose critic has no norm.
    """

    size: Literal[16, 32, 64, 128] = 64
    nz: Annotated[int, Meta(ge=1, le=8192)] = 128

    body: Literal["resnet", "plain"] = "resnet"
    # Of the critic's ResNet. Batch norm is no choice: the penalty is on each picture's own gradient.
    critic_norm: Literal["layer", "none"] = "layer"
    ngf: Width = 64  # channels of the largest maps, and so of all others
    ndf: Width = 64

    lr: LearningRate = 1e-4
    beta1: Momentum = 0.0
    beta2: Momentum = 0.9
    lambda_gp: Weight = 10.0
    critic_steps: Annotated[int, Meta(ge=1, le=1000)] = 5  # for each step of the generator

    train: Training = Training(batch=64, ema_halflife_images=0)
