"""Historical averaging (Salimans et al. 2016, section 3.3): each player is drawn to the mean of what it has been."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class History(nn.Module):
    """The running mean of a network's weights; buffers only, so that it is saved with the run.

    Args:
        weights: how many numbers the network has.
    """

    mean: Tensor
    steps: Tensor

    def __init__(self, weights: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(weights))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, weights: Tensor) -> Tensor:
        """|weights - mean|^2, of all weights as one vector; 0 before the first step."""
        if not int(self.steps):
            return weights.new_zeros(())
        return (weights - self.mean).square().sum()

    @torch.no_grad()
    def add(self, weights: Tensor) -> None:
        """Takes the weights after a step into the mean."""
        self.steps += 1
        self.mean += (weights - self.mean) / self.steps


def as_vector(network: nn.Module) -> Tensor:
    """All parameters of a network in a row, with their gradients' way back."""
    return torch.cat([parameter.flatten() for parameter in network.parameters()])
