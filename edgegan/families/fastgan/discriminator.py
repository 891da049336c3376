"""FastGAN's discriminator: two scales of judgement, and three decoders that make it look at the whole picture.

At 128 px (an extension) the excitation 256 -> 32 px is left out with its source, at 64 px also 128 -> 16 px; 64 -> 8 px
remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .layers import Decoder, Down, DownPlain, Excitation, conv, leaky, norm

# Channels by the edge of the map in pixels, at ndf = 64; the names count from 512 px, as the original's do.
WIDTHS = {256: 16, 128: 32, 64: 64, 32: 128, 16: 256, 8: 512}
SMALL_WIDTHS = {64: 32, 32: 64, 16: 128, 8: 256}
DECODER_WIDTHS = {16: 128, 32: 64, 64: 64, 128: 32}
_EXCITED = {32: 256, 16: 128, 8: 64}  # the edge of a map -> that of the larger map which gates it


@dataclass(frozen=True)
class Features:
    """What the heads see: maps of 8x8, 16x16, and 8x8 from the small picture."""

    last: Tensor
    middle: Tensor
    small: Tensor


class Discriminator(nn.Module):
    """Pictures (N, 3, size, size) and (N, 3, small, small) in [-1, 1] -> raw scores (N, 50), 25 of each scale."""

    def __init__(self, size: int, ndf: int, small: int) -> None:
        super().__init__()
        width = {edge: channels * ndf // 64 for edge, channels in WIDTHS.items() if edge <= size}
        self.small, self.edges = small, tuple(width)
        first = width[self.edges[0]]
        if size == 1024:
            stem: list[nn.Module] = [conv(3, ndf // 8, 4, stride=2, padding=1), leaky()]
            stem += [conv(ndf // 8, first, 4, stride=2, padding=1), norm(first)]
        elif size == 512:
            stem = [conv(3, first, 4, stride=2, padding=1)]
        else:
            stem = [conv(3, first, 3, padding=1)]
        self.down_from_big = nn.Sequential(*stem, leaky())
        for edge in self.edges[1:]:
            self.add_module(f"down_{512 // edge}", Down(width[2 * edge], width[edge]))
        score = 16 * ndf
        self.rf_big = nn.Sequential(conv(width[8], score, 1), norm(score), leaky(), conv(score, 1, 4))
        self.excited = {low: high for low, high in _EXCITED.items() if high in width}
        for low, high in self.excited.items():
            self.add_module(_excitation(low, high), Excitation(width[high], width[low], high))

        narrow = [channels * ndf // 64 for edge, channels in SMALL_WIDTHS.items() if edge < small]
        steps = [DownPlain(before, after) for before, after in zip(narrow, narrow[1:], strict=False)]
        self.down_from_small = nn.Sequential(conv(3, narrow[0], 4, stride=2, padding=1), leaky(), *steps)
        self.rf_small = conv(narrow[-1], 1, 4)

        self.rec_size = min(128, size)
        widths = tuple(channels * ndf // 64 for edge, channels in DECODER_WIDTHS.items() if edge <= self.rec_size)
        self.decoder_big = Decoder(width[8], widths)
        self.decoder_part = Decoder(width[16], widths)
        self.decoder_small = Decoder(narrow[-1], widths)

    def forward(self, big: Tensor, small: Tensor) -> Tensor:
        """The scores."""
        return self.score(self.features(big, small))

    def features(self, big: Tensor, small: Tensor) -> Features:
        """The maps that scores and reconstructions are made from."""
        maps = {self.edges[0]: self.down_from_big(big)}
        for edge in self.edges[1:]:
            x = self.get_submodule(f"down_{512 // edge}")(maps[2 * edge])
            if edge in self.excited:
                high = self.excited[edge]
                x = self.get_submodule(_excitation(edge, high))(maps[high], x)
            maps[edge] = x
        return Features(maps[8], maps[16], self.down_from_small(small))

    def score(self, found: Features) -> Tensor:
        """(N, 50)."""
        return torch.cat([self.rf_big(found.last).flatten(1), self.rf_small(found.small).flatten(1)], 1)

    def reconstruct(self, found: Features, quadrant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The picture, the small picture, and one quadrant of the picture, (N, 3, rec_size, rec_size) in [-1, 1] each.

        `quadrant` (N,) names each picture's: 0 top left, 1 top right, 2 bottom left, 3 bottom right.
        """
        part = quadrants(found.middle, quadrant)
        return self.decoder_big(found.last), self.decoder_small(found.small), self.decoder_part(part)


def quadrants(x: Tensor, which: Tensor) -> Tensor:
    """(N, C, H, W) -> the quadrant `which` (N,) of each, (N, C, H/2, W/2)."""
    n, c, h, w = x.shape
    parts = x.reshape(n, c, 2, h // 2, 2, w // 2).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (N, 4, C, H/2, W/2)
    chosen: Tensor = parts[torch.arange(n, device=x.device), which.to(x.device)]
    return chosen


def _excitation(low: int, high: int) -> str:
    return f"se_{512 // high}_{512 // low}"
