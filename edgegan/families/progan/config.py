"""ProGAN's configuration; the defaults are the paper's for 1024 px on one GPU, but for the size."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edgegan.config import Training
from edgegan.families._generation import GenerationConfig
from edgegan.ranges import Batch, Images, LearningRate, Momentum, Weight
from edgegan.runtime.errors import InputError


class Config(GenerationConfig, frozen=True, kw_only=True):
    """Widths, size and growth of a ProGAN, and how it is trained.

    `train.batch` is the batch at the final size; each halving of the size doubles it, up to `largest_batch`.
    """

    size: Literal[8, 16, 32, 64, 128, 256, 512, 1024] = 256
    nz: Annotated[int, Meta(ge=1, le=8192)] = 512

    base: Annotated[int, Meta(ge=4, le=65_536)] = 8192  # a map of 2^n px a side has base / 2^(n - 1) channels
    widest: Annotated[int, Meta(ge=1, le=4096)] = 512  # but no more than this
    widths: tuple[Annotated[int, Meta(ge=1, le=4096)], ...] = ()  # or those of each map, from 4 px up, one by one
    stem_bias: Literal["channel", "place"] = "channel"  # of the 4 px map: one a channel, or one a channel and place
    norm_epsilon: Annotated[float, Meta(ge=1e-8, le=1e-2)] = 1e-4  # of pixel norms; 1e-8 in the paper: see PixelNorm
    group: Batch = 4  # pictures that share one minibatch standard deviation

    first_size: Literal[4, 8, 16, 32, 64, 128, 256, 512, 1024] = 4  # where growth begins; `size`: no growth
    stable_images: Annotated[int, Meta(ge=1, le=10**10)] = 600_000  # trained at each size
    fade_images: Images = 600_000  # over which the next size fades in; 0: at once
    largest_batch: Batch = 128

    g_lr: LearningRate = 1e-3
    d_lr: LearningRate = 1e-3
    beta1: Momentum = 0.0
    beta2: Momentum = 0.99
    lambda_gp: Weight = 10.0
    drift: Weight = 1e-3  # keeps the critic's scores of real pictures near 0

    train: Training = Training(images=12_000_000, batch=8)

    def __post_init__(self) -> None:
        if self.widths and len(self.widths) != self.levels + 1:
            raise InputError(
                f"widths={list(self.widths)} at size={self.size}", f"{self.levels + 1}: one for each size from 4 px up"
            )
        if self.first_size > self.size:
            raise InputError(f"first_size={self.first_size} at size={self.size}", "at most the final size")
        if not self.widths and self.base >> (self.levels + 1) < 1:
            raise InputError(
                f"base={self.base} at size={self.size}", f"at least {2 << self.levels}, so that every map has channels"
            )
        parts = self.group * self.train.accumulate
        wrong = [batch for batch in map(self.batch, range(self.levels + 1)) if batch % parts and batch > self.group]
        if wrong:
            raise InputError(
                f"batches of {', '.join(map(str, sorted(set(wrong))))} with group={self.group}, "
                f"train.accumulate={self.train.accumulate}",
                f"a multiple of {parts}, or at most one group",
            )

    @property
    def levels(self) -> int:
        """Doublings from 4 px to the final size."""
        return self.size.bit_length() - 3

    @property
    def first_level(self) -> int:
        """The level that training begins at."""
        return self.first_size.bit_length() - 3

    @property
    def dense_width(self) -> int:
        """Features of the critic's last hidden layer."""
        return self.widths[0] if self.widths else min(self.base, self.widest)

    def width(self, level: int) -> int:
        """Channels of a map of 4 * 2^level px a side."""
        return self.widths[level] if self.widths else min(self.base >> (level + 1), self.widest)

    def batch(self, level: int) -> int:
        """Pictures of a round when the networks have grown to 4 * 2^level px."""
        own: int = self.train.batch << (self.levels - level)
        return max(min(own, self.largest_batch), self.train.batch)


def small() -> Config:
    """16 px, 8 channels, 8 + 8 pictures a level: trains in a second."""
    return Config(
        size=16,
        nz=8,
        base=16,
        widest=8,
        group=2,
        stable_images=8,
        fade_images=8,
        largest_batch=4,
        domain="drawn faces",
        train=msgspec.structs.replace(Training(), data="avatars:16", batch=4, images=64, sample_images=32),
    )
