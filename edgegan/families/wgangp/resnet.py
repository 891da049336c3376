"""The residual networks of WGAN-GP (Gulrajani et al. 2017, appendix F); maps halve and double between 4 px and `size`.

The critic's layer norms run over all of a picture's channels and places, with one gain and bias a channel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from edgegan.networks.generation.enlarging import Upsampling, double


def widths(size: int, least: int) -> list[int]:
    """Channels of the maps of 4, 8, ... size pixels: they halve as the edge doubles, from at most 8 `least`."""
    edges = [4 << n for n in range(int(math.log2(size)) - 1)]
    return [least * min(8, size // edge) for edge in edges]


class UpBlock(nn.Module):
    """(N, inputs, H, W) -> (N, outputs, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int, upsampling: Upsampling) -> None:
        super().__init__()
        self.upsampling: Upsampling = upsampling
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1, self.conv2 = _conv(inputs, outputs, 3, bias=False), _conv(outputs, outputs, 3)
        self.shortcut = _conv(inputs, outputs, 1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """The larger map."""
        branch = self.conv1(double(F.relu(self.norm1(x)), self.upsampling))
        branch = self.conv2(F.relu(self.norm2(branch)))
        out: Tensor = branch + self.shortcut(double(x, self.upsampling))
        return out


class DownBlock(nn.Module):
    """(N, inputs, H, W) -> (N, outputs, H/2, W/2).

    The last block, and what follows it, has no bias: real and generated pictures' scores would shift alike.
    """

    def __init__(self, inputs: int, outputs: int, norm: bool, last: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = _layer_norm(inputs, norm), _layer_norm(inputs, norm)
        self.conv1, self.conv2 = _conv(inputs, inputs, 3, bias=not norm), _conv(inputs, outputs, 3, bias=not last)
        self.shortcut = _conv(inputs, outputs, 1, gain=1.0, bias=not last)

    def forward(self, x: Tensor) -> Tensor:
        """The smaller map."""
        branch = self.conv1(F.relu(self.norm1(x)))
        branch = F.avg_pool2d(self.conv2(F.relu(self.norm2(branch))), 2)
        out: Tensor = branch + self.shortcut(F.avg_pool2d(x, 2))
        return out


class ResnetGenerator(nn.Module):
    """Latents (N, nz) of N(0, 1) -> pictures (N, 3, S, S) in [-1, 1], through maps of `channels`, from 4 px to S."""

    def __init__(self, nz: int, channels: Sequence[int], upsampling: Upsampling = "nearest") -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(nz, 16 * channels[0]), nn.Unflatten(1, (channels[0], 4, 4)))
        blocks = [UpBlock(before, after, upsampling) for before, after in zip(channels, channels[1:], strict=False)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.BatchNorm2d(channels[-1]), nn.ReLU(), _conv(channels[-1], 3, 3, gain=1.0), nn.Tanh()
        )

    def forward(self, latent: Tensor) -> Tensor:
        """The pictures."""
        drawn: Tensor = self.head(self.blocks(self.stem(latent)))
        return drawn


class ResnetCritic(nn.Module):
    """Pictures (N, 3, size, size) -> scores (N,), high for real ones, each from its picture alone."""

    def __init__(self, size: int, ndf: int, norm: bool) -> None:
        super().__init__()
        channels = widths(size, ndf)[::-1]
        pairs = list(zip(channels, channels[1:], strict=False))
        blocks = [DownBlock(*pair, norm, last=number == len(pairs)) for number, pair in enumerate(pairs, 1)]
        self.main = nn.Sequential(
            _conv(3, channels[0], 3, gain=1.0), *blocks, nn.Flatten(), nn.Linear(16 * channels[-1], 1, bias=False)
        )

    def forward(self, image: Tensor) -> Tensor:
        """The scores."""
        scores: Tensor = self.main(image)
        return scores.flatten()


def _conv(inputs: int, outputs: int, kernel: int, *, gain: float = math.sqrt(2), bias: bool = True) -> nn.Conv2d:
    """He's uniform weights in the blocks, Glorot's (a gain of 1) in shortcuts and at the ends; bias 0."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
    if gain == 1.0:
        nn.init.xavier_uniform_(layer.weight)
    else:
        nn.init.kaiming_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _layer_norm(channels: int, norm: bool) -> nn.Module:
    return nn.GroupNorm(1, channels) if norm else nn.Identity()
