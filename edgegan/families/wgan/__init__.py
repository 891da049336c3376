"""WGAN: a critic of bounded slope, whose loss follows the quality of the pictures (Arjovsky et al., ICML 2017)."""

from __future__ import annotations

import torch
from torch import nn

from edgegan.families import Distillation, ExportSpec, Family, Networks, Phase, _generation, _latent_generation
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator

from . import objective
from .config import Config, generator_due

TITLE = "Wasserstein Generative Adversarial Networks"
EMA = ("generator",)

__all__ = ["EMA", "FAMILY", "TITLE", "Config"]


def networks(cfg: Config) -> Networks:
    """The generator and the critic of a DCGAN."""
    return {
        "generator": DcganGenerator(cfg.size, cfg.nz, cfg.ngf, cfg.body),
        "critic": DcganDiscriminator(cfg.size, cfg.ndf, cfg.body, norm=nn.BatchNorm2d if cfg.critic_norm else None),
    }


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The critic every round, its weights clipped after each step; the generator when the critic has had its steps."""
    g, d = nets["generator"], nets["critic"]
    return (
        Phase(
            "D",
            d,
            torch.optim.RMSprop(d.parameters(), cfg.lr),
            lambda s: objective.d_loss(cfg.nz, g, d, s),
            after_step=lambda _: objective.clip_weights(d, cfg.clip),
        ),
        Phase(
            "G",
            g,
            torch.optim.RMSprop(g.parameters(), cfg.lr),
            lambda s: objective.g_loss(cfg.nz, g, d, s),
            interval=lambda round_: int(generator_due(cfg, round_)),
        ),
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`."""
    del data
    return _latent_generation.export("wgan", cfg, nets)


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        ngf=8,
        ndf=8,
        lr=1e-3,
        critic_steps=2,
        long_steps=3,
        long_first=1,
        long_every=3,
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=_latent_generation.example_inputs,
    phases=phases,
    streams=_generation.picture_streams,
    held_out=_generation.held_out,
    preview=_latent_generation.preview,
    exportable=exportable,
    tiny=tiny,
    validate=_latent_generation.validate,
    distillation=Distillation[Config](_generation.student_widths, _generation.draw_latents, "ngf"),
)
