"""How residual generators double their maps: by repeating pixels, or bilinearly as some implementations do."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Upsampling = Literal["nearest", "bilinear"]


def double(x: Tensor, how: Upsampling = "nearest") -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W); bilinear between the centres of pixels, as pictures are enlarged."""
    if how == "nearest":
        return F.interpolate(x, scale_factor=2.0, mode="nearest")
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
