"""pix2pix's networks: the generator, and a discriminator that sees what was given beside what was drawn."""

from __future__ import annotations

from torch import nn

from edgegan.families import Networks
from edgegan.networks import NLayerDiscriminator, NormName, PixelDiscriminator, ResnetGenerator, UnetGenerator

from .config import Config


def networks(cfg: Config) -> Networks:
    """Both, freshly initialised with N(0, 0.02)."""
    return {"generator": _generator(cfg), "discriminator": _discriminator(cfg)}


def _generator(cfg: Config) -> nn.Module:
    if cfg.generator == "unet":
        return UnetGenerator(cfg.levels, cfg.ngf, norm=cfg.norm, dropout=cfg.dropout)
    return ResnetGenerator(
        cfg.ngf,
        cfg.blocks,
        norm=cfg.norm,
        dropout=cfg.dropout,
        stem_stride=cfg.stem_stride,
        padding=cfg.padding,
        depthwise=cfg.depthwise,
    )


def _discriminator(cfg: Config) -> nn.Module:
    """Takes (N, 6, H, W): given ++ drawn."""
    norm: NormName = "batch" if cfg.norm.startswith("batch") else cfg.norm
    if cfg.discriminator == "pixel":
        return PixelDiscriminator(6, cfg.ndf, norm=norm)
    return NLayerDiscriminator(6, cfg.ndf, cfg.d_layers, norm=norm)
