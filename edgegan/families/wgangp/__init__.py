"""WGAN-GP: a critic held to slopes of 1 by a penalty, not by clipping (Gulrajani et al., NeurIPS 2017)."""

from __future__ import annotations

import torch
from torch import nn

from edgegan.families import Distillation, ExportSpec, Family, Networks, Phase, _generation, _latent_generation
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator

from . import objective
from .config import Config
from .official import import_official
from .resnet import ResnetCritic, ResnetGenerator, widths

TITLE = "Improved Training of Wasserstein GANs"
EMA = ("generator",)

__all__ = ["EMA", "FAMILY", "TITLE", "Config"]


def networks(cfg: Config) -> Networks:
    """The generator and the critic, neither of which mixes pictures when it judges."""
    if cfg.body == "plain":
        return {
            "generator": DcganGenerator(cfg.size, cfg.nz, cfg.ngf, "5x5"),
            "critic": DcganDiscriminator(cfg.size, cfg.ndf, "5x5", norm=None),
        }
    return {
        "generator": ResnetGenerator(cfg.nz, cfg.widths or widths(cfg.size, cfg.ngf), cfg.upsampling),
        "critic": ResnetCritic(cfg.size, cfg.ndf, cfg.critic_norm == "layer"),
    }


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The critic every round; the generator after each `critic_steps` rounds."""
    g, d = nets["generator"], nets["critic"]

    def adam(network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), cfg.lr, (cfg.beta1, cfg.beta2))

    return (
        Phase("D", d, adam(d), lambda s: objective.d_loss(cfg, g, d, s), needs_second_order=True),
        Phase("G", g, adam(g), lambda s: objective.g_loss(cfg, g, d, s), interval=cfg.critic_steps),
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`."""
    del data
    return _latent_generation.export("wgangp", cfg, nets)


def tiny() -> Config:
    """Narrow ResNets at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        ngf=4,
        ndf=4,
        lr=1e-3,
        critic_steps=2,
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
    import_official=import_official,
)
