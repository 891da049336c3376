"""LPIPS: how different two pictures look, by what a network trained on photographs sees (Zhang et al., CVPR 2018).

The VGG16 weights are the user's own (torchvision's state dict); the linear heads of version 0.1 come with torchmetrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from edgegan.runtime.errors import InputError, MissingExtraError

# VGG16's convolutions: channels, and how many of each. Keys are those of torchvision's `features`.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_TODO = "torchvision.models.vgg16(weights='IMAGENET1K_V1').state_dict(), written with torch.save"


class Lpips(nn.Module):
    """(N, 3, H, W) twice, in [-1, 1], 32 px or more -> (N,) distances, 0 for equal pictures. Never trained itself.

    Raises InputError if a file is missing or holds something else.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, vgg16: Path, heads: Path | None = None) -> None:
        super().__init__()
        self.features = _vgg16()
        wanted = {f"features.{key}": key for key in self.features.state_dict()}
        found = _tensors(vgg16, "VGG16 weights", wanted)
        self.features.load_state_dict({own: found[key] for key, own in wanted.items()})
        names = [f"lin{i}.model.1.weight" for i in range(len(_BLOCKS))]
        linear = _tensors(heads or find_heads(), "LPIPS heads", names)
        for i, name in enumerate(names):
            self.register_buffer(f"head_{i}", linear[name])  # (1, channels, 1, 1)
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """The sum over blocks of the weighed squared distance of unit features, averaged over places (eq. 1)."""
        x = (torch.cat([a, b]) - self.shift) / self.scale
        total = torch.zeros((), device=a.device)
        compared = 0
        for layer, following in zip(self.features, [*self.features, None][1:], strict=True):
            x = layer(x)
            if following is None or isinstance(following, nn.MaxPool2d):  # the end of a block
                one, other = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-8)).chunk(2)
                weighed = (one - other).square() * self.get_buffer(f"head_{compared}")
                total = total + weighed.sum(1).mean((1, 2))
                compared += 1
        return total


def _vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for width, count in _BLOCKS:
        layers += [nn.MaxPool2d(2)] if layers else []
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    return nn.Sequential(*layers)


def _tensors(path: Path, what: str, wanted: Any) -> Mapping[str, Tensor]:
    """The tensors of a PyTorch file that must hold at least `wanted`."""
    if not path.is_file():
        raise InputError(f"{what}: there is no file {path}", todo=_TODO)
    try:
        found: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise InputError(f"{path}: not a readable PyTorch file ({str(error).splitlines()[0]})", todo=_TODO) from None
    missing = [key for key in wanted if key not in found] if isinstance(found, Mapping) else list(wanted)
    if missing:
        raise InputError(f"{path}: no {what}: {missing[0]} and {len(missing) - 1} more are missing", todo=_TODO)
    return found


def find_heads() -> Path:
    """The file with the linear heads that torchmetrics brings; raises MissingExtraError without it."""
    spec = find_spec("torchmetrics")
    if spec is None or spec.origin is None:
        raise MissingExtraError("torchmetrics", "train")
    return Path(spec.origin).parent / "functional" / "image" / "lpips_models" / "vgg.pth"
