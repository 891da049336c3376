"""A generator whose label reaches every place, with skip connections: `conditioning = "film"`.

Departures from the paper's generator, for small data and few steps: the label sets scale and shift of the norms
(FiLM) instead of entering as constant planes; the decoder enlarges by nearest neighbours and a convolution, which
leaves no checker pattern, where the paper's transposed convolutions do; and it sees the encoder's maps of the same
size, and at the end the picture itself, so that detail need not pass through the narrow middle.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgegan.networks.norm import FilmNorm
from edgegan.networks.separable import conv3x3

_LAST = 16  # channels at full size, at most


class FilmBlock(nn.Module):
    """x + branch(x, label), no activation after the sum."""

    def __init__(self, channels: int, labels: int, depthwise: bool = False) -> None:
        super().__init__()
        self.conv1 = conv3x3(channels, depthwise=depthwise)
        self.film = FilmNorm(channels, labels)
        self.conv2 = conv3x3(channels, depthwise=depthwise)
        self.norm = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.norm(self.conv2(F.relu(self.film(self.conv1(x), label))))
        return out


class FilmGenerator(nn.Module):
    """(N, 3, H, W) in [-1, 1] and labels (N, C) -> (N, 3, H, W) in [-1, 1]; H and W multiples of 8 * stem_stride.

    Widths are `conv_dim` at half of the size, twice that at a quarter, four times at an eighth. With `stem_stride` 2
    all of it happens at half of that, for a quarter of the work; the picture is folded to meet the last layer, and what
    this gives is unfolded (pixel shuffle, Shi et al. 2016), so that the finest detail of the picture is still seen.
    """

    def __init__(
        self,
        label_width: int,
        conv_dim: int,
        blocks: int,
        mask: bool = False,
        stem_stride: int = 1,
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        self.mask, self.stem_stride = mask, stem_stride
        last, places = min(_LAST, conv_dim), stem_stride**2
        half, quarter, eighth = conv_dim, 2 * conv_dim, 4 * conv_dim
        self.down1 = _down(3, half, 6 if stem_stride == 1 else 8, 2 * stem_stride)
        self.down2 = _down(half, quarter, 4)
        self.down3 = _down(quarter, eighth, 4)
        self.blocks = nn.ModuleList(FilmBlock(eighth, label_width, depthwise) for _ in range(blocks))
        self.up3 = nn.Conv2d(eighth, quarter, 3, padding=1, bias=False)
        self.film3 = FilmNorm(quarter, label_width)
        self.up2 = nn.Conv2d(quarter, half, 3, padding=1, bias=False)
        self.film2 = FilmNorm(half, label_width)
        self.up1 = nn.Conv2d(half, last, 3, padding=1)
        self.last = nn.Conv2d(last + 3 * places, (4 if mask else 3) * places, 3, padding=1)

    def parts(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor | None]:
        """The edited picture, and the mask (N, 1, H, W) in [0, 1] where there is one."""
        half = self.down1(image)
        quarter = self.down2(half)
        x = self.down3(quarter)
        for block in self.blocks:
            x = block(x, label)
        x = F.relu(self.film3(self.up3(_enlarge(x)) + quarter, label))
        x = F.relu(self.film2(self.up2(_enlarge(x)) + half, label))
        x = F.relu(self.up1(_enlarge(x)))
        if self.stem_stride == 1:
            out = self.last(torch.cat([x, image], 1))
        else:
            out = self.last(torch.cat([x, F.pixel_unshuffle(image, self.stem_stride)], 1))
            out = F.pixel_shuffle(out, self.stem_stride)
        if not self.mask:
            return torch.tanh(out), None
        paint, mask = torch.tanh(out[:, :3]), torch.sigmoid(out[:, 3:])
        return image + mask * (paint - image), mask

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """The edited picture."""
        return self.parts(image, label)[0]


def _down(inside: int, outside: int, kernel: int, stride: int = 2) -> nn.Sequential:
    """A `stride`-th of the size; the kernel is even, so that every place of the output sees as many of the input."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, padding=(kernel - stride) // 2, bias=False),
        nn.InstanceNorm2d(outside, affine=True),
        nn.ReLU(inplace=True),
    )


def _enlarge(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
