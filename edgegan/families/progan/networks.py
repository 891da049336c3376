"""ProGAN's networks (Karras et al. 2018, table 2), with the layers of every level from the start.

What has not grown yet gets no gradient and no moments, so that checkpoints and averages always have the same tensors.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .growth import Growing, double, fade
from .layers import Conv, Dense, MinibatchDeviation, PixelNorm, Stem, leaky


class Generator(Growing):
    """Latents (N, nz) of N(0, 1) -> pictures (N, 3, S, S), meant for [-1, 1] and not bounded; S follows the level."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = [cfg.width(level) for level in range(cfg.levels + 1)]
        self.register_buffer("level", torch.zeros((), dtype=torch.float64))
        self.latent = PixelNorm(cfg.norm_epsilon)
        layers: list[nn.Module] = [
            Stem(cfg.nz, widths[0], cfg.stem_bias == "place"),
            leaky(),
            PixelNorm(cfg.norm_epsilon),
            Conv(widths[0], widths[0]),
            leaky(),
            PixelNorm(cfg.norm_epsilon),
        ]
        self.blocks = nn.ModuleList([nn.Sequential(*layers)])
        for before, after in zip(widths, widths[1:], strict=False):
            layers = []
            for inputs in (before, after):
                layers += [Conv(inputs, after), leaky(), PixelNorm(cfg.norm_epsilon)]
            self.blocks.append(nn.Sequential(*layers))
        self.to_rgb = nn.ModuleList([Conv(width, 3, 1, gain=1.0) for width in widths])

    def forward(self, latent: Tensor) -> Tensor:
        """The pictures at the level it has grown to."""
        return self.draw(latent, self.host_level)

    def draw(self, latent: Tensor, level: float) -> Tensor:
        """The pictures at any level, 4 * 2^ceil(level) px a side."""
        top = math.ceil(level)
        x = low = self.blocks[0](self.latent(latent))
        for block in list(self.blocks)[1 : top + 1]:
            low, x = x, block(double(x))
        picture: Tensor = self.to_rgb[top](x)
        return picture if level.is_integer() else double(self.to_rgb[top - 1](low)).lerp(picture, level % 1)


class Critic(Growing):
    """Pictures (N, 3, size, size) in [-1, 1] -> raw scores (N, 1); high is real."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        widths = [cfg.width(level) for level in range(cfg.levels + 1)]
        self.register_buffer("level", torch.zeros((), dtype=torch.float64))
        self.from_rgb = nn.ModuleList([nn.Sequential(Conv(3, width, 1), leaky()) for width in widths])
        last = cfg.dense_width
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(
                    MinibatchDeviation(cfg.group),
                    Conv(widths[0] + 1, widths[0]),
                    leaky(),
                    nn.Flatten(),
                    Dense(16 * widths[0], last),
                    leaky(),
                    Dense(last, 1, gain=1.0),
                )
            ]
        )
        for after, before in zip(widths, widths[1:], strict=False):
            layers = [Conv(before, before), leaky(), Conv(before, after), leaky(), nn.AvgPool2d(2)]
            self.blocks.append(nn.Sequential(*layers))

    def forward(self, image: Tensor) -> Tensor:
        """The scores of pictures of the final size, seen at the level it has grown to."""
        level = self.host_level
        return self.score(fade(image, level), level)

    def score(self, image: Tensor, level: float) -> Tensor:
        """The scores at any level, of pictures 4 * 2^ceil(level) px a side."""
        top = math.ceil(level)
        x: Tensor = self.from_rgb[top](image)
        if not level.is_integer():
            x = self.from_rgb[top - 1](F.avg_pool2d(image, 2)).lerp(self.blocks[top](x), level % 1)
            top -= 1
        for block in reversed(list(self.blocks)[: top + 1]):
            x = block(x)
        return x
