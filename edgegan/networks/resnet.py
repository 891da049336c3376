"""The residual generator of CycleGAN (Johnson et al. 2016; Zhu et al. 2017, appendix 7.2)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from .init import normal_, smooth_
from .norm import NormName, norm_layer
from .separable import conv3x3

Padding = Literal["reflect", "replicate", "zero"]


class ResidualBlock(nn.Module):
    """x + branch(x), no activation after the sum. With `padding` zero there is no padding layer, as published."""

    def __init__(
        self, channels: int, norm: NormName, dropout: bool, padding: Padding = "reflect", depthwise: bool = False
    ) -> None:
        super().__init__()
        normed, bias = norm_layer(norm)
        pads: dict[Padding, list[nn.Module]] = {
            "reflect": [nn.ReflectionPad2d(1)],
            "replicate": [nn.ReplicationPad2d(1)],
            "zero": [],
        }
        border = int(padding == "zero")
        self.conv_block = nn.Sequential(
            *pads[padding],
            conv3x3(channels, padding=border, bias=bias, depthwise=depthwise),
            normed(channels),
            nn.ReLU(inplace=True),
            *([nn.Dropout(0.5)] if dropout else []),
            *pads[padding],
            conv3x3(channels, padding=border, bias=bias, depthwise=depthwise),
            normed(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.conv_block(x)
        return out


class ResnetGenerator(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> (N, 3, H, W) in [-1, 1]; H, W multiples of `multiple`, else rounded up to them.

    With `stem_stride` 2 (not in the paper) the first and last convolution change the resolution too, so that a
    picture costs about what one of half its edge would. `padding` and `depthwise` are of the residual blocks alone.
    """

    def __init__(
        self,
        ngf: int = 64,
        blocks: int = 9,
        *,
        norm: NormName = "instance",
        dropout: bool = False,
        stem_stride: Literal[1, 2] = 1,
        padding: Padding = "reflect",
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 4 * stem_stride
        normed, bias = norm_layer(norm)
        kernel = 7 if stem_stride == 1 else 8  # 8 = 4 strides: every output place sees as many inputs
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, ngf, kernel, stem_stride, bias=bias),
            normed(ngf),
            nn.ReLU(inplace=True),
        ]
        for width in (2 * ngf, 4 * ngf):
            # Zero padding here, reflection elsewhere: as the published weights were trained.
            down = nn.Conv2d(width // 2, width, 3, 2, padding=1, bias=bias)
            layers += [down, normed(width), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(4 * ngf, norm, dropout, padding, depthwise) for _ in range(blocks)]
        for width in (2 * ngf, ngf):
            up = nn.ConvTranspose2d(2 * width, width, 3, 2, padding=1, output_padding=1, bias=bias)
            layers += [up, normed(width), nn.ReLU(inplace=True)]
        if stem_stride == 1:
            layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, kernel)]
        else:
            layers.append(nn.ConvTranspose2d(ngf, 3, kernel, stem_stride, padding=3))
        self.model = nn.Sequential(*layers, nn.Tanh())
        normal_(self)
        head = self.model[-2]
        if isinstance(head, nn.ConvTranspose2d):
            smooth_(head.weight)

    def forward(self, image: Tensor) -> Tensor:
        """The translated picture."""
        out: Tensor = self.model(image)
        return out
