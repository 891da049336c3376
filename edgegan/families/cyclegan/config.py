"""CycleGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.families._translation_config import TranslationConfig
from edgegan.ranges import Weight


class Config(TranslationConfig, frozen=True, kw_only=True):
    """Networks and weights of the losses of a CycleGAN, whose domains the paper calls X and Y."""

    generator: Literal["resnet", "unet"] = "resnet"
    norm: Literal["instance", "instance-affine"] = "instance"
    dropout: bool = False

    adversarial: Literal["lsgan", "vanilla", "wgan-gp"] = "lsgan"
    lambda_a: Weight = 10.0  # of the cycle A -> B -> A
    lambda_b: Weight = 10.0
    lambda_identity: Weight = 0.5  # relative to lambda_a and lambda_b
    pool: Annotated[int, Meta(ge=0, le=10_000)] = (
        50  # generated pictures kept for the discriminators, per domain; 0: none
    )
