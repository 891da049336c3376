"""Discriminators that judge patches (Isola et al. 2017, appendix 6.1.2)."""

from __future__ import annotations

from torch import Tensor, nn

from .init import normal_
from .norm import NormName, norm_layer


class NLayerDiscriminator(nn.Module):
    """(N, C, H, W) -> raw scores (N, 1, h, w), each over one patch; 70 x 70 pixels with three layers.

    h = H / 2**layers - 2, and must be at least 1.
    """

    def __init__(self, channels: int = 3, ndf: int = 64, layers: int = 3, *, norm: NormName = "instance") -> None:
        super().__init__()
        normed, bias = norm_layer(norm)
        model: list[nn.Module] = [nn.Conv2d(channels, ndf, 4, 2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        width = ndf
        for n in range(1, layers + 1):
            wider = ndf * min(2**n, 8)
            stride = 2 if n < layers else 1
            model += [
                nn.Conv2d(width, wider, 4, stride, padding=1, bias=bias),
                normed(wider),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            width = wider
        self.model = nn.Sequential(*model, nn.Conv2d(width, 1, 4, padding=1))
        normal_(self)

    def forward(self, image: Tensor) -> Tensor:
        """One score for each patch."""
        scores: Tensor = self.model(image)
        return scores


class PixelDiscriminator(nn.Module):
    """(N, C, H, W) -> raw scores (N, 1, H, W), each over one pixel (the paper's PixelGAN)."""

    def __init__(self, channels: int = 3, ndf: int = 64, *, norm: NormName = "instance") -> None:
        super().__init__()
        normed, bias = norm_layer(norm)
        self.net = nn.Sequential(
            nn.Conv2d(channels, ndf, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            normed(2 * ndf),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )
        normal_(self)

    def forward(self, image: Tensor) -> Tensor:
        """One score for each pixel."""
        scores: Tensor = self.net(image)
        return scores
