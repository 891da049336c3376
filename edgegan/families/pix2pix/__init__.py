"""pix2pix: from one picture to its partner, learned from pairs (Isola et al., CVPR 2017).

At test time the paper leaves dropout on, so that one picture has many answers, and normalises with the statistics
of the test batch. What is exported, shown and scored here answers the same every time: dropout is off, and the
default norm `batch-picture` takes each picture's own statistics, which is what the paper's batch of one does;
`batch` takes the running ones instead.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edgegan.data import PairStream, Pictures, open_pairs
from edgegan.families import Distillation, ExportSpec, Family, Networks, Phase, Step, Stream
from edgegan.families._translation import (
    STAND_IN,
    STAND_IN_NOTE,
    at_rest,
    batch,
    device_of,
    picture_spec,
    student_shapes,
    to_pictures,
)
from edgegan.sheet import Sheet

from . import objective
from .config import Config
from .networks import networks
from .official import import_official

TITLE = "pix2pix: Image-to-Image Translation with Conditional Adversarial Networks"
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


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A picture; for the discriminator two, one behind the other."""
    channels = 3 if network == "generator" else 6
    return (torch.linspace(-1, 1, channels * cfg.size**2).view(1, channels, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """D, then the generator, every round (section 3.3)."""
    g, d = nets["generator"], nets["discriminator"]
    betas = (cfg.beta1, cfg.beta2)
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, betas)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, betas)
    penalised = cfg.adversarial == "wgan-gp"
    return (
        Phase("D", d, d_adam, lambda s: objective.d_loss(cfg, g, d, s), needs_second_order=penalised),
        Phase("G", g, g_adam, lambda s: objective.g_loss(cfg, g, d, s)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pairs."""
    return {"real": PairStream(open_pairs(data, size=cfg.load_size, split="train"), crop=cfg.size, flip=cfg.flip)}


def preview(cfg: Config, nets: Networks, data: str, count: int = 8) -> Sheet:
    """Held-out pictures: what is given, what the generator makes of it, and the truth."""
    given, wanted = _pairs(cfg, data)
    g = nets["generator"]
    images = torch.from_numpy(batch(given, count)).to(device_of(g))
    with at_rest(g):
        drawn = to_pictures(g(images))
    name, other = (cfg.name_a, cfg.name_b) if cfg.direction == "AtoB" else (cfg.name_b, cfg.name_a)
    rows = [[given.picture(i), picture, wanted.picture(i)] for i, picture in enumerate(drawn)]
    return Sheet([name, f"to {other}", f"true {other}"], rows)


def validate(cfg: Config, nets: Networks, data: str, count: int = 64) -> dict[str, float]:
    """The mean absolute error against the held-out truth, in units of [-1, 1]."""
    given, wanted = _pairs(cfg, data)
    g = nets["generator"]
    found: list[float] = []
    with at_rest(g):
        for first in range(0, min(count, len(given)), 8):
            n = min(8, count - first)
            drawn = g(torch.from_numpy(batch(given, n, first)).to(device_of(g)))
            found += (drawn - torch.from_numpy(batch(wanted, n, first)).to(drawn)).abs().mean((1, 2, 3)).tolist()
    return {"l1": float(np.mean(found))}


def held_out(cfg: Config, data: str) -> dict[str, Pictures]:
    """The held-out pairs, side by side."""
    given, wanted = _pairs(cfg, data)
    return {"held-out inputs": given, "held-out truths": wanted}


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`."""
    name, other = (cfg.name_a, cfg.name_b) if cfg.direction == "AtoB" else (cfg.name_b, cfg.name_a)
    return (
        picture_spec(
            name=f"pix2pix-{cfg.size}",
            family="pix2pix",
            generator=nets["generator"],
            size=cfg.size,
            multiple=cfg.multiple,
            source=lambda split: _pairs(cfg, data or STAND_IN, split)[0],
            domain=": ".join(part for part in (cfg.domain, f"{name} to {other}") if part),
            faces=cfg.faces,
            alignment=cfg.alignment,
            licence=cfg.licence,
            note="" if data else STAND_IN_NOTE,
        ),
    )


def tiny() -> Config:
    """Four levels at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        load_size=18,
        name_a="summer",
        name_b="winter",
        domain="drawn faces",
        downs=3,
        ngf=4,
        norm="batch",
        ndf=4,
        d_layers=1,
        train=Training(
            data="avatars-seasons:12",
            batch=2,
            images=64,
            ema_halflife_images=10,
            sample_images=32,
            checkpoint_images=32,
        ),
    )


def distillation_inputs(cfg: Config, step: Step) -> dict[str, tuple[Tensor, ...]]:
    """What is given; its partner is not needed."""
    return {"generator": (step.real["a" if cfg.direction == "AtoB" else "b"],)}


def _pairs(cfg: Config, data: str, split: str = "heldout") -> tuple[Pictures, Pictures]:
    """What is given, and what is wanted."""
    pairs = open_pairs(data, size=cfg.size, split=split)
    return (pairs.a, pairs.b) if cfg.direction == "AtoB" else (pairs.b, pairs.a)


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
    held_out=held_out,
    import_official=import_official,
    distillation=Distillation[Config](student_shapes, distillation_inputs, "ngf"),
)
