"""Both networks of a conditional GAN, whichever way the label enters, and what the generator knows of its labels."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from edgegan.runtime.model.condition import Condition

from .concat import ConcatDiscriminator, ConcatGenerator
from .config import Config
from .projection import ProjectionDiscriminator, ProjectionGenerator


class Conditional(Protocol):
    """A network that takes a label beside its input."""

    def __call__(self, given: Tensor, label: Tensor) -> Tensor: ...


class Generator(nn.Module):
    """Latents (N, nz) of N(0, 1) and labels (N, L) -> pictures (N, 3, size, size) in [-1, 1].

    `odds` (L,) is how often each place was on in the labels of training: what is drawn where nobody chose a label.
    """

    odds: Tensor
    seen: Tensor

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        labels = len(cfg.attributes)
        self.draw: nn.Module = (
            ConcatGenerator(cfg.size, cfg.nz, labels, cfg.ngf)
            if cfg.conditioning == "concat"
            else ProjectionGenerator(cfg.size, cfg.nz, labels, cfg.ngf, cfg.upsampling)
        )
        grouped = {name: 1 / len(group) for group in cfg.groups for name in group}
        self.register_buffer("odds", torch.tensor([grouped.get(name, 0.5) for name in cfg.attributes]))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """The pictures."""
        drawn: Tensor = self.draw(latent, label)
        return drawn

    @torch.no_grad()
    def count(self, labels: Tensor) -> None:
        """Takes real labels (N, L) into the odds."""
        self.seen += len(labels)
        self.odds += (labels.mean(0) - self.odds) * (len(labels) / self.seen)


def discriminator(cfg: Config) -> nn.Module:
    """Scores (N,) of pictures and labels."""
    build = ConcatDiscriminator if cfg.conditioning == "concat" else ProjectionDiscriminator
    return build(cfg.size, len(cfg.attributes), cfg.ndf)


def condition(cfg: Config, generator: Generator) -> Condition:
    """What the card says of the label."""
    one_hot = len(cfg.groups) == 1 and len(cfg.groups[0]) == len(cfg.attributes)
    return Condition(
        kind="one_hot" if one_hot else "binary",
        names=cfg.attributes,
        groups=cfg.groups,
        default=tuple(round(float(odds), 4) for odds in generator.odds),
    )
