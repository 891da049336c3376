"""A conditional GAN's configuration; the defaults are those of the form that the label is concatenated in."""

from __future__ import annotations

from typing import Literal

from edgegan.families._generation import BatchNormConfig
from edgegan.networks.generation.enlarging import Upsampling
from edgegan.ranges import Every, LearningRate, Momentum, Width
from edgegan.runtime.errors import InputError


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """What the pictures are labelled with, how the label enters both networks, and how these are trained.

    `concat` (Mirza and Osindero 2014, in the convolutional form of DCGAN's authors) lays the label beside the noise
    and as planes beside every map of both networks. `projection` (Miyato and Koyama 2018) has residual networks: the
    label sets the gains of the generator's norms, and the discriminator adds its inner product with the features.
    """

    size: Literal[16, 32, 64, 128] = 32
    attributes: tuple[str, ...] = ()  # the names of the label's places; the data set must have them
    groups: tuple[tuple[str, ...], ...] = ()  # names of which exactly one is on

    conditioning: Literal["concat", "projection"] = "concat"
    upsampling: Upsampling = "nearest"  # in the projection's generator
    ndf: Width = 64

    g_lr: LearningRate = 2e-4
    d_lr: LearningRate = 2e-4
    beta1: Momentum = 0.5  # the projection's authors: 0
    beta2: Momentum = 0.999  # and 0.9
    n_critic: Every = 1  # the discriminator's steps for one of the generator's; and 5

    def __post_init__(self) -> None:
        if self.conditioning == "concat" and self.upsampling != "nearest":
            raise InputError(
                f"upsampling={self.upsampling} with conditioning=concat", "it is of the projection's blocks"
            )
        if not self.attributes:
            raise InputError(
                "attributes: a conditional GAN without a label",
                "the names that its pictures are labelled with",
                """as in: --set 'attributes=["Smiling", "Eyeglasses"]', or take dcgan""",
            )
        doubled = {name for name in self.attributes if self.attributes.count(name) > 1}
        stray = [name for group in self.groups for name in group if name not in self.attributes]
        shared = [name for name in self.attributes if sum(name in group for group in self.groups) > 1]
        if doubled or stray or shared:
            what = "twice" if doubled else "in groups, not in attributes" if stray else "in two groups"
            names = ", ".join(sorted(doubled) or stray or shared)
            raise InputError(f"attributes, groups: {names} {what}", "every name once, and at most in one group")
