"""The history of generated pictures that CycleGAN's discriminators see (Shrivastava et al. 2017, section 2.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps the last pictures drawn; buffers only, so that it is saved with the run and has nothing to train.

    Args:
        capacity: how many pictures are kept, at least 1.
        size: their edge, in pixels.
    """

    images: Tensor
    filled: Tensor

    def __init__(self, capacity: int, size: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(capacity, 3, size, size))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self._known = (-1, -1, 0)  # of `filled`: which tensor, its version, its value

    @torch.no_grad()
    def forward(self, fakes: Tensor, draws: Tensor) -> Tensor:
        """What the discriminator is shown instead of `fakes`, without gradient.

        Until the pool is full each fake is stored and shown. From then on, with probability one half, a stored
        picture is shown and the fake takes its place; else the fake is shown.

        Args:
            fakes: (N, 3, S, S) in [-1, 1].
            draws: (N, 2) uniform in [0, 1): whether to swap, and with which picture.
        """
        shown = fakes.clone()
        capacity, filled = len(self.images), self._count()
        for i, (swap, which) in enumerate(draws.tolist()):
            if filled < capacity:
                self.images[filled] = fakes[i]
                filled += 1
            elif swap >= 0.5:
                place = int(which * capacity)
                shown[i] = self.images[place]
                self.images[place] = fakes[i]
        self.filled.fill_(filled)
        self._known = (id(self.filled), self.filled._version, filled)
        return shown

    def _count(self) -> int:
        """The value of `filled`; read from the device, which waits for it, only where somebody else has written it."""
        if self._known[:2] != (id(self.filled), self.filled._version):
            return int(self.filled)
        return self._known[2]
