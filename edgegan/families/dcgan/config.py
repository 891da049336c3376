"""DCGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.families._generation import BatchNormConfig
from edgegan.networks.diff_augment import Kind
from edgegan.networks.generation.dcgan import Body
from edgegan.networks.generation.latents import Law
from edgegan.ranges import LearningRate, Momentum, Weight, Width
from edgegan.runtime.errors import InputError

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
    d_augment: tuple[Kind, ...] = ()  # DiffAugment on all that D sees; not in the paper

    # "Improved Techniques for Training GANs" (Salimans et al. 2016), each by itself:
    generator_loss: Literal["adversarial", "feature_matching"] = "adversarial"  # section 3.1
    minibatch_kernels: Annotated[int, Meta(ge=0, le=1000)] = 0  # of D's comparison within a batch (3.2); paper: 100
    minibatch_dims: Annotated[int, Meta(ge=1, le=1000)] = 5
    historical_weight: Weight = 0.0  # of the distance to the mean of past weights (3.3)
    real_target: Annotated[float, Meta(gt=0.5, le=1)] = 1.0  # one-sided label smoothing (3.4); the paper: 0.9
    norm: Literal["batch", "virtual"] = "batch"  # of the generator (3.5)
    virtual_reference: Annotated[int, Meta(ge=2, le=1024)] = 32  # pictures of the reference batch
    classes: tuple[str, ...] = ()  # names of which each picture has exactly one: semi-supervised (section 5)
    labelled: Annotated[int, Meta(ge=1, le=10**9)] = 100  # so many of the training pictures show their class

    def __post_init__(self) -> None:
        if len(self.classes) == 1 or len(set(self.classes)) != len(self.classes):
            raise InputError(f"classes={list(self.classes)}", "two or more names, each once, or none")
        if self.classes and self.minibatch_kernels:
            raise InputError(
                f"classes with minibatch_kernels={self.minibatch_kernels}",
                "one of both: a classifier knows a picture alone, minibatch discrimination compares it with its batch",
            )
        if self.body == "mlp" and self.norm == "virtual":
            raise InputError("norm=virtual with body=mlp", "virtual batch norms are of maps", "body=4x4 or body=5x5")

    @property
    def improved(self) -> bool:
        """Whether the discriminator has a head of its own: it compares pictures, or knows classes."""
        return bool(self.minibatch_kernels or self.classes)
