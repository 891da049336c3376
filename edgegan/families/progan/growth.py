"""How far a ProGAN has grown, as one number that follows from the images seen (Karras et al. 2018, section 2).

Level 0 is 4 px, level 1 is 8 px. At 1.25 the networks draw 16 px, and what the layers of level 2 add counts a quarter.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from edgegan.families import Networks, Stage
from edgegan.networks.generation.host_values import read_value, set_value

from .config import Config


class Growing(nn.Module):
    """A network of all levels from the start; `level` is in the checkpoint, and in the average."""

    level: Tensor  # (), float64

    def grow(self, level: float) -> None:
        """Sets how far it has grown."""
        set_value(self, "level", level)

    @property
    def host_level(self) -> float:
        """`level`, as the host knows it."""
        return read_value(self, "level")


def level_at(cfg: Config, images: int) -> float:
    """The level of the round that begins after so many images: stable, then rising over the fade, to `cfg.levels`."""
    whole, rest = divmod(images, cfg.stable_images + cfg.fade_images)
    whole += cfg.first_level
    if whole >= cfg.levels:
        return float(cfg.levels)
    return whole + max(rest - cfg.stable_images, 0) / max(cfg.fade_images, 1)


def stage(cfg: Config, images: int) -> Stage:
    """One stage for each size and one for each fade; a fade has the batch of the size that comes."""
    level = level_at(cfg, images)
    size = 4 << math.ceil(level)
    return Stage(f"{size} px" + ("" if level.is_integer() else ", fading in"), cfg.batch(math.ceil(level)))


def advance(cfg: Config, nets: Networks, images: int) -> None:
    """Tells both networks how far they have grown."""
    for net in nets.values():
        assert isinstance(net, Growing)
        net.grow(level_at(cfg, images))


def fade(image: Tensor, level: float) -> Tensor:
    """Real pictures (N, C, S, S) as the critic sees them at a level: smaller by box means, the fade's blur included."""
    image = F.avg_pool2d(image, image.shape[-1] // (4 << math.ceil(level)))
    return image if level.is_integer() else double(F.avg_pool2d(image, 2)).lerp(image, level % 1)


def double(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), nearest."""
    return F.interpolate(x, scale_factor=2, mode="nearest")
