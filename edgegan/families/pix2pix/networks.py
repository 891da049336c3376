"""pix2pix's networks: the generator, and a discriminator that sees what was given beside what was drawn."""

from __future__ import annotations

from torch import nn

from edgegan.families import Networks
from edgegan.families._translation import begin_generator
from edgegan.networks import NLayerDiscriminator, NormName, PixelDiscriminator

from .config import Config


def networks(cfg: Config) -> Networks:
    """Both, freshly initialised with N(0, 0.02)."""
    return {"generator": begin_generator(cfg), "discriminator": _discriminator(cfg)}


def _discriminator(cfg: Config) -> nn.Module:
    """Takes (N, 6, H, W): given ++ drawn."""
    norm: NormName = "batch" if cfg.norm.startswith("batch") else cfg.norm
    if cfg.discriminator == "pixel":
        return PixelDiscriminator(6, cfg.ndf, norm=norm)
    return NLayerDiscriminator(6, cfg.ndf, cfg.d_layers, norm=norm)
