"""The norms of the image-to-image families."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal, TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

NormName = Literal["instance", "instance-affine", "batch", "batch-picture"]
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class PictureBatchNorm(nn.BatchNorm2d):
    """A batch norm that, in eval mode, takes each picture's own statistics instead of the running ones.

    That is what the authors' pix2pix does at test time with its batches of one (Isola et al. 2017, section 3.3),
    and it makes a picture independent of its batch.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the base class's name
        """(N, C, H, W) with H W > 1 -> the same shape."""
        if self.training:
            return super().forward(input)
        return F.instance_norm(input, weight=self.weight, bias=self.bias, eps=self.eps)


def norm_layer(name: NormName) -> tuple[Callable[[int], nn.Module], bool]:
    """The norm by its name, and whether the convolutions before it have biases, as in the published files."""
    # Statistics of each picture, at inference too: running ones would ruin the pictures.
    if name == "instance":
        return lambda channels: nn.InstanceNorm2d(channels, affine=False, track_running_stats=False), True
    if name == "instance-affine":
        return lambda channels: nn.InstanceNorm2d(channels, affine=True, track_running_stats=False), True
    return PictureBatchNorm if name == "batch-picture" else nn.BatchNorm2d, False


def without_idle_biases(module: ModuleT) -> ModuleT:
    """A copy whose convolutions lose the biases that an instance norm right behind them subtracts again."""
    module = copy.deepcopy(module)
    for chain in module.modules():
        if isinstance(chain, nn.Sequential):
            layers = list(chain)
            for layer, following in zip(layers, layers[1:], strict=False):
                last = layer[-1] if isinstance(layer, nn.Sequential) and len(layer) else layer  # a separable one
                if isinstance(last, nn.Conv2d | nn.ConvTranspose2d) and isinstance(following, nn.InstanceNorm2d):
                    last.bias = None
    return module
