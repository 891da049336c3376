"""DCGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.families._generation import BatchNormConfig
from edgegan.networks.generation.dcgan import Body
from edgegan.networks.generation.latents import Law
from edgegan.ranges import LearningRate, Momentum, Width

SIZES = (16, 32, 64, 128)


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """Widths, form and size of a DCGAN, and how it is trained.

    The paper's size is 64 px; 32 and 128 have one stage fewer and one more. 16 px are for tests.
    """

    size: Literal[16, 32, 64, 128] = 64

    # 5x5 is the authors' code, 4x4 the form of PyTorch's examples; mlp has no convolution: the GAN before DCGAN.
    body: Body = "5x5"
    latent: Law = "uniform"  # what the networks see; the exported model takes N(0, 1) and maps it
    ngf: Width = 128  # channels of the largest maps, and so of all others
    ndf: Width = 128

    g_lr: LearningRate = 2e-4
    d_lr: LearningRate = 2e-4
    beta1: Momentum = 0.5
    beta2: Momentum = 0.999
    weight_decay: Annotated[float, Meta(ge=0, le=1)] = 0.0  # added to the gradient; 1e-5 in the authors' code
