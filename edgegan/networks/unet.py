"""The U-Net generator of pix2pix (Isola et al. 2017, appendix 6.1.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .init import normal_
from .norm import NormName, norm_layer


class _Level(nn.Module):
    """Half the resolution, what lies below, and back; the input is appended, but not at the outermost level."""

    def __init__(
        self, outer: int, inner: int, below: nn.Module | None, *, outermost: bool, norm: NormName, dropout: bool
    ) -> None:
        super().__init__()
        self.outermost = outermost
        normed, bias = norm_layer(norm)
        down = nn.Conv2d(3 if outermost else outer, inner, 4, 2, padding=1, bias=bias)
        # What comes from below is its own output and its input: twice as wide, but for the innermost level.
        width = inner if below is None else 2 * inner
        up = nn.ConvTranspose2d(width, 3 if outermost else outer, 4, 2, padding=1, bias=bias or outermost)
        if outermost:
            before: list[nn.Module] = [down]
            after: list[nn.Module] = [nn.ReLU(inplace=True), up, nn.Tanh()]
        else:
            # Not in place: the input is needed again for the skip connection.
            before = [nn.LeakyReLU(0.2), down, *([normed(inner)] if below is not None else [])]
            after = [nn.ReLU(inplace=True), up, normed(outer), *([nn.Dropout(0.5)] if dropout else [])]
        self.model = nn.Sequential(*before, *([below] if below is not None else []), *after)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 2 C, H, W); the outermost: (N, 3, H, W)."""
        out: Tensor = self.model(x)
        return out if self.outermost else torch.cat([x, out], 1)


class UnetGenerator(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> (N, 3, H, W) in [-1, 1]; H and W multiples of 2**downs, else RuntimeError.

    Widths are ngf, 2 ngf, 4 ngf, then 8 ngf. Dropout, where on, is in the levels inside the fourth, but not
    the innermost, and acts in training alone.
    """

    def __init__(
        self, downs: int = 8, ngf: int = 64, *, norm: NormName = "batch-picture", dropout: bool = True
    ) -> None:
        super().__init__()
        self.multiple = 2**downs
        widths = [ngf * min(2**i, 8) for i in range(downs)]
        level: nn.Module | None = None
        for depth in reversed(range(downs)):
            level = _Level(
                widths[depth - 1],  # the outermost ignores it
                widths[depth],
                level,
                outermost=depth == 0,
                norm=norm,
                dropout=dropout and 4 <= depth < downs - 1,
            )
        assert level is not None
        self.model = level
        normal_(self)

    def forward(self, image: Tensor) -> Tensor:
        """The translated picture."""
        out: Tensor = self.model(image)
        return out


def halvings(size: int, most: int = 8) -> int:
    """How often `size` pixels can be halved without a rest, at most `most` times."""
    return min(most, (size & -size).bit_length() - 1)
