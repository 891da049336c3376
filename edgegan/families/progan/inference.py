"""A trained generator made ready to run: at the final size, with plain weights."""

from __future__ import annotations

import copy
import math

import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .layers import Equalised
from .networks import Generator


class Picture(nn.Module):
    """Latents (N, nz) -> pictures (N, 3, size, size), clipped to [-1, 1].

    A generator that has not grown up yet draws what it can, enlarged; layers that it does not use are left out.
    """

    def __init__(self, cfg: Config, generator: Generator) -> None:
        super().__init__()
        self.level = float(generator.level)
        top = math.ceil(self.level)
        self.generator = copy.deepcopy(generator).float().eval().requires_grad_(False)
        for layer in self.generator.modules():
            if isinstance(layer, Equalised):
                layer.fold()
        self.generator.blocks = self.generator.blocks[: top + 1]
        used = {top} if self.level.is_integer() else {top - 1, top}
        self.generator.to_rgb = nn.ModuleList(
            [to_rgb if number in used else nn.Identity() for number, to_rgb in enumerate(self.generator.to_rgb)][
                : top + 1
            ]
        )
        self.times = cfg.size // (4 << top)

    def forward(self, latent: Tensor) -> Tensor:
        """The picture. Clipped: nothing bounds what the generator draws."""
        drawn = self.generator.draw(latent, self.level)
        if self.times > 1:
            drawn = F.interpolate(drawn, scale_factor=self.times, mode="nearest")
        return drawn.clamp(-1, 1)
