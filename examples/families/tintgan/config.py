"""TintGAN's configuration."""

from __future__ import annotations

from edgegan.config import BaseConfig
from edgegan.runtime.errors import InputError


class Config(BaseConfig, frozen=True, kw_only=True):
    """Width and picture size of a TintGAN, and how it is trained."""

    size: int = 64
    width: int = 32
    domain: str = "drawn faces (avatars)"
    lambda_rec: float = 10.0
    lr: float = 2e-4
    beta1: float = 0.5

    def __post_init__(self) -> None:
        if self.size % 4:
            raise InputError(f"size={self.size}", "a multiple of 4: the discriminator halves it twice")
