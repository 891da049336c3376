"""FastGAN: pictures from noise, learned from a hundred examples (Liu et al., ICLR 2021)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edgegan.data import normalise
from edgegan.families import Distillation, ExportSpec, Family, Networks, Phase, Stream, _generation
from edgegan.networks.projected import ProjectedDiscriminator
from edgegan.runtime.generate import latent
from edgegan.sheet import Picture as Shown
from edgegan.sheet import Sheet, to_picture

from . import objective
from .config import Config
from .discriminator import Discriminator
from .export import exportable as _exportable
from .inference import Picture, ready
from .networks import Generator
from .official import import_official
from .validate import validate

TITLE = "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis"
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
    """The generator and the discriminator, initialised as the original: N(0, 0.02), gains N(1, 0.02)."""
    projected = cfg.discriminator == "projected"
    return {
        "generator": Generator(cfg.size, cfg.nz, cfg.ngf, cfg.small),
        "discriminator": ProjectedDiscriminator() if projected else Discriminator(cfg.size, cfg.ndf, cfg.small),
    }


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A latent, or a picture with its small version."""
    if network == "generator":
        return (torch.from_numpy(latent.draw(1, cfg.nz)),)
    image = torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size)
    return (image,) if cfg.discriminator == "projected" else (image, objective.resize(image, cfg.small))


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The generator, then the discriminator on the same fakes, every round."""
    g, d = _check_networks(nets)
    betas = (cfg.beta1, cfg.beta2)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, betas)
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, betas)
    if isinstance(d, ProjectedDiscriminator):
        return (
            Phase("G", g, g_adam, lambda s: objective.projected_g_loss(cfg, g, d, s)),
            Phase("D", d, d_adam, lambda s: objective.projected_d_loss(cfg, d, s)),
        )
    far = objective.distance(cfg, next(d.parameters()).device)
    return (
        Phase("G", g, g_adam, lambda s: objective.g_loss(cfg, g, d, s)),
        Phase("D", d, d_adam, lambda s: objective.d_loss(cfg, d, far, s)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures, whole."""
    return _generation.picture_streams(cfg, data)


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """Pictures of fixed latents (those of `edgegan sample --seed 0`), and real ones with their reconstructions.

    The frame in a real picture is the quadrant that the last row reconstructs. A projected discriminator reconstructs
    nothing: there the real pictures stand alone.
    """
    g, d = _check_networks(nets)
    device = next(g.parameters()).device
    draw = Picture(ready(cfg, g, min(cfg.bn_latents, _generation.PREVIEW_LATENTS)))
    sheet = _generation.preview_sheet(cfg, draw, device, data)
    if isinstance(d, ProjectedDiscriminator):
        return sheet
    real = _generation.open_heldout(cfg, data, _generation.COLUMNS)
    which = torch.arange(_generation.COLUMNS) % 4
    images = torch.from_numpy(np.stack([normalise(picture) for picture in real])).to(device)
    trained = d.training
    d.eval()  # so that looking changes neither statistics nor spectral norms
    with torch.no_grad():
        found = d.features(images, objective.resize(images, cfg.small))
        recs = [objective.resize(rec.float(), cfg.size).cpu() for rec in d.reconstruct(found, which)]
    d.train(trained)
    framed: list[Shown | None] = [_draw_frame(picture, int(q)) for picture, q in zip(real, which, strict=True)]
    rows = [*sheet.rows[:-1], framed, *([to_picture(r) for r in rec] for rec in recs)]
    return Sheet(sheet.columns, rows, [*sheet.row_names, "whole", "from small", "quadrant"])


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, and as `mixer` with a second latent for the style; neither needs pictures."""
    return _exportable(cfg, _check_generator(nets))


def tiny() -> Config:
    """Narrow networks at 64 px."""
    from edgegan.config import Training

    return Config(
        size=64,
        nz=8,
        ngf=4,
        ndf=4,
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _draw_frame(picture: Shown, quadrant: int) -> Shown:
    """A copy with a red frame around one quadrant."""
    framed = picture.copy()
    half = len(picture) // 2
    y, x = quadrant // 2 * half, quadrant % 2 * half
    inside = framed[y : y + half, x : x + half]
    line = max(1, half // 32)
    for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
        edge[:] = (255, 0, 0)
    return framed


def _check_generator(nets: Networks) -> Generator:
    g = nets["generator"]
    assert isinstance(g, Generator)
    return g


def _check_networks(nets: Networks) -> tuple[Generator, Discriminator | ProjectedDiscriminator]:
    d = nets["discriminator"]
    assert isinstance(d, Discriminator | ProjectedDiscriminator)
    return _check_generator(nets), d


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=streams,
    held_out=_generation.held_out,
    preview=preview,
    exportable=exportable,
    tiny=tiny,
    validate=validate,
    import_official=import_official,
    distillation=Distillation[Config](_generation.student_widths, _generation.draw_latents, "ngf"),
)
