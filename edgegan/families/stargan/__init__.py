"""StarGAN: one generator for many domains (Choi et al., CVPR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan.data import Counterfactual, Labelled, open_labelled
from edgegan.data._labelled import LabelledStream, normalised
from edgegan.families import ExportSpec, Networks, Phase, Stream
from edgegan.sheet import Picture, Sheet, to_picture

from . import objective
from .config import Config
from .export import DrawnFaces
from .export import exportable as _exportable
from .networks import Discriminator, Generator

TITLE = "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation"
EMA = ("generator",)

__all__ = ["EMA", "TITLE", "Config", "example_inputs", "exportable", "networks", "phases", "preview", "streams", "tiny"]


def networks(cfg: Config) -> Networks:
    """The generator and the discriminator, freshly initialised with PyTorch's defaults, as the original."""
    labels = len(cfg.attributes)
    return {
        "generator": Generator(labels, cfg.conv_dim, cfg.blocks, cfg.stem_stride, cfg.mask),
        "discriminator": Discriminator(cfg.size, labels, cfg.d_conv_dim, cfg.d_layers),
    }


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A picture, and for the generator a label."""
    image = torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size)
    return (image, torch.zeros(1, len(cfg.attributes))) if network == "generator" else (image,)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """D every round, the generator every n_critic rounds; with hinge-r1, the penalty every r1_interval rounds."""
    g, d = _typed(nets)
    betas = (cfg.beta1, cfg.beta2)
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, betas)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, betas)
    wgan = cfg.adversarial == "wgan-gp"
    found = [Phase("D", d, d_adam, lambda s: objective.d_loss(cfg, g, d, s), needs_second_order=wgan)]
    if not wgan:
        found.append(
            Phase("R1", d, d_adam, lambda s: objective.r1_loss(cfg, d, s), cfg.r1_interval, needs_second_order=True)
        )
    found.append(Phase("G", g, g_adam, lambda s: objective.g_loss(cfg, g, d, s), cfg.n_critic))
    return tuple(found)


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The labelled training pictures."""
    return {"real": LabelledStream(_open(cfg, data, "train"), flip=cfg.flip, balance=cfg.balance)}


def preview(cfg: Config, nets: Networks, data: str, count: int = 6) -> Sheet:
    """Held-out pictures edited to each attribute in turn; on avatars, the true answers stand below each row."""
    g, _ = _typed(nets)
    pictures = _open(cfg, data, "heldout")
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    device = next(g.parameters()).device
    for i in range(min(count, len(pictures))):
        image = torch.from_numpy(normalised(pictures.picture(i))).to(device)
        targets = edit_targets(cfg, torch.from_numpy(pictures.label(i)))
        labels = torch.stack([t for _, t in targets]).to(device)
        with torch.no_grad():
            fakes = g(image.expand(len(targets), -1, -1, -1), labels).float().cpu()
        rows.append([pictures.picture(i), *(to_picture(f) for f in fakes)])
        names.append("edited")
        if hasattr(pictures, "truth"):
            known: Counterfactual = pictures  # type: ignore[assignment]
            truths = [known.truth(i, name, bool(t[cfg.attributes.index(name)])) for name, t in targets]
            rows.append([None, *truths])
            names.append("truth")
    return Sheet(["input", *(_edit_caption(cfg, a) for a in cfg.attributes)], rows, names)


def edit_targets(cfg: Config, label: Tensor) -> list[tuple[str, Tensor]]:
    """One target per attribute, as the paper's test mode: a member of a group is set, any other is flipped."""
    found = []
    for name in cfg.attributes:
        target = label.clone()
        objective.set_attribute(cfg, target, name, on=None)
        found.append((name, target))
    return found


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, and the discriminator's class head as `classifier`."""
    g, d = _typed(nets)
    if not data:
        return _exportable(cfg, g, d, lambda: DrawnFaces(cfg), note="verified on drawn faces, not on the training data")
    return _exportable(cfg, g, d, lambda: _open(cfg, data, "heldout"))


def tiny() -> Config:
    """Two residual blocks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        attributes=("Black_Hair", "Blond_Hair", "Eyeglasses", "Smiling"),
        conv_dim=4,
        blocks=1,
        d_conv_dim=4,
        d_layers=3,
        n_critic=2,
        flip=False,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _open(cfg: Config, data: str, split: str) -> Labelled:
    return open_labelled(data, size=cfg.size, names=cfg.attributes, split=split, centre_crop=cfg.centre_crop)


def _edit_caption(cfg: Config, name: str) -> str:
    return name if any(name in group for group in cfg.groups) else f"± {name}"


def _typed(nets: Networks) -> tuple[Generator, Discriminator]:
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, Generator) and isinstance(d, Discriminator)
    return g, d
