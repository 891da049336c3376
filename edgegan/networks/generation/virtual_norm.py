"""Virtual batch normalisation (Salimans et al. 2016, section 3.5): statistics of one batch that is chosen once.

A picture then depends on its own latent and on the fixed reference, not on its neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_EPS = 1e-5


class VirtualBatchNorm(nn.Module):
    """Normalises maps (R + N, C, H, W), of which the first R are the reference, in float32.

    The reference is normalised by its own moments; each other picture by those with itself counted in, as one of
    R + 1. Once frozen, the reference's moments are constants and maps hold no reference.

    Args:
        channels: C.
        reference: R.
    """

    mean: Tensor
    square: Tensor

    def __init__(self, channels: int, reference: int) -> None:
        super().__init__()
        self.reference = reference
        self.weight = nn.Parameter(torch.empty(channels).normal_(1.0, 0.02))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.frozen = False
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1), persistent=False)
        self.register_buffer("square", torch.zeros(1, channels, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        if self.frozen:
            return self._with_reference(x, self.mean, self.square)
        reference, live = x[: self.reference].float(), x[self.reference :]
        mean, square = reference.mean((0, 2, 3), keepdim=True), reference.square().mean((0, 2, 3), keepdim=True)
        self.mean, self.square = mean.detach(), square.detach()
        own = self._scale(reference, mean, square)
        return torch.cat([own, self._with_reference(live, mean, square)]).to(x.dtype)

    def _with_reference(self, live: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        live, share = live.float(), 1 / (self.reference + 1)
        mixed = mean + share * (live.mean((2, 3), keepdim=True) - mean)
        squares = square + share * (live.square().mean((2, 3), keepdim=True) - square)
        return self._scale(live, mixed, squares)

    def _scale(self, x: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        deviation = (square - mean.square()).clamp(min=0).add(_EPS).sqrt()
        return (x - mean) / deviation * self.weight[:, None, None] + self.bias[:, None, None]


class VirtualGenerator(nn.Module):
    """A generator with virtual batch norms, and the reference latents that it is always run on as well.

    Args:
        body: latents (R + N, nz) -> pictures, whose norms are VirtualBatchNorms of R.
        reference: the latents (R, nz), chosen once; they are saved with the network.
    """

    reference: Tensor

    def __init__(self, body: nn.Module, reference: Tensor) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("reference", reference)
        self.frozen = False

    def forward(self, latent: Tensor) -> Tensor:
        """Latents (N, nz) of N(0, 1) -> pictures (N, 3, S, S)."""
        if self.frozen:
            drawn: Tensor = self.body(latent)
            return drawn
        both: Tensor = self.body(torch.cat([self.reference, latent]))
        return both[len(self.reference) :]

    @torch.no_grad()
    def freeze(self) -> None:
        """Makes the reference's moments constants: half the work, and the same pictures."""
        self(self.reference[:1])
        for layer in self.modules():
            if isinstance(layer, VirtualBatchNorm):
                layer.frozen = True
        self.frozen = True
