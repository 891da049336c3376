"""What families share whose generator takes a latent alone and may have batch norms: inputs, looks, figures, export."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan.families import ExportSpec, Networks, _generation
from edgegan.networks.generation.virtual_norm import VirtualGenerator
from edgegan.runtime.generate import latent
from edgegan.sheet import Sheet

from ._generation import BatchNormConfig


def example_inputs(cfg: BatchNormConfig, network: str) -> tuple[Tensor, ...]:
    """Two latents (batch norms train on no fewer) for the generator, or a picture for what judges it."""
    if network == "generator":
        return (torch.from_numpy(latent.draw(2, cfg.nz)),)
    return (torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size),)


def ready(cfg: BatchNormConfig, nets: Networks, count: int) -> nn.Module:
    """The averaged generator, whose pictures depend on their latents alone; `count` of these measure its norms."""

    def rows(count: int) -> tuple[Tensor, ...]:
        return (torch.from_numpy(_generation.statistics_latents(count, cfg.nz)),)

    found = _generation.ready(nets["generator"], rows, bn=cfg.bn, count=min(count, cfg.bn_latents), size=cfg.size)
    if isinstance(found, VirtualGenerator):
        found.freeze()
    return found


def preview(cfg: BatchNormConfig, nets: Networks, data: str) -> Sheet:
    """Pictures of fixed latents, above held-out ones."""
    draw = ready(cfg, nets, _generation.PREVIEW_LATENTS)
    return _generation.preview_sheet(cfg, draw, next(draw.parameters()).device, data)


def validate(cfg: BatchNormConfig, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance to held-out pictures."""
    draw = ready(cfg, nets, _generation.PREVIEW_LATENTS)
    device = next(draw.parameters()).device
    return _generation.swd_figures(
        cfg, lambda count: _generation.to_pictures(draw, latent.draw(count, cfg.nz), device=device), data
    )


def export(family: str, cfg: BatchNormConfig, nets: Networks) -> tuple[ExportSpec, ...]:
    """The generator as `model`; the golden inputs need no pictures."""
    return (_generation.picture_spec(cfg, _generation.Exported(family, ready(cfg, nets, cfg.bn_latents).cpu())),)
