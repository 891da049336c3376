"""InfoGAN: codes that nobody labelled, found by making pictures tell them (Chen et al., NeurIPS 2016)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from edgegan.families import ExportSpec, Family, Networks, Phase, Stream, _generation
from edgegan.runtime.generate import conditions, latent
from edgegan.sheet import Picture, Sheet

from . import objective
from .codes import code_names, condition
from .config import Config
from .export import exportable as _exportable
from .networks import Discriminator, Generator

TITLE = "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets"
EMA = ("generator",)

__all__ = [
    "EMA",
    "FAMILY",
    "TITLE",
    "Config",
    "example_inputs",
    "exportable",
    "networks",
    "phases",
    "preview",
    "streams",
    "tiny",
    "validate",
]

_ROWS, _STEPS = 3, 8  # of the sheet: latents for each categorical code; places of a continuous one


def networks(cfg: Config) -> Networks:
    """The generator, and the discriminator with Q on its trunk."""
    return {"generator": Generator(cfg), "discriminator": Discriminator(cfg)}


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """Noise and codes, or two pictures (Q's batch norm trains on no fewer)."""
    if network == "generator":
        return torch.from_numpy(latent.draw(1, cfg.nz)), torch.from_numpy(conditions.draw(condition(cfg), 1))
    return (torch.linspace(-1, 1, 2 * 3 * cfg.size**2).view(2, 3, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The discriminator with Q, then the generator, every round."""
    g, d = _check_networks(nets)

    def adam(network: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), rate, (cfg.beta1, cfg.beta2))

    return (
        Phase("D", d, adam(d, cfg.d_lr), lambda s: objective.d_loss(cfg, g, d, s)),
        Phase("G", g, adam(g, cfg.g_lr), lambda s: objective.g_loss(cfg, g, d, s)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures, whole, without labels."""
    return _generation.picture_streams(cfg, data)


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """One code walked a row, all else held: a categorical one through its values, a continuous one from -1 to 1."""
    draw, device = _ready(cfg, nets, _generation.PREVIEW_LATENTS), _device(nets)
    told, columns = condition(cfg), max([*cfg.categorical, _STEPS])
    vectors, own = latent.draw(_ROWS, cfg.nz), conditions.draw(told, _ROWS)
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    for number, block in enumerate(code_names(cfg)):
        ends = np.linspace(-1, 1, _STEPS)
        walked = [{name: 1.0} for name in block] if len(block) > 1 else [{block[0]: float(value)} for value in ends]
        for row in range(_ROWS if len(block) > 1 else 1):
            codes = np.concatenate([conditions.change(told, own[row : row + 1], change) for change in walked])
            made = _generation.to_pictures(draw, vectors[[row] * len(codes)], codes, device=device)
            rows.append([*made, *[None] * (columns - len(made))])
            names.append(f"c{number + 1}")
    held_out: list[Picture | None] = [*_generation.open_heldout(cfg, data, columns)]
    return Sheet([str(i) for i in range(columns)], [*rows, held_out], [*names, "held out"])


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance to held-out pictures, of pictures whose codes are drawn."""
    draw, device, told = _ready(cfg, nets, _generation.PREVIEW_LATENTS), _device(nets), condition(cfg)
    return _generation.swd_figures(
        cfg,
        lambda count: _generation.to_pictures(
            draw, latent.draw(count, cfg.nz), conditions.draw(told, count), device=device
        ),
        data,
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, its codes a named input, and Q as `codes`; neither needs pictures."""
    return _exportable(cfg, _ready(cfg, nets, cfg.bn_latents), nets.get("discriminator"))


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        categorical=(3,),
        continuous=1,
        ngf=16,
        ndf=8,
        q_width=8,
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _ready(cfg: Config, nets: Networks, count: int) -> nn.Module:
    """The averaged generator, whose pictures depend on their noise and codes alone."""

    def rows(count: int) -> tuple[Tensor, ...]:
        codes = conditions.draw(condition(cfg), count)
        return torch.from_numpy(_generation.statistics_latents(count, cfg.nz)), torch.from_numpy(codes)

    return _generation.ready(nets["generator"], rows, bn=cfg.bn, count=min(count, cfg.bn_latents), size=cfg.size)


def _device(nets: Networks) -> torch.device:
    return next(nets["generator"].parameters()).device


def _check_networks(nets: Networks) -> tuple[Generator, Discriminator]:
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, Generator) and isinstance(d, Discriminator)
    return g, d


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
)
