"""TintGAN, a family to learn from: it colours grey pictures. CONTRIBUTING.md walks through it."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgegan.config import Training
from edgegan.data import PictureStream, normalise, open_pictures
from edgegan.families import ExportSpec, Family, Networks, Phase, Stream, Tolerance
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.sheet import Sheet, to_picture

from . import objective
from .config import Config
from .networks import Discriminator, Generator

TITLE = "TintGAN: a toy that colours grey pictures"
EMA = ("generator",)


def networks(cfg: Config) -> Networks:
    """The generator and the discriminator."""
    return {"generator": Generator(cfg.width), "discriminator": Discriminator(cfg.width)}


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A picture, for either network."""
    return (torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The discriminator, then the generator, every round."""
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, Generator) and isinstance(d, Discriminator)
    betas = (cfg.beta1, 0.999)
    return (
        Phase("D", d, torch.optim.Adam(d.parameters(), cfg.lr, betas), partial(objective.d_loss, g, d)),
        Phase("G", g, torch.optim.Adam(g.parameters(), cfg.lr, betas), partial(objective.g_loss, cfg, g, d)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """Colour pictures."""
    return {"real": PictureStream(open_pictures(data, size=cfg.size), crop=None, flip=True)}


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """Held-out pictures, and what the generator makes of their grey."""
    images = _heldout(cfg, data, 6)
    device = next(nets["generator"].parameters()).device
    with torch.no_grad():
        fakes = nets["generator"](torch.from_numpy(images).to(device)).float().cpu()
    return Sheet(["true", "coloured"], [[to_picture(x), to_picture(y)] for x, y in zip(images, fakes, strict=True)])


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator."""

    def picture(name: str) -> TensorSpec:
        return TensorSpec(
            name=name,
            dtype="float32",
            shape=(1, 3, cfg.size, cfg.size),
            layout="NCHW",
            colour="RGB",
            value_range=(-1.0, 1.0),
        )

    card = ModelCard(
        name=f"tintgan-{cfg.size}",
        family="tintgan",
        task="translate",
        domain=cfg.domain,
        inputs=(picture("image"),),
        outputs=(picture("edited"),),
        size=SizeRule(hw=(cfg.size, cfg.size)),
    )
    return (
        ExportSpec(
            name="model",
            folder="",
            module=nets["generator"].eval().requires_grad_(False).float(),
            card=card,
            golden=lambda count: {"image": _heldout(cfg, data or "avatars", count)},
            tolerances={"fp32": Tolerance(max_abs=1e-4), "fp16": Tolerance(min_psnr_db=45.0)},
            dynamic_multiple=1,
            note="" if data else "verified on drawn faces, not on the training data",
        ),
    )


def tiny() -> Config:
    """Four channels at 16 px."""
    return Config(size=16, width=4, train=Training(data="avatars:16", batch=4, images=16, sample_images=8))


def _heldout(cfg: Config, data: str, count: int) -> NDArray[np.float32]:
    """(N, 3, size, size) in [-1, 1]."""
    pictures = open_pictures(data, size=cfg.size, split="heldout")
    return np.stack([normalise(pictures.picture(i)) for i in range(min(count, len(pictures)))])


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
)
