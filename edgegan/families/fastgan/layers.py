"""What FastGAN's two networks are made of. No convolution has a bias, and each is spectral-normalised.

The older `spectral_norm` is used for its key names (`weight_orig`, `weight_u`, `weight_v`): they are those of the
published checkpoints, and the newer parametrisation refuses them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

Conv = TypeVar("Conv", nn.Conv2d, nn.ConvTranspose2d)


def conv(inputs: int, outputs: int, kernel: int, **options: Any) -> nn.Conv2d:
    """A convolution."""
    return _normalise(nn.Conv2d(inputs, outputs, kernel, bias=False, **options))


def transposed_conv(inputs: int, outputs: int, kernel: int) -> nn.ConvTranspose2d:
    """A transposed convolution of stride 1."""
    return _normalise(nn.ConvTranspose2d(inputs, outputs, kernel, bias=False))


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm."""
    layer = nn.BatchNorm2d(channels)
    nn.init.normal_(layer.weight, 1.0, 0.02)
    return layer


def leaky() -> nn.LeakyReLU:
    """Leaky ReLU."""
    return nn.LeakyReLU(0.2)


class Noise(nn.Module):
    """x + weight * N(0, 1), one map (N, 1, H, W) for all channels; in eval mode nothing is added."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        if not self.training:
            return x
        n, _, h, w = x.shape
        return x + self.weight * torch.randn(n, 1, h, w, device=x.device, dtype=x.dtype)


class FixedNoise(nn.Module):
    """x + one constant map (1, 1, H, W): noise that has been drawn and weighed."""

    map: Tensor

    def __init__(self, weighed: Tensor) -> None:
        super().__init__()
        self.register_buffer("map", weighed)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return x + self.map


class Twice(nn.Module):
    """Twice the size, nearest. Asked for by size: scales would be float32 constants, which a half model cannot have."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, 2H, 2W)."""
        return F.interpolate(x, size=(2 * x.shape[2], 2 * x.shape[3]))


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size: nearest, convolution, gated linear unit."""
    return nn.Sequential(Twice(), conv(inputs, 2 * outputs, 3, padding=1), norm(2 * outputs), _glu())


def up_noisy(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size, with two convolutions, each followed by noise."""
    layers: list[nn.Module] = [Twice()]
    for before in (inputs, outputs):
        layers += [conv(before, 2 * outputs, 3, padding=1), Noise(), norm(2 * outputs), _glu()]
    return nn.Sequential(*layers)


class Stem(nn.Module):
    """Latent (N, nz, 1, 1) -> (N, C, 4, 4)."""

    def __init__(self, nz: int, channels: int) -> None:
        super().__init__()
        self.init = nn.Sequential(transposed_conv(nz, 2 * channels, 4), norm(2 * channels), _glu())

    def forward(self, latent: Tensor) -> Tensor:
        """The first feature map."""
        out: Tensor = self.init(latent)
        return out


class Excitation(nn.Module):
    """Skip-layer excitation (section 3.1, eq. 2-3): a map of `low_px` x `low_px` gates the channels of a larger one.

    The original pools adaptively; with known sizes a plain average pool does the same and exports well in half
    precision.
    """

    def __init__(self, low: int, high: int, low_px: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.AvgPool2d(low_px // 4), conv(low, high, 4), nn.SiLU(), conv(high, high, 1), nn.Sigmoid()
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """(N, low, low_px, low_px) and (N, high, H, W) -> (N, high, H, W): the larger map, gated."""
        out: Tensor = high * self.main(low)
        return out


class Down(nn.Module):
    """Half the size, as the mean of a convolved and a pooled branch."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            conv(inputs, outputs, 4, stride=2, padding=1),
            norm(outputs),
            leaky(),
            conv(outputs, outputs, 3, padding=1),
            norm(outputs),
            leaky(),
        )
        self.direct = nn.Sequential(nn.AvgPool2d(2), conv(inputs, outputs, 1), norm(outputs), leaky())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, outputs, H/2, W/2)."""
        out: Tensor = (self.main(x) + self.direct(x)) / 2
        return out


class DownPlain(nn.Module):
    """Half the size with one convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(conv(inputs, outputs, 4, stride=2, padding=1), norm(outputs), leaky())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, outputs, H/2, W/2)."""
        out: Tensor = self.main(x)
        return out


class Decoder(nn.Module):
    """A feature map (N, C, 8, 8) -> a picture (N, 3, S, S) in [-1, 1], one doubling for each entry of `widths`."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        steps = [up(before, after) for before, after in zip((inputs, *widths), widths, strict=False)]
        # nn.Identity: here the original pools to 8x8, which these maps are already.
        self.main = nn.Sequential(nn.Identity(), *steps, conv(widths[-1], 3, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """The picture."""
        out: Tensor = self.main(x)
        return out


def _glu() -> nn.GLU:
    return nn.GLU(dim=1)


def _normalise(layer: Conv) -> Conv:
    nn.init.normal_(layer.weight, 0.0, 0.02)
    return spectral_norm(layer)
