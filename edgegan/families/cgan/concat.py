"""The label beside everything: both networks of DCGAN's authors for labelled pictures (Radford et al., MNIST code)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan.networks.generation.dcgan import SLOPE, widths
from edgegan.networks.init import normal_


def beside(x: Tensor, label: Tensor) -> Tensor:
    """Maps (N, C, H, W) and labels (N, L) -> (N, C + L, H, W): each place of the label as a plane."""
    planes = label[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


class ConcatGenerator(nn.Module):
    """Latents (N, nz) of N(0, 1) and labels (N, L) -> pictures (N, 3, size, size) in [-1, 1]."""

    def __init__(self, size: int, nz: int, labels: int, ngf: int) -> None:
        super().__init__()
        channels = [*widths(size, ngf), 3]
        self.convolutions = nn.ModuleList([nn.ConvTranspose2d(nz + labels, channels[0], 4, 1, 0, bias=False)])
        self.convolutions.extend(
            nn.ConvTranspose2d(inside + labels, outside, 4, 2, 1, bias=False)
            for inside, outside in zip(channels, channels[1:], strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in channels[:-1])
        normal_(self)

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """The pictures."""
        x = latent[:, :, None, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=False):
            x = torch.relu(norm(convolution(beside(x, label))))
        return torch.tanh(self.convolutions[-1](beside(x, label)))


class ConcatDiscriminator(nn.Module):
    """Pictures (N, 3, size, size) and labels (N, L) -> scores (N,), high for real pictures with their own labels."""

    def __init__(self, size: int, labels: int, ndf: int) -> None:
        super().__init__()
        channels = [3, *reversed(widths(size, ndf))]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inside + labels, outside, 4, 2, 1, bias=False)
            for inside, outside in zip(channels, channels[1:], strict=False)
        )
        self.norms = nn.ModuleList([nn.Identity(), *(nn.BatchNorm2d(width) for width in channels[2:])])
        self.score = nn.Conv2d(channels[-1] + labels, 1, 4, 1, 0, bias=False)
        self.slope = nn.LeakyReLU(SLOPE)
        normal_(self)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """The scores."""
        x = image
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.slope(norm(convolution(beside(x, label))))
        scores: Tensor = self.score(beside(x, label))
        return scores.flatten()
