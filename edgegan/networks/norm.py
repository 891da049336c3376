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


class FilmNorm(nn.Module):
    """(N, C, H, W) and labels (N, L) in [0, 1] -> the instance-normalised map, scaled and shifted by the labels.

    Feature-wise linear modulation (FiLM, Perez et al. 2018): a label sets the scale and shift of each normalised map.
    A label that enters as constant planes before an instance norm is subtracted again: measured on a fresh StarGAN,
    its effect relative to the picture's is 0.62 after the first convolution and 0.03 after the norm. After the norm it
    reaches the whole picture.
    """

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.modulation = nn.Linear(labels, 2 * channels)
        nn.init.normal_(self.modulation.weight, 0.0, 0.3)  # strong from the start: two labels give two pictures
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """The same shape."""
        scale, shift = self.modulation(2.0 * label - 1.0)[:, :, None, None].chunk(2, 1)
        out: Tensor = self.norm(x) * (1.0 + scale) + shift
        return out


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
