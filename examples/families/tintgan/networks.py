"""TintGAN's two networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Generator(nn.Module):
    """(N, 3, H, W) in [-1, 1], of which it looks at the grey alone -> (N, 3, H, W) in [-1, 1]; any H and W."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """The picture, coloured anew."""
        return torch.tanh(self.main(image.mean(1, keepdim=True)))


class Discriminator(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> a map of scores (N, 1, H / 4, W / 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 4, 2, padding=1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Scores."""
        scores: Tensor = self.main(image)
        return scores
