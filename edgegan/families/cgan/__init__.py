"""Conditional GAN: pictures from noise and a label (Mirza and Osindero 2014; Miyato and Koyama, ICLR 2018)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegan.data import LabelledStream, open_labelled
from edgegan.families import ExportSpec, Family, Networks, Phase, Stream, _generation
from edgegan.runtime.generate import conditions, latent
from edgegan.sheet import Sheet

from . import objective
from .config import Config
from .networks import Generator, condition, discriminator
from .official import import_official

TITLE = "Conditional Generative Adversarial Nets"
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

_ROWS = 4  # of the class grid: latents


def networks(cfg: Config) -> Networks:
    """The generator and the discriminator, initialised as their authors'."""
    return {"generator": Generator(cfg), "discriminator": discriminator(cfg)}


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A latent or a picture, and a label of zeros."""
    label = torch.zeros(1, len(cfg.attributes))
    if network == "generator":
        return torch.from_numpy(latent.draw(1, cfg.nz)), label
    return torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size), label


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The discriminator every round, the generator every `n_critic` rounds."""
    g, d = _check_generator(nets), nets["discriminator"]

    def adam(network: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), rate, (cfg.beta1, cfg.beta2))

    return (
        Phase("D", d, adam(d, cfg.d_lr), lambda s: objective.d_loss(cfg, g, d, s)),
        Phase("G", g, adam(g, cfg.g_lr), lambda s: objective.g_loss(cfg, g, d, s), interval=cfg.n_critic),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures with their labels."""
    pictures = open_labelled(data, size=cfg.size, names=cfg.attributes, split="train")
    return {"real": LabelledStream(pictures, flip=cfg.flip)}


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """The class grid: a latent a row, and a column for each name, on; first as drawn; below, held-out pictures."""
    g = _check_generator(nets)
    told = condition(cfg, g)
    own = conditions.draw(told, _ROWS)
    labels = [own, *(conditions.change(told, own, {name: 1.0}) for name in cfg.attributes)]
    draw = _ready(cfg, g, _generation.PREVIEW_LATENTS)
    made = [
        _generation.to_pictures(draw, latent.draw(_ROWS, cfg.nz), column, device=g.odds.device) for column in labels
    ]
    rows = [[column[row] for column in made] for row in range(_ROWS)]
    held_out = _generation.open_heldout(cfg, data, len(labels))
    return Sheet(["drawn", *cfg.attributes], [*rows, [*held_out]], [*["generated"] * _ROWS, "held out"])


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance to held-out pictures, of pictures whose labels are drawn."""
    g = _check_generator(nets)
    draw = _ready(cfg, g, _generation.PREVIEW_LATENTS)
    return _generation.swd_figures(
        cfg,
        lambda count: _generation.to_pictures(
            draw, latent.draw(count, cfg.nz), conditions.draw(condition(cfg, g), count), device=g.odds.device
        ),
        data,
    )


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, with its label as a second input; the golden inputs need no pictures."""
    g = _check_generator(nets)
    told = condition(cfg, g)

    def rows(count: int, seed: int) -> NDArray[np.float32]:
        return conditions.draw(told, count, seed)

    label = _generation.Input("label", len(cfg.attributes), rows, (0.0, 1.0))
    exported = _generation.Exported("cgan", _ready(cfg, g, cfg.bn_latents).cpu(), condition=told, others=(label,))
    return (_generation.picture_spec(cfg, exported),)


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        ngf=13,  # 16 channels with the labels: on AMX, OpenVINO's INT8 is wrong for numbers that 4 does not divide
        ndf=8,
        attributes=("Black_Hair", "Blond_Hair", "Eyeglasses"),
        groups=(("Black_Hair", "Blond_Hair"),),
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _ready(cfg: Config, g: Generator, count: int) -> nn.Module:
    """The averaged generator, whose pictures depend on their latents and labels alone."""

    def rows(count: int) -> tuple[Tensor, ...]:
        labels = conditions.draw(condition(cfg, g), count)
        return torch.from_numpy(_generation.statistics_latents(count, cfg.nz)), torch.from_numpy(labels)

    return _generation.ready(g, rows, bn=cfg.bn, count=min(count, cfg.bn_latents), size=cfg.size)


def _check_generator(nets: Mapping[str, nn.Module]) -> Generator:
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
    streams=streams,
    held_out=_generation.held_out,
    preview=preview,
    exportable=exportable,
    tiny=tiny,
    validate=validate,
    import_official=import_official,
)
