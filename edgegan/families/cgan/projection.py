"""The projection discriminator and its generator (Miyato and Koyama, "cGANs with Projection Discriminator", 2018).

D(x, y) = psi(h(x)) + <V y, h(x)>: the label chooses a direction among the features. Several names may be on at once:
V y is then the sum of their rows. The generator's norms get their gains and shifts from the label.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from edgegan.networks.generation.enlarging import Upsampling, double

# Channels from the 4 px map up to the picture's size, and down from it, in units of ngf and ndf.
_UP = {16: (1, 1, 1), 32: (1, 1, 1, 1), 64: (16, 8, 4, 2, 1), 128: (16, 16, 8, 4, 2, 1)}
_DOWN = {16: (1, 1), 32: (1, 1), 64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16)}
_FLAT = {16: (1, 1), 32: (1, 1), 64: (), 128: (16,)}  # blocks behind them that keep the size


class LabelNorm(nn.Module):
    """A batch norm whose gain is 1 + W y and whose shift is U y."""

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Linear(labels, channels, bias=False)
        self.shift = nn.Linear(labels, channels, bias=False)
        nn.init.normal_(self.gain.weight, 0.0, 0.02)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """(N, C, H, W) and (N, L) -> (N, C, H, W)."""
        gain, shift = (1 + self.gain(label))[:, :, None, None], self.shift(label)[:, :, None, None]
        scaled: Tensor = self.norm(x) * gain + shift
        return scaled


class UpBlock(nn.Module):
    """Doubles the edge: two convolutions behind conditional norms, beside a shortcut of one pixel's."""

    def __init__(self, inside: int, outside: int, labels: int, upsampling: Upsampling) -> None:
        super().__init__()
        self.upsampling: Upsampling = upsampling
        self.norm1, self.norm2 = LabelNorm(inside, labels), LabelNorm(outside, labels)
        self.conv1, self.conv2 = (
            _glorot(nn.Conv2d(inside, outside, 3, 1, 1)),
            _glorot(nn.Conv2d(outside, outside, 3, 1, 1)),
        )
        self.shortcut = _glorot(nn.Conv2d(inside, outside, 1), 1.0)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, 2 H, 2 W)."""
        y = self.conv1(double(torch.relu(self.norm1(x, label)), self.upsampling))
        y = self.conv2(torch.relu(self.norm2(y, label)))
        # A convolution of one pixel may as well come before the enlargement: a quarter of the work.
        both: Tensor = y + double(self.shortcut(x), self.upsampling)
        return both


class ProjectionGenerator(nn.Module):
    """Latents (N, nz) of N(0, 1) and labels (N, L) -> pictures (N, 3, size, size) in [-1, 1]."""

    def __init__(self, size: int, nz: int, labels: int, ngf: int, upsampling: Upsampling = "nearest") -> None:
        super().__init__()
        channels = [ngf * factor for factor in _UP[size]]
        self.first = _glorot(nn.Linear(nz, channels[0] * 16), 1.0)
        self.blocks = nn.ModuleList(
            UpBlock(inside, outside, labels, upsampling)
            for inside, outside in zip(channels, channels[1:], strict=False)
        )
        self.norm = nn.BatchNorm2d(channels[-1])
        self.last = _glorot(nn.Conv2d(channels[-1], 3, 3, 1, 1), 1.0)

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """The pictures."""
        x = self.first(latent).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            x = block(x, label)
        return torch.tanh(self.last(torch.relu(self.norm(x))))


class DownBlock(nn.Module):
    """Two convolutions beside a shortcut; `down` halves the edge, and the first block begins without a ReLU."""

    def __init__(self, inside: int, outside: int, *, down: bool, first: bool = False) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.conv1 = spectral_norm(_glorot(nn.Conv2d(inside, outside, 3, 1, 1)))
        self.conv2 = spectral_norm(_glorot(nn.Conv2d(outside, outside, 3, 1, 1)))
        changes = down or inside != outside
        self.shortcut = spectral_norm(_glorot(nn.Conv2d(inside, outside, 1), 1.0)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / 2, W / 2), or of the same edge."""
        y = self.conv2(torch.relu(self.conv1(x if self.first else torch.relu(x))))
        shortcut = self.shortcut(F.avg_pool2d(x, 2) if self.down and self.first else x)
        if self.down:
            y = F.avg_pool2d(y, 2)
            shortcut = shortcut if self.first else F.avg_pool2d(shortcut, 2)
        both: Tensor = y + shortcut
        return both


class ProjectionDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) and labels (N, L) -> scores (N,), high for real pictures with their own labels."""

    def __init__(self, size: int, labels: int, ndf: int) -> None:
        super().__init__()
        blocks, inside = [], 3
        for factor in _DOWN[size]:
            blocks.append(DownBlock(inside, ndf * factor, down=True, first=inside == 3))
            inside = ndf * factor
        blocks += [DownBlock(ndf * factor, ndf * factor, down=False) for factor in _FLAT[size]]
        self.blocks = nn.Sequential(*blocks)
        self.score = spectral_norm(_glorot(nn.Linear(inside, 1), 1.0))
        self.embedding = spectral_norm(_glorot(nn.Linear(labels, inside, bias=False), 1.0))

    def features(self, image: Tensor) -> Tensor:
        """h(x): the last maps, summed over their places. A mean would shrink the projection."""
        return torch.relu(self.blocks(image)).sum((2, 3))

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """psi(h) + <V y, h>."""
        h = self.features(image)
        scores: Tensor = self.score(h).flatten() + (self.embedding(label) * h).sum(1)
        return scores


def _glorot(layer: nn.Conv2d | nn.Linear, gain: float = 2**0.5) -> nn.Module:
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
