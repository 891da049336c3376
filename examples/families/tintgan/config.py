"""TintGAN's configuration."""

from __future__ import annotations

from edgegan.config import BaseConfig
from edgegan.ranges import LearningRate, Momentum, Pixels, Weight, Width
from edgegan.runtime.errors import InputError


class Config(BaseConfig, frozen=True, kw_only=True):
    """Width and picture size of a TintGAN, and how it is trained."""

    size: Pixels = 64
    width: Width = 32
    domain: str = "drawn faces (avatars)"
    lambda_rec: Weight = 10.0
    lr: LearningRate = 2e-4
    beta1: Momentum = 0.5

    def __post_init__(self) -> None:
        if self.size % 4:
            raise InputError(f"size={self.size}", "a multiple of 4: the discriminator halves it twice")
