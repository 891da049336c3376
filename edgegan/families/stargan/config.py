"""StarGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Literal

from edgegan.config import BaseConfig
from edgegan.runtime.card import Alignment
from edgegan.runtime.errors import InputError


class Config(BaseConfig, frozen=True, kw_only=True):
    """Widths, depths, size and attributes of a StarGAN, and how it is trained."""

    size: int = 128
    attributes: tuple[str, ...] = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    exclusive: tuple[tuple[str, ...], ...] = (("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"),)
    domain: str = "photographed faces"
    faces: bool = True
    alignment: Alignment | None = None
    licence: str = ""
    flip: bool = True
    centre_crop: int | None = None

    conv_dim: int = 64
    blocks: int = 6
    stem_stride: Literal[1, 2] = 1
    mask: bool = False  # GANimation's output mask; not in the paper
    d_conv_dim: int = 64
    d_layers: int = 6

    adversarial: Literal["wgan-gp", "hinge-r1"] = "wgan-gp"
    targets: Literal["permute", "single"] = "permute"  # single: one attribute changes; not in the paper
    focus: tuple[str, ...] = ()  # what single targets pick three times as often: edits that are slow to learn
    balance: tuple[str, ...] = ()  # shown on half of the real pictures, so that single targets keep their share
    hides: dict[str, tuple[str, ...]] = {}  # what cannot be seen, and so not be classified, under an attribute
    n_critic: int = 5
    lambda_cls: float = 1.0
    lambda_rec: float = 10.0
    lambda_gp: float = 10.0
    lambda_mask: float = 0.0  # weight of the mean of the mask
    r1_gamma: float = 1.0
    r1_interval: int = 8
    g_lr: float = 1e-4
    d_lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        if self.size % 2**self.d_layers or self.size < 2**self.d_layers:
            raise InputError(
                f"size={self.size} with d_layers={self.d_layers}",
                f"the size must be a multiple of {2**self.d_layers} (2 to the power of d_layers)",
            )
        if len(self.attributes) < 2:
            raise InputError(f"attributes={list(self.attributes)}", "StarGAN translates between at least two domains")
        if len(set(self.attributes)) != len(self.attributes):
            raise InputError(f"attributes={list(self.attributes)}", "each attribute may be named once")
        hiding = (*self.hides, *(name for names in self.hides.values() for name in names))
        for field, names in (("focus", self.focus), ("balance", self.balance), ("hides", hiding)):
            if not set(names) <= set(self.attributes):
                raise InputError(f"{field}={list(names)}", f"the attributes are: {', '.join(self.attributes)}")
        if self.train.batch % self.train.accumulate:
            raise InputError(
                f"train.batch={self.train.batch} does not divide by train.accumulate={self.train.accumulate}"
            )

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The exclusive groups among this model's attributes, in the order of the condition vector."""
        kept = (tuple(a for a in self.attributes if a in group) for group in self.exclusive)
        return tuple(group for group in kept if len(group) > 1)
