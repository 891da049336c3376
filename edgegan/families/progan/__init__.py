"""ProGAN: networks that grow from 4 px to the final size while they learn (Karras et al., ICLR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan.families import ExportSpec, Family, Networks, Phase
from edgegan.families import _generation as generation
from edgegan.runtime.generate import latent
from edgegan.sheet import Sheet

from . import objective
from .config import Config, small
from .growth import advance, stage
from .inference import Picture
from .networks import Critic, Generator
from .official import import_official

TITLE = "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
EMA = ("generator",)

__all__ = ["EMA", "FAMILY", "TITLE", "Config"]


def networks(cfg: Config) -> Networks:
    """Generator and critic, at 4 px, with the layers of all sizes."""
    return {"generator": Generator(cfg), "critic": Critic(cfg)}


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A latent, or a picture of the final size."""
    if network == "generator":
        return (torch.from_numpy(latent.draw(1, cfg.nz)),)
    return (torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The critic, then the generator on new latents, every round."""
    g, d = nets["generator"], nets["critic"]
    assert isinstance(g, Generator) and isinstance(d, Critic)
    betas = (cfg.beta1, cfg.beta2)
    return (
        Phase(
            "D",
            d,
            torch.optim.Adam(d.parameters(), cfg.d_lr, betas),
            lambda s: objective.d_loss(cfg, g, d, s),
            needs_second_order=True,
        ),
        Phase("G", g, torch.optim.Adam(g.parameters(), cfg.g_lr, betas), lambda s: objective.g_loss(cfg, g, d, s)),
    )


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """Pictures of fixed latents, enlarged while the networks grow, above real ones."""
    g = _check_generator(nets)
    return generation.preview_sheet(cfg, Picture(cfg, g), g.level.device, data)


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance at the final size, also while the networks grow."""
    g = _check_generator(nets)
    picture = Picture(cfg, g)
    return generation.swd_figures(
        cfg, lambda count: generation.to_pictures(picture, latent.draw(count, cfg.nz), device=g.level.device), data
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator at the final size as `model`; it needs no pictures."""
    del data
    g = _check_generator(nets)
    level = float(g.level)
    note = "" if level == cfg.levels else f"not grown up: it draws at level {level:.4g} of {cfg.levels}, enlarged"
    return (generation.picture_spec(cfg, generation.Exported("progan", Picture(cfg, g).cpu().eval(), note=note)),)


def _check_generator(nets: Networks) -> Generator:
    g = nets["generator"]
    assert isinstance(g, Generator)
    return g


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=generation.picture_streams,
    held_out=generation.held_out,
    preview=preview,
    exportable=exportable,
    tiny=small,
    stage=stage,
    advance=advance,
    validate=validate,
    import_official=import_official,
)
