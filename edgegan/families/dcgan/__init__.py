"""DCGAN: pictures from noise by convolutions alone (Radford et al., ICLR 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan.families import ExportSpec, Family, Networks, Phase, Stream, _generation
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator
from edgegan.runtime.generate import latent
from edgegan.sheet import Sheet

from . import objective
from .config import Config
from .official import import_official

TITLE = "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks"
EMA = ("generator",)

__all__ = [
    "EMA",
    "FAMILY",
    "TITLE",
    "Config",
    "example_inputs",
    "exportable",
    "import_official",
    "networks",
    "phases",
    "preview",
    "streams",
    "tiny",
    "validate",
]


def networks(cfg: Config) -> Networks:
    """The generator and the discriminator; weights N(0, 0.02), gains N(1, 0.02)."""
    return {
        "generator": DcganGenerator(cfg.size, cfg.nz, cfg.ngf, cfg.body, cfg.latent),
        "discriminator": DcganDiscriminator(cfg.size, cfg.ndf, cfg.body),
    }


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """Two latents (the batch norms of an MLP train on no fewer), or a picture."""
    if network == "generator":
        return (torch.from_numpy(latent.draw(2, cfg.nz)),)
    return (torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The generator, then the discriminator on the same fakes, every round."""
    g, d = _check_networks(nets)

    def adam(network: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), rate, (cfg.beta1, cfg.beta2), weight_decay=cfg.weight_decay)

    return (
        Phase("G", g, adam(g, cfg.g_lr), lambda s: objective.g_loss(cfg.nz, g, d, s)),
        Phase("D", d, adam(d, cfg.d_lr), lambda s: objective.d_loss(d, s)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures, whole."""
    return _generation.picture_streams(cfg, data)


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """Pictures of fixed latents, above held-out ones."""
    draw = _ready(cfg, nets, _generation.PREVIEW_LATENTS)
    return _generation.preview_sheet(cfg, draw, next(draw.parameters()).device, data)


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance to held-out pictures."""
    draw = _ready(cfg, nets, _generation.PREVIEW_LATENTS)
    device = next(draw.parameters()).device
    return _generation.swd_figures(
        cfg, lambda count: _generation.to_pictures(draw, latent.draw(count, cfg.nz), device=device), data
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`; the golden inputs need no pictures."""
    return (_generation.picture_spec(cfg, _generation.Exported("dcgan", _ready(cfg, nets, cfg.bn_latents).cpu())),)


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        ngf=8,
        ndf=8,
        body="4x4",
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _ready(cfg: Config, nets: Networks, count: int) -> nn.Module:
    """The averaged generator, whose pictures depend on their latents alone."""

    def rows(count: int) -> tuple[Tensor, ...]:
        return (torch.from_numpy(_generation.statistics_latents(count, cfg.nz)),)

    return _generation.ready(nets["generator"], rows, bn=cfg.bn, count=min(count, cfg.bn_latents), size=cfg.size)


def _check_networks(nets: Networks) -> tuple[DcganGenerator, DcganDiscriminator]:
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, DcganGenerator) and isinstance(d, DcganDiscriminator)
    return g, d


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=streams,
    preview=preview,
    exportable=exportable,
    tiny=tiny,
    validate=validate,
    import_official=import_official,
)
