"""Depthwise-separable convolutions (MobileNet, Howard et al. 2017, section 3.1), as GAN Compression puts into blocks.

They save multiplications, not memory traffic: on many processors they are slower than their count promises. Measure.
"""

from __future__ import annotations

from torch import nn


def conv3x3(channels: int, *, padding: int = 1, bias: bool = False, depthwise: bool = False) -> nn.Module:
    """A 3 x 3 convolution (N, C, H, W) -> (N, C, H, W); `depthwise`: one of each channel by itself, then 1 x 1."""
    if not depthwise:
        return nn.Conv2d(channels, channels, 3, padding=padding, bias=bias)
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=padding, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=bias),
    )
