"""FastGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.families._generation import BatchNormConfig
from edgegan.networks.diff_augment import KINDS, Kind
from edgegan.ranges import LearningRate, Momentum, Weight, Width
from edgegan.runtime.errors import InputError

_SEED_DIGITS = 18  # what fits in 63 bits
SIZES = (64, 128, 256, 512, 1024)


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """Widths and size of a FastGAN, how it is trained, and how it is made ready for export.

    The paper's sizes are 256, 512 and 1024. 64 and 128 are an extension for small machines: the same networks
    without their outermost stages.
    """

    size: Literal[64, 128, 256, 512, 1024] = 256
    nz: Annotated[int, Meta(ge=1, le=8192)] = 256
    discriminator: Literal["paper", "projected"] = "paper"  # projected: Sauer et al. 2021, who pair it with FastGAN
    ndf: Width = 64

    g_lr: LearningRate = 2e-4
    d_lr: LearningRate = 2e-4
    beta1: Momentum = 0.5
    beta2: Momentum = 0.999
    augment: tuple[Kind, ...] = KINDS
    reconstruction: Literal["l1", "lpips"] = "l1"
    # The original sums LPIPS over its batch of 8; a mean per picture keeps the weight when the batch changes.
    lambda_rec: Weight = 8.0
    lpips_weights: str = ""  # a file with torchvision's VGG16 state dict
    lpips_heads: str = ""  # the linear heads of LPIPS 0.1; empty: those that come with torchmetrics

    noise: str = "zero"  # what the noise injections add in eval mode: "zero", or "frozen:SEED", one fixed map each

    def __post_init__(self) -> None:
        # Of the narrowest layer, at full size, there are ngf/8 (ndf/8) channels at 1024 px.
        for name, width, narrowest in (("ngf", self.ngf, max(self.size // 128, 1)), ("ndf", self.ndf, self._d_divisor)):
            if width < narrowest or width % narrowest:
                raise InputError(
                    f"{name}={width} at size={self.size}", f"a multiple of {narrowest}: some layers have fewer channels"
                )
        if self.reconstruction == "lpips" and not self.lpips_weights:
            raise InputError(
                "reconstruction=lpips without lpips_weights",
                "LPIPS compares what VGG16 sees, and its weights do not come with edgegan",
                "--set lpips_weights=FILE (torchvision's vgg16 state dict), or --set reconstruction=l1",
            )
        parse_noise(self.noise)

    @property
    def _d_divisor(self) -> int:
        return 8 if self.size == 1024 else 4

    @property
    def small(self) -> int:
        """Edge of the second, small picture that both networks see: 128, or half of a size below 256."""
        return min(128, self.size // 2)


def parse_noise(noise: str) -> int | None:
    """The seed of "frozen:SEED", None for "zero"; raises InputError for anything else."""
    kind, _, seed = noise.partition(":")
    if noise == "zero":
        return None
    if kind == "frozen" and seed.isdecimal() and len(seed) <= _SEED_DIGITS:
        return int(seed)
    raise InputError(
        f"noise={noise}", f"'zero' or 'frozen:SEED', a number of at most {_SEED_DIGITS} digits", "as in: noise=frozen:7"
    )
