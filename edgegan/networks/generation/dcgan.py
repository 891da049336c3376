"""The body of DCGAN (Radford et al. 2016): transposed convolutions up from noise, strided ones down to a score.

Two forms, and one that is no DCGAN. `4x4` is the form in which PyTorch's examples are published, and has their key
names; `5x5` is the authors' own, with a matrix at the narrow end of both networks. `mlp` has no convolution at all:
the GAN before DCGAN, to compare with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from edgegan.networks.init import normal_

from .latents import Law, follow_law

Body = Literal["4x4", "5x5", "mlp"]
Normed = Callable[[int], nn.Module]  # channels -> a norm of maps with so many

SLOPE = 0.2  # of every LeakyReLU
_MLP = 8  # an MLP's layers have so many times ngf (ndf) units


def widths(size: int, least: int) -> list[int]:
    """Channels of the maps of 4, 8, ... size / 2 pixels: they halve as the edge doubles, down to `least`."""
    edges = [4]
    while edges[-1] < size // 2:
        edges.append(2 * edges[-1])
    return [least * size // (2 * edge) for edge in edges]


class DcganGenerator(nn.Module):
    """Latents (N, nz) of N(0, 1) -> pictures (N, 3, size, size) in [-1, 1].

    Args:
        size: a power of two from 16.
        nz: width of the latents.
        ngf: channels of the largest map; the smallest, of 4 pixels, has ngf * size / 8.
        body: see above.
        law: what the layers see of the latent.
        norm: makes the norm of every layer but the last.
    """

    def __init__(
        self,
        size: int,
        nz: int,
        ngf: int,
        body: Body = "4x4",
        law: Law = "normal",
        norm: Normed = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.law, self.body = law, body
        channels = [*widths(size, ngf), 3]
        layers: list[nn.Module]
        if body == "mlp":
            units = _MLP * ngf
            layers = [nn.Linear(nz, units), nn.BatchNorm1d(units), nn.ReLU(inplace=True)]
            layers += [nn.Linear(units, units), nn.BatchNorm1d(units), nn.ReLU(inplace=True)]
            layers += [nn.Linear(units, 3 * size**2), nn.Tanh(), nn.Unflatten(1, (3, size, size))]
        else:
            layers = [_widen(nz, channels[0], body), norm(channels[0]), nn.ReLU(inplace=True)]
            for inside, outside in zip(channels, channels[1:], strict=False):
                layers.append(_up(inside, outside, body))
                layers += [nn.Tanh()] if outside == 3 else [norm(outside), nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*layers)
        normal_(self)

    def forward(self, latent: Tensor) -> Tensor:
        """The pictures."""
        z = follow_law(latent, self.law)
        drawn: Tensor = self.main(z[:, :, None, None] if self.body == "4x4" else z)
        return drawn


class DcganDiscriminator(nn.Module):
    """Pictures (N, channels, size, size) -> scores (N,), high for real ones; no sigmoid.

    Args:
        size: a power of two from 16.
        ndf: channels of the largest map; the smallest, of 4 pixels, has ndf * size / 8.
        body: see above.
        channels: of what it is shown; 3 are RGB.
        norm: makes the norm of every layer but the first and the last; None for none, and biases in their place (a
            critic of WGAN-GP).
    """

    def __init__(
        self, size: int, ndf: int, body: Body = "4x4", channels: int = 3, norm: Normed | None = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        layers: list[nn.Module]
        if body == "mlp":
            self.width = _MLP * ndf
            layers = [nn.Flatten(), nn.Linear(channels * size**2, self.width), nn.LeakyReLU(SLOPE, inplace=True)]
            layers += [nn.Linear(self.width, self.width), nn.LeakyReLU(SLOPE, inplace=True), nn.Linear(self.width, 1)]
        else:
            layers, inside = [], channels
            for number, outside in enumerate(reversed(widths(size, ndf))):
                layers.append(_down(inside, outside, body, bias=norm is None))
                layers += [norm(outside)] if norm is not None and number else []
                layers.append(nn.LeakyReLU(SLOPE, inplace=True))
                inside = outside
            self.width = inside * 16
            layers.append(_score(inside, body))
        self.main = nn.Sequential(*layers)
        normal_(self)

    def features(self, image: Tensor) -> Tensor:
        """What the last layer sees: (N, C, 4, 4), of an MLP (N, C); `width` numbers a picture."""
        x = image
        for layer in self.main[:-1]:
            x = layer(x)
        return x

    def score(self, features: Tensor) -> Tensor:
        """The scores (N,) of such features."""
        scores: Tensor = self.main[-1](features)
        return scores.flatten()

    def forward(self, image: Tensor) -> Tensor:
        """The scores."""
        return self.score(self.features(image))


def _widen(nz: int, channels: int, body: Body) -> nn.Module:
    """Latents -> maps of 4 pixels; a transposed 4x4 convolution of one pixel is the same matrix."""
    if body == "4x4":
        return nn.ConvTranspose2d(nz, channels, 4, 1, 0, bias=False)
    return nn.Sequential(_matrix(nz, channels * 16), nn.Unflatten(1, (channels, 4, 4)))


def _up(inside: int, outside: int, body: Body) -> nn.Module:
    if body == "4x4":
        return nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False)
    return nn.ConvTranspose2d(inside, outside, 5, 2, 2, output_padding=1, bias=False)


def _down(inside: int, outside: int, body: Body, *, bias: bool) -> nn.Module:
    kernel, padding = (4, 1) if body == "4x4" else (5, 2)
    return nn.Conv2d(inside, outside, kernel, 2, padding, bias=bias)


def _score(channels: int, body: Body) -> nn.Module:
    if body == "4x4":
        return nn.Conv2d(channels, 1, 4, 1, 0, bias=False)
    return nn.Sequential(nn.Flatten(), _matrix(channels * 16, 1))


def _matrix(inside: int, outside: int) -> nn.Linear:
    matrix = nn.Linear(inside, outside, bias=False)
    nn.init.normal_(matrix.weight, 0.0, 0.02)
    return matrix
