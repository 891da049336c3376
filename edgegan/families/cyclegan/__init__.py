"""CycleGAN: from one domain to another and back, learned without pairs (Zhu et al., ICCV 2017).

The paper keeps no average of the generators, and its configuration has one of so few pictures
(`train.ema_halflife_images`) that it cannot be told from the weights themselves; the small presets average longer.
An epoch is as long as the longer domain: `train.images` counts the pictures of A shown, and as many of B are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from edgegan.data import Domains, Pictures, PictureStream, open_domains, open_pairs
from edgegan.families import Distillation, ExportSpec, Family, Networks, Phase, Step, Stream
from edgegan.families._translation import (
    STAND_IN,
    STAND_IN_NOTE,
    at_rest,
    batch,
    device_of,
    student_shapes,
    to_pictures,
)
from edgegan.runtime.errors import InputError
from edgegan.sheet import Picture, Sheet

from . import objective
from .config import Config
from .export import exportable as _exportable
from .networks import DIRECTIONS, DISCRIMINATORS, networks
from .official import import_official

TITLE = "CycleGAN: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
EMA = DIRECTIONS

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
    """A picture, and for a pool what is drawn for it."""
    image = torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size)
    return (image, torch.zeros(1, 2)) if network.startswith("pool") else (image,)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """Both generators, then both discriminators, each pair with one optimiser, every round (section 7.1)."""
    betas = (cfg.beta1, cfg.beta2)
    g = nn.ModuleList(nets[name] for name in DIRECTIONS)
    d = nn.ModuleList(nets[name] for name in DISCRIMINATORS)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, betas)
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, betas)
    penalised = cfg.adversarial == "wgan-gp"
    return (
        Phase("G", g, g_adam, lambda s: objective.g_loss(cfg, nets, s)),
        Phase("D", d, d_adam, lambda s: objective.d_loss(cfg, nets, s), needs_second_order=penalised),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures of both domains; they need not be equally many."""
    domains = open_domains(data, size=cfg.load_size, split="train")
    return {
        "a": PictureStream(domains.a, crop=cfg.size, flip=cfg.flip),
        "b": PictureStream(domains.b, crop=cfg.size, flip=cfg.flip),
    }


def preview(cfg: Config, nets: Networks, data: str, count: int = 6) -> Sheet:
    """Held-out pictures of A to B and back, and of B to A and back; beside them the true partner, if one is known."""
    domains, paired = _domains(cfg, data)
    sides = {
        "AtoB": (domains.a, domains.b, cfg.name_a, cfg.name_b),
        "BtoA": (domains.b, domains.a, cfg.name_b, cfg.name_a),
    }
    count = min(count, len(domains.a), len(domains.b))
    columns: list[str] = []
    cells: list[list[Picture]] = []  # by column
    there = [name for name in DIRECTIONS if name in nets]
    with at_rest(*(nets[name] for name in there)):
        for name in there:
            source, target, from_, to = sides[name]
            images = torch.from_numpy(batch(source, count)).to(device_of(nets[name]))
            fakes = nets[name](images)
            columns += [from_, f"to {to}"]
            cells += [to_pictures(images), to_pictures(fakes)]
            if len(there) > 1:
                columns.append("and back")
                cells.append(to_pictures(nets[DIRECTIONS[1 - DIRECTIONS.index(name)]](fakes)))
            if paired:
                columns.append(f"true {to}")
                cells.append([target.picture(i) for i in range(count)])
    return Sheet(columns, [list(row) for row in zip(*cells, strict=True)])


def validate(cfg: Config, nets: Networks, data: str, count: int = 64) -> dict[str, float]:
    """Mean absolute errors on held-out pictures, in units of [-1, 1]; the first is the mean of the directions'.

    To the true partner where the data have pairs, else of the picture that went there and back.
    """
    domains, paired = _domains(cfg, data)
    sides = {"AtoB": (domains.a, domains.b), "BtoA": (domains.b, domains.a)}
    found: dict[str, list[float]] = {name: [] for name in DIRECTIONS}
    with at_rest(*(nets[name] for name in DIRECTIONS)):
        for name, back in zip(DIRECTIONS, reversed(DIRECTIONS), strict=True):
            source, target = sides[name]
            for first in range(0, min(count, len(source)), 8):
                n = min(8, count - first)
                images = torch.from_numpy(batch(source, n, first)).to(device_of(nets[name]))
                wanted = torch.from_numpy(batch(target, n, first)).to(images) if paired else images
                out = nets[name](images) if paired else nets[back](nets[name](images))
                found[name] += (out - wanted).abs().mean((1, 2, 3)).tolist()
    means = {f"{'partner' if paired else 'cycle'}_l1_{name}": float(np.mean(v)) for name, v in found.items()}
    return {"l1": float(np.mean(list(means.values()))), **means}


def held_out(cfg: Config, data: str) -> dict[str, Pictures]:
    """The held-out pictures of both domains."""
    domains, _ = _domains(cfg, data)
    return {f"held-out {cfg.name_a}": domains.a, f"held-out {cfg.name_b}": domains.b}


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """A generator for each direction as `AtoB/model` and `BtoA/model`."""
    if not data:
        return _exportable(cfg, nets, lambda split: _domains(cfg, STAND_IN, split)[0], note=STAND_IN_NOTE)
    return _exportable(cfg, nets, lambda split: _domains(cfg, data, split)[0])


def tiny() -> Config:
    """One residual block at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        load_size=18,
        name_a="summer",
        name_b="winter",
        domain="drawn faces",
        blocks=1,
        ngf=4,
        ndf=4,
        d_layers=1,
        pool=3,
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
    """Pictures of A for the one generator, of B for the other."""
    return {"AtoB": (step.streams["a"]["image"],), "BtoA": (step.streams["b"]["image"],)}


def _domains(cfg: Config, data: str, split: str = "heldout") -> tuple[Domains, bool]:
    """The pictures of both domains, and whether they are pairs."""
    try:
        return open_pairs(data, size=cfg.size, split=split), True
    except InputError:  # no pairs: the usual case
        return open_domains(data, size=cfg.size, split=split), False


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
