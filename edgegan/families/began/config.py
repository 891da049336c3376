"""BEGAN's configuration; the defaults are the paper's at 64 px, where it says them, and its port's where not."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.config import Training
from edgegan.families._generation import GenerationConfig
from edgegan.ranges import Images, LearningRate, Momentum, Share, Width


class Config(GenerationConfig, frozen=True, kw_only=True):
    """Widths and size of a BEGAN, and how generator and autoencoder are balanced."""

    size: Literal[16, 32, 64, 128] = 64
    nz: Annotated[int, Meta(ge=1, le=8192)] = 64  # width of the latents, and of the autoencoder's code

    filters: Width = 64  # channels of every map of generator and decoder; the encoder has more the smaller its maps
    skips: bool = True  # the first map, enlarged, goes into every stage of generator and decoder
    residual_images: Images = 256_000  # over which vanishing residuals fade out; 0: none

    gamma: Share = 0.5  # wanted ratio of the losses of generated and real pictures: lower is sharper, less varied
    k_rate: Annotated[float, Meta(gt=0, le=1)] = 1e-3  # gain of the control of k
    lr: LearningRate = 1e-4
    beta1: Momentum = 0.9
    beta2: Momentum = 0.999
    halve_images: Images = 1_600_000  # after which the learning rate halves, again and again; 0: never
    least_rate: Share = 0.2  # share of the learning rate that halving leaves

    train: Training = Training(batch=16, ema_halflife_images=0)
