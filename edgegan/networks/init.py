"""How weights begin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@torch.no_grad()
def normal_(module: nn.Module, std: float = 0.02) -> None:
    """Convolutions N(0, std) with bias 0, batch norms N(1, std) with bias 0 (DCGAN, section 4)."""
    for layer in module.modules():
        if isinstance(layer, _CONVOLUTIONS):
            layer.weight.normal_(0.0, std)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.normal_(1.0, std)
        else:
            continue
        if layer.bias is not None:
            layer.bias.zero_()


@torch.no_grad()
def smooth_(kernels: Tensor) -> None:
    """Blurs kernels (..., K, K), K >= 3, by [1 2 1] / 4 each way: a stride-2 head then starts with no checkerboard."""
    blur = torch.tensor([0.25, 0.5, 0.25])
    inner = kernels.reshape(-1, 1, *kernels.shape[2:])[..., 1:-1, 1:-1]  # so that the blur fits inside
    kernels.copy_(F.conv2d(inner, torch.outer(blur, blur)[None, None], padding=2).view_as(kernels))
