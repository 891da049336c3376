"""pix2pix's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Literal

from edgegan.families._translation_config import TranslationConfig
from edgegan.networks import NormName
from edgegan.ranges import Weight
from edgegan.runtime.errors import InputError


class Config(TranslationConfig, frozen=True, kw_only=True):
    """Networks, weights of the losses, and what is turned into what."""

    direction: Literal["AtoB", "BtoA"] = "AtoB"  # which side of a pair is given

    generator: Literal["resnet", "unet"] = "unet"
    norm: NormName = "batch-picture"  # each picture's own statistics when not training, as the authors' test does
    dropout: bool = True

    adversarial: Literal["vanilla", "lsgan", "wgan-gp"] = "vanilla"
    lambda_l1: Weight = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.adversarial == "wgan-gp" and self.norm.startswith("batch"):
            raise InputError(
                f"adversarial=wgan-gp with norm={self.norm}",
                "norm=instance: the gradient penalty is each picture's own (WGAN-GP, section 4)",
            )
