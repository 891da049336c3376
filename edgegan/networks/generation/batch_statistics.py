"""Batch norms made ready for averaged weights: their statistics are measured anew.

In training mode a picture depends on its batch; the running statistics are those of the live weights, not of their
average.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@torch.no_grad()
def measure_statistics(network: nn.Module, inputs: tuple[Tensor, ...], batch: int) -> None:
    """Sets each batch norm's mean and variance to those over all rows of `inputs`, averaged over batches.

    Args:
        network: called with `batch` rows of each input at a time; its batch norms are in eval mode afterwards.
        inputs: what it takes, N rows each. A last batch of one row is left out: it has no variance.
        batch: rows at a time; small ones miss what differs from batch to batch.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, NORMS)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.reset_running_stats()
        layer.momentum = None  # cumulative average
        layer.train()
    for first in range(0, len(inputs[0]) - 1 if norms else 0, batch):
        network(*(tensor[first : first + batch] for tensor in inputs))
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()
