"""ProGAN's layers: equalised learning rate, pixel norm, minibatch standard deviation (sections 3 and 4)."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EXPORTED = 1e-6  # an epsilon from here on is added as it is; see PixelNorm
GAIN = math.sqrt(2)  # He's, of layers before a leaky ReLU


class Equalised(nn.Module):
    """A layer whose weights are stored as N(0, 1) and scaled by gain / sqrt(fan-in) wherever they are used.

    Adam's steps are then equally large, relative to each layer's weights (section 4.1). Biases begin at 0, unscaled.
    """

    weight: Any  # tensors, by the layer's own class
    bias: Any
    scale: float

    @torch.no_grad()
    def begin(self, fan_in: int, gain: float) -> None:
        """Draws the weights."""
        self.scale = gain / math.sqrt(fan_in)
        self.weight.normal_()
        self.bias.zero_()

    @property
    def scaled(self) -> Tensor:
        """The weights that the layer computes with."""
        weight: Tensor = self.weight if self.scale == 1.0 else self.weight * self.scale
        return weight

    @torch.no_grad()
    def fold(self) -> None:
        """Stores them: the same outputs from fewer operations, for a layer that is not trained any more."""
        self.weight.mul_(self.scale)
        self.scale = 1.0


class Conv(Equalised, nn.Conv2d):
    """(N, inputs, H, W) -> (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, gain: float = GAIN) -> None:
        nn.Conv2d.__init__(self, inputs, outputs, kernel, padding=kernel // 2)
        self.begin(inputs * kernel**2, gain)

    def forward(self, x: Tensor) -> Tensor:
        """The map."""
        out: Tensor = self._conv_forward(x, self.scaled, self.bias)
        return out


class Dense(Equalised, nn.Linear):
    """(N, inputs) -> (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, gain: float = GAIN) -> None:
        nn.Linear.__init__(self, inputs, outputs)
        self.begin(inputs, gain)

    def forward(self, x: Tensor) -> Tensor:
        """The vector."""
        return F.linear(x, self.scaled, self.bias)


class Stem(Equalised, nn.ConvTranspose2d):
    """Latents (N, nz) -> (N, outputs, 4, 4): a dense layer at each place, with one bias a channel.

    `by_place` gives every place a bias of its own, as in implementations that have a dense layer here.
    """

    def __init__(self, nz: int, outputs: int, by_place: bool = False, gain: float = GAIN / 4) -> None:
        nn.ConvTranspose2d.__init__(self, nz, outputs, 4)
        if by_place:
            self.bias = nn.Parameter(torch.empty(outputs, 4, 4))
        self.begin(nz, gain)

    def forward(self, latent: Tensor) -> Tensor:  # type: ignore[override]
        """The first map."""
        latent = latent[:, :, None, None]
        if self.bias.dim() == 1:
            return F.conv_transpose2d(latent, self.scaled, self.bias)
        biased: Tensor = F.conv_transpose2d(latent, self.scaled) + self.bias
        return biased


def leaky() -> nn.LeakyReLU:
    """The one activation."""
    return nn.LeakyReLU(0.2)


class PixelNorm(nn.Module):
    """(N, C, ...) -> the same, each pixel's channels divided by their root mean square (section 4.2).

    The 1e-4 that keeps it from dividing by 0 is the authors' for half precision. Their 1e-8 for single precision is 0
    in half, and PyTorch's exporter leaves out an addition so small: a latent of zeros would draw nothing. Published
    weights were trained with 1e-8 all the same (at 64 px random ones draw pictures 2e-3 apart with one and the other).
    So a small one is added to four times the mean square, four times as large: the same number, and it exports.
    """

    def __init__(self, epsilon: float = 1e-4) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """The normalised map."""
        mean = x.square().mean(1, keepdim=True)
        if self.epsilon >= _EXPORTED:
            return x / (mean + self.epsilon).sqrt()
        return x / (0.5 * (4 * mean + 4 * self.epsilon).sqrt())


class MinibatchDeviation(nn.Module):
    """Appends one constant map to each picture's: how much the pictures of its group differ (section 3).

    Picture i is in group i mod (N / group), as in the authors' code. A batch that does not divide into groups is
    one group.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + 1, H, W)."""
        n, c, h, w = x.shape
        group = self.group if n % self.group == 0 else n
        spread = (x.view(group, n // group, c, h, w).var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
        return torch.cat([x, spread.repeat(group).view(n, 1, 1, 1).expand(n, 1, h, w)], 1)
